//! The CRM Account (`account` in Dataverse) as we read it, and the little we keep of it for matching (decision 6).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::domain_name::{DomainName, RegistrableDomain};
use super::ids::{AccountId, ContactId};

/// The state of an Account. A merged Account is inactive and points to the one that survived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "into")]
pub enum AccountState {
    /// Can be mapped.
    Active,
    /// Deactivated; cannot be mapped.
    Inactive,
    /// Merged into another; mappings follow (B10).
    Merged(AccountId),
}

impl AccountState {
    /// The name in the store. Where a merged one went is kept beside it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Merged(_) => "merged",
        }
    }

    /// Reads [`Self::name`] back, with what is kept beside it.
    #[must_use]
    pub fn from_name(name: &str, merged_into: Option<AccountId>) -> Option<Self> {
        match (name, merged_into) {
            ("active", None) => Some(Self::Active),
            ("inactive", None) => Some(Self::Inactive),
            ("merged", Some(into)) => Some(Self::Merged(into)),
            _ => None,
        }
    }
}

/// An Account to be created in the CRM (B8).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewAccount {
    /// `name`.
    pub name: String,
    /// `websiteurl`.
    pub website: Option<String>,
    /// `address1_country`.
    pub country: Option<String>,
    /// `address1_city`.
    pub city: Option<String>,
    /// `address1_postalcode`.
    pub postal_code: Option<String>,
    /// `ownerid`, a user; the application user when `None`.
    pub owner_user_id: Option<uuid::Uuid>,
    /// `owningbusinessunit`; that of the owner when `None`.
    pub business_unit_id: Option<uuid::Uuid>,
}

/// An Account as the CRM shows it now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// `accountid`.
    pub id: AccountId,
    /// `name`.
    pub name: String,
    /// `accountnumber`.
    pub number: Option<String>,
    /// `websiteurl`, as written.
    pub website: Option<String>,
    /// `emailaddress1`.
    pub email: Option<String>,
    /// `address1_city`.
    pub city: Option<String>,
    /// `address1_country`.
    pub country: Option<String>,
    /// Active, inactive or merged.
    pub state: AccountState,
    /// `parentaccountid`.
    pub parent_id: Option<AccountId>,
    /// `modifiedon`.
    pub modified_at: Option<DateTime<Utc>>,
    /// `@odata.etag`, as sent.
    pub etag: String,
}

/// Where the organisation is, as written in the CRM. Matching compares it; the directory in memory does not keep it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// `address1_country`.
    pub country: Option<String>,
    /// `address1_city`.
    pub city: Option<String>,
    /// `address1_postalcode`.
    pub postal_code: Option<String>,
    /// `telephone1`.
    pub phone: Option<String>,
}

/// An Account in the directory: ids, domains, place and state, no name or address of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryAccount {
    /// `accountid`.
    pub id: AccountId,
    /// `name` of the organisation, for search and suggestions.
    pub name: String,
    /// Active, inactive or merged.
    pub state: AccountState,
    /// `parentaccountid`.
    pub parent_id: Option<AccountId>,
    /// Domain of `websiteurl`.
    pub web_domain: Option<DomainName>,
    /// Domains of `emailaddress1..3`.
    pub email_domains: Vec<DomainName>,
    /// Where the organisation is.
    pub place: Place,
    /// `versionnumber`: grows with each change of the row.
    pub row_version: i64,
}

/// A Contact in the directory: its Account and the domains of its e-mail addresses, nothing of the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryContact {
    /// `contactid`.
    pub id: ContactId,
    /// The Account it belongs to; `None` when its parent is a contact or nothing.
    pub account_id: Option<AccountId>,
    /// Domains of `emailaddress1..3`.
    pub email_domains: Vec<DomainName>,
    /// Inactive contacts are no evidence.
    pub active: bool,
    /// `versionnumber`.
    pub row_version: i64,
}

/// One Account that a domain leads to, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainHit {
    /// The Account.
    pub account_id: AccountId,
    /// The domain that led there.
    pub domain: RegistrableDomain,
    /// It is the domain of the Account's own website.
    pub website: bool,
    /// It is the domain of one of the Account's own e-mail addresses.
    pub account_email: bool,
    /// So many active Contacts of the Account use it.
    pub contacts: u32,
    /// State of the Account.
    pub state: AccountState,
}
