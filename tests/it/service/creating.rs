//! Create the account and map (B8) through real HTTP: the duplicate check, one account however often it is asked for, and a
//! creation that was cut off before the mapping.

use provider_bridge::simulator::{Fault, FaultKind, Upstream};
use provider_bridge::store::Engine;
use reqwest::Method;
use serde_json::{Value, json};

use super::desk::Desk;
use crate::on_both_engines;

const CUSTOMERS: usize = 40;

fn accounts(desk: &Desk) -> usize {
    desk.simulator
        .world()
        .read(provider_bridge::simulator::World::account_count)
}

/// Unmapped provider accounts: one whose customer the CRM has and one it has not.
async fn known_and_unknown(desk: &Desk) -> (String, String) {
    let page = desk
        .get("/v1/provider-accounts?state=unmapped&$top=500")
        .await;
    let truths: Vec<(String, bool)> = desk.simulator.world().read(|world| {
        let truths = world.truths();
        truths
            .map(|(id, account)| (id.to_string(), account.is_some()))
            .collect()
    });
    let (mut known, mut unknown) = (None, None);
    for row in page["value"].as_array().unwrap() {
        let path = format!(
            "/v1/provider-accounts/{}",
            row["providerAccountId"].as_str().unwrap()
        );
        let external = row["externalId"].as_str().unwrap();
        let has = truths.iter().any(|(id, has)| id == external && *has);
        if !has {
            unknown = unknown.or(Some(path));
            continue;
        }
        let made = desk.get(&format!("{path}/suggestions")).await;
        if known.is_none() && !made["value"].as_array().unwrap().is_empty() {
            known = Some(path);
        }
    }
    (known.unwrap(), unknown.unwrap())
}

async fn candidates_stop_a_creation_until_somebody_has_looked(engine: Engine) {
    let desk = Desk::on(engine, CUSTOMERS).await;
    let (known, unknown) = known_and_unknown(&desk).await;
    let before = accounts(&desk);
    let refused = desk
        .call(Method::POST, &format!("{known}/account"), Some(json!({})))
        .await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    let candidates = refused.body["current"]["candidates"].as_array().unwrap();
    assert!(candidates[0]["evidence"][0]["text"].is_string());
    assert!(candidates[0]["accountName"].is_string());
    assert_eq!(accounts(&desk), before);

    let wrong = json!({ "confirmed": true, "name": "  " });
    let wrong = desk
        .call(Method::POST, &format!("{unknown}/account"), Some(wrong))
        .await;
    assert_eq!(wrong.status, 422);
    let confirmed = json!({ "confirmed": true, "name": "Adatum Works" });
    let mut account = Value::Null;
    for _ in 0..2 {
        let answer = desk
            .call(
                Method::POST,
                &format!("{unknown}/account"),
                Some(confirmed.clone()),
            )
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.body["state"], "mapped");
        assert_eq!(answer.body["accountName"], "Adatum Works");
        assert!(account.is_null() || account == answer.body["accountId"]);
        account = answer.body["accountId"].clone();
        assert_eq!(accounts(&desk), before + 1);
        desk.runner.run_due().await;
    }
    let id = account.as_str().unwrap();
    let live = desk.get(&format!("/v1/accounts/{id}")).await;
    assert_eq!(live["name"], "Adatum Works");
    desk.stop().await;
}

async fn a_creation_that_was_cut_off_is_taken_up_without_a_second_account(engine: Engine) {
    let desk = Desk::on(engine, CUSTOMERS).await;
    let (_, unknown) = known_and_unknown(&desk).await;
    let before = accounts(&desk);
    // The account is made, and then the CRM cannot be read any more.
    let mut fault = Fault::new(Upstream::Dataverse, FaultKind::ServerError { status: 503 });
    fault.operation = Some("account-by-id".to_owned());
    let faults = desk.simulator.faults();
    let fault = faults.add(fault, desk.flows.context.now());
    let body = json!({ "confirmed": true });
    let answer = desk
        .call(
            Method::POST,
            &format!("{unknown}/account"),
            Some(body.clone()),
        )
        .await;
    assert!(answer.status >= 500, "{}", answer.text);
    assert_eq!(accounts(&desk), before + 1);
    assert_eq!(desk.get(&unknown).await["mapping"]["state"], "unmapped");

    faults.remove(fault);
    desk.runner.run_due().await;

    let mapping = desk.get(&unknown).await["mapping"].clone();
    assert_eq!(mapping["state"], "mapped", "{mapping}");
    assert_eq!(mapping["mappedBy"], "person");
    assert_eq!(accounts(&desk), before + 1);
    let again = desk
        .call(Method::POST, &format!("{unknown}/account"), Some(body))
        .await;
    assert_eq!(again.body["accountId"], mapping["accountId"]);
    assert_eq!(accounts(&desk), before + 1);
    desk.stop().await;
}

on_both_engines!(
    candidates_stop_a_creation_until_somebody_has_looked,
    a_creation_that_was_cut_off_is_taken_up_without_a_second_account,
);
