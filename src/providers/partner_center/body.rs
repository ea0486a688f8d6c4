//! Reads a body as JSON, and mends it first when its text is damaged: bytes that are no UTF-8, or half of a surrogate pair
//! where a long name was cut. One such name must not cost a page of customers (decision 8). JSON that is broken in itself
//! stays broken.

use std::cell::OnceCell;

use super::lenient::{Fields, Object};

/// A body, kept while what was read borrows from it.
pub(super) struct Body<'b> {
    bytes: &'b [u8],
    mended: OnceCell<String>,
}

impl<'b> Body<'b> {
    /// A body as it came. A byte order mark is skipped.
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self {
            bytes: bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes),
            mended: OnceCell::new(),
        }
    }

    /// The object it holds; `None` when it holds something else.
    ///
    /// # Errors
    /// When it is no JSON.
    pub(super) fn read<'a, T: Fields<'a>>(&'a self) -> Result<Option<T>, serde_json::Error> {
        let read: Object<T> = match serde_json::from_slice(self.bytes) {
            Ok(read) => read,
            Err(error) => {
                let mended = self.mended.get_or_init(|| mend(self.bytes));
                serde_json::from_str(mended).map_err(|_| error)?
            }
        };
        Ok(read.0)
    }
}

const REPLACEMENT: &str = "\\uFFFD";

/// The text with everything that is no character replaced.
fn mend(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut mended = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        mended.push_str(before);
        let (length, broken) = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => (12, false),
            (Some(0xD800..=0xDFFF), _) => (6, true),
            (Some(_), _) => (6, false),
            // A backslash and the character it escapes, so that `\\u` is not taken for `\u`.
            (None, _) => (1 + escape.chars().nth(1).map_or(0, char::len_utf8), false),
        };
        let (whole, after) = escape.split_at(length);
        mended.push_str(if broken { REPLACEMENT } else { whole });
        rest = after;
    }
    mended.push_str(rest);
    mended
}

/// The UTF-16 unit of a `\uXXXX` escape at the start of `text`.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::super::wire::CompanyProfile;
    use super::*;
    use proptest::prelude::*;

    fn name_in(body: &[u8]) -> Option<String> {
        let body = Body::new(body);
        let profile: CompanyProfile<'_> = body.read().ok()??;
        profile.company_name.get().map(str::to_owned)
    }

    #[test]
    fn a_damaged_name_is_mended_and_the_rest_is_read() {
        let cut = br#"{"companyName":"Caf\u00e9 \ud83c","domain":"a.test"}"#;
        assert_eq!(name_in(cut).as_deref(), Some("Café \u{FFFD}"));
        let windows = b"{\"companyName\":\"Caf\xE9\"}";
        assert_eq!(name_in(windows).as_deref(), Some("Caf\u{FFFD}"));
        let both = b"\xEF\xBB\xBF{\"companyName\":\"\\\\ud83c \\ud83c\\udf0d \xE9 \\udf0d\"}";
        assert_eq!(
            name_in(both).as_deref(),
            Some("\\ud83c 🌍 \u{FFFD} \u{FFFD}")
        );
    }

    #[test]
    fn broken_json_stays_broken() {
        for body in [
            &b""[..],
            b"<html>",
            b"{\"companyName\":\"a",
            b"{\"companyName\":\"\\",
        ] {
            assert!(Body::new(body).read::<CompanyProfile<'_>>().is_err());
        }
    }

    proptest! {
        #[test]
        fn mending_leaves_what_is_whole_as_it_is(name in "\\PC{0,40}") {
            let whole = serde_json::json!({ "companyName": name }).to_string();
            prop_assert_eq!(mend(whole.as_bytes()), whole);
        }

        #[test]
        fn mending_takes_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            mend(&bytes);
        }
    }
}
