//! Words with a slip of the pen. Each known word is listed under all that is left of it when one letter is missing; a word
//! that nobody knows is looked up the same way, so that one edit on either side leads to the other.

use hashbrown::HashTable;

use super::super::text::hash::hash;
use super::super::text::similarity::misspelt;

const SHORTEST: usize = 4;
const LONGEST: usize = 24;

/// Known words by what is left of them.
#[derive(Debug, Default, Clone)]
pub struct Misspellings {
    table: HashTable<(u64, u32)>,
}

fn remains(word: &str) -> impl Iterator<Item = u64> + '_ {
    let bytes = word.as_bytes();
    std::iter::once(hash(bytes)).chain((0..bytes.len()).map(move |gap| {
        let mut left = [0_u8; LONGEST];
        let kept = bytes.iter().enumerate().filter(|(at, _)| *at != gap);
        let mut count = 0;
        for (to, (_, from)) in left.iter_mut().zip(kept) {
            *to = *from;
            count += 1;
        }
        hash(left.get(..count).unwrap_or_default())
    }))
}

impl Misspellings {
    /// Lists a word. Words with digits are codes, not words.
    pub fn learn(&mut self, number: u32, word: &str) {
        if !(SHORTEST..=LONGEST).contains(&word.len()) || word.bytes().any(|b| b.is_ascii_digit()) {
            return;
        }
        for key in remains(word) {
            self.table
                .insert_unique(key, (key, number), |(known, _)| *known);
        }
    }

    /// Known words that may be meant by `word`, itself not among them; sorted, at most sixteen.
    pub fn meant<'w>(&self, word: &str, text: impl Fn(u32) -> &'w str) -> Vec<u32> {
        let mut found = Vec::new();
        if !(SHORTEST..=LONGEST).contains(&word.len()) {
            return found;
        }
        for key in remains(word) {
            for (known, number) in self.table.iter_hash(key).take(32) {
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
