//! Watching what is mapped (B9, B10, B12): each mapping is decided again as if it were not there. Evidence that is sure of
//! another Account, further CRM records of the mapped customer, and one customer mapped differently through two providers
//! are exceptions, each with its remedy. They close as soon as a look no longer finds them; nothing is changed by itself.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::basis::Basis;
use super::{NOT_READ_YET, PAGE, Purpose};
use crate::domain::account::AccountState;
use crate::domain::caller::{Caller, Permission};
use crate::domain::event::{account_subject, provider_account_subject};
use crate::domain::exception::ExceptionKind;
use crate::domain::ids::AccountId;
use crate::domain::job::{Job, JobLease, JobWork};
use crate::domain::mapping::{Mapping, MappingState};
use crate::domain::provider_account::ProviderAccount;
use crate::flows::matcher::{reasons_of, rounded};
use crate::flows::{FlowError, Flows};
use crate::matching::decide::{Decision, Verdict};
use crate::matching::domain_class;
use crate::matching::retrieve::Scratch;
use crate::store::exceptions::whole::settle_kind;
use crate::store::mappings::rejections;
use crate::store::mappings::tenants::{self, Seen};
use crate::store::provider_accounts::{self, Filter};
use crate::store::{jobs, settings};

/// What a look at the mappings found, by subject.
#[derive(Default)]
struct Found {
    looked_at: u64,
    drift: HashMap<String, String>,
    duplicates: HashMap<String, String>,
}

impl Flows {
    /// Asks for a look at everything that is mapped.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn request_mapping_check(&self, caller: &Caller) -> Result<Job, FlowError> {
        caller.require(Permission::Map)?;
        let tx = self.store.begin().await?;
        let work = JobWork::CheckMappings;
        let queued = jobs::enqueue(&tx, &self.context, caller, &work, None).await?;
        let job = jobs::find(&*tx, queued.job_id())
            .await?
            .ok_or_else(|| FlowError::not_found("job", queued.job_id()))?;
        tx.commit().await?;
        Ok(job)
    }

    /// Looks at everything that is mapped. The result is the counts as JSON.
    ///
    /// # Errors
    /// When the lease was lost or the store refuses; then nothing was opened or closed.
    pub async fn check_mappings(&self, lease: JobLease) -> Result<Value, FlowError> {
        let run = self.begin_matching(lease, Purpose::Match).await?;
        drop(run);
        if Basis::of(self).await?.is_none() {
            return Ok(json!({ "note": NOT_READ_YET }));
        }
        let mut found = Found::default();
        let filter = Filter {
            state: Some(MappingState::Mapped),
            ..Filter::default()
        };
        let mut after = None;
        loop {
            let reader = self.store.reader();
            let page = provider_accounts::list(reader, &filter, after.as_ref(), PAGE).await?;
            self.look_at(&page.accounts, &mut found).await?;
            match page.after {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        let split = self.split_customers().await?;
        let counts = json!({
            "lookedAt": found.looked_at,
            "drift": found.drift.len(),
            "duplicates": found.duplicates.len(),
            "split": split.len(),
        });
        let tx = self.store.begin().await?;
        jobs::guard(&tx, lease).await?;
        settings::hold(&tx).await?;
        for (kind, wanted) in [
            (ExceptionKind::MappingDrift, found.drift),
            (ExceptionKind::DuplicateAccounts, found.duplicates),
            (ExceptionKind::SplitCustomer, split),
        ] {
            settle_kind(&tx, &self.context, kind, wanted).await?;
        }
        tx.commit().await?;
        Ok(counts)
    }

    async fn look_at(
        &self,
        accounts: &[ProviderAccount],
        found: &mut Found,
    ) -> Result<(), FlowError> {
        let ids: Vec<_> = accounts.iter().map(|account| account.id).collect();
        let rejected = rejections::of(self.store.reader(), &ids).await?;
        let mut scratch = Scratch::default();
        for account in accounts {
            let Mapping::Mapped {
                account_id,
                account_name,
                ..
            } = &account.mapping
            else {
                continue;
            };
            found.looked_at += 1;
            let decision = self.matcher.decide(account, &mut scratch);
            let known = |id: &AccountId| rejected.contains_key(&(account.id, *id));
            let drift = self.drift(*account_id, account_name, &decision);
            if let Some((_, wanted)) = drift.filter(|(to, _)| !known(to)) {
                let subject = provider_account_subject(account.id);
                found.drift.insert(subject, wanted);
            }
            if let Some(wanted) = self.duplicates(*account_id, account_name, &decision) {
                found
                    .duplicates
                    .insert(account_subject(*account_id), wanted);
            }
        }
        Ok(())
    }

    /// Evidence that is sure of another customer than the mapped one.
    fn drift(
        &self,
        mapped: AccountId,
        name: &str,
        decision: &Decision,
    ) -> Option<(AccountId, String)> {
        if decision.verdict != Verdict::Auto || one_customer(decision).contains(&mapped) {
            return None;
        }
        let best = decision.candidates.first()?;
        let to: AccountId = best.account_key.parse().ok()?;
        let account = self.directory.account(to)?;
        let reasons = reasons_of(&best.reasons);
        let why: Vec<_> = reasons
            .iter()
            .filter(|reason| reason.weight.is_some_and(|weight| weight > 0.0))
            .take(3)
            .map(|reason| reason.text.as_str())
            .collect();
        let detail = format!(
            "it is mapped to {name} ({mapped}), and the evidence now points to {} ({to}), with a confidence of {}: {}",
            account.name,
            rounded(decision.confidence),
            why.join("; ")
        );
        Some((to, detail))
    }

    /// Other active records of the mapped customer in the CRM.
    fn duplicates(&self, mapped: AccountId, name: &str, decision: &Decision) -> Option<String> {
        let records = one_customer(decision);
        if !records.contains(&mapped) {
            return None;
        }
        let others: Vec<String> = records
            .into_iter()
            .filter(|id| *id != mapped)
            .filter_map(|id| self.directory.account(id))
            .filter(|other| other.state == AccountState::Active)
            .map(|other| format!("{} ({})", other.name, other.id))
            .collect();
        if others.is_empty() {
            return None;
        }
        Some(format!(
            "account {name} ({mapped}) is mapped, and the CRM seems to have the customer again as {}",
            others.join(", ")
        ))
    }

    /// One customer, seen through several providers, mapped to different Accounts, or mapped at one and not at another.
    async fn split_customers(&self) -> Result<HashMap<String, String>, FlowError> {
        let reader = self.store.reader();
        let mut groups: Vec<(String, Vec<Seen>)> = Vec::new();
        let by_tenant = tenants::shared_tenants(reader).await?;
        groups.extend(
            by_tenant
                .into_iter()
                .map(|(tenant, seen)| (format!("tenant/{tenant}"), seen)),
        );
        for (domain, seen) in tenants::shared_domains(reader).await? {
            let counted = crate::domain::domain_name::DomainName::parse(&domain)
                .is_ok_and(|name| domain_class::counted(&name).is_ok());
            let told = groups.iter().any(|(_, other)| {
                seen.iter().all(|one| {
                    let mut others = other.iter();
                    others.any(|it| it.provider_account_id == one.provider_account_id)
                })
            });
            if counted && !told {
                groups.push((format!("domain/{domain}"), seen));
            }
        }
        let split = groups.into_iter().filter(|(_, seen)| is_split(seen));
        Ok(split
            .map(|(subject, seen)| {
                let detail = in_words(&subject, &seen);
                (subject, detail)
            })
            .collect())
    }
}

/// All records of the best candidate's customer.
fn one_customer(decision: &Decision) -> Vec<AccountId> {
    let best = decision.candidates.first().map(|best| &best.account_key);
    best.into_iter()
        .chain(&decision.duplicates)
        .filter_map(|key| key.parse().ok())
        .collect()
}

fn is_split(seen: &[Seen]) -> bool {
    let mut providers: Vec<_> = seen.iter().map(|one| one.provider_id).collect();
    providers.sort_unstable();
    providers.dedup();
    let mut accounts: Vec<_> = seen.iter().map(|one| one.account_id).collect();
    accounts.sort_unstable();
    accounts.dedup();
    providers.len() > 1 && accounts.len() > 1
}

fn in_words(subject: &str, seen: &[Seen]) -> String {
    let each: Vec<String> = seen
        .iter()
        .map(|one| match (&one.account_name, one.account_id) {
            (Some(account), Some(id)) => {
                format!(
                    "{} at {} is mapped to {account} ({id})",
                    one.name, one.provider
                )
            }
            _ => format!("{} at {} is unmapped", one.name, one.provider),
        })
        .collect();
    let what = subject.replacen('/', " ", 1);
    format!(
        "{what} is one customer through several providers: {}",
        each.join("; ")
    )
}
