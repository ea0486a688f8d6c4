//! The cache before the CRM, with a CRM that counts and can be held up.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{join, join_all};
use provider_bridge::crm::lookups::{CachedAccounts, LookupSettings};
use provider_bridge::domain::account::{Account, AccountState};
use provider_bridge::domain::ids::AccountId;
use provider_bridge::domain::ports::crm::{
    AccountLookup, ChangeCursor, ChangeFeedError, ChangePage, Crm, CrmError, DirectoryTable,
};
use provider_bridge::domain::ports::provider::FailureKind;
use provider_bridge::domain::verify::VerifyReport;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::support::context::{ManualClock, context};

fn id(number: u128) -> AccountId {
    AccountId::new(Uuid::from_u128(number))
}

fn account(number: u128, name: &str) -> Account {
    Account {
        id: id(number),
        name: name.to_owned(),
        number: None,
        website: None,
        email: None,
        city: None,
        country: None,
        state: AccountState::Active,
        parent_id: None,
        modified_at: None,
        etag: format!("W/\"{name}\""),
    }
}

/// What the CRM holds, whether it fails, and how often it was asked for what.
struct CountingCrm {
    accounts: Mutex<HashMap<AccountId, Account>>,
    failure: Mutex<Option<FailureKind>>,
    gate: Semaphore,
    reads: AtomicUsize,
    unchanged: AtomicUsize,
    searches: AtomicUsize,
}

impl CountingCrm {
    async fn enter(&self) -> Result<(), CrmError> {
        let _open = self.gate.acquire().await.unwrap();
        match *self.failure.lock().unwrap() {
            Some(kind) => Err(CrmError {
                kind,
                message: "down".to_owned(),
                code: None,
                retry_after: None,
            }),
            None => Ok(()),
        }
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    fn searches(&self) -> usize {
        self.searches.load(Ordering::SeqCst)
    }

    fn fail(&self, kind: Option<FailureKind>) {
        *self.failure.lock().unwrap() = kind;
    }

    fn holds(&self, account: Account) {
        self.accounts.lock().unwrap().insert(account.id, account);
    }
}

#[async_trait]
impl Crm for CountingCrm {
    async fn read_account(
        &self,
        id: AccountId,
        known: Option<&Account>,
    ) -> Result<Option<Account>, CrmError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        // What is read is what was there when the question came, however long the answer takes.
        let found = self.accounts.lock().unwrap().get(&id).cloned();
        self.enter().await?;
        if let (Some(found), Some(known)) = (&found, known)
            && found.etag == known.etag
        {
            self.unchanged.fetch_add(1, Ordering::SeqCst);
        }
        Ok(found)
    }

    async fn search_accounts(&self, text: &str, top: usize) -> Result<Vec<Account>, CrmError> {
        self.searches.fetch_add(1, Ordering::SeqCst);
        self.enter().await?;
        let accounts = self.accounts.lock().unwrap();
        let found = accounts.values().filter(|it| it.name.contains(text));
        Ok(found.take(top).cloned().collect())
    }

    async fn changes(
        &self,
        _: DirectoryTable,
        _: Option<&ChangeCursor>,
    ) -> Result<ChangePage, ChangeFeedError> {
        Err(ChangeFeedError::Expired)
    }

    async fn verify(&self) -> VerifyReport {
        VerifyReport::of(Vec::new())
    }
}

fn world() -> (Arc<CountingCrm>, CachedAccounts, Arc<ManualClock>) {
    let crm = Arc::new(CountingCrm {
        accounts: Mutex::default(),
        failure: Mutex::default(),
        gate: Semaphore::new(Semaphore::MAX_PERMITS),
        reads: AtomicUsize::new(0),
        unchanged: AtomicUsize::new(0),
        searches: AtomicUsize::new(0),
    });
    crm.holds(account(1, "Contoso"));
    let (context, clock) = context();
    let cache = CachedAccounts::new(crm.clone(), context, LookupSettings::default());
    (crm, cache, clock)
}

async fn name(cache: &CachedAccounts, number: u128) -> Option<String> {
    let found = cache.account(id(number)).await.unwrap();
    found.map(|account| account.name.clone())
}

async fn let_others_run() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

/// Holds the CRM's answers back until the returned permits are dropped.
async fn shut(crm: &CountingCrm) -> tokio::sync::SemaphorePermit<'_> {
    crm.gate.forget_permits(Semaphore::MAX_PERMITS - 1);
    crm.gate.acquire().await.unwrap()
}

#[actix_web::test]
async fn a_thousand_who_miss_the_same_account_ask_the_crm_once() {
    let (crm, cache, _) = world();
    let held = shut(&crm).await;
    let asking = join_all((0..1_000).map(|_| cache.account(id(1))));
    let (answers, ()) = join(asking, async {
        let_others_run().await;
        drop(held);
    })
    .await;
    assert_eq!(crm.reads(), 1);
    let first = answers[0].as_ref().unwrap().clone().unwrap();
    for answer in &answers {
        assert!(Arc::ptr_eq(
            answer.as_ref().unwrap().as_ref().unwrap(),
            &first
        ));
    }
    name(&cache, 1).await;
    assert_eq!(crm.reads(), 1);
}

#[actix_web::test]
async fn a_failure_is_shared_by_those_who_wait_and_forgotten_at_once() {
    let (crm, cache, _) = world();
    crm.fail(Some(FailureKind::Transient));
    let held = shut(&crm).await;
    let asking = join_all((0..100).map(|_| cache.account(id(1))));
    let (answers, ()) = join(asking, async {
        let_others_run().await;
        drop(held);
    })
    .await;
    assert!(answers.iter().all(Result::is_err));
    assert_eq!(crm.reads(), 1);
    crm.fail(None);
    assert_eq!(name(&cache, 1).await.as_deref(), Some("Contoso"));
    assert_eq!(crm.reads(), 2);
}

#[actix_web::test]
async fn that_there_is_no_such_account_is_remembered_but_shorter() {
    let (crm, cache, clock) = world();
    assert_eq!(name(&cache, 2).await, None);
    assert_eq!(name(&cache, 1).await.as_deref(), Some("Contoso"));
    clock.advance(Duration::from_secs(29));
    assert_eq!(name(&cache, 2).await, None);
    assert_eq!(crm.reads(), 2);
    crm.holds(account(2, "Fabrikam"));
    clock.advance(Duration::from_secs(1));
    assert_eq!(name(&cache, 2).await.as_deref(), Some("Fabrikam"));
    assert_eq!(name(&cache, 1).await.as_deref(), Some("Contoso"));
    assert_eq!(crm.reads(), 3);
}

#[actix_web::test]
async fn a_copy_that_aged_is_checked_by_its_entity_tag_by_one_for_all() {
    let (crm, cache, clock) = world();
    name(&cache, 1).await;
    clock.advance(Duration::from_secs(300));
    let held = shut(&crm).await;
    let asking = join_all((0..100).map(|_| name(&cache, 1)));
    let (answers, ()) = join(asking, async {
        let_others_run().await;
        drop(held);
    })
    .await;
    assert!(answers.iter().all(|it| it.as_deref() == Some("Contoso")));
    assert_eq!((crm.reads(), crm.unchanged.load(Ordering::SeqCst)), (2, 1));
    clock.advance(Duration::from_secs(299));
    name(&cache, 1).await;
    assert_eq!(crm.reads(), 2);
    // A clock that was set back makes nothing live longer.
    clock.set(chrono::DateTime::UNIX_EPOCH);
    name(&cache, 1).await;
    assert_eq!(crm.reads(), 3);
}

#[actix_web::test]
async fn while_the_crm_is_away_a_copy_is_shown_for_a_while_but_never_an_invalidated_one() {
    let (crm, cache, clock) = world();
    name(&cache, 1).await;
    for kind in [FailureKind::Transient, FailureKind::Throttled] {
        crm.fail(Some(kind));
        clock.advance(Duration::from_secs(300));
        assert_eq!(name(&cache, 1).await.as_deref(), Some("Contoso"));
    }
    crm.fail(Some(FailureKind::Permission));
    assert!(cache.account(id(1)).await.is_err());
    crm.fail(None);
    name(&cache, 1).await;
    crm.fail(Some(FailureKind::Transient));
    clock.advance(Duration::from_secs(900));
    assert!(cache.account(id(1)).await.is_err());
    crm.fail(None);
    name(&cache, 1).await;
    crm.fail(Some(FailureKind::Transient));
    cache.invalidate(id(1));
    assert!(cache.account(id(1)).await.is_err());
}

#[actix_web::test]
async fn what_was_invalidated_is_read_anew_even_when_a_load_is_under_way() {
    let (crm, cache, _) = world();
    name(&cache, 1).await;
    crm.holds(account(1, "Contoso Ltd"));
    assert_eq!(name(&cache, 1).await.as_deref(), Some("Contoso"));
    cache.invalidate(id(1));
    assert_eq!(name(&cache, 1).await.as_deref(), Some("Contoso Ltd"));

    cache.invalidate_all();
    let held = shut(&crm).await;
    let before = crm.reads();
    let early = name(&cache, 1);
    let (early, late) = join(early, async {
        let_others_run().await;
        // The answer on its way is from before this change.
        crm.holds(account(1, "Contoso plc"));
        cache.invalidate(id(1));
        let late = name(&cache, 1);
        let (late, ()) = join(late, async {
            let_others_run().await;
            drop(held);
        })
        .await;
        late
    })
    .await;
    assert_eq!(early.as_deref(), Some("Contoso plc"));
    assert_eq!(late.as_deref(), Some("Contoso plc"));
    assert_eq!(crm.reads() - before, 2);
}

#[actix_web::test]
async fn a_copy_that_was_read_elsewhere_is_taken_in() {
    let (crm, cache, _) = world();
    assert_eq!(cache.search("o", 5).await.unwrap().len(), 1);
    for number in 0..2_000 {
        cache.refresh(account(number, "Read live"));
    }
    assert_eq!(name(&cache, 1).await.as_deref(), Some("Read live"));
    assert_eq!(name(&cache, 1_999).await.as_deref(), Some("Read live"));
    assert_eq!(crm.reads(), 0);
    cache.search("o", 5).await.unwrap();
    assert_eq!(crm.searches(), 2);
}

#[actix_web::test]
async fn the_last_copy_is_shown_however_old_and_the_crm_is_not_asked() {
    let (crm, cache, _) = world();
    assert_eq!(cache.cached(id(1)), None);
    cache.refresh(account(1, "Read live"));
    cache.invalidate(id(1));
    assert_eq!(cache.cached(id(1)).unwrap().name, "Read live");
    assert_eq!(crm.reads(), 0);
}

#[actix_web::test]
async fn searches_are_kept_by_folded_text_until_any_account_changes() {
    let (crm, cache, clock) = world();
    for text in ["Contoso", " contoso ", "CONTÓSO"] {
        assert_eq!(cache.search(text, 5).await.unwrap().len(), 1);
    }
    assert_eq!(crm.searches(), 1);
    cache.search("Contoso", 6).await.unwrap();
    assert_eq!(crm.searches(), 2);
    cache.invalidate(id(77));
    cache.search("Contoso", 5).await.unwrap();
    assert_eq!(crm.searches(), 3);
    clock.advance(Duration::from_secs(60));
    cache.search("Contoso", 5).await.unwrap();
    assert_eq!(crm.searches(), 4);
    let held = shut(&crm).await;
    let asking = join_all((0..1_000).map(|_| cache.search("fab", 5)));
    join(asking, async {
        let_others_run().await;
        drop(held);
    })
    .await;
    assert_eq!(crm.searches(), 5);
}

#[test]
fn hits_misses_loads_and_failures_are_counted_by_kind() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let (crm, cache, _) = metrics::with_local_recorder(&recorder, world);
    let runtime = actix_web::rt::Runtime::new().unwrap();
    runtime.block_on(async {
        for _ in 0..3 {
            name(&cache, 1).await;
        }
        cache.search("Con", 5).await.unwrap();
        crm.fail(Some(FailureKind::Permission));
        assert!(cache.account(id(2)).await.is_err());
    });
    let text = handle.render();
    for line in [
        "crm_lookup_hits_total{kind=\"account\"} 2",
        "crm_lookup_misses_total{kind=\"account\"} 2",
        "crm_lookup_loads_total{kind=\"account\"} 2",
        "crm_lookup_load_failures_total{kind=\"account\"} 1",
        "crm_lookup_misses_total{kind=\"search\"} 1",
        "crm_lookup_loads_total{kind=\"search\"} 1",
    ] {
        assert!(
            text.lines().any(|it| it == line),
            "{line} is not in:\n{text}"
        );
    }
}
