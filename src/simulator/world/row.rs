//! One row of a Dataverse table, packed: a world of a million customers holds several million rows, so a row is one small
//! block of bytes instead of a map. Columns that are null take no room.

use uuid::Uuid;

use super::schema::ColumnId;

/// A value that is not null.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::simulator) enum Value {
    Text(String),
    Whole(i64),
    Decimal(f64),
    Flag(bool),
    /// Table (its place in the list of tables that lookups know) and row.
    Reference(Referenced, Uuid),
}

/// The table that a lookup leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::simulator) enum Referenced {
    Account = 0,
    Contact = 1,
    User = 2,
    Team = 3,
}

impl Referenced {
    const ALL: [Self; 4] = [Self::Account, Self::Contact, Self::User, Self::Team];

    /// Logical name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Contact => "contact",
            Self::User => "systemuser",
            Self::Team => "team",
        }
    }

    /// The table of that entity set.
    pub fn of_set(set: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|table| set.strip_suffix('s') == Some(table.name()))
    }
}

/// The same, borrowed from a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::simulator) enum ValueRef<'r> {
    Text(&'r str),
    Whole(i64),
    Decimal(f64),
    Flag(bool),
    Reference(Referenced, Uuid),
}

impl ValueRef<'_> {
    /// A copy that owns its text.
    pub fn to_value(self) -> Value {
        match self {
            Self::Text(text) => Value::Text(text.to_owned()),
            Self::Whole(number) => Value::Whole(number),
            Self::Decimal(number) => Value::Decimal(number),
            Self::Flag(flag) => Value::Flag(flag),
            Self::Reference(table, id) => Value::Reference(table, id),
        }
    }
}

/// The packed columns of a row: for each its number, a tag, and its bytes (text with its length before it).
#[derive(Debug, Clone, Default)]
pub(in crate::simulator) struct Packed(Box<[u8]>);

const TEXT: u8 = 0;
const WHOLE: u8 = 1;
const DECIMAL: u8 = 2;
const NO: u8 = 3;
const YES: u8 = 4;
const REFERENCE: u8 = 8;

impl Packed {
    /// Packs columns in the order given.
    pub fn of(columns: impl IntoIterator<Item = (ColumnId, Value)>) -> Self {
        let mut bytes = Vec::with_capacity(160);
        for (column, value) in columns {
            bytes.push(column);
            match value {
                Value::Text(text) => {
                    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
                    bytes.push(TEXT);
                    bytes.extend(length.to_le_bytes());
                    bytes.extend(text.bytes().take(usize::from(length)));
                }
                Value::Whole(number) => {
                    bytes.push(WHOLE);
                    bytes.extend(number.to_le_bytes());
                }
                Value::Decimal(number) => {
                    bytes.push(DECIMAL);
                    bytes.extend(number.to_le_bytes());
                }
                Value::Flag(flag) => bytes.push(if flag { YES } else { NO }),
                Value::Reference(table, id) => {
                    bytes.push(REFERENCE + table as u8);
                    bytes.extend(id.as_bytes());
                }
            }
        }
        Self(bytes.into_boxed_slice())
    }

    /// The value of one column; `None` when it is null.
    pub fn get(&self, column: ColumnId) -> Option<ValueRef<'_>> {
        self.columns()
            .find(|(id, _)| *id == column)
            .map(|(_, value)| value)
    }

    /// The text of one column.
    pub fn text(&self, column: ColumnId) -> Option<&str> {
        match self.get(column)? {
            ValueRef::Text(text) => Some(text),
            _ => None,
        }
    }

    /// All columns that are not null.
    pub fn columns(&self) -> Columns<'_> {
        Columns(&self.0)
    }

    /// A copy in which some columns have other values, or none.
    pub fn with(&self, changes: Vec<(ColumnId, Option<Value>)>) -> Self {
        let mut columns: Vec<(ColumnId, Value)> = self
            .columns()
            .filter(|(id, _)| changes.iter().all(|(changed, _)| changed != id))
            .map(|(id, value)| (id, value.to_value()))
            .collect();
        columns.extend(
            changes
                .into_iter()
                .filter_map(|(id, value)| Some((id, value?))),
        );
        Self::of(columns)
    }
}

/// Walks over the columns of a packed row.
pub(in crate::simulator) struct Columns<'r>(&'r [u8]);

impl<'r> Columns<'r> {
    fn take<const N: usize>(&mut self) -> Option<&'r [u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(head)
    }
}

impl<'r> Iterator for Columns<'r> {
    type Item = (ColumnId, ValueRef<'r>);

    fn next(&mut self) -> Option<Self::Item> {
        let [column, tag] = *self.take::<2>()?;
        let value = match tag {
            TEXT => {
                let length = usize::from(u16::from_le_bytes(*self.take::<2>()?));
                let (text, rest) = self.0.split_at_checked(length)?;
                self.0 = rest;
                ValueRef::Text(std::str::from_utf8(text).unwrap_or_default())
            }
            WHOLE => ValueRef::Whole(i64::from_le_bytes(*self.take::<8>()?)),
            DECIMAL => ValueRef::Decimal(f64::from_le_bytes(*self.take::<8>()?)),
            NO => ValueRef::Flag(false),
            YES => ValueRef::Flag(true),
            _ => {
                let table = *Referenced::ALL.get(usize::from(tag.checked_sub(REFERENCE)?))?;
                ValueRef::Reference(table, Uuid::from_bytes(*self.take::<16>()?))
            }
        };
        Some((column, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            "\\PC{0,40}".prop_map(Value::Text),
            any::<i64>().prop_map(Value::Whole),
            (-1.0e9..1.0e9).prop_map(Value::Decimal),
            any::<bool>().prop_map(Value::Flag),
            any::<u128>().prop_map(|id| Value::Reference(Referenced::Contact, Uuid::from_u128(id))),
        ]
    }

    proptest! {
        #[test]
        fn a_packed_row_gives_back_what_was_put_in(columns in prop::collection::btree_map(any::<u8>(), value(), 0..12)) {
            let packed = Packed::of(columns.clone());
            let read: std::collections::BTreeMap<_, _> =
                packed.columns().map(|(id, value)| (id, value.to_value())).collect();
            prop_assert_eq!(read, columns);
        }
    }

    #[test]
    fn changing_a_column_leaves_the_others() {
        let row = Packed::of([(1, Value::Text("a".into())), (2, Value::Whole(7))]);
        let changed = row.with(vec![(1, None), (3, Some(Value::Flag(true)))]);
        assert_eq!(changed.get(1), None);
        assert_eq!(changed.get(2), Some(ValueRef::Whole(7)));
        assert_eq!(changed.get(3), Some(ValueRef::Flag(true)));
    }
}
