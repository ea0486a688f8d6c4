//! Folded text, for search and sort that do not depend on a database's collation (decision 4): both engines compare the
//! same stored bytes.

use unicode_normalization::UnicodeNormalization;

/// `text` in compatibility form, lower case, without accents or runs of white space; letters of other scripts are
/// romanised, so that "Zürich" is found by "zurich" and "Москва" by "moskva".
#[must_use]
pub fn fold(text: &str) -> String {
    let composed: String = text.nfkc().collect();
    let ascii = any_ascii::any_ascii(&composed).to_lowercase();
    ascii.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn accents_case_width_and_script_do_not_matter() {
        assert_eq!(fold("  Zürich\tVersicherung "), "zurich versicherung");
        assert_eq!(fold("ＣＯＮＴＯＳＯ"), "contoso");
        assert_eq!(fold("Москва"), "moskva");
        assert_eq!(fold("İstanbul"), fold("Istanbul"));
    }
}
