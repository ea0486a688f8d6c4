//! Mapping, remapping, unmapping, excluding by a person (B4, B5, B7, B10; decisions 1, 6, 10).

use provider_bridge::domain::account::AccountState;
use provider_bridge::domain::caller::Role;
use provider_bridge::domain::mapping::{MappedBy, Mapping, MappingState};
use provider_bridge::flows::FlowError;
use provider_bridge::flows::mapping::Expectation;
use provider_bridge::flows::settings::SettingsChange;

use super::world::{World, account_id, admin, caller, person, request};
use crate::on_both_engines;

const NOTHING_EXPECTED: Expectation = Expectation {
    version: None,
    account_id: None,
};

fn at_version(version: i64) -> Expectation {
    Expectation {
        version: Some(version),
        ..NOTHING_EXPECTED
    }
}

on_both_engines! {
    async fn a_mapping_is_state_history_audit_and_event_together(store: TestStore) {
        let world = World::new(&store).await;
        let contoso = world.account(1, "Contoso", "contoso.com").await;
        let id = world.customer("Contoso Ltd", &["contoso.com"]).await;

        let mapped = world.flows.map_provider_account(&person(), id, &request(contoso, at_version(1))).await.unwrap();

        assert!(mapped.changed);
        assert_eq!(mapped.account, world.get(id).await);
        assert!(matches!(
            &mapped.account.mapping,
            Mapping::Mapped { account_id, account_name, by: MappedBy::Person, .. }
                if *account_id == contoso && account_name == "Contoso"
        ));
        assert_eq!(mapped.account.mapping_version, 2);
        let history = world.flows.list_mapping_history(&person(), id).await.unwrap();
        assert_eq!(history.len(), 1);
        assert_eq!((history[0].from, history[0].to), (MappingState::Unmapped, MappingState::Mapped));
        assert_eq!((history[0].to_account, history[0].actor.as_str()), (Some(contoso), "Ada"));
        let audit = world.audit("mapping.set").await;
        assert_eq!(audit.len(), 1);
        assert_eq!(audit[0].reason.as_deref(), Some("signed contract"));
        assert_eq!(audit[0].after.as_ref().unwrap()["accountId"], contoso.to_string());
        let events = world.events().await;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].0, "provider-account.mapped");
        assert_eq!(events[0].1["accountId"], contoso.to_string());
        assert_eq!(events[0].1["previousAccountId"], serde_json::Value::Null);
        assert_eq!(events[0].1["actor"], "Ada");
    }

    async fn the_same_mapping_again_succeeds_and_tells_nobody(store: TestStore) {
        let world = World::new(&store).await;
        let contoso = world.account(1, "Contoso", "contoso.com").await;
        world.put_account(2, "Old Contoso", "", AccountState::Merged(contoso), 1).await;
        let id = world.customer("Contoso Ltd", &["contoso.com"]).await;
        let first = world.map(id, contoso).await;

        for (again, expected) in [(contoso, at_version(1)), (account_id(2), at_version(1)), (contoso, NOTHING_EXPECTED)] {
            let outcome = world.flows.map_provider_account(&person(), id, &request(again, expected)).await.unwrap();
            assert!(!outcome.changed);
            assert_eq!(outcome.account, first);
        }

        assert_eq!(world.audited("mapping.set").await, 1);
        assert_eq!(world.events().await.len(), 1);
    }

    async fn a_person_may_remap_and_the_event_says_from_where(store: TestStore) {
        let world = World::new(&store).await;
        let contoso = world.account(1, "Contoso", "contoso.com").await;
        let fabrikam = world.account(2, "Fabrikam", "fabrikam.com").await;
        let id = world.customer("Contoso Ltd", &["contoso.com"]).await;
        world.map(id, contoso).await;

        let remapped = world.map(id, fabrikam).await;

        assert_eq!(remapped.mapping.account_id(), Some(fabrikam));
        let events = world.events().await;
        assert_eq!(events[1].1["previousAccountId"], contoso.to_string());
        assert_eq!(world.flows.list_mapping_history(&person(), id).await.unwrap().len(), 2);
    }

    async fn the_account_is_read_live_and_the_cached_copy_only_goes_along(store: TestStore) {
        let world = World::new(&store).await;
        let contoso = world.account(1, "Contoso", "contoso.com").await;
        let one = world.customer("One", &[]).await;
        let two = world.customer("Two", &[]).await;
        world.map(one, contoso).await;
        world.put_live(1, "Contoso", AccountState::Inactive);

        let error = world.flows.map_provider_account(&person(), two, &request(contoso, NOTHING_EXPECTED)).await.unwrap_err();

        assert!(matches!(&error, FlowError::Invalid(text) if text.contains("deactivated") && text.contains("Contoso")), "{error}");
        let reads = world.crm.reads.lock().unwrap().clone();
        assert_eq!(reads, [(contoso, None), (contoso, Some("W/\"1\"".to_owned()))]);
        assert_eq!(world.get(two).await.mapping.state(), MappingState::Unmapped);
    }

    async fn an_account_that_is_not_there_or_cannot_be_read_maps_nothing(store: TestStore) {
        let world = World::new(&store).await;
        let id = world.customer("Contoso Ltd", &[]).await;

        let missing = world.flows.map_provider_account(&person(), id, &request(account_id(9), NOTHING_EXPECTED)).await.unwrap_err();
        assert!(matches!(&missing, FlowError::Invalid(text) if text.contains("no account")), "{missing}");

        *world.crm.down.lock().unwrap() = true;
        let down = world.flows.map_provider_account(&person(), id, &request(account_id(9), NOTHING_EXPECTED)).await.unwrap_err();
        assert!(matches!(down, FlowError::Crm(_)) && down.retryable());

        assert_eq!(world.get(id).await.mapping_version, 1);
        assert!(world.events().await.is_empty());
    }

    async fn a_merged_account_means_its_survivor_and_a_circle_means_nobody(store: TestStore) {
        let world = World::new(&store).await;
        let last = world.account(3, "Survivor", "").await;
        world.put_live(2, "Middle", AccountState::Merged(last));
        world.put_live(1, "First", AccountState::Merged(account_id(2)));
        world.put_live(4, "Round", AccountState::Merged(account_id(5)));
        world.put_live(5, "And round", AccountState::Merged(account_id(4)));
        let id = world.customer("Contoso Ltd", &[]).await;

        let circle = world.flows.map_provider_account(&person(), id, &request(account_id(4), NOTHING_EXPECTED)).await.unwrap_err();
        assert!(matches!(&circle, FlowError::Invalid(text) if text.contains("without an end")), "{circle}");

        let mapped = world.map(id, account_id(1)).await;
        assert_eq!(mapped.mapping.account_id(), Some(last));
    }

    async fn a_stale_version_or_another_account_than_expected_changes_nothing(store: TestStore) {
        let world = World::new(&store).await;
        let contoso = world.account(1, "Contoso", "").await;
        let fabrikam = world.account(2, "Fabrikam", "").await;
        let id = world.customer("Contoso Ltd", &[]).await;
        world.map(id, contoso).await;
        let expecting = |account_id| Expectation { version: None, account_id: Some(account_id) };

        let stale = world.flows.map_provider_account(&person(), id, &request(fabrikam, at_version(1))).await.unwrap_err();
        assert!(matches!(&stale, FlowError::Stale(text) if text.contains("version 2")), "{stale}");
        for expected in [expecting(None), expecting(Some(fabrikam))] {
            let conflict = world.flows.unmap_provider_account(&person(), id, None, expected).await.unwrap_err();
            let FlowError::Conflict { current, .. } = conflict else { panic!("{conflict}") };
            assert_eq!(current["accountId"], contoso.to_string());
            assert_eq!(current["state"], "mapped");
        }
        assert_eq!(world.get(id).await.mapping_version, 2);

        let right = Expectation { version: Some(2), account_id: Some(Some(contoso)) };
        let remapped = world.flows.map_provider_account(&person(), id, &request(fabrikam, right)).await.unwrap();
        assert!(remapped.changed);
    }

    async fn of_two_who_map_at_once_from_the_same_version_one_wins(store: TestStore) {
        let world = World::new(&store).await;
        let contoso = world.account(1, "Contoso", "").await;
        let fabrikam = world.account(2, "Fabrikam", "").await;
        let id = world.customer("Contoso Ltd", &[]).await;
        let (one, two) = (request(contoso, at_version(1)), request(fabrikam, at_version(1)));

        let caller = person();
        let (one, two) = tokio::join!(
            world.flows.map_provider_account(&caller, id, &one),
            world.flows.map_provider_account(&caller, id, &two),
        );

        let winner = match (one, two) {
            (Ok(won), Err(FlowError::Stale(_))) | (Err(FlowError::Stale(_)), Ok(won)) => won,
            other => panic!("{other:?}"),
        };
        assert_eq!(world.get(id).await, winner.account);
        assert_eq!(world.events().await.len(), 1);
    }

    async fn unmapping_twice_is_one_change(store: TestStore) {
        let world = World::new(&store).await;
        let contoso = world.account(1, "Contoso", "").await;
        let id = world.customer("Contoso Ltd", &[]).await;
        world.map(id, contoso).await;

        let first = world.flows.unmap_provider_account(&person(), id, Some("wrong one"), NOTHING_EXPECTED).await.unwrap();
        let again = world.flows.unmap_provider_account(&person(), id, None, at_version(1)).await.unwrap();

        assert!(first.changed && !again.changed);
        assert_eq!(first.account, again.account);
        assert_eq!(world.audited("mapping.cleared").await, 1);
        let events = world.events().await;
        assert_eq!(events[1].0, "provider-account.unmapped");
        assert_eq!(events[1].1["previousAccountId"], contoso.to_string());
        assert_eq!(events[1].1["reason"], "wrong one");
    }

    async fn what_is_excluded_is_not_mapped_until_it_is_included_again(store: TestStore) {
        let world = World::new(&store).await;
        let contoso = world.account(1, "Contoso", "").await;
        let id = world.customer("Our own tenant", &[]).await;
        world.map(id, contoso).await;

        let no_reason = world.flows.exclude_provider_account(&person(), id, "  ", NOTHING_EXPECTED).await.unwrap_err();
        assert!(matches!(no_reason, FlowError::Invalid(_)));
        let excluded = world.flows.exclude_provider_account(&person(), id, "internal", NOTHING_EXPECTED).await.unwrap();
        let again = world.flows.exclude_provider_account(&person(), id, "internal", NOTHING_EXPECTED).await.unwrap();
        assert!(excluded.changed && !again.changed);
        assert!(matches!(&again.account.mapping, Mapping::Excluded { reason, .. } if reason == "internal"));

        let refused = world.flows.map_provider_account(&person(), id, &request(contoso, NOTHING_EXPECTED)).await.unwrap_err();
        let FlowError::Conflict { detail, current } = refused else { panic!("{refused}") };
        assert!(detail.contains("include it again"));
        assert_eq!((&current["state"], &current["reason"]), (&"excluded".into(), &"internal".into()));

        let included = world.flows.include_provider_account(&person(), id, None, NOTHING_EXPECTED).await.unwrap();
        assert_eq!(included.account.mapping.state(), MappingState::Unmapped);
        world.map(id, contoso).await;
        let types: Vec<_> = world.events().await.into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            types,
            ["provider-account.mapped", "provider-account.excluded", "provider-account.unmapped", "provider-account.mapped"]
        );
    }

    async fn one_to_one_names_who_has_the_account(store: TestStore) {
        let world = World::new(&store).await;
        let contoso = world.account(1, "Contoso", "").await;
        let ids = world.customers(&[("One", &[]), ("Two", &[])]).await;
        let unique = SettingsChange { unique_mapping: Some(true), ..SettingsChange::default() };
        world.flows.change_settings(&admin(), &unique).await.unwrap();
        world.map(ids[0], contoso).await;

        let refused = world.flows.map_provider_account(&person(), ids[1], &request(contoso, NOTHING_EXPECTED)).await.unwrap_err();

        let FlowError::Conflict { detail, current } = refused else { panic!("{refused}") };
        assert!(detail.contains("One"), "{detail}");
        assert_eq!(current["heldBy"]["providerAccountId"], ids[0].to_string());
        world.flows.unmap_provider_account(&person(), ids[0], None, NOTHING_EXPECTED).await.unwrap();
        world.map(ids[1], contoso).await;
    }

    /// Both look before either writes, so on PostgreSQL it is the index that refuses the second.
    async fn one_to_one_holds_when_two_map_at_once(store: TestStore) {
        let world = World::new(&store).await;
        let unique = SettingsChange { unique_mapping: Some(true), ..SettingsChange::default() };
        world.flows.change_settings(&admin(), &unique).await.unwrap();
        let caller = person();
        for round in 0..10_u128 {
            let account = world.account(round + 1, "Contoso", "").await;
            let (one, two) = (format!("One {round}"), format!("Two {round}"));
            let ids = world.customers(&[(&one, &[]), (&two, &[])]).await;
            let request = request(account, NOTHING_EXPECTED);
            let (one, two) = tokio::join!(
                world.flows.map_provider_account(&caller, ids[0], &request),
                world.flows.map_provider_account(&caller, ids[1], &request),
            );
            let (won, lost) = match (one, two) {
                (Ok(won), Err(lost)) | (Err(lost), Ok(won)) => (won, lost),
                other => panic!("{other:?}"),
            };
            let FlowError::Conflict { current, .. } = lost else { panic!("{lost:?}") };
            assert_eq!(current["heldBy"]["providerAccountId"], won.account.id.to_string());
        }
    }

    async fn who_may_only_read_changes_no_mapping(store: TestStore) {
        let world = World::new(&store).await;
        let contoso = world.account(1, "Contoso", "").await;
        let id = world.customer("Contoso Ltd", &[]).await;
        for role in [Role::Reader, Role::Sales, Role::BillingManager] {
            let caller = caller("Eve", role);
            let refusals = [
                world.flows.map_provider_account(&caller, id, &request(contoso, NOTHING_EXPECTED)).await.unwrap_err(),
                world.flows.unmap_provider_account(&caller, id, None, NOTHING_EXPECTED).await.unwrap_err(),
                world.flows.exclude_provider_account(&caller, id, "no", NOTHING_EXPECTED).await.unwrap_err(),
                world.flows.include_provider_account(&caller, id, None, NOTHING_EXPECTED).await.unwrap_err(),
            ];
            assert!(refusals.iter().all(|error| matches!(error, FlowError::Forbidden(_))));
        }
        assert!(world.crm.reads.lock().unwrap().is_empty());
    }

    async fn a_reason_that_is_too_long_is_refused_before_anything_happens(store: TestStore) {
        let world = World::new(&store).await;
        let contoso = world.account(1, "Contoso", "").await;
        let id = world.customer("Contoso Ltd", &[]).await;
        let mut request = request(contoso, NOTHING_EXPECTED);
        request.reason = Some("x".repeat(501));
        let refused = world.flows.map_provider_account(&person(), id, &request).await.unwrap_err();
        assert!(matches!(refused, FlowError::Invalid(_)));
        assert!(world.crm.reads.lock().unwrap().is_empty());
    }
}
