//! What goes in and out of the operations on Billing Contracts.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::billing_contract::{Automation, BillingContract, BillingPolicy, Frequency};
use crate::domain::ids::AccountId;
use crate::domain::money::Currency;
use crate::flows::billing_contracts::{ContractChange, NewContract};
use crate::http::problem::{Outcome, Problem};
use crate::http::reading::{not_null, null_too};
use crate::http::words;

/// What happens by itself after an invoice is made.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = ContractAutomation)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::http::api) struct AutomationBody {
    /// The invoice is posted to accounting.
    #[serde(default)]
    #[schema(default = false)]
    sync_to_accounting: bool,
    /// The payment profile is charged.
    #[serde(default)]
    #[schema(default = false)]
    charge: bool,
    /// A PDF is made.
    #[serde(default)]
    #[schema(default = false)]
    generate_pdf: bool,
    /// The invoice is sent by e-mail.
    #[serde(default)]
    #[schema(default = false)]
    send_email: bool,
}

impl From<AutomationBody> for Automation {
    fn from(body: AutomationBody) -> Self {
        Self {
            sync_to_accounting: body.sync_to_accounting,
            charge: body.charge,
            generate_pdf: body.generate_pdf,
            send_email: body.send_email,
        }
    }
}

/// The container of a customer's subscriptions for billing.
#[derive(Serialize, ToSchema)]
#[schema(as = BillingContract)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api) struct ContractBody {
    /// Id of the billing contract.
    billing_contract_id: Uuid,
    /// The account that is billed.
    account_id: Uuid,
    /// Name of the account when the contract was made.
    account_name: String,
    /// What people call it.
    #[schema(example = "Cloud services")]
    name: String,
    /// Whether it is open; a closed contract never changes again.
    open: bool,
    #[schema(schema_with = words::frequency)]
    frequency: &'static str,
    #[schema(schema_with = words::billing_policy)]
    policy: &'static str,
    /// Terms of payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Net 30")]
    terms: Option<String>,
    /// The one currency of everything in it (ISO 4217).
    #[schema(example = "EUR")]
    currency: String,
    /// Code of the tax that applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    tax: Option<String>,
    /// Name of the payment profile that is charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    payment_profile: Option<String>,
    /// Its first day.
    start_date: NaiveDate,
    /// Its last day; absent while it is open-ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    end_date: Option<NaiveDate>,
    /// History before this day is never billed.
    go_live_date: NaiveDate,
    /// When the next invoice is due.
    next_invoice_date: NaiveDate,
    /// Where prices come from that a subscription does not have itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    default_price_list: Option<String>,
    /// Whether new subscriptions of the account in this currency land here.
    is_default: bool,
    /// The products that may land here by themselves; empty for all.
    products: Vec<String>,
    /// What happens by itself after an invoice.
    automation: AutomationBody,
    /// When it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    closed_at: Option<DateTime<Utc>>,
    /// Why it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    closed_reason: Option<String>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    /// Grows by one with each change; also the ETag.
    version: i64,
}

impl From<BillingContract> for ContractBody {
    fn from(contract: BillingContract) -> Self {
        let terms = contract.terms;
        let automation = terms.automation;
        let (closed_at, closed_reason) = match contract.closed {
            Some(closed) => (Some(closed.at), Some(closed.reason)),
            None => (None, None),
        };
        Self {
            billing_contract_id: contract.id.as_uuid(),
            account_id: contract.account_id.as_uuid(),
            account_name: contract.account_name,
            name: terms.name,
            open: closed_at.is_none(),
            frequency: terms.frequency.name(),
            policy: terms.policy.name(),
            terms: terms.terms,
            currency: terms.currency.to_string(),
            tax: terms.tax,
            payment_profile: terms.payment_profile,
            start_date: terms.start_date,
            end_date: terms.end_date,
            go_live_date: terms.go_live_date,
            next_invoice_date: terms.next_invoice_date,
            default_price_list: terms.default_price_list,
            is_default: terms.is_default,
            products: terms.products,
            automation: AutomationBody {
                sync_to_accounting: automation.sync_to_accounting,
                charge: automation.charge,
                generate_pdf: automation.generate_pdf,
                send_email: automation.send_email,
            },
            closed_at,
            closed_reason,
            created_at: contract.created_at,
            updated_at: contract.updated_at,
            version: contract.version,
        }
    }
}

/// What it takes to make a billing contract.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewBillingContract)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::http::api) struct NewContractBody {
    /// The account that is billed. It is read live: it must exist and be active.
    account_id: Uuid,
    /// What people will call it; unique among the open contracts of the account.
    #[schema(max_length = 200, example = "Cloud services")]
    name: String,
    #[schema(schema_with = words::frequency)]
    frequency: String,
    #[schema(schema_with = words::billing_policy)]
    policy: String,
    /// The one currency of everything in it (ISO 4217).
    #[schema(example = "EUR")]
    currency: String,
    /// Its first day.
    start_date: NaiveDate,
    /// Its last day; leave out for open-ended.
    #[schema(nullable = false)]
    end_date: Option<NaiveDate>,
    /// History before this day is never billed; the first day when left out.
    #[schema(nullable = false)]
    go_live_date: Option<NaiveDate>,
    /// When the first invoice is due; the go-live date, or one period later in arrears, when left out.
    #[schema(nullable = false)]
    next_invoice_date: Option<NaiveDate>,
    /// Terms of payment.
    #[schema(nullable = false, max_length = 200, example = "Net 30")]
    terms: Option<String>,
    /// Code of the tax that applies.
    #[schema(nullable = false, max_length = 200)]
    tax: Option<String>,
    /// Name of the payment profile that is charged.
    #[schema(nullable = false, max_length = 200)]
    payment_profile: Option<String>,
    /// Where prices come from that a subscription does not have itself.
    #[schema(nullable = false, max_length = 200)]
    default_price_list: Option<String>,
    /// Whether new subscriptions land here; the first of an account in its currency does when left out.
    #[schema(nullable = false)]
    is_default: Option<bool>,
    /// The products that may land here by themselves, as the provider names them or by the part before a colon; all when left out.
    #[schema(nullable = false, max_items = 200)]
    products: Option<Vec<String>>,
    /// What happens by itself after an invoice.
    #[schema(nullable = false)]
    automation: Option<AutomationBody>,
}

/// What to change; whatever is left out stays as it is, and null takes away what may be absent.
#[derive(Deserialize, ToSchema)]
#[schema(as = BillingContractChange)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::http::api) struct ContractChangeBody {
    /// New name.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false, max_length = 200)]
    name: Option<String>,
    #[serde(default, deserialize_with = "not_null")]
    #[schema(schema_with = words::frequency)]
    frequency: Option<String>,
    #[serde(default, deserialize_with = "not_null")]
    #[schema(schema_with = words::billing_policy)]
    policy: Option<String>,
    /// New currency; only while no subscription is in the contract.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false, example = "EUR")]
    currency: Option<String>,
    /// New first day.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    start_date: Option<NaiveDate>,
    /// New last day; null for open-ended.
    #[serde(default, deserialize_with = "null_too")]
    #[schema(value_type = Option<NaiveDate>)]
    end_date: Option<Option<NaiveDate>>,
    /// New go-live date.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    go_live_date: Option<NaiveDate>,
    /// New date of the next invoice.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    next_invoice_date: Option<NaiveDate>,
    /// New terms of payment.
    #[serde(default, deserialize_with = "null_too")]
    #[schema(value_type = Option<String>, max_length = 200)]
    terms: Option<Option<String>>,
    /// New code of the tax that applies.
    #[serde(default, deserialize_with = "null_too")]
    #[schema(value_type = Option<String>, max_length = 200)]
    tax: Option<Option<String>>,
    /// New name of the payment profile that is charged.
    #[serde(default, deserialize_with = "null_too")]
    #[schema(value_type = Option<String>, max_length = 200)]
    payment_profile: Option<Option<String>>,
    /// New price list.
    #[serde(default, deserialize_with = "null_too")]
    #[schema(value_type = Option<String>, max_length = 200)]
    default_price_list: Option<Option<String>>,
    /// Whether new subscriptions land here.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    is_default: Option<bool>,
    /// The products that may land here by themselves; an empty list for all. What is in the contract already stays.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false, max_items = 200)]
    products: Option<Vec<String>>,
    /// What happens by itself after an invoice; switches left out are off.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    automation: Option<AutomationBody>,
}

/// Why a billing contract is closed.
#[derive(Deserialize, ToSchema)]
#[schema(as = CloseRequest)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::http::api) struct CloseBody {
    /// Why, so that the next person knows.
    #[schema(max_length = 200, example = "The customer moved to another partner")]
    pub(super) reason: String,
}

pub(in crate::http::api) fn currency(text: &str) -> Outcome<Currency> {
    Currency::parse(text).map_err(|error| Problem::invalid(format!("`currency`: {error}.")))
}

fn frequency(word: &str) -> Outcome<Frequency> {
    let known = Frequency::ALL.map(Frequency::name);
    words::read("frequency", word, &known, Frequency::from_name)
}

fn policy(word: &str) -> Outcome<BillingPolicy> {
    let known = BillingPolicy::ALL.map(BillingPolicy::name);
    words::read("policy", word, &known, BillingPolicy::from_name)
}

impl NewContractBody {
    pub(super) fn read(self) -> Outcome<NewContract> {
        Ok(NewContract {
            account_id: AccountId::new(self.account_id),
            name: self.name,
            frequency: frequency(&self.frequency)?,
            policy: policy(&self.policy)?,
            currency: currency(&self.currency)?,
            start_date: self.start_date,
            more: ContractChange {
                terms: self.terms.map(Some),
                tax: self.tax.map(Some),
                payment_profile: self.payment_profile.map(Some),
                end_date: self.end_date.map(Some),
                go_live_date: self.go_live_date,
                next_invoice_date: self.next_invoice_date,
                default_price_list: self.default_price_list.map(Some),
                is_default: self.is_default,
                products: self.products,
                automation: self.automation.map(Into::into),
                ..ContractChange::default()
            },
        })
    }
}

impl ContractChangeBody {
    pub(super) fn read(self, expected_version: Option<i64>) -> Outcome<ContractChange> {
        Ok(ContractChange {
            name: self.name,
            frequency: self.frequency.as_deref().map(frequency).transpose()?,
            policy: self.policy.as_deref().map(policy).transpose()?,
            terms: self.terms,
            currency: self.currency.as_deref().map(currency).transpose()?,
            tax: self.tax,
            payment_profile: self.payment_profile,
            start_date: self.start_date,
            end_date: self.end_date,
            go_live_date: self.go_live_date,
            next_invoice_date: self.next_invoice_date,
            default_price_list: self.default_price_list,
            is_default: self.is_default,
            products: self.products,
            automation: self.automation.map(Into::into),
            expected_version,
        })
    }
}
