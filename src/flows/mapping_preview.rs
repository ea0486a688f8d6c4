//! The blast radius of a mapping (B4, B15): what a remap would move, before anybody makes it. It is made for a look and taken
//! back, so that the preview cannot say anything else than what will happen.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};

use super::map_provider_account::MapRequest;
use super::subscription_exceptions::OF_SUBSCRIPTIONS;
use super::{FlowError, Flows};
use crate::domain::caller::{Caller, Permission};
use crate::domain::event::account_subject;
use crate::domain::exception::ExceptionKind;
use crate::domain::ids::{AccountId, BillingContractId, ChangeLogId, ProviderAccountId};
use crate::domain::provider_account::ProviderAccount;
use crate::domain::subscription::Subscription;
use crate::store::subscriptions::sync;
use crate::store::{WriteTx, exceptions, license_changes};

/// A subscription that moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovingSubscription {
    /// As it will be.
    pub subscription: Subscription,
    /// Where it sits now.
    pub from: Option<BillingContractId>,
}

/// What a mapping would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingPreview {
    /// The Provider Account as it would be.
    pub account: ProviderAccount,
    /// The Account it is mapped to now.
    pub from: Option<AccountId>,
    /// Version of the mapping now.
    pub version: i64,
    /// Its subscriptions that move.
    pub subscriptions: Vec<MovingSubscription>,
    /// Changes in the log, not invoiced, that move along.
    pub moving: usize,
    /// Changes in the log, not invoiced, that stay where they are billed.
    pub staying: usize,
    /// Changes in the log that are written off, because they became effective before the go-live of the new contract.
    pub written_off: usize,
    /// Exceptions that come up, by kind.
    pub raised: BTreeMap<ExceptionKind, usize>,
    /// Exceptions that are mended, by kind.
    pub closed: BTreeMap<ExceptionKind, usize>,
}

/// What it looks like at one moment.
struct Snapshot {
    subscriptions: Vec<Subscription>,
    log: HashMap<ChangeLogId, Option<BillingContractId>>,
    open: HashSet<(ExceptionKind, String)>,
}

/// The day from which another Account pays lies not ahead: the mapping changes now.
pub(super) fn checked_cut_over(
    date: Option<NaiveDate>,
    now: DateTime<Utc>,
) -> Result<Option<NaiveDate>, FlowError> {
    match date {
        Some(date) if date > now.date_naive() => Err(FlowError::Invalid(
            "`cutOverDate` must not lie ahead, because the mapping changes at once; map the provider account on that day".to_owned(),
        )),
        other => Ok(other),
    }
}

impl Flows {
    /// Says what a mapping would move. Nothing is changed.
    ///
    /// # Errors
    /// As [`Flows::map_provider_account`].
    pub async fn preview_mapping(
        &self,
        caller: &Caller,
        id: ProviderAccountId,
        request: &MapRequest,
        cut_over: Option<NaiveDate>,
    ) -> Result<MappingPreview, FlowError> {
        caller.require(Permission::Map)?;
        let before = self.account_to_change(caller, id).await?;
        let cut_over = checked_cut_over(cut_over, self.context.now())?;
        let account = self.live_account(request.account_id).await?;
        let accounts: Vec<_> = before
            .mapping
            .account_id()
            .into_iter()
            .chain([account.id])
            .collect();
        let tx = self.store.begin().await?;
        let was = snapshot(&tx, id, &accounts).await?;
        let outcome = self
            .map_in(&tx, caller, id, &account, request, cut_over)
            .await?;
        let will = snapshot(&tx, id, &accounts).await?;
        // Nothing of it stays.
        drop(tx);
        Ok(compared(outcome.account, &before, &was, will))
    }
}

async fn snapshot(
    tx: &WriteTx,
    id: ProviderAccountId,
    accounts: &[AccountId],
) -> Result<Snapshot, FlowError> {
    let subscriptions = sync::of_customers(&**tx, &[id]).await?;
    let ids: Vec<_> = subscriptions.iter().map(|it| it.id).collect();
    let subjects = ids.iter().map(|id| format!("subscription/{id}"));
    let subjects: Vec<_> = subjects
        .chain(accounts.iter().map(|id| account_subject(*id)))
        .collect();
    let mut kinds = OF_SUBSCRIPTIONS.to_vec();
    kinds.push(ExceptionKind::AccountWithoutContract);
    let open = exceptions::open_of(&**tx, &kinds, &subjects).await?;
    Ok(Snapshot {
        log: license_changes::seats(&**tx, &ids).await?,
        open: open.into_iter().collect(),
        subscriptions,
    })
}

fn compared(
    account: ProviderAccount,
    before: &ProviderAccount,
    was: &Snapshot,
    will: Snapshot,
) -> MappingPreview {
    let seats: HashMap<_, _> = was
        .subscriptions
        .iter()
        .map(|it| (it.id, (it.account_id, it.contract_id, it.held_for)))
        .collect();
    let (mut moving, mut staying, mut written_off) = (0, 0, 0);
    for (id, seat) in &was.log {
        match will.log.get(id) {
            None => written_off += 1,
            Some(now) if now == seat => staying += 1,
            Some(_) => moving += 1,
        }
    }
    let counted = |of: &HashSet<(ExceptionKind, String)>, without: &HashSet<_>| {
        let mut counts = BTreeMap::new();
        for (kind, _) in of.difference(without) {
            *counts.entry(*kind).or_default() += 1;
        }
        counts
    };
    let raised = counted(&will.open, &was.open);
    let closed = counted(&was.open, &will.open);
    let moved = will.subscriptions.into_iter().filter_map(|it| {
        let before = seats.get(&it.id)?;
        let now = (it.account_id, it.contract_id, it.held_for);
        (now != *before).then_some(MovingSubscription {
            from: before.1,
            subscription: it,
        })
    });
    MappingPreview {
        account,
        from: before.mapping.account_id(),
        version: before.mapping_version,
        subscriptions: moved.collect(),
        moving,
        staying,
        written_off,
        raised,
        closed,
    }
}
