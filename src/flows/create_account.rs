//! One step "create the Account and map" (B8). Accounts that it may be are shown first and stop it, unless the caller has
//! looked at them. The id of the new Account is ours and is kept before the CRM is asked: a repeat, or the Job that takes up
//! what a crash left, creates under the same id and so makes no second one.

use serde_json::{Value, json};
use uuid::Uuid;

use super::mapping::{MappingOutcome, checked_reason, mapping_json};
use super::matcher::{reasons_of, rounded};
use super::{FlowError, Flows};
use crate::domain::account::{AccountState, NewAccount};
use crate::domain::caller::Caller;
use crate::domain::event::provider_account_subject;
use crate::domain::ids::{AccountId, ProviderAccountId};
use crate::domain::job::{JobLease, JobWork};
use crate::domain::mapping::{MappedBy, Mapping, MappingState};
use crate::domain::provider_account::{DomainSource, ProviderAccount};
use crate::matching::domain_class;
use crate::matching::retrieve::Scratch;
use crate::store::account_creations::{self, Creation};
use crate::store::audit::Entry;
use crate::store::mappings::Change;
use crate::store::{audit, jobs, settings};

/// Names in the CRM are not longer.
const LONGEST_NAME: usize = 160;
/// Accounts of a similar name that are asked of the CRM.
const MOST_FOUND: usize = 5;

/// What to create.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateAccount {
    /// Name of the Account; that of the Provider Account when left out.
    pub name: Option<String>,
    /// The caller has seen the candidates, and it is none of them.
    pub confirmed: bool,
    /// User of the CRM who is to own it.
    pub owner_user_id: Option<Uuid>,
    /// Business unit of the CRM that it is to belong to.
    pub business_unit_id: Option<Uuid>,
    /// Why, in the caller's words.
    pub reason: Option<String>,
}

impl Flows {
    /// Creates the Account and maps the Provider Account to it.
    ///
    /// # Errors
    /// When the caller may not; when it is mapped or excluded; when there are candidates that the caller has not seen
    /// (`current` shows them); when the CRM refuses. Asking again goes on where it stopped.
    pub async fn create_account_and_map(
        &self,
        caller: &Caller,
        id: ProviderAccountId,
        request: &CreateAccount,
    ) -> Result<MappingOutcome, FlowError> {
        let account = self.account_to_change(caller, id).await?;
        let reason = checked_reason(request.reason.as_deref())?;
        let content = content(&account, request)?;
        let earlier = account_creations::find(self.store.reader(), id).await?;
        if let (Some(earlier), Some(mapped)) = (&earlier, account.mapping.account_id())
            && earlier.account_id == mapped
        {
            return Ok(MappingOutcome::unchanged(account));
        }
        must_be_unmapped(&account)?;
        let begun = earlier.filter(|earlier| earlier.done_at.is_none());
        if begun.is_none() && !request.confirmed {
            self.refuse_over_candidates(&account, &content.name).await?;
        }
        let tx = self.store.begin().await?;
        let of = self.lock_provider_account(&tx, id).await?;
        must_be_unmapped(&of)?;
        // Another request may have begun it between our look and our lock.
        let begun = account_creations::find(&*tx, id)
            .await?
            .filter(|creation| creation.done_at.is_none());
        let creation = Creation {
            provider_account_id: id,
            account_id: begun.map_or_else(
                || AccountId::new(self.context.new_uuid()),
                |begun| begun.account_id,
            ),
            content,
            requested_by: caller.actor.name.clone(),
            requested_at: self.context.now(),
            done_at: None,
        };
        account_creations::keep(&tx, &creation).await?;
        let work = JobWork::CreateAccount {
            provider_account_id: id,
        };
        jobs::enqueue(&tx, &self.context, caller, &work, None).await?;
        let entry = Entry {
            action: "account.creation-requested",
            subject: provider_account_subject(id),
            after: Some(json!({ "accountId": creation.account_id, "account": creation.content })),
            reason,
            ..Entry::default()
        };
        audit::record(&tx, &self.context, caller, entry).await?;
        tx.commit().await?;
        self.finish_creation(caller, &creation).await
    }

    /// Goes on with a creation that stopped in the middle. Nothing to do when it did not.
    ///
    /// # Errors
    /// When the CRM or the store refuses.
    pub async fn take_up_creation(
        &self,
        id: ProviderAccountId,
        lease: JobLease,
    ) -> Result<Value, FlowError> {
        let creation = account_creations::find(self.store.reader(), id).await?;
        let Some(creation) = creation.filter(|creation| creation.done_at.is_none()) else {
            return Ok(json!({ "note": "it was done already" }));
        };
        let by = Caller::service(lease.job_id);
        let outcome = self.finish_creation(&by, &creation).await?;
        Ok(json!({ "accountId": outcome.account.mapping.account_id() }))
    }

    async fn finish_creation(
        &self,
        by: &Caller,
        creation: &Creation,
    ) -> Result<MappingOutcome, FlowError> {
        let id = creation.provider_account_id;
        self.crm
            .create_account(creation.account_id, &creation.content)
            .await?;
        let account = self.live_account(creation.account_id).await?;
        let tx = self.store.begin().await?;
        let unique = settings::hold(&tx).await?.unique_mapping;
        let of = self.lock_provider_account(&tx, id).await?;
        account_creations::done(&tx, id, self.context.now()).await?;
        if of.mapping.account_id() == Some(account.id) {
            let same = MappingOutcome::unchanged((*of).clone());
            tx.commit().await?;
            return Ok(same);
        }
        if of.mapping.state() != MappingState::Unmapped {
            let current = mapping_json(&of);
            tx.commit().await?;
            return Err(FlowError::Conflict {
                detail: format!(
                    "account {} ({}) was created, and somebody else decided the mapping meanwhile; look at both",
                    account.name, account.id
                ),
                current,
            });
        }
        let to = Mapping::Mapped {
            account_id: account.id,
            account_name: account.name,
            by: MappedBy::Person,
            at: self.context.now(),
        };
        let reason = format!(
            "the account was created from the provider account by {}",
            creation.requested_by
        );
        let change = Change::by_hand(of, to, Some(reason));
        self.commit_mapping(tx, by, unique, change).await
    }

    /// Accounts that it may be: by the evidence of the engine, and by name in the CRM as it is now.
    async fn refuse_over_candidates(
        &self,
        account: &ProviderAccount,
        name: &str,
    ) -> Result<(), FlowError> {
        self.know_directory().await?;
        let decision = self.matcher.decide(account, &mut Scratch::default());
        let mut candidates: Vec<Value> = Vec::new();
        let mut seen: Vec<AccountId> = Vec::new();
        for candidate in &decision.candidates {
            let Ok(id) = candidate.account_key.parse::<AccountId>() else {
                continue;
            };
            let known = self.directory.account(id);
            let Some(known) = known.filter(|known| known.state == AccountState::Active) else {
                continue;
            };
            seen.push(id);
            candidates.push(json!({
                "accountId": id,
                "accountName": known.name,
                "confidence": rounded(candidate.confidence),
                "evidence": reasons_of(&candidate.reasons),
            }));
        }
        for found in self.crm.search_accounts(name, MOST_FOUND).await? {
            if found.state == AccountState::Active && !seen.contains(&found.id) {
                candidates.push(json!({
                    "accountId": found.id,
                    "accountName": found.name,
                    "evidence": [{ "text": "its name contains the name of the new account" }],
                }));
            }
        }
        if candidates.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = candidates
            .iter()
            .filter_map(|candidate| candidate["accountName"].as_str())
            .collect();
        Err(FlowError::Conflict {
            detail: format!(
                "the CRM may have this customer already: {}; map to the right one, or confirm that it is none of them",
                names.join(", ")
            ),
            current: json!({ "candidates": candidates }),
        })
    }
}

fn must_be_unmapped(account: &ProviderAccount) -> Result<(), FlowError> {
    match account.mapping.state() {
        MappingState::Unmapped => Ok(()),
        MappingState::Mapped | MappingState::Excluded => Err(FlowError::Conflict {
            detail: "only for an unmapped provider account an account can be created; look at its mapping".to_owned(),
            current: mapping_json(account),
        }),
    }
}

fn content(account: &ProviderAccount, request: &CreateAccount) -> Result<NewAccount, FlowError> {
    let name = request.name.as_deref().unwrap_or(&account.name).trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
        return Err(FlowError::Invalid(format!(
            "the name of an account has 1 to {LONGEST_NAME} characters and no control characters; give another"
        )));
    }
    let mut own = account
        .domains
        .iter()
        .filter(|domain| domain.source != DomainSource::ContactEmail)
        .filter(|domain| domain_class::counted(&domain.name).is_ok());
    Ok(NewAccount {
        name: name.to_owned(),
        website: own.next().map(|domain| format!("https://{}", domain.name)),
        country: account.country.clone(),
        city: account.city.clone(),
        postal_code: account.postal_code.clone(),
        owner_user_id: request.owner_user_id,
        business_unit_id: request.business_unit_id,
    })
}
