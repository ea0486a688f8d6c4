//! The hash of the engine's own tables. Keys come from names and domains that pass through size limits first, and the
//! tables keep what they hashed or tolerate a stranger in a list of candidates, so speed counts here and secrecy does not.

const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

/// A 64-bit hash of bytes, the same on every machine and in every run.
#[must_use]
pub fn hash(bytes: &[u8]) -> u64 {
    let mut state = 0xCBF2_9CE4_8422_2325 ^ (bytes.len() as u64);
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0_u8; 8];
        word.copy_from_slice(chunk);
        state = step(state, u64::from_le_bytes(word));
    }
    let mut word = [0_u8; 8];
    for (to, from) in word.iter_mut().zip(chunks.remainder()) {
        *to = *from;
    }
    finish(step(state, u64::from_le_bytes(word)))
}

/// The hash of two hashes, in this order.
#[must_use]
pub fn join(first: u64, second: u64) -> u64 {
    finish(step(first, second))
}

/// A short hash drawn out to the length that a table wants, so that the table need not keep the long one.
#[must_use]
pub const fn spread(short: u32) -> u64 {
    (short as u64).wrapping_mul(MULTIPLIER)
}

const fn step(state: u64, word: u64) -> u64 {
    (state.rotate_left(5) ^ word).wrapping_mul(MULTIPLIER)
}

const fn finish(mut state: u64) -> u64 {
    state ^= state >> 32;
    state = state.wrapping_mul(MULTIPLIER);
    state ^ (state >> 29)
}
