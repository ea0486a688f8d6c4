//! Syncing the directory: the store's mirror and the directory in memory follow the CRM through every interruption.

use std::pin::pin;
use std::time::Duration;

use chrono::Duration as Days;
use futures_util::future::{Either, join, select};
use provider_bridge::domain::account::AccountState;
use provider_bridge::domain::domain_name::DomainName;
use provider_bridge::domain::job::JobWork;
use provider_bridge::domain::ports::crm::{ChangeCursor, DirectoryMirror, DirectoryTable};
use provider_bridge::flows::FlowError;
use provider_bridge::store::{Signal, StoreError, crm_directory, directory_mark, jobs};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::json;

use super::feed::{Trouble, account_id, contact_id};
use super::instance::Instance;
use crate::on_both_engines;

const DOMAINS: [&str; 3] = ["contoso.com", "fabrikam.com", "adatum.com"];

/// Five Accounts with a website each, and as many Contacts of the first.
fn fill(instance: &Instance) {
    for number in 1..=5 {
        let website = DOMAINS[usize::from(number) % DOMAINS.len()];
        instance
            .crm
            .put_account(number, website, AccountState::Active);
        instance.crm.put_contact(number, Some(1), "contoso.com");
    }
}

async fn complete(instance: &Instance) -> bool {
    let mark = directory_mark::complete(instance.flows.store.reader()).await;
    mark.unwrap().is_some()
}

async fn is_as_the_crm(instance: &Instance) {
    let (mirror, crm) = (instance.mirror().await, instance.crm.everything());
    assert_eq!(mirror.accounts, crm.accounts);
    assert_eq!(mirror.contacts, crm.contacts);
    instance.answers_as_the_crm(&DOMAINS);
}

fn delta(table: DirectoryTable, version: i64) -> (DirectoryTable, Option<ChangeCursor>) {
    (table, Some(ChangeCursor::Delta(format!("since:{version}"))))
}

on_both_engines! {
    async fn the_first_sync_reads_everything_and_the_next_ones_only_what_changed(store: TestStore) {
        let instance = Instance::new(&store);
        fill(&instance);
        let result = instance.sync().await;
        assert_eq!(result["counts"], json!({ "pages": 6, "accounts": 5, "contacts": 5, "deleted": 0 }));
        assert!(complete(&instance).await);
        is_as_the_crm(&instance).await;

        instance.crm.asked();
        let result = instance.sync().await;
        assert_eq!(result["counts"]["accounts"], 0);
        assert_eq!(instance.crm.asked(), [delta(DirectoryTable::Accounts, 10), delta(DirectoryTable::Contacts, 10)]);

        instance.crm.put_account(2, "adatum.com", AccountState::Merged(account_id(3)));
        instance.crm.put_contact(1, Some(4), "fabrikam.com");
        instance.crm.put_contact(9, None, "fabrikam.com");
        instance.crm.delete_account(5);
        instance.crm.delete_contact(2);
        let result = instance.sync().await;
        assert_eq!(result["counts"], json!({ "pages": 2, "accounts": 1, "contacts": 2, "deleted": 2 }));
        is_as_the_crm(&instance).await;
    }

    async fn a_sync_that_finds_nothing_writes_nothing_and_asks_for_no_match(store: TestStore) {
        let instance = Instance::new(&store);
        fill(&instance);
        instance.sync().await;
        assert!(jobs::unfinished(store.reader(), &JobWork::AutoMatch).await.unwrap().is_some());
        let lease = instance.lease().await;
        let table = DirectoryTable::Accounts;
        let before = crm_directory::feed(store.reader(), table).await.unwrap();
        instance.clock.advance(Duration::from_secs(60));
        instance.flows.sync_crm_directory(lease).await.unwrap();
        assert_eq!(crm_directory::feed(store.reader(), table).await.unwrap(), before);
        assert!(jobs::unfinished(store.reader(), &JobWork::AutoMatch).await.unwrap().is_none());
    }

    async fn a_killed_run_goes_on_at_the_page_it_had_come_to(store: TestStore) {
        let instance = Instance::new(&store);
        fill(&instance);
        let killed = instance.lease().await;
        instance.crm.trouble_after(4, Trouble::Hangs);
        let next = ChangeCursor::Next("full:10:3".to_owned());
        {
            let run = pin!(instance.flows.sync_crm_directory(killed));
            let stuck = pin!(async {
                let contacts = || crm_directory::feed(store.reader(), DirectoryTable::Contacts);
                while contacts().await.unwrap().cursor.as_ref() != Some(&next) {
                    tokio::task::yield_now().await;
                }
            });
            // Dropped where it hangs, as when the process dies.
            assert!(matches!(select(run, stuck).await, Either::Right(_)));
        }
        assert!(!complete(&instance).await);
        instance.crm.no_trouble();
        instance.crm.put_account(6, "contoso.com", AccountState::Active);
        instance.crm.asked();

        // Another instance takes the Job over once the lease has lapsed; the first one may no longer write.
        let other = Instance::beside(&store.database.open().await, instance.crm.clone(), 2);
        other.clock.advance(Duration::from_secs(61));
        let lease = other.lease().await;
        other.flows.sync_crm_directory(lease).await.unwrap();
        let asked = instance.crm.asked();
        assert_eq!(asked[0], delta(DirectoryTable::Accounts, 10));
        assert_eq!(asked[1], (DirectoryTable::Contacts, Some(next)));
        assert!(complete(&other).await);
        is_as_the_crm(&other).await;
        // A row of the first try counts too: a match is asked for although it may have died before it could ask.
        assert!(jobs::unfinished(store.reader(), &JobWork::AutoMatch).await.unwrap().is_some());

        instance.crm.put_account(7, "contoso.com", AccountState::Active);
        let late = instance.flows.sync_crm_directory(killed).await;
        assert!(matches!(late, Err(FlowError::Store(StoreError::LeaseLost(_)))), "{late:?}");
        assert_eq!(instance.mirror().await.accounts.len(), 6);
    }

    async fn an_expired_token_reads_everything_anew_and_removes_what_was_not_seen(store: TestStore) {
        let instance = Instance::new(&store);
        fill(&instance);
        instance.sync().await;
        instance.crm.delete_account(4);
        instance.crm.delete_contact(1);
        instance.crm.forget_tokens();
        instance.crm.put_account(6, "adatum.com", AccountState::Inactive);
        // It breaks off in the middle: what it did not come to is still there.
        instance.crm.trouble_after(2, Trouble::BreaksOff);
        instance.try_sync().await.unwrap_err();
        assert_eq!(instance.mirror().await.accounts.len(), 5);
        assert!(!complete(&instance).await);
        instance.crm.no_trouble();
        instance.crm.asked();
        instance.sync().await;
        assert!(matches!(instance.crm.asked()[0].1, Some(ChangeCursor::Next(_))));
        is_as_the_crm(&instance).await;
        assert!(complete(&instance).await);
        let feed = crm_directory::feed(store.reader(), DirectoryTable::Accounts).await.unwrap();
        assert_eq!(feed.generation, 2);

        // Rows of an environment that was put back have older versions; a full reading takes them all the same.
        instance.crm.restore();
        instance.sync().await;
        is_as_the_crm(&instance).await;
    }

    async fn a_token_that_may_have_expired_silently_is_not_used(store: TestStore) {
        let instance = Instance::new(&store);
        fill(&instance);
        instance.sync().await;
        instance.clock.advance(Days::days(6).to_std().unwrap());
        instance.crm.asked();
        instance.sync().await;
        assert_eq!(instance.crm.asked().len(), 2);
        instance.clock.advance(Days::days(6).to_std().unwrap() + Duration::from_secs(1));
        instance.sync().await;
        assert_eq!(instance.crm.asked()[0], (DirectoryTable::Accounts, None));
    }

    async fn everybody_is_told_whose_rows_changed(store: TestStore) {
        let instance = Instance::new(&store);
        fill(&instance);
        instance.sync().await;
        let mut signals = store.signals().subscribe();
        instance.crm.put_contact(1, Some(4), "fabrikam.com");
        instance.crm.put_contact(6, None, "fabrikam.com");
        instance.crm.delete_account(5);
        instance.sync().await;
        let mut heard = Vec::new();
        while let Ok(signal) = signals.try_recv() {
            if let Signal::AccountsChanged(ids) = signal {
                heard.push(ids);
            }
        }
        // The Contact left 1 and came to 4.
        assert_eq!(heard, [vec![account_id(5)], vec![account_id(1), account_id(4)]]);
    }

    async fn another_instance_follows_word_by_word_and_catches_up_when_it_missed_one(store: TestStore) {
        let instance = Instance::new(&store);
        fill(&instance);
        instance.sync().await;
        let other = Instance::beside(&store.database.open().await, instance.crm.clone(), 2);
        other.flows.catch_up().await.unwrap();
        other.answers_as_the_crm(&DOMAINS);

        let mut signals = store.signals().subscribe();
        instance.crm.put_account(4, "adatum.com", AccountState::Inactive);
        instance.crm.put_contact(1, Some(4), "fabrikam.com");
        instance.crm.put_contact(2, None, "fabrikam.com");
        instance.crm.delete_contact(3);
        instance.crm.delete_account(5);
        instance.sync().await;
        let before = other.directory.changes();
        let mut moves = 0;
        while let Ok(signal) = signals.try_recv() {
            if let Signal::DirectoryMoved { before, after, accounts } = signal {
                other.flows.follow_move(before, after, &accounts).await.unwrap();
                // Whoever did it hears of it too.
                instance.flows.follow_move(before, after, &accounts).await.unwrap();
                moves += 1;
            }
        }
        other.answers_as_the_crm(&DOMAINS);
        instance.answers_as_the_crm(&DOMAINS);
        let state = crm_directory::state(store.reader()).await.unwrap();
        assert_eq!(other.directory.state(), Some(state));
        assert_eq!((moves, other.directory.changes() - before), (2, 2));

        instance.crm.put_account(2, "adatum.com", AccountState::Inactive);
        instance.sync().await;
        instance.crm.delete_contact(4);
        let mut signals = store.signals().subscribe();
        instance.sync().await;
        while let Ok(signal) = signals.try_recv() {
            if let Signal::DirectoryMoved { before, after, accounts } = signal {
                other.flows.follow_move(before, after, &accounts).await.unwrap();
            }
        }
        other.answers_as_the_crm(&DOMAINS);
        for it in [&instance, &other] {
            let changes = it.directory.changes();
            it.flows.catch_up().await.unwrap();
            assert_eq!(it.directory.changes(), changes, "it was loaded again, although it held the same");
        }
    }

    async fn two_who_pull_at_once_write_each_page_once(store: TestStore) {
        let instance = Instance::new(&store);
        fill(&instance);
        let other = Instance::beside(&store.database.open().await, instance.crm.clone(), 2);
        let matching = other.lease_of(&JobWork::AutoMatch).await;
        let syncing = instance.lease().await;
        let (one, two) = join(
            instance.flows.sync_crm_directory(syncing),
            other.flows.pull_and_match(matching),
        )
        .await;
        one.unwrap();
        two.unwrap();
        is_as_the_crm(&instance).await;
        is_as_the_crm(&other).await;
    }

    /// Changes, interruptions, forgotten tokens and changes of instance, in any order.
    async fn whatever_happens_the_mirror_is_as_the_crm_in_the_end(store: TestStore) {
        let mut random = ChaCha20Rng::seed_from_u64(7);
        let first = Instance::new(&store);
        let second = Instance::beside(&store.database.open().await, first.crm.clone(), 2);
        let crm = first.crm.clone();
        for round in 0..21_u32 {
            for _ in 0..random.next_u32() % 6 {
                let number = (random.next_u32() % 12) as u8;
                let at = DOMAINS[random.next_u32() as usize % DOMAINS.len()];
                match random.next_u32() % 6 {
                    0 | 1 => crm.put_account(number, at, AccountState::Active),
                    2 | 3 => crm.put_contact(number, (!number.is_multiple_of(3)).then_some(number % 5), at),
                    4 => crm.delete_account(number),
                    _ => crm.delete_contact(number),
                }
            }
            if random.next_u32() % 5 == 0 {
                crm.forget_tokens();
            }
            if random.next_u32() % 3 == 0 {
                crm.trouble_after(random.next_u32() as usize % 5, Trouble::BreaksOff);
            }
            let runner = if random.next_u32() % 2 == 0 { &first } else { &second };
            let outcome = runner.try_sync().await;
            crm.no_trouble();
            if outcome.is_ok() {
                is_as_the_crm(runner).await;
            }
            if round % 7 == 6 {
                second.sync().await;
                first.flows.catch_up().await.unwrap();
                is_as_the_crm(&first).await;
                is_as_the_crm(&second).await;
            }
        }
    }
}

on_both_engines! {
    async fn a_page_may_hold_an_id_twice_and_more_rows_than_one_statement_takes(store: TestStore) {
        let instance = Instance::new(&store);
        fill(&instance);
        let mut page = instance.crm.everything();
        let mut twice = page.accounts[0].clone();
        twice.name = "Later".to_owned();
        page.accounts.push(twice.clone());
        page.contacts.push(page.contacts[0].clone());
        page.deleted_contacts.push(contact_id(2));
        for number in 0..2_500_u128 {
            let mut more = page.accounts[1].clone();
            more.id = provider_bridge::domain::ids::AccountId::new(uuid::Uuid::from_u128(0x9_0000 + number));
            more.web_domain = Some(DomainName::parse("xn--mnchen-3ya.de").unwrap());
            page.accounts.push(more);
        }
        for _ in 0..2 {
            let tx = store.begin().await.unwrap();
            crm_directory::keep(&tx, &page, 1).await.unwrap();
            tx.commit().await.unwrap();
        }
        let mirror = instance.mirror().await;
        assert_eq!((mirror.accounts.len(), mirror.contacts.len()), (2_505, 4));
        assert_eq!(mirror.accounts[0], twice);
        let tx = store.begin().await.unwrap();
        assert_eq!(crm_directory::remove_older(&tx, DirectoryTable::Accounts, 1).await.unwrap(), 0);
        assert_eq!(crm_directory::remove_older(&tx, DirectoryTable::Accounts, 2).await.unwrap(), 2_505);
    }
}
