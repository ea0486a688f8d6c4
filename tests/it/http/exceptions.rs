//! Exceptions over HTTP: raised with their remedy, counted, cared for, and closed when the fact is mended (D6).

use std::time::Duration;

use chrono::TimeDelta;
use provider_bridge::domain::caller::Role;
use provider_bridge::domain::ports::provider::FailureKind;
use provider_bridge::store::entities::outbox_event;
use provider_bridge::store::outbox;
use reqwest::Method;
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::{Value, json};

use super::subscriptions::{Desk, texts};
use crate::support::app::Answer;
use crate::support::fake_provider::{costing, failure, listed};

async fn kinds(desk: &Desk) -> Vec<String> {
    let mut kinds = texts(&desk.get("/v1/exceptions").await.body["value"], "kind");
    kinds.sort();
    kinds
}

/// The data of every event about exceptions, by kind.
async fn raised(desk: &Desk) -> Vec<Value> {
    let reader = desk.app.flows.store.reader();
    let all = outbox_event::Entity::find().all(reader).await.unwrap();
    let of_exceptions = all
        .into_iter()
        .filter(|event| event.event_type == "exception.raised");
    let mut raised: Vec<Value> = of_exceptions.map(|event| event.data).collect();
    raised.sort_by_key(|data| data["kind"].to_string());
    raised
}

crate::on_both_engines! {
    async fn an_exception_is_raised_told_cared_for_and_closes_with_its_fact(store: TestStore) {
        let desk = Desk::of(&store, &["C1"]).await;
        desk.provider.set("C1", vec![listed("s-1", "5"), costing(listed("s-2", "2"), "3", "EUR")]);
        desk.sync().await;
        assert_eq!(kinds(&desk).await, ["subscription-without-customer"; 2]);
        let listed_now = desk.get("/v1/exceptions").await;
        let one = &listed_now.body["value"][0];
        assert!(one["remedy"].as_str().unwrap().contains("map the provider account"), "{one}");
        assert!(one["link"].as_str().unwrap().contains("/v1/subscriptions/"), "{one}");
        assert!(one["detail"].as_str().unwrap().contains(" of C1 has no account"), "{one}");
        let told = outbox::all(desk.app.flows.store.reader()).await.unwrap();
        assert_eq!(told.iter().filter(|event| event.event_type == "exception.raised").count(), 1, "one of a first import tells of all of a kind");

        desk.map(0, 1).await;
        assert_eq!(kinds(&desk).await, ["account-without-contract", "subscription-without-contract", "subscription-without-contract"]);
        let without = desk.get("/v1/exceptions?kind=account-without-contract").await;
        let detail = &without.body["value"][0]["detail"];
        assert_eq!(detail, "account Contoso Ltd has subscriptions and has no open billing contract");
        desk.contract(1, "Cloud", json!({})).await;
        assert_eq!(kinds(&desk).await, ["subscription-without-price"; 2]);
        let second = desk.subscriptions().await.remove(1);
        let path = format!("/v1/subscriptions/{}", second["subscriptionId"].as_str().unwrap());
        desk.app.send(Method::PATCH, &desk.key, &path, &json!({ "sellingPrice": "2.5" })).await;
        assert_eq!(kinds(&desk).await, ["subscription-lost-margin", "subscription-without-price"]);

        let counts = desk.get("/v1/exception-counts").await;
        let of = |kind: &str| counts.body["value"].as_array().unwrap().iter().find(|it| it["kind"] == kind).unwrap().clone();
        assert_eq!((&of("subscription-lost-margin")["open"], &of("subscription-lost-margin")["withinDay"]), (&json!(1), &json!(1)));
        desk.app.clock.advance(Duration::from_secs(86_400 * 8));
        let counts = desk.get("/v1/exception-counts").await;
        let margin = &counts.body["value"].as_array().unwrap().iter().find(|it| it["kind"] == "subscription-lost-margin").unwrap().clone();
        assert_eq!((&margin["withinWeek"], &margin["withinMonth"]), (&json!(0), &json!(1)));

        let all = desk.get("/v1/exceptions?kind=subscription-lost-margin").await;
        let id = all.body["value"][0]["exceptionId"].as_str().unwrap().to_owned();
        let acknowledged = desk.post(&format!("/v1/exceptions/{id}/acknowledgement"), json!({ "reason": "asked Sales" })).await;
        assert_eq!((acknowledged.status, &acknowledged.body["note"]), (200, &json!("asked Sales")), "{acknowledged:?}");
        assert_eq!(texts(&desk.get("/v1/exceptions?acknowledged=false").await.body["value"], "kind"), ["subscription-without-price"]);
        let until = |days: i64| json!({ "until": desk.app.context.now() + TimeDelta::days(days), "reason": "until the renewal" });
        for days in [-1, 91] {
            assert_eq!(desk.post(&format!("/v1/exceptions/{id}/snooze"), until(days)).await.status, 422);
        }
        assert_eq!(desk.post(&format!("/v1/exceptions/{id}/acknowledgement"), json!({ "reason": " " })).await.status, 422);
        assert_eq!(desk.post(&format!("/v1/exceptions/{id}/snooze"), until(2)).await.status, 200);
        assert_eq!(kinds(&desk).await, ["subscription-without-price"]);
        assert_eq!(desk.get("/v1/exceptions?withSnoozed=true").await.body["value"].as_array().unwrap().len(), 2);
        desk.app.clock.advance(Duration::from_secs(86_400 * 3));
        assert_eq!(kinds(&desk).await, ["subscription-lost-margin", "subscription-without-price"], "it wakes up");
        desk.app.send(Method::PATCH, &desk.key, &path, &json!({ "sellingPrice": "3.5" })).await;
        assert_eq!(kinds(&desk).await, ["subscription-without-price"]);
        let closed = desk.post(&format!("/v1/exceptions/{id}/acknowledgement"), json!({ "reason": "late" })).await;
        assert_eq!((closed.status, closed.code()), (409, "conflict"));
        let reader = desk.app.key(&[Role::Reader]).await;
        let path = format!("/v1/exceptions/{id}/acknowledgement");
        let refused: Answer = desk.app.send(Method::POST, &reader, &path, &json!({ "reason": "r" })).await;
        assert_eq!(refused.status, 403);
    }

    async fn what_an_exception_says_follows_the_facts_and_is_told_once(store: TestStore) {
        let desk = Desk::of(&store, &["C1"]).await;
        desk.map(0, 1).await;
        let one = async || desk.get("/v1/exceptions?kind=account-without-contract").await.body["value"][0].clone();
        let before = one().await;
        assert_eq!(before["detail"], "account Contoso Ltd is mapped and has no open billing contract");
        desk.provider.set("C1", vec![listed("s-1", "5")]);
        desk.sync().await;
        let now = one().await;
        assert_eq!(now["detail"], "account Contoso Ltd has subscriptions and has no open billing contract");
        assert_eq!((&now["exceptionId"], &now["openedAt"]), (&before["exceptionId"], &before["openedAt"]), "it is the same");
        let contract = desk.contract(1, "Cloud", json!({})).await;
        let subscription = desk.subscriptions().await.remove(0);
        let path = format!("/v1/subscriptions/{}", subscription["subscriptionId"].as_str().unwrap());
        desk.app.send(Method::PATCH, &desk.key, &path, &json!({ "sellingPrice": "1" })).await;
        let margin = async || desk.get("/v1/exceptions?kind=subscription-lost-margin").await.body["value"][0].clone();
        let mut details = Vec::new();
        for cost in ["3", "4"] {
            desk.provider.set("C1", vec![costing(listed("s-1", "5"), cost, "EUR")]);
            desk.sync().await;
            let it = margin().await;
            details.push((it["exceptionId"].clone(), it["detail"].as_str().unwrap_or_default().to_owned()));
        }
        assert!(details[0].1.contains("costs 3 and is sold for 1") && details[1].1.contains("costs 4 and is sold for 1"), "{details:?}");
        assert_eq!(details[0].0, details[1].0, "of contract {contract}");
        let told = raised(&desk).await;
        for kind in ["account-without-contract", "subscription-lost-margin"] {
            assert_eq!(told.iter().filter(|it| it["kind"] == kind).count(), 1, "{kind}: {told:?}");
        }
    }

    async fn jobs_are_listed_cancelled_and_run_again_and_a_schedule_fires_now_off_and_on(store: TestStore) {
        let desk = Desk::of(&store, &["C1"]).await;
        let first = desk.sync().await;
        let id = first["jobId"].as_str().unwrap();
        let again = desk.post(&format!("/v1/jobs/{id}/rerun"), json!({})).await;
        assert_eq!((again.status, &again.body["state"]), (202, &json!("waiting")), "{again:?}");
        assert!(again.header("location").contains("/v1/jobs/"));
        let waiting = again.body["jobId"].as_str().unwrap();
        let same = desk.post(&format!("/v1/jobs/{id}/rerun"), json!({})).await;
        assert_eq!(same.body["jobId"], waiting, "while it is unfinished, it is the answer");
        let cancelled = desk.post(&format!("/v1/jobs/{waiting}/cancellation"), json!({})).await;
        assert_eq!((cancelled.status, &cancelled.body["state"]), (200, &json!("cancelled")), "{cancelled:?}");
        let ended = desk.post(&format!("/v1/jobs/{id}/cancellation"), json!({})).await;
        assert_eq!(ended.body["state"], "succeeded");
        let page = desk.get("/v1/jobs?kind=sync-subscriptions&$top=1").await;
        assert_eq!((&page.body["value"][0]["jobId"], page.body["@odata.nextLink"].is_string()), (&json!(waiting), true));
        let states = desk.get("/v1/jobs?state=succeeded&kind=sync-subscriptions").await;
        assert_eq!(states.body["value"][0]["jobId"], id);
        assert_eq!(desk.app.get(&desk.key, "/v1/jobs?state=asleep").await.status, 400);

        let provider = desk.get("/v1/provider-accounts").await.body["value"][0]["providerId"].as_str().unwrap().to_owned();
        let path = format!("/v1/providers/{provider}/subscription-schedule");
        let put = async |body: Value| desk.app.send(Method::PUT, &desk.key, &path, &body).await;
        let refused = put(json!({ "cron": "every day", "timeZone": "Europe/Zurich" })).await;
        assert_eq!(refused.status, 422, "{refused:?}");
        let kept = put(json!({ "cron": "0 4 * * *", "timeZone": "Europe/Zurich" })).await;
        assert_eq!((kept.status, &kept.body["enabled"], &kept.body["kind"]), (200, &json!(true), &json!("sync-subscriptions")), "{kept:?}");
        let schedule = kept.body["scheduleId"].as_str().unwrap().to_owned();
        let off = desk.app.send(Method::PATCH, &desk.key, &format!("/v1/schedules/{schedule}"), &json!({ "enabled": false })).await;
        assert_eq!((off.status, &off.body["enabled"], off.body.get("nextRunAt")), (200, &json!(false), None));
        let now = desk.post(&format!("/v1/schedules/{schedule}/run"), json!({})).await;
        assert_eq!(now.status, 202, "{now:?}");
        let all = desk.get("/v1/schedules").await;
        assert_eq!(texts(&all.body["value"], "scheduleId"), [schedule.as_str()]);
        let on = desk.app.send(Method::PATCH, &desk.key, &format!("/v1/schedules/{schedule}"), &json!({ "enabled": true })).await;
        assert!(on.body["nextRunAt"].is_string(), "{on:?}");
        let runner = provider_bridge::jobs::Runner::new(desk.app.flows.clone(), provider_bridge::jobs::RunnerSettings::default());
        runner.run_due().await;
        desk.app.clock.advance(Duration::from_secs(86_400));
        assert_eq!(provider_bridge::jobs::fire_due(&desk.app.flows).await.unwrap(), 1);
        assert_eq!(provider_bridge::jobs::fire_due(&desk.app.flows).await.unwrap(), 0, "it fires once");
        let history = desk.get(&format!("/v1/schedules/{schedule}/jobs")).await;
        assert_eq!(texts(&history.body["value"], "state"), ["waiting"]);
    }

    async fn a_first_import_is_told_together_and_what_comes_later_one_by_one(store: TestStore) {
        let desk = Desk::of(&store, &["C1", "C2"]).await;
        desk.provider.set("C1", vec![listed("s-1", "5"), listed("s-2", "2")]);
        desk.provider.answer("C2", Err(failure(FailureKind::Consent, "the consent is gone")));
        desk.map(0, 1).await;
        desk.sync().await;
        assert_eq!(raised(&desk).await, Vec::<Value>::new(), "the import goes on: nobody is told yet");
        desk.provider.set("C2", vec![listed("s-3", "1")]);
        assert_eq!(desk.sync().await["state"], "succeeded");
        let told = raised(&desk).await;
        let of = |data: &Value| json!([data["kind"], data["count"], data["initialImport"], data["exceptionId"]]);
        assert_eq!(told.iter().map(of).collect::<Vec<_>>(), [
            json!(["account-without-contract", 1, true, null]),
            json!(["subscription-without-contract", 2, true, null]),
            json!(["subscription-without-customer", 1, true, null]),
        ]);
        assert!(told[0]["subject"].as_str().unwrap().starts_with("provider/"), "{told:?}");

        desk.provider.set("C2", vec![listed("s-3", "1"), listed("s-4", "1")]);
        desk.sync().await;
        let told = raised(&desk).await;
        assert_eq!(told.len(), 4, "{told:?}");
        let one = told.iter().find(|data| data["initialImport"] == false).unwrap();
        assert_eq!((&one["kind"], &one["count"]), (&json!("subscription-without-customer"), &json!(1)));
        assert!(one["exceptionId"].is_string(), "{one}");
    }

    async fn an_import_that_does_not_end_is_told_of_after_a_day(store: TestStore) {
        let desk = Desk::of(&store, &["C1"]).await;
        desk.provider.answer("C1", Err(failure(FailureKind::Consent, "the consent is gone")));
        desk.map(0, 1).await;
        desk.sync().await;
        for (hours, told) in [(20, 0), (5, 1), (30, 1)] {
            desk.app.clock.advance(Duration::from_secs(3600 * hours));
            desk.watch().await;
            let all = raised(&desk).await;
            let of_kind = all.iter().filter(|data| data["kind"] == "account-without-contract");
            assert_eq!(of_kind.count(), told, "{hours} hours later");
        }
    }

    async fn what_was_not_synced_for_long_is_stale_until_it_is(store: TestStore) {
        let desk = Desk::of(&store, &["C1", "C2"]).await;
        let stale = async || texts(&desk.get("/v1/exceptions?kind=stale-sync").await.body["value"], "subject");
        let hours = async |hours: u64| {
            desk.app.clock.advance(Duration::from_secs(3600 * hours));
            desk.watch().await;
        };
        desk.map(0, 1).await;
        desk.map(1, 2).await;
        let contract = desk.contract(1, "Cloud", json!({})).await;
        desk.contract(2, "Cloud", json!({})).await;
        desk.listed_customers().await;
        desk.sync().await;
        hours(47).await;
        assert_eq!(stale().await, Vec::<String>::new());
        hours(2).await;
        let row = desk.get("/v1/exceptions?kind=stale-sync").await.body["value"][0].clone();
        assert!(row["subject"].as_str().unwrap().starts_with("provider/"), "{row}");
        assert!(row["detail"].as_str().unwrap().contains("customers were last read to the end"), "{row}");
        assert!(row["detail"].as_str().unwrap().contains("subscriptions were last read to the end"), "{row}");
        desk.listed_customers().await;
        desk.provider.answer("C1", Err(failure(FailureKind::Transient, "later")));
        desk.sync().await;
        assert_eq!(stale().await, Vec::<String>::new(), "closed with the sync that mends it");

        let settings = desk.app.send(Method::PATCH, &desk.key, "/v1/settings", &json!({ "staleSyncHours": 12 })).await;
        assert_eq!((settings.status, &settings.body["staleSyncHours"]), (200, &json!(12)), "{settings:?}");
        hours(1).await;
        assert_eq!(stale().await, [format!("billing-contract/{contract}")], "its customer was not read for two days");
        desk.provider.set("C1", vec![listed("s-1", "1")]);
        desk.sync().await;
        assert_eq!(stale().await, Vec::<String>::new());
        let refused = desk.app.send(Method::PATCH, &desk.key, "/v1/settings", &json!({ "staleSyncHours": 0 })).await;
        assert_eq!(refused.status, 422);
    }

    async fn a_change_that_failed_or_waits_too_long_is_an_exception_until_it_is_done(store: TestStore) {
        let desk = Desk::of(&store, &["C1"]).await;
        desk.map(0, 1).await;
        desk.contract(1, "Cloud", json!({ "defaultPriceList": "Standard" })).await;
        desk.provider.set("C1", vec![listed("s-1", "5"), listed("s-2", "1")]);
        desk.sync().await;
        assert_eq!(kinds(&desk).await, Vec::<String>::new());
        let becomes = async |name: &str, state: &str| {
            let sql = format!("UPDATE license_change SET provisioning = '{state}' WHERE subscription_id = (SELECT id FROM subscription WHERE external_id = '{name}')");
            let tx = desk.app.flows.store.begin().await.unwrap();
            tx.execute_unprepared(&sql).await.unwrap();
            tx.commit().await.unwrap();
        };
        becomes("s-1", "awaiting-provisioning").await;
        becomes("s-2", "failed-provisioning").await;
        desk.watch().await;
        assert_eq!(kinds(&desk).await, ["license-change-overdue"]);
        desk.provider.set("C1", vec![listed("s-1", "6"), listed("s-2", "2")]);
        desk.sync().await;
        assert_eq!(kinds(&desk).await, ["license-change-failed", "license-change-overdue"]);
        becomes("s-1", "provisioned").await;
        becomes("s-2", "not-applicable").await;
        desk.watch().await;
        assert_eq!(kinds(&desk).await, ["license-change-failed"], "the regular look is for what time makes");
        desk.provider.set("C1", vec![listed("s-1", "6"), listed("s-2", "3")]);
        desk.sync().await;
        assert_eq!(kinds(&desk).await, Vec::<String>::new());
    }
}
