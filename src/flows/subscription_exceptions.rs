//! The exceptions that a subscription, its Account and its contract give rise to (D6): judged in the transaction that changes
//! the fact, for exactly what it touched. [`Flows::judge_subscriptions`] states the whole truth about the subscriptions it is
//! given, so that judging all of them anew changes nothing.

use chrono::TimeDelta;

use super::stale_sync::Look;
use crate::domain::event::account_subject;
use crate::domain::exception::{ExceptionKind, NewException};
use crate::domain::ids::{AccountId, ProductSubscriptionId, ProviderAccountId};
use crate::domain::provider_account::ProviderAccount;
use crate::domain::subscription::HeldFor;
use crate::flows::{FlowError, Flows};
use crate::store::exception_facts::{self, SubscriptionFacts};
use crate::store::{WriteTx, exceptions, providers, subscriptions};

/// Judged in one statement.
const CHUNK: usize = 1000;
/// A change that should have been made is given so long (D6).
pub(super) const OVERDUE_AFTER: TimeDelta = TimeDelta::hours(1);

/// The kinds that one subscription can raise.
pub(super) const OF_SUBSCRIPTIONS: [ExceptionKind; 11] = [
    ExceptionKind::SubscriptionWithoutCustomer,
    ExceptionKind::SubscriptionWithoutContract,
    ExceptionKind::SubscriptionWithoutProduct,
    ExceptionKind::SubscriptionWithoutUnit,
    ExceptionKind::SubscriptionWithoutCurrency,
    ExceptionKind::SubscriptionWithoutPrice,
    ExceptionKind::SubscriptionCurrencyMismatch,
    ExceptionKind::SubscriptionLostMargin,
    ExceptionKind::SubscriptionQuantityMismatch,
    ExceptionKind::LicenseChangeFailed,
    ExceptionKind::LicenseChangeOverdue,
];

/// The subscription as people know it: many customers have the same product.
fn named(facts: &SubscriptionFacts) -> String {
    format!("{} of {}", facts.name, facts.customer)
}

/// Changes that are not done are not forgotten, even of a subscription that the provider lists no more.
fn of_changes(facts: &SubscriptionFacts) -> Vec<(ExceptionKind, String)> {
    let name = named(facts);
    let mut found = Vec::new();
    if facts.undone.failed > 0 {
        let detail = format!("a change of subscription {name} failed at the provider");
        found.push((ExceptionKind::LicenseChangeFailed, detail));
    }
    if facts.undone.overdue > 0 {
        let detail = format!("a change of subscription {name} should have been made by now");
        found.push((ExceptionKind::LicenseChangeOverdue, detail));
    }
    found
}

/// What stands against billing this subscription. One that the provider lists no more needs nothing to be billed.
fn of_subscription(facts: &SubscriptionFacts) -> Vec<(ExceptionKind, String)> {
    use ExceptionKind as Kind;
    let name = named(facts);
    let mut found = of_changes(facts);
    if facts.gone {
        return found;
    }
    match facts.held_for {
        Some(HeldFor::Mapping) => found.push((
            Kind::SubscriptionWithoutCustomer,
            format!("subscription {name} has no account: its provider account is mapped to none"),
        )),
        Some(HeldFor::Contract) => found.push((
            Kind::SubscriptionWithoutContract,
            format!("subscription {name} fits no default billing contract of its account"),
        )),
        Some(HeldFor::Choice) => found.push((
            Kind::SubscriptionWithoutContract,
            format!("subscription {name} fits several default billing contracts of its account"),
        )),
        None => {}
    }
    if facts.product_id.is_none() {
        let detail = format!("the provider names no product of subscription {name}");
        found.push((Kind::SubscriptionWithoutProduct, detail));
    }
    if facts.unit.is_none() {
        let detail = format!("the provider names no unit of subscription {name}");
        found.push((Kind::SubscriptionWithoutUnit, detail));
    }
    if facts.unit_cost.is_some() && facts.currency.is_none() {
        let detail = format!("the cost of subscription {name} has no currency");
        found.push((Kind::SubscriptionWithoutCurrency, detail));
    }
    if facts.logged.is_some_and(|logged| logged != facts.quantity) {
        let logged = facts.logged.unwrap_or_default();
        let detail = format!(
            "the change log of subscription {name} adds up to {logged}, and its quantity is {}",
            facts.quantity
        );
        found.push((Kind::SubscriptionQuantityMismatch, detail));
    }
    if let Some(contract) = &facts.contract {
        if facts.selling_price.is_none() && !contract.has_price_list {
            let detail =
                format!("subscription {name} has no selling price, and its contract no price list");
            found.push((Kind::SubscriptionWithoutPrice, detail));
        }
        let other = facts
            .currency
            .filter(|currency| *currency != contract.currency);
        if let Some(currency) = other {
            let detail = format!(
                "subscription {name} costs {currency}, and its contract is in {}",
                contract.currency
            );
            found.push((Kind::SubscriptionCurrencyMismatch, detail));
        }
        if let (Some(price), Some(cost), None) = (facts.selling_price, facts.unit_cost, other)
            && cost > price
        {
            let detail = format!("subscription {name} costs {cost} and is sold for {price}");
            found.push((Kind::SubscriptionLostMargin, detail));
        }
    }
    found
}

/// Reads back what an exception about a subscription is about.
pub(super) fn subscription_of_subject(subject: &str) -> Option<ProductSubscriptionId> {
    subject.strip_prefix("subscription/")?.parse().ok()
}

fn account_of_subject(subject: &str) -> Option<AccountId> {
    subject.strip_prefix("account/")?.parse().ok()
}

impl Flows {
    /// Opens and closes the exceptions of these subscriptions, and of their Accounts, by the facts of now.
    pub(super) async fn judge_subscriptions(
        &self,
        tx: &WriteTx,
        ids: &[ProductSubscriptionId],
    ) -> Result<(), FlowError> {
        let late = self.context.now() - OVERDUE_AFTER;
        let importing = providers::importing_subscriptions(&**tx).await?;
        for chunk in ids.chunks(CHUNK) {
            let facts = exception_facts::of_subscriptions(&**tx, chunk, late).await?;
            let subjects: Vec<_> = chunk
                .iter()
                .map(|id| format!("subscription/{id}"))
                .collect();
            let mut wanted = Vec::new();
            let mut accounts = Vec::new();
            for facts in &facts {
                accounts.extend(facts.account_id);
                let import_of = Some(facts.provider_id).filter(|id| importing.contains(id));
                let found = of_subscription(facts);
                wanted.extend(found.into_iter().map(|(kind, detail)| NewException {
                    kind,
                    subject: format!("subscription/{}", facts.id),
                    detail,
                    import_of,
                }));
            }
            exceptions::settle(tx, &self.context, &OF_SUBSCRIPTIONS, &subjects, wanted).await?;
            accounts.sort_unstable();
            accounts.dedup();
            self.judge_accounts(tx, &accounts).await?;
        }
        Ok(())
    }

    /// The Accounts of changed mappings: those of before are named by the subscriptions that leave them.
    pub(super) async fn judge_mappings(
        &self,
        tx: &WriteTx,
        before: &[ProviderAccount],
    ) -> Result<(), FlowError> {
        let mut accounts: Vec<_> = before
            .iter()
            .filter_map(|account| account.mapping.account_id())
            .collect();
        accounts.sort_unstable();
        accounts.dedup();
        self.judge_accounts(tx, &accounts).await
    }

    /// The Accounts of customers that went missing or came back.
    pub(super) async fn judge_customers(
        &self,
        tx: &WriteTx,
        customers: &[ProviderAccountId],
    ) -> Result<(), FlowError> {
        let accounts = exception_facts::accounts_of(&**tx, customers).await?;
        self.judge_accounts(tx, &accounts).await
    }

    /// Opens and closes the exceptions of these Accounts: one that is mapped or has subscriptions needs a contract.
    pub(super) async fn judge_accounts(
        &self,
        tx: &WriteTx,
        accounts: &[AccountId],
    ) -> Result<(), FlowError> {
        if accounts.is_empty() {
            return Ok(());
        }
        let importing = providers::importing_subscriptions(&**tx).await?;
        for chunk in accounts.chunks(CHUNK) {
            let without = exception_facts::accounts_without_contract(&**tx, chunk).await?;
            let subjects: Vec<_> = chunk.iter().map(|id| account_subject(*id)).collect();
            let wanted = without.into_iter().map(|it| {
                let what = if it.has_subscriptions {
                    "has subscriptions"
                } else {
                    "is mapped"
                };
                let all = it.providers.iter().all(|id| importing.contains(id));
                NewException {
                    kind: ExceptionKind::AccountWithoutContract,
                    subject: account_subject(it.account_id),
                    detail: match it.name {
                        Some(name) => {
                            format!("account {name} {what} and has no open billing contract")
                        }
                        None => format!("the account {what} and has no open billing contract"),
                    },
                    import_of: it.providers.first().copied().filter(|_| all),
                }
            });
            let kinds = [ExceptionKind::AccountWithoutContract];
            exceptions::settle(tx, &self.context, &kinds, &subjects, wanted.collect()).await?;
        }
        Ok(())
    }

    /// Judges everything anew, and changes nothing if every change judged what it touched, except for what time makes.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn judge_everything(&self) -> Result<(), FlowError> {
        let mut after = None;
        loop {
            let reader = self.store.reader();
            let ids = subscriptions::sync::ids_after(reader, after, CHUNK as u64).await?;
            let Some(last) = ids.last() else { break };
            after = Some(*last);
            let tx = self.store.begin().await?;
            self.judge_subscriptions(&tx, &ids).await?;
            tx.commit().await?;
        }
        let tx = self.store.begin().await?;
        let mut accounts = exception_facts::mapped_accounts(&*tx).await?;
        let kind = ExceptionKind::AccountWithoutContract;
        let open = exceptions::open_subjects(&*tx, kind).await?;
        accounts.extend(open.iter().filter_map(|it| account_of_subject(it)));
        accounts.sort_unstable();
        accounts.dedup();
        self.judge_accounts(&tx, &accounts).await?;
        self.judge_staleness(&tx, Look::Both).await?;
        Ok(tx.commit().await?)
    }
}
