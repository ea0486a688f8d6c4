//! Records as files hold them: a JSON object a line, or a row of a table exported from Dynamics. Several spellings of a
//! field's name are taken: logical names of Dataverse, headings of its exports, and our own.

use std::collections::HashMap;

use serde::Deserialize;

use crate::matching::facts::{AccountFacts, ProviderFacts};

/// A record that can be read from a line or a row.
pub trait Record: Sized + Send {
    /// From one JSON object.
    ///
    /// # Errors
    /// What is wrong with the line, in words.
    fn of_json(line: &[u8]) -> Result<Self, String>;

    /// From one row of a table.
    ///
    /// # Errors
    /// What is wrong with the row, in words.
    fn of_row(row: &Row<'_>) -> Result<Self, String>;
}

/// The columns of a table, by heading without case, spaces and signs.
#[derive(Debug, Default, Clone)]
pub struct Columns(HashMap<String, usize>);

/// A row with its columns.
#[derive(Debug)]
pub struct Row<'r> {
    /// The columns.
    pub columns: &'r Columns,
    /// The cells.
    pub cells: &'r csv::StringRecord,
}

fn plain(heading: &str) -> String {
    let letters = heading.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

impl Columns {
    /// Reads the headings.
    #[must_use]
    pub fn of(headings: &csv::StringRecord) -> Self {
        Self(
            headings
                .iter()
                .enumerate()
                .map(|(at, heading)| (plain(heading), at))
                .collect(),
        )
    }
}

impl Row<'_> {
    /// The first of these columns that is there and not empty.
    fn text(&self, headings: &[&str]) -> Option<String> {
        headings.iter().find_map(|heading| {
            let cell = self.cells.get(*self.columns.0.get(*heading)?)?.trim();
            (!cell.is_empty()).then(|| cell.to_owned())
        })
    }

    fn required(&self, headings: &[&str], what: &str) -> Result<String, String> {
        self.text(headings)
            .ok_or_else(|| format!("it has no {what}"))
    }

    fn list(&self, headings: &[&str]) -> Vec<String> {
        let cells = headings.iter().filter_map(|heading| self.text(&[heading]));
        cells
            .flat_map(|cell| {
                cell.split([';', ',', ' '])
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .filter(|part| !part.is_empty())
            .collect()
    }
}

fn json<'l, T: Deserialize<'l>>(line: &'l [u8]) -> Result<T, String> {
    serde_json::from_slice(line).map_err(|error| error.to_string())
}

fn identities(
    pairs: impl IntoIterator<Item = (&'static str, Option<String>)>,
    subscriptions: Vec<String>,
) -> Vec<String> {
    let single = pairs
        .into_iter()
        .filter_map(|(kind, value)| value.map(|value| format!("{kind}:{value}")));
    single
        .chain(
            subscriptions
                .into_iter()
                .map(|id| format!("subscription:{id}")),
        )
        .collect()
}

#[derive(Deserialize)]
struct AccountLine {
    id: String,
    #[serde(default)]
    name: Option<String>,
    website: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    country: Option<String>,
    city: Option<String>,
    postcode: Option<String>,
    status: Option<String>,
    tenant_id: Option<String>,
    tax_number: Option<String>,
    #[serde(default)]
    subscription_ids: Vec<String>,
}

impl Record for AccountFacts {
    fn of_json(line: &[u8]) -> Result<Self, String> {
        let line: AccountLine = json(line)?;
        if line.id.is_empty() {
            return Err("its id is empty".to_owned());
        }
        Ok(Self {
            key: line.id,
            name: line.name.unwrap_or_default(),
            website: line.website,
            emails: line.email.into_iter().collect(),
            phone: line.phone,
            country: line.country,
            city: line.city,
            postcode: line.postcode,
            inactive: line
                .status
                .is_some_and(|status| !status.eq_ignore_ascii_case("active")),
            identities: identities(
                [("tenant", line.tenant_id), ("tax", line.tax_number)],
                line.subscription_ids,
            ),
        })
    }

    fn of_row(row: &Row<'_>) -> Result<Self, String> {
        let status = row.text(&["status", "statecode", "statecodename"]);
        Ok(Self {
            key: row.required(
                &["donotmodifyaccount", "accountid", "account", "id"],
                "account id",
            )?,
            name: row.text(&["accountname", "name"]).unwrap_or_default(),
            website: row.text(&["website", "websiteurl"]),
            emails: row.list(&["email", "emailaddress1", "emailaddress2", "emailaddress3"]),
            phone: row.text(&["mainphone", "telephone1", "phone"]),
            country: row.text(&[
                "address1countryregion",
                "address1country",
                "countryregion",
                "country",
            ]),
            city: row.text(&["address1city", "city"]),
            postcode: row.text(&[
                "address1zippostalcode",
                "address1postalcode",
                "zippostalcode",
                "postalcode",
                "postcode",
            ]),
            inactive: status
                .is_some_and(|status| !status.eq_ignore_ascii_case("active") && status != "0"),
            identities: identities(
                [
                    ("tenant", row.text(&["tenantid"])),
                    ("tax", row.text(&["taxnumber", "vatnumber"])),
                ],
                row.list(&["subscriptionids"]),
            ),
        })
    }
}

/// A Contact: whose, and with which address.
#[derive(Debug, Clone, Deserialize)]
pub struct ContactFacts {
    /// Key of its Account.
    pub account_id: String,
    /// Its e-mail address.
    pub email: Option<String>,
}

impl Record for ContactFacts {
    fn of_json(line: &[u8]) -> Result<Self, String> {
        json(line)
    }

    fn of_row(row: &Row<'_>) -> Result<Self, String> {
        Ok(Self {
            account_id: row.required(
                &[
                    "accountid",
                    "parentcustomerid",
                    "parentcustomeridvalue",
                    "companynameid",
                    "account",
                    "companyname",
                ],
                "account id",
            )?,
            email: row.text(&["email", "emailaddress1"]),
        })
    }
}

#[derive(Deserialize)]
struct ProviderLine {
    id: String,
    #[serde(default)]
    company_name: Option<String>,
    #[serde(default)]
    domains: Vec<String>,
    country: Option<String>,
    city: Option<String>,
    postcode: Option<String>,
    billing_email: Option<String>,
    phone: Option<String>,
    tenant_id: Option<String>,
    tax_number: Option<String>,
    #[serde(default)]
    subscription_ids: Vec<String>,
}

impl Record for ProviderFacts {
    fn of_json(line: &[u8]) -> Result<Self, String> {
        let line: ProviderLine = json(line)?;
        Ok(Self {
            id: line.id,
            name: line.company_name.unwrap_or_default(),
            domains: line.domains,
            emails: line.billing_email.into_iter().collect(),
            phone: line.phone,
            country: line.country,
            city: line.city,
            postcode: line.postcode,
            identities: identities(
                [("tenant", line.tenant_id), ("tax", line.tax_number)],
                line.subscription_ids,
            ),
        })
    }

    fn of_row(row: &Row<'_>) -> Result<Self, String> {
        Ok(Self {
            id: row.required(
                &["id", "microsoftid", "customerid", "provideraccountid"],
                "id",
            )?,
            name: row.text(&["companyname", "name"]).unwrap_or_default(),
            domains: row.list(&["domains", "primarydomainname", "domain"]),
            emails: row.list(&["billingemail", "email"]),
            phone: row.text(&["phone"]),
            country: row.text(&["country"]),
            city: row.text(&["city"]),
            postcode: row.text(&["postcode", "postalcode"]),
            identities: identities(
                [
                    ("tenant", row.text(&["tenantid", "microsoftid"])),
                    ("tax", row.text(&["taxnumber"])),
                ],
                row.list(&["subscriptionids"]),
            ),
        })
    }
}
