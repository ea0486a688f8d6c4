//! Stale syncs (D6, G3): a provider that was not completely synced for longer than the settings allow, and a contract with a
//! customer whose subscriptions could not be read for so long although its provider's others could.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;

use super::billing_contracts::contract_subject;
use super::{FlowError, Flows};
use crate::domain::exception::ExceptionKind;
use crate::domain::provider::Provider;
use crate::store::exceptions::{self, whole};
use crate::store::staleness::{self, LastTimes};
use crate::store::{WriteTx, providers, settings};

/// What a look at the syncs may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Open and close: time may have passed. One at a time.
    Both,
    /// Close what a sync has just mended.
    Close,
}

impl Flows {
    /// Opens and closes the exceptions of stale syncs.
    pub(super) async fn judge_staleness(&self, tx: &WriteTx, look: Look) -> Result<(), FlowError> {
        let kind = ExceptionKind::StaleSync;
        let open = exceptions::open_subjects(&**tx, kind).await?;
        if look == Look::Close && open.is_empty() {
            return Ok(());
        }
        let mut stale = self.stale(tx).await?;
        if look == Look::Close {
            let open: HashSet<String> = open.into_iter().collect();
            stale.retain(|subject, _| open.contains(subject));
        }
        Ok(whole::settle_kind(tx, &self.context, kind, stale).await?)
    }

    /// What is stale now, by subject, in words.
    async fn stale(&self, tx: &WriteTx) -> Result<HashMap<String, String>, FlowError> {
        let hours = settings::load(&**tx).await?.stale_sync_hours;
        let limit = self.context.now() - TimeDelta::hours(i64::from(hours));
        let accounts = staleness::accounts_synced(&**tx).await?;
        let subscriptions = staleness::subscriptions_synced(&**tx).await?;
        let mut found = HashMap::new();
        let mut passed_over = HashSet::new();
        for provider in providers::list(&**tx).await? {
            let late = |of: &LastTimes, what: &str| {
                let last = of.get(&provider.id).copied();
                let since = last.unwrap_or(provider.created_at);
                (since < limit).then(|| match last {
                    Some(at) => format!("its {what} were last read to the end on {}", minute(at)),
                    None => format!("its {what} were never read to the end"),
                })
            };
            let both = [
                late(&accounts, "customers"),
                late(&subscriptions, "subscriptions"),
            ];
            let both: Vec<String> = both.into_iter().flatten().collect();
            if !provider.enabled {
                passed_over.insert(provider.id);
            } else if !both.is_empty() {
                passed_over.insert(provider.id);
                found.insert(subject(&provider), in_words(&provider, &both));
            }
        }
        for contract in staleness::stale_contracts(&**tx, limit, &passed_over).await? {
            let detail = format!(
                "the subscriptions of a customer of billing contract {} could not be read to the end for more than {hours} hours; the report of the latest sync says why",
                contract.terms.name
            );
            found.insert(contract_subject(contract.id), detail);
        }
        Ok(found)
    }
}

fn subject(provider: &Provider) -> String {
    format!("provider/{}", provider.id)
}

fn in_words(provider: &Provider, late: &[String]) -> String {
    format!("provider {}: {}", provider.name, late.join(", and "))
}

fn minute(at: chrono::DateTime<chrono::Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}
