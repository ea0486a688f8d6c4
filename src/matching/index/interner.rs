//! Texts that occur many times, kept once and known by a number. One long string and one table: about twelve bytes
//! beside the text itself.

use hashbrown::HashTable;

use super::super::text::hash::hash;

/// The texts, numbered from 0 in the order of their first appearance. Nothing is ever forgotten: a text that fell out of
/// use costs its bytes until the index is built anew at the next start.
#[derive(Debug, Default, Clone)]
pub struct Interner {
    text: String,
    ends: Vec<u32>,
    numbers: HashTable<u32>,
}

impl Interner {
    /// The number of a known text.
    #[must_use]
    pub fn get(&self, text: &str) -> Option<u32> {
        self.numbers
            .find(hash(text.as_bytes()), |number| self.text(*number) == text)
            .copied()
    }

    /// The number of a text, given now if it is new.
    pub fn intern(&mut self, text: &str) -> u32 {
        if let Some(number) = self.get(text) {
            return number;
        }
        let number = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.text.push_str(text);
        self.ends
            .push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        let (all, ends) = (&self.text, &self.ends);
        self.numbers
            .insert_unique(hash(text.as_bytes()), number, |known| {
                hash(slice(all, ends, *known).as_bytes())
            });
        number
    }

    /// The text of a number; empty for a number never given.
    #[must_use]
    pub fn text(&self, number: u32) -> &str {
        slice(&self.text, &self.ends, number)
    }

    /// How many texts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }
}

fn slice<'t>(text: &'t str, ends: &[u32], number: u32) -> &'t str {
    let at = number as usize;
    let start = at
        .checked_sub(1)
        .and_then(|before| ends.get(before))
        .copied()
        .unwrap_or(0);
    let end = ends.get(at).copied().unwrap_or(start);
    text.get(start as usize..end as usize).unwrap_or_default()
}
