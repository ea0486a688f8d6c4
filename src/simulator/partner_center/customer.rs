//! A customer as Partner Center writes it: short in the listing, whole by id. What the listing leaves out (custom domains,
//! profiles' addresses) is exactly what the product needs the call by id for.

use actix_web::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::simulator::exchange::Answer;
use crate::simulator::world::{Address, Customer, Place, chance_of};

fn link(uri: String) -> Value {
    json!({ "self": { "uri": uri, "method": "GET", "headers": [] } })
}

/// An item of the listing.
pub(super) fn listed(customer: &Customer) -> Value {
    let id = customer.id.to_string();
    json!({
        "id": id,
        "companyProfile": {
            "tenantId": id,
            "domain": customer.default_domain(),
            "companyName": customer.name(),
            "links": link(format!("/customers/{id}/profiles/company")),
            "attributes": { "objectType": "CustomerCompanyProfile" },
        },
        "relationshipToPartner": customer.relationship.word(),
        "links": link(format!("/customers/{id}")),
        "attributes": { "objectType": "Customer" },
    })
}

/// By id.
pub(super) fn details(seed: u64, place: Place, customer: &Customer) -> Answer {
    let id = customer.id.to_string();
    let address = Address::of(customer, &mut chance_of(seed, place));
    let custom: Vec<&str> = customer.custom_domains().collect();
    let body = json!({
        "id": id,
        "commerceId": derived(customer.id, 1),
        "companyProfile": company_profile(customer, &address),
        "billingProfile": billing_profile(customer, &address),
        "relationshipToPartner": customer.relationship.word(),
        "allowDelegatedAccess": true,
        "customDomains": custom,
        "links": link(format!("/customers/{id}")),
        "attributes": { "objectType": "Customer" },
    });
    Answer::json(StatusCode::OK, &body)
}

/// The company profile alone.
pub(super) fn company(seed: u64, place: Place, customer: &Customer) -> Answer {
    let address = Address::of(customer, &mut chance_of(seed, place));
    Answer::json(StatusCode::OK, &company_profile(customer, &address))
}

/// The billing profile alone, with its entity tag in the header too.
pub(super) fn billing(seed: u64, place: Place, customer: &Customer) -> Answer {
    let address = Address::of(customer, &mut chance_of(seed, place));
    Answer::json(StatusCode::OK, &billing_profile(customer, &address))
        .with("etag", &format!("\"{}\"", tag(customer)))
}

fn company_profile(customer: &Customer, address: &Address) -> Value {
    json!({
        "tenantId": customer.id,
        "domain": customer.default_domain(),
        "companyName": customer.name(),
        "address": {
            "country": address.country_code,
            "city": address.city,
            "addressLine1": address.street,
            "postalCode": address.postal_code,
            "phoneNumber": address.telephone,
        },
        "email": customer.email(),
        "links": link(format!("/customers/{}/profiles/company", customer.id)),
        "attributes": { "objectType": "CustomerCompanyProfile" },
    })
}

fn billing_profile(customer: &Customer, address: &Address) -> Value {
    json!({
        "id": derived(customer.id, 2),
        "firstName": address.given_name,
        "lastName": address.family_name,
        "email": customer.email(),
        "culture": address.culture,
        "language": address.culture.split('-').next(),
        "companyName": customer.name(),
        "defaultAddress": {
            "country": address.country_code,
            "city": address.city,
            "addressLine1": address.street,
            "postalCode": address.postal_code,
            "firstName": address.given_name,
            "lastName": address.family_name,
            "phoneNumber": address.telephone,
        },
        "links": link(format!("/customers/{}/profiles/billing", customer.id)),
        "attributes": { "etag": tag(customer), "objectType": "CustomerBillingProfile" },
    })
}

/// Unquoted in bodies, as Partner Center writes it there.
fn tag(customer: &Customer) -> String {
    let mixed = (customer.id.as_u64_pair().0 ^ u64::from(customer.version)).cast_signed();
    mixed.to_string()
}

/// Another id that belongs to this one.
pub(super) fn derived(id: Uuid, salt: u8) -> Uuid {
    let mut bytes = *id.as_bytes();
    bytes.rotate_left(5);
    bytes[0] ^= salt;
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}
