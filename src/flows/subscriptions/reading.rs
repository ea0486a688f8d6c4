//! Reading subscriptions, their change log and the reports of syncs; and what people change of a subscription: its selling
//! price, and the contract it sits in (D10, D12).

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

use super::Batch;
use super::batch::subscription_subject;
use crate::domain::caller::{Caller, Permission};
use crate::domain::ids::{BillingContractId, ProductSubscriptionId, SubscriptionRunId};
use crate::domain::subscription::Subscription;
use crate::domain::subscription_run::{ReportLine, RunSource, SubscriptionRun};
use crate::domain::sync_run::RunOutcome;
use crate::flows::{FlowError, Flows};
use crate::store::audit::Entry;
pub use crate::store::license_changes::KeptEntry;
pub use crate::store::subscription_runs::Filter as RunFilter;
use crate::store::subscription_runs::LinesOf;
use crate::store::subscriptions::sync::{self, Customer};
pub use crate::store::subscriptions::{After, Filter};
use crate::store::{WriteTx, audit, license_changes, subscription_runs, subscriptions};

/// Rows of a page at most.
pub const MOST_PER_PAGE: u64 = 500;
/// Entries of one subscription's change log that are shown at most.
const MOST_ENTRIES: u64 = 1000;

/// What to change; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct SubscriptionEdit {
    /// New selling price; inside, `None` takes it away.
    pub selling_price: Option<Option<Decimal>>,
    /// The contract it is put into.
    pub contract_id: Option<BillingContractId>,
    /// Only if it is still at this version (`If-Match`).
    pub expected_version: Option<i64>,
}

impl Flows {
    /// One page of subscriptions, by name, and where the next begins.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn list_subscriptions(
        &self,
        caller: &Caller,
        filter: &Filter,
        after: Option<&After>,
        top: u64,
    ) -> Result<(Vec<Subscription>, Option<After>), FlowError> {
        caller.require(Permission::Read)?;
        let top = top.clamp(1, MOST_PER_PAGE);
        Ok(subscriptions::list(self.store.reader(), filter, after, top).await?)
    }

    /// One subscription.
    ///
    /// # Errors
    /// When the caller may not, or there is no such subscription.
    pub async fn get_subscription(
        &self,
        caller: &Caller,
        id: ProductSubscriptionId,
    ) -> Result<Subscription, FlowError> {
        caller.require(Permission::Read)?;
        subscriptions::find(self.store.reader(), id)
            .await?
            .ok_or_else(|| FlowError::not_found("subscription", id))
    }

    /// The change log of one subscription, the oldest entry first.
    ///
    /// # Errors
    /// When the caller may not, or there is no such subscription.
    pub async fn list_license_changes(
        &self,
        caller: &Caller,
        id: ProductSubscriptionId,
    ) -> Result<Vec<KeptEntry>, FlowError> {
        self.get_subscription(caller, id).await?;
        Ok(license_changes::of_subscription(self.store.reader(), id, MOST_ENTRIES).await?)
    }

    /// The latest runs, newest first.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn list_subscription_runs(
        &self,
        caller: &Caller,
        filter: RunFilter,
        after: Option<(DateTime<Utc>, Uuid)>,
        top: u64,
    ) -> Result<Vec<SubscriptionRun>, FlowError> {
        caller.require(Permission::Read)?;
        Ok(subscription_runs::list(self.store.reader(), filter, after, top).await?)
    }

    /// One run.
    ///
    /// # Errors
    /// When the caller may not, or there is no such run.
    pub async fn get_subscription_run(
        &self,
        caller: &Caller,
        id: SubscriptionRunId,
    ) -> Result<SubscriptionRun, FlowError> {
        caller.require(Permission::Read)?;
        subscription_runs::find(self.store.reader(), id)
            .await?
            .ok_or_else(|| FlowError::not_found("sync report", id))
    }

    /// Lines of a report, after the given one.
    ///
    /// # Errors
    /// When the caller may not, or there is no such run.
    pub async fn list_report_lines(
        &self,
        caller: &Caller,
        id: SubscriptionRunId,
        after: Option<Uuid>,
        top: u64,
    ) -> Result<Vec<ReportLine>, FlowError> {
        self.get_subscription_run(caller, id).await?;
        let of = LinesOf::Run(id);
        Ok(subscription_runs::lines(self.store.reader(), of, after, top).await?)
    }

    /// Changes what a sync never touches: the selling price (D12), and the contract a subscription sits in (D10).
    ///
    /// # Errors
    /// When the caller may not, there is no such subscription, its copy is stale, or the contract does not fit.
    pub async fn change_subscription(
        &self,
        caller: &Caller,
        id: ProductSubscriptionId,
        edit: SubscriptionEdit,
    ) -> Result<Subscription, FlowError> {
        caller.require(Permission::Bill)?;
        let known = self.get_subscription(caller, id).await?;
        let price = edit.selling_price.flatten();
        if price.is_some_and(|price| price.is_sign_negative()) {
            return Err(FlowError::Invalid(
                "`sellingPrice` must not be negative".to_owned(),
            ));
        }
        let tx = self.store.begin().await?;
        let customer = sync::lock(&tx, &[known.provider_account_id])
            .await?
            .pop()
            .ok_or_else(|| FlowError::not_found("provider account", known.provider_account_id))?;
        let mut now = subscriptions::find(&*tx, id)
            .await?
            .ok_or_else(|| FlowError::not_found("subscription", id))?;
        if edit
            .expected_version
            .is_some_and(|expected| expected != now.version)
        {
            return Err(FlowError::Stale(format!(
                "the subscription changed since you read it (it is at version {}); read it again and repeat the change",
                now.version
            )));
        }
        let mut changed = self
            .set_price(&tx, caller, &mut now, edit.selling_price)
            .await?;
        if let Some(contract) = edit.contract_id {
            changed |= self.put_into(&tx, caller, &customer, now, contract).await?;
        }
        if !changed {
            return Ok(known);
        }
        self.judge_subscriptions(&tx, &[id]).await?;
        let now = subscriptions::find(&*tx, id).await?;
        tx.commit().await?;
        now.ok_or_else(|| FlowError::not_found("subscription", id))
    }

    async fn set_price(
        &self,
        tx: &WriteTx,
        caller: &Caller,
        now: &mut Subscription,
        price: Option<Option<Decimal>>,
    ) -> Result<bool, FlowError> {
        let Some(price) = price.filter(|price| *price != now.selling_price) else {
            return Ok(false);
        };
        let text =
            |price: Option<Decimal>| json!({ "sellingPrice": price.map(|it| it.to_string()) });
        let entry = Entry {
            action: "subscription.priced",
            subject: subscription_subject(now.id),
            before: Some(text(now.selling_price)),
            after: Some(text(price)),
            reason: None,
        };
        audit::record(tx, &self.context, caller, entry).await?;
        now.selling_price = price;
        now.version += 1;
        now.updated_at = self.context.now();
        sync::write(tx, vec![now.clone()]).await?;
        Ok(true)
    }

    async fn put_into(
        &self,
        tx: &WriteTx,
        caller: &Caller,
        customer: &Customer,
        now: Subscription,
        contract: BillingContractId,
    ) -> Result<bool, FlowError> {
        let contracts = super::keep::contracts_of(tx, std::slice::from_ref(customer)).await?;
        let fits = contracts.iter().find(|it| it.id == contract).ok_or_else(|| {
            FlowError::Invalid(format!(
                "billing contract {contract} is not an open contract of the subscription's account; choose one of that account"
            ))
        })?;
        if let Some(currency) = now.listed.currency.filter(|it| *it != fits.terms.currency) {
            return Err(FlowError::Invalid(format!(
                "billing contract `{}` is in {}, and the subscription costs {currency}; choose a contract in that currency",
                fits.terms.name, fits.terms.currency
            )));
        }
        let mut run = self.new_subscription_run(caller, RunSource::Attachment);
        run.contract_id = Some(contract);
        run.finished_at = Some(run.started_at);
        run.outcome = RunOutcome::Complete;
        let mut batch = Batch::new(self, caller, &mut run, &contracts);
        let moved = batch.reseat(customer, now, Ok(contract));
        if moved {
            batch.write(tx).await?;
        }
        Ok(moved)
    }
}
