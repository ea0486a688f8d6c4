//! Puts generated accounts, contacts and customers into the tables of a world.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use uuid::Uuid;

use super::customers::{Customer, Relationship, Texts};
use super::organisation::{Founder, Organisation};
use super::people::{self, Person};
use super::row::{Packed, Referenced, Value};
use super::rows::{Row, Rows};
use super::schema::{ACCOUNT, CONTACT, ColumnId, Table};

/// 1 January 2024: the generated world's first day, in seconds since 1970.
pub(super) const FIRST_DAY: u32 = 1_704_067_200;
/// The user and business unit that own every generated row.
pub(in crate::simulator) const OWNER: Uuid =
    Uuid::from_u128(0x7c1b_2f4e_0a31_4c55_9d20_11aa_0000_0001);

/// An account about to be sown.
#[derive(Debug, Clone, Default)]
pub(super) struct SownAccount {
    pub name: String,
    pub website: Option<String>,
    pub emails: Vec<String>,
    pub parent: Option<Uuid>,
    pub inactive: bool,
    /// Merged into this one.
    pub master: Option<Uuid>,
}

/// Everything that generation needs at hand.
pub(super) struct Sower {
    pub rng: ChaCha8Rng,
    pub founder: Founder,
    pub accounts: Rows,
    pub organisations: Vec<u32>,
    pub contacts: Rows,
    pub customers: Vec<Customer>,
    account_columns: AccountColumns,
    contact_columns: ContactColumns,
}

macro_rules! columns {
    ($name:ident { $($column:ident),+ $(,)? }) => {
        #[derive(Default)]
        struct $name { $($column: ColumnId),+ }
        impl $name {
            fn of(table: &Table) -> Self {
                let id = |name: &str| table.column(name).map_or(ColumnId::MAX, |(id, _)| id);
                Self { $($column: id(stringify!($column))),+ }
            }
        }
    };
}
columns!(AccountColumns {
    name,
    statecode,
    statuscode,
    accountnumber,
    websiteurl,
    emailaddress1,
    emailaddress2,
    emailaddress3,
    telephone1,
    address1_line1,
    address1_city,
    address1_postalcode,
    address1_country,
    customertypecode,
    numberofemployees,
    primarycontactid,
    parentaccountid,
    masterid,
    merged,
});
columns!(ContactColumns {
    fullname,
    statecode,
    statuscode,
    firstname,
    lastname,
    emailaddress1,
    jobtitle,
    parentcustomerid,
});

impl Sower {
    pub fn new(seed: u64) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            founder: Founder::new(),
            accounts: Rows::new(&ACCOUNT),
            organisations: Vec::new(),
            contacts: Rows::new(&CONTACT),
            customers: Vec::new(),
            account_columns: AccountColumns::of(&ACCOUNT),
            contact_columns: ContactColumns::of(&CONTACT),
        }
    }

    /// A new organisation.
    pub fn found(&mut self) -> Option<Organisation> {
        self.founder.found(&mut self.rng)
    }

    /// A random id.
    pub fn id(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.rng.random()).into_uuid()
    }

    /// Whether something happens that happens `of` 100 times.
    pub fn chance(&mut self, of: u32) -> bool {
        self.rng.random_ratio(of.min(100), 100)
    }

    /// Adds an account; its name is a CRM user's way of writing it unless one is given.
    pub fn account(&mut self, of: &Organisation, sown: SownAccount) -> Uuid {
        let id = self.id();
        let name = if sown.name.is_empty() {
            of.crm_name(&mut self.rng)
        } else {
            sown.name
        };
        let inactive = sown.inactive || sown.master.is_some();
        let c = &self.account_columns;
        let rng = &mut self.rng;
        let mut columns = vec![
            (c.name, Value::Text(name)),
            (c.statecode, Value::Whole(i64::from(inactive))),
            (c.statuscode, Value::Whole(1 + i64::from(inactive))),
            (
                c.accountnumber,
                Value::Text(format!("AC-{:07}", self.organisations.len() + 1)),
            ),
            (c.address1_city, Value::Text(of.city().to_owned())),
            (c.address1_country, Value::Text(of.country.name.to_owned())),
            (c.merged, Value::Flag(sown.master.is_some())),
        ];
        if rng.random_ratio(3, 5) {
            columns.push((
                c.address1_line1,
                Value::Text(people::street(of.country, rng)),
            ));
            let code = people::postal_code(of.country, of.city_at, rng);
            columns.push((c.address1_postalcode, Value::Text(code)));
            columns.push((c.telephone1, Value::Text(people::telephone(rng))));
        }
        if rng.random_ratio(1, 4) {
            columns.push((c.customertypecode, Value::Whole(rng.random_range(1..=12))));
            columns.push((c.numberofemployees, Value::Whole(rng.random_range(1..5000))));
        }
        columns.extend(
            sown.website
                .map(|website| (c.websiteurl, Value::Text(website))),
        );
        let places = [c.emailaddress1, c.emailaddress2, c.emailaddress3];
        columns.extend(
            places
                .into_iter()
                .zip(sown.emails.into_iter().map(Value::Text)),
        );
        let reference = |id| Value::Reference(Referenced::Account, id);
        columns.extend(
            sown.parent
                .map(|parent| (c.parentaccountid, reference(parent))),
        );
        columns.extend(sown.master.map(|master| (c.masterid, reference(master))));
        let row = self.row(id, columns);
        self.accounts.sow(row);
        self.organisations.push(of.number);
        id
    }

    /// Adds a contact of an account, with e-mail address `email`.
    pub fn contact(&mut self, account: Uuid, person: &Person, email: String, active: bool) -> Uuid {
        let id = self.id();
        let c = &self.contact_columns;
        let titles = [
            "Managing Director",
            "IT Manager",
            "Buyer",
            "Accountant",
            "Office Manager",
        ];
        let title = titles
            .get(self.rng.random_range(0..titles.len()))
            .copied()
            .unwrap_or_default();
        let mut columns = vec![
            (
                c.fullname,
                Value::Text(format!("{} {}", person.given, person.family)),
            ),
            (c.statecode, Value::Whole(i64::from(!active))),
            (c.statuscode, Value::Whole(1 + i64::from(!active))),
            (c.firstname, Value::Text(person.given.to_owned())),
            (c.lastname, Value::Text(person.family.to_owned())),
            (c.emailaddress1, Value::Text(email)),
            (
                c.parentcustomerid,
                Value::Reference(Referenced::Account, account),
            ),
        ];
        if self.rng.random_ratio(1, 3) {
            columns.push((c.jobtitle, Value::Text(title.to_owned())));
        }
        let row = self.row(id, columns);
        self.contacts.sow(row);
        id
    }

    /// Adds so many contacts with addresses at `domain`.
    pub fn staff(&mut self, account: Uuid, of: &Organisation, domain: &str, count: u32) {
        for _ in 0..count {
            let person = Person::new(of.country, &mut self.rng);
            let email = person.email(domain, &mut self.rng);
            let contact = self.contact(account, &person, email, true);
            if self.chance(30) {
                self.make_primary(account, contact);
            }
        }
    }

    /// Makes a contact the primary one of the account that was sown last.
    fn make_primary(&mut self, account: Uuid, contact: Uuid) {
        let column = self.account_columns.primarycontactid;
        if let Some(row) = self
            .accounts
            .sown()
            .last_mut()
            .filter(|row| row.id == account)
        {
            let primary = Value::Reference(Referenced::Contact, contact);
            row.packed = row.packed.with(vec![(column, Some(primary))]);
        }
    }

    /// Adds a contact with a public mail address.
    pub fn public_contact(&mut self, account: Uuid, of: &Organisation) {
        let person = Person::new(of.country, &mut self.rng);
        let email = person.public_email(of.country, &mut self.rng);
        self.contact(account, &person, email, true);
    }

    /// Adds a customer; `known_as` is its organisation's number and its Account.
    pub fn customer(&mut self, of: &Organisation, texts: &Texts, known_as: Option<Uuid>) {
        let id = self.id();
        let mut customer = Customer::new(id, texts, (of.country_at, of.city_at));
        if let Some(account) = known_as {
            customer.organisation = of.number;
            customer.account = account;
        }
        customer.relationship = match self.rng.random_range(0..200) {
            0 => Relationship::None,
            1 => Relationship::Advisor,
            _ => Relationship::Reseller,
        };
        self.customers.push(customer);
    }

    fn row(&mut self, id: Uuid, columns: Vec<(ColumnId, Value)>) -> Row {
        let created = FIRST_DAY + self.rng.random_range(0..40_000_000);
        Row {
            id,
            version: 0,
            created,
            modified: created + self.rng.random_range(0..10_000_000),
            packed: Packed::of(columns),
            alive: true,
        }
    }
}
