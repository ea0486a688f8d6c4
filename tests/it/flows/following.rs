//! What mappings do when their Accounts are merged, deactivated, deleted, and come back (B10).

use provider_bridge::domain::account::AccountState;
use provider_bridge::domain::caller::Caller;
use provider_bridge::domain::ids::AccountId;
use provider_bridge::domain::mapping::{MappedBy, Mapping};
use provider_bridge::domain::ports::crm::{ChangePage, Directory};
use provider_bridge::flows::follow_account_changes::Followed;
use provider_bridge::flows::mapping::Expectation;
use provider_bridge::flows::settings::SettingsChange;

use super::world::{World, account_id, admin, person};
use crate::on_both_engines;

fn service() -> Caller {
    Caller::service("directory")
}

async fn follow(world: &World, changed: &[AccountId]) -> Followed {
    world
        .flows
        .follow_account_changes(&service(), None, changed)
        .await
        .unwrap()
}

async fn follow_all(world: &World) -> Followed {
    world
        .flows
        .follow_all_account_changes(&service(), None)
        .await
        .unwrap()
}

fn carried(carried: usize) -> Followed {
    Followed {
        carried,
        ..Followed::default()
    }
}

fn broken(broken: usize) -> Followed {
    Followed {
        broken,
        ..Followed::default()
    }
}

fn mended(mended: usize) -> Followed {
    Followed {
        mended,
        ..Followed::default()
    }
}

async fn one_to_one(world: &World) {
    let unique = SettingsChange {
        unique_mapping: Some(true),
        ..SettingsChange::default()
    };
    world
        .flows
        .change_settings(&admin(), &unique)
        .await
        .unwrap();
}

on_both_engines! {
    async fn a_merge_carries_the_mapping_to_the_survivor_and_keeps_who_made_it(store: TestStore) {
        let world = World::new(&store).await;
        let old = world.account(1, "Old", "old.com").await;
        let survivor = world.account(3, "Survivor", "contoso.com").await;
        let by_person = world.customer("By person", &[]).await;
        let by_rule = world.customer("By rule", &["old.com"]).await;
        world.map(by_person, old).await;
        world.auto_match().await;
        world.put_account(2, "Between", "", AccountState::Merged(survivor), 2).await;
        world.put_account(1, "Old", "", AccountState::Merged(account_id(2)), 2).await;

        assert_eq!(follow(&world, &[old]).await, carried(2));

        for (id, maker) in [(by_person, MappedBy::Person), (by_rule, MappedBy::AutoMatch)] {
            let account = world.get(id).await;
            assert!(matches!(
                &account.mapping,
                Mapping::Mapped { account_id, account_name, by, .. }
                    if *account_id == survivor && account_name == "Survivor" && *by == maker
            ));
        }
        let events = world.events().await;
        assert_eq!(events.len(), 4);
        let event = &events.iter().find(|(_, data)| data["name"] == "By person" && data["previousAccountId"] != serde_json::Value::Null).unwrap().1;
        assert_eq!(event["previousAccountId"], old.to_string());
        assert_eq!(event["accountId"], survivor.to_string());
        assert_eq!(event["reason"], "account Old was merged into Survivor in the CRM");
        assert_eq!(event["actor"], "Provider Bridge");
        assert_eq!(follow(&world, &[old]).await, Followed::default());
        assert_eq!(follow_all(&world).await, Followed::default());
        assert!(world.exceptions().await.is_empty());
    }

    async fn a_chain_of_merges_is_followed_to_its_end_and_a_circle_is_an_exception(store: TestStore) {
        let world = World::new(&store).await;
        let first = world.account(1, "First", "").await;
        let round = world.account(100, "Round", "").await;
        let long = world.customer("Of a long chain", &[]).await;
        let circle = world.customer("Of a circle", &[]).await;
        world.map(long, first).await;
        world.map(circle, round).await;
        let last = world.account(30, "Last", "").await;
        for number in (1..30).rev() {
            let into = account_id(number + 1);
            world.put_account(number, "Between", "", AccountState::Merged(into), 2).await;
        }
        world.put_account(101, "And round", "", AccountState::Merged(round), 2).await;
        world.put_account(100, "Round", "", AccountState::Merged(account_id(101)), 2).await;

        assert_eq!(follow_all(&world).await, Followed { carried: 1, broken: 1, mended: 0 });

        assert_eq!(world.get(long).await.mapping.account_id(), Some(last));
        assert_eq!(world.get(circle).await.mapping.account_id(), Some(round));
        let detail = "the mapping of Of a circle is broken: account 00000000-0000-0000-0000-000000000064 was merged into others in a circle, without an end to be found";
        assert_eq!(world.exceptions().await, [detail]);
    }

    async fn a_deactivated_account_opens_one_exception_and_its_return_closes_it(store: TestStore) {
        let world = World::new(&store).await;
        let contoso = world.account(1, "Contoso", "").await;
        let id = world.customer("Contoso Ltd", &[]).await;
        let mapped = world.map(id, contoso).await;
        world.put_account(1, "Contoso", "", AccountState::Inactive, 2).await;

        for _ in 0..2 {
            assert_eq!(follow(&world, &[contoso]).await, broken(1));
            let detail = "the mapping of Contoso Ltd is broken: account Contoso (00000000-0000-0000-0000-000000000001) was deactivated in the CRM";
            assert_eq!(world.exceptions().await, [detail]);
        }
        assert_eq!(world.get(id).await, mapped);
        assert_eq!(world.events().await.len(), 2, "the mapping, and the exception once");

        world.put_account(1, "Contoso", "", AccountState::Active, 3).await;
        assert_eq!(follow(&world, &[contoso]).await, mended(1));
        assert!(world.exceptions().await.is_empty());
        assert_eq!(follow(&world, &[contoso]).await, Followed::default());
    }

    async fn remapping_mends_a_broken_mapping(store: TestStore) {
        let world = World::new(&store).await;
        let contoso = world.account(1, "Contoso", "").await;
        let fabrikam = world.account(2, "Fabrikam", "").await;
        let ids = world.customers(&[("One", &[]), ("Two", &[]), ("Three", &[])]).await;
        for id in &ids {
            world.map(*id, contoso).await;
        }
        world.put_account(1, "Contoso", "", AccountState::Inactive, 2).await;
        assert_eq!(follow_all(&world).await, broken(3));

        world.map(ids[0], fabrikam).await;
        let nothing = Expectation::default();
        world.flows.unmap_provider_account(&person(), ids[1], None, nothing).await.unwrap();
        world.flows.exclude_provider_account(&person(), ids[2], "test", nothing).await.unwrap();

        assert!(world.exceptions().await.is_empty());
    }

    async fn only_what_the_crm_itself_no_longer_has_counts_as_deleted(store: TestStore) {
        let world = World::new(&store).await;
        let contoso = world.account(1, "Contoso", "").await;
        let id = world.customer("Contoso Ltd", &[]).await;
        world.map(id, contoso).await;
        world.directory.apply(&ChangePage { deleted_accounts: vec![contoso], ..ChangePage::default() });

        assert_eq!(follow(&world, &[contoso]).await, Followed::default());

        world.delete_live(contoso);
        assert_eq!(follow(&world, &[contoso]).await, broken(1));
        assert!(world.exceptions().await[0].contains("was deleted in the CRM"));
    }

    /// A crash came between the commit of the changes and the look at the mappings.
    async fn what_a_crash_left_is_found_without_a_list(store: TestStore) {
        let world = World::new(&store).await;
        let survivor = world.account(3, "Survivor", "").await;
        let ids = world.customers(&[("Merged", &[]), ("Inactive", &[]), ("Fine", &[])]).await;
        for (id, number) in ids.iter().zip([1, 2, 3]) {
            let account = world.account(number, "Account", "").await;
            world.map(*id, account).await;
        }
        world.put_account(1, "Account", "", AccountState::Merged(survivor), 2).await;
        world.put_account(2, "Account", "", AccountState::Inactive, 2).await;

        assert_eq!(follow_all(&world).await, Followed { carried: 1, broken: 1, mended: 0 });

        assert_eq!(world.get(ids[0]).await.mapping.account_id(), Some(survivor));
        world.put_account(2, "Account", "", AccountState::Active, 3).await;
        assert_eq!(follow_all(&world).await, mended(1));
        world
            .put_account(2, "Account", "", AccountState::Inactive, 4)
            .await;
        world.directory.clear();
        assert_eq!(follow_all(&world).await, broken(1), "a directory that is not known yet is filled first");
    }

    async fn an_empty_mirror_says_nothing_of_anybody(store: TestStore) {
        let world = World::new(&store).await;
        let id = world.customer("Contoso", &[]).await;
        world.put_live(1, "Contoso", AccountState::Active);
        let mapped = world.map(id, account_id(1)).await;

        assert_eq!(follow_all(&world).await, Followed::default());
        assert_eq!(world.get(id).await, mapped);
    }

    async fn one_to_one_keeps_a_merge_from_giving_an_account_two(store: TestStore) {
        let world = World::new(&store).await;
        one_to_one(&world).await;
        let survivor = world.account(3, "Survivor", "").await;
        let ids = world.customers(&[("Loser", &[]), ("Holder", &[])]).await;
        let loser = world.account(1, "Loser", "").await;
        let before = world.map(ids[0], loser).await;
        world.map(ids[1], survivor).await;
        world.put_account(1, "Loser", "", AccountState::Merged(survivor), 2).await;

        assert_eq!(follow(&world, &[loser]).await, broken(1));
        assert_eq!(world.get(ids[0]).await, before);
        assert!(world.exceptions().await[0].contains("one-to-one mapping is insisted on"));

        world.flows.unmap_provider_account(&person(), ids[1], None, Expectation::default()).await.unwrap();
        assert_eq!(follow_all(&world).await, carried(1));
        assert_eq!(world.get(ids[0]).await.mapping.account_id(), Some(survivor));
        assert!(world.exceptions().await.is_empty());
    }

    async fn of_two_that_merge_into_one_neither_is_preferred_under_one_to_one(store: TestStore) {
        let world = World::new(&store).await;
        one_to_one(&world).await;
        let survivor = world.account(3, "Survivor", "").await;
        let ids = world.customers(&[("One", &[]), ("Two", &[])]).await;
        for (id, number) in ids.iter().zip([1, 2]) {
            let account = world.account(number, "Account", "").await;
            world.map(*id, account).await;
            world.put_account(number, "Account", "", AccountState::Merged(survivor), 2).await;
        }

        assert_eq!(follow(&world, &[account_id(1), account_id(2)]).await, broken(2));
        assert_eq!(world.exceptions().await.len(), 2);
    }
}
