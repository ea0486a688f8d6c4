//! Texts that occur many times, kept once and known by a number. One long string and one table: about
//! sixteen bytes beside the text itself. The table keeps a part of the hash, so that it grows without reading a text.

use hashbrown::HashTable;

use super::super::text::hash::{hash, spread};

/// The texts, numbered from 0 in the order of their first appearance. Nothing is ever forgotten: a text that fell out of
/// use costs its bytes until the index is built anew at the next start.
#[derive(Debug, Default, Clone)]
pub struct Interner {
    text: String,
    ends: Vec<u32>,
    numbers: HashTable<(u32, u32)>,
}

impl Interner {
    /// Room for so many texts of so many bytes together.
    #[must_use]
    pub fn with_room(texts: usize, bytes: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            ends: Vec::with_capacity(texts),
            numbers: HashTable::with_capacity(texts),
        }
    }

    /// The number of a known text.
    #[must_use]
    pub fn get(&self, text: &str) -> Option<u32> {
        self.find(short(text), text)
    }

    /// The number of a text, given now if it is new.
    pub fn intern(&mut self, text: &str) -> u32 {
        let key = short(text);
        if let Some(number) = self.find(key, text) {
            return number;
        }
        let number = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.text.push_str(text);
        self.ends
            .push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        self.numbers
            .insert_unique(spread(key), (key, number), |(known, _)| spread(*known));
        number
    }

    fn find(&self, key: u32, text: &str) -> Option<u32> {
        let found = self.numbers.find(spread(key), |(known, number)| {
            *known == key && self.text(*number) == text
        });
        found.map(|(_, number)| *number)
    }

    /// The text of a number; empty for a number never given.
    #[must_use]
    pub fn text(&self, number: u32) -> &str {
        let at = number as usize;
        let start = at
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied()
            .unwrap_or(0);
        let end = self.ends.get(at).copied().unwrap_or(start);
        self.text
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }

    /// How many texts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a part of the hash")]
fn short(text: &str) -> u32 {
    hash(text.as_bytes()) as u32
}
