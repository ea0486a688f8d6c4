//! How a provider fares (A2): what lapses, what is lost, who is told, and how often.

use std::sync::Arc;
use std::time::Duration;

use provider_bridge::domain::caller::Role;
use provider_bridge::identity::consent::{ConsentWatch, Outcome, Step};
use provider_bridge::simulator::FaultKind;
use provider_bridge::store::entities::outbox_event;
use reqwest::Method;
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::{Value, json};

use super::browser::{Stand, admin};
use crate::on_both_engines;
use crate::support::app::{Answer, Settings, TestApp};

const ADA: &str = "admin@partner.example";

fn days(count: u64) -> Duration {
    Duration::from_secs(count * 86_400)
}

/// What people were told about consents: event type and data, in order.
async fn told(stand: &Stand) -> Vec<(String, Value)> {
    let rows = outbox_event::Entity::find()
        .order_by_asc(outbox_event::Column::Seq)
        .all(stand.store.reader())
        .await
        .unwrap();
    let events = rows.into_iter().map(|row| (row.event_type, row.data));
    events
        .filter(|(event_type, _)| event_type.starts_with("consent."))
        .collect()
}

fn watch(stand: &Stand) -> ConsentWatch {
    let keeper = Arc::new(stand.keeper());
    ConsentWatch::new(stand.store.clone(), stand.context.clone(), keeper)
}

/// The service over the same store, its clock as late as the stand's.
async fn service(stand: &Stand) -> (TestApp, String) {
    let settings = Settings {
        seed: 99,
        ..Settings::default()
    };
    let app = TestApp::start_with(stand.store.clone(), settings).await;
    app.clock.set(stand.context.now());
    let key = app.key(&[Role::Admin]).await;
    (app, key)
}

async fn shown(app: &TestApp, key: &str, stand: &Stand) -> Value {
    app.clock.set(stand.context.now());
    let path = format!("/v1/providers/{}", stand.provider);
    app.get(key, &path).await.body["health"].clone()
}

async fn ready(app: &TestApp, stand: &Stand) -> Answer {
    app.clock.set(stand.context.now());
    Answer::of(app.request(Method::GET, "/health/ready")).await
}

on_both_engines! {
    async fn a_consent_that_cannot_be_used_is_told_as_lapsing_once_and_then_as_lost_once(store: TestStore) {
        let stand = Stand::new(&store).await;
        stand.connected().await;
        let (app, key) = service(&stand).await;
        assert_eq!(ready(&app, &stand).await.body, json!({ "status": "ok", "degraded": [] }));
        stand.fault(FaultKind::ServerError { status: 503 });
        stand.clock.advance(days(75));
        // Whoever finds the other at work waits for it.
        stand.clock.advance_by_itself();
        let (one, other) = (watch(&stand), watch(&stand));
        one.look().await.unwrap();
        assert_eq!(told(&stand).await, []);

        stand.clock.advance(days(2) - Duration::from_secs(3600));
        // Two instances look at the same time, and again.
        let (a, b) = futures_util::join!(one.look(), other.look());
        a.unwrap();
        b.unwrap();
        one.look().await.unwrap();
        let events = told(&stand).await;
        assert_eq!(events.len(), 1, "{events:?}");
        let (event_type, data) = &events[0];
        assert_eq!(event_type, "consent.lapsing");
        assert_eq!((&data["credential"], &data["daysLeft"]), (&json!("user-consent"), &json!(13)));
        let health = shown(&app, &key, &stand).await;
        assert_eq!(health["status"], "degraded");
        assert_eq!(health["issues"], json!(["consent-lapsing"]));
        assert_eq!(health["consentDaysLeft"], 13);
        assert_eq!(health["lastError"]["class"], "transient", "{health}");
        let answer = ready(&app, &stand).await;
        assert_eq!(answer.status, 200);
        let named = json!([{ "issue": "consent-lapsing", "providerId": stand.provider.to_string() }]);
        assert_eq!(answer.body, json!({ "status": "degraded", "degraded": named }));

        stand.clock.advance(days(14));
        let (a, b) = futures_util::join!(one.look(), other.look());
        a.unwrap();
        b.unwrap();
        let events = told(&stand).await;
        assert_eq!(events.len(), 2, "{events:?}");
        assert_eq!(events[1].0, "consent.lost");
        assert_eq!(events[1].1["reason"], "lapsed");
        assert_eq!(shown(&app, &key, &stand).await["issues"], json!(["consent-lost"]));

        // Consent begins a new episode.
        stand.simulator.faults().clear();
        assert_eq!(stand.user_consent(ADA).await, Ok(Outcome::Connected));
        assert_eq!(shown(&app, &key, &stand).await["issues"], json!([]));
        stand.fault(FaultKind::ServerError { status: 503 });
        stand.clock.advance(days(80));
        one.look().await.unwrap();
        assert_eq!(told(&stand).await.len(), 3);
    }

    async fn a_refused_refresh_is_a_lost_consent_and_a_refused_change_is_none(store: TestStore) {
        let stand = Stand::new(&store).await;
        stand.connected().await;
        // A change that the one who signs in declines: the sign-in before it still works.
        let mut answer = stand.round_trip(Step::User, ADA).await;
        answer.code = None;
        answer.error = Some("access_denied".to_owned());
        stand.hand_in(&answer).await.unwrap_err();
        assert!(stand.consent().await.failure.is_some());
        assert_eq!(told(&stand).await, []);
        let (app, key) = service(&stand).await;
        assert_eq!(shown(&app, &key, &stand).await["issues"], json!([]));
        assert_eq!(shown(&app, &key, &stand).await["lastError"]["class"], "operator");

        let keeper = stand.keeper();
        stand.fault(FaultKind::EntraError { error: "invalid_grant".to_owned(), code: 50173 });
        for _ in 0..3 {
            stand.token(&keeper).await.unwrap_err();
        }
        let events = told(&stand).await;
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(events[0].1["reason"], "refused");
        assert!(events[0].1["detail"].as_str().unwrap().contains("AADSTS50173"));
        assert_eq!(shown(&app, &key, &stand).await["issues"], json!(["consent-lost"]));

        // What is lost is not lost once more by being forgotten, nor by being forgotten twice.
        stand.consents.revoke(&admin(), stand.provider).await.unwrap();
        stand.consents.revoke(&admin(), stand.provider).await.unwrap();
        assert_eq!(told(&stand).await.len(), 1);
        assert_eq!(shown(&app, &key, &stand).await["issues"], json!([]));
        stand.simulator.faults().clear();
        stand.user_consent(ADA).await.unwrap();
        stand.consents.revoke(&admin(), stand.provider).await.unwrap();
        let events = told(&stand).await;
        assert_eq!(events.len(), 2, "{events:?}");
        assert_eq!(events[1].1["reason"], "revoked");
    }

    async fn a_consent_that_nobody_uses_is_used_before_it_lapses(store: TestStore) {
        let stand = Stand::new(&store).await;
        stand.connected().await;
        let watch = watch(&stand);
        watch.look().await.unwrap();
        assert_eq!(stand.consent().await.version, 1, "it was used just now");
        for _ in 0..20 {
            stand.clock.advance(days(8));
            watch.look().await.unwrap();
        }
        let consent = stand.consent().await;
        assert_eq!(consent.version, 21);
        assert_eq!(consent.refreshed_at, Some(stand.context.now()));
        assert_eq!(told(&stand).await, []);
    }

    async fn a_client_secret_is_told_of_before_and_when_it_expires(store: TestStore) {
        let stand = Stand::new(&store).await;
        let (app, key) = service(&stand).await;
        let path = format!("/v1/providers/{}", stand.provider);
        let expires = |count| json!({ "clientSecretExpiresAt": (stand.context.now() + days(count)).to_rfc3339() });
        let over = json!({ "clientSecretExpiresAt": "2001-01-01T00:00:00Z" });
        assert_eq!(app.send(Method::PATCH, &key, &path, &over).await.status, 422);
        let set = app.send(Method::PATCH, &key, &path, &expires(30)).await;
        assert_eq!((set.status, &set.body["health"]["clientSecretDaysLeft"]), (200, &json!(30)), "{}", set.text);
        let watch = watch(&stand);
        watch.look().await.unwrap();
        assert_eq!(told(&stand).await, []);

        stand.clock.advance(days(20));
        watch.look().await.unwrap();
        watch.look().await.unwrap();
        stand.clock.advance(days(11));
        watch.look().await.unwrap();
        let events = told(&stand).await;
        let types: Vec<_> = events.iter().map(|(event_type, _)| event_type.as_str()).collect();
        assert_eq!(types, ["consent.lapsing", "consent.lost"]);
        assert!(events.iter().all(|(_, data)| data["credential"] == "client-secret"), "{events:?}");
        assert_eq!(shown(&app, &key, &stand).await["issues"], json!(["client-secret-expired"]));

        // A new secret, of which nobody says when it expires.
        let renewed = app.send(Method::PATCH, &key, &path, &json!({ "clientSecret": "another" })).await;
        assert_eq!(renewed.body["health"]["status"], "ok", "{}", renewed.text);
        assert_eq!(renewed.body["health"]["clientSecretExpiresAt"], Value::Null);
    }
}
