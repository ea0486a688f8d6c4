//! `$filter`: what a condition says of a row. Text is compared without regard to case, as Dataverse's databases do; a column
//! of another row is reached through lookups, and rows that belong to a row are asked with `any` and `all`.

use std::cmp::Ordering;

use uuid::Uuid;

use super::cell::{Cell, Slot};
use super::expand::{Navigation, follow, rows_of};
use crate::simulator::world::{ColumnId, Row, Table, ValueRef, World};

/// A condition on a row.
#[derive(Debug)]
pub(super) enum Filter {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    IsNull(Path),
    Compare(Path, Comparison, Literal),
    /// Two columns of one row.
    Columns(Path, Comparison, Path),
    Text(TextFunction, Path, String),
    AnyOf(Path, Vec<Literal>),
    /// `contact_customer_accounts/any(c:…)`, or `all`.
    Related {
        navigation: &'static Navigation,
        lookup: ColumnId,
        all: bool,
        inner: Option<Box<Self>>,
    },
}

/// A column of the row, or of the row that a chain of lookups leads to.
#[derive(Debug)]
pub(super) struct Path {
    pub via: Vec<(&'static Navigation, ColumnId)>,
    pub table: &'static Table,
    pub slot: Slot,
}

impl Path {
    fn cell<'w>(&self, world: &'w World, row: &'w Row) -> Option<Cell<'w>> {
        let end = self.via.iter().try_fold(row, |row, (navigation, lookup)| {
            follow(world, navigation, *lookup, row)
        })?;
        self.slot.cell(self.table, end)
    }
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
    /// Whether a row fulfils it.
    pub fn admits(&self, world: &World, row: &Row) -> bool {
        match self {
            Self::And(left, right) => left.admits(world, row) && right.admits(world, row),
            Self::Or(left, right) => left.admits(world, row) || right.admits(world, row),
            Self::Not(inner) => !inner.admits(world, row),
            Self::IsNull(path) => path.cell(world, row).is_none(),
            Self::Compare(path, comparison, literal) => {
                let cell = path.cell(world, row);
                comparison.holds(cell.and_then(|cell| compare(&cell, literal)))
            }
            Self::Columns(left, comparison, right) => {
                let (left, right) = (left.cell(world, row), right.cell(world, row));
                let both = left.is_some() && right.is_some();
                comparison.holds(both.then(|| order(left, right)))
            }
            Self::AnyOf(path, literals) => path.cell(world, row).is_some_and(|cell| {
                let is = |literal| compare(&cell, literal) == Some(Ordering::Equal);
                literals.iter().any(is)
            }),
            Self::Text(function, path, part) => match path.cell(world, row) {
                Some(Cell::Text(text)) => function.holds(&text, part),
                _ => false,
            },
            Self::Related {
                navigation,
                lookup,
                all,
                inner,
            } => {
                let belongs = |other: &&Row| matches!(other.packed.get(*lookup), Some(ValueRef::Reference(_, id)) if id == row.id);
                let holds = |other: &Row| {
                    inner
                        .as_ref()
                        .is_none_or(|inner| inner.admits(world, other))
                };
                let mut related = rows_of(world, navigation.to)
                    .from(0)
                    .map(|(_, other)| other)
                    .filter(belongs);
                if *all {
                    related.all(holds)
                } else {
                    related.any(holds)
                }
            }
        }
    }

    /// The id to which the filter narrows the key down: `a and b` narrows when one side does.
    pub fn only(&self, property: &str) -> Option<Uuid> {
        match self {
            Self::And(left, right) => left.only(property).or_else(|| right.only(property)),
            Self::Compare(path, Comparison::Equal, Literal::Id(id))
                if path.via.is_empty() && path.slot.column.property == property =>
            {
                Some(*id)
            }
            _ => None,
        }
    }
}

impl Comparison {
    pub fn of(word: &str) -> Option<Self> {
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

    /// What Dataverse calls it in its messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Equal => "Equal",
            Self::NotEqual => "NotEqual",
            Self::Greater => "GreaterThan",
            Self::GreaterOrEqual => "GreaterThanOrEqual",
            Self::Less => "LessThan",
            Self::LessOrEqual => "LessThanOrEqual",
        }
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
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "contains" => Self::Contains,
            "startswith" => Self::StartsWith,
            "endswith" => Self::EndsWith,
            _ => return None,
        })
    }

    /// Whether the text has the part, which is in lower case, where the function wants it.
    pub fn holds(self, text: &str, part: &str) -> bool {
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
