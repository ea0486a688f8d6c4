//! An organisation of Dataverse made of canned answers, with a sign-in service that numbers its tokens, and our client
//! before it: for quirks of the protocol that the simulator does not show.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use provider_bridge::crm::dataverse::{DataverseClient, DataverseSettings};
use provider_bridge::net::app_token::{AppCredential, AppTokens};
use provider_bridge::net::backoff::RetryPolicy;
use provider_bridge::net::client::{ClientSettings, HttpClient};
use secrecy::SecretString;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::support::context::{ManualClock, context};

pub struct Organisation {
    pub server: MockServer,
    pub client: DataverseClient,
    pub clock: Arc<ManualClock>,
}

impl Organisation {
    pub async fn start() -> Self {
        let server = MockServer::start().await;
        let issued = AtomicUsize::new(0);
        Mock::given(method("POST"))
            .and(path("/tenant/oauth2/v2.0/token"))
            .respond_with(move |_: &Request| {
                let number = issued.fetch_add(1, Ordering::SeqCst) + 1;
                ResponseTemplate::new(200).set_body_json(json!({
                    "token_type": "Bearer", "expires_in": 3599, "access_token": format!("token-{number}"),
                }))
            })
            .mount(&server)
            .await;
        let (context, clock) = context();
        let http = HttpClient::new(&ClientSettings {
            allow_plain_loopback: true,
            ..ClientSettings::default()
        })
        .unwrap();
        let org_url: url::Url = server.uri().parse().unwrap();
        let credential = AppCredential {
            token_url: org_url.join("/tenant/oauth2/v2.0/token").unwrap(),
            client_id: "0d1a".to_owned(),
            client_secret: SecretString::from("secret"),
            scope: format!("{}/.default", server.uri()),
        };
        let tokens = Arc::new(AppTokens::new(http.clone(), context.clone(), credential));
        let settings = DataverseSettings {
            page_size: 3,
            interactive_retry: RetryPolicy {
                tries: 3,
                ..RetryPolicy::default()
            },
            ..DataverseSettings::new(org_url)
        };
        let client = DataverseClient::new(http, tokens, context, settings).unwrap();
        Self {
            server,
            client,
            clock,
        }
    }

    /// Answers a GET of this path below the API's root; later calls for the same path are asked first.
    pub async fn answer(&self, below: &str, answer: ResponseTemplate) {
        Mock::given(method("GET"))
            .and(path(format!("/api/data/v9.2/{below}")))
            .respond_with(answer)
            .with_priority(1)
            .mount(&self.server)
            .await;
    }

    /// The same, but only so many times.
    pub async fn answer_times(&self, times: u64, below: &str, answer: ResponseTemplate) {
        Mock::given(method("GET"))
            .and(path(format!("/api/data/v9.2/{below}")))
            .respond_with(answer)
            .up_to_n_times(times)
            .with_priority(1)
            .mount(&self.server)
            .await;
    }

    /// The GETs that arrived, in order.
    pub async fn gets(&self) -> Vec<Request> {
        let all = self.server.received_requests().await.unwrap();
        all.into_iter()
            .filter(|request| request.method == wiremock::http::Method::GET)
            .collect()
    }

    /// An absolute link into the API.
    pub fn link(&self, rest: &str) -> String {
        format!("{}/api/data/v9.2/{rest}", self.server.uri())
    }
}

pub fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request
        .headers
        .get(name)
        .map_or("", |it| it.to_str().unwrap())
}

pub fn ok(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

/// An error as the Web API words it.
pub fn refused(status: u16, code: &str, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status)
        .set_body_json(json!({ "error": { "code": code, "message": message } }))
}

/// An error as a proxy words it.
pub fn page_of_a_proxy(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw("<html><h1>Oops</h1></html>", "text/html")
}

/// Real time enough for a call that must not hang.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future)
        .await
        .expect("it hangs")
}
