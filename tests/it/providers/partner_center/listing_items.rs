//! What a page says of its customers: every odd item costs itself and no other.

use provider_bridge::domain::ports::provider::{CustomerPage, ProviderClient};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::stand::{Stand, id, listed, names, ok};

async fn only_page(body: ResponseTemplate) -> CustomerPage {
    let stand = Stand::start().await;
    stand.answering(body).await;
    stand.client.list_customers(None).await.unwrap()
}

async fn only_item(item: Value) -> CustomerPage {
    only_page(ok(json!({"items": [listed(1), item, listed(3)]}))).await
}

#[actix_web::test]
async fn a_customer_is_read_in_full() {
    let page = only_item(listed(2)).await;
    assert!(page.unreadable.is_empty() && page.next.is_none());
    let customer = &page.customers[1];
    assert_eq!(customer.external_id.as_str(), id(2));
    assert_eq!(customer.name, "Customer 2");
    assert_eq!(customer.tenant_id, Some(id(2)));
    let domain = customer.default_domain.as_ref().unwrap();
    assert_eq!(domain.as_str(), "customer2.onmicrosoft.com");
    assert_eq!(customer.relationship, "reseller");
}

#[actix_web::test]
async fn pascal_case_and_any_other_case_read_the_same() {
    let plain = only_item(listed(2)).await;
    let shouted = json!({
        "TotalCount": 1,
        "Items": [listed(1), {
            "Id": id(2).to_uppercase(),
            "CompanyProfile": {
                "TenantId": id(2).to_uppercase(), "Domain": "CUSTOMER2.onmicrosoft.com",
                "CompanyName": "Customer 2", "Address": null, "Links": null,
            },
            "RelationshipToPartner": "Reseller",
            "BillingProfile": null, "CustomDomains": null, "Attributes": {"ObjectType": "Customer"},
        }, listed(3)],
        "ContinuationToken": null, "Links": {"Self": null, "Next": null},
    });
    assert_eq!(only_page(ok(shouted)).await, plain);
}

#[actix_web::test]
async fn what_is_missing_or_of_another_type_leaves_a_gap_and_not_a_hole() {
    for (item, name, relationship) in [
        (json!({"id": id(2)}), id(2), "unknown"),
        (
            json!({"id": id(2), "companyProfile": {"domain": "a.test"}}),
            "a.test".into(),
            "unknown",
        ),
        (
            json!({"id": id(2), "companyProfile": "none", "relationshipToPartner": ["x"]}),
            id(2),
            "unknown",
        ),
        (
            json!({"id": id(2), "companyProfile": {"companyName": 365}, "relationshipToPartner": 3}),
            "365".into(),
            "3",
        ),
        (
            json!({"id": id(2), "companyProfile": {"companyName": "", "domain": null, "tenantId": {}}}),
            id(2),
            "unknown",
        ),
        (
            json!({"id": id(2), "companyProfile": {"companyName": "A", "domain": "not a domain"}, "relationshipToPartner": "Joint_Venture"}),
            "A".into(),
            "Joint_Venture",
        ),
    ] {
        let page = only_item(item.clone()).await;
        assert_eq!(page.customers.len(), 3, "{item}");
        assert_eq!(page.customers[1].name, name, "{item}");
        assert_eq!(page.customers[1].relationship, relationship, "{item}");
        assert_eq!(page.customers[1].tenant_id, None);
    }
}

#[actix_web::test]
async fn an_item_that_cannot_be_read_is_reported_and_the_others_are_kept() {
    for (item, reason) in [
        (json!(null), "no JSON object"),
        (json!("customer"), "no JSON object"),
        (json!([1, {"id": 2}]), "no JSON object"),
        (json!({"companyProfile": {"tenantId": id(2)}}), "no id"),
        (json!({"id": " "}), "no id"),
        (json!({"id": {"id": 2}}), "no id"),
        (json!({"id": "x".repeat(101)}), "1 to 100"),
    ] {
        let page = only_item(item.clone()).await;
        assert_eq!(
            names(std::slice::from_ref(&page)),
            ["Customer 1", "Customer 3"],
            "{item}"
        );
        assert_eq!(page.unreadable.len(), 1, "{item}");
        assert!(
            page.unreadable[0].reason.contains(reason),
            "{item}: {:?}",
            page.unreadable
        );
    }
}

#[actix_web::test]
async fn a_field_given_twice_and_etags_of_both_kinds_do_no_harm() {
    let body = format!(
        r#"{{"items":[{{"id":"{0}","Id":"{0}","companyProfile":{{"companyName":"A","companyName":"B"}},
            "attributes":{{"etag":"-42","objectType":"Customer"}}}},
           {{"id":"{1}","companyProfile":{{"companyName":"C"}},"attributes":{{"etag":"\"eyJ\""}}}}]}}"#,
        id(1),
        id(2)
    );
    let page = only_page(ResponseTemplate::new(200).set_body_raw(body, "application/json")).await;
    assert_eq!(names(std::slice::from_ref(&page)), ["B", "C"]);
}

#[actix_web::test]
async fn a_name_cut_in_the_middle_of_a_character_costs_nothing_but_that_character() {
    let items = format!(
        r#"{{"items":[{{"id":"{}","companyProfile":{{"companyName":"Sol \ud83c"}}}},{}]}}"#,
        id(1),
        listed(2)
    );
    let mut bytes = items.clone().into_bytes();
    let at = items.find("Customer 2").unwrap();
    bytes[at] = 0xE9;
    for (body, names_read) in [
        (items.into_bytes(), ["Sol \u{FFFD}", "Customer 2"]),
        (bytes, ["Sol \u{FFFD}", "\u{FFFD}ustomer 2"]),
    ] {
        let page =
            only_page(ResponseTemplate::new(200).set_body_raw(body, "application/json")).await;
        assert_eq!(names(std::slice::from_ref(&page)), names_read);
    }
}
