//! A stand-in for Entra and Partner Center whose answers a test writes itself, and a client connected to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use provider_bridge::domain::ports::provider::{
    CustomerPage, PageToken, ProviderClient, ProviderError,
};
use provider_bridge::providers::partner_center::{
    PartnerCenterClient, PartnerCenterConnection, PartnerCenterSettings,
};
use secrecy::SecretString;
use serde_json::{Value, json};
use wiremock::matchers::{method, path, path_regex};
use wiremock::{Match, Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::support::context::{ManualClock, context};
use crate::support::http::loopback_client;

pub const TENANT: &str = "6f1d2a4e-0000-4000-8000-00000000000a";
pub const SECRET: &str = "client-secret-canary";
pub const CUSTOMERS: &str = "/v1/customers";

pub struct Stand {
    pub server: MockServer,
    pub client: PartnerCenterClient,
    pub clock: Arc<ManualClock>,
}

impl Stand {
    /// A client whose waits cost no time, and a server that so far only grants tokens.
    pub async fn start() -> Self {
        Self::with(|_, _| ()).await
    }

    /// As [`Self::start`], with other settings.
    pub async fn with(
        change: impl FnOnce(&mut PartnerCenterSettings, &mut PartnerCenterConnection),
    ) -> Self {
        let server = MockServer::start().await;
        let stand = Self::without_sign_in(server, change);
        Mock::given(method("POST"))
            .and(path(format!("/{TENANT}/oauth2/v2.0/token")))
            .respond_with(Tokens::for_audience(&stand.server.uri()))
            .mount(&stand.server)
            .await;
        stand
    }

    /// As [`Self::with`], on a server that grants nothing.
    pub fn without_sign_in(
        server: MockServer,
        change: impl FnOnce(&mut PartnerCenterSettings, &mut PartnerCenterConnection),
    ) -> Self {
        let (context, clock) = context();
        clock.advance_by_itself();
        let url = || server.uri().parse().unwrap();
        let mut settings = PartnerCenterSettings::new(url(), url());
        let mut connection = PartnerCenterConnection {
            tenant: TENANT.to_owned(),
            client_id: "app-1".to_owned(),
            client_secret: SecretString::from(SECRET),
        };
        change(&mut settings, &mut connection);
        let client = PartnerCenterClient::new(loopback_client(), context, settings, connection);
        Self {
            server,
            client,
            clock,
        }
    }

    /// Every GET is answered by `answer`.
    pub async fn answering(&self, answer: impl Respond + 'static) {
        Mock::given(method("GET"))
            .respond_with(answer)
            .mount(&self.server)
            .await;
    }

    /// GETs that match are answered by `answers` in turn, the last one for ever.
    pub async fn answering_in_turn(
        &self,
        matching: impl Match + 'static,
        answers: Vec<ResponseTemplate>,
    ) {
        let turn = AtomicUsize::new(0);
        let answer = move |_: &Request| {
            let at = turn.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
            answers[at].clone()
        };
        Mock::given(method("GET"))
            .and(matching)
            .respond_with(answer)
            .mount(&self.server)
            .await;
    }

    /// The listing is answered page by page: the first without a token, each further one by its token.
    pub async fn listing(&self, pages: Vec<(Option<&'static str>, ResponseTemplate)>) {
        let answer = move |request: &Request| {
            let token = header(request, "MS-ContinuationToken");
            let page = pages.iter().find(|(wanted, _)| *wanted == token.as_deref());
            page.map_or_else(|| ResponseTemplate::new(599), |(_, answer)| answer.clone())
        };
        Mock::given(path(CUSTOMERS))
            .respond_with(answer)
            .mount(&self.server)
            .await;
    }

    /// All pages up to the end or the error.
    pub async fn list(&self) -> (Vec<CustomerPage>, Result<(), ProviderError>) {
        let mut pages = Vec::new();
        let mut next: Option<PageToken> = None;
        loop {
            let page = match self.client.list_customers(next.as_ref()).await {
                Ok(page) => page,
                Err(error) => return (pages, Err(error)),
            };
            next = page.next.clone();
            pages.push(page);
            if next.is_none() {
                return (pages, Ok(()));
            }
        }
    }

    /// What was asked of Partner Center.
    pub async fn asked(&self) -> Vec<Request> {
        self.of_method("GET").await
    }

    /// How many tokens were asked for.
    pub async fn signed_in(&self) -> usize {
        self.of_method("POST").await.len()
    }

    async fn of_method(&self, method: &str) -> Vec<Request> {
        let requests = self.server.received_requests().await.unwrap();
        requests
            .into_iter()
            .filter(|request| request.method.as_str() == method)
            .collect()
    }
}

/// Grants tokens that differ, of [`TENANT`] and for one audience.
pub struct Tokens {
    granted: AtomicUsize,
    claims: Value,
}

impl Tokens {
    pub fn for_audience(audience: &str) -> Self {
        Self::claiming(json!({"tid": TENANT, "aud": audience}))
    }

    pub fn claiming(claims: Value) -> Self {
        Self {
            granted: AtomicUsize::new(0),
            claims,
        }
    }
}

impl Respond for Tokens {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        let number = self.granted.fetch_add(1, Ordering::SeqCst) + 1;
        let claims = URL_SAFE_NO_PAD.encode(self.claims.to_string());
        let token = format!("e30.{claims}.n{number}");
        ResponseTemplate::new(200).set_body_json(
            json!({"token_type": "Bearer", "expires_in": "3599", "access_token": token}),
        )
    }
}

/// A header of a request, as text.
pub fn header(request: &Request, name: &str) -> Option<String> {
    let value = request.headers.get(name)?;
    Some(value.to_str().unwrap().to_owned())
}

/// The path of one customer.
pub fn one_customer() -> impl Match + 'static {
    path_regex("^/v1/customers/[^/]+$")
}

/// The id of the customer with this number.
pub fn id(number: u32) -> String {
    format!("{number:08x}-0000-4000-8000-000000000000")
}

/// A customer as the listing shows it.
pub fn listed(number: u32) -> Value {
    json!({
        "id": id(number),
        "companyProfile": {
            "tenantId": id(number),
            "domain": format!("customer{number}.onmicrosoft.com"),
            "companyName": format!("Customer {number}"),
            "links": {"self": {"uri": format!("/customers/{}/profiles/company", id(number)), "method": "GET", "headers": []}},
            "attributes": {"objectType": "CustomerCompanyProfile"}
        },
        "relationshipToPartner": "reseller",
        "links": {"self": {"uri": format!("/customers/{}", id(number)), "method": "GET", "headers": []}},
        "attributes": {"objectType": "Customer"}
    })
}

/// A page of these customers, with the token of the next in its body.
pub fn page(numbers: &[u32], token: Option<&str>) -> Value {
    let items: Vec<Value> = numbers.iter().map(|number| listed(*number)).collect();
    let mut page = json!({
        "totalCount": items.len(),
        "items": items,
        "links": {"self": {"uri": "/customers?size=500", "method": "GET", "headers": []}},
        "attributes": {"objectType": "Collection"}
    });
    if let Some(token) = token {
        page["continuationToken"] = json!(token);
    }
    page
}

/// 200 with this body.
pub fn ok(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

/// An error as Partner Center documents it.
pub fn refusal(status: u16, code: Value, description: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(
        json!({"code": code, "description": description, "data": [], "source": "PartnerFD"}),
    )
}

/// The names of the customers of all pages.
pub fn names(pages: &[CustomerPage]) -> Vec<&str> {
    let customers = pages.iter().flat_map(|page| &page.customers);
    customers.map(|customer| customer.name.as_str()).collect()
}
