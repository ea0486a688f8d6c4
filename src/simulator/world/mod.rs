//! The made-up world behind the stand-ins: the customers that Partner Center lists and the Accounts and Contacts in
//! Dataverse, made from a seed, together with the truth about which customer is which Account.
//!
//! Generating is pure: the same [`WorldSpec`] gives the same world, on every machine, and nothing is written to disk. The
//! scenarios are in `scenario`: what a share of customers looks like on both sides. In the default world the classic rule
//! (B6) can be incomplete but never wrong; [`WorldSpec::deceptive`] adds the cases in which it is.

mod change;
mod country;
mod customers;
mod edit;
mod english;
mod generate;
mod german;
mod organisation;
mod other_latin;
mod people;
mod play;
mod postal;
mod romance;
mod row;
mod rows;
mod scenario;
mod schema;
mod scripts;
mod sow;
mod subscriptions;

use uuid::Uuid;

use crate::domain::ids::AccountId;
use crate::domain::provider_account::ExternalId;

pub(in crate::simulator) use change::Moment;
pub use change::{Change, ChangeError, NewAccount, NewContact, NewCustomer};
pub use customers::Relationship;
pub(in crate::simulator) use customers::{Customer, chance_of};
pub(in crate::simulator) use postal::Address;
pub(in crate::simulator) use row::{Packed, Referenced, Value, ValueRef};
pub(in crate::simulator) use rows::{Place, Row, Rows};
pub(in crate::simulator) use schema::{
    ACCOUNT, Access, CONTACT, Column, ColumnId, Kind, Table, table,
};
pub(in crate::simulator) use sow::OWNER;
pub use subscriptions::SubscriptionChange;
pub(in crate::simulator) use subscriptions::{Subscriptions, is as is_subscription};

use super::webhooks::Notice;
use customers::Customers;

/// What world to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldSpec {
    /// How many customers Partner Center has.
    pub customers: usize,
    /// The same seed gives the same world.
    pub seed: u64,
    /// Adds customers that the classic rule maps to the wrong Account.
    pub deceptive: bool,
}

impl WorldSpec {
    /// A world in which the classic rule is never wrong.
    #[must_use]
    pub const fn new(customers: usize, seed: u64) -> Self {
        Self {
            customers,
            seed,
            deceptive: false,
        }
    }
}

impl Default for WorldSpec {
    fn default() -> Self {
        Self::new(1000, 1)
    }
}

/// The world.
#[derive(Debug)]
pub struct World {
    pub(in crate::simulator) seed: u64,
    pub(in crate::simulator) customers: Customers,
    /// What happened to their subscriptions.
    pub(in crate::simulator) subscriptions: Subscriptions,
    pub(in crate::simulator) accounts: Rows,
    pub(in crate::simulator) contacts: Rows,
    /// The organisation of each account, by place; 0 for none.
    organisation_of_account: Vec<u32>,
    /// The last version given to a row.
    pub(in crate::simulator) version: u64,
    /// What changed since somebody was last told.
    pub(in crate::simulator) told: Vec<Notice>,
}

impl World {
    /// Makes a world. Pure: neither clock nor chance from outside.
    #[must_use]
    pub fn generate(spec: &WorldSpec) -> Self {
        generate::generate(spec)
    }

    /// How many customers Partner Center lists.
    #[must_use]
    pub fn customer_count(&self) -> usize {
        self.customers.len()
    }

    /// How many accounts Dataverse has, inactive ones too.
    #[must_use]
    pub fn account_count(&self) -> usize {
        self.accounts.len()
    }

    /// How many contacts Dataverse has.
    #[must_use]
    pub fn contact_count(&self) -> usize {
        self.contacts.len()
    }

    /// The active Account that this customer is, or `None` when the CRM does not know it (any more). An Account that was
    /// merged away is followed to the surviving one.
    #[must_use]
    pub fn truth(&self, customer: &ExternalId) -> Option<AccountId> {
        let id = Uuid::parse_str(customer.as_str()).ok()?;
        self.truth_of(self.customers.get(id)?.1)
    }

    /// Every customer with its truth.
    pub fn truths(&self) -> impl Iterator<Item = (ExternalId, Option<AccountId>)> {
        self.customers.from(0).filter_map(|(_, customer)| {
            let id = ExternalId::parse(&customer.id.to_string()).ok()?;
            Some((id, self.truth_of(customer)))
        })
    }

    /// Whether mapping the customer to this Account is right: it is its truth, or a duplicate of it.
    #[must_use]
    pub fn accepts(&self, customer: &ExternalId, account: AccountId) -> bool {
        let Some((_, known)) = Uuid::parse_str(customer.as_str())
            .ok()
            .and_then(|id| self.customers.get(id))
        else {
            return false;
        };
        let organisation = self
            .accounts
            .place(account.as_uuid())
            .map(|place| self.organisation(place));
        self.truth_of(known) == Some(account)
            || known.organisation != 0 && organisation == Some(known.organisation)
    }

    fn organisation(&self, account: Place) -> u32 {
        usize::try_from(account)
            .ok()
            .and_then(|at| self.organisation_of_account.get(at))
            .copied()
            .unwrap_or_default()
    }

    fn truth_of(&self, customer: &Customer) -> Option<AccountId> {
        if customer.account.is_nil() {
            return None;
        }
        let (master, _) = ACCOUNT.column("masterid")?;
        let (state, _) = ACCOUNT.column("statecode")?;
        let mut account = customer.account;
        // A chain of merges is short; the bound keeps a made-up circle from turning for ever.
        for _ in 0..16 {
            let row = self.accounts.get(account)?;
            match row.packed.get(master) {
                Some(ValueRef::Reference(_, survivor)) => account = survivor,
                _ => {
                    let active = row.packed.get(state) != Some(ValueRef::Whole(1));
                    return active.then_some(AccountId::new(account));
                }
            }
        }
        None
    }
}
