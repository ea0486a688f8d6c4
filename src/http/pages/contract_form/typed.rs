//! What is typed into the form of a Billing Contract: kept as it is, and read into what the flows take with every mistake at
//! once.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;

use crate::domain::billing_contract::{Automation, BillingContract, BillingPolicy, Frequency};
use crate::domain::ids::AccountId;
use crate::domain::money::Currency;
use crate::flows::billing_contracts::{ContractChange, NewContract};

/// What is wrong, by the field it is wrong in.
pub(in crate::http::pages) type Mistakes = BTreeMap<&'static str, String>;

/// The fields as they are typed. A switch that is off is not sent.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(in crate::http::pages) struct Typed {
    name: String,
    frequency: String,
    policy: String,
    currency: String,
    start_date: String,
    end_date: String,
    go_live_date: String,
    next_invoice_date: String,
    terms: String,
    tax: String,
    payment_profile: String,
    default_price_list: String,
    is_default: String,
    products: String,
    sync_to_accounting: Option<String>,
    charge: Option<String>,
    generate_pdf: Option<String>,
    send_email: Option<String>,
}

fn switch(on: bool) -> Option<String> {
    on.then(|| "on".to_owned())
}

impl Typed {
    /// What a new contract is offered with.
    pub fn suggested(today: NaiveDate, currency: Option<Currency>) -> Self {
        Self {
            frequency: Frequency::Monthly.name().to_owned(),
            policy: BillingPolicy::Advance.name().to_owned(),
            currency: currency.map(|it| it.to_string()).unwrap_or_default(),
            start_date: today.to_string(),
            ..Self::default()
        }
    }

    /// A contract as it is.
    pub fn of(contract: &BillingContract) -> Self {
        let terms = &contract.terms;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Self {
            name: terms.name.clone(),
            frequency: terms.frequency.name().to_owned(),
            policy: terms.policy.name().to_owned(),
            currency: terms.currency.to_string(),
            start_date: terms.start_date.to_string(),
            end_date: terms
                .end_date
                .map(|day| day.to_string())
                .unwrap_or_default(),
            go_live_date: terms.go_live_date.to_string(),
            next_invoice_date: terms.next_invoice_date.to_string(),
            terms: text(&terms.terms),
            tax: text(&terms.tax),
            payment_profile: text(&terms.payment_profile),
            default_price_list: text(&terms.default_price_list),
            is_default: if terms.is_default { "yes" } else { "no" }.to_owned(),
            products: terms.products.join("\n"),
            sync_to_accounting: switch(terms.automation.sync_to_accounting),
            charge: switch(terms.automation.charge),
            generate_pdf: switch(terms.automation.generate_pdf),
            send_email: switch(terms.automation.send_email),
        }
    }

    /// What stands in a field, without what makes no difference.
    pub fn of_field(&self, name: &str) -> String {
        let text = match name {
            "name" => &self.name,
            "frequency" => &self.frequency,
            "policy" => &self.policy,
            "currency" => return self.currency.trim().to_uppercase(),
            "start_date" => &self.start_date,
            "end_date" => &self.end_date,
            "go_live_date" => &self.go_live_date,
            "next_invoice_date" => &self.next_invoice_date,
            "terms" => &self.terms,
            "tax" => &self.tax,
            "payment_profile" => &self.payment_profile,
            "default_price_list" => &self.default_price_list,
            "is_default" => &self.is_default,
            _ => return self.products().join("\n"),
        };
        text.trim().to_owned()
    }

    fn products(&self) -> Vec<String> {
        let lines = self.products.lines().map(str::trim);
        lines
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    }

    pub fn automation(&self) -> Automation {
        Automation {
            sync_to_accounting: self.sync_to_accounting.is_some(),
            charge: self.charge.is_some(),
            generate_pdf: self.generate_pdf.is_some(),
            send_email: self.send_email.is_some(),
        }
    }

    /// Reads it for a contract that is yet to be made, where empty days and "default or not" follow from the rest.
    pub fn read_new(&self, account_id: AccountId) -> Result<NewContract, Mistakes> {
        let mut reading = Reading::default();
        let more = self.read(&mut reading);
        let needed = (more.frequency, more.policy, more.currency, more.start_date);
        match needed {
            (Some(frequency), Some(policy), Some(currency), Some(start_date))
                if reading.mistakes.is_empty() =>
            {
                Ok(NewContract {
                    account_id,
                    name: more.name.clone().unwrap_or_default(),
                    frequency,
                    policy,
                    currency,
                    start_date,
                    more,
                })
            }
            _ => Err(reading.mistakes),
        }
    }

    /// Reads it for a contract that is there, where nothing follows by itself.
    pub fn read_change(&self, expected_version: i64) -> Result<ContractChange, Mistakes> {
        let mut reading = Reading::default();
        let mut change = self.read(&mut reading);
        change.expected_version = Some(expected_version);
        for (name, day) in [
            ("go_live_date", change.go_live_date),
            ("next_invoice_date", change.next_invoice_date),
        ] {
            if day.is_none() {
                reading.wrong(name, || "Give the day.".to_owned());
            }
        }
        if reading.mistakes.is_empty() {
            Ok(change)
        } else {
            Err(reading.mistakes)
        }
    }

    fn read(&self, reading: &mut Reading) -> ContractChange {
        let optional = |text: &str| Some(Some(text.trim().to_owned()).filter(|it| !it.is_empty()));
        if self.name.trim().is_empty() {
            reading.wrong("name", || "Give the contract a name.".to_owned());
        }
        let frequency = Frequency::from_name(&self.frequency);
        if frequency.is_none() {
            reading.wrong("frequency", || "Choose how often it is billed.".to_owned());
        }
        let policy = BillingPolicy::from_name(&self.policy);
        if policy.is_none() {
            reading.wrong("policy", || "Choose in advance or in arrears.".to_owned());
        }
        let currency = Currency::parse(&self.currency);
        if let Err(error) = &currency {
            reading.wrong("currency", || {
                super::super::words::sentence(&error.to_string())
            });
        }
        let start_date = reading.day("start_date", &self.start_date);
        if start_date.is_none() {
            reading.wrong("start_date", || "Give the first day.".to_owned());
        }
        ContractChange {
            name: Some(self.name.trim().to_owned()),
            frequency,
            policy,
            currency: currency.ok(),
            start_date,
            end_date: Some(reading.day("end_date", &self.end_date)),
            go_live_date: reading.day("go_live_date", &self.go_live_date),
            next_invoice_date: reading.day("next_invoice_date", &self.next_invoice_date),
            terms: optional(&self.terms),
            tax: optional(&self.tax),
            payment_profile: optional(&self.payment_profile),
            default_price_list: optional(&self.default_price_list),
            is_default: match self.is_default.as_str() {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            },
            products: Some(self.products()),
            automation: Some(self.automation()),
            expected_version: None,
        }
    }
}

/// Gathers the mistakes; the first of a field counts.
#[derive(Default)]
struct Reading {
    mistakes: Mistakes,
}

impl Reading {
    fn wrong(&mut self, field: &'static str, said: impl FnOnce() -> String) {
        self.mistakes.entry(field).or_insert_with(said);
    }

    fn day(&mut self, field: &'static str, text: &str) -> Option<NaiveDate> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let day = text.parse().ok();
        if day.is_none() {
            let shown: String = text.chars().take(20).collect();
            self.wrong(field, || {
                format!("“{shown}” is no day; write year, month and day as in 2026-02-28.")
            });
        }
        day
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_told_at_its_field() {
        let typed = Typed {
            currency: "EURO".to_owned(),
            start_date: "30.2.2026".to_owned(),
            frequency: "weekly".to_owned(),
            ..Typed::default()
        };
        let wrong = typed.read_change(1).unwrap_err();
        let fields: Vec<_> = wrong.keys().copied().collect();
        assert_eq!(
            fields,
            [
                "currency",
                "frequency",
                "go_live_date",
                "name",
                "next_invoice_date",
                "policy",
                "start_date"
            ]
        );
        assert!(wrong["start_date"].contains("30.2.2026"), "{wrong:?}");
        let new = typed
            .read_new(AccountId::new(uuid::Uuid::nil()))
            .unwrap_err();
        assert!(
            !new.contains_key("go_live_date"),
            "it follows from the first day"
        );
    }
}
