//! What the client writes to the log and into its errors: host and path, never a query or a header.

use provider_bridge::net::client::{ClientSettings, HttpClient};
use reqwest::{Method, Url};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::http::{answer_once, loopback_client, loopback_settings};
use crate::support::log::Log;

const SECRET: &str = "canary-7f3a";

async fn call(client: &HttpClient, base: &Url) -> String {
    let url = base
        .join(&format!("/some/path?sig={SECRET}#{SECRET}"))
        .unwrap();
    let request = client
        .request(Method::GET, url)
        .unwrap()
        .bearer_auth(SECRET);
    match client.send(request).await {
        Ok(answer) => answer.status.to_string(),
        Err(error) => format!("{error} {error:?}"),
    }
}

#[actix_web::test]
async fn the_log_and_the_errors_hold_neither_query_nor_headers() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter("provider_bridge=trace")
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(418).insert_header("x-secret", SECRET);
    Mock::given(method("GET"))
        .respond_with(answer)
        .mount(&server)
        .await;
    let tiny = ClientSettings {
        max_body_bytes: 1,
        ..loopback_settings()
    };

    let outcomes = [
        call(&loopback_client(), &server.uri().parse().unwrap()).await,
        call(&loopback_client(), &answer_once("")).await,
        call(
            &loopback_client(),
            &answer_once("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab"),
        )
        .await,
        call(
            &HttpClient::new(&tiny).unwrap(),
            &answer_once("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab"),
        )
        .await,
        call(&loopback_client(), &"http://127.0.0.1:1".parse().unwrap()).await,
    ];
    let log = log.text();
    for text in outcomes.iter().chain([&log]) {
        assert!(!text.contains(SECRET), "{text}");
    }
    assert_eq!(log.lines().count(), outcomes.len(), "{log}");
    let told = log.lines().next().unwrap();
    for part in ["GET", "127.0.0.1", "/some/path", "418", "milliseconds="] {
        assert!(told.contains(part), "{part} is missing in {told}");
    }
}
