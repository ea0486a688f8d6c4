//! The details of one customer, from the call by id: the domains it owns, the domains people there are written to, and
//! where it is. Of a person nothing is kept but the domain of the address.

use super::body::Body;
use super::call::Unusable;
use super::lenient::Text;
use super::wire::{Address, DetailedCustomer};
use crate::domain::domain_name::DomainName;
use crate::domain::provider_account::{CustomerDetails, ExternalId};

/// Why the details could not be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum DetailsError {
    #[error("the answer is no JSON object")]
    NotJson,
    #[error("the answer is about another customer")]
    AnotherCustomer,
}

impl Unusable for DetailsError {
    const NEXT: &'static str = "it is asked again later";

    fn may_pass(&self) -> bool {
        matches!(self, Self::NotJson)
    }
}

/// Reads the details of `wanted`.
pub(super) fn read_details(
    body: &[u8],
    wanted: &ExternalId,
) -> Result<CustomerDetails, DetailsError> {
    let body = Body::new(body);
    let customer: DetailedCustomer<'_> = body
        .read()
        .map_err(|_| DetailsError::NotJson)?
        .ok_or(DetailsError::NotJson)?;
    if !is_about(&customer, wanted) {
        return Err(DetailsError::AnotherCustomer);
    }
    let company = customer.company_profile.0.as_ref();
    let billing = customer.billing_profile.0.as_ref();
    let billing_address = billing.and_then(|profile| profile.default_address.0.as_ref());
    let company_address = company.and_then(|profile| profile.address.0.as_ref());
    let of_address = |field: for<'a> fn(&'a Address<'_>) -> Option<&'a str>| {
        let text = billing_address
            .and_then(field)
            .or_else(|| company_address.and_then(field));
        text.map(str::to_owned)
    };
    let emails = [
        billing.map(|profile| &profile.email),
        company.map(|profile| &profile.email),
    ];
    Ok(CustomerDetails {
        custom_domains: sorted(
            customer
                .custom_domains
                .items()
                .iter()
                .filter_map(Text::get)
                .filter_map(|domain| DomainName::parse(domain).ok()),
        ),
        contact_email_domains: sorted(
            emails
                .into_iter()
                .flatten()
                .filter_map(Text::get)
                .flat_map(domains_of_emails),
        ),
        country: of_address(|address| address.country.get()),
        city: of_address(|address| address.city.get()),
        postal_code: of_address(|address| address.postal_code.get()),
    })
}

fn is_about(customer: &DetailedCustomer<'_>, wanted: &ExternalId) -> bool {
    let tenant = customer
        .company_profile
        .0
        .as_ref()
        .map(|profile| &profile.tenant_id);
    [Some(&customer.id), tenant]
        .into_iter()
        .flatten()
        .filter_map(Text::get)
        .any(|id| ExternalId::parse(id).is_ok_and(|id| id == *wanted))
}

/// The field is one address by the documentation and several in practice.
fn domains_of_emails(emails: &str) -> impl Iterator<Item = DomainName> {
    emails
        .split([';', ',', ' '])
        .filter_map(DomainName::of_email)
}

fn sorted(domains: impl Iterator<Item = DomainName>) -> Vec<DomainName> {
    let mut domains: Vec<_> = domains.collect();
    domains.sort_unstable();
    domains.dedup();
    domains
}
