//! Text to search for: one limit and one refusal, wherever it is given.

use crate::http::problem::{Outcome, Problem};

/// Characters of a search at most; what is longer is no name.
const LONGEST_SEARCH: usize = 200;

/// The text without space around it; `None` when nothing is left.
///
/// # Errors
/// When it is too long.
pub fn search_text(text: Option<&str>) -> Outcome<Option<&str>> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    if text.is_some_and(|text| text.chars().count() > LONGEST_SEARCH) {
        return Err(Problem::invalid(format!(
            "The query parameter `search` has at most {LONGEST_SEARCH} characters; search for less."
        )));
    }
    Ok(text)
}
