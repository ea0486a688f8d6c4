//! Cuts an OData expression into its tokens. Quotes are doubled inside a text: `'O''Brien'`.

use std::fmt;

use super::errors::Refusal;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
    Equals,
    Text(String),
    Word(String),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("'('"),
            Self::Close => f.write_str("')'"),
            Self::OpenList => f.write_str("'['"),
            Self::CloseList => f.write_str("']'"),
            Self::Comma => f.write_str("','"),
            Self::Equals => f.write_str("'='"),
            Self::Text(text) | Self::Word(text) => write!(f, "'{text}'"),
        }
    }
}

/// The tokens of an expression.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Refusal> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let token = match c {
            c if c.is_whitespace() => continue,
            '(' => Token::Open,
            ')' => Token::Close,
            '[' => Token::OpenList,
            ']' => Token::CloseList,
            ',' => Token::Comma,
            '=' => Token::Equals,
            quote @ ('\'' | '"') => {
                let mut value = String::new();
                loop {
                    match rest.next() {
                        Some(c) if c == quote => {
                            if rest.next_if_eq(&quote).is_none() {
                                break;
                            }
                            value.push(quote);
                        }
                        Some(c) => value.push(c),
                        None => {
                            return Err(Refusal::query(
                                "There is an unterminated literal in the query.",
                            ));
                        }
                    }
                }
                Token::Text(value)
            }
            first => {
                let mut word = String::from(first);
                while let Some(c) =
                    rest.next_if(|c| !c.is_whitespace() && !"()[],='\"".contains(*c))
                {
                    word.push(c);
                }
                Token::Word(word)
            }
        };
        tokens.push(token);
    }
    Ok(tokens)
}

/// Cuts at `separator`, but not inside quotes or parentheses.
pub(super) fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut depth, mut quoted, mut start) = (0_i32, false, 0);
    let mut parts = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            c if c == separator && depth == 0 && !quoted => {
                parts.extend(text.get(start..at));
                start = at + separator.len_utf8();
            }
            _ => {}
        }
    }
    parts.extend(text.get(start..));
    parts
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}
