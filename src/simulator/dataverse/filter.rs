//! `$filter`: comparisons, `contains`, `startswith`, `endswith`, `and`, `or`, `not`, parentheses and null, as Dataverse takes
//! them. Text is compared without regard to case, as its databases do.

use std::cmp::Ordering;

use chrono::DateTime;
use uuid::Uuid;

use super::cell::{Cell, Slot};
use super::errors::Refusal;
use super::tokens::{Token, tokens};
use crate::simulator::world::{Row, Table};

/// A condition on a row.
#[derive(Debug)]
pub(super) enum Filter {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    IsNull(Slot),
    Compare(Slot, Comparison, Literal),
    Text(TextFunction, Slot, String),
    AnyOf(Slot, Vec<Literal>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextFunction {
    Contains,
    StartsWith,
    EndsWith,
}

/// A value in a filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    /// Lower case.
    Text(String),
    Number(f64),
    Flag(bool),
    Id(Uuid),
    /// Seconds since 1970.
    Instant(i64),
}

impl Filter {
    /// Parses the text of `$filter`.
    pub fn parse(table: &Table, text: &str) -> Result<Self, Refusal> {
        let tokens = tokens(text)?;
        let mut parser = Parser {
            table,
            tokens: &tokens,
        };
        let filter = parser.any()?;
        match parser.tokens.first() {
            None => Ok(filter),
            Some(token) => Err(unexpected(Some(token))),
        }
    }

    /// Whether a row fulfils it.
    pub fn admits(&self, table: &Table, row: &Row) -> bool {
        match self {
            Self::And(left, right) => left.admits(table, row) && right.admits(table, row),
            Self::Or(left, right) => left.admits(table, row) || right.admits(table, row),
            Self::Not(inner) => !inner.admits(table, row),
            Self::IsNull(slot) => slot.cell(table, row).is_none(),
            Self::Compare(slot, comparison, literal) => {
                let order = slot
                    .cell(table, row)
                    .and_then(|cell| compare(&cell, literal));
                comparison.holds(order)
            }
            Self::AnyOf(slot, literals) => slot.cell(table, row).is_some_and(|cell| {
                literals
                    .iter()
                    .any(|literal| compare(&cell, literal) == Some(Ordering::Equal))
            }),
            Self::Text(function, slot, part) => match slot.cell(table, row) {
                Some(Cell::Text(text)) => function.holds(&text, part),
                _ => false,
            },
        }
    }

    /// The ids to which the filter narrows a lookup or key down: `a and b` narrows when one side does.
    pub fn only(&self, property: &str) -> Option<Uuid> {
        match self {
            Self::And(left, right) => left.only(property).or_else(|| right.only(property)),
            Self::Compare(slot, Comparison::Equal, Literal::Id(id))
                if slot.column.property == property =>
            {
                Some(*id)
            }
            _ => None,
        }
    }
}

impl Comparison {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "eq" => Self::Equal,
            "ne" => Self::NotEqual,
            "gt" => Self::Greater,
            "ge" => Self::GreaterOrEqual,
            "lt" => Self::Less,
            "le" => Self::LessOrEqual,
            _ => return None,
        })
    }

    /// A null is not equal to any value.
    fn holds(self, order: Option<Ordering>) -> bool {
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        }
    }
}

impl TextFunction {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "contains" => Self::Contains,
            "startswith" => Self::StartsWith,
            "endswith" => Self::EndsWith,
            _ => return None,
        })
    }

    fn holds(self, text: &str, part: &str) -> bool {
        if text.is_ascii() {
            // Most rows; no copy needed.
            let (text, part) = (text.as_bytes(), part.as_bytes());
            let same = |piece: &[u8]| piece.eq_ignore_ascii_case(part);
            return part.is_empty()
                || match self {
                    Self::Contains => text.windows(part.len()).any(same),
                    Self::StartsWith => text.get(..part.len()).is_some_and(same),
                    Self::EndsWith => text
                        .len()
                        .checked_sub(part.len())
                        .and_then(|at| text.get(at..))
                        .is_some_and(same),
                };
        }
        let text = text.to_lowercase();
        match self {
            Self::Contains => text.contains(part),
            Self::StartsWith => text.starts_with(part),
            Self::EndsWith => text.ends_with(part),
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "choices and counts are small; a filter compares numbers as numbers"
)]
fn compare(cell: &Cell<'_>, literal: &Literal) -> Option<Ordering> {
    match (cell, literal) {
        (Cell::Text(text), Literal::Text(other)) => Some(if text.eq_ignore_ascii_case(other) {
            Ordering::Equal
        } else {
            text.to_lowercase().as_str().cmp(other)
        }),
        (Cell::Whole(number), Literal::Number(other)) => (*number as f64).partial_cmp(other),
        (Cell::Decimal(number), Literal::Number(other)) => number.partial_cmp(other),
        (Cell::Flag(flag), Literal::Flag(other)) => Some(flag.cmp(other)),
        (Cell::Instant(seconds), Literal::Instant(other)) => Some(seconds.cmp(other)),
        (Cell::Id(id) | Cell::Reference(_, id), Literal::Id(other)) => Some(id.cmp(other)),
        _ => None,
    }
}

/// Orders two cells of one column; null comes first.
#[expect(
    clippy::cast_precision_loss,
    reason = "a column holds whole numbers or decimals, hardly ever both"
)]
pub(super) fn order(left: Option<Cell<'_>>, right: Option<Cell<'_>>) -> Ordering {
    let (left, right) = match (left, right) {
        (Some(left), Some(right)) => (left, right),
        (left, right) => return left.is_some().cmp(&right.is_some()),
    };
    match (&left, &right) {
        (Cell::Text(a), Cell::Text(b)) => a.to_lowercase().cmp(&b.to_lowercase()),
        (Cell::Whole(a), Cell::Whole(b)) | (Cell::Instant(a), Cell::Instant(b)) => a.cmp(b),
        (Cell::Decimal(a), Cell::Decimal(b)) => a.total_cmp(b),
        (Cell::Whole(a), Cell::Decimal(b)) => (*a as f64).total_cmp(b),
        (Cell::Decimal(a), Cell::Whole(b)) => a.total_cmp(&(*b as f64)),
        (Cell::Flag(a), Cell::Flag(b)) => a.cmp(b),
        (Cell::Id(a) | Cell::Reference(_, a), Cell::Id(b) | Cell::Reference(_, b)) => a.cmp(b),
        _ => Ordering::Equal,
    }
}

struct Parser<'t> {
    table: &'t Table,
    tokens: &'t [Token],
}

impl<'t> Parser<'t> {
    fn next(&mut self) -> Option<&'t Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn take(&mut self, wanted: &Token) -> Result<(), Refusal> {
        match self.next() {
            Some(token) if token == wanted => Ok(()),
            other => Err(unexpected(other)),
        }
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.first(), Some(Token::Word(text)) if text == word);
        if found {
            self.next();
        }
        found
    }

    fn any(&mut self) -> Result<Filter, Refusal> {
        let mut left = self.all()?;
        while self.take_word("or") {
            left = Filter::Or(Box::new(left), Box::new(self.all()?));
        }
        Ok(left)
    }

    fn all(&mut self) -> Result<Filter, Refusal> {
        let mut left = self.single()?;
        while self.take_word("and") {
            left = Filter::And(Box::new(left), Box::new(self.single()?));
        }
        Ok(left)
    }

    fn single(&mut self) -> Result<Filter, Refusal> {
        if self.take_word("not") {
            return Ok(Filter::Not(Box::new(self.single()?)));
        }
        match self.next() {
            Some(Token::Open) => {
                let inner = self.any()?;
                self.take(&Token::Close)?;
                Ok(inner)
            }
            Some(Token::Word(word)) if word == "Microsoft.Dynamics.CRM.In" => self.any_of(),
            Some(Token::Word(word)) => match TextFunction::of(word) {
                Some(function) if self.tokens.first() == Some(&Token::Open) => {
                    self.function(function)
                }
                _ => self.comparison(word),
            },
            other => Err(unexpected(other)),
        }
    }

    fn function(&mut self, function: TextFunction) -> Result<Filter, Refusal> {
        self.take(&Token::Open)?;
        let slot = self.slot()?;
        self.take(&Token::Comma)?;
        let part = match self.next() {
            Some(Token::Text(text)) => text.to_lowercase(),
            other => return Err(unexpected(other)),
        };
        self.take(&Token::Close)?;
        Ok(Filter::Text(function, slot, part))
    }

    /// `In(PropertyName='name',PropertyValues=['a','b'])`
    fn any_of(&mut self) -> Result<Filter, Refusal> {
        self.take(&Token::Open)?;
        self.take(&Token::Word("PropertyName".to_owned()))?;
        self.take(&Token::Equals)?;
        let slot = match self.next() {
            Some(Token::Text(name)) => self.resolve(name)?,
            other => return Err(unexpected(other)),
        };
        self.take(&Token::Comma)?;
        self.take(&Token::Word("PropertyValues".to_owned()))?;
        self.take(&Token::Equals)?;
        self.take(&Token::OpenList)?;
        let mut literals = Vec::new();
        loop {
            match self.next() {
                Some(Token::CloseList) => break,
                Some(Token::Comma) => {}
                // Here Dataverse takes every value as text, ids and numbers too.
                Some(Token::Text(text)) => {
                    literals.push(bare(text).unwrap_or(Literal::Text(text.to_lowercase())))
                }
                other => return Err(unexpected(other)),
            }
        }
        self.take(&Token::Close)?;
        Ok(Filter::AnyOf(slot, literals))
    }

    fn comparison(&mut self, property: &str) -> Result<Filter, Refusal> {
        let slot = self.resolve(property)?;
        let comparison = match self.next() {
            Some(Token::Word(word)) => Comparison::of(word).ok_or_else(|| {
                Refusal::query(format!("Syntax error at '{word}' in the filter."))
            })?,
            other => return Err(unexpected(other)),
        };
        let literal = match self.next() {
            Some(Token::Text(text)) => Literal::Text(text.to_lowercase()),
            Some(Token::Word(word)) if word == "null" => {
                return match comparison {
                    Comparison::Equal => Ok(Filter::IsNull(slot)),
                    Comparison::NotEqual => Ok(Filter::Not(Box::new(Filter::IsNull(slot)))),
                    _ => Err(Refusal::query("null can only be compared with eq and ne.")),
                };
            }
            Some(Token::Word(word)) => bare(word)
                .ok_or_else(|| Refusal::query(format!("'{word}' in the filter is no value.")))?,
            other => return Err(unexpected(other)),
        };
        Ok(Filter::Compare(slot, comparison, literal))
    }

    fn slot(&mut self) -> Result<Slot, Refusal> {
        match self.next() {
            Some(Token::Word(word)) => self.resolve(word),
            other => Err(unexpected(other)),
        }
    }

    fn resolve(&self, property: &str) -> Result<Slot, Refusal> {
        Slot::of(self.table, property)
            .ok_or_else(|| Refusal::no_property(property, self.table.name))
    }
}

/// A value without quotes.
fn bare(word: &str) -> Option<Literal> {
    match word {
        "true" => return Some(Literal::Flag(true)),
        "false" => return Some(Literal::Flag(false)),
        _ => {}
    }
    if let Ok(id) = Uuid::parse_str(word) {
        return Some(Literal::Id(id));
    }
    if let Ok(number) = word.parse::<f64>() {
        return Some(Literal::Number(number));
    }
    let instant = DateTime::parse_from_rfc3339(word).ok()?;
    Some(Literal::Instant(instant.timestamp()))
}

fn unexpected(token: Option<&Token>) -> Refusal {
    Refusal::query(token.map_or_else(
        || "The filter ends too early.".to_owned(),
        |token| format!("Syntax error at {token} in the filter."),
    ))
}
