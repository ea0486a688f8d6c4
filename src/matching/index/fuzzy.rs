//! Words with a slip of the pen. Each known word is listed under all that is left of it when one letter is missing; a word
//! that nobody knows is looked up the same way, so that one edit on either side leads to the other.

use hashbrown::HashTable;

use super::super::text::hash::{hash, spread};
use super::super::text::similarity::misspelt;

const SHORTEST: usize = 4;
const LONGEST: usize = 24;

/// Known words by what is left of them.
#[derive(Debug, Default, Clone)]
pub struct Misspellings {
    table: HashTable<(u32, u32)>,
}

/// Short hashes of a word and of what is left of it. Two that fall together are told apart by [`misspelt`].
fn remains(word: &str) -> impl Iterator<Item = u32> + '_ {
    let bytes = word.as_bytes();
    let mut left = [0_u8; LONGEST];
    for (to, from) in left.iter_mut().zip(bytes.iter().skip(1)) {
        *to = *from;
    }
    let without = bytes.iter().enumerate().map(move |(gap, _)| {
        // The letter that was left out before comes back in the place of this one.
        if let Some(before) = gap.checked_sub(1)
            && let (Some(to), Some(from)) = (left.get_mut(before), bytes.get(before))
        {
            *to = *from;
        }
        short(left.get(..bytes.len() - 1).unwrap_or_default())
    });
    std::iter::once(short(bytes)).chain(without)
}

#[expect(clippy::cast_possible_truncation, reason = "a part of the hash")]
fn short(bytes: &[u8]) -> u32 {
    hash(bytes) as u32
}

impl Misspellings {
    /// Lists a word. Words with digits are codes, not words.
    pub fn learn(&mut self, number: u32, word: &str) {
        if !(SHORTEST..=LONGEST).contains(&word.len()) || word.bytes().any(|b| b.is_ascii_digit()) {
            return;
        }
        for key in remains(word) {
            self.table
                .insert_unique(spread(key), (key, number), |(known, _)| spread(*known));
        }
    }

    /// Known words that may be meant by `word`, itself not among them; sorted, at most sixteen.
    pub fn meant<'w>(&self, word: &str, text: impl Fn(u32) -> &'w str) -> Vec<u32> {
        let mut found = Vec::new();
        if !(SHORTEST..=LONGEST).contains(&word.len()) {
            return found;
        }
        for key in remains(word) {
            for (known, number) in self.table.iter_hash(spread(key)).take(32) {
                if *known == key && misspelt(text(*number).as_bytes(), word.as_bytes()) {
                    found.push(*number);
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found.truncate(16);
        found
    }
}
