//! "Why did nothing change?" over HTTP: each precondition in a plain sentence (D7).

use provider_bridge::domain::ports::provider::FailureKind;
use reqwest::Method;
use serde_json::{Value, json};

use super::subscriptions::Desk;
use crate::support::fake_provider::{failure, listed};

async fn explained(desk: &Desk) -> Value {
    let one = desk.subscriptions().await.remove(0);
    let id = one["subscriptionId"].as_str().unwrap();
    desk.get(&format!("/v1/subscriptions/{id}/explanation"))
        .await
        .body
}

fn broken(explained: &Value) -> Vec<&str> {
    let all = explained["preconditions"].as_array().unwrap().iter();
    all.filter(|it| it["holds"] == false)
        .map(|it| it["name"].as_str().unwrap())
        .collect()
}

crate::on_both_engines! {
    async fn what_stands_in_the_way_of_a_change_is_said_in_plain_sentences(store: TestStore) {
        let desk = Desk::of(&store, &["C1"]).await;
        desk.provider.set("C1", vec![listed("s-1", "5")]);
        desk.sync().await;
        let found = explained(&desk).await;
        assert_eq!(broken(&found), ["mapped", "in a billing contract"], "{found}");
        assert!(found["summary"].as_str().unwrap().contains("map it"), "{found}");
        desk.map(0, 1).await;
        desk.contract(1, "Cloud", json!({})).await;
        let found = explained(&desk).await;
        assert_eq!((broken(&found).len(), &found["differences"]), (0, &json!([])), "{found}");
        assert!(found["summary"].as_str().unwrap().starts_with("nothing changed"), "{found}");
        assert!(found["lastComparedAt"].is_string());

        desk.provider.set("C1", vec![listed("s-1", "6")]);
        let found = explained(&desk).await;
        assert_eq!((&found["keptQuantity"], &found["liveQuantity"]), (&json!("5"), &json!("6")));
        assert!(found["summary"].as_str().unwrap().contains("the next one takes it over"), "{found}");
        desk.provider.answer("C1", Err(failure(FailureKind::Consent, "the token was refused")));
        let found = explained(&desk).await;
        assert_eq!(broken(&found), ["provider answers"]);
        assert!(found["summary"].as_str().unwrap().contains("consent"), "{found}");
        desk.provider.set("C1", Vec::new());
        assert_eq!(broken(&explained(&desk).await), ["listed at the provider"]);
    }

    async fn a_schedule_of_the_settings_file_is_not_changed_here(store: TestStore) {
        let desk = Desk::of(&store, &["C1"]).await;
        let tx = desk.app.flows.store.begin().await.unwrap();
        let sweep = provider_bridge::domain::job::JobWork::Sweep;
        let at = desk.app.context.now();
        provider_bridge::store::jobs::schedules::keep(&tx, &desk.app.context, &sweep, "0 3 * * *", "UTC", true, at).await.unwrap();
        tx.commit().await.unwrap();
        let all = desk.get("/v1/schedules").await;
        let id = all.body["value"][0]["scheduleId"].as_str().unwrap().to_owned();
        let refused = desk.app.send(Method::PATCH, &desk.key, &format!("/v1/schedules/{id}"), &json!({ "enabled": false })).await;
        assert_eq!((refused.status, refused.code()), (422, "rule-violated"), "{refused:?}");
    }
}
