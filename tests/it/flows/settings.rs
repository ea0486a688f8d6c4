//! Operator settings (decision 12) and switching one-to-one mapping on and off (B5).

use provider_bridge::domain::setting::AutoMatchMode;
use provider_bridge::flows::FlowError;
use provider_bridge::flows::mapping::Expectation;
use provider_bridge::flows::settings::SettingsChange;

use super::world::{World, admin, person, request};
use crate::on_both_engines;

fn unique(on: bool) -> SettingsChange {
    SettingsChange {
        unique_mapping: Some(on),
        ..SettingsChange::default()
    }
}

on_both_engines! {
    async fn a_change_is_kept_and_audited_and_the_same_again_is_none(store: TestStore) {
        let world = World::new(&store).await;
        let change = SettingsChange { auto_match: Some(AutoMatchMode::Off), details_refresh_days: Some(7), ..SettingsChange::default() };

        let changed = world.flows.change_settings(&admin(), &change).await.unwrap();
        let again = world.flows.change_settings(&admin(), &change).await.unwrap();

        assert_eq!((changed.auto_match, changed.details_refresh_days, changed.unique_mapping), (AutoMatchMode::Off, 7, false));
        assert_eq!(again, changed);
        assert_eq!(world.flows.get_settings(&person()).await.unwrap(), changed);
        let audit = world.audit("settings.changed").await;
        assert_eq!(audit.len(), 1);
        assert_eq!(audit[0].before.as_ref().unwrap()["autoMatch"], "classic");
    }

    async fn only_an_administrator_changes_them_and_only_within_bounds(store: TestStore) {
        let world = World::new(&store).await;
        assert!(matches!(world.flows.change_settings(&person(), &unique(true)).await, Err(FlowError::Forbidden(_))));
        for days in [0, 366] {
            let change = SettingsChange { details_refresh_days: Some(days), ..SettingsChange::default() };
            assert!(matches!(world.flows.change_settings(&admin(), &change).await, Err(FlowError::Invalid(_))));
        }
    }

    async fn one_to_one_is_refused_over_conflicts_with_their_list(store: TestStore) {
        let world = World::new(&store).await;
        let contoso = world.account(1, "Contoso", "").await;
        let fabrikam = world.account(2, "Fabrikam", "").await;
        let ids = world.customers(&[("One", &[]), ("Two", &[]), ("Three", &[])]).await;
        world.map(ids[0], contoso).await;
        world.map(ids[1], contoso).await;
        world.map(ids[2], fabrikam).await;

        let refused = world.flows.change_settings(&admin(), &unique(true)).await.unwrap_err();

        let FlowError::Conflict { current, .. } = refused else { panic!("{refused}") };
        assert_eq!(
            current,
            serde_json::json!({
                "conflicts": [{
                    "accountId": contoso,
                    "accountName": "Contoso",
                    "providerAccounts": [
                        { "providerAccountId": ids[0], "name": "One" },
                        { "providerAccountId": ids[1], "name": "Two" },
                    ],
                }],
                "conflictCount": 1,
            })
        );
        assert!(!world.flows.get_settings(&admin()).await.unwrap().unique_mapping);
        let nothing = Expectation::default();
        world.flows.unmap_provider_account(&person(), ids[0], None, nothing).await.unwrap();
        world.flows.change_settings(&admin(), &unique(true)).await.unwrap();
        let taken = world.flows.map_provider_account(&person(), ids[0], &request(contoso, nothing)).await;
        assert!(matches!(taken, Err(FlowError::Conflict { .. })));
        world.flows.change_settings(&admin(), &unique(false)).await.unwrap();
        world.map(ids[0], contoso).await;
    }

    /// A mapping that began before the switch and commits after it must not slip through.
    async fn switching_one_to_one_on_misses_no_mapping_that_is_being_made(store: TestStore) {
        let world = World::new(&store).await;
        let caller = person();
        let admin = admin();
        for round in 0..10_u128 {
            let account = world.account(round + 1, "Contoso", "").await;
            let (one, two) = (format!("One {round}"), format!("Two {round}"));
            let ids = world.customers(&[(&one, &[]), (&two, &[])]).await;
            world.map(ids[0], account).await;
            let request = request(account, Expectation::default());
            let on = unique(true);
            let (mapped, switched) = tokio::join!(
                world.flows.map_provider_account(&caller, ids[1], &request),
                world.flows.change_settings(&admin, &on),
            );
            assert_ne!(mapped.is_ok(), switched.is_ok(), "{mapped:?} {switched:?}");
            world.flows.unmap_provider_account(&caller, ids[0], None, Expectation::default()).await.unwrap();
            world.flows.change_settings(&admin, &unique(false)).await.unwrap();
        }
    }
}
