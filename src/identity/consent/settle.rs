//! From a sign-in that proved itself to the one that is used: at once when the tenant was confirmed before, after a person's
//! word when it was not. And back: revoking.

use uuid::Uuid;

use super::id_token::Identity;
use super::refusal::{ConsentRefusal, Reason};
use super::{Consents, Outcome};
use crate::domain::caller::{Caller, Permission};
use crate::domain::consent::{Consent, Given, MultiFactor};
use crate::domain::ids::ProviderId;
use crate::domain::provider::Provider;
use crate::store::audit::{self, Entry};
use crate::store::{WriteTx, consents, provider_health, providers, secrets};

impl Consents {
    pub(super) async fn settle(
        &self,
        caller: &Caller,
        provider: &Provider,
        identity: &Identity,
        multi_factor: MultiFactor,
    ) -> Result<Outcome, ConsentRefusal> {
        let tx = self.store.begin().await?;
        let mut consent = consents::find(&*tx, provider.id).await?;
        let tenant = identity.tenant_id;
        let is_ours = consent
            .pending
            .as_ref()
            .is_some_and(|pending| pending.tenant_id == tenant && pending.by == identity.name);
        if !is_ours {
            let text = "another sign-in for this provider came in between; look whose is kept";
            return Err(ConsentRefusal::again(Reason::Replayed, text));
        }
        let is_pinned = consent.tenant_id == Some(tenant)
            && provider.partner_tenant.parse() == Ok::<Uuid, uuid::Error>(tenant);
        if !is_pinned {
            consent.multi_factor = multi_factor;
            consent.failure = None;
            consents::keep(&tx, &consent, consent.version).await?;
            tx.commit().await?;
            return Ok(Outcome::ConfirmTenant);
        }
        consent.multi_factor = multi_factor;
        self.promote(&tx, caller, consent).await?;
        tx.commit().await?;
        Ok(Outcome::Connected)
    }

    /// Pins the provider to the tenant that somebody signed in to, and uses that sign-in from now on.
    ///
    /// # Errors
    /// When the caller may not, or another sign-in came in between.
    pub async fn confirm_tenant(
        &self,
        caller: &Caller,
        id: ProviderId,
        tenant_id: Uuid,
    ) -> Result<(), ConsentRefusal> {
        require_configure(caller)?;
        let tx = self.store.begin().await?;
        let mut consent = consents::find(&*tx, id).await?;
        if consent.pending.as_ref().map(|it| it.tenant_id) != Some(tenant_id) {
            let text = "the sign-in to confirm is not there any more; sign in again";
            return Err(ConsentRefusal::again(Reason::Expired, text));
        }
        let Some(mut provider) = providers::find(&*tx, id).await? else {
            let text = "there is no such provider";
            return Err(ConsentRefusal::operator(Reason::NotFound, text));
        };
        let wanted = provider.partner_tenant.parse::<Uuid>();
        if wanted.is_ok_and(|wanted| wanted != tenant_id) {
            let text = "the provider's tenant was changed meanwhile; sign in again";
            return Err(ConsentRefusal::again(Reason::WrongTenant, text));
        }
        consent.tenant_id = Some(tenant_id);
        let version = provider.version;
        provider.partner_tenant = tenant_id.to_string();
        provider.version += 1;
        provider.updated_at = self.context.now();
        if !providers::update(&tx, &provider, version).await? {
            let text = "the provider was changed meanwhile; sign in again";
            return Err(ConsentRefusal::again(Reason::Expired, text));
        }
        self.promote(&tx, caller, consent).await?;
        Ok(tx.commit().await?)
    }

    /// Forgets a sign-in that waits for its tenant to be confirmed.
    ///
    /// # Errors
    /// When the caller may not, or the database refuses.
    pub async fn reject_tenant(
        &self,
        caller: &Caller,
        id: ProviderId,
    ) -> Result<(), ConsentRefusal> {
        require_configure(caller)?;
        self.drop_pending(id).await
    }

    /// Forgets the user's sign-in. What was granted stays granted at Entra until it is taken away there.
    ///
    /// # Errors
    /// When the caller may not, or the database refuses.
    pub async fn revoke(&self, caller: &Caller, id: ProviderId) -> Result<(), ConsentRefusal> {
        require_configure(caller)?;
        let tx = self.store.begin().await?;
        let before = consents::find(&*tx, id).await?;
        provider_health::revoking(&tx, &self.context, id).await?;
        for purpose in [
            secrets::PROVIDER_REFRESH_TOKEN,
            secrets::PENDING_REFRESH_TOKEN,
            secrets::PROVIDER_ACCESS_TOKEN,
        ] {
            secrets::forget(&tx, purpose, id.as_uuid()).await?;
        }
        let after = Consent {
            tenant_id: before.tenant_id,
            version: before.version + 1,
            ..Consent::none(id)
        };
        consents::keep(&tx, &after, before.version).await?;
        self.audit(&tx, caller, "consent.revoked", id, None).await?;
        Ok(tx.commit().await?)
    }

    pub(super) async fn drop_pending(&self, id: ProviderId) -> Result<(), ConsentRefusal> {
        let tx = self.store.begin().await?;
        let mut consent = consents::find(&*tx, id).await?;
        consent.pending = None;
        secrets::forget(&tx, secrets::PENDING_REFRESH_TOKEN, id.as_uuid()).await?;
        consents::keep(&tx, &consent, consent.version).await?;
        Ok(tx.commit().await?)
    }

    /// The waiting sign-in becomes the one that is used.
    async fn promote(
        &self,
        tx: &WriteTx,
        caller: &Caller,
        mut consent: Consent,
    ) -> Result<(), ConsentRefusal> {
        let id = consent.provider_id;
        let row = id.as_uuid();
        let gone = || {
            let text = "the sign-in is not there any more; sign in again";
            ConsentRefusal::again(Reason::Expired, text)
        };
        let pending = consent.pending.take().ok_or_else(gone)?;
        let sealed = secrets::find(&**tx, secrets::PENDING_REFRESH_TOKEN, row).await?;
        let (sealed, host) = sealed.ok_or_else(gone)?;
        let purpose = secrets::PROVIDER_REFRESH_TOKEN;
        secrets::keep(tx, &self.context, purpose, row, sealed, host).await?;
        secrets::forget(tx, secrets::PENDING_REFRESH_TOKEN, row).await?;
        secrets::forget(tx, secrets::PROVIDER_ACCESS_TOKEN, row).await?;
        let now = self.context.now();
        consent.user = Some(Given {
            at: now,
            by: pending.by.clone(),
        });
        consent.refreshed_at = Some(now);
        consent.failure = None;
        let expected = consent.version;
        consent.version += 1;
        if !consents::keep(tx, &consent, expected).await? {
            return Err(gone());
        }
        provider_health::refreshed(tx, &self.context, id, None).await?;
        self.audit(tx, caller, "consent.user", id, Some(&pending.by))
            .await
    }

    async fn audit(
        &self,
        tx: &WriteTx,
        caller: &Caller,
        action: &'static str,
        id: ProviderId,
        who: Option<&str>,
    ) -> Result<(), ConsentRefusal> {
        let entry = Entry {
            action,
            subject: format!("provider/{id}"),
            after: who.map(|who| serde_json::json!({ "signedIn": who })),
            ..Entry::default()
        };
        audit::record(tx, &self.context, caller, entry).await?;
        Ok(())
    }
}

fn require_configure(caller: &Caller) -> Result<(), ConsentRefusal> {
    caller
        .require(Permission::Configure)
        .map_err(|missing| ConsentRefusal::operator(Reason::Forbidden, missing.to_string()))
}
