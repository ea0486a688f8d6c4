//! Values in a filter: how they are written, which column they may be compared with, and what they mean there.

use chrono::{DateTime, NaiveDate};
use uuid::Uuid;

use super::cell::Slot;
use super::errors::Refusal;
use super::filter::Literal;
use crate::simulator::world::Kind;

/// How a value is written in a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    Text,
    Number,
    Flag,
    Id,
    Instant,
}

impl Given {
    /// Reads a word without quotes.
    pub fn of(word: &str) -> Result<Self, Refusal> {
        Ok(if matches!(word, "true" | "false") {
            Self::Flag
        } else if Uuid::parse_str(word).is_ok() {
            Self::Id
        } else if word.parse::<f64>().is_ok() {
            Self::Number
        } else if instant(word).is_some() {
            Self::Instant
        } else {
            return Err(Refusal::query(format!(
                "'{word}' in the filter is neither a column nor a value."
            )));
        })
    }

    /// Whether such a value may be compared with such a column; an id may stand in quotes, as Dataverse lets it.
    pub const fn fits(self, kind: Kind) -> bool {
        matches!(
            (self, kind),
            (Self::Text, Kind::Text(_) | Kind::Key | Kind::Lookup(_))
                | (Self::Number, Kind::Whole | Kind::Decimal | Kind::Choice(..))
                | (Self::Flag, Kind::Flag)
                | (Self::Id, Kind::Key | Kind::Lookup(_))
                | (Self::Instant, Kind::Instant)
        )
    }

    /// The type of the value.
    pub const fn edm(self) -> &'static str {
        match self {
            Self::Text => "Edm.String",
            Self::Number => "Edm.Int32",
            Self::Flag => "Edm.Boolean",
            Self::Id => "Edm.Guid",
            Self::Instant => "Edm.DateTimeOffset",
        }
    }
}

/// The type of a column in the service's own description.
pub(super) const fn edm(kind: Kind) -> &'static str {
    match kind {
        Kind::Text(_) => "Edm.String",
        Kind::Whole | Kind::Choice(..) => "Edm.Int32",
        Kind::Decimal => "Edm.Decimal",
        Kind::Flag => "Edm.Boolean",
        Kind::Instant => "Edm.DateTimeOffset",
        Kind::Key | Kind::Lookup(_) => "Edm.Guid",
    }
}

/// A value for a column, whose type decides how the text is read.
pub(super) fn literal_of(slot: &Slot, text: &str) -> Result<Literal, Refusal> {
    let kind = slot.column.kind;
    let literal = match kind {
        Kind::Text(_) => Some(Literal::Text(text.to_lowercase())),
        Kind::Whole | Kind::Decimal | Kind::Choice(..) => text.parse().ok().map(Literal::Number),
        Kind::Flag => match text {
            "true" | "1" => Some(Literal::Flag(true)),
            "false" | "0" => Some(Literal::Flag(false)),
            _ => None,
        },
        Kind::Instant => instant(text).map(Literal::Instant),
        Kind::Key | Kind::Lookup(_) => Uuid::parse_str(text).ok().map(Literal::Id),
    };
    literal.ok_or_else(|| {
        Refusal::query(format!(
            "Cannot convert the literal '{text}' to the expected type '{}'.",
            edm(kind)
        ))
    })
}

/// Seconds since 1970 of an instant, or of the beginning of a day.
fn instant(word: &str) -> Option<i64> {
    let day = || {
        NaiveDate::parse_from_str(word, "%Y-%m-%d")
            .ok()?
            .and_hms_opt(0, 0, 0)
    };
    let instant = DateTime::parse_from_rfc3339(word)
        .ok()
        .map(|instant| instant.timestamp());
    instant.or_else(|| day().map(|day| day.and_utc().timestamp()))
}
