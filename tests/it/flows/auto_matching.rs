//! Auto-match as a Job (B6, B7): what it maps, what it leaves to people, and what it waits for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use provider_bridge::domain::account::AccountState;
use provider_bridge::domain::job::JobWork;
use provider_bridge::domain::mapping::{MappedBy, Mapping, MappingState};
use provider_bridge::domain::ports::crm::ChangePage;
use provider_bridge::domain::setting::AutoMatchMode;
use provider_bridge::flows::FlowError;
use provider_bridge::flows::mapping::Expectation;
use provider_bridge::flows::settings::SettingsChange;
use provider_bridge::store::crm_directory;
use provider_bridge::store::provider_accounts::sync;
use provider_bridge::store::{StoreError, jobs};
use serde_json::{Value, json};

use super::world::{World, admin, contact, person};
use crate::on_both_engines;

fn counts(considered: u64, mapped: u64, suggested: u64, without_match: u64) -> Value {
    json!({
        "considered": considered,
        "unchanged": 0,
        "waitingForDetails": 0,
        "mapped": mapped,
        "suggested": suggested,
        "withoutMatch": without_match,
        "unsettled": 0,
    })
}

/// The same, where so many had nothing to be decided for.
fn left_alone(mut counts: Value, unchanged: u64) -> Value {
    counts["unchanged"] = json!(unchanged);
    counts
}

async fn change_settings(world: &World, change: SettingsChange) {
    world
        .flows
        .change_settings(&admin(), &change)
        .await
        .unwrap();
}

on_both_engines! {
    async fn what_leads_to_one_account_is_mapped_with_reason_history_audit_and_event(store: TestStore) {
        let world = World::new(&store).await;
        let contoso = world.account(1, "Contoso", "www.contoso.com").await;
        world.contact(1, contoso, "contoso.com").await;
        let id = world.customer("Contoso Ltd", &["contoso.com", "contoso.onmicrosoft.com"]).await;

        let result = world.auto_match().await;

        assert_eq!(result, json!({ "mode": "classic", "counts": counts(1, 1, 0, 0) }));
        let account = world.get(id).await;
        assert!(matches!(
            &account.mapping,
            Mapping::Mapped { account_id, account_name, by: MappedBy::AutoMatch, .. }
                if *account_id == contoso && account_name == "Contoso"
        ));
        let history = world.flows.list_mapping_history(&person(), id).await.unwrap();
        let reason = "contoso.com is the account's website and the domain of 1 of its contacts; no other active account uses contoso.com";
        assert_eq!(history[0].reason.as_deref(), Some(reason));
        assert_eq!(history[0].mapped_by, Some(MappedBy::AutoMatch));
        assert_eq!(world.audit("mapping.set").await[0].channel, "job");
        let events = world.events().await;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].1["mappedBy"], "auto-match");
        assert_eq!(world.auto_match().await["counts"], counts(0, 0, 0, 0));
        assert_eq!(world.events().await.len(), 1);
    }

    async fn a_tie_becomes_suggestions_and_the_next_run_changes_nothing(store: TestStore) {
        let world = World::new(&store).await;
        let small = world.account(1, "Contoso Branch", "").await;
        world.contact(1, small, "contoso.com").await;
        world.account(2, "Contoso", "contoso.com").await;
        let id = world.customer("Contoso Ltd", &["contoso.com"]).await;
        let nobody = world.customer("Nobody's", &["nowhere.org"]).await;

        let first = counts(2, 0, 1, 1);
        for expected in [first, left_alone(counts(0, 0, 0, 0), 2)] {
            assert_eq!(world.auto_match().await["counts"], expected);
            assert_eq!(world.suggested(id).await, ["Contoso", "Contoso Branch"]);
            assert!(world.suggested(nobody).await.is_empty());
        }
        assert!(world.events().await.is_empty());
        assert_eq!(world.get(id).await.mapping_version, 1);

        world.put_account(1, "Contoso Branch", "", AccountState::Inactive, 2).await;
        assert_eq!(world.suggested(id).await, ["Contoso"]);
        assert_eq!(world.auto_match().await["counts"], left_alone(counts(1, 1, 0, 0), 1));
        assert!(world.suggested(id).await.is_empty());
        let nothing = Expectation::default();
        world.flows.unmap_provider_account(&person(), id, None, nothing).await.unwrap();
        assert!(world.suggested(id).await.is_empty());
    }

    async fn only_those_are_decided_again_that_a_change_bears_on(store: TestStore) {
        let world = World::new(&store).await;
        world.account(1, "Contoso", "contoso.com").await;
        world.account(2, "Contoso Branch", "contoso.com").await;
        let tied = world.customer("Tied", &["contoso.com"]).await;
        world.customer("Adatum", &["adatum.org"]).await;
        world.auto_match().await;
        let again = async || world.auto_match().await["counts"].clone();
        assert_eq!(again().await, left_alone(counts(0, 0, 0, 0), 2));

        let stranger = world.account(3, "Fabrikam", "fabrikam.net").await;
        assert_eq!(again().await, left_alone(counts(0, 0, 0, 0), 2), "a stranger came");
        world.contact(1, stranger, "adatum.org").await;
        assert_eq!(again().await, left_alone(counts(1, 1, 0, 0), 1), "a contact at the domain");
        let expected = left_alone(counts(1, 0, 1, 0), 0);
        change_settings(&world, SettingsChange { auto_match: Some(AutoMatchMode::Off), ..SettingsChange::default() }).await;
        assert_eq!(again().await, expected, "another setting");
        world.clock.advance(Duration::from_hours(25));
        assert_eq!(again().await, expected, "a day later");
        let nothing = Expectation::default();
        world.flows.exclude_provider_account(&person(), tied, "ours", nothing).await.unwrap();
        world.flows.include_provider_account(&person(), tied, None, nothing).await.unwrap();
        assert_eq!(again().await, expected, "a person asked for it");
    }

    async fn a_run_without_news_writes_nothing(store: TestStore) {
        let commits = Arc::new(AtomicUsize::new(0));
        let counter = commits.clone();
        let world = World::new(&(*store).clone().observed(Arc::new(move || {
            counter.fetch_add(1, Ordering::SeqCst);
        }))).await;
        world.account(1, "Contoso", "contoso.com").await;
        world.account(2, "Contoso Branch", "contoso.com").await;
        world.customers(&[("Tied", &["contoso.com"]), ("Nobody's", &["nowhere.org"])]).await;
        let of_a_run = async || {
            let lease = world.lease().await;
            let before = commits.load(Ordering::SeqCst);
            world.flows.auto_match(lease).await.unwrap();
            let written = commits.load(Ordering::SeqCst) - before;
            world.finish(lease).await;
            written
        };

        assert_eq!(of_a_run().await, 1);
        assert_eq!(of_a_run().await, 0);
    }

    async fn what_a_person_decided_is_not_touched(store: TestStore) {
        let world = World::new(&store).await;
        world.account(1, "Contoso", "contoso.com").await;
        let other = world.account(2, "Other", "other.com").await;
        let domains: &[&str] = &["contoso.com"];
        let ids = world.customers(&[("Mapped", domains), ("Excluded", domains)]).await;
        let mapped = world.map(ids[0], other).await;
        let nothing = Expectation::default();
        let excluded = world.flows.exclude_provider_account(&person(), ids[1], "ours", nothing).await.unwrap().account;

        assert_eq!(world.auto_match().await["counts"], counts(0, 0, 0, 0));

        assert_eq!(world.get(ids[0]).await, mapped);
        assert_eq!(world.get(ids[1]).await, excluded);
    }

    async fn a_mapping_that_was_taken_away_comes_back_as_a_suggestion_only(store: TestStore) {
        let world = World::new(&store).await;
        world.account(1, "Contoso", "contoso.com").await;
        let id = world.customer("Contoso Ltd", &["contoso.com"]).await;
        world.auto_match().await;
        world.flows.unmap_provider_account(&person(), id, None, Expectation::default()).await.unwrap();

        assert_eq!(world.auto_match().await["counts"], counts(1, 0, 1, 0));

        let suggestions = world.flows.list_suggestions(&person(), id).await.unwrap();
        assert_eq!(suggestions[0].suggestion.reasons.last().unwrap().text, "this mapping was made before and taken away again");
    }

    async fn without_details_or_gone_from_the_listing_nothing_is_matched(store: TestStore) {
        let world = World::new(&store).await;
        world.account(1, "Contoso", "contoso.com").await;
        world.list(["Still to come"].into_iter()).await;
        let gone = world.customer("Gone", &["contoso.com"]).await;
        let tx = store.begin().await.unwrap();
        sync::mark_missing(&tx, &world.flows.context, &[gone]).await.unwrap();
        tx.commit().await.unwrap();

        let result = world.auto_match().await;

        assert_eq!(result["counts"]["waitingForDetails"], 1);
        assert_eq!(result["counts"]["considered"], 0);
        assert!(world.events().await.is_empty());
    }

    async fn switched_off_it_only_suggests(store: TestStore) {
        let world = World::new(&store).await;
        world.account(1, "Contoso", "contoso.com").await;
        let id = world.customer("Contoso Ltd", &["contoso.com"]).await;
        change_settings(&world, SettingsChange { auto_match: Some(AutoMatchMode::Off), ..SettingsChange::default() }).await;

        assert_eq!(world.auto_match().await, json!({ "mode": "off", "counts": counts(1, 0, 1, 0) }));
        assert_eq!(world.suggested(id).await, ["Contoso"]);
        assert_eq!(world.get(id).await.mapping.state(), MappingState::Unmapped);
    }

    /// The second Account at the domain may be on the page that has not come yet.
    async fn half_a_directory_is_no_evidence(store: TestStore) {
        let world = World::new(&store).await;
        world.account(1, "Contoso", "contoso.com").await;
        let tied = world.customer("Contoso Ltd", &["contoso.com"]).await;
        world.feeds(2, true).await;

        let result = world.auto_match().await;

        assert!(result["note"].as_str().unwrap().contains("not been read completely"));
        assert_eq!(world.get(tied).await.mapping.state(), MappingState::Unmapped);
        world.feeds(2, false).await;
        assert_eq!(world.auto_match().await["counts"]["mapped"], 1);
    }

    /// Another instance has pulled the second Account at the domain; this one has not heard of it yet.
    async fn what_came_to_the_mirror_since_counts_before_anything_is_written(store: TestStore) {
        let world = World::new(&store).await;
        world.account(1, "Contoso", "contoso.com").await;
        let branch = world.account(2, "Contoso Branch", "").await;
        let id = world.customer("Contoso Ltd", &["contoso.com"]).await;
        world.mirror(contact(1, branch, "contoso.com")).await;

        assert_eq!(world.auto_match().await["counts"], counts(1, 0, 1, 0));

        assert_eq!(world.suggested(id).await, ["Contoso", "Contoso Branch"]);
    }

    async fn an_account_that_left_the_mirror_unnoticed_is_not_mapped_to(store: TestStore) {
        let world = World::new(&store).await;
        let contoso = world.account(1, "Contoso", "contoso.com").await;
        let id = world.customer("Contoso Ltd", &["contoso.com"]).await;
        let tx = store.begin().await.unwrap();
        let gone = ChangePage { deleted_accounts: vec![contoso], ..ChangePage::default() };
        crm_directory::keep(&tx, &gone, 1).await.unwrap();
        tx.commit().await.unwrap();

        assert_eq!(world.auto_match().await["counts"]["unsettled"], 1);

        assert_eq!(world.get(id).await.mapping.state(), MappingState::Unmapped);
    }

    async fn one_to_one_gives_a_taken_account_to_nobody_and_a_wanted_one_neither(store: TestStore) {
        let world = World::new(&store).await;
        let contoso = world.account(1, "Contoso", "contoso.com").await;
        world.account(2, "Fabrikam", "fabrikam.com").await;
        world.account(3, "Litware", "litware.com").await;
        change_settings(&world, SettingsChange { unique_mapping: Some(true), ..SettingsChange::default() }).await;
        let ids = world
            .customers(&[
                ("Holder", &[]),
                ("Late", &["contoso.com"]),
                ("Twin A", &["fabrikam.com"]),
                ("Twin B", &["fabrikam.com"]),
                ("Alone", &["litware.com"]),
            ])
            .await;
        world.map(ids[0], contoso).await;

        assert_eq!(world.auto_match().await["counts"], counts(4, 1, 3, 0));

        let reason = async |id| {
            let found = world.flows.list_suggestions(&person(), id).await.unwrap();
            found[0].suggestion.reasons.last().unwrap().text.clone()
        };
        assert_eq!(reason(ids[1]).await, "the provider account Holder has this account already, and only one may");
        assert!(reason(ids[2]).await.starts_with("several provider accounts lead to this account"));
        assert_eq!(reason(ids[2]).await, reason(ids[3]).await);
        assert_eq!(world.get(ids[4]).await.mapping.state(), MappingState::Mapped);
        change_settings(&world, SettingsChange { unique_mapping: Some(false), ..SettingsChange::default() }).await;
        assert_eq!(world.auto_match().await["counts"], counts(3, 3, 0, 0));
    }

    async fn a_job_that_lost_its_lease_writes_nothing(store: TestStore) {
        let world = World::new(&store).await;
        world.account(1, "Contoso", "contoso.com").await;
        let id = world.customer("Contoso Ltd", &["contoso.com"]).await;
        let lease = world.lease().await;
        let tx = store.begin().await.unwrap();
        jobs::cancel(&tx, &world.flows.context, lease.job_id).await.unwrap();
        tx.commit().await.unwrap();

        let stopped = world.flows.auto_match(lease).await.unwrap_err();

        assert!(matches!(stopped, FlowError::Store(StoreError::LeaseLost(_))), "{stopped:?}");
        assert_eq!(world.get(id).await.mapping.state(), MappingState::Unmapped);
        assert!(world.events().await.is_empty());
    }

    async fn many_are_mapped_in_few_commits(store: TestStore) {
        let world = World::new(&store).await;
        world.account(1, "Contoso", "contoso.com").await;
        let names: Vec<_> = (0..600).map(|n| format!("Customer {n:04}")).collect();
        let domains: &[&str] = &["contoso.com"];
        let all: Vec<_> = names.iter().map(|name| (name.as_str(), domains)).collect();
        world.customers(&all).await;

        assert_eq!(world.auto_match().await["counts"], counts(600, 600, 0, 0));

        assert_eq!(world.events().await.len(), 600);
        assert_eq!(world.audited("mapping.set").await, 600);
        let jobs = world.flows.list_jobs(&admin(), 10).await.unwrap();
        let matching = jobs.iter().find(|job| matches!(job.work, JobWork::AutoMatch)).unwrap();
        assert_eq!((matching.progress_done, matching.progress_total), (600, Some(600)));
    }
}
