//! Keeps what was read of some customers, in one transaction: compared under lock with what is there then, so that two syncs
//! at once never write the same change twice.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::Batch;
use super::preview::PreviewItem;
use crate::domain::billing_contract::BillingContract;
use crate::domain::caller::Caller;
use crate::domain::ids::{AccountId, BillingContractId, ProviderAccountId};
use crate::domain::money::Currency;
use crate::domain::ports::provider::{ProviderError, SubscriptionListing};
use crate::domain::subscription::Subscription;
use crate::domain::subscription_run::SubscriptionRun;
use crate::domain::subscription_sync::{Compared, compare};
use crate::flows::{FlowError, Flows};
use crate::store::subscriptions::reads::{self, Reading};
use crate::store::subscriptions::sync::{self, Customer};
use crate::store::{WriteTx, billing_contracts};

/// What the provider answered for one customer.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) customer: ProviderAccountId,
    pub(super) asked_at: DateTime<Utc>,
    pub(super) answer: Result<SubscriptionListing, ProviderError>,
}

/// A subscription as people name it: the customer, and the provider's id.
pub(super) type Key = (ProviderAccountId, String);

/// What a person decided, and what became of it.
pub(super) struct Decision {
    /// The contract it was decided from.
    pub(super) contract: BillingContractId,
    /// Its currency, as it is now.
    pub(super) currency: Currency,
    /// Customers of the choice that nothing is taken over of, and why.
    pub(super) left_out: Vec<LeftOut>,
    /// What was chosen, as the preview showed it. What is dealt with is taken out.
    pub(super) chosen: BTreeMap<Key, PreviewItem>,
    /// Customers that were read.
    pub(super) read: BTreeSet<ProviderAccountId>,
    /// Taken over.
    pub(super) applied: usize,
    /// Not as the preview showed it: then, and now.
    pub(super) changed_since: Vec<(PreviewItem, Option<PreviewItem>)>,
}

/// A customer that was in the preview, and is not the contract's to sync any more.
pub(super) struct LeftOut {
    pub(super) customer: ProviderAccountId,
    pub(super) name: String,
    pub(super) why: String,
}

/// What becomes of one subscription.
enum Verdict {
    NotChosen,
    /// It is no longer as it was shown.
    Changed {
        id: String,
        name: String,
    },
    /// Taken over, into this contract or where it lands by itself.
    Take(Option<BillingContractId>),
}

impl Decision {
    /// What to do with this: it was chosen or not, and is as it was shown or not.
    fn verdict(&mut self, customer: &Customer, compared: &Compared) -> Verdict {
        let now = PreviewItem::of(customer, compared).into_contract_in(self.currency, compared);
        let key = (customer.id, now.external_id.clone());
        let Some(then) = self.chosen.remove(&key) else {
            return Verdict::NotChosen;
        };
        if then != now {
            let (id, name) = (now.external_id.clone(), now.name.clone());
            self.changed_since.push((then, Some(now)));
            return Verdict::Changed { id, name };
        }
        self.applied += 1;
        // What does not fit the contract lands by itself (D9).
        Verdict::Take(Some(self.contract).filter(|_| now.note.is_none()))
    }

    /// What was chosen of this customer, and is on neither side any more.
    fn vanished(&self, customer: &Customer) -> Vec<PreviewItem> {
        let of = self.chosen.iter().filter(|((id, _), _)| *id == customer.id);
        of.map(|(_, then)| then.clone()).collect()
    }
}

impl Flows {
    /// Keeps readings. A reading that is older than what is kept already is passed over.
    pub(super) async fn keep_reads(
        &self,
        tx: &WriteTx,
        by: &Caller,
        run: &mut SubscriptionRun,
        all: Vec<Read>,
        mut decision: Option<&mut Decision>,
    ) -> Result<(), FlowError> {
        let ids: Vec<_> = all.iter().map(|read| read.customer).collect();
        let customers = sync::lock(tx, &ids).await?;
        let known = reads::of(&**tx, &ids).await?;
        let mut ours = grouped(sync::of_customers(&**tx, &ids).await?);
        let contracts = contracts_of(tx, &customers).await?;
        let customers: HashMap<_, _> = customers.into_iter().map(|it| (it.id, it)).collect();
        let mut batch = Batch::new(self, by, run, &contracts);
        let mut readings = Vec::with_capacity(all.len());
        for read in all {
            let Some(customer) = customers.get(&read.customer) else {
                continue;
            };
            let before = known.get(&read.customer);
            if before.is_some_and(|before| before.asked_at > read.asked_at) {
                if decision.is_some() {
                    let message = "another sync read this customer meanwhile; nothing was taken over by this one, make a new preview";
                    batch.failed(customer, None, message, None);
                }
                continue;
            }
            let whole_before = before.and_then(|before| before.whole_at);
            let mine = ours.remove(&read.customer).unwrap_or_default();
            let reading = take_one(
                &mut batch,
                customer,
                read,
                mine,
                whole_before,
                decision.as_deref_mut(),
            );
            readings.push(reading);
        }
        for out in decision.iter().flat_map(|it| &it.left_out) {
            batch.left_out(out);
        }
        reads::keep(tx, readings).await?;
        batch.write(tx).await
    }
}

/// Gathers the changes of one customer; gives what is noted of the reading.
fn take_one(
    batch: &mut Batch<'_>,
    customer: &Customer,
    read: Read,
    ours: Vec<Subscription>,
    whole_before: Option<DateTime<Utc>>,
    mut decision: Option<&mut Decision>,
) -> Reading {
    let mut reading = Reading {
        provider_account_id: customer.id,
        asked_at: read.asked_at,
        whole_at: whole_before,
        error: None,
        correlation_id: None,
    };
    let listing = match read.answer {
        Ok(listing) => listing,
        Err(error) => {
            batch.run.counts.failed_customers += 1;
            let correlation = error.correlation_id.as_deref();
            batch.failed(customer, None, &error.message, correlation);
            reading.error = Some(error.message);
            reading.correlation_id = error.correlation_id;
            return reading;
        }
    };
    batch.run.counts.customers += 1;
    if let Some(decision) = decision.as_deref_mut() {
        decision.read.insert(customer.id);
    }
    let listed = listing.subscriptions.len() + listing.unreadable.len();
    batch.run.counts.listed += i64::try_from(listed).unwrap_or(i64::MAX);
    for item in &listing.unreadable {
        batch.run.counts.unreadable += 1;
        let id = item.external_id.as_ref().map(ToString::to_string);
        let message = format!("a subscription could not be read: {}", item.reason);
        batch.failed(customer, id, &message, None);
    }
    if listing.complete {
        reading.whole_at = Some(read.asked_at);
    } else {
        let message =
            "the provider announced more subscriptions than it sent; none is taken for gone";
        batch.failed(customer, None, message, None);
        reading.error = Some(message.to_owned());
    }
    for compared in compare(ours, listing) {
        match decision.as_deref_mut() {
            None => batch.take(customer, compared, None, whole_before.is_none()),
            Some(decision) => match decision.verdict(customer, &compared) {
                Verdict::NotChosen => {}
                Verdict::Changed { id, name } => {
                    let message = format!(
                        "{name} changed after the preview and was left as it is; make a new preview"
                    );
                    batch.failed(customer, Some(id), &message, None);
                }
                Verdict::Take(into) => batch.take(customer, compared, into, false),
            },
        }
    }
    for then in decision.map(|it| it.vanished(customer)).unwrap_or_default() {
        let message = format!(
            "the provider has {} no more, after the preview showed it; there is nothing to take over",
            then.name
        );
        batch.failed(customer, Some(then.external_id), &message, None);
    }
    reading
}

/// By customer.
pub(super) fn grouped(all: Vec<Subscription>) -> HashMap<ProviderAccountId, Vec<Subscription>> {
    let mut grouped: HashMap<_, Vec<_>> = HashMap::new();
    for subscription in all {
        let of = grouped.entry(subscription.provider_account_id);
        of.or_default().push(subscription);
    }
    grouped
}

/// The open contracts of these customers' Accounts, which nobody closes until this transaction ends.
pub(super) async fn contracts_of(
    tx: &WriteTx,
    customers: &[Customer],
) -> Result<Vec<BillingContract>, FlowError> {
    let mut accounts: Vec<AccountId> = customers.iter().filter_map(|it| it.account_id).collect();
    accounts.sort_unstable();
    accounts.dedup();
    Ok(billing_contracts::hold_open_of(tx, &accounts).await?)
}
