//! Auto-match by the engine, live (B5 to B7, B12): what it maps with which evidence, what it leaves to people, and that it
//! follows each change of the directory without being built anew.

use provider_bridge::domain::account::{AccountState, DirectoryAccount, Place};
use provider_bridge::domain::domain_name::DomainName;
use provider_bridge::domain::ids::{AccountId, ContactId};
use provider_bridge::domain::mapping::{MappedBy, Mapping, MappingState};
use provider_bridge::domain::ports::crm::ChangePage;
use provider_bridge::domain::setting::AutoMatchMode;
use provider_bridge::flows::settings::SettingsChange;
use serde_json::json;
use uuid::Uuid;

use super::world::{World, account_id, admin, contact, person};
use crate::on_both_engines;
use crate::support::stores::TestStore;

async fn world(store: &TestStore) -> World {
    let world = World::new(store).await;
    let change = SettingsChange {
        auto_match: Some(AutoMatchMode::Engine),
        ..SettingsChange::default()
    };
    world
        .flows
        .change_settings(&admin(), &change)
        .await
        .unwrap();
    world
}

fn row(number: u128, name: &str, website: &str, city: &str) -> DirectoryAccount {
    DirectoryAccount {
        id: account_id(number),
        name: name.to_owned(),
        state: AccountState::Active,
        parent_id: None,
        web_domain: DomainName::of_website(website),
        email_domains: Vec::new(),
        place: Place {
            country: Some("GB".to_owned()),
            city: Some(city.to_owned()),
            ..Place::default()
        },
        row_version: 1,
    }
}

fn page(accounts: Vec<DirectoryAccount>) -> ChangePage {
    ChangePage {
        accounts,
        ..ChangePage::default()
    }
}

/// The Account that a new customer of this domain is mapped to, or that is suggested first.
async fn led_to(world: &World, number: u128) -> Option<AccountId> {
    let name = format!("Northwind Traders {number}");
    let id = world.customer(&name, &["northwind-traders.com"]).await;
    world.auto_match().await;
    let suggested = world.flows.list_suggestions(&admin(), id).await.unwrap();
    let first = suggested.first().map(|first| first.suggestion.account_id);
    world.get(id).await.mapping.account_id().or(first)
}

on_both_engines! {
    async fn the_engine_maps_with_confidence_and_weighed_evidence_in_history_and_event(store: TestStore) {
        let world = world(&store).await;
        let contoso = world.account(1, "Contoso Limited", "www.contoso.com").await;
        world.contact(1, contoso, "contoso.com").await;
        world.contact(2, contoso, "contoso.com").await;
        let id = world.customer("Contoso Ltd", &["contoso.com"]).await;

        let result = world.auto_match().await;

        assert_eq!((&result["mode"], &result["counts"]["mapped"]), (&json!("engine"), &json!(1)));
        let account = world.get(id).await;
        assert!(matches!(&account.mapping, Mapping::Mapped { account_id, by: MappedBy::AutoMatch, .. } if *account_id == contoso));
        let evidence = world.flows.mapping_evidence(&account).await.unwrap().unwrap();
        assert!(evidence.confidence > 0.9, "{evidence:?}");
        let domain = evidence.reasons.iter().find(|it| it.text.contains("contoso.com")).unwrap();
        assert!(domain.weight.unwrap() > 0.0);
        let history = world.flows.list_mapping_history(&person(), id).await.unwrap();
        assert_eq!(history[0].evidence.as_ref(), Some(&evidence));
        assert!(history[0].reason.as_ref().unwrap().contains("contoso.com"));
        let events = world.events().await;
        assert_eq!(events[0].1["evidence"], json!(evidence.reasons));
        assert_eq!(events[0].1["confidence"], json!(evidence.confidence));
    }

    async fn another_tenant_of_the_same_provider_at_the_account_is_left_to_a_person(store: TestStore) {
        let world = world(&store).await;
        let contoso = world.account(1, "Contoso Limited", "www.contoso.com").await;
        world.contact(1, contoso, "contoso.com").await;
        let first = world.tenant("Contoso Ltd", "t-1", &["contoso.com"]).await;
        world.auto_match().await;
        assert_eq!(world.get(first).await.mapping.account_id(), Some(contoso));
        let second = world.tenant("Contoso Ltd (lab)", "t-2", &["contoso.com"]).await;
        let third = world.tenant("Contoso Limited", "t-3", &["contoso.com"]).await;

        assert_eq!(world.auto_match().await["counts"]["mapped"], 0);

        for id in [second, third] {
            assert_eq!(world.get(id).await.mapping.state(), MappingState::Unmapped);
            let suggestions = world.flows.list_suggestions(&person(), id).await.unwrap();
            let last = &suggestions[0].suggestion.reasons.last().unwrap().text;
            assert!(last.contains("another tenant") || last.contains("not automatic"), "{last}");
        }
    }

    async fn tenants_that_lead_to_one_account_together_are_left_to_a_person(store: TestStore) {
        let world = world(&store).await;
        let contoso = world.account(1, "Contoso Limited", "www.contoso.com").await;
        world.contact(1, contoso, "contoso.com").await;
        let one = world.tenant("Contoso Ltd", "t-1", &["contoso.com"]).await;
        let other = world.tenant("Contoso Limited", "t-2", &["contoso.com"]).await;

        assert_eq!(world.auto_match().await["counts"]["mapped"], 0);

        for id in [one, other] {
            let suggestions = world.flows.list_suggestions(&person(), id).await.unwrap();
            let last = &suggestions[0].suggestion.reasons.last().unwrap().text;
            assert_eq!(last, "several tenants of the same provider lead to this account");
        }
    }

    async fn a_threshold_of_the_deployment_decides_what_is_automatic(store: TestStore) {
        let world = world(&store).await;
        let contoso = world.account(1, "Contoso Limited", "www.contoso.com").await;
        world.contact(1, contoso, "contoso.com").await;
        let id = world.customer("Contoso Ltd", &["contoso.com"]).await;
        let set = async |threshold| {
            let change = SettingsChange { auto_match_threshold: Some(threshold), ..SettingsChange::default() };
            world.flows.change_settings(&admin(), &change).await
        };
        set(Some(1.0)).await.unwrap();
        assert_eq!(world.auto_match().await["counts"]["suggested"], 1);
        assert_eq!(world.get(id).await.mapping.state(), MappingState::Unmapped);
        assert!(set(Some(0.2)).await.is_err());
        set(None).await.unwrap();
        assert_eq!(world.auto_match().await["counts"]["mapped"], 1);
    }

    /// Page by page, in whatever order, the engine ends as one that was built from the store at once.
    async fn the_engine_follows_accounts_and_contacts_that_come_change_and_go(store: TestStore) {
        let world = world(&store).await;
        let directory = world.flows.directory.clone();
        let account = row(1, "Northwind Traders", "", "Leeds");
        // The contact comes before its account.
        world.take_in(contact(1, account.id, "northwind-traders.com")).await;
        world.take_in(page(vec![account.clone()])).await;
        assert_eq!(led_to(&world, 1).await, Some(account.id));
        // It leaves for another account, and the first is nobody's any more.
        let other = row(2, "Northwind Traders Holding", "", "Leeds");
        world.take_in(page(vec![other.clone()])).await;
        let mut moved = contact(1, other.id, "northwind-traders.com");
        moved.contacts[0].row_version = 2;
        world.take_in(moved).await;
        assert_ne!(led_to(&world, 2).await, Some(account.id));
        world.take_in(ChangePage {
            deleted_accounts: vec![account.id],
            deleted_contacts: vec![ContactId::new(Uuid::from_u128(1))],
            ..ChangePage::default()
        }).await;
        let mut back = account.clone();
        back.row_version = 3;
        back.web_domain = DomainName::of_website("northwind-traders.com");
        world.take_in(page(vec![back])).await;
        assert_eq!(led_to(&world, 3).await, Some(account.id));
        // A merged account is out; its domain leads to its survivor only where that has it.
        let merged = DirectoryAccount { state: AccountState::Merged(other.id), row_version: 4, ..account.clone() };
        world.take_in(page(vec![merged])).await;
        assert_ne!(led_to(&world, 4).await, Some(account.id));
        assert_eq!(directory.len(), 2);
        assert!(directory.mirror().is_some_and(|mirror| mirror.state().is_some()));
    }
}
