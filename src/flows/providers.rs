//! Connecting, reading and changing providers (A1), and Verify Connectivity (A3).

use std::ops::Deref;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{FlowError, Flows};
use crate::domain::caller::{Caller, Permission};
use crate::domain::fold::fold;
use crate::domain::ids::ProviderId;
use crate::domain::job::JobWork;
use crate::domain::provider::{Provider, ProviderKind};
use crate::domain::provider_health::ProviderHealth;
use crate::domain::verify::VerifyReport;
use crate::store::audit::Entry;
use crate::store::jobs::schedules::{self, Schedule};
use crate::store::{audit, provider_health, providers, secrets};

/// What it takes to connect a provider.
#[derive(Debug)]
pub struct NewProvider {
    /// Which client speaks to it.
    pub kind: ProviderKind,
    /// What people call it; unique.
    pub name: String,
    /// The tenant that hosts Partner Center.
    pub partner_tenant: String,
    /// Application (client) id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// When that expires, where it is known.
    pub client_secret_expires_at: Option<DateTime<Utc>>,
    /// When to sync by itself.
    pub schedule: Option<SyncSchedule>,
}

/// When a provider is synced by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncSchedule {
    /// Cron expression of five fields.
    pub cron: String,
    /// IANA name of the zone it is in.
    pub time_zone: String,
    /// Off is kept, but does not fire.
    pub enabled: bool,
}

/// What to change; `None` leaves it.
#[derive(Debug, Default)]
pub struct ProviderChange {
    /// New name.
    pub name: Option<String>,
    /// Enabled or disabled.
    pub enabled: Option<bool>,
    /// New tenant.
    pub partner_tenant: Option<String>,
    /// New application id.
    pub client_id: Option<String>,
    /// New secret.
    pub client_secret: Option<SecretString>,
    /// When it expires; inside, `None` forgets that. A new secret forgets it too.
    pub client_secret_expires_at: Option<Option<DateTime<Utc>>>,
    /// New schedule; inside, `None` takes the present one away.
    pub schedule: Option<Option<SyncSchedule>>,
    /// Only if it is still at this version (`If-Match`).
    pub expected_version: Option<i64>,
}

pub(super) fn checked(label: &str, text: &str) -> Result<String, FlowError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 200 || text.chars().any(char::is_control) {
        return Err(FlowError::Invalid(format!(
            "`{label}` must have 1 to 200 characters and no control characters"
        )));
    }
    Ok(text.to_owned())
}

/// A tenant goes into the path of the token URL, so only a GUID or a domain name will do.
fn checked_tenant(text: &str) -> Result<String, FlowError> {
    let text = checked("partnerTenant", text)?;
    let is_guid = uuid::Uuid::parse_str(&text).is_ok();
    if is_guid || crate::domain::domain_name::DomainName::parse(&text).is_ok() {
        return Ok(text.to_lowercase());
    }
    Err(FlowError::Invalid(
        "`partnerTenant` must be the tenant's id (a GUID) or one of its domain names".to_owned(),
    ))
}

/// A provider with the schedule it is synced by, and how it fares.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduledProvider {
    /// The provider.
    pub provider: Provider,
    /// When it is synced by itself.
    pub schedule: Option<Schedule>,
    /// How it fares.
    pub health: ProviderHealth,
}

impl Deref for ScheduledProvider {
    type Target = Provider;

    fn deref(&self) -> &Provider {
        &self.provider
    }
}

fn summary(
    provider: &Provider,
    schedule: Option<&Schedule>,
    health: &ProviderHealth,
) -> serde_json::Value {
    json!({
        "clientSecretExpiresAt": health.client_secret_expires_at,
        "schedule": schedule.map(|schedule| json!({
            "cron": schedule.cron,
            "timeZone": schedule.time_zone,
            "enabled": schedule.enabled,
        })),
        "name": provider.name,
        "kind": provider.kind,
        "enabled": provider.enabled,
        "partnerTenant": provider.partner_tenant,
        "clientId": provider.client_id,
    })
}

const fn work_of(id: ProviderId) -> JobWork {
    JobWork::SyncProviderAccounts { provider_id: id }
}

impl Flows {
    /// Connects a provider. Nothing is called yet: Verify Connectivity does that.
    ///
    /// # Errors
    /// When the caller may not, a value is not allowed, or the name is taken.
    pub async fn connect_provider(
        &self,
        caller: &Caller,
        new: NewProvider,
    ) -> Result<ScheduledProvider, FlowError> {
        caller.require(Permission::Configure)?;
        let now = self.context.now();
        let provider = Provider {
            id: ProviderId::new(self.context.new_uuid()),
            kind: new.kind,
            name: checked("name", &new.name)?,
            enabled: true,
            partner_tenant: checked_tenant(&new.partner_tenant)?,
            client_id: checked("clientId", &new.client_id)?,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let secret = checked("clientSecret", new.client_secret.expose_secret())?;
        let tx = self.store.begin().await?;
        match providers::insert(&tx, &provider).await {
            Err(error) if error.is_unique_violation() => {
                return Err(self.name_taken(&provider.name).await?);
            }
            other => other?,
        }
        self.keep_client_secret(&tx, provider.id, &secret).await?;
        if let Some(schedule) = &new.schedule {
            self.keep_schedule(&tx, &work_of(provider.id), schedule)
                .await?;
        }
        let schedule = schedules::find(&*tx, &work_of(provider.id)).await?;
        let health = self
            .keep_secret_expiry(&tx, provider.id, new.client_secret_expires_at)
            .await?;
        let entry = Entry {
            action: "provider.connected",
            subject: format!("provider/{}", provider.id),
            after: Some(summary(&provider, schedule.as_ref(), &health)),
            ..Entry::default()
        };
        audit::record(&tx, &self.context, caller, entry).await?;
        tx.commit().await?;
        Ok(ScheduledProvider {
            provider,
            schedule,
            health,
        })
    }

    /// Changes a provider.
    ///
    /// # Errors
    /// When the caller may not, there is no such provider, the caller's copy is stale, or the name is taken.
    pub async fn change_provider(
        &self,
        caller: &Caller,
        id: ProviderId,
        change: ProviderChange,
    ) -> Result<ScheduledProvider, FlowError> {
        caller.require(Permission::Configure)?;
        let tx = self.store.begin().await?;
        let before = providers::find(&*tx, id)
            .await?
            .ok_or_else(|| FlowError::not_found("provider", id))?;
        if change
            .expected_version
            .is_some_and(|expected| expected != before.version)
        {
            return Err(FlowError::Stale(format!(
                "the provider changed since you read it (it is at version {}); read it again and repeat the change",
                before.version
            )));
        }
        let mut after = before.clone();
        if let Some(name) = &change.name {
            after.name = checked("name", name)?;
        }
        if let Some(tenant) = &change.partner_tenant {
            after.partner_tenant = checked_tenant(tenant)?;
        }
        if let Some(client_id) = &change.client_id {
            after.client_id = checked("clientId", client_id)?;
        }
        after.enabled = change.enabled.unwrap_or(after.enabled);
        let schedule_before = schedules::find(&*tx, &work_of(id)).await?;
        match &change.schedule {
            Some(Some(schedule)) => self.keep_schedule(&tx, &work_of(id), schedule).await?,
            Some(None) => schedules::remove(&tx, &work_of(id)).await?,
            None => {}
        }
        let schedule = schedules::find(&*tx, &work_of(id)).await?;
        let new_secret = change.client_secret.is_some();
        if let Some(secret) = &change.client_secret {
            self.keep_client_secret(&tx, id, &checked("clientSecret", secret.expose_secret())?)
                .await?;
        }
        let health_before = provider_health::find(&*tx, id).await?;
        let health = match change.client_secret_expires_at {
            Some(expires_at) => self.keep_secret_expiry(&tx, id, expires_at).await?,
            None if new_secret => self.keep_secret_expiry(&tx, id, None).await?,
            None => health_before.clone(),
        };
        let same_health = health == health_before;
        if after == before && !new_secret && schedule == schedule_before && same_health {
            return Ok(ScheduledProvider {
                provider: before,
                schedule,
                health,
            });
        }
        after.version = before.version + 1;
        after.updated_at = self.context.now();
        match providers::update(&tx, &after, before.version).await {
            Err(error) if error.is_unique_violation() => {
                return Err(self.name_taken(&after.name).await?);
            }
            other => other?,
        };
        let entry = Entry {
            action: "provider.changed",
            subject: format!("provider/{id}"),
            before: Some(summary(&before, schedule_before.as_ref(), &health_before)),
            after: Some(summary(&after, schedule.as_ref(), &health)),
            reason: new_secret.then(|| "the client secret was replaced".to_owned()),
        };
        audit::record(&tx, &self.context, caller, entry).await?;
        tx.commit().await?;
        Ok(ScheduledProvider {
            provider: after,
            schedule,
            health,
        })
    }

    /// The refusal shows the provider that has the name, as it is spelt there: case and accents make no difference.
    async fn name_taken(&self, name: &str) -> Result<FlowError, FlowError> {
        let taken = fold(name);
        let providers = providers::list(self.store.reader()).await?;
        let holder = providers
            .into_iter()
            .find(|provider| fold(&provider.name) == taken);
        let (id, name) = match holder {
            Some(holder) => (Some(holder.id), holder.name),
            None => (None, name.to_owned()),
        };
        Ok(FlowError::Conflict {
            detail: format!("a provider named `{name}` exists already; choose another name"),
            current: json!({ "providerId": id, "name": name }),
        })
    }

    async fn keep_client_secret(
        &self,
        tx: &crate::store::WriteTx,
        id: ProviderId,
        secret: &str,
    ) -> Result<(), FlowError> {
        let sealed = self.sealer.seal(id.as_uuid(), secret);
        let purpose = secrets::PROVIDER_CLIENT_SECRET;
        Ok(secrets::keep(tx, &self.context, purpose, id.as_uuid(), sealed, None).await?)
    }

    /// Keeps when the client secret expires, and tells when that is soon.
    async fn keep_secret_expiry(
        &self,
        tx: &crate::store::WriteTx,
        id: ProviderId,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<ProviderHealth, FlowError> {
        if expires_at.is_some_and(|at| at <= self.context.now()) {
            return Err(FlowError::Invalid(
                "`clientSecretExpiresAt` is over; give a client secret that is still good, and when it expires"
                    .to_owned(),
            ));
        }
        provider_health::keep_secret_expiry(tx, id, expires_at).await?;
        provider_health::tell(tx, &self.context, id).await?;
        Ok(provider_health::find(&**tx, id).await?)
    }

    async fn keep_schedule(
        &self,
        tx: &crate::store::WriteTx,
        work: &JobWork,
        schedule: &SyncSchedule,
    ) -> Result<(), FlowError> {
        let next =
            super::schedules::next_run(&schedule.cron, &schedule.time_zone, self.context.now())
                .map_err(FlowError::Invalid)?;
        schedules::keep(
            tx,
            &self.context,
            work,
            &schedule.cron,
            &schedule.time_zone,
            schedule.enabled,
            next,
        )
        .await?;
        Ok(())
    }

    /// All providers, by name.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn list_providers(
        &self,
        caller: &Caller,
    ) -> Result<Vec<ScheduledProvider>, FlowError> {
        caller.require(Permission::Read)?;
        let providers = providers::list(self.store.reader()).await?;
        let schedules = schedules::list(self.store.reader()).await?;
        let health = provider_health::list(self.store.reader(), &providers).await?;
        let with_schedule = |(provider, health): (Provider, ProviderHealth)| ScheduledProvider {
            schedule: schedules
                .iter()
                .find(|schedule| schedule.work == work_of(provider.id))
                .cloned(),
            provider,
            health,
        };
        let both = providers.into_iter().zip(health);
        Ok(both.map(with_schedule).collect())
    }

    /// One provider.
    ///
    /// # Errors
    /// When the caller may not, or there is no such provider.
    pub async fn get_provider(
        &self,
        caller: &Caller,
        id: ProviderId,
    ) -> Result<ScheduledProvider, FlowError> {
        caller.require(Permission::Read)?;
        let reader = self.store.reader();
        let provider = providers::find(reader, id)
            .await?
            .ok_or_else(|| FlowError::not_found("provider", id))?;
        let schedule = schedules::find(reader, &work_of(id)).await?;
        let health = provider_health::find(reader, id).await?;
        Ok(ScheduledProvider {
            provider,
            schedule,
            health,
        })
    }

    /// A live test of every step of a provider's connection (A3).
    ///
    /// # Errors
    /// When the caller may not, or there is no such provider. A failing step is not an error: it is in the report.
    pub async fn verify_provider(
        &self,
        caller: &Caller,
        id: ProviderId,
    ) -> Result<VerifyReport, FlowError> {
        caller.require(Permission::Sync)?;
        let provider = self.get_provider(caller, id).await?;
        match self.providers.client(&provider).await {
            Ok(client) => Ok(client.verify().await),
            Err(error) => Ok(VerifyReport::of(vec![crate::domain::verify::VerifyStep {
                name: "settings and secret present".to_owned(),
                passed: false,
                detail: error.message,
            }])),
        }
    }

    /// A live test of every step of the CRM's connection (A5).
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn verify_crm(&self, caller: &Caller) -> Result<VerifyReport, FlowError> {
        caller.require(Permission::Sync)?;
        Ok(self.crm.verify().await)
    }
}
