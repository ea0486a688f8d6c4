//! `GET /v1/accounts/{id}` from the cache, authenticated, through every middleware, against a bare actix-web handler that
//! answers the same bytes, in the same run. Speed is told as the ratio of the two: the machine may be busy.
//!
//! `cargo bench --bench accounts`

#![expect(clippy::expect_used, reason = "a measurement that cannot be made ends")]

mod common;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use actix_web::{App, HttpResponse, HttpServer, web};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use common::{Running, figure, program, start};

const CONNECTIONS: usize = 32;
const ROUND: Duration = Duration::from_secs(3);
const ROUNDS: usize = 5;

fn main() {
    if std::env::args().any(|argument| argument == "bare") {
        return bare_server();
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(measure());
}

/// The yardstick: one route, a fixed body, two workers.
fn bare_server() {
    let body = std::env::var("BARE_BODY").expect("BARE_BODY");
    let served = actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            let body = body.clone();
            App::new().service(web::resource("/bare").to(move || {
                let body = body.clone();
                async move {
                    HttpResponse::Ok()
                        .content_type("application/json")
                        .body(body)
                }
            }))
        })
        .bind(("127.0.0.1", 0))
        .expect("a port");
        figure("listening", server.addrs().first().expect("an address"));
        server.run().await
    });
    served.expect("the bare server runs");
}

async fn measure() {
    let (_quiet, quiet, key) = demo("warn");
    let (_logging, logging, logging_key) = demo("info");
    let (path, body) = an_account(quiet, &key).await;
    let (logging_path, _) = an_account(logging, &logging_key).await;
    let mut bare_command =
        std::process::Command::new(std::env::current_exe().expect("this program"));
    bare_command.arg("bare").env("BARE_BODY", &body);
    let (_bare, bare) = start(&mut bare_command, false, |line| {
        line.strip_prefix("listening")?.trim().parse().ok()
    });
    let of = |path: &str, key: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: {key}\r\n\r\n")
    };
    let cases = [
        ("bare", bare, of("/bare", "none")),
        ("cached, log level warn", quiet, of(&path, &key)),
        (
            "cached, access log on",
            logging,
            of(&logging_path, &logging_key),
        ),
    ];
    let mut rates: Vec<Vec<f64>> = vec![Vec::new(); cases.len()];
    for _ in 0..ROUNDS {
        for ((_, address, request), rates) in cases.iter().zip(&mut rates) {
            rates.push(rate(*address, request).await);
        }
    }
    let medians: Vec<f64> = rates.into_iter().map(median).collect();
    let yardstick = medians.first().copied().unwrap_or(1.0);
    for ((name, _, _), rate) in cases.iter().zip(&medians) {
        figure(
            name,
            format!("{rate:>9.0} requests/s   {:.2} of bare", rate / yardstick),
        );
    }
}

/// A service with simulated upstreams; gives its address and an API key.
fn demo(log: &str) -> (Running, SocketAddr, String) {
    let mut address = None;
    let mut command = program();
    command
        .args(["demo", "--customers", "200"])
        .env("RUST_LOG", log);
    let (running, key) = start(&mut command, false, |line| {
        if let Some(url) = line.strip_prefix("API       http://") {
            address = url
                .split('/')
                .next()
                .and_then(|address| address.parse().ok());
        }
        Some(line.strip_prefix("API key   ")?.trim().to_owned())
    });
    (running, address.expect("the demo printed its address"), key)
}

/// The path of an account, now cached, and the body it answers.
async fn an_account(address: SocketAddr, key: &str) -> (String, String) {
    let get = |path: String| async move {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: {key}\r\n\r\n");
        let mut connection = TcpStream::connect(address).await.expect("a connection");
        exchange(&mut connection, &request, &mut Vec::new()).await
    };
    let found: serde_json::Value =
        serde_json::from_str(&get("/v1/accounts?search=a".to_owned()).await).expect("JSON");
    let id = found
        .pointer("/value/0/accountId")
        .and_then(|id| id.as_str())
        .expect("an account");
    let path = format!("/v1/accounts/{id}");
    let body = get(path.clone()).await;
    (path, body)
}

/// Requests a second over some connections that are kept open.
async fn rate(address: SocketAddr, request: &str) -> f64 {
    let started = Instant::now();
    let connections = (0..CONNECTIONS).map(|_| async {
        let mut connection = TcpStream::connect(address).await.expect("a connection");
        let mut buffer = Vec::with_capacity(8192);
        let mut answered = 0_u64;
        while started.elapsed() < ROUND {
            exchange(&mut connection, request, &mut buffer).await;
            answered += 1;
        }
        answered
    });
    let answered: u64 = futures_util::future::join_all(connections)
        .await
        .into_iter()
        .sum();
    #[expect(
        clippy::cast_precision_loss,
        reason = "a count of requests is far below 2^52"
    )]
    let answered = answered as f64;
    answered / started.elapsed().as_secs_f64()
}

/// Sends a request and reads its answer, whose body is given; anything but 200 ends the measurement.
async fn exchange(connection: &mut TcpStream, request: &str, buffer: &mut Vec<u8>) -> String {
    connection
        .write_all(request.as_bytes())
        .await
        .expect("sent");
    buffer.clear();
    loop {
        assert!(
            connection.read_buf(buffer).await.expect("read") > 0,
            "the server closed the connection"
        );
        let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let (head, body) = buffer.split_at(head + 4);
        let head = String::from_utf8_lossy(head).to_lowercase();
        assert!(head.starts_with("http/1.1 200"), "{head}");
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length
            .and_then(|length| length.parse().ok())
            .expect("a length");
        if body.len() >= length {
            return String::from_utf8_lossy(body).into_owned();
        }
    }
}

/// The middle one.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
