//! What happens to mappings when their Accounts change in the CRM (B10): a merge carries them to the survivor, a
//! deactivated or deleted Account opens an exception, and its return closes it.
//!
//! What surprises: a crash may come between the commit of a change and the look at its mappings, so after each sync of
//! the directory [`Flows::follow_all_account_changes`] asks the store which mappings are amiss instead of trusting a list.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use super::{FlowError, Flows};
use crate::domain::account::AccountState;
use crate::domain::caller::Caller;
use crate::domain::event::{provider_account_of_subject, provider_account_subject};
use crate::domain::exception::ExceptionKind;
use crate::domain::ids::{AccountId, ProviderAccountId};
use crate::domain::job::JobLease;
use crate::domain::mapping::Mapping;
use crate::store::mappings::{self, Change, Locked, unique};
use crate::store::{WriteTx, exceptions, jobs, provider_accounts, settings};

/// Provider Accounts looked at in one transaction.
const CHUNK: usize = 200;

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Followed {
    /// Mappings carried to the Account that survived a merge.
    pub carried: usize,
    /// Mappings that are broken now: their exceptions are open.
    pub broken: usize,
    /// Exceptions that were closed, because the Account is active again.
    pub mended: usize,
}

/// Where a mapping to an Account leads now.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    Active,
    /// Merged; this one survived.
    MovedTo {
        id: AccountId,
        name: String,
    },
    /// Not to be mapped to any more: why, and what to do.
    Broken {
        why: String,
    },
}

const REMEDY: &str = "map the provider account to an active account, or unmap it";

impl Flows {
    /// Looks at the mappings to these Accounts after they changed in the CRM. A running Job gives its lease.
    ///
    /// # Errors
    /// When the CRM has to be asked and cannot be, the lease was lost, or the store refuses.
    pub async fn follow_account_changes(
        &self,
        by: &Caller,
        lease: Option<JobLease>,
        changed: &[AccountId],
    ) -> Result<Followed, FlowError> {
        let affected = mappings::mapped_to(self.store.reader(), changed).await?;
        let mut standings = BTreeMap::new();
        for (_, account) in &affected {
            if !standings.contains_key(account) {
                standings.insert(*account, self.standing(*account).await?);
            }
        }
        let mut followed = Followed::default();
        let ids: Vec<_> = affected.into_iter().map(|(id, _)| id).collect();
        for chunk in ids.chunks(CHUNK) {
            self.follow_chunk(by, lease, chunk, &standings, &mut followed)
                .await?;
        }
        Ok(followed)
    }

    /// Looks at every mapping whose Account is not active in the mirror of the CRM, and at those with an open exception.
    /// Nothing while the directory is empty: then it says nothing about anybody.
    ///
    /// # Errors
    /// As [`Self::follow_account_changes`].
    pub async fn follow_all_account_changes(
        &self,
        by: &Caller,
        lease: Option<JobLease>,
    ) -> Result<Followed, FlowError> {
        self.know_directory().await?;
        if self.directory.is_empty() {
            return Ok(Followed::default());
        }
        let reader = self.store.reader();
        let mut accounts = mappings::accounts_gone(reader).await?;
        let subjects = exceptions::open_subjects(reader, ExceptionKind::BrokenMapping).await?;
        let ids: Vec<_> = subjects
            .iter()
            .filter_map(|subject| provider_account_of_subject(subject))
            .collect();
        for chunk in ids.chunks(CHUNK) {
            let found = provider_accounts::find_many(reader, chunk).await?;
            accounts.extend(
                found
                    .iter()
                    .filter_map(|account| account.mapping.account_id()),
            );
        }
        accounts.sort_unstable();
        accounts.dedup();
        self.follow_account_changes(by, lease, &accounts).await
    }

    /// Where an Account stands: by the directory, and live where the directory does not know it, because "not there" may
    /// only mean "not read yet".
    async fn standing(&self, id: AccountId) -> Result<Standing, FlowError> {
        let mut seen = HashSet::new();
        let mut next = id;
        while seen.insert(next) {
            let known = self
                .directory
                .account(next)
                .map(|known| (known.name, known.state));
            let known = match known {
                Some(known) => Some(known),
                None => self
                    .crm
                    .read_account(next, None)
                    .await?
                    .map(|live| (live.name, live.state)),
            };
            match known {
                None => {
                    return Ok(Standing::Broken {
                        why: format!("account {next} was deleted in the CRM"),
                    });
                }
                Some((_, AccountState::Active)) if next == id => return Ok(Standing::Active),
                Some((name, AccountState::Active)) => {
                    return Ok(Standing::MovedTo { id: next, name });
                }
                Some((name, AccountState::Inactive)) => {
                    return Ok(Standing::Broken {
                        why: format!("account {name} ({next}) was deactivated in the CRM"),
                    });
                }
                Some((_, AccountState::Merged(into))) => next = into,
            }
        }
        Ok(Standing::Broken {
            why: format!(
                "account {id} was merged into others in a circle, without an end to be found"
            ),
        })
    }

    async fn follow_chunk(
        &self,
        by: &Caller,
        lease: Option<JobLease>,
        ids: &[ProviderAccountId],
        standings: &BTreeMap<AccountId, Standing>,
        followed: &mut Followed,
    ) -> Result<(), FlowError> {
        let tx = self.store.begin().await?;
        if let Some(lease) = lease {
            jobs::guard(&tx, lease).await?;
        }
        let unique = settings::hold(&tx).await?.unique_mapping;
        let mut carried = Vec::new();
        let mut now = Followed::default();
        for of in mappings::lock(&tx, ids).await? {
            // Remapped since we looked: then its new Account is somebody else's concern.
            let standing = of
                .mapping
                .account_id()
                .and_then(|account| standings.get(&account));
            match standing {
                None => {}
                Some(Standing::Active) => now.mended += usize::from(self.mend(&tx, &of).await?),
                Some(Standing::Broken { why }) => {
                    now.broken += 1;
                    self.open_broken(&tx, &of, why).await?;
                }
                Some(Standing::MovedTo { id, name }) => carried.push((of, *id, name.clone())),
            }
        }
        let carried = if unique {
            self.leave_out_taken(&tx, carried, &mut now).await?
        } else {
            carried
        };
        let changes: Vec<_> = carried
            .into_iter()
            .map(|(of, id, name)| self.carry(of, id, name))
            .collect();
        now.carried = changes.len();
        self.write_mappings(&tx, by, unique, &changes).await?;
        tx.commit().await?;
        followed.carried += now.carried;
        followed.broken += now.broken;
        followed.mended += now.mended;
        Ok(())
    }

    fn carry(&self, of: Locked, id: AccountId, name: String) -> Change {
        let reason = format!(
            "{} was merged into {name} in the CRM",
            super::mapping::account_in_words(&of.mapping)
        );
        let to = match of.mapping.clone() {
            // Whoever made it made it: a merge does not turn a person's mapping into an automatic one (B7).
            Mapping::Mapped { by, .. } => Mapping::Mapped {
                account_id: id,
                account_name: name,
                by,
                at: self.context.now(),
            },
            other => other,
        };
        Change::by_hand(of, to, Some(reason))
    }

    /// One-to-one: a survivor that is taken already, or wanted by two at once, gets none; each of them is an exception and
    /// stays as it is.
    async fn leave_out_taken(
        &self,
        tx: &WriteTx,
        carried: Vec<(Locked, AccountId, String)>,
        now: &mut Followed,
    ) -> Result<Vec<(Locked, AccountId, String)>, FlowError> {
        let survivors: Vec<_> = carried.iter().map(|(_, id, _)| *id).collect();
        let mut taken: HashSet<AccountId> = unique::holders(&**tx, &survivors)
            .await?
            .into_iter()
            .map(|holder| holder.account_id)
            .collect();
        let mut wanted = HashSet::new();
        taken.extend(survivors.iter().filter(|id| !wanted.insert(**id)));
        let mut free = Vec::with_capacity(carried.len());
        for (of, id, name) in carried {
            if taken.contains(&id) {
                now.broken += 1;
                let why = format!(
                    "{} was merged into {name} ({id}), which has another provider account, and one-to-one mapping is insisted on",
                    super::mapping::account_in_words(&of.mapping)
                );
                self.open_broken(tx, &of, &why).await?;
            } else {
                free.push((of, id, name));
            }
        }
        Ok(free)
    }

    async fn open_broken(&self, tx: &WriteTx, of: &Locked, why: &str) -> Result<(), FlowError> {
        let subject = provider_account_subject(of.id);
        let detail = format!("the mapping of {} is broken: {why}", of.name);
        let kind = ExceptionKind::BrokenMapping;
        exceptions::open(tx, &self.context, kind, &subject, &detail, REMEDY).await?;
        Ok(())
    }

    async fn mend(&self, tx: &WriteTx, of: &Locked) -> Result<bool, FlowError> {
        let subject = provider_account_subject(of.id);
        Ok(exceptions::close(tx, &self.context, ExceptionKind::BrokenMapping, &subject).await?)
    }
}
