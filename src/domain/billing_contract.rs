//! Billing Contracts (D1): the container of a customer's subscriptions for billing. The rules that need nothing but the
//! contract itself are here.

use std::fmt;

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::ids::{AccountId, BillingContractId};
use super::money::Currency;

/// How often it is invoiced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Frequency {
    /// Every month.
    Monthly,
    /// Every three months.
    Quarterly,
    /// Every year.
    Annual,
}

impl Frequency {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Monthly, Self::Quarterly, Self::Annual];

    /// The name in the API and the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Monthly => "monthly",
            Self::Quarterly => "quarterly",
            Self::Annual => "annual",
        }
    }

    /// Reads [`Self::name`] back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// Its length.
    #[must_use]
    pub const fn months(self) -> u32 {
        match self {
            Self::Monthly => 1,
            Self::Quarterly => 3,
            Self::Annual => 12,
        }
    }
}

/// Whether a period is invoiced when it begins or when it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BillingPolicy {
    /// When it begins.
    Advance,
    /// When it has ended.
    Arrears,
}

impl BillingPolicy {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Advance, Self::Arrears];

    /// The name in the API and the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Advance => "advance",
            Self::Arrears => "arrears",
        }
    }

    /// Reads [`Self::name`] back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// What happens by itself after an invoice is made (F4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Automation {
    /// It is posted to accounting.
    pub sync_to_accounting: bool,
    /// The payment profile is charged.
    pub charge: bool,
    /// A PDF is made.
    pub generate_pdf: bool,
    /// It is sent by e-mail.
    pub send_email: bool,
}

/// Everything of a contract that people set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractTerms {
    /// What people call it; unique among the open contracts of an Account.
    pub name: String,
    /// How often it is invoiced.
    pub frequency: Frequency,
    /// Before or after the period.
    pub policy: BillingPolicy,
    /// Terms of payment, in words for the invoice.
    pub terms: Option<String>,
    /// The one currency of everything in it.
    #[serde(serialize_with = "code")]
    pub currency: Currency,
    /// Code of the tax that applies.
    pub tax: Option<String>,
    /// Name of the payment profile that is charged.
    pub payment_profile: Option<String>,
    /// Its first day.
    pub start_date: NaiveDate,
    /// Its last day; `None` for open-ended.
    pub end_date: Option<NaiveDate>,
    /// History before this day is never billed (D11).
    pub go_live_date: NaiveDate,
    /// When the next invoice is due.
    pub next_invoice_date: NaiveDate,
    /// Where prices come from that a subscription does not have itself.
    pub default_price_list: Option<String>,
    /// Whether new subscriptions of the Account land here (D9); one per Account and currency.
    pub is_default: bool,
    /// The products that may land here by themselves, as the provider names them, or the part before a colon; none for all.
    pub products: Vec<String>,
    /// What happens by itself after an invoice.
    pub automation: Automation,
}

impl ContractTerms {
    /// Whether a subscription of this product may land here by itself (D9). What has no product fits only where all do.
    #[must_use]
    pub fn takes(&self, product: Option<&str>) -> bool {
        let same = |wanted: &String| {
            product.is_some_and(|product| {
                let family = product
                    .split_once(':')
                    .map_or(product, |(family, _)| family);
                product.eq_ignore_ascii_case(wanted) || family.eq_ignore_ascii_case(wanted)
            })
        };
        self.products.is_empty() || self.products.iter().any(same)
    }
}

fn code<S: serde::Serializer>(currency: &Currency, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(currency.code())
}

/// The end of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// When.
    pub at: DateTime<Utc>,
    /// Why, in the words of whoever closed it.
    pub reason: String,
}

/// A Billing Contract as we keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillingContract {
    /// Our id.
    pub id: BillingContractId,
    /// The customer.
    pub account_id: AccountId,
    /// Its name when the contract was made, for people to read.
    pub account_name: String,
    /// What people set.
    pub terms: ContractTerms,
    /// Set once it is closed; then nothing of it changes any more.
    pub closed: Option<Closed>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows by one with each change; the entity tag of the API.
    pub version: i64,
}

/// A rule that the terms break.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TermsError(String);

/// Years that dates are believed in; others are slips of the hand.
const YEARS: std::ops::RangeInclusive<i32> = 2000..=2100;

impl ContractTerms {
    /// The first day after the period that begins on `day`.
    #[must_use]
    pub fn period_after(&self, day: NaiveDate) -> NaiveDate {
        next_period(day, self.frequency)
    }

    /// Checks the rules that dates keep among themselves.
    ///
    /// # Errors
    /// The first rule that is broken, in words for people.
    pub fn check(&self) -> Result<(), TermsError> {
        let dates = [
            ("startDate", Some(self.start_date)),
            ("endDate", self.end_date),
            ("goLiveDate", Some(self.go_live_date)),
            ("nextInvoiceDate", Some(self.next_invoice_date)),
        ];
        for (field, date) in dates {
            if date.is_some_and(|date| !YEARS.contains(&date.year())) {
                return Err(broken(format_args!(
                    "`{field}` must be between the years 2000 and 2100"
                )));
            }
        }
        if self.go_live_date < self.start_date {
            return Err(broken(format_args!(
                "`goLiveDate` ({}) must not be before `startDate` ({})",
                self.go_live_date, self.start_date
            )));
        }
        if self.next_invoice_date < self.start_date {
            return Err(broken(format_args!(
                "`nextInvoiceDate` ({}) must not be before `startDate` ({})",
                self.next_invoice_date, self.start_date
            )));
        }
        match self.end_date {
            Some(end) => self.check_end(end),
            None => Ok(()),
        }
    }

    fn check_end(&self, end: NaiveDate) -> Result<(), TermsError> {
        if end < self.start_date {
            return Err(broken(format_args!(
                "`endDate` ({end}) must not be before `startDate` ({})",
                self.start_date
            )));
        }
        if self.go_live_date > end {
            return Err(broken(format_args!(
                "`goLiveDate` ({}) must not be after `endDate` ({end})",
                self.go_live_date
            )));
        }
        let last = match self.policy {
            BillingPolicy::Advance => end,
            BillingPolicy::Arrears => self.period_after(end),
        };
        if self.next_invoice_date > last {
            return Err(broken(format_args!(
                "`nextInvoiceDate` ({}) must not be after {last}: the contract ends on {end} and is billed in {}",
                self.next_invoice_date,
                self.policy.name()
            )));
        }
        Ok(())
    }
}

/// The first day after the period that begins on `day`.
#[must_use]
pub fn next_period(day: NaiveDate, frequency: Frequency) -> NaiveDate {
    day.checked_add_months(Months::new(frequency.months()))
        .unwrap_or(day)
}

/// When a contract is first invoiced that says nothing of it.
#[must_use]
pub fn first_invoice(go_live: NaiveDate, frequency: Frequency, policy: BillingPolicy) -> NaiveDate {
    match policy {
        BillingPolicy::Advance => go_live,
        BillingPolicy::Arrears => next_period(go_live, frequency),
    }
}

fn broken(rule: fmt::Arguments<'_>) -> TermsError {
    TermsError(rule.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn terms() -> ContractTerms {
        ContractTerms {
            name: "Cloud".to_owned(),
            frequency: Frequency::Monthly,
            policy: BillingPolicy::Advance,
            terms: None,
            currency: Currency::parse("EUR").unwrap(),
            tax: None,
            payment_profile: None,
            start_date: day("2026-01-31"),
            end_date: Some(day("2026-12-31")),
            go_live_date: day("2026-02-01"),
            next_invoice_date: day("2026-02-01"),
            default_price_list: None,
            is_default: true,
            products: Vec::new(),
            automation: Automation::default(),
        }
    }

    #[test]
    fn a_contract_takes_the_products_it_names_or_all() {
        let mut terms = terms();
        assert!(terms.takes(None) && terms.takes(Some("CFQ7:0001")));
        terms.products = vec!["cfq7".to_owned(), "DZH3:0002".to_owned()];
        for (product, takes) in [
            (Some("CFQ7:0001"), true),
            (Some("CFQ7"), true),
            (Some("dzh3:0002"), true),
            (Some("DZH3:0001"), false),
            (Some("CFQ70:0001"), false),
            (None, false),
        ] {
            assert_eq!(terms.takes(product), takes, "{product:?}");
        }
    }

    #[test]
    fn dates_keep_their_order_and_the_rule_that_is_broken_is_named() {
        assert_eq!(terms().check(), Ok(()));
        let refused = |change: fn(&mut ContractTerms), said: &str| {
            let mut terms = terms();
            change(&mut terms);
            let error = terms.check().unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        };
        refused(|it| it.end_date = Some(day("2026-01-30")), "endDate");
        refused(|it| it.go_live_date = day("2026-01-30"), "goLiveDate");
        refused(|it| it.go_live_date = day("2027-01-01"), "goLiveDate");
        refused(
            |it| it.next_invoice_date = day("2026-01-30"),
            "nextInvoiceDate",
        );
        refused(
            |it| it.next_invoice_date = day("2027-01-01"),
            "nextInvoiceDate",
        );
        refused(|it| it.start_date = day("0206-01-31"), "startDate");
        let mut arrears = terms();
        arrears.policy = BillingPolicy::Arrears;
        arrears.next_invoice_date = day("2027-01-31");
        assert_eq!(
            arrears.check(),
            Ok(()),
            "the last period is invoiced after its end"
        );
    }

    #[test]
    fn a_period_that_begins_on_the_31st_ends_with_the_month() {
        assert_eq!(
            next_period(day("2026-01-31"), Frequency::Monthly),
            day("2026-02-28")
        );
        let first = first_invoice(day("2026-01-31"), Frequency::Annual, BillingPolicy::Arrears);
        assert_eq!(first, day("2027-01-31"));
    }
}
