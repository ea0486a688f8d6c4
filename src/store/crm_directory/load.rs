//! Reading the mirrored rows: everything in batches by id, so that a million rows need not be in memory twice, or a few
//! Accounts with their Contacts.

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use uuid::Uuid;

use crate::domain::account::{AccountState, DirectoryAccount, DirectoryContact, Place};
use crate::domain::domain_name::DomainName;
use crate::domain::ids::{AccountId, ContactId};
use crate::domain::ports::crm::{ChangePage, DirectoryTable};
use crate::store::StoreError;
use crate::store::entities::{crm_account, crm_contact};

/// Rows of one batch.
const ROWS: u64 = 10_000;

type AccountTuple = (
    Uuid,
    String,
    String,
    Option<Uuid>,
    Option<Uuid>,
    Option<String>,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    i64,
);
type ContactTuple = (Uuid, Option<Uuid>, String, bool, i64);

/// Where a reading of a mirrored table stands.
#[derive(Debug, Clone, Copy)]
pub struct Batch {
    table: DirectoryTable,
    after: Option<Uuid>,
}

impl Batch {
    /// The first batch of a table.
    #[must_use]
    pub const fn first(table: DirectoryTable) -> Self {
        Self { table, after: None }
    }

    /// Reads the batch, and says where the next one begins; `None` after the last.
    ///
    /// # Errors
    /// When the database refuses, or a row is impossible.
    pub async fn read(
        self,
        connection: &impl ConnectionTrait,
    ) -> Result<(ChangePage, Option<Self>), StoreError> {
        let mut page = ChangePage::default();
        let (rows, last) = match self.table {
            DirectoryTable::Accounts => {
                let mut query = accounts();
                if let Some(after) = self.after {
                    query = query.filter(crm_account::Column::Id.gt(after));
                }
                query = query.order_by_asc(crm_account::Column::Id).limit(ROWS);
                let rows: Vec<AccountTuple> = query.into_tuple().all(connection).await?;
                page.accounts = rows.into_iter().map(to_account).collect::<Result<_, _>>()?;
                (
                    page.accounts.len(),
                    page.accounts.last().map(|it| it.id.as_uuid()),
                )
            }
            DirectoryTable::Contacts => {
                let mut query = contacts();
                if let Some(after) = self.after {
                    query = query.filter(crm_contact::Column::Id.gt(after));
                }
                query = query.order_by_asc(crm_contact::Column::Id).limit(ROWS);
                let rows: Vec<ContactTuple> = query.into_tuple().all(connection).await?;
                page.contacts = rows.into_iter().map(to_contact).collect::<Result<_, _>>()?;
                (
                    page.contacts.len(),
                    page.contacts.last().map(|it| it.id.as_uuid()),
                )
            }
        };
        let more = rows as u64 == ROWS;
        let next = Self {
            table: self.table,
            after: last,
        };
        Ok((page, more.then_some(next)))
    }
}

/// These Accounts (a thousand at most) and their Contacts.
///
/// # Errors
/// When the database refuses, or a row is impossible.
pub async fn of_accounts(
    connection: &impl ConnectionTrait,
    ids: &[AccountId],
) -> Result<ChangePage, StoreError> {
    let wanted: Vec<Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
    let found: Vec<AccountTuple> = accounts()
        .filter(crm_account::Column::Id.is_in(wanted.iter().copied()))
        .into_tuple()
        .all(connection)
        .await?;
    let theirs: Vec<ContactTuple> = contacts()
        .filter(crm_contact::Column::AccountId.is_in(wanted))
        .into_tuple()
        .all(connection)
        .await?;
    Ok(ChangePage {
        accounts: found
            .into_iter()
            .map(to_account)
            .collect::<Result<_, _>>()?,
        contacts: theirs
            .into_iter()
            .map(to_contact)
            .collect::<Result<_, _>>()?,
        ..ChangePage::default()
    })
}

fn accounts() -> Select<crm_account::Entity> {
    use crm_account::Column;
    crm_account::Entity::find().select_only().columns([
        Column::Id,
        Column::Name,
        Column::State,
        Column::MergedInto,
        Column::ParentId,
        Column::WebDomain,
        Column::EmailDomains,
        Column::Country,
        Column::City,
        Column::PostalCode,
        Column::Phone,
        Column::RowVersion,
    ])
}

fn contacts() -> Select<crm_contact::Entity> {
    use crm_contact::Column;
    crm_contact::Entity::find().select_only().columns([
        Column::Id,
        Column::AccountId,
        Column::EmailDomains,
        Column::Active,
        Column::RowVersion,
    ])
}

fn to_account(row: AccountTuple) -> Result<DirectoryAccount, StoreError> {
    let (
        id,
        name,
        state,
        merged_into,
        parent_id,
        web_domain,
        email_domains,
        country,
        city,
        postal_code,
        phone,
        row_version,
    ) = row;
    let impossible = |column, value: &str| StoreError::impossible("crm_account", column, id, value);
    Ok(DirectoryAccount {
        id: AccountId::new(id),
        name,
        state: AccountState::from_name(&state, merged_into.map(AccountId::new))
            .ok_or_else(|| impossible("state", &state))?,
        parent_id: parent_id.map(AccountId::new),
        web_domain: web_domain
            .map(|text| DomainName::parse(&text).map_err(|_| impossible("web_domain", &text)))
            .transpose()?,
        email_domains: domains(&email_domains)
            .ok_or_else(|| impossible("email_domains", &email_domains))?,
        place: Place {
            country,
            city,
            postal_code,
            phone,
        },
        row_version,
    })
}

fn to_contact(row: ContactTuple) -> Result<DirectoryContact, StoreError> {
    let (id, account_id, email_domains, active, row_version) = row;
    Ok(DirectoryContact {
        id: ContactId::new(id),
        account_id: account_id.map(AccountId::new),
        email_domains: domains(&email_domains).ok_or_else(|| {
            StoreError::impossible("crm_contact", "email_domains", id, &email_domains)
        })?,
        active,
        row_version,
    })
}

fn domains(text: &str) -> Option<Vec<DomainName>> {
    text.split_whitespace()
        .map(|name| DomainName::parse(name).ok())
        .collect()
}
