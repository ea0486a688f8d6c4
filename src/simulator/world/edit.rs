//! Edits of the CRM's tables, shared by changes from behind and writes through the Web API. Each gives the row a new version
//! and writes it to the log of change tracking.

use uuid::Uuid;

use super::World;
use super::change::{ChangeError, Moment, absent, edit};
use super::row::{Packed, Referenced, Value, ValueRef};
use super::rows::{Place, Rows};
use super::schema::{ACCOUNT, CONTACT, Table};
use super::sow::OWNER;
use crate::simulator::webhooks::{Message, Notice};

/// Columns that a notice shows.
const TOLD: [&str; 4] = ["name", "fullname", "websiteurl", "emailaddress1"];

impl World {
    /// Does something to accounts and contacts altogether, or, when it fails, not at all.
    pub(in crate::simulator) fn attempt<T, E>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let (version, organisations) = (self.version, self.organisation_of_account.len());
        let told = self.told.len();
        let (accounts, contacts) = (self.accounts.begin(), self.contacts.begin());
        let result = work(self);
        if result.is_ok() {
            self.accounts.keep();
            self.contacts.keep();
        } else {
            self.accounts.undo(accounts);
            self.contacts.undo(contacts);
            self.organisation_of_account.truncate(organisations);
            self.version = version;
            self.told.truncate(told);
        }
        result
    }

    /// The next row version.
    pub(in crate::simulator) fn next_version(&mut self) -> u64 {
        self.version += 1;
        self.version
    }

    /// Adds a row; an account belongs to no organisation of the generated world.
    pub(in crate::simulator) fn insert(
        &mut self,
        table: &Table,
        id: Uuid,
        now: u32,
        packed: Packed,
    ) {
        let version = self.next_version();
        if table.name == ACCOUNT.name {
            self.accounts.insert(id, version, now, packed);
            self.organisation_of_account.push(0);
        } else {
            self.contacts.insert(id, version, now, packed);
        }
        self.note(Message::Create, table, id);
    }

    /// Keeps a change, for those who are told of changes.
    pub(super) fn note(&mut self, message: Message, table: &Table, id: Uuid) {
        let rows = if table.name == ACCOUNT.name {
            &self.accounts
        } else {
            &self.contacts
        };
        let row = rows.get(id);
        let text = |name: &'static str| {
            let (column, _) = rows.table.column(name)?;
            let text = row.as_ref()?.packed.text(column)?;
            Some((name, text.to_owned()))
        };
        let notice = Notice {
            message,
            table: rows.table.name,
            id,
            by: OWNER,
            columns: TOLD.into_iter().filter_map(text).collect(),
        };
        self.told.push(notice);
    }

    /// Replaces the columns of a row.
    pub(in crate::simulator) fn replace(
        &mut self,
        table: &Table,
        place: Place,
        now: u32,
        packed: Packed,
    ) {
        let version = self.next_version();
        self.rows_mut(table).replace(place, version, now, packed);
        if let Some(id) = self.rows_mut(table).at(place).map(|row| row.id) {
            self.note(Message::Update, table, id);
        }
    }

    fn rows_mut(&mut self, table: &Table) -> &mut Rows {
        if table.name == ACCOUNT.name {
            &mut self.accounts
        } else {
            &mut self.contacts
        }
    }

    /// Deletes a contact.
    pub(in crate::simulator) fn delete_contact(&mut self, id: Uuid) -> Result<Uuid, ChangeError> {
        let place = self
            .contacts
            .place(id)
            .ok_or_else(|| absent("contact", &id))?;
        let version = self.next_version();
        self.contacts.delete(place, version);
        self.note(Message::Delete, &CONTACT, id);
        Ok(id)
    }

    /// Deletes an account; contacts and subsidiaries lose their parent.
    pub(in crate::simulator) fn delete_account(
        &mut self,
        id: Uuid,
        moment: Moment,
    ) -> Result<Uuid, ChangeError> {
        let place = self
            .accounts
            .place(id)
            .ok_or_else(|| absent("account", &id))?;
        self.reparent(id, None, moment);
        let version = self.next_version();
        self.accounts.delete(place, version);
        self.note(Message::Delete, &ACCOUNT, id);
        Ok(id)
    }

    /// Points contacts and subsidiaries of `from` to `to`, or to nothing.
    pub(super) fn reparent(&mut self, from: Uuid, to: Option<Uuid>, moment: Moment) {
        let target = to.map(|id| Value::Reference(Referenced::Account, id));
        for (in_contacts, name) in [(true, "parentcustomerid"), (false, "parentaccountid")] {
            let rows = if in_contacts {
                &self.contacts
            } else {
                &self.accounts
            };
            let Some((column, _)) = rows.table.column(name) else {
                continue;
            };
            let wanted = Some(ValueRef::Reference(Referenced::Account, from));
            let places: Vec<Place> = rows
                .from(0)
                .filter(|(_, row)| row.packed.get(column) == wanted)
                .map(|(place, _)| place)
                .collect();
            for place in places {
                let version = self.next_version();
                let rows = if in_contacts {
                    &mut self.contacts
                } else {
                    &mut self.accounts
                };
                edit(
                    rows,
                    place,
                    version,
                    moment.now,
                    vec![(name, target.clone())],
                );
            }
        }
    }
}
