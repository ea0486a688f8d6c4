//! Changes to the world while it runs: what happens at Partner Center and in the CRM behind the product's back. Each change
//! to a row gives it a new version, so that it shows in change tracking; the truth follows.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::customers::{Customer, Relationship, Texts};
use super::row::{Packed, Referenced, Value};
use super::rows::{Place, Rows};
use super::schema::{ACCOUNT, CONTACT, ColumnId};
use super::subscriptions::SubscriptionChange;
use super::{World, organisation};
use crate::domain::ids::{AccountId, ContactId};
use crate::domain::provider_account::ExternalId;
use crate::simulator::webhooks::Message;

/// A customer that appears at Partner Center.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NewCustomer {
    /// Company name.
    pub name: String,
    /// `companyProfile.domain`.
    pub default_domain: String,
    /// Shown by id only.
    pub custom_domains: Vec<String>,
    /// E-mail address of the billing profile.
    pub email: String,
    /// The Account it is, where the CRM knows it.
    pub truth: Option<AccountId>,
}

/// An Account that appears in the CRM.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NewAccount {
    /// `name`.
    pub name: String,
    /// `websiteurl`.
    pub website: Option<String>,
    /// `emailaddress1`.
    pub email: Option<String>,
    /// `parentaccountid`.
    pub parent: Option<AccountId>,
    /// The customer whose truth it becomes.
    pub customer: Option<ExternalId>,
}

/// A Contact that appears in the CRM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewContact {
    /// The Account it belongs to.
    pub account: AccountId,
    /// `firstname`.
    #[serde(default)]
    pub given_name: String,
    /// `lastname`.
    #[serde(default)]
    pub family_name: String,
    /// `emailaddress1`.
    pub email: String,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    tag = "change",
    rename_all_fields = "camelCase"
)]
pub enum Change {
    /// A customer accepts the relationship.
    AddCustomer(NewCustomer),
    /// A customer is renamed.
    RenameCustomer { customer: ExternalId, name: String },
    /// A customer is no longer listed; by id it answers 403 with code 20002.
    RemoveCustomer { customer: ExternalId },
    /// A customer's relationship changes, but it stays listed.
    SetRelationship {
        customer: ExternalId,
        relationship: Relationship,
    },
    /// A customer's default domain changes.
    SetDefaultDomain {
        customer: ExternalId,
        domain: String,
    },
    /// A customer's own domains change.
    SetCustomDomains {
        customer: ExternalId,
        domains: Vec<String>,
    },
    /// From now on this is the Account that the customer is; for Accounts that the product created for a customer.
    SetTruth {
        customer: ExternalId,
        account: Option<AccountId>,
    },
    /// A subscription is bought, changed or gone, in the provider's portal.
    ChangeSubscription(SubscriptionChange),
    /// A new Account.
    AddAccount(NewAccount),
    /// An Account is renamed.
    RenameAccount { account: AccountId, name: String },
    /// An Account's website changes, or goes.
    SetWebsite {
        account: AccountId,
        website: Option<String>,
    },
    /// An Account is activated or deactivated.
    SetActive { account: AccountId, active: bool },
    /// An Account is deleted; its Contacts lose their parent.
    DeleteAccount { account: AccountId },
    /// An Account is merged into another and deactivated; its Contacts move.
    MergeAccounts { account: AccountId, into: AccountId },
    /// A new Contact.
    AddContact(NewContact),
    /// A Contact moves to another Account.
    MoveContact {
        contact: ContactId,
        account: AccountId,
    },
    /// A Contact's e-mail address changes.
    SetContactEmail { contact: ContactId, email: String },
    /// A Contact is deleted.
    DeleteContact { contact: ContactId },
}

/// A change that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// There is no such customer, Account or Contact.
    #[error("the world has no {what} {id}")]
    Absent {
        /// `customer`, `account` or `contact`.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// An Account cannot be merged into itself.
    #[error("account {0} cannot be merged into itself")]
    SameAccount(AccountId),
}

/// What a change needs from outside.
#[derive(Debug, Clone, Copy)]
pub(in crate::simulator) struct Moment {
    /// Seconds since 1970.
    pub now: u32,
    /// The id of whatever is new.
    pub fresh: Uuid,
}

impl World {
    /// Makes one change; gives the id of what is new or was changed.
    pub(in crate::simulator) fn change(
        &mut self,
        change: Change,
        moment: Moment,
    ) -> Result<Uuid, ChangeError> {
        match change {
            Change::AddCustomer(new) => Ok(self.add_customer(new, moment)),
            Change::RenameCustomer { customer, name } => {
                self.rewrite(&customer, |texts| texts.name = name)
            }
            Change::SetDefaultDomain { customer, domain } => {
                self.rewrite(&customer, |texts| texts.default_domain = domain)
            }
            Change::SetCustomDomains { customer, domains } => {
                self.rewrite(&customer, |texts| texts.custom_domains = domains)
            }
            Change::RemoveCustomer { customer } => {
                let id = customer_id(&customer)?;
                if self.customers.remove(id) {
                    Ok(id)
                } else {
                    Err(absent("customer", &id))
                }
            }
            Change::SetRelationship {
                customer,
                relationship,
            } => {
                let known = self.customer_mut(&customer)?;
                known.relationship = relationship;
                known.version += 1;
                Ok(known.id)
            }
            Change::SetTruth { customer, account } => {
                let known = self.customer_mut(&customer)?;
                known.account = account.map_or(Uuid::nil(), AccountId::as_uuid);
                Ok(known.id)
            }
            Change::ChangeSubscription(change) => {
                let customer = self.customer_mut(&change.customer)?.id;
                Ok(self.subscriptions.change(customer, change, moment.fresh))
            }
            Change::AddAccount(new) => self.add_account(new, moment),
            Change::RenameAccount { account, name } => {
                self.set_account(account, vec![("name", Some(Value::Text(name)))], moment)
            }
            Change::SetWebsite { account, website } => self.set_account(
                account,
                vec![("websiteurl", website.map(Value::Text))],
                moment,
            ),
            Change::SetActive { account, active } => {
                self.set_account(account, state(active), moment)
            }
            Change::DeleteAccount { account } => self.delete_account(account.as_uuid(), moment),
            Change::MergeAccounts { account, into } => self.merge(account, into, moment),
            Change::AddContact(new) => Ok(self.add_contact(new, moment)),
            Change::MoveContact { contact, account } => {
                let parent = Value::Reference(Referenced::Account, account.as_uuid());
                self.set_contact(contact, ("parentcustomerid", Some(parent)), moment)
            }
            Change::SetContactEmail { contact, email } => {
                self.set_contact(contact, ("emailaddress1", Some(Value::Text(email))), moment)
            }
            Change::DeleteContact { contact } => self.delete_contact(contact.as_uuid()),
        }
    }

    fn add_customer(&mut self, new: NewCustomer, moment: Moment) -> Uuid {
        let texts = Texts {
            name: new.name,
            default_domain: new.default_domain,
            email: new.email,
            custom_domains: new.custom_domains,
        };
        let countries = organisation::countries().count();
        let country = u8::try_from(moment.fresh.as_u128() % countries.max(1) as u128).unwrap_or(0);
        let mut customer = Customer::new(moment.fresh, &texts, (country, 0));
        if let Some(account) = new.truth {
            customer.account = account.as_uuid();
            customer.organisation = self
                .accounts
                .place(account.as_uuid())
                .map_or(0, |place| self.organisation(place));
        }
        self.customers.insert(customer);
        moment.fresh
    }

    fn customer_mut(&mut self, customer: &ExternalId) -> Result<&mut Customer, ChangeError> {
        let id = customer_id(customer)?;
        self.customers
            .get_mut(id)
            .ok_or_else(|| absent("customer", &id))
    }

    fn rewrite(
        &mut self,
        customer: &ExternalId,
        edit: impl FnOnce(&mut Texts),
    ) -> Result<Uuid, ChangeError> {
        let known = self.customer_mut(customer)?;
        let mut texts = known.texts();
        edit(&mut texts);
        known.rewrite(&texts);
        Ok(known.id)
    }

    fn add_account(&mut self, new: NewAccount, moment: Moment) -> Result<Uuid, ChangeError> {
        let mut columns = vec![
            ("name", Some(Value::Text(new.name))),
            ("websiteurl", new.website.map(Value::Text)),
            ("emailaddress1", new.email.map(Value::Text)),
            ("merged", Some(Value::Flag(false))),
        ];
        let parent = |id: AccountId| Value::Reference(Referenced::Account, id.as_uuid());
        columns.push(("parentaccountid", new.parent.map(parent)));
        columns.extend(state(true));
        if let Some(customer) = new.customer {
            self.customer_mut(&customer)?.account = moment.fresh;
        }
        let columns = numbered(&self.accounts, columns).into_iter();
        let set = columns.filter_map(|(column, value)| Some((column, value?)));
        self.insert(&ACCOUNT, moment.fresh, moment.now, Packed::of(set));
        Ok(moment.fresh)
    }

    fn set_account(
        &mut self,
        account: AccountId,
        columns: Vec<(&str, Option<Value>)>,
        moment: Moment,
    ) -> Result<Uuid, ChangeError> {
        let id = account.as_uuid();
        let place = self
            .accounts
            .place(id)
            .ok_or_else(|| absent("account", &id))?;
        let version = self.next_version();
        edit(&mut self.accounts, place, version, moment.now, columns);
        self.note(Message::Update, &ACCOUNT, id);
        Ok(id)
    }

    fn merge(
        &mut self,
        account: AccountId,
        into: AccountId,
        moment: Moment,
    ) -> Result<Uuid, ChangeError> {
        if account == into {
            return Err(ChangeError::SameAccount(account));
        }
        self.accounts
            .place(into.as_uuid())
            .ok_or_else(|| absent("account", &into.as_uuid()))?;
        let told = self.told.len();
        let master = Value::Reference(Referenced::Account, into.as_uuid());
        let mut columns = state(false);
        columns.push(("merged", Some(Value::Flag(true))));
        columns.push(("masterid", Some(master)));
        let id = self.set_account(account, columns, moment)?;
        self.reparent(id, Some(into.as_uuid()), moment);
        // The survivor is a changed row too: in Dataverse it may take columns over from the other.
        self.set_account(into, Vec::new(), moment)?;
        // One message tells of it all.
        self.told.truncate(told);
        let message = Message::Merge { subordinate: id };
        self.note(message, &ACCOUNT, into.as_uuid());
        Ok(id)
    }

    fn add_contact(&mut self, new: NewContact, moment: Moment) -> Uuid {
        let account = Value::Reference(Referenced::Account, new.account.as_uuid());
        let mut columns = vec![
            (
                "fullname",
                Some(Value::Text(format!(
                    "{} {}",
                    new.given_name, new.family_name
                ))),
            ),
            ("firstname", Some(Value::Text(new.given_name))),
            ("lastname", Some(Value::Text(new.family_name))),
            ("emailaddress1", Some(Value::Text(new.email))),
            ("parentcustomerid", Some(account)),
        ];
        columns.extend(state(true));
        let columns = numbered(&self.contacts, columns).into_iter();
        let set = columns.filter_map(|(column, value)| Some((column, value?)));
        self.insert(&CONTACT, moment.fresh, moment.now, Packed::of(set));
        moment.fresh
    }

    fn set_contact(
        &mut self,
        contact: ContactId,
        column: (&str, Option<Value>),
        moment: Moment,
    ) -> Result<Uuid, ChangeError> {
        let id = contact.as_uuid();
        let place = self
            .contacts
            .place(id)
            .ok_or_else(|| absent("contact", &id))?;
        let version = self.next_version();
        edit(&mut self.contacts, place, version, moment.now, vec![column]);
        self.note(Message::Update, &CONTACT, id);
        Ok(id)
    }
}

fn state(active: bool) -> Vec<(&'static str, Option<Value>)> {
    vec![
        ("statecode", Some(Value::Whole(i64::from(!active)))),
        ("statuscode", Some(Value::Whole(1 + i64::from(!active)))),
    ]
}

fn numbered(rows: &Rows, columns: Vec<(&str, Option<Value>)>) -> Vec<(ColumnId, Option<Value>)> {
    columns
        .into_iter()
        .filter_map(|(name, value)| Some((rows.table.column(name)?.0, value)))
        .collect()
}

pub(super) fn edit(
    rows: &mut Rows,
    place: Place,
    version: u64,
    now: u32,
    columns: Vec<(&str, Option<Value>)>,
) {
    let columns = numbered(rows, columns);
    if let Some(packed) = rows.at(place).map(|row| row.packed.with(columns)) {
        rows.replace(place, version, now, packed);
    }
}

fn customer_id(customer: &ExternalId) -> Result<Uuid, ChangeError> {
    Uuid::parse_str(customer.as_str()).map_err(|_| ChangeError::Absent {
        what: "customer",
        id: customer.to_string(),
    })
}

pub(super) fn absent(what: &'static str, id: &Uuid) -> ChangeError {
    ChangeError::Absent {
        what,
        id: id.to_string(),
    }
}
