//! `?sql=`: a `SELECT` over one table, as far as a public client sends it: `TOP`, columns with their other names, `COUNT(*)`,
//! `WHERE` with comparisons, `LIKE`, `IN`, `IS NULL`, `AND`, `OR` and `NOT`, and `ORDER BY`. No joins and no groups.
//!
//! The condition is put into the words of `$filter` and parsed there, so that both languages mean the same.

use actix_web::http::StatusCode;
use serde_json::{Map, Value as Json, json};

use super::cell::{Slot, json_of};
use super::errors::Refusal;
use super::expand::{rows_of, sort};
use super::filter::Filter;
use super::filter_text;
use super::query::LARGEST_PAGE;
use super::route::root;
use super::sql_words::{column, in_filter_words, is, wrong};
use super::tokens::{Token, tokens};
use crate::simulator::exchange::{Answer, Call};
use crate::simulator::simulation::Simulation;
use crate::simulator::world::{Row, Table};

/// A statement that was read.
struct Statement {
    top: Option<usize>,
    columns: Vec<Wanted>,
    filter: Option<Filter>,
    order: Vec<(Slot, bool)>,
}

/// One column of the result with its name.
enum Wanted {
    Column(Slot, String),
    Count(String),
}

/// Answers a statement.
pub(super) fn answer(
    simulation: &Simulation,
    call: &Call,
    table: &'static Table,
    statement: &str,
) -> Result<Answer, Refusal> {
    let statement = Statement::parse(table, statement)?;
    let context = format!("{}/$metadata#{}", root(call), table.set);
    let rows = simulation.world.read(|world| {
        let admits = |row: &Row| {
            statement
                .filter
                .as_ref()
                .is_none_or(|filter| filter.admits(world, row))
        };
        let all = rows_of(world, table).from(0).map(|(_, row)| row);
        let mut rows: Vec<&Row> = all.filter(|row| admits(row)).collect();
        if statement
            .columns
            .iter()
            .any(|wanted| matches!(wanted, Wanted::Count(_)))
        {
            return vec![counts(&statement.columns, rows.len())];
        }
        sort(&statement.order, table, &mut rows);
        rows.truncate(statement.top.unwrap_or(LARGEST_PAGE));
        rows.into_iter()
            .map(|row| shown(&statement.columns, table, row))
            .collect()
    });
    Ok(Answer::json(
        StatusCode::OK,
        &json!({ "@odata.context": context, "value": rows }),
    ))
}

fn counts(columns: &[Wanted], count: usize) -> Map<String, Json> {
    let count = |wanted: &Wanted| match wanted {
        Wanted::Count(name) | Wanted::Column(_, name) => (name.clone(), json!(count)),
    };
    columns.iter().map(count).collect()
}

fn shown(columns: &[Wanted], table: &Table, row: &Row) -> Map<String, Json> {
    let mut fields = Map::from_iter([(
        "@odata.etag".to_owned(),
        format!("W/\"{}\"", row.version).into(),
    )]);
    for wanted in columns {
        if let Wanted::Column(slot, name) = wanted {
            fields.insert(
                name.clone(),
                slot.cell(table, row)
                    .map_or(Json::Null, |cell| json_of(&cell)),
            );
        }
    }
    fields
}

impl Statement {
    fn parse(table: &'static Table, text: &str) -> Result<Self, Refusal> {
        let tokens = with_operators(&tokens(&spaced(text))?);
        let mut rest = Rest { tokens: &tokens };
        rest.expect("SELECT")?;
        rest.skip("DISTINCT");
        let top = match rest.skip("TOP") {
            true => Some(rest.number()?),
            false => None,
        };
        let chosen = rest.until(&["FROM"]);
        rest.expect("FROM")?;
        let source = rest.until(&["WHERE", "ORDER"]);
        let alias = alias_of(table, source)?;
        let condition = if rest.skip("WHERE") {
            rest.until(&["ORDER"])
        } else {
            &[]
        };
        let order = if rest.skip("ORDER") {
            rest.expect("BY")?;
            rest.until(&[])
        } else {
            &[]
        };
        let filter = match condition {
            [] => None,
            condition => {
                let none = |name: &str| Err(wrong(format!("'{name}' has no value")));
                Some(filter_text::parse(
                    table,
                    &in_filter_words(table, condition, &alias)?,
                    &none,
                )?)
            }
        };
        let columns = parts(chosen)
            .map(|part| wanted(table, &alias, part))
            .collect::<Result<_, _>>()?;
        let order = parts(order)
            .map(|part| ordered(table, &alias, part))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            top,
            columns,
            filter,
            order,
        })
    }
}

struct Rest<'t> {
    tokens: &'t [Token],
}

impl<'t> Rest<'t> {
    fn skip(&mut self, keyword: &str) -> bool {
        let found = self.tokens.first().is_some_and(|token| is(token, keyword));
        if found {
            self.tokens = self.tokens.get(1..).unwrap_or_default();
        }
        found
    }

    fn expect(&mut self, keyword: &str) -> Result<(), Refusal> {
        if self.skip(keyword) {
            Ok(())
        } else {
            Err(wrong(format!("{keyword} is missing")))
        }
    }

    fn number(&mut self) -> Result<usize, Refusal> {
        match self.tokens.split_first() {
            Some((Token::Word(word), rest)) => {
                self.tokens = rest;
                word.parse()
                    .map_err(|_| wrong(format!("'{word}' is no number")))
            }
            _ => Err(wrong("TOP needs a number")),
        }
    }

    /// What stands before one of these words.
    fn until(&mut self, keywords: &[&str]) -> &'t [Token] {
        let stops = |token: &Token| keywords.iter().any(|keyword| is(token, keyword));
        let end = self
            .tokens
            .iter()
            .position(stops)
            .unwrap_or(self.tokens.len());
        let (before, after) = self.tokens.split_at(end);
        self.tokens = after;
        before
    }
}

fn parts(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    tokens
        .split(|token| *token == Token::Comma)
        .filter(|part| !part.is_empty())
}

/// The statement with spaces around its operators, for the tokeniser knows none but `=`.
fn spaced(text: &str) -> String {
    let (mut out, mut quoted) = (String::with_capacity(text.len() + 16), false);
    for c in text.chars() {
        quoted ^= c == '\'';
        let operator = !quoted && "<>!=".contains(c);
        let begins = operator && !out.ends_with(['<', '>', '!']);
        let ends = !operator && !quoted && c != '\'' && out.ends_with(['<', '>', '=']);
        if begins || ends {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

/// Puts together what the tokeniser of OData cuts: `<=`, `>=` and `!=`.
fn with_operators(tokens: &[Token]) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens {
        match (out.last_mut(), token) {
            (Some(Token::Word(word)), Token::Equals) if word.ends_with(['<', '>', '!']) => {
                word.push('=')
            }
            _ => out.push(token.clone()),
        }
    }
    out
}

/// The name that the statement gives to the table.
fn alias_of(table: &Table, source: &[Token]) -> Result<String, Refusal> {
    let words: Vec<&str> = source
        .iter()
        .filter_map(|token| match token {
            Token::Word(word) if !word.eq_ignore_ascii_case("AS") => Some(word.as_str()),
            _ => None,
        })
        .collect();
    match words.as_slice() {
        [name] | [name, _] if !name.eq_ignore_ascii_case(table.name) => {
            Err(wrong(format!("'{name}' is not the table of the address")))
        }
        [name] => Ok((*name).to_owned()),
        [_, alias] => Ok((*alias).to_owned()),
        _ => Err(wrong("only one table can be read at a time")),
    }
}

fn wanted(table: &Table, alias: &str, part: &[Token]) -> Result<Wanted, Refusal> {
    let name_of = |given: Option<&Token>, or: &str| match given {
        Some(Token::Word(name) | Token::Text(name)) => name.clone(),
        _ => or.to_owned(),
    };
    match part {
        [Token::Word(count), Token::Open, _, Token::Close, rest @ ..]
            if count.eq_ignore_ascii_case("COUNT") =>
        {
            Ok(Wanted::Count(name_of(rest.last(), "count")))
        }
        [Token::Word(word), rest @ ..] if rest.len() <= 2 => {
            let slot = column(table, alias, word)?;
            Ok(Wanted::Column(slot, name_of(rest.last(), slot.column.name)))
        }
        _ => Err(wrong("only columns and COUNT(*) can be selected")),
    }
}

fn ordered(table: &Table, alias: &str, part: &[Token]) -> Result<(Slot, bool), Refusal> {
    match part {
        [Token::Word(word)] => Ok((column(table, alias, word)?, false)),
        [Token::Word(word), way] if is(way, "ASC") || is(way, "DESC") => {
            Ok((column(table, alias, word)?, is(way, "DESC")))
        }
        _ => Err(wrong("ORDER BY takes columns with ASC or DESC")),
    }
}
