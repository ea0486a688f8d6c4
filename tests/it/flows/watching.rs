//! Watching what is mapped (B9, B12): duplicates in the CRM, and one customer through two providers.

use provider_bridge::domain::account::AccountState;
use provider_bridge::domain::setting::AutoMatchMode;
use provider_bridge::flows::settings::SettingsChange;
use serde_json::Value;

use super::world::{World, admin};
use crate::on_both_engines;
use crate::support::stores::TestStore;

async fn world(store: &TestStore) -> World {
    let world = World::new(store).await;
    let engine = SettingsChange {
        auto_match: Some(AutoMatchMode::Engine),
        ..SettingsChange::default()
    };
    world
        .flows
        .change_settings(&admin(), &engine)
        .await
        .unwrap();
    world
}

async fn check(world: &World) -> Value {
    let lease = world.lease().await;
    let result = world.flows.check_mappings(lease).await.unwrap();
    world.finish(lease).await;
    result
}

on_both_engines! {
    async fn a_mapped_customer_that_the_crm_has_twice_is_told_until_it_has_it_once(store: TestStore) {
        let world = world(&store).await;
        let contoso = world.account(1, "Contoso Limited", "www.contoso.com").await;
        world.contact(1, contoso, "contoso.com").await;
        let id = world.customer("Contoso Ltd", &["contoso.com"]).await;
        world.map(id, contoso).await;
        assert_eq!(check(&world).await["duplicates"], 0);
        world.account(2, "Contoso Ltd", "contoso.com").await;
        for _ in 0..2 {
            assert_eq!(check(&world).await["duplicates"], 1);
            let told = world.exceptions().await;
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(told[0].contains("Contoso Ltd (00000000-0000-0000-0000-000000000002)"), "{told:?}");
        }
        world.put_account(2, "Contoso Ltd", "contoso.com", AccountState::Inactive, 2).await;
        assert_eq!(check(&world).await["duplicates"], 0);
        assert!(world.exceptions().await.is_empty());
    }

    async fn one_customer_through_two_providers_is_told_while_it_is_mapped_differently(store: TestStore) {
        let world = world(&store).await;
        let contoso = world.account(1, "Contoso Limited", "www.contoso.com").await;
        let other = world.account(2, "Fabrikam Trading", "www.fabrikam.com").await;
        let here = world.tenant("Contoso Ltd", "t-1", &["contoso.com"]).await;
        let there = world.tenant_elsewhere("Contoso", "t-1", &["contoso.com"]).await;
        assert_eq!(check(&world).await["split"], 0);
        world.map(here, contoso).await;
        assert_eq!(check(&world).await["split"], 1);
        let told = world.exceptions().await;
        assert!(told[0].contains("Contoso at Elsewhere is unmapped"), "{told:?}");
        world.map(there, other).await;
        assert_eq!(check(&world).await["split"], 1);
        let told = world.exceptions().await;
        assert!(told.iter().any(|it| it.contains("mapped to Fabrikam Trading")), "{told:?}");
        world.map(there, contoso).await;
        assert_eq!(check(&world).await["split"], 0);
        assert!(world.exceptions().await.is_empty());
    }
}
