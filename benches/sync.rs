//! A sync of 50,000 customers (`CUSTOMERS=…` for another number) against a bare client that makes the same listing and
//! by-id requests, simulator in another process, in the same run: the first sync, and one without changes. Also the memory
//! of the service, and how soon it is ready with the data in its store.
//!
//! `cargo bench --bench sync`

#![expect(clippy::expect_used, reason = "a measurement that cannot be made ends")]

mod common;
#[path = "common/service.rs"]
mod service;

use std::time::Instant;

use futures_util::StreamExt;

use common::figure;
use service::{Api, Bare, customers, peak_memory, serve, service, simulator};

/// By-id calls under way at once, as the service has them.
const AT_ONCE: usize = 16;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(measure());
}

async fn measure() {
    let customers = customers(50_000);
    let (_simulator, settings) = simulator(customers);
    let folder = tempfile::tempdir().expect("a folder");
    let (service, key, port) = service(&settings, folder.path());
    let api = Api::new(key, port);
    let provider = api.connect().await;

    let bare = Bare::new(&settings).await;
    let (bare_listing, ids) = bare.list().await;
    let bare_details = details(&bare, &ids).await;
    let first = api.sync(&provider).await;
    let (bare_again, _) = bare.list().await;
    let again = api.sync(&provider).await;

    figure("customers", ids.len());
    figure(
        "bare client: listing and by-id calls, seconds",
        format!("{:.2}", bare_listing + bare_details),
    );
    figure(
        "first sync, seconds",
        format!(
            "{first:.2}   {:.2} of bare",
            first / (bare_listing + bare_details)
        ),
    );
    figure("bare client: listing, seconds", format!("{bare_again:.2}"));
    figure(
        "sync without changes, seconds",
        format!("{again:.2}   {:.2} of bare", again / bare_again),
    );
    figure(
        "peak memory of the service so far, MB",
        peak_memory(&service),
    );
    drop(service);
    let started = Instant::now();
    let service = serve(&settings, folder.path(), port);
    api.wait_ready().await;
    figure(
        "ready again with the accounts in its store, seconds",
        format!("{:.2}", started.elapsed().as_secs_f64()),
    );
    drop(service);
}

/// Every customer by id; seconds.
async fn details(bare: &Bare, ids: &[String]) -> f64 {
    let started = Instant::now();
    let calls = futures_util::stream::iter(ids)
        .map(|id| async move { bare.get(&format!("/v1/customers/{id}"), None).await });
    calls.buffer_unordered(AT_ONCE).for_each(|_| async {}).await;
    started.elapsed().as_secs_f64()
}
