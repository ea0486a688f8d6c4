//! The user's token while it is used: refreshed once for all, kept through every failure that is not its own end.

use std::time::Duration;

use provider_bridge::domain::consent::Trouble;
use provider_bridge::simulator::{DOCUMENTED, FaultKind, PEOPLE, Upstream};
use provider_bridge::store::Engine;

use super::browser::Stand;
use super::refusals::class_of;
use crate::on_both_engines;
use crate::support::stores::TestStore;

const HOUR: Duration = Duration::from_secs(3600);

fn token_requests(stand: &Stand) -> u64 {
    let counts = stand.simulator.statistics().counts();
    let of_tokens = counts
        .into_iter()
        .filter(|(upstream, operation, _)| *upstream == Upstream::Entra && *operation == "token");
    of_tokens.map(|(.., count)| count.requests).sum()
}

on_both_engines! {
    async fn many_callers_in_two_instances_make_one_refresh(store: TestStore) {
        let stand = Stand::new(&store).await;
        stand.connected().await;
        stand.clock.advance_by_itself();
        let (one, other) = (stand.keeper(), stand.keeper());
        let before = token_requests(&stand);
        let calls = (0..10).map(|n| stand.token(if n % 2 == 0 { &one } else { &other }));
        let tokens = futures_util::future::join_all(calls).await;
        let first = tokens[0].clone().unwrap().unwrap();
        assert!(tokens.iter().all(|token| token.as_ref().unwrap().as_ref() == Some(&first)));
        assert_eq!(token_requests(&stand) - before, 1);
        assert_eq!(stand.consent().await.version, 2, "one consent, one refresh");
    }

    async fn tokens_are_refreshed_in_time_under_strict_rotation(store: TestStore) {
        let stand = Stand::new(&store).await;
        stand.connected().await;
        stand.fault(FaultKind::StrictRotation);
        let (one, other) = (stand.keeper(), stand.keeper());
        let mut last = String::new();
        for round in 0..6 {
            let keeper = if round % 2 == 0 { &one } else { &other };
            let token = stand.token(keeper).await.unwrap().unwrap();
            assert_ne!(token, last, "round {round}");
            last = token;
            stand.clock.advance(HOUR);
        }
        assert_eq!(stand.consent().await.failure, None);
    }
}

#[actix_web::test]
async fn every_documented_refusal_is_classed_and_the_refresh_token_stays() {
    let store = TestStore::create(Engine::Sqlite).await;
    let stand = Stand::new(&store).await;
    stand.connected().await;
    let keeper = stand.keeper();
    let kept = stand.refresh_token().await;
    for (code, error) in DOCUMENTED {
        let error = error.to_owned();
        stand.fault(FaultKind::EntraError { error, code });
        let message = stand.token(&keeper).await.unwrap_err();
        stand.simulator.faults().clear();
        assert!(message.contains(&format!("AADSTS{code}")), "{message}");
        let consent = stand.consent().await;
        assert_eq!(
            consent.failure.unwrap().trouble,
            class_of(code),
            "AADSTS{code}"
        );
        assert!(consent.user.is_some(), "never disconnected by itself");
        assert_eq!(stand.refresh_token().await, kept);
    }
    assert!(
        stand.token(&keeper).await.unwrap().is_some(),
        "and it goes on"
    );
    assert_eq!(stand.consent().await.failure, None);
}

#[actix_web::test]
async fn a_revoked_sign_in_asks_for_consent_and_a_busy_service_does_not() {
    let store = TestStore::create(Engine::Sqlite).await;
    let stand = Stand::new(&store).await;
    stand.connected().await;
    let keeper = stand.keeper();
    stand.fault(FaultKind::ServerError { status: 503 });
    assert!(stand.token(&keeper).await.is_err());
    assert_eq!(
        stand.consent().await.failure.unwrap().trouble,
        Trouble::Transient
    );
    stand.simulator.faults().clear();
    stand.simulator.revoke_sessions(&PEOPLE[0]);
    let message = stand.token(&keeper).await.unwrap_err();
    assert!(message.contains("sign in again"), "{message}");
    assert_eq!(
        stand.consent().await.failure.unwrap().trouble,
        Trouble::ReConsent
    );
}

#[actix_web::test]
async fn a_provider_that_was_given_another_tenant_has_no_consent_there() {
    let store = TestStore::create(Engine::Sqlite).await;
    let stand = Stand::new(&store).await;
    stand.connected().await;
    let mut provider = stand.provider().await;
    provider.partner_tenant = PEOPLE[3].tenant.to_owned();
    use provider_bridge::domain::ports::consent::UserTokens as _;
    assert!(
        stand
            .keeper()
            .user_token(&provider)
            .await
            .unwrap()
            .is_none()
    );
}
