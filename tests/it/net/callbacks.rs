//! Callbacks on the wire: byte for byte to where the URL says, and nowhere else.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use provider_bridge::net::address_policy::{AddressPolicy, CallbackSettings};
use provider_bridge::net::callback_client::{CallbackAnswer, CallbackClient, CallbackFailure};
use provider_bridge::net::guarded_dns::{Lookup, SystemLookup};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Answers every name with the same addresses.
struct Always(Vec<IpAddr>);

#[async_trait]
impl Lookup for Always {
    async fn addresses(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(self.0.clone())
    }
}

fn client(lookup: impl Lookup + 'static, allow_loopback: bool) -> CallbackClient {
    let settings = CallbackSettings {
        allow_loopback,
        ..CallbackSettings::default()
    };
    let policy = AddressPolicy::new(&settings).unwrap();
    CallbackClient::new(Arc::new(policy), Arc::new(lookup)).unwrap()
}

async fn post(client: &CallbackClient, url: &str) -> Result<CallbackAnswer, CallbackFailure> {
    let now = "2026-06-01T12:00:00Z".parse().unwrap();
    let timeout = Duration::from_millis(500);
    client
        .post(
            url,
            &[("webhook-id", "1".to_owned())],
            "{}".into(),
            timeout,
            now,
        )
        .await
}

/// Reads one request's head and answers; gives the head.
async fn serve_one(listener: &TcpListener, answer: &[u8]) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let head = read_head(&mut stream).await;
    stream.write_all(answer).await.unwrap();
    head
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await.unwrap();
        assert!(read > 0, "the client hung up in the head of its request");
        bytes.extend_from_slice(&chunk[..read]);
    }
    String::from_utf8(bytes).unwrap()
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    (listener, base)
}

const ACCEPTED: &[u8] = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

#[actix_web::test]
async fn path_and_query_are_on_the_wire_byte_for_byte() {
    let (listener, base) = listen().await;
    let client = client(SystemLookup, true);
    for target in [
        "/",
        "/workflows/0a/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=aB-_c%2b~",
        "//double//slashes//",
        "/%7euser/%2F/%5B/[x]|y;z=1,2!$&()*+:@",
        "/a?",
        "/a??b=?&&c=/d/../e",
        "/a?{b}|[c]`^\\d=%zz%",
        "/A%c3%A4?q=%C3%a4+%20",
    ] {
        let url = format!("{base}{target}");
        let (head, answer) = tokio::join!(serve_one(&listener, ACCEPTED), post(&client, &url));
        assert_eq!(answer.unwrap().status, 202, "{target}");
        let line = head.lines().next().unwrap();
        assert_eq!(line, format!("POST {target} HTTP/1.1"));
        assert!(!head.to_lowercase().contains("accept-encoding"), "{head}");
    }
}

#[actix_web::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let (listener, base) = listen().await;
    let client = client(SystemLookup, true);
    let redirect = format!(
        "HTTP/1.1 307 Go\r\nlocation: {base}/elsewhere\r\nretry-after: Mon, 01 Jun 2026 12:01:00 GMT\r\ncontent-length: 0\r\n\r\n"
    );
    let url = format!("{base}/a");
    let (_, answer) = tokio::join!(
        serve_one(&listener, redirect.as_bytes()),
        post(&client, &url)
    );
    let expected = CallbackAnswer {
        status: 307,
        retry_after: Some(Duration::from_secs(60)),
    };
    assert_eq!(answer.unwrap(), expected);
    let again = tokio::time::timeout(Duration::from_millis(100), listener.accept()).await;
    assert!(again.is_err(), "somebody followed");
}

#[actix_web::test]
async fn a_public_name_that_leads_into_a_private_network_is_never_dialled() {
    let (listener, base) = listen().await;
    let port = base.rsplit(':').next().unwrap();
    for private in [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
    ] {
        let client = client(Always(vec![private.parse().unwrap()]), false);
        let failure = post(
            &client,
            "https://prod-1.westeurope.logic.azure.com/a?sig=canary",
        )
        .await;
        let expected = CallbackFailure::NotPublic("prod-1.westeurope.logic.azure.com".to_owned());
        assert_eq!(failure, Err(expected), "{private}");
    }
    // `localhost` is this machine and nothing else, whatever a resolver says of it.
    let client = client(Always(vec!["10.0.0.1".parse().unwrap()]), true);
    let failure = post(&client, &format!("http://localhost:{port}/a")).await;
    assert!(
        matches!(failure, Err(CallbackFailure::NotPublic(_))),
        "{failure:?}"
    );
    let came = tokio::time::timeout(Duration::from_millis(100), listener.accept()).await;
    assert!(came.is_err(), "somebody was called");
}

/// The name answers with a public address first and with loopback ever after.
struct Rebinding(AtomicUsize);

#[async_trait]
impl Lookup for Rebinding {
    async fn addresses(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        let call = self.0.fetch_add(1, Ordering::SeqCst);
        let address = if call == 0 { "192.0.0.8" } else { "127.0.0.1" };
        Ok(vec![address.parse().unwrap(), "127.0.0.1".parse().unwrap()])
    }
}

#[actix_web::test]
async fn a_name_that_changes_its_answer_or_mixes_them_gains_nothing() {
    let client = client(Rebinding(AtomicUsize::new(0)), false);
    for _ in 0..3 {
        let failure = post(&client, "https://prod-1.westeurope.logic.azure.com/a").await;
        assert!(
            matches!(failure, Err(CallbackFailure::NotPublic(_))),
            "{failure:?}"
        );
    }
}

#[actix_web::test]
async fn a_failure_names_the_host_and_never_the_url() {
    let (listener, base) = listen().await;
    let client = client(SystemLookup, true);
    let url = format!("{base}/secret-path?sig=canary");
    let host = base.strip_prefix("http://").unwrap().to_owned();

    let hang = post(&client, &url).await;
    assert_eq!(hang, Err(CallbackFailure::Timeout(host.clone())));
    drop(listener.accept().await.unwrap());
    let (_, broken) = tokio::join!(
        serve_one(&listener, b"nonsense\r\n\r\n"),
        post(&client, &url)
    );
    assert_eq!(broken, Err(CallbackFailure::Broken(host.clone())));
    drop(listener);
    let nobody = post(&client, &url).await;
    assert_eq!(nobody, Err(CallbackFailure::Connect(host)));
    for failure in [hang, broken, nobody] {
        let text = format!("{failure:?} {}", failure.as_ref().unwrap_err());
        assert!(
            !text.contains("canary") && !text.contains("secret-path"),
            "{text}"
        );
    }
}

#[actix_web::test]
async fn a_body_without_end_is_thrown_away_and_does_not_hold_us() {
    let (listener, base) = listen().await;
    let client = client(SystemLookup, true);
    let endless = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(head).await.unwrap();
        let chunk = [b"4000\r\n".as_slice(), &[b'x'; 0x4000], b"\r\n"].concat();
        let mut written = 0_usize;
        while stream.write_all(&chunk).await.is_ok() {
            written += chunk.len();
        }
        written
    };
    let url = format!("{base}/a");
    let (written, answer) = tokio::join!(endless, post(&client, &url));
    assert_eq!(answer.unwrap().status, 200);
    assert!(written < 64 << 20, "{written} bytes were read");
}
