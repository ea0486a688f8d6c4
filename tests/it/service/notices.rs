//! From a change in the simulated CRM to the mapping that follows it, by the webhook that Dataverse posts (H4, B10).

use provider_bridge::app::build::App;
use provider_bridge::app::open::operator;
use provider_bridge::app::running::Running;
use provider_bridge::domain::ids::AccountId;
use provider_bridge::domain::job::{Job, JobState, JobWork};
use provider_bridge::domain::mapping::MappingState;
use provider_bridge::flows::create_account::CreateAccount;
use provider_bridge::simulator::{
    self, Change, Fault, FaultKind, NewAccount, Upstream, WebhookAuthentication, WebhookEndpoint,
};
use provider_bridge::store::entities::{crm_notice, exception};
use provider_bridge::store::provider_accounts::Filter;
use provider_bridge::store::{Engine, jobs};
use sea_orm::EntityTrait;

use super::outcome::Outcome;
use super::scene::{Receiver, Scene, hours_later, run_until_idle, simulator_by, standing_at};
use crate::on_both_engines;

const SECRET: &str = "the-secret-that-dynamics-was-given";

/// A service that synced and mapped, and listens to the simulated Dataverse.
struct Listening {
    simulator: simulator::Running,
    running: Running,
    /// Does the work of the service, by hand.
    beside: App,
    _scene: Scene,
    _receiver: Receiver,
}

impl Listening {
    async fn on(engine: Engine) -> Self {
        let simulator = simulator_by(standing_at(0), 40).await;
        let mut scene = Scene::new(engine, &simulator).await;
        let secrets = "PROVIDER_BRIDGE__DATAVERSE__WEBHOOK_SECRETS";
        scene.settings.insert(secrets.to_owned(), SECRET.to_owned());
        let receiver = Receiver::start();
        scene.begin(&receiver).await;
        let app = scene.app(hours_later(1)).await;
        run_until_idle(&app).await;
        let running = app.start(false).await.unwrap();
        let beside = App::build_beside(scene.config(), hours_later(2))
            .await
            .unwrap();
        Self {
            simulator,
            running,
            beside,
            _scene: scene,
            _receiver: receiver,
        }
    }

    fn register(&self, authentication: WebhookAuthentication) {
        let url = format!("{}/webhooks/dataverse", self.running.base_url());
        let endpoint = WebhookEndpoint {
            url,
            authentication,
        };
        self.simulator.webhooks().register(endpoint);
    }

    /// Changes something, and lets Dataverse post and the service work. Gives the answers to the posts.
    async fn change(&self, change: Change) -> (AccountId, Vec<u16>) {
        let before = self.simulator.webhooks().posted().len();
        let id = self.simulator.world().change(change).unwrap();
        self.simulator.webhooks().idle().await;
        run_until_idle(&self.beside).await;
        let posted = self.simulator.webhooks().posted();
        let answers = posted[before..]
            .iter()
            .flat_map(|posted| posted.answers.clone());
        (AccountId::new(id), answers.collect())
    }

    async fn create(&self, name: &str) -> AccountId {
        let new = NewAccount {
            name: name.to_owned(),
            website: None,
            email: None,
            parent: None,
            customer: None,
        };
        self.change(Change::AddAccount(new)).await.0
    }

    /// A customer that is mapped, and to what.
    async fn a_mapping(&self) -> (String, AccountId) {
        let outcome = Outcome::of(&self.beside).await;
        let account = |mapping: &str| mapping.split(' ').nth(2)?.parse().ok();
        let mut mapped = outcome
            .accounts
            .iter()
            .filter_map(|(id, (mapping, _))| Some((id.clone(), account(mapping)?)));
        mapped.next().unwrap()
    }

    async fn mapping_of(&self, customer: &str) -> String {
        Outcome::of(&self.beside).await.accounts[customer].0.clone()
    }

    async fn kept(&self) -> usize {
        let reader = self.beside.flows.store.reader();
        crm_notice::Entity::find().all(reader).await.unwrap().len()
    }

    /// The kinds of the open exceptions. That mapped accounts have no contract yet is not what these tests are about.
    async fn exceptions(&self) -> Vec<String> {
        let reader = self.beside.flows.store.reader();
        let rows = exception::Entity::find().all(reader).await.unwrap();
        let open = rows.into_iter().filter(|row| row.closed_at.is_none());
        open.map(|row| row.kind)
            .filter(|kind| kind != "account-without-contract")
            .collect()
    }

    /// Of every notice from now on.
    fn always(&self, kind: FaultKind) {
        let now = self.beside.flows.context.now();
        let fault = Fault::new(Upstream::Dataverse, kind);
        self.simulator.faults().add(fault, now);
    }

    async fn readings_waiting(&self) -> usize {
        let reader = self.beside.flows.store.reader();
        let jobs = jobs::latest(reader, 50).await.unwrap();
        let waits =
            |job: &&Job| job.work == JobWork::SyncCrmDirectory && job.state == JobState::Waiting;
        jobs.iter().filter(waits).count()
    }

    fn fault(&self, kind: FaultKind) {
        let fault = Fault::new(Upstream::Dataverse, kind).times(1);
        let now = self.beside.flows.context.now();
        self.simulator.faults().add(fault, now);
    }
}

fn header(value: &str) -> WebhookAuthentication {
    WebhookAuthentication::HttpHeader {
        name: "X-Webhook-Secret".to_owned(),
        value: value.to_owned(),
    }
}

async fn a_merge_in_the_crm_is_posted_and_the_mapping_follows(engine: Engine) {
    let service = Listening::on(engine).await;
    service.register(header(SECRET));
    service.register(WebhookAuthentication::WebhookKey {
        value: SECRET.to_owned(),
    });
    service.register(WebhookAuthentication::HttpQueryString {
        name: "secret".to_owned(),
        value: SECRET.to_owned(),
    });
    let survivor = service.create("The one that remains").await;
    let (customer, account) = service.a_mapping().await;
    let merge = Change::MergeAccounts {
        account,
        into: survivor,
    };
    let (_, answers) = service.change(merge).await;
    assert_eq!(answers, [202, 202, 202], "each kind of authentication");
    assert_eq!(service.kept().await, 6);
    let mapping = service.mapping_of(&customer).await;
    assert!(mapping.contains(&survivor.to_string()), "{mapping}");
    assert_eq!(service.exceptions().await, [""; 0]);
    // A deleted account leaves an exception.
    service
        .change(Change::DeleteAccount { account: survivor })
        .await;
    assert_eq!(service.exceptions().await, ["broken-mapping"]);
}

on_both_engines! { a_merge_in_the_crm_is_posted_and_the_mapping_follows }

#[actix_web::test]
async fn every_oddity_of_the_sender_leaves_the_same_mapping() {
    for kind in [
        FaultKind::NoticeDoubled,
        FaultKind::NoticeMangled,
        FaultKind::NoticeSwollen,
    ] {
        let service = Listening::on(Engine::Sqlite).await;
        service.register(header(SECRET));
        let survivor = service.create("Müller & Söhne").await;
        let (customer, account) = service.a_mapping().await;
        service.fault(kind.clone());
        let merge = Change::MergeAccounts {
            account,
            into: survivor,
        };
        let (_, answers) = service.change(merge).await;
        assert!(
            answers.iter().all(|answer| *answer == 202),
            "{kind:?}: {answers:?}"
        );
        let mapping = service.mapping_of(&customer).await;
        assert!(
            mapping.contains(&survivor.to_string()),
            "{kind:?}: {mapping}"
        );
    }
}

/// A creation in the CRM, two merges and a renaming, told in the wrong order and the wrong encoding.
#[actix_web::test]
async fn notices_in_the_wrong_order_and_encoding_leave_the_right_mapping() {
    let service = Listening::on(Engine::Sqlite).await;
    let last = service.create("The last one").await;
    let (customer, account) = service.a_mapping().await;
    service.register(header(SECRET));
    service.always(FaultKind::NoticeSwapped);
    service.always(FaultKind::NoticeMangled);
    let world = service.simulator.world();
    let change = |change| AccountId::new(world.change(change).unwrap());
    let between = change(Change::AddAccount(NewAccount {
        name: "Größe".to_owned(),
        website: None,
        email: None,
        parent: None,
        customer: None,
    }));
    let merge = |account, into| change(Change::MergeAccounts { account, into });
    merge(account, between);
    change(Change::RenameAccount {
        account: between,
        name: "Größe & Söhne".to_owned(),
    });
    let rename = Change::RenameAccount {
        account: last,
        name: "Zoë".to_owned(),
    };
    merge(between, last);
    service.change(rename).await;

    let posted = service.simulator.webhooks().posted();
    let messages: Vec<_> = posted.iter().map(|posted| posted.message).collect();
    let accounts: Vec<_> = messages.iter().take(4).collect();
    assert_eq!(
        accounts,
        [&"Merge", &"Create", &"Merge", &"Update"],
        "{messages:?}"
    );
    assert!(posted.iter().all(|posted| posted.answers == [202]));
    let reader = service.beside.flows.store.reader();
    let kept = crm_notice::Entity::find().all(reader).await.unwrap();
    assert!(
        kept.iter()
            .any(|row| row.body.windows(5).any(|bytes| bytes == b"Gr\xf6\xdfe"))
    );
    let mapping = service.mapping_of(&customer).await;
    assert!(mapping.contains(&last.to_string()), "{mapping}");
    assert_eq!(service.exceptions().await, [""; 0]);
    let live = service.beside.flows.directory.account(last).unwrap();
    assert_eq!(live.name, "Zoë");
}

async fn an_account_that_we_create_does_not_come_back_as_a_change(engine: Engine) {
    let service = Listening::on(engine).await;
    service.register(header(SECRET));
    let unmapped = Filter {
        state: Some(MappingState::Unmapped),
        ..Filter::default()
    };
    let (flows, by) = (&service.running.flows, operator());
    let customers = flows.list_provider_accounts(&by, &unmapped, None, 1);
    let customer = customers.await.unwrap().accounts.remove(0);
    let request = CreateAccount {
        confirmed: true,
        ..CreateAccount::default()
    };
    let made = flows.create_account_and_map(&by, customer.id, &request);
    let made = made.await.unwrap().account.mapping.account_id().unwrap();
    service.simulator.webhooks().idle().await;
    let posted = service.simulator.webhooks().posted();
    let last = posted.last().unwrap();
    assert_eq!(
        (last.message, last.answers.as_slice()),
        ("Create", &[202][..])
    );
    assert_eq!(service.kept().await, 1);
    assert_eq!(service.readings_waiting().await, 0, "our own write echoed");

    // Somebody else changes what we made.
    let rename = Change::RenameAccount {
        account: made,
        name: "Another name".to_owned(),
    };
    service.simulator.world().change(rename).unwrap();
    service.simulator.webhooks().idle().await;
    assert_eq!(service.kept().await, 2);
    assert_eq!(service.readings_waiting().await, 1);
    run_until_idle(&service.beside).await;
    let live = service.beside.flows.directory.account(made).unwrap();
    assert_eq!(live.name, "Another name");
}

on_both_engines! { an_account_that_we_create_does_not_come_back_as_a_change }

#[actix_web::test]
async fn a_sender_with_another_secret_is_refused_and_an_exception_says_so() {
    let service = Listening::on(Engine::Sqlite).await;
    service.register(header("the-secret-that-dynamics-was-g1ven"));
    let before = service.kept().await;
    let rename = Change::RenameAccount {
        account: service.a_mapping().await.1,
        name: "x".to_owned(),
    };
    assert_eq!(service.change(rename).await.1, [401]);
    assert_eq!(service.kept().await, before);
    assert_eq!(service.exceptions().await, ["webhook-refused"]);
}
