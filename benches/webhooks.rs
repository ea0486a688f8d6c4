//! Webhooks of Dataverse, each durable before it is answered, against raw SQLite inserts of the same rows with the same
//! durability and settings, and in batches of the same size, in the same run. Then, unless `QUICK` is set, the long runs of the tests:
//! 100,000 changes doubled and out of order (`NOTICES=…`), and twenty kills at random moments (`KILL_POINTS=…`).
//!
//! `cargo bench --bench webhooks`

#![expect(clippy::expect_used, reason = "a measurement that cannot be made ends")]

mod common;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::str::FromStr;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, QueryBuilder, SqliteConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

use common::{Running, figure, program, start};

const CONNECTIONS: usize = 128;
/// Short ones in turns, so that what else the machine does meets both sides alike.
const ROUND: Duration = Duration::from_secs(1);
const ROUNDS: usize = 15;
/// The load looks for answers so often. Woken for each of them, as a load on the same machine is and one from the network is
/// not, it would take the processors away from what is measured.
const LOOKS_EVERY: Duration = Duration::from_micros(200);
/// After so long, what the service does behind its answers does not fall into the turn of the raw inserts.
const SETTLES_IN: Duration = Duration::from_millis(200);
const SECRET: &str = "a-secret-of-a-measurement";

fn main() {
    rates();
    if std::env::var("QUICK").is_err() {
        long_runs();
    }
}

fn rates() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_service, address) = service(folder.path());
    let body = body();
    let request = format!(
        "POST /webhooks/dataverse HTTP/1.1\r\nHost: localhost\r\nX-Webhook-Secret: {SECRET}\r\n\
         x-ms-dynamics-organization: contoso.crm4.dynamics.com\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let (load, bare) = (load_runtime(), runtime().build().expect("a runtime"));
    let mut raw = bare.block_on(raw_table(folder.path()));
    let mut next = 0;
    let (mut service_rates, mut raw_rates, mut batches) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let before = bare.block_on(counted(address));
        service_rates.push(load.block_on(post_for(address, &request)));
        let after = bare.block_on(counted(address));
        let batch = (after.0 - before.0) / (after.1 - before.1).max(1.0);
        batches.push(batch);
        std::thread::sleep(SETTLES_IN);
        let inserting = insert_for(&mut raw, &mut next, &body, batch.round().max(1.0));
        raw_rates.push(bare.block_on(inserting));
    }
    let (service, raw, batch) = (median(service_rates), median(raw_rates), median(batches));
    figure("bytes of a notice", body.len());
    figure("notices of one commit", format!("{batch:.1}"));
    figure("raw inserts, rows/s", format!("{raw:.0}"));
    let ratio = service / raw;
    figure(
        "webhooks, answered/s",
        format!("{service:.0}   {ratio:.2} of raw"),
    );
}

fn runtime() -> Builder {
    let mut runtime = Builder::new_current_thread();
    runtime.enable_all();
    runtime
}

/// Of the load, which looks for answers once in a while. Raw inserts must not wait like that.
fn load_runtime() -> Runtime {
    let look = || std::thread::sleep(LOOKS_EVERY);
    runtime().on_thread_park(look).build().expect("a runtime")
}

fn body() -> String {
    format!(
        r#"{{"MessageName":"Update","PrimaryEntityName":"account","PrimaryEntityId":"7a1de0c4-11aa-4b61-b6a0-90f3c1d27e01","CorrelationId":"c0ffee00-0000-4000-8000-000000000001","InputParameters":[{{"key":"Target","value":"{}"}}]}}"#,
        "x".repeat(1500)
    )
}

fn service(folder: &Path) -> (Running, SocketAddr) {
    let mut command = program();
    command.arg("serve").envs([
        (
            "PROVIDER_BRIDGE__DATABASE__DATA_DIRECTORY",
            folder.display().to_string(),
        ),
        ("PROVIDER_BRIDGE__SERVER__BIND", "127.0.0.1:0".to_owned()),
        (
            "PROVIDER_BRIDGE__DATAVERSE__ORG_URL",
            "https://contoso.crm4.dynamics.com".to_owned(),
        ),
        (
            "PROVIDER_BRIDGE__DATAVERSE__TENANT",
            "contoso.com".to_owned(),
        ),
        ("PROVIDER_BRIDGE__DATAVERSE__CLIENT_ID", "c".to_owned()),
        (
            "PROVIDER_BRIDGE__DATAVERSE__CLIENT_SECRET",
            "of a measurement".to_owned(),
        ),
        (
            "PROVIDER_BRIDGE__DATAVERSE__WEBHOOK_SECRETS",
            SECRET.to_owned(),
        ),
        ("PROVIDER_BRIDGE__LOG__FILTER", "error".to_owned()),
    ]);
    start(&mut command, true, |line| {
        let (_, rest) = line.split_once("listening on http://")?;
        rest.split(',').next()?.parse().ok()
    })
}

/// Notices and commits so far.
async fn counted(address: SocketAddr) -> (f64, f64) {
    let mut connection = TcpStream::connect(address).await.expect("a connection");
    let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    connection
        .write_all(request.as_bytes())
        .await
        .expect("sent");
    let mut text = String::new();
    connection.read_to_string(&mut text).await.expect("read");
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|value| value.trim().parse().ok())
            .unwrap_or(0.0)
    };
    (
        value("crm_notices_total "),
        value("crm_notice_commits_total "),
    )
}

/// Answered webhooks a second.
async fn post_for(address: SocketAddr, request: &str) -> f64 {
    let started = Instant::now();
    let posts = (0..CONNECTIONS).map(|_| async move {
        let mut connection = TcpStream::connect(address).await.expect("a connection");
        let (mut answered, mut answer) = (0_u32, vec![0; 4096]);
        while started.elapsed() < ROUND {
            connection
                .write_all(request.as_bytes())
                .await
                .expect("sent");
            let length = connection.read(&mut answer).await.expect("read");
            let head = answer.get(..length).unwrap_or_default();
            assert!(
                head.starts_with(b"HTTP/1.1 202"),
                "{}",
                String::from_utf8_lossy(head)
            );
            answered += 1;
        }
        answered
    });
    let answered: u32 = futures_util::future::join_all(posts)
        .await
        .into_iter()
        .sum();
    f64::from(answered) / started.elapsed().as_secs_f64()
}

/// A table like that of the notices.
async fn raw_table(folder: &Path) -> SqliteConnection {
    let url = format!("sqlite:{}", folder.join("raw.sqlite").display());
    let options = SqliteConnectOptions::from_str(&url)
        .expect("a URL")
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("cache_size", "-16000")
        .pragma("wal_autocheckpoint", "8000");
    let mut connection = options.connect().await.expect("a database");
    for statement in [
        "create table crm_notice (id blob primary key, received_at text, message text, table_name text, record_id blob, \
         correlation_id text, headers text, body blob)",
        "create index crm_notice_received on crm_notice (received_at)",
    ] {
        sqlx::query(statement)
            .execute(&mut connection)
            .await
            .expect("a table");
    }
    connection
}

/// Rows a second, so many in a commit.
async fn insert_for(
    connection: &mut SqliteConnection,
    next: &mut u128,
    body: &str,
    batch: f64,
) -> f64 {
    let started = Instant::now();
    let mut rows = 0.0;
    while started.elapsed() < ROUND {
        let mut insert = QueryBuilder::<sqlx::Sqlite>::new("insert into crm_notice ");
        let mut left = batch;
        let ids = std::iter::from_fn(|| {
            left -= 1.0;
            *next += 1;
            (left >= 0.0).then(|| Uuid::from_u128(*next))
        });
        insert.push_values(ids, |mut row, id| {
            row.push_bind(id.as_bytes().to_vec())
                .push_bind("2026-01-01T00:00:00.000000+00:00")
                .push_bind("Update")
                .push_bind("account")
                .push_bind(id.as_bytes().to_vec())
                .push_bind("c0ffee00-0000-4000-8000-000000000001")
                .push_bind(r#"{"x-ms-dynamics-organization":"contoso.crm4.dynamics.com"}"#)
                .push_bind(body.as_bytes());
        });
        insert
            .build()
            .execute(&mut *connection)
            .await
            .expect("inserted");
        rows += batch;
    }
    rows / started.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The long runs of the tests.
fn long_runs() {
    let value = |name, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let (notices, points) = (value("NOTICES", "100000"), value("KILL_POINTS", "20"));
    let cargo = std::env::var("CARGO").expect("started by cargo");
    let started = Instant::now();
    let status = Command::new(cargo)
        .args([
            "test",
            "--locked",
            "--test",
            "it",
            "--",
            "service::notice_storm",
            "--test-threads=1",
        ])
        .env("NOTICES", &notices)
        .env("KILL_POINTS", &points)
        .status();
    let passed = status.is_ok_and(|status| status.success());
    figure("changes, doubled and out of order", notices);
    figure("kills at random moments, on each engine", points);
    figure("the same state as in order, and nothing lost", passed);
    figure("seconds", started.elapsed().as_secs());
    assert!(passed, "a storm or a kill left another state");
}
