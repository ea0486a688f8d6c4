//! Looking again at what is mapped, asked for through real HTTP (B9, B10).

use provider_bridge::simulator::Change;
use provider_bridge::store::Engine;
use provider_bridge::store::entities::exception;
use reqwest::Method;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;

use super::desk::Desk;
use crate::on_both_engines;

async fn open(desk: &Desk, kind: &str) -> Vec<exception::Model> {
    exception::Entity::find()
        .filter(exception::Column::Kind.eq(kind))
        .filter(exception::Column::ClosedAt.is_null())
        .all(desk.flows.store.reader())
        .await
        .unwrap()
}

async fn evidence_that_points_elsewhere_is_an_exception_until_the_mapping_follows_it(
    engine: Engine,
) {
    let desk = Desk::on(engine, 40).await;
    let job = desk.job("/v1/auto-match", None).await;
    let plan = job["result"]["planId"].as_str().unwrap();
    let items = desk.get(&format!("/v1/match-plans/{plan}/items")).await;
    let (one, other) = (&items["value"][0], &items["value"][1]);
    let mapping = format!(
        "/v1/provider-accounts/{}/mapping",
        one["providerAccountId"].as_str().unwrap()
    );
    let wrong = json!({ "accountId": other["accountId"] });
    let answer = desk.call(Method::PUT, &mapping, Some(wrong)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);

    for _ in 0..2 {
        let job = desk.job("/v1/mapping-checks", None).await;
        assert_eq!(job["result"]["drift"], 1, "{job}");
        let told = open(&desk, "mapping-drift").await;
        assert_eq!(told.len(), 1);
        assert!(told[0].detail.contains(one["accountId"].as_str().unwrap()));
        assert!(told[0].remedy.contains("remap"));
    }
    let right = json!({ "accountId": one["accountId"] });
    let answer = desk.call(Method::PUT, &mapping, Some(right)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(open(&desk, "mapping-drift").await.is_empty());

    // An account that is deactivated breaks its mapping, and its return mends it: the look reads the CRM first.
    let account = one["accountId"].as_str().unwrap().parse().unwrap();
    for (active, broken) in [(false, 1), (true, 0)] {
        let change = Change::SetActive { account, active };
        desk.simulator.world().change(change).unwrap();
        desk.job("/v1/mapping-checks", None).await;
        assert_eq!(open(&desk, "broken-mapping").await.len(), broken);
    }
    desk.stop().await;
}

on_both_engines!(evidence_that_points_elsewhere_is_an_exception_until_the_mapping_follows_it,);
