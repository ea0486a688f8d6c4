//! A remap over HTTP: its blast radius is shown first, the cut-over date decides what moves, and the preview is what happens (B4, B15).

use std::time::Duration;

use provider_bridge::domain::caller::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::subscriptions::{Desk, account_id, texts};
use crate::support::fake_provider::listed;

async fn preview(desk: &Desk, body: Value) -> Value {
    let path = format!(
        "/v1/provider-accounts/{}/mapping-preview",
        desk.customers[0]
    );
    let answer = desk.post(&path, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

/// Where the changes of all subscriptions sit, with their quantities.
async fn log(desk: &Desk) -> Vec<(Value, Value)> {
    let mut all = Vec::new();
    for subscription in desk.subscriptions().await {
        for entry in desk.log(&subscription).await {
            all.push((
                entry["quantityChange"].clone(),
                entry["billingContractId"].clone(),
            ));
        }
    }
    all
}

crate::on_both_engines! {
    async fn a_remap_shows_what_it_moves_and_the_cut_over_date_decides(store: TestStore) {
        let desk = Desk::of(&store, &["C1"]).await;
        desk.map(0, 1).await;
        let old = desk.contract(1, "Old", json!({ "defaultPriceList": "Standard" })).await;
        desk.provider.set("C1", vec![listed("s-1", "5"), listed("s-2", "1")]);
        desk.sync().await;
        desk.app.clock.advance(Duration::from_secs(86_400 * 3));
        desk.provider.set("C1", vec![listed("s-1", "7"), listed("s-2", "1")]);
        desk.sync().await;
        let before = log(&desk).await;
        let today = desk.app.context.now().date_naive();
        let to = |date: &str| json!({ "accountId": account_id(2), "cutOverDate": date });

        let whole = preview(&desk, json!({ "accountId": account_id(2) })).await;
        assert_eq!((&whole["subscriptionCount"], &whole["licenseChangesMoving"], &whole["licenseChangesStaying"]), (&json!(2), &json!(3), &json!(0)), "{whole}");
        assert_eq!((&whole["fromAccountId"], &whole["toAccountId"]), (&json!(account_id(1)), &json!(account_id(2))));
        assert_eq!(whole["billingContracts"], json!([old]));
        assert_eq!(texts(&whole["exceptionsRaised"], "kind"), ["subscription-without-contract", "account-without-contract"]);
        assert_eq!(whole["exceptionsRaised"][0]["count"], 2);

        let new = desk.contract(2, "New", json!({ "defaultPriceList": "Standard" })).await;
        let shown = preview(&desk, to(&today.to_string())).await;
        assert_eq!((&shown["licenseChangesMoving"], &shown["licenseChangesStaying"], &shown["exceptionsRaised"]), (&json!(1), &json!(2), &json!([])), "{shown}");
        assert_eq!(texts(&shown["subscriptions"], "toBillingContractId"), [new.clone(), new.clone()]);
        assert_eq!(log(&desk).await, before, "a preview changes nothing");
        let told = desk.get("/v1/exceptions").await;
        assert_eq!(told.body["value"], json!([]));

        let path = format!("/v1/provider-accounts/{}/mapping", desk.customers[0]);
        let ahead = desk.app.send(Method::PUT, &desk.key, &path, &to("2099-01-01")).await;
        assert_eq!((ahead.status, ahead.code()), (422, "rule-violated"), "{ahead:?}");
        let mapped = desk.app.send(Method::PUT, &desk.key, &path, &to(&today.to_string())).await;
        assert_eq!(mapped.status, 200, "{mapped:?}");
        let mut after = log(&desk).await;
        after.sort_by_key(|(quantity, _)| quantity.to_string());
        assert_eq!(after, [(json!(1.0), json!(old)), (json!(2.0), json!(new)), (json!(5.0), json!(old))]);
        assert_eq!(texts(&json!(desk.subscriptions().await), "billingContractId"), [new.clone(), new.clone()]);

        let third = desk.contract(2, "Third", json!({ "isDefault": false })).await;
        let first = desk.subscriptions().await.remove(0);
        let path = format!("/v1/subscriptions/{}", first["subscriptionId"].as_str().unwrap());
        let moved = desk.app.send(Method::PATCH, &desk.key, &path, &json!({ "billingContractId": third })).await;
        assert_eq!(moved.status, 200, "{moved:?}");
        let mut after = log(&desk).await;
        after.sort_by_key(|(quantity, _)| quantity.to_string());
        assert_eq!(after, [(json!(1.0), json!(old)), (json!(2.0), json!(third)), (json!(5.0), json!(old))], "what stayed behind stays");

        let reader = desk.app.key(&[Role::Reader]).await;
        let path = format!("/v1/provider-accounts/{}/mapping-preview", desk.customers[0]);
        assert_eq!(desk.app.send(Method::POST, &reader, &path, &json!({ "accountId": account_id(1) })).await.status, 403);
    }
}
