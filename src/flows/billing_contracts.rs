//! Billing Contracts (D1): create, read, list, change, close. The Account is read live, as for a mapping (decision 6); what
//! two callers could do at once is kept apart by indexes and the version.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::providers::checked;
use super::{FlowError, Flows};
use crate::domain::billing_contract::{
    Automation, BillingContract, BillingPolicy, Closed, ContractTerms, Frequency, first_invoice,
};
use crate::domain::caller::{Caller, Permission};
use crate::domain::ids::{AccountId, BillingContractId};
use crate::domain::money::Currency;
use crate::store::audit::Entry;
pub use crate::store::billing_contracts::{After, Filter};
use crate::store::{WriteTx, audit, billing_contracts, subscriptions};

/// Rows of a page at most.
pub const MOST_PER_PAGE: u64 = 500;

/// Products that a contract names at most.
const MOST_PRODUCTS: usize = 200;

/// What it takes to make a contract.
#[derive(Debug, Clone)]
pub struct NewContract {
    /// The customer.
    pub account_id: AccountId,
    /// What people call it.
    pub name: String,
    /// How often it is invoiced.
    pub frequency: Frequency,
    /// Before or after the period.
    pub policy: BillingPolicy,
    /// The currency of everything in it.
    pub currency: Currency,
    /// Its first day.
    pub start_date: NaiveDate,
    /// The rest, where given.
    pub more: ContractChange,
}

/// What to change; `None` leaves it. Inside, `None` takes it away.
#[derive(Debug, Clone, Default)]
pub struct ContractChange {
    /// New name.
    pub name: Option<String>,
    /// New frequency.
    pub frequency: Option<Frequency>,
    /// New policy.
    pub policy: Option<BillingPolicy>,
    /// New terms of payment.
    pub terms: Option<Option<String>>,
    /// New currency.
    pub currency: Option<Currency>,
    /// New tax code.
    pub tax: Option<Option<String>>,
    /// New payment profile.
    pub payment_profile: Option<Option<String>>,
    /// New first day.
    pub start_date: Option<NaiveDate>,
    /// New last day.
    pub end_date: Option<Option<NaiveDate>>,
    /// New go-live date.
    pub go_live_date: Option<NaiveDate>,
    /// New date of the next invoice.
    pub next_invoice_date: Option<NaiveDate>,
    /// New price list.
    pub default_price_list: Option<Option<String>>,
    /// Whether new subscriptions land here.
    pub is_default: Option<bool>,
    /// The products that may land here by themselves; none for all.
    pub products: Option<Vec<String>>,
    /// What happens by itself.
    pub automation: Option<Automation>,
    /// Only if it is still at this version (`If-Match`).
    pub expected_version: Option<i64>,
}

fn checked_text(label: &str, text: Option<String>) -> Result<Option<String>, FlowError> {
    text.map(|text| checked(label, &text)).transpose()
}

/// Products as they are kept: trimmed, each once.
fn checked_products(products: Vec<String>) -> Result<Vec<String>, FlowError> {
    if products.len() > MOST_PRODUCTS {
        return Err(FlowError::Invalid(format!(
            "`products` takes {MOST_PRODUCTS} entries at most; name families of products instead of single ones"
        )));
    }
    let mut kept: Vec<String> = Vec::with_capacity(products.len());
    for product in products {
        let product = checked("products", &product)?;
        if !kept.iter().any(|it| it.eq_ignore_ascii_case(&product)) {
            kept.push(product);
        }
    }
    Ok(kept)
}

impl ContractChange {
    /// Applies it; dates among themselves are not checked yet.
    fn apply(self, terms: &mut ContractTerms) -> Result<(), FlowError> {
        if let Some(name) = self.name {
            terms.name = checked("name", &name)?;
        }
        if let Some(text) = self.terms {
            terms.terms = checked_text("terms", text)?;
        }
        if let Some(text) = self.tax {
            terms.tax = checked_text("tax", text)?;
        }
        if let Some(text) = self.payment_profile {
            terms.payment_profile = checked_text("paymentProfile", text)?;
        }
        if let Some(text) = self.default_price_list {
            terms.default_price_list = checked_text("defaultPriceList", text)?;
        }
        terms.frequency = self.frequency.unwrap_or(terms.frequency);
        terms.policy = self.policy.unwrap_or(terms.policy);
        terms.currency = self.currency.unwrap_or(terms.currency);
        terms.start_date = self.start_date.unwrap_or(terms.start_date);
        terms.end_date = self.end_date.unwrap_or(terms.end_date);
        terms.go_live_date = self.go_live_date.unwrap_or(terms.go_live_date);
        terms.next_invoice_date = self.next_invoice_date.unwrap_or(terms.next_invoice_date);
        terms.is_default = self.is_default.unwrap_or(terms.is_default);
        if let Some(products) = self.products {
            terms.products = checked_products(products)?;
        }
        terms.automation = self.automation.unwrap_or(terms.automation);
        Ok(())
    }
}

/// A contract for the audit trail and for the `current` of a conflict.
fn summary(contract: &BillingContract) -> Value {
    json!({
        "billingContractId": contract.id,
        "accountId": contract.account_id,
        "accountName": contract.account_name,
        "terms": contract.terms,
        "closedAt": contract.closed.as_ref().map(|closed| closed.at),
        "version": contract.version,
    })
}

/// The subject of audit entries about one contract.
#[must_use]
pub fn contract_subject(id: BillingContractId) -> String {
    format!("billing-contract/{id}")
}

fn checked_terms(terms: &ContractTerms) -> Result<(), FlowError> {
    terms
        .check()
        .map_err(|error| FlowError::Invalid(error.to_string()))
}

impl Flows {
    /// Makes a contract for an active Account. The first of an Account in its currency is its default unless the caller
    /// says otherwise.
    ///
    /// # Errors
    /// When the caller may not, the Account is not active, a value breaks a rule, or another contract stands against it.
    pub async fn create_billing_contract(
        &self,
        caller: &Caller,
        new: NewContract,
    ) -> Result<BillingContract, FlowError> {
        caller.require(Permission::Bill)?;
        let go_live = new.more.go_live_date.unwrap_or(new.start_date);
        let mut terms = ContractTerms {
            name: checked("name", &new.name)?,
            frequency: new.frequency,
            policy: new.policy,
            terms: None,
            currency: new.currency,
            tax: None,
            payment_profile: None,
            start_date: new.start_date,
            end_date: None,
            go_live_date: go_live,
            next_invoice_date: first_invoice(go_live, new.frequency, new.policy),
            default_price_list: None,
            is_default: false,
            products: Vec::new(),
            automation: Automation::default(),
        };
        let is_default = new.more.is_default;
        new.more.apply(&mut terms)?;
        checked_terms(&terms)?;
        let account = self.live_account(new.account_id).await?;
        let now = self.context.now();
        let mut contract = BillingContract {
            id: BillingContractId::new(self.context.new_uuid()),
            account_id: account.id,
            account_name: account.name,
            terms,
            closed: None,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let tx = self.store.begin().await?;
        self.lock_customers_of(&tx, contract.account_id).await?;
        if is_default.is_none() {
            let open = billing_contracts::open_of(&*tx, &[contract.account_id]).await?;
            let rivals = open.iter().filter(|it| it.terms.is_default);
            let mut same = rivals.filter(|it| it.terms.currency == contract.terms.currency);
            contract.terms.is_default = same.next().is_none();
        }
        match billing_contracts::insert(&tx, &contract).await {
            Err(error) if error.is_unique_violation() => {
                drop(tx);
                return Err(self.rival(&contract, error).await);
            }
            other => other?,
        }
        let entry = Entry {
            action: "billing-contract.created",
            subject: contract_subject(contract.id),
            after: Some(summary(&contract)),
            ..Entry::default()
        };
        audit::record(&tx, &self.context, caller, entry).await?;
        self.follow_contract(&tx, caller, contract.account_id, contract.id)
            .await?;
        tx.commit().await?;
        Ok(contract)
    }

    /// Changes a contract. The same again is no change.
    ///
    /// # Errors
    /// When the caller may not, there is no such contract, it is closed, the caller's copy is stale, or a rule is broken.
    pub async fn change_billing_contract(
        &self,
        caller: &Caller,
        id: BillingContractId,
        change: ContractChange,
    ) -> Result<BillingContract, FlowError> {
        caller.require(Permission::Bill)?;
        let account = self.get_billing_contract(caller, id).await?.account_id;
        let tx = self.store.begin().await?;
        self.lock_customers_of(&tx, account).await?;
        let before = self.open_contract(&tx, id, change.expected_version).await?;
        let mut after = before.clone();
        change.apply(&mut after.terms)?;
        if after == before {
            return Ok(before);
        }
        checked_terms(&after.terms)?;
        let other_currency = after.terms.currency != before.terms.currency;
        if other_currency && subscriptions::any_in(&*tx, id).await? {
            return Err(FlowError::Invalid(format!(
                "`currency` stays {}, because the billing contract has subscriptions; make another contract for {}",
                before.terms.currency, after.terms.currency
            )));
        }
        self.write_contract(tx, caller, "billing-contract.changed", &before, after, None)
            .await
    }

    /// Closes a contract, for good. Closing it again changes nothing.
    ///
    /// # Errors
    /// When the caller may not, there is no such contract, the caller's copy is stale, or there is no reason.
    pub async fn close_billing_contract(
        &self,
        caller: &Caller,
        id: BillingContractId,
        reason: &str,
        expected_version: Option<i64>,
    ) -> Result<BillingContract, FlowError> {
        caller.require(Permission::Bill)?;
        let reason = checked("reason", reason)?;
        let account = self.get_billing_contract(caller, id).await?.account_id;
        let tx = self.store.begin().await?;
        self.lock_customers_of(&tx, account).await?;
        let known = billing_contracts::lock(&tx, id)
            .await?
            .ok_or_else(|| FlowError::not_found("billing contract", id))?;
        if known.closed.is_some() {
            return Ok(known);
        }
        let before = self.open_contract(&tx, id, expected_version).await?;
        let mut after = before.clone();
        after.closed = Some(Closed {
            at: self.context.now(),
            reason: reason.clone(),
        });
        self.write_contract(
            tx,
            caller,
            "billing-contract.closed",
            &before,
            after,
            Some(reason),
        )
        .await
    }

    async fn open_contract(
        &self,
        tx: &WriteTx,
        id: BillingContractId,
        expected_version: Option<i64>,
    ) -> Result<BillingContract, FlowError> {
        let contract = billing_contracts::lock(tx, id)
            .await?
            .ok_or_else(|| FlowError::not_found("billing contract", id))?;
        if expected_version.is_some_and(|expected| expected != contract.version) {
            return Err(FlowError::Stale(format!(
                "the billing contract changed since you read it (it is at version {}); read it again and repeat the change",
                contract.version
            )));
        }
        match &contract.closed {
            Some(closed) => Err(FlowError::Conflict {
                detail: format!(
                    "the billing contract was closed on {} ({}); make a new one",
                    closed.at.date_naive(),
                    closed.reason
                ),
                current: summary(&contract),
            }),
            None => Ok(contract),
        }
    }

    async fn write_contract(
        &self,
        tx: WriteTx,
        caller: &Caller,
        action: &'static str,
        before: &BillingContract,
        mut after: BillingContract,
        reason: Option<String>,
    ) -> Result<BillingContract, FlowError> {
        after.version = before.version + 1;
        after.updated_at = self.context.now();
        match billing_contracts::update(&tx, &after).await {
            Err(error) if error.is_unique_violation() => {
                drop(tx);
                return Err(self.rival(&after, error).await);
            }
            other => other?,
        }
        let entry = Entry {
            action,
            subject: contract_subject(after.id),
            before: Some(summary(before)),
            after: Some(summary(&after)),
            reason,
        };
        audit::record(&tx, &self.context, caller, entry).await?;
        self.follow_contract(&tx, caller, after.account_id, after.id)
            .await?;
        tx.commit().await?;
        Ok(after)
    }

    /// The refusal shows the contract that stands in the way.
    async fn rival(
        &self,
        wanted: &BillingContract,
        refused: crate::store::StoreError,
    ) -> FlowError {
        let reader = self.store.reader();
        let open = match billing_contracts::open_of(reader, &[wanted.account_id]).await {
            Ok(open) => open,
            Err(error) => return error.into(),
        };
        let others = || open.iter().filter(|it| it.id != wanted.id);
        let name = crate::domain::fold::fold(&wanted.terms.name);
        let same_name = others().find(|it| crate::domain::fold::fold(&it.terms.name) == name);
        if let Some(rival) = same_name {
            return FlowError::Conflict {
                detail: format!(
                    "account {} has an open billing contract named `{}` already; choose another name",
                    wanted.account_name, rival.terms.name
                ),
                current: summary(rival),
            };
        }
        let default =
            others().find(|it| it.terms.is_default && it.terms.currency == wanted.terms.currency);
        match default {
            Some(rival) => FlowError::Conflict {
                detail: format!(
                    "`{}` is the default billing contract of account {} in {} already; make that one no default first",
                    rival.terms.name, wanted.account_name, wanted.terms.currency
                ),
                current: summary(rival),
            },
            None => refused.into(),
        }
    }

    /// One contract.
    ///
    /// # Errors
    /// When the caller may not, or there is no such contract.
    pub async fn get_billing_contract(
        &self,
        caller: &Caller,
        id: BillingContractId,
    ) -> Result<BillingContract, FlowError> {
        caller.require(Permission::Read)?;
        billing_contracts::find(self.store.reader(), id)
            .await?
            .ok_or_else(|| FlowError::not_found("billing contract", id))
    }

    /// One page of contracts, by name, and where the next begins.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn list_billing_contracts(
        &self,
        caller: &Caller,
        filter: &Filter,
        after: Option<&After>,
        top: u64,
    ) -> Result<(Vec<BillingContract>, Option<After>), FlowError> {
        caller.require(Permission::Read)?;
        let top = top.clamp(1, MOST_PER_PAGE);
        Ok(billing_contracts::list(self.store.reader(), filter, after, top).await?)
    }
}
