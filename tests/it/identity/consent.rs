//! Consent that is given, kept, changed and revoked.

use provider_bridge::domain::caller::Role;
use provider_bridge::domain::consent::MultiFactor;
use provider_bridge::identity::consent::{Outcome, Reason, Step};
use provider_bridge::simulator::{FaultKind, PARTNER_TENANT_ID};
use provider_bridge::store::secrets;

use super::browser::{Stand, admin, caller};
use crate::on_both_engines;

const ADA: &str = "admin@partner.example";

on_both_engines! {
    async fn both_consents_and_a_confirmed_tenant_connect_a_provider(store: TestStore) {
        let stand = Stand::new(&store).await;
        let keeper = stand.keeper();
        assert_eq!(stand.token(&keeper).await, Ok(None), "nobody consented");
        stand.admin_consent(ADA).await.unwrap();
        assert_eq!(stand.user_consent(ADA).await, Ok(Outcome::ConfirmTenant));
        let asked = stand.consent().await;
        assert_eq!(asked.pending.unwrap().tenant_id.to_string(), PARTNER_TENANT_ID);
        assert_eq!(asked.tenant_id, None, "nothing is pinned before somebody says so");
        assert_eq!(stand.token(&keeper).await, Ok(None));

        let tenant = PARTNER_TENANT_ID.parse().unwrap();
        let stranger = caller(Role::Provisioning);
        let stranger = stand.consents.confirm_tenant(&stranger, stand.provider, tenant);
        assert_eq!(stranger.await.unwrap_err().reason, Reason::Forbidden);
        stand.consents.confirm_tenant(&admin(), stand.provider, tenant).await.unwrap();
        let given = stand.consent().await;
        assert_eq!(given.user.as_ref().unwrap().by, ADA);
        assert_eq!(given.admin.as_ref().unwrap().by, "Jo");
        assert_eq!(given.multi_factor, MultiFactor::Verified);
        assert_eq!((given.lapses_at().unwrap() - stand.context.now()).num_days(), 90);
        assert!(stand.token(&keeper).await.unwrap().is_some());
        assert_eq!(stand.secret(secrets::PENDING_REFRESH_TOKEN).await, None);
        assert!(stand.consents.confirm_tenant(&admin(), stand.provider, tenant).await.is_err(), "once");
    }

    async fn change_of_consent_takes_effect_at_once_and_revoking_ends_it(store: TestStore) {
        let stand = Stand::new(&store).await;
        stand.connected().await;
        let before = stand.refresh_token().await.unwrap();
        assert_eq!(stand.user_consent(ADA).await, Ok(Outcome::Connected), "the tenant is known");
        assert_ne!(stand.refresh_token().await.unwrap(), before);
        let keeper = stand.keeper();
        assert!(stand.token(&keeper).await.unwrap().is_some());
        stand.consents.revoke(&admin(), stand.provider).await.unwrap();
        assert_eq!(stand.token(&keeper).await, Ok(None));
        for purpose in [secrets::PROVIDER_REFRESH_TOKEN, secrets::PROVIDER_ACCESS_TOKEN] {
            assert_eq!(stand.secret(purpose).await, None);
        }
        assert!(stand.consents.revoke(&caller(Role::Reader), stand.provider).await.is_err());
    }

    async fn a_tenant_that_is_rejected_leaves_nothing_behind(store: TestStore) {
        let stand = Stand::new(&store).await;
        stand.admin_consent(ADA).await.unwrap();
        stand.user_consent(ADA).await.unwrap();
        stand.consents.reject_tenant(&admin(), stand.provider).await.unwrap();
        assert_eq!(stand.consent().await.pending, None);
        assert_eq!(stand.secret(secrets::PENDING_REFRESH_TOKEN).await, None);
        let tenant = PARTNER_TENANT_ID.parse().unwrap();
        let late = stand.consents.confirm_tenant(&admin(), stand.provider, tenant).await;
        assert_eq!(late.unwrap_err().reason, Reason::Expired);
    }

    async fn numbers_written_as_text_are_taken(store: TestStore) {
        let stand = Stand::new(&store).await;
        stand.fault(FaultKind::NumbersAsText);
        stand.connected().await;
        assert!(stand.token(&stand.keeper()).await.unwrap().is_some());
    }

    async fn what_travels_through_the_browser_says_nothing_and_asks_for_proof(store: TestStore) {
        let stand = Stand::new(&store).await;
        let begun = stand.consents.begin(&admin(), stand.session, stand.provider, Step::User).await.unwrap();
        let asked: std::collections::HashMap<_, _> = begun.query_pairs().into_owned().collect();
        assert_eq!(asked["response_mode"], "query");
        assert_eq!(asked["code_challenge_method"], "S256");
        assert_eq!(asked["redirect_uri"], "https://bridge.test/consent/callback");
        assert_eq!((asked["state"].len(), asked["nonce"].len()), (43, 43));
        assert!(asked["scope"].contains("offline_access"));
        assert!(!begun.as_str().contains("secret"));
        let other = caller(Role::Billing);
        let other = stand.consents.begin(&other, stand.session, stand.provider, Step::User);
        assert_eq!(other.await.unwrap_err().reason, Reason::Forbidden);
    }
}
