//! A sync of the subscriptions of 10,000 customers (`CUSTOMERS=…` for another number), three each, simulator in another
//! process, on SQLite: with the limit of the provider at 30,000 requests a minute against what that limit allows, with the
//! limit lifted against a bare client that makes the same requests in the same run, and once more without changes. What
//! follows a sync of customers (auto-match) is waited for, so that only the sync is measured. Also the memory of the service.
//!
//! `cargo bench --bench subscriptions`

#![expect(clippy::expect_used, reason = "a measurement that cannot be made ends")]

mod common;
#[path = "common/service.rs"]
mod service;

use std::path::Path;
use std::time::Instant;

use futures_util::StreamExt;
use serde_json::Value;

use common::{Running, figure};
use service::{Api, Bare, customers, pause, peak_memory, service, simulator};

/// Requests under way at once, as the service has them.
const AT_ONCE: usize = 16;
/// The limit of the first run.
const LIMIT: f64 = 30_000.0;
const SETTING: &str = "PROVIDER_BRIDGE__PARTNER_CENTER__REQUESTS_PER_MINUTE";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(measure());
}

async fn measure() {
    let customers = customers(10_000);
    let (_simulator, settings) = simulator(customers);
    let with_limit = |limit: f64| {
        let mut settings = settings.clone();
        settings.retain(|(name, _)| name != SETTING);
        settings.push((SETTING.to_owned(), limit.to_string()));
        settings
    };
    figure("customers", customers);
    throttled(&with_limit(LIMIT)).await;
    lifted(&with_limit(0.0)).await;
}

/// The wall time should be that of the throttle.
async fn throttled(settings: &[(String, String)]) {
    let folder = tempfile::tempdir().expect("a folder");
    let (_service, api, provider) = synced(settings, folder.path()).await;
    let first = sync(&api, &provider).await;
    let allowed = first.customers / (LIMIT / 60.0);
    figure(
        "what 30,000 requests a minute allow, seconds",
        format!("{allowed:.2}"),
    );
    figure(
        "first sync at that limit, seconds",
        format!(
            "{:.2}   {:.2} of allowed",
            first.seconds,
            first.seconds / allowed
        ),
    );
}

async fn lifted(settings: &[(String, String)]) {
    let folder = tempfile::tempdir().expect("a folder");
    let (service, api, provider) = synced(settings, folder.path()).await;
    figure("peak memory before, MB", peak_memory(&service));
    let bare = bare(&Bare::new(settings).await).await;
    figure(
        "bare client, the same requests, seconds",
        format!("{bare:.2}"),
    );
    for what in ["first", "unchanged"] {
        let run = sync(&api, &provider).await;
        let (seconds, rate) = (run.seconds, run.listed / run.seconds);
        figure(
            &format!("{what} sync without a limit, seconds"),
            format!(
                "{seconds:.2}   {rate:.0} subscriptions a second   {:.2} of bare",
                seconds / bare
            ),
        );
        figure(
            "its subscriptions, and those it wrote",
            format!("{:.0}, {:.0}", run.listed, run.written),
        );
        settle(&api).await;
    }
    figure("peak memory, MB", peak_memory(&service));
}

/// A service that has the customers and nothing left to do, its API, and the provider.
async fn synced(settings: &[(String, String)], folder: &Path) -> (Running, Api, String) {
    let (service, key, port) = service(settings, folder);
    let api = Api::new(key, port);
    api.wait_ready().await;
    let provider = api.connect().await;
    api.sync(&provider).await;
    settle(&api).await;
    (service, api, provider)
}

/// What one sync did.
struct Run {
    seconds: f64,
    customers: f64,
    listed: f64,
    written: f64,
}

async fn sync(api: &Api, provider: &str) -> Run {
    let (seconds, job) = api
        .job(&format!("/v1/providers/{provider}/subscription-sync"))
        .await;
    let count = |name: &str| {
        let counted = job.pointer(&format!("/result/counts/{name}"));
        counted.and_then(Value::as_f64).expect("a count")
    };
    Run {
        seconds,
        customers: count("customers"),
        listed: count("listed"),
        written: count("new") + count("changed") + count("gone"),
    }
}

/// Waits until no job is left to do.
async fn settle(api: &Api) {
    for state in ["waiting", "in-progress"] {
        loop {
            let path = format!("/v1/jobs?state={state}&$top=1");
            let jobs = api.call(reqwest::Method::GET, &path, None).await;
            if jobs
                .get("value")
                .and_then(Value::as_array)
                .is_some_and(Vec::is_empty)
            {
                break;
            }
            pause().await;
        }
    }
}

/// The subscriptions of every customer; seconds.
async fn bare(bare: &Bare) -> f64 {
    let (_, ids) = bare.list().await;
    let started = Instant::now();
    let calls = futures_util::stream::iter(ids).map(|id| async move {
        bare.get(&format!("/v1/customers/{id}/subscriptions"), None)
            .await
    });
    calls.buffer_unordered(AT_ONCE).for_each(|_| async {}).await;
    started.elapsed().as_secs_f64()
}
