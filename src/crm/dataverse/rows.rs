//! Rows of the Web API and what we make of them. Only what is needed is asked for: a Contact's row holds far more of a
//! person than we may keep, and of its addresses nothing but the domain survives the first line here.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::transport::Row;
use crate::domain::account::{Account, AccountState, DirectoryAccount, DirectoryContact, Place};
use crate::domain::domain_name::DomainName;
use crate::domain::ids::{AccountId, ContactId};

/// `$select` of an Account that is shown.
pub(super) const ACCOUNT_COLUMNS: &str = "accountid,name,accountnumber,websiteurl,emailaddress1,address1_city,\
     address1_country,statecode,merged,_masterid_value,_parentaccountid_value,modifiedon";

/// `$select` of an Account in the directory.
pub(super) const DIRECTORY_ACCOUNT_COLUMNS: &str = "accountid,name,websiteurl,emailaddress1,emailaddress2,\
     emailaddress3,address1_country,address1_city,address1_postalcode,telephone1,statecode,merged,_masterid_value,\
     _parentaccountid_value,versionnumber";

/// `$select` of a Contact in the directory.
pub(super) const DIRECTORY_CONTACT_COLUMNS: &str = "contactid,_parentcustomerid_value,emailaddress1,emailaddress2,\
     emailaddress3,statecode,versionnumber";

/// The annotation that says whether a lookup of several kinds leads to an account or a contact.
pub(super) const LOOKUP_KIND: &str = "Microsoft.Dynamics.CRM.lookuplogicalname";

const EMAILS: [&str; 3] = ["emailaddress1", "emailaddress2", "emailaddress3"];

fn text<'a>(row: &'a Row, name: &str) -> Option<&'a str> {
    row.get(name)?
        .as_str()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

fn owned(row: &Row, name: &str) -> Option<String> {
    text(row, name).map(str::to_owned)
}

fn uuid(row: &Row, name: &str) -> Option<Uuid> {
    Uuid::parse_str(text(row, name)?).ok()
}

fn account_id(row: &Row, name: &str) -> Option<AccountId> {
    uuid(row, name).map(AccountId::new)
}

fn active(row: &Row) -> bool {
    // A state code that we do not know is no evidence that a row may be used.
    row.get("statecode").and_then(Value::as_i64) == Some(0)
}

fn state(row: &Row) -> AccountState {
    let merged = row.get("merged").and_then(Value::as_bool) == Some(true);
    match (merged, account_id(row, "_masterid_value")) {
        (true, Some(into)) => AccountState::Merged(into),
        (true, None) => AccountState::Inactive,
        (false, _) if active(row) => AccountState::Active,
        (false, _) => AccountState::Inactive,
    }
}

/// The version of a row: its column, else the number in its entity tag, `W/"123"`.
fn row_version(row: &Row) -> i64 {
    let column = row.get("versionnumber").and_then(|value| {
        value
            .as_i64()
            .or_else(|| value.as_str()?.trim().parse().ok())
    });
    let tag = || {
        text(row, "@odata.etag")?
            .strip_prefix("W/\"")?
            .strip_suffix('"')?
            .parse()
            .ok()
    };
    column.or_else(tag).unwrap_or_default()
}

/// The domains of the row's addresses, each once.
fn email_domains(row: &Row) -> Vec<DomainName> {
    let mut domains: Vec<DomainName> = Vec::new();
    for address in EMAILS.iter().filter_map(|name| text(row, name)) {
        if let Some(domain) = DomainName::of_email(address)
            && !domains.contains(&domain)
        {
            domains.push(domain);
        }
    }
    domains
}

/// An Account that is shown; `None` when the row has no readable id.
pub(super) fn account(row: &Row) -> Option<Account> {
    Some(Account {
        id: account_id(row, "accountid")?,
        name: owned(row, "name").unwrap_or_default(),
        number: owned(row, "accountnumber"),
        website: owned(row, "websiteurl"),
        email: owned(row, "emailaddress1"),
        city: owned(row, "address1_city"),
        country: owned(row, "address1_country"),
        state: state(row),
        parent_id: account_id(row, "_parentaccountid_value"),
        modified_at: text(row, "modifiedon")
            .and_then(|time| DateTime::parse_from_rfc3339(time).ok())
            .map(|time| time.with_timezone(&Utc)),
        etag: owned(row, "@odata.etag").unwrap_or_default(),
    })
}

/// An Account in the directory.
pub(super) fn directory_account(row: &Row) -> Option<DirectoryAccount> {
    Some(DirectoryAccount {
        id: account_id(row, "accountid")?,
        name: owned(row, "name").unwrap_or_default(),
        state: state(row),
        parent_id: account_id(row, "_parentaccountid_value"),
        web_domain: text(row, "websiteurl").and_then(DomainName::of_website),
        email_domains: email_domains(row),
        place: Place {
            country: owned(row, "address1_country"),
            city: owned(row, "address1_city"),
            postal_code: owned(row, "address1_postalcode"),
            phone: owned(row, "telephone1"),
        },
        row_version: row_version(row),
    })
}

/// A Contact in the directory. Its parent may be a contact, which is no Account.
pub(super) fn directory_contact(row: &Row) -> Option<DirectoryContact> {
    let kind = text(row, &format!("_parentcustomerid_value@{LOOKUP_KIND}"));
    Some(DirectoryContact {
        id: ContactId::new(uuid(row, "contactid")?),
        account_id: account_id(row, "_parentcustomerid_value")
            .filter(|_| kind.is_none_or(|kind| kind == "account")),
        email_domains: email_domains(row),
        active: active(row),
        row_version: row_version(row),
    })
}

/// The id of a row that says of itself that it was deleted.
pub(super) fn deleted(row: &Row) -> Option<Uuid> {
    let context = text(row, "@odata.context").is_some_and(|it| it.ends_with("/$deletedEntity"));
    if !context && !row.contains_key("reason") {
        return None;
    }
    let id = text(row, "id")?;
    // The bare id, or the URL of the entity: `…/accounts(id)`.
    let id = id.rsplit('(').next().unwrap_or(id).trim_end_matches(')');
    Uuid::parse_str(id).ok()
}
