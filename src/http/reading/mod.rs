//! Reading what a caller sent: [`Body`] and [`Question`] in the place of actix' own extractors, because a refusal has to
//! teach. It names the field, says what was expected there, and shows nothing of the language this is written in nor any
//! value, for a value may be a secret.
//!
//! What surprises: a body must be an object. Without the check, serde would take a list for an object by position.

mod body;
mod question;
mod refusal;
mod search;
mod unknown;

use serde::{Deserialize, Deserializer};

pub use body::{Body, BodyLimit};
pub use question::Question;
pub use search::search_text;
pub use unknown::refuse_unknown_parameters;

/// For a member that may be left out but not be null: null would be a change to nothing, and nobody can say to what.
///
/// # Errors
/// When the value is null or of another type.
pub fn not_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Tells a null that was sent from a member that was left out.
///
/// # Errors
/// When the value is of another type.
pub fn null_too<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
