//! Where the client goes, where it does not, and how it names what went wrong.

use std::net::TcpListener;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use provider_bridge::domain::ports::provider::FailureKind;
use provider_bridge::net::client::{Answer, ClientSettings, HttpClient, NetError};
use reqwest::{Method, Url};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::http::{answer_once, loopback_client, loopback_settings};

/// 20,000 zeros, compressed.
const ZEROS: &str = "H4sIAAAAAAACA+3BMQEAAADCoErrn84aHkABAAAAAAAAAAAAAAAAAAAAAAAA8GC9DxuMIE4AAA==";

async fn get(client: &HttpClient, url: Url) -> Result<Answer, NetError> {
    client.send(client.request(Method::GET, url)?).await
}

fn capped(max_body_bytes: usize) -> HttpClient {
    let settings = ClientSettings {
        max_body_bytes,
        ..loopback_settings()
    };
    HttpClient::new(&settings).unwrap()
}

#[test]
fn only_https_and_plain_loopback_where_allowed_are_called() {
    let refused = |client: &HttpClient, url: &str| {
        let url = Url::parse(url).unwrap();
        matches!(client.request(Method::GET, url), Err(NetError::Refused(_)))
    };
    let open = loopback_client();
    for url in [
        "http://127.0.0.1:9/",
        "http://127.8.9.1/",
        "http://[::1]:9/",
        "http://localhost/",
        "https://pc.test/",
    ] {
        assert!(!refused(&open, url), "{url}");
    }
    for url in [
        "http://pc.test/",
        "http://10.0.0.1/",
        "http://localhost.pc.test/",
        "http://[::ffff:127.0.0.1]/",
        "ftp://127.0.0.1/",
        "https://user@pc.test/",
        "https://:word@pc.test/",
    ] {
        assert!(refused(&open, url), "{url}");
    }
    let strict = HttpClient::new(&ClientSettings::default()).unwrap();
    assert!(refused(&strict, "http://127.0.0.1:9/"));
    assert!(!refused(&strict, "https://127.0.0.1:9/"));
}

#[actix_web::test]
async fn a_request_made_by_another_client_is_checked_all_the_same() {
    let elsewhere = loopback_client();
    let strict = HttpClient::new(&ClientSettings::default()).unwrap();
    let url = Url::parse("http://127.0.0.1:9/").unwrap();
    let request = elsewhere.request(Method::GET, url).unwrap();
    assert!(matches!(
        strict.send(request).await,
        Err(NetError::Refused(_))
    ));
}

#[actix_web::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let server = MockServer::start().await;
    let away = ResponseTemplate::new(302).insert_header("location", "/there");
    Mock::given(path("/here"))
        .respond_with(away)
        .mount(&server)
        .await;
    Mock::given(path("/there"))
        .respond_with(ResponseTemplate::new(200))
        .expect(0)
        .mount(&server)
        .await;
    let url = Url::parse(&format!("{}/here", server.uri())).unwrap();
    assert_eq!(get(&loopback_client(), url).await.unwrap().status, 302);
}

#[actix_web::test]
async fn a_body_up_to_the_cap_is_read_and_a_byte_more_is_refused() {
    let server = MockServer::start().await;
    let body = ResponseTemplate::new(200).set_body_bytes(vec![b'x'; 1000]);
    Mock::given(method("GET"))
        .respond_with(body)
        .mount(&server)
        .await;
    let url = Url::parse(&server.uri()).unwrap();
    let whole = get(&capped(1000), url.clone()).await.unwrap();
    assert_eq!(whole.body.len(), 1000);
    let error = get(&capped(999), url).await.unwrap_err();
    assert!(
        matches!(error, NetError::TooLarge { limit: 999, .. }),
        "{error:?}"
    );
}

#[actix_web::test]
async fn the_cap_counts_what_comes_out_of_compression_and_out_of_chunks() {
    let zeros = STANDARD.decode(ZEROS).unwrap();
    let server = MockServer::start().await;
    let body = ResponseTemplate::new(200)
        .insert_header("content-encoding", "gzip")
        .set_body_bytes(zeros);
    Mock::given(method("GET"))
        .respond_with(body)
        .mount(&server)
        .await;
    let url = Url::parse(&server.uri()).unwrap();
    let whole = get(&capped(20_000), url.clone()).await.unwrap();
    assert_eq!(whole.body.len(), 20_000);
    let error = get(&capped(19_999), url).await.unwrap_err();
    assert!(matches!(error, NetError::TooLarge { .. }), "{error:?}");

    let chunks =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n";
    let error = get(&capped(5), answer_once(chunks)).await.unwrap_err();
    assert!(matches!(error, NetError::TooLarge { .. }), "{error:?}");
}

#[actix_web::test]
async fn a_torn_body_is_an_error_of_its_own_kind() {
    for torn in [
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"items\":[",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n",
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nplain",
    ] {
        let error = get(&loopback_client(), answer_once(torn))
            .await
            .unwrap_err();
        assert!(matches!(error, NetError::Torn { .. }), "{torn}: {error:?}");
        assert_eq!(error.kind(), FailureKind::Transient);
    }
}

#[actix_web::test]
async fn a_connection_that_is_refused_or_lost_says_which() {
    let free = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let nobody = Url::parse(&format!("http://{free}/")).unwrap();
    let error = get(&loopback_client(), nobody).await.unwrap_err();
    assert!(matches!(error, NetError::Connect { .. }), "{error:?}");

    for answer in ["", "I speak something else\r\n\r\n"] {
        let error = get(&loopback_client(), answer_once(answer))
            .await
            .unwrap_err();
        assert!(matches!(error, NetError::Lost { .. }), "{error:?}");
        assert_eq!(error.kind(), FailureKind::Transient);
    }
}

#[actix_web::test]
async fn silence_is_a_time_out() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = Url::parse(&format!("http://{}/", silent.local_addr().unwrap())).unwrap();
    let settings = ClientSettings {
        timeout: Duration::from_millis(50),
        ..loopback_settings()
    };
    let error = get(&HttpClient::new(&settings).unwrap(), url)
        .await
        .unwrap_err();
    assert!(matches!(error, NetError::Timeout { .. }), "{error:?}");
}

#[actix_web::test]
async fn cookies_are_not_kept() {
    let server = MockServer::start().await;
    let body = ResponseTemplate::new(200).insert_header("set-cookie", "a=b; Path=/");
    Mock::given(method("GET"))
        .respond_with(body)
        .mount(&server)
        .await;
    let client = loopback_client();
    for _ in 0..2 {
        get(&client, Url::parse(&server.uri()).unwrap())
            .await
            .unwrap();
    }
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 2);
    assert!(
        requests
            .iter()
            .all(|request| !request.headers.contains_key("cookie"))
    );
}
