//! Subscriptions over HTTP: preview, choose, proceed, the report, and what holds and attaches them (D2, D4, D8, D9, D11).

use std::sync::Arc;
use std::time::Duration;

use provider_bridge::domain::caller::{Caller, Role};
use provider_bridge::domain::ids::{JobId, SyncRunId};
use provider_bridge::domain::job::JobWork;
use provider_bridge::domain::ports::provider::{FailureKind, SubscriptionListing};
use provider_bridge::domain::sync_run::{RunCounts, RunOutcome, SyncRun};
use provider_bridge::jobs::{Runner, RunnerSettings};
use provider_bridge::store::{jobs, sync_runs};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::app::{Answer, Settings, TestApp};
use crate::support::fake_provider::{FakeProvider, costing, failure, listed};
use crate::support::outside::account;
use crate::support::stores::TestStore;

/// A service with a fake provider, two accounts in the CRM and one customer a name.
pub struct Desk {
    pub app: TestApp,
    pub key: String,
    pub provider: FakeProvider,
    pub customers: Vec<String>,
}

pub fn account_id(number: u128) -> String {
    Uuid::from_u128(number).to_string()
}

pub fn texts(rows: &Value, field: &str) -> Vec<String> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row[field].as_str().unwrap_or_default().to_owned())
        .collect()
}

impl Desk {
    pub async fn of(store: &TestStore, names: &[&str]) -> Self {
        let provider = FakeProvider::default();
        let settings = Settings {
            providers: Some(Arc::new(provider.clone())),
            ..Settings::default()
        };
        let app = TestApp::start_with((**store).clone(), settings).await;
        app.crm.put(account(1, "Contoso Ltd"));
        app.crm.put(account(2, "Fabrikam"));
        let key = app.key(&[Role::Admin]).await;
        let customers = app.provider_accounts(names).await;
        Self {
            app,
            key,
            provider,
            customers,
        }
    }

    /// One that proceeded with a preview after which `s-1` changed, `s-2` vanished and the customer of `t-1` left; its contract,
    /// and the answer.
    pub async fn overtaken(store: &TestStore) -> (Self, String, Answer) {
        let desk = Self::of(store, &["C1", "C2"]).await;
        desk.map(0, 1).await;
        desk.map(1, 1).await;
        let contract = desk.contract(1, "Cloud", json!({})).await;
        desk.provider.set(
            "C1",
            vec![listed("s-1", "5"), listed("s-2", "3"), listed("s-3", "1")],
        );
        desk.provider.set("C2", vec![listed("t-1", "4")]);
        let preview = desk.preview(&contract).await;
        desk.provider
            .set("C1", vec![listed("s-1", "6"), listed("s-3", "1")]);
        let left = failure(
            FailureKind::CustomerLeft,
            "no relationship any more (20002)",
        );
        desk.provider.answer("C2", Err(left));
        let done = desk.proceed(&preview, json!({})).await;
        (desk, contract, done)
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.app.send(Method::POST, &self.key, path, &body).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        let answer = self.app.get(&self.key, path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer
    }

    pub async fn map(&self, customer: usize, account: u128) {
        let path = format!("/v1/provider-accounts/{}/mapping", self.customers[customer]);
        let body = json!({ "accountId": account_id(account) });
        let answer = self.app.send(Method::PUT, &self.key, &path, &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    pub async fn contract(&self, account: u128, name: &str, more: Value) -> String {
        let mut body = json!({
            "accountId": account_id(account),
            "name": name,
            "frequency": "monthly",
            "policy": "advance",
            "currency": "EUR",
            "startDate": "2026-01-01",
        });
        let fields = body.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        let made = self.post("/v1/billing-contracts", body).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.body["billingContractId"].as_str().unwrap().to_owned()
    }

    pub async fn preview(&self, contract: &str) -> Answer {
        self.post(
            &format!("/v1/billing-contracts/{contract}/subscription-previews"),
            json!({}),
        )
        .await
    }

    pub async fn proceed(&self, preview: &Answer, body: Value) -> Answer {
        let id = preview.body["previewId"].as_str().unwrap();
        self.post(&format!("/v1/subscription-previews/{id}/decision"), body)
            .await
    }

    /// Runs the sync of the whole provider, a minute later; gives the job.
    pub async fn sync(&self) -> Value {
        self.app.clock.advance(Duration::from_secs(60));
        let any = self.get("/v1/provider-accounts").await;
        let provider = any.body["value"][0]["providerId"].as_str().unwrap();
        let path = format!("/v1/providers/{provider}/subscription-sync");
        let asked = self.post(&path, json!({})).await;
        assert_eq!(asked.status, 202, "{asked:?}");
        Runner::new(self.app.flows.clone(), RunnerSettings::default())
            .run_due()
            .await;
        self.get(&format!(
            "/v1/jobs/{}",
            asked.body["jobId"].as_str().unwrap()
        ))
        .await
        .body
    }

    /// The regular look at exceptions.
    pub async fn watch(&self) {
        let flows = &self.app.flows;
        let tx = flows.store.begin().await.unwrap();
        let by = Caller::service("watch");
        let work = JobWork::WatchExceptions;
        jobs::enqueue(&tx, &self.app.context, &by, &work, None)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        Runner::new(flows.clone(), RunnerSettings::default())
            .run_due()
            .await;
    }

    /// The provider's customers are listed to the end.
    pub async fn listed_customers(&self) {
        let any = self.get("/v1/provider-accounts").await;
        let provider = any.body["value"][0]["providerId"].as_str().unwrap();
        let now = self.app.context.now();
        let run = SyncRun {
            id: SyncRunId::new(self.app.context.new_uuid()),
            provider_id: provider.parse().unwrap(),
            job_id: JobId::new(self.app.context.new_uuid()),
            started_at: now,
            finished_at: Some(now),
            outcome: RunOutcome::Complete,
            counts: RunCounts::default(),
            notes: Vec::new(),
            correlation_ids: Vec::new(),
        };
        let tx = self.app.flows.store.begin().await.unwrap();
        sync_runs::begin(&tx, &run).await.unwrap();
        sync_runs::save(&tx, &run).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The subscriptions, by name.
    pub async fn subscriptions(&self) -> Vec<Value> {
        self.get("/v1/subscriptions").await.body["value"]
            .as_array()
            .unwrap()
            .clone()
    }

    pub async fn log(&self, subscription: &Value) -> Vec<Value> {
        let id = subscription["subscriptionId"].as_str().unwrap();
        let answer = self
            .get(&format!("/v1/subscriptions/{id}/license-changes"))
            .await;
        answer.body["value"].as_array().unwrap().clone()
    }
}

crate::on_both_engines! {
    async fn a_preview_tells_what_a_sync_would_do_and_only_what_is_chosen_is_done(store: TestStore) {
        let desk = Desk::of(&store, &["C1"]).await;
        desk.map(0, 1).await;
        let contract = desk.contract(1, "Cloud", json!({ "defaultPriceList": "Standard" })).await;
        desk.provider.set("C1", vec![listed("s-1", "5"), listed("s-2", "3"), listed("s-3", "9")]);
        let preview = desk.preview(&contract).await;
        assert_eq!((preview.status, &preview.body["new"]), (201, &json!(3)), "{preview:?}");
        assert_eq!(desk.subscriptions().await, [] as [Value; 0], "a preview changes nothing");
        let done = desk.proceed(&preview, json!({ "externalIds": ["S-1", "s-2"] })).await;
        assert_eq!((done.status, &done.body["applied"], &done.body["run"]["new"]), (200, &json!(2), &json!(2)), "{done:?}");
        let kept = desk.subscriptions().await;
        assert_eq!(texts(&json!(kept), "externalId"), ["s-1", "s-2"]);
        assert!(kept.iter().all(|it| it["billingContractId"] == json!(contract)), "{kept:?}");
        let again = desk.proceed(&preview, json!({ "externalIds": ["s-3"] })).await;
        assert_eq!(again.body["run"]["syncRunId"], done.body["run"]["syncRunId"], "it was decided on");

        let mut renamed = listed("s-2", "3");
        renamed.facts.insert("termDuration".to_owned(), "P3Y".to_owned());
        desk.provider.set("C1", vec![listed("s-1", "7"), renamed, listed("s-3", "9")]);
        let preview = desk.preview(&contract).await;
        let items = &preview.body["items"];
        assert_eq!(texts(items, "kind"), ["changed", "changed", "new"]);
        assert_eq!(items[0]["differences"], json!([{ "field": "quantity", "old": "5", "new": "7" }]));
        assert_eq!((&items[0]["quantityOnly"], &items[1]["quantityOnly"]), (&json!(true), &json!(false)));
        assert_eq!(items[1]["differences"][0]["field"], "termDuration");
        let done = desk.proceed(&preview, json!({ "externalIds": ["s-1"] })).await;
        let run = done.body["run"]["syncRunId"].as_str().unwrap();
        let report = desk.get(&format!("/v1/subscription-sync-runs/{run}/report")).await;
        assert_eq!(report.body["value"][0]["field"], "quantity");
        assert_eq!((&report.body["value"][0]["old"], &report.body["value"][0]["new"]), (&json!("5"), &json!("7")));
        assert_eq!((&done.body["run"]["source"], &done.body["run"]["requestedBy"]), (&json!("manual"), &json!("a test's key")));
        let log = desk.log(&desk.subscriptions().await[0]).await;
        let changes: Vec<_> = log.iter().map(|it| (it["kind"].clone(), it["quantityChange"].as_f64().unwrap(), it["estimated"].clone())).collect();
        assert_eq!(changes, [(json!("activation"), 5.0, json!(false)), (json!("quantity"), 2.0, json!(true))]);
        assert!(log.iter().all(|it| it["provisioning"] == "not-applicable" && it["archived"] == false), "{log:?}");
    }

    async fn what_changed_since_the_preview_is_told_and_what_is_good_is_kept(store: TestStore) {
        let (desk, contract, done) = Desk::overtaken(&store).await;
        assert_eq!((done.status, &done.body["applied"]), (200, &json!(1)), "{done:?}");
        assert_eq!(texts(&done.body["changedSince"], "externalId"), ["s-1", "s-2"], "{done:?}");
        assert_eq!(texts(&done.body["unread"], "externalId"), ["t-1"]);
        assert_eq!(texts(&json!(desk.subscriptions().await), "externalId"), ["s-3"]);
        let run = done.body["run"]["syncRunId"].as_str().unwrap();
        let csv = desk.get(&format!("/v1/subscription-sync-runs/{run}/report.csv")).await;
        assert!(csv.header("content-type").starts_with("text/csv"));
        assert!(csv.text.contains("20002") && csv.text.contains("MS-CorrelationId canary"), "{}", csv.text);

        let preview = desk.preview(&contract).await;
        assert_eq!(preview.body["failures"][0]["providerAccountName"], "C2");
        desk.provider.set("C1", vec![listed("s-1", "8"), listed("s-3", "1")]);
        let stale = desk.proceed(&preview, json!({ "externalIds": ["s-1"] })).await;
        assert_eq!((stale.status, stale.code()), (409, "conflict"), "{stale:?}");
        assert_eq!(stale.body["current"]["changedSince"][0]["externalId"], "s-1");
        let run = stale.body["current"]["syncRunId"].as_str().unwrap();
        let report = desk.get(&format!("/v1/subscription-sync-runs/{run}/report")).await;
        assert_eq!(texts(&report.body["value"], "externalId"), ["s-1"], "{report:?}");
        assert!(report.body["value"][0]["message"].as_str().unwrap().contains("changed after the preview"), "{report:?}");
        let foreign = desk.proceed(&preview, json!({ "externalIds": ["s-9"] })).await;
        assert_eq!(foreign.status, 422, "{foreign:?}");
        assert!(foreign.body["detail"].as_str().unwrap().contains("s-9"));
        let close = format!("/v1/billing-contracts/{contract}/closing");
        desk.post(&close, json!({ "reason": "moved" })).await;
        assert_eq!(desk.proceed(&preview, json!({})).await.status, 409);
        assert_eq!(desk.preview(&contract).await.status, 409);
        let lonely = desk.contract(2, "Cloud", json!({})).await;
        let refused = desk.preview(&lonely).await;
        assert_eq!(refused.status, 422, "{refused:?}");
        assert!(refused.body["detail"].as_str().unwrap().contains("provider account that may be synced"));
    }

    async fn held_subscriptions_are_attached_when_mapping_and_contract_come(store: TestStore) {
        let desk = Desk::of(&store, &["C1"]).await;
        desk.provider.set("C1", vec![listed("s-1", "5"), costing(listed("s-2", "2"), "3.10", "CHF")]);
        let job = desk.sync().await;
        assert_eq!(job["state"], "succeeded", "{job}");
        let held = async || texts(&json!(desk.subscriptions().await), "heldFor");
        assert_eq!(held().await, ["mapping", "mapping"]);
        desk.map(0, 1).await;
        assert_eq!(held().await, ["contract", "contract"]);
        let euro = desk.contract(1, "Cloud", json!({ "goLiveDate": "2026-05-01" })).await;
        let all = desk.subscriptions().await;
        assert_eq!((&all[0]["billingContractId"], &all[1]["heldFor"]), (&json!(euro), &json!("contract")), "{all:?}");
        let log = desk.log(&all[0]).await;
        assert_eq!((&log[0]["archived"], &log[0]["billingContractId"]), (&json!(true), &json!(euro)), "history before the go-live date");
        let swiss = desk.contract(1, "Cloud CH", json!({ "currency": "CHF" })).await;
        let all = desk.subscriptions().await;
        assert_eq!(all[1]["billingContractId"], json!(swiss));
        assert_eq!(desk.log(&all[1]).await[0]["archived"], false);
        let runs = desk.get("/v1/subscription-sync-runs").await;
        assert_eq!(runs.body["value"][0]["source"], "attachment", "{runs:?}");

        // The price is the customer's: a sync leaves it, and says when nothing is left of the margin.
        let path = format!("/v1/subscriptions/{}", all[1]["subscriptionId"].as_str().unwrap());
        let priced = desk.app.send(Method::PATCH, &desk.key, &path, &json!({ "sellingPrice": "4.00" })).await;
        assert_eq!((priced.status, &priced.body["sellingPrice"]), (200, &json!("4")), "{priced:?}");
        desk.provider.set("C1", vec![listed("s-1", "5"), costing(listed("s-2", "2"), "4.5", "CHF")]);
        desk.sync().await;
        let all = desk.subscriptions().await;
        assert_eq!((&all[1]["sellingPrice"], &all[1]["unitCost"]), (&json!("4"), &json!("4.5")));
        let wrong = desk.app.send(Method::PATCH, &desk.key, &path, &json!({ "billingContractId": euro })).await;
        assert_eq!(wrong.status, 422, "{wrong:?}");
        assert!(wrong.body["detail"].as_str().unwrap().contains("CHF"));

        // A closed contract lets its subscriptions go; another account takes them along.
        desk.post(&format!("/v1/billing-contracts/{swiss}/closing"), json!({ "reason": "moved" })).await;
        assert_eq!(held().await, ["", "contract"]);
        desk.map(0, 2).await;
        assert_eq!(held().await, ["contract", "contract"]);
        assert!(desk.subscriptions().await.iter().all(|it| it["accountId"] == json!(account_id(2))));
    }

    async fn a_new_subscription_lands_where_currency_and_product_fit(store: TestStore) {
        let desk = Desk::of(&store, &["C1"]).await;
        desk.map(0, 1).await;
        let contract = desk.contract(1, "Cloud", json!({ "products": [" p-s-1 ", "P-S-1"] })).await;
        let path = format!("/v1/billing-contracts/{contract}");
        assert_eq!(desk.get(&path).await.body["products"], json!(["p-s-1"]));
        desk.provider.set("C1", vec![listed("s-1", "5"), listed("s-2", "2")]);
        desk.sync().await;
        let seats = |rows: Vec<Value>| texts(&json!(rows), "billingContractId");
        assert_eq!(seats(desk.subscriptions().await), [contract.clone(), String::new()], "the other is held");
        let wider = desk.app.send(Method::PATCH, &desk.key, &path, &json!({ "products": ["P-s-2"] })).await;
        assert_eq!(wider.status, 200, "{wider:?}");
        assert_eq!(seats(desk.subscriptions().await), [contract.clone(), contract.clone()], "it comes, and what was there stays");
        let many: Vec<_> = (0..201).map(|nth| format!("P{nth}")).collect();
        for wrong in [json!([""]), json!(many)] {
            let refused = desk.app.send(Method::PATCH, &desk.key, &path, &json!({ "products": wrong })).await;
            assert_eq!((refused.status, refused.code()), (422, "rule-violated"), "{refused:?}");
        }
    }

    async fn a_sync_without_changes_writes_no_subscription_and_one_failure_is_its_own(store: TestStore) {
        let desk = Desk::of(&store, &["C1", "C2", "C3"]).await;
        desk.provider.set("C1", vec![listed("s-1", "5")]);
        desk.provider.answer("C2", Err(failure(FailureKind::CustomerLeft, "no relationship any more (20002)")));
        desk.provider.set("C3", vec![listed("u-1", "1"), listed("u-2", "1")]);
        let first = desk.sync().await;
        let counts = &first["result"]["counts"];
        assert_eq!((&counts["new"], &counts["failedCustomers"]), (&json!(3), &json!(1)), "{first}");
        let before = desk.subscriptions().await;
        let again = desk.sync().await;
        let counts = &again["result"]["counts"];
        assert_eq!((&counts["unchanged"], &counts["changed"], &counts["new"]), (&json!(3), &json!(0), &json!(0)), "{again}");
        assert_eq!(desk.subscriptions().await, before);

        let half = SubscriptionListing { subscriptions: vec![listed("u-1", "2")], unreadable: Vec::new(), complete: false };
        desk.provider.answer("C3", Ok(half));
        desk.sync().await;
        let all = desk.subscriptions().await;
        assert!(all.iter().all(|it| it.get("goneSince").is_none()), "of half an answer nothing is gone: {all:?}");
        desk.provider.set("C3", vec![listed("u-1", "2")]);
        desk.sync().await;
        let all = desk.subscriptions().await;
        assert!(all[2]["goneSince"].is_string() && all[1].get("goneSince").is_none(), "{all:?}");
        assert_eq!(desk.log(&all[2]).await[1]["kind"], "deactivation");
        desk.provider.set("C3", vec![listed("u-1", "2"), listed("u-2", "1")]);
        desk.sync().await;
        let all = desk.subscriptions().await;
        assert_eq!((all[2].get("goneSince"), &desk.log(&all[2]).await[2]["kind"]), (None, &json!("activation")));
    }
}
