//! The domains of one Account, each with where it was found: sorted by number, so that one is found among ten thousand.

use thin_vec::ThinVec;

/// A domain of an Account, by source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Link {
    pub domain: u32,
    pub contacts: u16,
    pub website: bool,
    pub email: bool,
}

/// The link to a domain, made now if there is none. Links are sorted, so that ten thousand domains on one Account cost
/// no more than their number.
pub fn link_to(links: &mut ThinVec<Link>, domain: u32) -> &mut Link {
    let at = match links.binary_search_by_key(&domain, |link| link.domain) {
        Ok(at) => at,
        Err(at) => {
            links.insert(
                at,
                Link {
                    domain,
                    ..Link::default()
                },
            );
            at
        }
    };
    #[expect(
        clippy::indexing_slicing,
        reason = "found or put there in the lines before"
    )]
    &mut links[at]
}
