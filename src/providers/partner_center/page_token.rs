//! Where a listing goes on, carried through the flow as an opaque text: the continuation token, and what it takes to notice
//! that the listing runs in a circle.
//!
//! The client keeps nothing between two pages, so the memory travels along. It is Brent's: beside the current token, the
//! fingerprint of one earlier token, replaced at every power of two. A circle of any length comes round to it.

use sha2::{Digest, Sha256};

use crate::domain::ports::provider::PageToken;

/// A place in a listing, at least one page of which has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// How many pages have been read.
    pages: u64,
    /// Fingerprint of the token after page 1, 2, 4, 8 …, whichever is the last.
    remembered: String,
    /// The token of the next page.
    token: String,
}

/// The token came before: following it would read the same pages for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Circle;

impl Place {
    /// The token of the next page.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// How many pages have been read.
    pub(super) const fn pages(&self) -> u64 {
        self.pages
    }

    /// The place after the first page.
    pub(super) fn first(token: &str) -> Self {
        Self {
            pages: 1,
            remembered: fingerprint(token),
            token: token.to_owned(),
        }
    }

    /// The place after one more page, which named `token` as the next.
    pub(super) fn next(&self, token: &str) -> Result<Self, Circle> {
        let seen = fingerprint(token);
        if seen == self.remembered || token == self.token {
            return Err(Circle);
        }
        let pages = self.pages.saturating_add(1);
        let remembered = if pages.is_power_of_two() {
            seen
        } else {
            self.remembered.clone()
        };
        Ok(Self {
            pages,
            remembered,
            token: token.to_owned(),
        })
    }

    /// As the flow carries it.
    pub(super) fn seal(&self) -> PageToken {
        PageToken(format!("{} {} {}", self.pages, self.remembered, self.token))
    }

    /// Reads [`Self::seal`] back.
    pub(super) fn open(token: &PageToken) -> Option<Self> {
        let (pages, rest) = token.0.split_once(' ')?;
        let (remembered, token) = rest.split_once(' ')?;
        Some(Self {
            pages: pages.parse().ok()?,
            remembered: remembered.to_owned(),
            token: token.to_owned(),
        })
    }
}

fn fingerprint(token: &str) -> String {
    let digest = Sha256::digest(token.as_bytes());
    digest
        .iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Follows tokens that run straight for `straight` pages and then round a circle, until the circle is noticed.
    fn pages_until_noticed(straight: u64, circle: u64) -> u64 {
        let token = |page: u64| {
            let at = if page < straight {
                page
            } else {
                straight + (page - straight) % circle
            };
            format!("token {at}")
        };
        let mut place = Place::first(&token(0));
        for page in 1.. {
            place = Place::open(&place.seal()).unwrap();
            match place.next(&token(page)) {
                Ok(next) => place = next,
                Err(Circle) => return page,
            }
        }
        0
    }

    proptest! {
        #[test]
        fn a_circle_of_any_length_is_noticed_and_not_before_it_closes(straight in 0_u64..40, circle in 1_u64..40) {
            let noticed = pages_until_noticed(straight, circle);
            prop_assert!(noticed >= straight + circle);
            prop_assert!(noticed <= 4 * (straight + circle));
        }
    }

    #[test]
    fn a_long_straight_listing_is_followed_to_its_end() {
        let mut place = Place::first("token 0");
        for page in 1..2000 {
            place = place.next(&format!("token {page}")).unwrap();
        }
        assert_eq!(place.pages(), 2000);
        assert_eq!(Place::open(&place.seal()), Some(place));
    }
}
