//! The webhook sender: what it posts, how it proves itself, when it tries again, and what can be made to go wrong.

use std::sync::Arc;
use std::time::Duration;

use provider_bridge::domain::ids::AccountId;
use provider_bridge::simulator::{
    Change, Fault, FaultKind, NewAccount, Posted, Running, Simulator, SimulatorOptions, Upstream,
    WebhookAuthentication, WebhookEndpoint, World, WorldSpec,
};
use serde_json::Value;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::support::context::{ManualClock, context};

/// A simulator and a receiver of its webhooks.
struct Stand {
    simulator: Running,
    receiver: MockServer,
    clock: Arc<ManualClock>,
}

impl Stand {
    async fn new() -> Self {
        let (context, clock) = context();
        let world = World::generate(&WorldSpec::new(5, 3));
        let simulator = Simulator::start(world, SimulatorOptions::new(context))
            .await
            .unwrap();
        let receiver = MockServer::start().await;
        Self {
            simulator,
            receiver,
            clock,
        }
    }

    async fn answer(&self, template: ResponseTemplate, times: u64) {
        Mock::given(method("POST"))
            .respond_with(template)
            .up_to_n_times(times)
            .mount(&self.receiver)
            .await;
    }

    fn register(&self, authentication: WebhookAuthentication) {
        let url = format!("{}/webhooks/dataverse", self.receiver.uri());
        let endpoint = WebhookEndpoint {
            url,
            authentication,
        };
        self.simulator.webhooks().register(endpoint);
    }

    fn key(&self) {
        let value = "k".to_owned();
        self.register(WebhookAuthentication::WebhookKey { value });
    }

    fn fault(&self, kind: FaultKind) {
        let fault = Fault::new(Upstream::Dataverse, kind).times(1);
        self.simulator
            .faults()
            .add(fault, chrono::DateTime::UNIX_EPOCH);
    }

    fn change(&self, change: Change) -> AccountId {
        AccountId::new(self.simulator.world().change(change).unwrap())
    }

    fn create(&self, name: &str) -> AccountId {
        self.change(Change::AddAccount(NewAccount {
            name: name.to_owned(),
            website: None,
            email: None,
            parent: None,
            customer: None,
        }))
    }

    async fn posted(&self) -> Vec<Posted> {
        self.simulator.webhooks().idle().await;
        self.simulator.webhooks().posted()
    }

    async fn arrived(&self) -> Vec<Request> {
        self.simulator.webhooks().idle().await;
        self.receiver.received_requests().await.unwrap()
    }
}

fn names(requests: &[Request]) -> Vec<String> {
    let body = |request: &Request| serde_json::from_slice::<Value>(&request.body).unwrap();
    let name = |body: Value| body["InputParameters"][0]["value"]["Attributes"][0]["value"].clone();
    requests
        .iter()
        .map(|request| name(body(request)).as_str().unwrap_or_default().to_owned())
        .collect()
}

#[actix_web::test]
async fn each_kind_of_authentication_puts_its_secret_in_its_place() {
    let stand = Stand::new().await;
    stand.answer(ResponseTemplate::new(202), 3).await;
    let (name, value) = ("X-Secret".to_owned(), "s".to_owned());
    stand.create("nobody is told");
    stand.register(WebhookAuthentication::HttpHeader {
        name,
        value: value.clone(),
    });
    stand.key();
    let name = "secret".to_owned();
    stand.register(WebhookAuthentication::HttpQueryString { name, value });
    stand.create("Zoë");
    let arrived = stand.arrived().await;
    assert_eq!(arrived.len(), 3);
    assert_eq!(arrived[0].headers["x-secret"], "s");
    assert_eq!(arrived[0].url.query(), None);
    assert_eq!(arrived[1].url.query(), Some("code=k"));
    assert_eq!(arrived[2].url.query(), Some("secret=s"));
    for request in &arrived {
        assert_eq!(request.headers["x-ms-dynamics-organization"], "127.0.0.1");
        assert_eq!(request.headers["x-ms-dynamics-entity-name"], "account");
        assert_eq!(request.headers["x-ms-dynamics-request-name"], "Create");
    }
    assert_eq!(names(&arrived), ["Zoë", "Zoë", "Zoë"]);
}

#[actix_web::test]
async fn only_a_receiver_that_is_busy_is_asked_again_and_once() {
    let stand = Stand::new().await;
    stand.key();
    for (status, tries) in [
        (202, vec![202]),
        (400, vec![400]),
        (500, vec![500]),
        (502, vec![502, 502]),
        (503, vec![503, 503]),
        (504, vec![504, 504]),
    ] {
        stand.receiver.reset().await;
        stand.answer(ResponseTemplate::new(status), 9).await;
        stand.create("x");
        assert_eq!(stand.posted().await.last().unwrap().answers, tries);
    }
    stand.receiver.reset().await;
    stand.answer(ResponseTemplate::new(503), 1).await;
    stand.answer(ResponseTemplate::new(202), 1).await;
    stand.create("x");
    assert_eq!(stand.posted().await.last().unwrap().answers, [503, 202]);
}

#[actix_web::test]
async fn a_receiver_that_hangs_is_left_after_a_minute() {
    let stand = Stand::new().await;
    stand.key();
    let never = ResponseTemplate::new(202).set_delay(Duration::from_secs(3600));
    stand.answer(never, 1).await;
    stand.create("x");
    stand.clock.sleepers_reach(1).await;
    assert_eq!(stand.clock.next_wake(), Some(Duration::from_secs(60)));
    stand.clock.advance(Duration::from_secs(60));
    assert_eq!(stand.posted().await.last().unwrap().answers, [0]);
}

#[actix_web::test]
async fn notices_are_doubled_swapped_mangled_and_swollen() {
    let stand = Stand::new().await;
    stand.answer(ResponseTemplate::new(202), 99).await;
    stand.key();
    stand.fault(FaultKind::NoticeDoubled);
    stand.create("one");
    assert_eq!(names(&stand.arrived().await), ["one", "one"]);

    stand.receiver.reset().await;
    stand.answer(ResponseTemplate::new(202), 99).await;
    stand.fault(FaultKind::NoticeSwapped);
    stand.create("first");
    stand.create("second");
    stand.create("third");
    assert_eq!(names(&stand.arrived().await), ["second", "first", "third"]);

    stand.receiver.reset().await;
    stand.answer(ResponseTemplate::new(202), 99).await;
    stand.fault(FaultKind::NoticeMangled);
    stand.create("Müller");
    let arrived = stand.arrived().await;
    assert!(std::str::from_utf8(&arrived[0].body).is_err());
    assert!(
        arrived[0]
            .body
            .windows(6)
            .any(|bytes| bytes == b"M\xfcller")
    );

    stand.receiver.reset().await;
    stand.answer(ResponseTemplate::new(202), 99).await;
    stand.fault(FaultKind::NoticeSwollen);
    let account = stand.create("large");
    let arrived = stand.arrived().await;
    let body: Value = serde_json::from_slice(&arrived[0].body).unwrap();
    assert!(
        arrived[0]
            .headers
            .contains_key("x-ms-dynamics-msg-size-exceeded")
    );
    assert!(arrived[0].body.len() < 256 * 1024);
    assert_eq!(body["InputParameters"], Value::Null);
    assert_eq!(body["PrimaryEntityId"], account.to_string());
}

#[actix_web::test]
async fn each_change_is_one_message_and_what_failed_is_none() {
    let stand = Stand::new().await;
    stand.answer(ResponseTemplate::new(202), 99).await;
    let (one, other) = (stand.create("one"), stand.create("other"));
    stand.key();
    stand.change(Change::RenameAccount {
        account: one,
        name: "another".to_owned(),
    });
    stand.change(Change::MergeAccounts {
        account: one,
        into: other,
    });
    stand.change(Change::DeleteAccount { account: other });
    let absent = Change::DeleteAccount { account: other };
    stand.simulator.world().change(absent).unwrap_err();
    let posted = stand.posted().await;
    let messages: Vec<_> = posted.iter().map(|posted| posted.message).collect();
    assert_eq!(messages, ["Update", "Merge", "Delete"]);
    let merge: Value = serde_json::from_slice(&stand.arrived().await[1].body).unwrap();
    assert_eq!(merge["PrimaryEntityId"], other.to_string());
    assert_eq!(merge["InputParameters"][1]["key"], "SubordinateId");
    assert_eq!(merge["InputParameters"][1]["value"], one.to_string());
}
