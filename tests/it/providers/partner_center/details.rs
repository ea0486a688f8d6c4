//! The details of one customer: what is taken, what is left out, and whose they are.

use provider_bridge::domain::ports::provider::{FailureKind, ProviderClient};
use provider_bridge::domain::provider_account::{CustomerDetails, ExternalId};
use serde_json::{Value, json};

use super::stand::{Stand, id, listed, ok, refusal};

fn detailed(number: u32) -> Value {
    let mut customer = listed(number);
    customer["commerceId"] = json!("c0ffee00-0000-4000-8000-000000000000");
    customer["allowDelegatedAccess"] = json!(true);
    customer["customDomains"] = json!(["contoso.test", "Shop.Contoso.TEST", "contoso.test"]);
    customer["companyProfile"]["email"] = json!("info@contoso.test");
    customer["companyProfile"]["address"] =
        json!({"country": "DE", "city": "Berlin", "postalCode": "10115"});
    customer["billingProfile"] = json!({
        "id": "b1", "firstName": "Ada", "lastName": "Person", "email": "ada.person@billing.test",
        "culture": "en-US", "language": "en", "companyName": "Contoso",
        "defaultAddress": {
            "country": "AT", "city": "Wien", "state": "", "addressLine1": "Ring 1", "postalCode": "1010",
            "firstName": "Ada", "lastName": "Person", "phoneNumber": "+43 1 234"
        },
        "attributes": {"etag": "-4242", "objectType": "CustomerBillingProfile"}
    });
    customer
}

async fn details(body: Value) -> CustomerDetails {
    let stand = Stand::start().await;
    stand.answering(ok(body)).await;
    let wanted = ExternalId::parse(&id(1)).unwrap();
    let details = stand.client.customer_details(&wanted).await.unwrap();
    let asked = stand.asked().await;
    assert_eq!(asked[0].url.path(), format!("/v1/customers/{}", id(1)));
    assert_eq!(asked[0].url.query(), None);
    details
}

fn texts(domains: &[provider_bridge::domain::domain_name::DomainName]) -> Vec<&str> {
    domains.iter().map(|domain| domain.as_str()).collect()
}

#[actix_web::test]
async fn domains_and_address_are_taken_and_nothing_of_a_person() {
    let details = details(detailed(1)).await;
    assert_eq!(
        texts(&details.custom_domains),
        ["contoso.test", "shop.contoso.test"]
    );
    assert_eq!(
        texts(&details.contact_email_domains),
        ["billing.test", "contoso.test"]
    );
    assert_eq!(details.country.as_deref(), Some("AT"));
    assert_eq!(details.city.as_deref(), Some("Wien"));
    assert_eq!(details.postal_code.as_deref(), Some("1010"));
    let shown = format!("{details:?}");
    for personal in ["Ada", "Person", "ada.person", "info@", "Ring 1", "+43"] {
        assert!(!shown.contains(personal), "{personal} is kept: {shown}");
    }
}

#[actix_web::test]
async fn without_a_billing_address_the_companys_own_counts() {
    let mut body = detailed(1);
    body["billingProfile"]["defaultAddress"] = json!({"country": "AT", "city": null});
    let details = details(body).await;
    assert_eq!(details.country.as_deref(), Some("AT"));
    assert_eq!(details.city.as_deref(), Some("Berlin"));
}

#[actix_web::test]
async fn missing_and_odd_fields_leave_the_details_empty() {
    for body in [
        json!({"id": id(1)}),
        json!({"Id": id(1).to_uppercase(), "CustomDomains": null, "BillingProfile": null, "CompanyProfile": null}),
        json!({"id": id(1), "customDomains": "contoso", "billingProfile": [], "companyProfile": {"email": 5, "address": "x"}}),
        json!({"id": id(1), "customDomains": [null, 5, {}, "no domain"], "billingProfile": {"email": "nobody"}}),
    ] {
        assert_eq!(
            details(body.clone()).await,
            CustomerDetails::default(),
            "{body}"
        );
    }
}

#[actix_web::test]
async fn several_addresses_in_one_field_give_several_domains() {
    let mut body = detailed(1);
    body["billingProfile"]["email"] = json!("a@one.test; B@two.test,c@three.test");
    let details = details(body).await;
    assert_eq!(
        texts(&details.contact_email_domains),
        ["contoso.test", "one.test", "three.test", "two.test"]
    );
}

#[actix_web::test]
async fn an_answer_about_another_customer_or_about_none_is_not_taken() {
    let wanted = ExternalId::parse(&id(1)).unwrap();
    for body in [
        detailed(2),
        json!({}),
        json!([]),
        json!({"items": [detailed(1)]}),
    ] {
        let stand = Stand::start().await;
        stand.answering(ok(body)).await;
        let error = stand.client.customer_details(&wanted).await.unwrap_err();
        assert_eq!(error.kind, FailureKind::Protocol, "{error}");
        assert!(error.correlation_id.is_some());
    }
}

#[actix_web::test]
async fn a_customer_that_left_is_told_from_one_that_never_was() {
    let wanted = ExternalId::parse(&id(1)).unwrap();
    for (answer, kind) in [
        (
            refusal(403, json!("20002"), "no commerce relationship"),
            FailureKind::CustomerLeft,
        ),
        (
            refusal(403, json!(20002), "no commerce relationship"),
            FailureKind::CustomerLeft,
        ),
        (
            refusal(404, json!("1000"), "not found"),
            FailureKind::NotFound,
        ),
    ] {
        let stand = Stand::start().await;
        stand.answering(answer).await;
        let error = stand.client.customer_details(&wanted).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
    }
}

#[actix_web::test]
async fn an_id_cannot_lead_to_another_address() {
    let stand = Stand::start().await;
    stand.answering(ok(json!({"id": "x"}))).await;
    for odd in [
        "../invoices",
        "..",
        "a/b?c=d#e",
        "%2e%2e",
        ".",
        "http://elsewhere.test/",
    ] {
        let odd = ExternalId::parse(odd).unwrap();
        stand.client.customer_details(&odd).await.unwrap_err();
    }
    for request in stand.asked().await {
        let path = request.url.path();
        assert!(path.starts_with("/v1/customers"), "{path}");
        assert!(
            path.matches('/').count() <= 3 && request.url.query().is_none(),
            "{path}"
        );
    }
}
