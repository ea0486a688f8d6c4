//! How alike two short ASCII texts are. The measures look at 64 characters at most, so that one machine word holds a
//! text and the cost of a comparison is bounded.

#![expect(
    clippy::indexing_slicing,
    reason = "slot() is below 64, and slices are cut to a length checked in the line before"
)]

/// One text, prepared to be compared with many.
#[derive(Debug, Clone)]
pub struct Pattern {
    masks: [u64; 64],
    len: usize,
}

/// A slot of its own for each lower-case letter, digit and the space: what folded text is made of.
const fn slot(byte: u8) -> usize {
    (byte & 31 | (!byte >> 1) & 32) as usize
}

impl Pattern {
    /// Prepares the first 64 bytes.
    #[must_use]
    pub fn new(text: &[u8]) -> Self {
        let mut masks = [0_u64; 64];
        let len = text.len().min(64);
        for (at, byte) in text[..len].iter().enumerate() {
            masks[slot(*byte)] |= 1 << at;
        }
        Self { masks, len }
    }

    /// Twice the longest common subsequence over the sum of lengths: 1 for equal, 0 for nothing in common.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "at most 128")]
    pub fn ratio(&self, other: &[u8]) -> f32 {
        let other = &other[..other.len().min(64)];
        if self.len + other.len() == 0 {
            return 0.0;
        }
        let mut state = u64::MAX;
        for byte in other {
            let hit = state & self.masks[slot(*byte)];
            state = state.wrapping_add(hit) | (state - hit);
        }
        let used = if self.len == 64 {
            u64::MAX
        } else {
            (1_u64 << self.len) - 1
        };
        let common = (!state & used).count_ones() as usize;
        2.0 * common as f32 / (self.len + other.len()) as f32
    }
}

/// [`Pattern::ratio`] of two texts.
#[must_use]
pub fn ratio(one: &[u8], other: &[u8]) -> f32 {
    Pattern::new(one).ratio(other)
}

/// Whether at most `most` insertions, deletions, replacements or swaps of neighbours turn one into the other.
#[must_use]
pub fn edits_within(one: &[u8], other: &[u8], most: usize) -> bool {
    if one.len().abs_diff(other.len()) > most || one.len() > 40 || other.len() > 40 {
        return false;
    }
    let mut rows = [[0_usize; 41]; 3];
    for (at, cell) in rows[0].iter_mut().enumerate() {
        *cell = at;
    }
    for (i, a) in one.iter().enumerate() {
        let (before, last, now) = ((i + 2) % 3, i % 3, (i + 1) % 3);
        rows[now][0] = i + 1;
        let mut least = i + 1;
        for (j, b) in other.iter().enumerate() {
            let mut cost = (rows[last][j] + usize::from(a != b))
                .min(rows[last][j + 1] + 1)
                .min(rows[now][j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                cost = cost.min(rows[before][j - 1] + 1);
            }
            rows[now][j + 1] = cost;
            least = least.min(cost);
        }
        if least > most {
            return false;
        }
    }
    rows[one.len() % 3][other.len()] <= most
}

/// Whether two words are one word with a slip of the pen: one edit from four letters on, two from nine.
#[must_use]
pub fn misspelt(one: &[u8], other: &[u8]) -> bool {
    let short = one.len().min(other.len());
    short >= 4 && one != other && edits_within(one, other, if short >= 9 { 2 } else { 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_measures_agree_with_what_a_person_counts() {
        assert!((ratio(b"contoso", b"contoso") - 1.0).abs() < 1e-6);
        assert!((ratio(b"abcd", b"abxd") - 0.75).abs() < 1e-6);
        assert!(ratio(b"", b"abc").abs() < 1e-6);
        assert!(misspelt(b"contoso", b"contsoo"));
        assert!(misspelt(b"contoso", b"contosso"));
        assert!(!misspelt(b"contoso", b"cotnsoo"));
        assert!(!misspelt(b"abc", b"abd"));
        assert!(edits_within(b"seongnam", b"seognnma", 2));
    }
}
