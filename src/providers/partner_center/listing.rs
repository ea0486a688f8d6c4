//! A page of the listing of customers: how it is asked for, what it says, and where it goes on.
//!
//! The next page is asked for by the same address with `seekOperation=Next` and the continuation token in a header. The
//! link that comes with a page is not followed: production has sent it with and without `/v1`, and once with a doubled
//! question mark; and an address somebody else chose would get our token.

use std::borrow::Cow;

use reqwest::Url;
use reqwest::header::HeaderValue;

use super::body::Body;
use super::call::Unusable;
use super::lenient::Object;
use super::page_token::Place;
use super::wire::{Customer, Page};
use crate::domain::domain_name::DomainName;
use crate::domain::ports::provider::{CustomerPage, UnreadableItem};
use crate::domain::provider_account::{ExternalId, ListedCustomer};

/// Why a page could not be used; the listing ends here, incomplete.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    #[error("the page is no JSON object")]
    NotJson,
    #[error("the page has no list of customers")]
    NoItems,
    #[error("the page names a next one, but gives no continuation token")]
    NoToken,
    #[error("the page gives a continuation token that cannot be sent back")]
    BadToken,
    #[error("the page leads back to an earlier one, so the listing would never end")]
    Circle,
}

impl Unusable for PageError {
    const NEXT: &'static str = "the listing is incomplete and is begun anew next time";

    fn may_pass(&self) -> bool {
        matches!(self, Self::NotJson)
    }
}

/// Adds the query of a page.
pub(super) fn page_url(mut customers: Url, size: u16, place: Option<&Place>) -> Url {
    let mut query = customers.query_pairs_mut();
    query.append_pair("size", &size.to_string());
    if place.is_some() {
        query.append_pair("seekOperation", "Next");
    }
    drop(query);
    customers
}

/// Reads a page that came after `place`.
pub(super) fn read_page(body: &[u8], place: Option<&Place>) -> Result<CustomerPage, PageError> {
    let body = Body::new(body);
    let page: Page<'_> = body
        .read()
        .map_err(|_| PageError::NotJson)?
        .ok_or(PageError::NotJson)?;
    let next = match next_token(&page)? {
        None => None,
        Some(token) => Some(match place {
            None => Place::first(&token),
            Some(place) => place.next(&token).map_err(|_| PageError::Circle)?,
        }),
    };
    // No list at all is not an empty list: taken for the end, it would make every customer missing.
    let items = page.items.0.ok_or(PageError::NoItems)?;
    let mut customers = Vec::with_capacity(items.len());
    let mut unreadable = Vec::new();
    for item in &items {
        match listed_customer(item) {
            Ok(customer) => customers.push(customer),
            Err(item) => unreadable.push(item),
        }
    }
    Ok(CustomerPage {
        customers,
        unreadable,
        next: next.map(|place| place.seal()),
    })
}

fn next_token<'a>(page: &'a Page<'_>) -> Result<Option<Cow<'a, str>>, PageError> {
    let link = page
        .links
        .0
        .as_ref()
        .and_then(|links| links.next.0.as_ref());
    let in_link = || {
        let headers = link?
            .headers
            .items()
            .iter()
            .filter_map(|header| header.0.as_ref());
        let mut tokens = headers.filter(|header| {
            let key = header.key.get().unwrap_or_default();
            key.eq_ignore_ascii_case("MS-ContinuationToken")
        });
        tokens.find_map(|header| header.value.get())
    };
    match page.continuation_token.get().or_else(in_link) {
        Some(token) if HeaderValue::from_str(token).is_err() => Err(PageError::BadToken),
        Some(token) => Ok(Some(Cow::Borrowed(token))),
        None if link.is_some() => Err(PageError::NoToken),
        None => Ok(None),
    }
}

fn listed_customer(item: &Object<Customer<'_>>) -> Result<ListedCustomer, UnreadableItem> {
    let unreadable = |reason: &str| UnreadableItem {
        external_id: None,
        reason: reason.to_owned(),
    };
    let customer = item
        .0
        .as_ref()
        .ok_or_else(|| unreadable("it is no JSON object"))?;
    let id = customer
        .id
        .get()
        .ok_or_else(|| unreadable("it has no id"))?;
    let external_id = ExternalId::parse(id).map_err(|error| unreadable(&error.to_string()))?;
    let profile = customer.company_profile.0.as_ref();
    let domain = profile.and_then(|profile| profile.domain.get());
    let name = profile
        .and_then(|profile| profile.company_name.get())
        .or(domain)
        .unwrap_or(external_id.as_str())
        .to_owned();
    Ok(ListedCustomer {
        name,
        tenant_id: profile
            .and_then(|profile| profile.tenant_id.get())
            .map(str::to_ascii_lowercase),
        default_domain: domain.and_then(|domain| DomainName::parse(domain).ok()),
        relationship: relationship(customer.relationship.get()),
        external_id,
    })
}

/// The documented words whatever their case, so that a change of case is no change; any other word as it came.
fn relationship(word: Option<&str>) -> String {
    const KNOWN: [&str; 5] = [
        "reseller",
        "none",
        "advisor",
        "syndication",
        "microsoft_support",
    ];
    let word = word.unwrap_or("unknown");
    let known = KNOWN.iter().find(|known| known.eq_ignore_ascii_case(word));
    (*known.unwrap_or(&word)).to_owned()
}
