//! What every change of a mapping shares (B4): the caller's expectation of what it replaces, the reason, and one way to write
//! it: state, history, audit and event together. The operations themselves are in files of their own.

use serde_json::{Value, json};

use super::{FlowError, Flows};
use crate::domain::caller::{Caller, Permission};
use crate::domain::event::{NewEvent, provider_account_subject};
use crate::domain::exception::ExceptionKind;
use crate::domain::ids::{AccountId, ProviderAccountId};
use crate::domain::mapping::{MappedBy, Mapping, MappingState, MatchEvidence};
use crate::domain::provider::Provider;
use crate::domain::provider_account::ProviderAccount;
use crate::store::audit::Entry;
use crate::store::mappings::{self, Change, Locked, PastChange};
use crate::store::{WriteTx, audit, exceptions, outbox, providers};

/// Reasons are for people; longer ones are refused.
const LONGEST_REASON: usize = 500;

/// What the caller believes to be there now, to guard against a lost update (decision 10). Nothing expected, nothing
/// checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expectation {
    /// The version it has read (`If-Match`).
    pub version: Option<i64>,
    /// The Account it believes to be mapped (`expectedAccountId`); inside, `None` means not mapped.
    pub account_id: Option<Option<AccountId>>,
}

impl Expectation {
    /// # Errors
    /// [`FlowError::Stale`] for another version, [`FlowError::Conflict`] for another Account.
    pub(super) fn check(&self, now: &ProviderAccount) -> Result<(), FlowError> {
        if self
            .version
            .is_some_and(|version| version != now.mapping_version)
        {
            return Err(FlowError::Stale(format!(
                "the mapping changed since you read it (it is at version {}); read the provider account again and decide anew",
                now.mapping_version
            )));
        }
        match self.account_id {
            Some(expected) if expected != now.mapping.account_id() => Err(FlowError::Conflict {
                detail: format!(
                    "the provider account is {}, not {}; look at the current mapping and decide anew",
                    in_words(&now.mapping),
                    expected.map_or_else(
                        || "without an account".to_owned(),
                        |id| format!("mapped to account {id}")
                    ),
                ),
                current: mapping_json(now),
            }),
            _ => Ok(()),
        }
    }
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingOutcome {
    /// The Provider Account as it is now.
    pub account: ProviderAccount,
    /// False when it was so already: then nothing was written and nobody was told.
    pub changed: bool,
}

impl MappingOutcome {
    pub(super) const fn unchanged(account: ProviderAccount) -> Self {
        Self {
            account,
            changed: false,
        }
    }

    pub(super) const fn changed(account: ProviderAccount) -> Self {
        Self {
            account,
            changed: true,
        }
    }
}

/// "mapped to Contoso (…)".
pub(super) fn in_words(mapping: &Mapping) -> String {
    match mapping {
        Mapping::Unmapped { .. } => "unmapped".to_owned(),
        Mapping::Mapped {
            account_id,
            account_name,
            ..
        } => format!("mapped to {account_name} ({account_id})"),
        Mapping::Excluded { .. } => "excluded from mapping".to_owned(),
    }
}

/// "account Contoso", or "nothing" for what is not mapped.
pub(super) fn account_in_words(mapping: &Mapping) -> String {
    match mapping {
        Mapping::Mapped { account_name, .. } => format!("account {account_name}"),
        Mapping::Unmapped { .. } | Mapping::Excluded { .. } => "nothing".to_owned(),
    }
}

/// A mapping for the audit trail and for the `current` of a conflict.
pub(super) fn mapping_json(account: &ProviderAccount) -> Value {
    let mapping = &account.mapping;
    let mut value = json!({
        "state": mapping.state(),
        "accountId": mapping.account_id(),
        "changedAt": mapping.changed_at(),
        "version": account.mapping_version,
    });
    let more = match mapping {
        Mapping::Mapped {
            account_name, by, ..
        } => json!({ "accountName": account_name, "mappedBy": by }),
        Mapping::Excluded { reason, .. } => json!({ "reason": reason }),
        Mapping::Unmapped { .. } => json!({}),
    };
    if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
        value.extend(more);
    }
    value
}

/// The reason as it will be kept: trimmed, and nothing when there is nothing in it.
///
/// # Errors
/// When it is too long or holds control characters.
pub(super) fn checked_reason(reason: Option<&str>) -> Result<Option<String>, FlowError> {
    let reason = reason.map(str::trim).filter(|text| !text.is_empty());
    match reason {
        Some(text)
            if text.chars().count() > LONGEST_REASON
                || text.contains(|c: char| c.is_control() && c != '\n') =>
        {
            Err(FlowError::Invalid(format!(
                "a reason has at most {LONGEST_REASON} characters and no control characters; shorten it"
            )))
        }
        other => Ok(other.map(str::to_owned)),
    }
}

const fn action(to: MappingState) -> &'static str {
    match to {
        MappingState::Mapped => "mapping.set",
        MappingState::Unmapped => "mapping.cleared",
        MappingState::Excluded => "mapping.excluded",
    }
}

impl Flows {
    /// The Provider Account for a change of its mapping, as far as it can be known outside the transaction.
    pub(super) async fn account_to_change(
        &self,
        caller: &Caller,
        id: ProviderAccountId,
    ) -> Result<ProviderAccount, FlowError> {
        caller.require(Permission::Map)?;
        self.get_provider_account(caller, id).await
    }

    /// Locks one Provider Account.
    pub(super) async fn lock_provider_account(
        &self,
        tx: &WriteTx,
        id: ProviderAccountId,
    ) -> Result<Locked, FlowError> {
        mappings::lock(tx, &[id])
            .await?
            .pop()
            .ok_or_else(|| FlowError::not_found("provider account", id))
    }

    /// Writes changes of mappings: state, history, audit and events, and closes the exceptions that they mend. Gives the
    /// accounts as they are then.
    pub(super) async fn write_mappings(
        &self,
        tx: &WriteTx,
        by: &Caller,
        unique: bool,
        changes: &[Change],
    ) -> Result<Vec<ProviderAccount>, FlowError> {
        let providers = providers::list(&**tx).await?;
        let written = mappings::write(tx, &self.context, by, unique, changes).await?;
        let mut entries = Vec::with_capacity(changes.len());
        let mut events = Vec::with_capacity(changes.len());
        for (change, account) in changes.iter().zip(&written) {
            let provider = provider_of(&providers, account)?;
            entries.push(Entry {
                action: action(account.mapping.state()),
                subject: provider_account_subject(account.id),
                before: Some(mapping_json(&change.of)),
                after: Some(mapping_json(account)),
                reason: change.reason.clone(),
            });
            events.push(NewEvent::mapping_changed(
                provider,
                account,
                &change.of.mapping,
                by,
                change.reason.as_deref(),
                change.evidence.as_ref(),
            ));
            if change.of.mapping.state() == MappingState::Mapped {
                let subject = provider_account_subject(account.id);
                for kind in [ExceptionKind::BrokenMapping, ExceptionKind::MappingDrift] {
                    exceptions::close(tx, &self.context, kind, &subject).await?;
                }
            }
        }
        audit::record_all(tx, &self.context, by, entries).await?;
        outbox::publish(tx, &self.context, events).await?;
        let cut_over = changes.iter().find_map(|change| change.cut_over);
        self.follow_mappings(tx, by, &written, cut_over).await?;
        let before: Vec<_> = changes.iter().map(|change| (*change.of).clone()).collect();
        self.judge_mappings(tx, &before).await?;
        Ok(written)
    }

    /// Writes the change of one mapping, and commits.
    pub(super) async fn commit_mapping(
        &self,
        tx: WriteTx,
        by: &Caller,
        unique: bool,
        change: Change,
    ) -> Result<MappingOutcome, FlowError> {
        let id = change.of.id;
        let written = self.write_mappings(&tx, by, unique, &[change]).await?;
        tx.commit().await?;
        written
            .into_iter()
            .next()
            .map(MappingOutcome::changed)
            .ok_or_else(|| FlowError::not_found("provider account", id))
    }

    /// What the mapping of a Provider Account rests on, when auto-match made it.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn mapping_evidence(
        &self,
        of: &ProviderAccount,
    ) -> Result<Option<MatchEvidence>, FlowError> {
        match &of.mapping {
            Mapping::Mapped {
                by: MappedBy::AutoMatch,
                account_id,
                ..
            } => Ok(mappings::evidence(self.store.reader(), of.id, *account_id).await?),
            _ => Ok(None),
        }
    }

    /// The changes of one mapping, the latest first.
    ///
    /// # Errors
    /// When the caller may not, or there is no such Provider Account.
    pub async fn list_mapping_history(
        &self,
        caller: &Caller,
        id: ProviderAccountId,
    ) -> Result<Vec<PastChange>, FlowError> {
        self.get_provider_account(caller, id).await?;
        Ok(mappings::history(self.store.reader(), id).await?)
    }
}

fn provider_of<'a>(
    providers: &'a [Provider],
    account: &ProviderAccount,
) -> Result<&'a Provider, FlowError> {
    providers
        .iter()
        .find(|provider| provider.id == account.provider_id)
        .ok_or_else(|| FlowError::not_found("provider", account.provider_id))
}
