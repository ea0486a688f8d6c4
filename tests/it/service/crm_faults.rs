//! The CRM at its worst: whatever it does, the mirror and the directory end as a fresh reading of it, or the job says
//! plainly what is wrong (H5, decision 6).

use std::time::Duration;

use provider_bridge::app::build::App;
use provider_bridge::app::open::operator;
use provider_bridge::crm::directory::AccountDirectory;
use provider_bridge::domain::account::{DirectoryAccount, Place as AccountPlace};
use provider_bridge::domain::domain_name::DomainName;
use provider_bridge::domain::ids::{AccountId, ContactId};
use provider_bridge::domain::job::{Job, JobState};
use provider_bridge::domain::ports::crm::{ChangeCursor, ChangePage, Directory, DirectoryTable};
use provider_bridge::jobs::{Runner, RunnerSettings};
use provider_bridge::simulator::{
    Change, Fault, FaultKind, NewAccount, NewContact, RetryAfter, Running, ThrottleBody, Upstream,
};
use provider_bridge::store::{Engine, crm_directory};

use super::scene::{Scene, hours_later, simulator, simulator_by};
use crate::on_both_engines;

const TABLES: [DirectoryTable; 2] = [DirectoryTable::Accounts, DirectoryTable::Contacts];

/// A service beside a simulated CRM.
struct Place {
    simulator: Running,
    scene: Scene,
    app: App,
}

impl Place {
    async fn new(engine: Engine) -> Self {
        Self::with(engine, &[]).await
    }

    async fn with(engine: Engine, settings: &[(&str, &str)]) -> Self {
        // One clock for both: a date in an answer means the same instant to who reads it.
        let context = hours_later(0);
        let simulator = simulator_by(context.clone(), 40).await;
        let mut scene = Scene::new(engine, &simulator).await;
        for (key, value) in settings {
            scene
                .settings
                .insert(format!("PROVIDER_BRIDGE__{key}"), (*value).to_owned());
        }
        let app = scene.app(context).await;
        Self {
            simulator,
            scene,
            app,
        }
    }

    fn fault(&self, kind: FaultKind) -> Fault {
        Fault::new(Upstream::Dataverse, kind)
    }

    fn add(&self, fault: Fault) {
        self.simulator
            .faults()
            .add(fault, self.app.flows.context.now());
    }

    fn change(&self, change: Change) -> uuid::Uuid {
        self.simulator.world().change(change).unwrap()
    }

    fn asked(&self, upstream: Upstream) -> u64 {
        self.simulator.statistics().requests(upstream)
    }

    /// A runner whose leases need no renewal: a clock that moves by itself would renew them over and over while an answer
    /// is under way, and run through every patience meanwhile.
    fn runner(&self) -> Runner {
        let lease = Duration::from_secs(60 * 86_400);
        let settings = RunnerSettings {
            lease,
            ..RunnerSettings::default()
        };
        Runner::new(self.app.flows.clone(), settings)
    }

    /// Asks for a sync of the directory, runs what is due, and gives the job as it is then.
    async fn sync(&self) -> Job {
        let job = self
            .app
            .flows
            .request_directory_sync(&operator())
            .await
            .unwrap();
        self.runner().run_due().await;
        self.app.flows.get_job(&operator(), job.id).await.unwrap()
    }

    async fn synced(&self) {
        let job = self.sync().await;
        assert_eq!(job.state, JobState::Succeeded, "{job:?}");
        self.is_as_the_crm().await;
    }

    /// Everything that the CRM has, read anew and past every cache.
    async fn crm(&self) -> ChangePage {
        let mut all = ChangePage::default();
        for table in TABLES {
            let mut cursor = None;
            while !matches!(cursor, Some(ChangeCursor::Delta(_))) {
                let page = self
                    .app
                    .flows
                    .crm
                    .changes(table, cursor.as_ref())
                    .await
                    .unwrap();
                all.accounts.extend(page.accounts);
                all.contacts.extend(page.contacts);
                cursor = page.cursor;
            }
        }
        sorted(all)
    }

    /// Everything that the store has.
    async fn mirror(&self) -> ChangePage {
        let mut all = ChangePage::default();
        for table in TABLES {
            let mut batch = Some(crm_directory::Batch::first(table));
            while let Some(this) = batch {
                let (page, next) = this.read(self.app.flows.store.reader()).await.unwrap();
                all.accounts.extend(page.accounts);
                all.contacts.extend(page.contacts);
                batch = next;
            }
        }
        sorted(all)
    }

    /// Mirror and directory are what a fresh reading makes of them.
    async fn is_as_the_crm(&self) {
        let crm = self.crm().await;
        let mirror = self.mirror().await;
        assert_eq!(mirror.accounts, crm.accounts);
        assert_eq!(mirror.contacts, crm.contacts);
        let fresh = AccountDirectory::new();
        fresh.apply(&crm);
        let directory = &self.app.flows.directory;
        assert_eq!(directory.len(), fresh.len());
        for account in &crm.accounts {
            let without_place = DirectoryAccount {
                place: AccountPlace::default(),
                ..account.clone()
            };
            assert_eq!(directory.account(account.id), Some(without_place));
        }
        for domain in domains(&crm) {
            let Some(domain) = domain.registrable() else {
                continue;
            };
            assert_eq!(directory.hits(&domain), fresh.hits(&domain), "{domain:?}");
        }
    }
}

fn sorted(mut page: ChangePage) -> ChangePage {
    page.accounts.sort_by_key(|row| row.id);
    page.contacts.sort_by_key(|row| row.id);
    page
}

/// Every domain of every row, and some that rows had before a test changed them.
fn domains(page: &ChangePage) -> Vec<DomainName> {
    let accounts = page.accounts.iter();
    let mut all: Vec<DomainName> = accounts
        .flat_map(|row| row.web_domain.iter().chain(&row.email_domains))
        .cloned()
        .collect();
    all.extend(
        page.contacts
            .iter()
            .flat_map(|row| row.email_domains.iter())
            .cloned(),
    );
    all.extend(
        ["before.example", "after.example", "moved.example"]
            .map(|name| DomainName::parse(name).unwrap()),
    );
    all
}

fn account(id: uuid::Uuid) -> AccountId {
    AccountId::new(id)
}

/// One change of each kind, which end with everything gone.
fn each_kind(one: AccountId, two: AccountId, contact: ContactId) -> [Change; 11] {
    let website = Some("https://www.after.example/".to_owned());
    let email = "ada@after.example".to_owned();
    [
        Change::RenameAccount {
            account: one,
            name: "Renamed".to_owned(),
        },
        Change::SetWebsite {
            account: one,
            website,
        },
        Change::SetContactEmail { contact, email },
        Change::MoveContact {
            contact,
            account: two,
        },
        Change::SetActive {
            account: one,
            active: false,
        },
        Change::SetActive {
            account: one,
            active: true,
        },
        Change::MergeAccounts {
            account: two,
            into: one,
        },
        Change::SetWebsite {
            account: one,
            website: None,
        },
        Change::DeleteAccount { account: two },
        Change::DeleteContact { contact },
        Change::DeleteAccount { account: one },
    ]
}

async fn every_kind_of_change_ends_in_the_mirror_and_the_directory(engine: Engine) {
    let place = Place::new(engine).await;
    place.synced().await;
    let new = |name: &str, website: &str| {
        Change::AddAccount(NewAccount {
            name: name.to_owned(),
            website: Some(website.to_owned()),
            ..NewAccount::default()
        })
    };
    let one = account(place.change(new("One", "https://before.example")));
    let two = account(place.change(new("Two", "https://two.example")));
    let contact = ContactId::new(place.change(Change::AddContact(NewContact {
        account: one,
        given_name: "Ada".to_owned(),
        family_name: "One".to_owned(),
        email: "ada@before.example".to_owned(),
    })));
    place.synced().await;
    assert_eq!(place.app.flows.directory.account(one).unwrap().name, "One");

    for change in each_kind(one, two, contact) {
        place.change(change.clone());
        let before = place.asked(Upstream::Dataverse);
        let job = place.sync().await;
        assert_eq!(job.state, JobState::Succeeded, "{change:?}");
        // Its own pull and the one of the match that it asked for: one page a table each.
        assert!(
            place.asked(Upstream::Dataverse) - before <= 4,
            "{change:?} was not read from the change feed"
        );
        place.is_as_the_crm().await;
    }
    let directory = &place.app.flows.directory;
    assert_eq!(directory.account(one), None);
    let after = DomainName::parse("after.example").unwrap();
    assert!(directory.hits(&after.registrable().unwrap()).is_empty());
}

async fn an_expired_delta_token_reads_everything_again(engine: Engine) {
    let place = Place::new(engine).await;
    place.synced().await;
    for table in TABLES {
        let crm = place.crm().await;
        let account = crm.accounts[3].id;
        let contact = crm.contacts[3].id;
        place.change(Change::DeleteAccount { account });
        place.change(Change::DeleteContact { contact });
        // Accounts are pulled first. What was deleted is found to be gone though nobody says so.
        let nth = if table == DirectoryTable::Accounts {
            1
        } else {
            2
        };
        place.add(place.fault(FaultKind::DeltaTokenExpired).from(nth).times(1));
        place.synced().await;
        assert_eq!(place.app.flows.directory.account(account), None);
        let feed = crm_directory::feed(place.app.flows.store.reader(), table)
            .await
            .unwrap();
        assert_eq!(feed.generation, 2, "{table:?} was not read anew");
    }
}

async fn a_link_to_another_host_is_never_followed_and_the_job_says_so(engine: Engine) {
    let place = Place::new(engine).await;
    let foreign = simulator(1).await;
    let away = || FaultKind::ForeignLink {
        origin: foreign.base_url(),
    };
    place.add(place.fault(away()).on("list-accounts").times(1));
    let job = place.sync().await;
    assert_eq!(job.state, JobState::Failed, "{job:?}");
    let error = job.error.unwrap();
    assert!(
        error.contains("leads off the organisation's host and is not followed"),
        "{error}"
    );
    assert!(!error.contains(&foreign.base_url()), "{error}");

    // The next link, and the delta link at the end of a change feed.
    place.synced().await;
    place.add(place.fault(away()).on("changes").times(1));
    assert_eq!(place.sync().await.state, JobState::Failed);
    assert_eq!(foreign.statistics().requests(Upstream::Dataverse), 0);
    place.synced().await;
}

async fn throttling_is_waited_out_in_either_form(engine: Engine) {
    let place = Place::new(engine).await;
    for (retry_after, seconds, body) in [
        (RetryAfter::Seconds, 17, ThrottleBody::Gateway),
        (RetryAfter::Date, 23, ThrottleBody::ExecutionTime),
        (RetryAfter::Absent, 0, ThrottleBody::Concurrency),
    ] {
        let kind = FaultKind::TooManyRequests {
            body,
            retry_after,
            seconds,
        };
        place.add(place.fault(kind).times(2));
        let (before, began) = (
            place.asked(Upstream::Dataverse),
            place.app.flows.context.now(),
        );
        place.synced().await;
        assert!(place.asked(Upstream::Dataverse) > before + 2);
        let waited = (place.app.flows.context.now() - began).num_seconds();
        assert!(waited >= 2 * i64::from(seconds) - 2, "waited {waited} s");
    }
}

async fn a_storm_that_does_not_end_leaves_the_job_to_be_tried_again_not_before_it_may(
    engine: Engine,
) {
    let place = Place::new(engine).await;
    let kind = FaultKind::TooManyRequests {
        body: ThrottleBody::default(),
        retry_after: RetryAfter::Seconds,
        seconds: 300,
    };
    place.add(place.fault(kind));
    let job = place
        .app
        .flows
        .request_directory_sync(&operator())
        .await
        .unwrap();
    place.runner().run_due().await;
    let job = place.app.flows.get_job(&operator(), job.id).await.unwrap();
    assert_eq!(job.state, JobState::Retry, "{job:?}");
    let error = job.error.as_deref().unwrap();
    assert!(
        error.contains("0x80072322") && error.contains("wait and try again"),
        "{error}"
    );
    assert_eq!(place.asked(Upstream::Dataverse), 1, "it went on asking");
    let wait = job.run_at - place.app.flows.context.now();
    assert!(wait.num_seconds() >= 290, "{wait}");
}

async fn passing_faults_are_outlived(engine: Engine) {
    let place = Place::new(engine).await;
    for kind in [
        FaultKind::ServerError { status: 503 },
        FaultKind::ServerError { status: 500 },
        FaultKind::ErrorPage { status: 502 },
        FaultKind::TornBody,
        FaultKind::TruncatedJson,
        FaultKind::ExpiredToken,
    ] {
        let name = format!("{kind:?}");
        place.add(place.fault(kind).times(1));
        place.add(
            place
                .fault(FaultKind::ServerError { status: 504 })
                .on("list-contacts")
                .from(2)
                .times(1),
        );
        let job = place.sync().await;
        assert_eq!(job.state, JobState::Succeeded, "{name}: {job:?}");
        place.is_as_the_crm().await;
    }
}

async fn an_answer_that_never_comes_is_given_up_and_asked_for_again(engine: Engine) {
    let place = Place::with(engine, &[("HTTP_CLIENT__TIMEOUT_SECONDS", "1")]).await;
    place.add(place.fault(FaultKind::TimeOut).times(1));
    place.synced().await;
}

async fn a_refused_token_is_renewed_once_and_then_the_job_says_what_to_check(engine: Engine) {
    let place = Place::new(engine).await;
    place.synced().await;
    let (crm, entra) = (
        place.asked(Upstream::Dataverse),
        place.asked(Upstream::Entra),
    );
    place.add(place.fault(FaultKind::RevokedToken));
    let job = place.sync().await;
    assert_eq!(job.state, JobState::Failed, "{job:?}");
    let error = job.error.unwrap();
    assert!(
        error.contains("the token was refused") && error.contains("check"),
        "{error}"
    );
    assert_eq!(place.asked(Upstream::Dataverse) - crm, 2);
    assert_eq!(place.asked(Upstream::Entra) - entra, 1);
    place.simulator.faults().clear();
    place.synced().await;
    drop(place.scene);
}

on_both_engines! {
    every_kind_of_change_ends_in_the_mirror_and_the_directory,
    an_expired_delta_token_reads_everything_again,
    a_link_to_another_host_is_never_followed_and_the_job_says_so,
    throttling_is_waited_out_in_either_form,
    a_storm_that_does_not_end_leaves_the_job_to_be_tried_again_not_before_it_may,
    passing_faults_are_outlived,
    an_answer_that_never_comes_is_given_up_and_asked_for_again,
    a_refused_token_is_renewed_once_and_then_the_job_says_what_to_check,
}
