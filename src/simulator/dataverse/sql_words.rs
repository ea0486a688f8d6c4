//! The words of SQL put into those of `$filter`, so that both languages mean the same.

use super::cell::Slot;
use super::errors::Refusal;
use super::tokens::Token;
use crate::simulator::world::Table;

/// A statement that is not understood.
pub(super) fn wrong(text: impl std::fmt::Display) -> Refusal {
    Refusal::query(format!("The SQL statement is not supported: {text}."))
}

/// Whether a token is a keyword, in whatever case.
pub(super) fn is(token: &Token, keyword: &str) -> bool {
    matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(keyword))
}

/// A column by its logical name; a lookup is meant by its name without `_value` too.
pub(super) fn column(table: &Table, alias: &str, word: &str) -> Result<Slot, Refusal> {
    let name = match word.split_once('.') {
        Some((before, name)) if before.eq_ignore_ascii_case(alias) => name,
        _ => word,
    };
    let name = name.trim_matches(['[', ']']).to_lowercase();
    let property = table.column(&name).map(|(_, column)| column.property);
    property
        .and_then(|property| Slot::of(table, property))
        .ok_or_else(|| Refusal::no_property(&name, table.name))
}

/// The condition in the words of `$filter`.
pub(super) fn in_filter_words(
    table: &Table,
    condition: &[Token],
    alias: &str,
) -> Result<Vec<Token>, Refusal> {
    let mut out = Vec::new();
    let mut rest = condition;
    while let Some((token, after)) = rest.split_first() {
        rest = match (token, after) {
            (Token::Word(_), [is_word, not, null, after @ ..])
                if is(is_word, "IS") && is(not, "NOT") && is(null, "NULL") =>
            {
                out.extend([
                    named(table, token, alias),
                    Token::Word("ne".into()),
                    Token::Word("null".into()),
                ]);
                after
            }
            (Token::Word(_), [is_word, null, after @ ..])
                if is(is_word, "IS") && is(null, "NULL") =>
            {
                out.extend([
                    named(table, token, alias),
                    Token::Word("eq".into()),
                    Token::Word("null".into()),
                ]);
                after
            }
            (Token::Word(_), [not, next, ..])
                if is(not, "NOT") && (is(next, "LIKE") || is(next, "IN")) =>
            {
                out.push(Token::Word("not".into()));
                // The rest is read as without NOT.
                let tail = after.get(1..).unwrap_or_default();
                let (used, words) = like_or_in(table, token, tail, alias)?;
                out.extend(words);
                tail.get(used..).unwrap_or_default()
            }
            (Token::Word(_), [next, ..]) if is(next, "LIKE") || is(next, "IN") => {
                let (used, words) = like_or_in(table, token, after, alias)?;
                out.extend(words);
                after.get(used..).unwrap_or_default()
            }
            _ => {
                out.push(named(table, token, alias));
                after
            }
        };
    }
    Ok(out)
}

/// `LIKE 'x%'` or `IN (1, 2)` behind a column: how many tokens it took, and what it is for `$filter`.
fn like_or_in(
    table: &Table,
    column: &Token,
    tokens: &[Token],
    alias: &str,
) -> Result<(usize, Vec<Token>), Refusal> {
    let word = |text: &str| Token::Word(text.to_owned());
    let column = named(table, column, alias);
    if let [like, Token::Text(pattern), ..] = tokens
        && is(like, "LIKE")
    {
        let inner = pattern.trim_matches('%').to_owned();
        let function = match (pattern.starts_with('%'), pattern.ends_with('%')) {
            (true, true) => "contains",
            (true, false) => "endswith",
            (false, true) => "startswith",
            (false, false) => return Ok((2, vec![column, word("eq"), Token::Text(inner)])),
        };
        let call = vec![
            word(function),
            Token::Open,
            column,
            Token::Comma,
            Token::Text(inner),
            Token::Close,
        ];
        return Ok((2, call));
    }
    let end = tokens.iter().position(|token| *token == Token::Close);
    let (Some(end), Some(Token::Open)) = (end, tokens.get(1)) else {
        return Err(wrong("LIKE takes a text and IN a list"));
    };
    let mut out = vec![Token::Open];
    for value in tokens
        .get(2..end)
        .unwrap_or_default()
        .iter()
        .filter(|token| **token != Token::Comma)
    {
        if out.len() > 1 {
            out.push(word("or"));
        }
        out.extend([column.clone(), word("eq"), value.clone()]);
    }
    out.push(Token::Close);
    Ok((end + 1, out))
}

/// A token in the words of `$filter`: operators and keywords by their other names, columns without the table's alias.
fn named(table: &Table, token: &Token, alias: &str) -> Token {
    let word = match token {
        Token::Equals => "eq".to_owned(),
        Token::Word(word) => match word.to_uppercase().as_str() {
            "<>" | "!=" => "ne".to_owned(),
            ">" => "gt".to_owned(),
            ">=" => "ge".to_owned(),
            "<" => "lt".to_owned(),
            "<=" => "le".to_owned(),
            "AND" | "OR" | "NOT" | "NULL" => word.to_lowercase(),
            _ => match column(table, alias, word) {
                Ok(slot) => slot.column.property.to_owned(),
                Err(_) => word.clone(),
            },
        },
        other => return other.clone(),
    };
    Token::Word(word)
}
