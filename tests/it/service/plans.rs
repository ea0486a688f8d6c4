//! Plan, apply, undo and reject (B4, B7) through real HTTP.

use std::collections::BTreeSet;

use provider_bridge::store::Engine;
use reqwest::Method;
use serde_json::{Value, json};

use super::desk::Desk;
use crate::on_both_engines;

const CUSTOMERS: usize = 40;

fn ids(items: &Value) -> Vec<String> {
    let items = items["value"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["providerAccountId"].as_str().unwrap().to_owned())
        .collect()
}

async fn mapped(desk: &Desk) -> BTreeSet<String> {
    let page = desk
        .get("/v1/provider-accounts?state=mapped&$top=500")
        .await;
    ids(&page).into_iter().collect()
}

async fn a_plan_maps_nothing_until_it_is_applied_and_takes_back_what_nobody_touched(
    engine: Engine,
) {
    let desk = Desk::on(engine, CUSTOMERS).await;
    let job = desk.job("/v1/auto-match", None).await;
    let plan = job["result"]["planId"].as_str().unwrap().to_owned();
    let planned = job["result"]["planned"].as_u64().unwrap();
    assert!(planned > 6, "{job}");
    assert!(mapped(&desk).await.is_empty());
    let path = format!("/v1/match-plans/{plan}");
    let first = desk.get(&format!("{path}/items?$top=2")).await;
    assert_eq!(ids(&first).len(), 2);
    assert!(first["@odata.nextLink"].is_string());
    let items = desk.get(&format!("{path}/items?$top=500")).await;
    assert_eq!(ids(&items).len() as u64, planned);
    assert!(items["value"][0]["evidence"][0]["text"].is_string());
    let all = ids(&items);
    let accounts = desk
        .simulator
        .world()
        .read(provider_bridge::simulator::World::account_count);
    assert_eq!(desk.flows.directory.len(), accounts);

    // A selection, twice: the second time there is nothing left to do.
    for _ in 0..2 {
        let chosen = json!({ "providerAccountIds": [all[0]] });
        desk.job(&format!("{path}/apply"), Some(chosen)).await;
        assert_eq!(mapped(&desk).await, BTreeSet::from([all[0].clone()]));
    }
    let one = desk.get(&format!("/v1/provider-accounts/{}", all[0])).await;
    assert_eq!(one["mapping"]["mappedBy"], "auto-match");
    assert_eq!(one["mapping"]["evidence"], items["value"][0]["evidence"]);

    // A person is quicker with the second one; the rest is applied.
    let elsewhere = json!({ "accountId": items["value"][2]["accountId"] });
    let by_hand = format!("/v1/provider-accounts/{}/mapping", all[1]);
    let answer = desk.call(Method::PUT, &by_hand, Some(elsewhere)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    desk.job(&format!("{path}/apply"), Some(json!({}))).await;
    let counts = desk.get(&path).await;
    assert_eq!(
        (&counts["planned"], &counts["underWay"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(
        counts["applied"].as_u64().unwrap() + counts["changed"].as_u64().unwrap(),
        planned
    );
    assert_eq!(counts["appliedBy"], "Grace");
    let stale = desk.get(&format!("{path}/items?state=changed")).await;
    let told = stale["value"].as_array().unwrap().iter();
    let told = told
        .clone()
        .find(|item| item["providerAccountId"] == json!(all[1]));
    assert!(
        told.unwrap()["detail"]
            .as_str()
            .unwrap()
            .starts_with("changed since: it is mapped")
    );

    // Somebody unmaps one by hand; undoing takes the others back and touches no person's mapping.
    let touched = format!("/v1/provider-accounts/{}/mapping", all[0]);
    assert_eq!(desk.call(Method::DELETE, &touched, None).await.status, 200);
    desk.job(&format!("{path}/undo"), Some(json!({}))).await;
    assert_eq!(mapped(&desk).await, BTreeSet::from([all[1].clone()]));
    let counts = desk.get(&path).await;
    assert_eq!(
        (&counts["applied"], &counts["kept"]),
        (&json!(0), &json!(1))
    );
    let kept = desk.get(&format!("{path}/items?state=kept")).await;
    assert_eq!(
        kept["value"][0]["detail"],
        "changed since: it is unmapped now"
    );
    desk.stop().await;
}

async fn a_plan_tells_how_many_subscriptions_move_along(engine: Engine) {
    let desk = Desk::on(engine, CUSTOMERS).await;
    let providers = desk.get("/v1/providers").await;
    let provider = providers["value"][0]["providerId"].as_str().unwrap();
    let sync = format!("/v1/providers/{provider}/subscription-sync");
    desk.job(&sync, None).await;
    let job = desk.job("/v1/auto-match", None).await;
    let plan = job["result"]["planId"].as_str().unwrap();
    let path = format!("/v1/match-plans/{plan}/items?$top=500");
    let items = desk.get(&path).await;
    let mut moving = 0;
    for item in items["value"].as_array().unwrap() {
        let customer = item["providerAccountId"].as_str().unwrap();
        let path = format!("/v1/subscriptions?providerAccountId={customer}&$top=500");
        let theirs = desk.get(&path).await["value"].as_array().unwrap().len();
        assert_eq!(item["subscriptions"], json!(theirs), "{item}");
        moving += theirs;
    }
    assert!(moving > 6, "only {moving} subscriptions to move");
    desk.stop().await;
}

async fn a_plan_that_was_chosen_before_the_process_died_is_applied_by_the_next(engine: Engine) {
    let desk = Desk::on(engine, CUSTOMERS).await;
    let job = desk.job("/v1/auto-match?dryRun=true", None).await;
    let path = format!(
        "/v1/match-plans/{}",
        job["result"]["planId"].as_str().unwrap()
    );
    let asked = desk
        .call(Method::POST, &format!("{path}/apply"), Some(json!({})))
        .await;
    assert_eq!(asked.status, 202);
    assert_eq!(desk.get(&path).await["underWay"], job["result"]["planned"]);
    // Undoing what is being applied is refused; the same request again is the same job.
    let refused = desk
        .call(Method::POST, &format!("{path}/undo"), Some(json!({})))
        .await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    let again = desk
        .call(Method::POST, &format!("{path}/apply"), Some(json!({})))
        .await;
    assert_eq!(again.body["jobId"], asked.body["jobId"]);
    desk.runner.run_due().await;
    let counts = desk.get(&path).await;
    assert_eq!(
        counts["applied"].as_u64().unwrap() + counts["changed"].as_u64().unwrap(),
        job["result"]["planned"].as_u64().unwrap()
    );
    assert_eq!(
        mapped(&desk).await.len() as u64,
        counts["applied"].as_u64().unwrap()
    );
    assert!(
        desk.call(Method::GET, "/v1/match-plans", None).await.body["value"]
            .as_array()
            .unwrap()
            .len()
            == 1
    );
    desk.stop().await;
}

async fn a_rejected_suggestion_does_not_come_back_on_the_same_evidence(engine: Engine) {
    let desk = Desk::on(engine, CUSTOMERS).await;
    let unmapped = desk
        .get("/v1/provider-accounts?state=unmapped&$top=500")
        .await;
    let mut rejected = None;
    for id in ids(&unmapped) {
        let path = format!("/v1/provider-accounts/{id}");
        let made = desk.get(&format!("{path}/suggestions")).await;
        if let Some(first) = made["value"].as_array().unwrap().first() {
            rejected = Some((path, first["accountId"].clone()));
            break;
        }
    }
    let (path, account) = rejected.unwrap();
    let body = json!({ "accountId": account, "reason": "another company" });
    for _ in 0..2 {
        let answer = desk
            .call(
                Method::POST,
                &format!("{path}/suggestion-rejections"),
                Some(body.clone()),
            )
            .await;
        assert_eq!(answer.status, 204, "{}", answer.text);
    }
    let nothing = json!({ "accountId": "0197a1b2-0000-7000-8000-00000000ffff" });
    let unknown = desk
        .call(
            Method::POST,
            &format!("{path}/suggestion-rejections"),
            Some(nothing),
        )
        .await;
    assert_eq!(unknown.status, 404);
    desk.job("/v1/auto-match?dryRun=false", None).await;
    let made = desk.get(&format!("{path}/suggestions")).await;
    let again = made["value"]
        .as_array()
        .unwrap()
        .iter()
        .any(|it| it["accountId"] == account);
    assert!(!again, "{made}");
    desk.stop().await;
}

on_both_engines!(
    a_plan_maps_nothing_until_it_is_applied_and_takes_back_what_nobody_touched,
    a_plan_tells_how_many_subscriptions_move_along,
    a_plan_that_was_chosen_before_the_process_died_is_applied_by_the_next,
    a_rejected_suggestion_does_not_come_back_on_the_same_evidence,
);
