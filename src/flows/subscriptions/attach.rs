//! Hold and replay (D8, D9, B11, B15): when a mapping or a contract comes, changes or goes, the subscriptions it concerns
//! land anew, in the same transaction. Nobody has to run a sync for it.

use chrono::NaiveDate;

use super::Batch;
use super::keep::{contracts_of, grouped};
use crate::domain::caller::Caller;
use crate::domain::ids::{AccountId, BillingContractId, ProviderAccountId};
use crate::domain::provider_account::ProviderAccount;
use crate::domain::subscription::Subscription;
use crate::domain::subscription_run::RunSource;
use crate::domain::sync_run::RunOutcome;
use crate::flows::{FlowError, Flows};
use crate::store::WriteTx;
use crate::store::subscriptions::sync::{self, Customer};

/// What lets subscriptions land anew.
#[derive(Debug, Clone, Copy)]
struct Landing {
    /// A contract that came, changed or went.
    contract: Option<BillingContractId>,
    /// The day from which another Account pays.
    cut_over: Option<NaiveDate>,
}

impl Flows {
    /// Lets the subscriptions of customers land by their mapping of now. Their rows are locked already, by whoever changed
    /// the mapping. What became effective before the cut-over date stays where it was billed.
    pub(in crate::flows) async fn follow_mappings(
        &self,
        tx: &WriteTx,
        by: &Caller,
        changed: &[ProviderAccount],
        cut_over: Option<NaiveDate>,
    ) -> Result<(), FlowError> {
        let ids: Vec<_> = changed.iter().map(|account| account.id).collect();
        self.judge_mappings(tx, changed).await?;
        let subscriptions = sync::of_customers(&**tx, &ids).await?;
        let why = Landing {
            contract: None,
            cut_over,
        };
        self.land_again(tx, by, why, subscriptions).await
    }

    /// Locks the customers of an Account, as everything does that writes subscriptions: before any contract. Gives those
    /// that are still mapped to it.
    pub(in crate::flows) async fn lock_customers_of(
        &self,
        tx: &WriteTx,
        account: AccountId,
    ) -> Result<Vec<Customer>, FlowError> {
        let mapped = crate::store::mappings::mapped_to(&**tx, &[account]).await?;
        let ids: Vec<ProviderAccountId> = mapped.into_iter().map(|(id, _)| id).collect();
        let mut customers = sync::lock(tx, &ids).await?;
        customers.retain(|customer| customer.account_id == Some(account));
        Ok(customers)
    }

    /// Lets the homeless subscriptions of an Account, and those of this contract, land by the contracts of now.
    pub(in crate::flows) async fn follow_contract(
        &self,
        tx: &WriteTx,
        by: &Caller,
        account: AccountId,
        contract: BillingContractId,
    ) -> Result<(), FlowError> {
        let subscriptions = sync::to_land(&**tx, account, contract).await?;
        let ids: Vec<_> = subscriptions.iter().map(|it| it.id).collect();
        let why = Landing {
            contract: Some(contract),
            cut_over: None,
        };
        self.land_again(tx, by, why, subscriptions).await?;
        self.judge_subscriptions(tx, &ids).await?;
        self.judge_accounts(tx, &[account]).await
    }

    async fn land_again(
        &self,
        tx: &WriteTx,
        by: &Caller,
        why: Landing,
        subscriptions: Vec<Subscription>,
    ) -> Result<(), FlowError> {
        if subscriptions.is_empty() {
            return Ok(());
        }
        let mut ids: Vec<_> = subscriptions
            .iter()
            .map(|it| it.provider_account_id)
            .collect();
        ids.dedup();
        let customers = sync::lock(tx, &ids).await?;
        let contracts = contracts_of(tx, &customers).await?;
        let mut run = self.new_subscription_run(by, RunSource::Attachment);
        run.contract_id = why.contract;
        run.finished_at = Some(run.started_at);
        run.outcome = RunOutcome::Complete;
        let mut batch = Batch::new(self, by, &mut run, &contracts);
        batch.cut_over = why.cut_over;
        let mut moved = false;
        let mut subscriptions = grouped(subscriptions);
        for customer in &customers {
            for subscription in subscriptions.remove(&customer.id).unwrap_or_default() {
                let stays = subscription.contract_id.filter(|id| {
                    let same = |it: &&crate::domain::billing_contract::BillingContract| {
                        it.id == *id && Some(it.account_id) == customer.account_id
                    };
                    contracts.iter().any(|it| same(&it))
                });
                let landing = match stays {
                    Some(contract) => Ok(contract),
                    None => batch.landing(customer, &subscription.listed),
                };
                moved |= batch.reseat(customer, subscription, landing);
            }
        }
        if moved {
            batch.write(tx).await?;
        }
        Ok(())
    }
}
