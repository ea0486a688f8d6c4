//! Text made comparable, the same way on both sides: names ([`name`]), hosts ([`host`]), places ([`place`]), and how alike
//! two of them are ([`similarity`]). Case, accents, width and order of input never matter.

pub mod hash;
pub mod host;
pub mod name;
pub mod place;
pub mod similarity;
pub(super) mod words;
