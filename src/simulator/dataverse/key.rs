//! Addresses of single rows: `accounts(guid)` and `accounts(accountnumber='x')`.

use uuid::Uuid;

use super::errors::Refusal;
use super::expand::rows_of;
use super::tokens::{Token, tokens};
use crate::simulator::world::{Place, Table, World};

/// The alternate key: it exists on accounts only, as the column that Dataverse's own examples use.
pub(super) const ALTERNATE: &str = "accountnumber";

/// What names a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    Id(Uuid),
    Number(String),
}

impl Key {
    /// Cuts `accounts(…)` into the set and the key; `None` when there is no key.
    pub fn parse(segment: &str) -> Result<(&str, Option<Self>), Refusal> {
        let Some((set, rest)) = segment.split_once('(') else {
            return Ok((segment, None));
        };
        let inside = rest
            .strip_suffix(')')
            .ok_or_else(|| Refusal::no_resource(segment))?;
        if let Ok(id) = Uuid::parse_str(inside.trim_matches('\'')) {
            return Ok((set, Some(Self::Id(id))));
        }
        match tokens(inside)?.as_slice() {
            [Token::Word(name), Token::Equals, Token::Text(value)] if name == ALTERNATE => {
                Ok((set, Some(Self::Number(value.clone()))))
            }
            [Token::Word(name), Token::Equals, Token::Word(value)]
                if set
                    .strip_suffix('s')
                    .is_some_and(|one| name.strip_suffix("id") == Some(one)) =>
            {
                let id = Uuid::parse_str(value).map_err(|_| Refusal::no_resource(segment))?;
                Ok((set, Some(Self::Id(id))))
            }
            _ => Err(Refusal::query(format!(
                "The key '{inside}' is not a key of '{set}'."
            ))),
        }
    }

    /// The place of the row, when it exists.
    pub fn place(&self, world: &World, table: &Table) -> Option<Place> {
        let rows = rows_of(world, table);
        match self {
            Self::Id(id) => rows.place(*id),
            Self::Number(number) => {
                let (column, _) = table.column(ALTERNATE)?;
                rows.from(0)
                    .find(|(_, row)| {
                        row.packed
                            .text(column)
                            .is_some_and(|text| text.eq_ignore_ascii_case(number))
                    })
                    .map(|(place, _)| place)
            }
        }
    }

    /// What to say when there is no such row.
    pub fn absent(&self, table: &Table) -> Refusal {
        match self {
            Self::Id(id) => Refusal::no_row(table.name, *id),
            Self::Number(_) => Refusal::no_key(table.name),
        }
    }
}
