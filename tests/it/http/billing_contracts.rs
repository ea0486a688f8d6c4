//! Billing Contracts over HTTP: made, read, listed, changed and closed, and every rule that is refused (D1).

use provider_bridge::domain::account::AccountState;
use provider_bridge::domain::caller::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::app::{Answer, PUBLIC_URL, TestApp};
use crate::support::outside::account;

fn account_id(number: u128) -> String {
    Uuid::from_u128(number).to_string()
}

fn contract(number: u128, name: &str, currency: &str) -> Value {
    json!({
        "accountId": account_id(number),
        "name": name,
        "frequency": "monthly",
        "policy": "arrears",
        "currency": currency,
        "startDate": "2026-01-15",
    })
}

fn with(mut body: Value, more: Value) -> Value {
    let fields = body.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    body
}

async fn started(store: &crate::support::stores::TestStore) -> (TestApp, String) {
    let app = TestApp::start((*store).clone()).await;
    let key = app.key(&[Role::Billing]).await;
    app.crm.put(account(1, "Contoso Ltd"));
    app.crm.put(account(2, "Fabrikam"));
    (app, key)
}

async fn create(app: &TestApp, key: &str, body: &Value) -> Answer {
    app.send(Method::POST, key, "/v1/billing-contracts", body)
        .await
}

crate::on_both_engines! {
    async fn a_contract_is_made_with_what_follows_from_its_terms_and_read_back(store: TestStore) {
        let (app, key) = started(&store).await;
        let made = create(&app, &key, &contract(1, " Cloud ", "eur")).await;
        assert_eq!(made.status, 201, "{made:?}");
        let shown = |field: &str| made.body[field].clone();
        assert_eq!(
            (shown("name"), shown("currency"), shown("isDefault"), shown("open")),
            (json!("Cloud"), json!("EUR"), json!(true), json!(true))
        );
        assert_eq!((shown("goLiveDate"), shown("nextInvoiceDate")), (json!("2026-01-15"), json!("2026-02-15")));
        assert_eq!((shown("accountName"), shown("automation")["charge"].clone()), (json!("Contoso Ltd"), json!(false)));
        let path = made.header("location").strip_prefix(PUBLIC_URL).unwrap().to_owned();
        let read = app.get(&key, &path).await;
        assert_eq!((read.body.clone(), read.header("etag")), (made.body.clone(), "\"1\""));

        let second = create(&app, &key, &contract(1, "Azure", "EUR")).await;
        assert_eq!((second.status, &second.body["isDefault"]), (201, &json!(false)), "only the first is the default");
        let swiss = create(&app, &key, &contract(1, "Azure CH", "CHF")).await;
        assert_eq!(swiss.body["isDefault"], true, "of its own currency");
        let one_page = app.get(&key, &format!("/v1/billing-contracts?accountId={}&$top=2", account_id(1))).await;
        let names: Vec<_> = one_page.body["value"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
        assert_eq!(names, ["Azure", "Azure CH"]);
        let next = one_page.body["@odata.nextLink"].as_str().unwrap().strip_prefix(PUBLIC_URL).unwrap().to_owned();
        assert_eq!(app.get(&key, &next).await.body["value"][0]["name"], "Cloud");
        let swiss_only = app.get(&key, "/v1/billing-contracts?currency=chf").await;
        assert_eq!(swiss_only.body["value"].as_array().unwrap().len(), 1);
    }

    async fn every_rule_that_is_broken_is_named(store: TestStore) {
        let (app, key) = started(&store).await;
        let mut gone = account(3, "Contoso Old");
        gone.state = AccountState::Inactive;
        app.crm.put(gone);
        let refused = async |more: Value, status: u16, said: &str| {
            let answer = create(&app, &key, &with(contract(1, "Cloud", "EUR"), more)).await;
            let detail = answer.body["detail"].as_str().unwrap_or_default();
            assert_eq!((answer.status, detail.contains(said)), (status, true), "{said}: {answer:?}");
        };
        refused(json!({ "currency": "EURO" }), 400, "EURO").await;
        refused(json!({ "frequency": "weekly" }), 400, "monthly, quarterly, annual").await;
        refused(json!({ "startDate": "2026-02-30" }), 400, "startDate").await;
        refused(json!({ "name": "  " }), 422, "name").await;
        refused(json!({ "endDate": "2026-01-14" }), 422, "endDate").await;
        refused(json!({ "goLiveDate": "2026-01-14" }), 422, "goLiveDate").await;
        refused(json!({ "nextInvoiceDate": "2025-12-31" }), 422, "nextInvoiceDate").await;
        refused(json!({ "accountId": account_id(3) }), 422, "deactivated").await;
        refused(json!({ "accountId": account_id(9) }), 422, "no account").await;
        let reader = app.key(&[Role::Provisioning]).await;
        let forbidden = create(&app, &reader, &contract(1, "Cloud", "EUR")).await;
        assert_eq!((forbidden.status, forbidden.code()), (403, "forbidden"));
        assert!(forbidden.body["detail"].as_str().unwrap().contains("billing"));
        assert_eq!(app.get(&key, "/v1/billing-contracts").await.body["value"], json!([]));
    }

    async fn an_account_has_one_default_in_a_currency_and_each_name_once(store: TestStore) {
        let (app, key) = started(&store).await;
        let first = create(&app, &key, &contract(1, "Cloud", "EUR")).await;
        let same_name = create(&app, &key, &contract(1, "CLOUD", "CHF")).await;
        assert_eq!((same_name.status, &same_name.body["current"]["billingContractId"]), (409, &first.body["billingContractId"]));
        let rival = create(&app, &key, &with(contract(1, "Other", "EUR"), json!({ "isDefault": true }))).await;
        assert_eq!((rival.status, rival.code()), (409, "conflict"));
        assert!(rival.body["detail"].as_str().unwrap().contains("`Cloud` is the default"), "{rival:?}");
        let other_account = create(&app, &key, &contract(2, "Cloud", "EUR")).await;
        assert_eq!((other_account.status, &other_account.body["isDefault"]), (201, &json!(true)));

        let other = create(&app, &key, &contract(1, "Other", "EUR")).await;
        let path = format!("/v1/billing-contracts/{}", other.body["billingContractId"].as_str().unwrap());
        let refused = app.send(Method::PATCH, &key, &path, &json!({ "isDefault": true })).await;
        assert_eq!(refused.status, 409, "{refused:?}");
        let first_path = format!("/v1/billing-contracts/{}", first.body["billingContractId"].as_str().unwrap());
        let made_free = app.send(Method::PATCH, &key, &first_path, &json!({ "isDefault": false })).await;
        assert_eq!(made_free.status, 200, "{made_free:?}");
        let taken = app.send(Method::PATCH, &key, &path, &json!({ "isDefault": true })).await;
        assert_eq!((taken.status, &taken.body["isDefault"]), (200, &json!(true)));
    }

    async fn a_change_keeps_its_guards_and_a_closed_contract_never_changes(store: TestStore) {
        let (app, key) = started(&store).await;
        let made = create(&app, &key, &contract(1, "Cloud", "EUR")).await;
        let path = format!("/v1/billing-contracts/{}", made.body["billingContractId"].as_str().unwrap());
        let patch = async |etag: &str, body: Value| {
            let request = app.request(Method::PATCH, &path).header("x-api-key", &key).header("if-match", etag);
            Answer::of(request.json(&body)).await
        };
        let changed = patch("\"1\"", json!({ "terms": "Net 30", "endDate": "2026-12-31", "automation": { "charge": true } })).await;
        assert_eq!((changed.status, changed.header("etag")), (200, "\"2\""), "{changed:?}");
        assert_eq!((&changed.body["terms"], &changed.body["automation"]["charge"]), (&json!("Net 30"), &json!(true)));
        let same = patch("\"2\"", json!({ "terms": "Net 30" })).await;
        assert_eq!(same.header("etag"), "\"2\"", "the same again is no change");
        let stale = patch("\"1\"", json!({ "terms": null })).await;
        assert_eq!((stale.status, stale.code()), (412, "precondition-failed"));
        let rule = patch("\"2\"", json!({ "endDate": "2026-01-01" })).await;
        assert_eq!((rule.status, rule.code()), (422, "rule-violated"));
        let null = patch("\"2\"", json!({ "name": null })).await;
        assert_eq!(null.status, 400, "{null:?}");
        let cleared = patch("*", json!({ "terms": null, "endDate": null })).await;
        assert_eq!((cleared.status, cleared.body.get("terms"), cleared.body.get("endDate")), (200, None, None));

        let close = async |body: Value| app.send(Method::POST, &key, &format!("{path}/closing"), &body).await;
        assert_eq!(close(json!({ "reason": " " })).await.status, 422);
        let closed = close(json!({ "reason": "moved" })).await;
        assert_eq!((closed.status, &closed.body["open"], &closed.body["closedReason"]), (200, &json!(false), &json!("moved")));
        assert_eq!(close(json!({ "reason": "again" })).await.body, closed.body);
        let refused = patch("*", json!({ "terms": "Net 10" })).await;
        assert_eq!((refused.status, refused.code()), (409, "conflict"), "{refused:?}");
        let again = create(&app, &key, &contract(1, "Cloud", "EUR")).await;
        assert_eq!((again.status, &again.body["isDefault"]), (201, &json!(true)), "a closed one stands in nobody's way");
        let closed_only = app.get(&key, "/v1/billing-contracts?open=false").await;
        assert_eq!(closed_only.body["value"], json!([closed.body]));
    }

    async fn a_repeated_call_makes_one_contract(store: TestStore) {
        let (app, key) = started(&store).await;
        let call = async || {
            let request = app.request(Method::POST, "/v1/billing-contracts").header("x-api-key", &key);
            Answer::of(request.header("idempotency-key", "once").json(&contract(1, "Cloud", "EUR"))).await
        };
        let (first, again) = (call().await, call().await);
        assert_eq!((first.status, again.status, again.header("idempotency-replayed")), (201, 201, "true"));
        assert_eq!(first.body, again.body);
        assert_eq!(app.get(&key, "/v1/billing-contracts").await.body["value"].as_array().unwrap().len(), 1);
    }
}
