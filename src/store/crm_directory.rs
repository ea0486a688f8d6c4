//! The mirror of the CRM's Accounts and Contacts (decision 6), and where its change feed goes on. Rows and cursor are
//! written together, so that a killed pull goes on where it was; a cursor is only moved by whoever saw the last one.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::WriteTx;
use super::entities::{crm_account, crm_contact, crm_feed};
use super::error::StoreError;
use crate::domain::account::{AccountState, DirectoryAccount, DirectoryContact};
use crate::domain::context::Context;
use crate::domain::domain_name::DomainName;
use crate::domain::fold::fold;
use crate::domain::ids::{AccountId, ContactId};
use crate::domain::ports::crm::{ChangeCursor, ChangePage, Directory, DirectoryTable};

/// Rows in a statement; an Account has ten columns of SQLite's 32,766 variables.
const CHUNK: usize = 1000;
/// Rows read at once when everything is loaded.
const LOAD: u64 = 10_000;

/// Where the feed of one table stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// The table.
    pub table: DirectoryTable,
    /// Where it goes on; `None` reads everything.
    pub cursor: Option<ChangeCursor>,
    /// Grows by one with each reading of everything.
    pub generation: i64,
    /// A reading of everything is under way: rows of older generations go when it ends.
    pub reading_everything: bool,
    /// When it was last moved; `None` before the first time.
    pub moved_at: Option<DateTime<Utc>>,
}

/// Where the feed of a table stands.
///
/// # Errors
/// When the database refuses.
pub async fn feed(
    connection: &impl ConnectionTrait,
    table: DirectoryTable,
) -> Result<Feed, StoreError> {
    let Some(row) = crm_feed::Entity::find_by_id(table.name())
        .one(connection)
        .await?
    else {
        return Ok(Feed {
            table,
            cursor: None,
            generation: 1,
            reading_everything: true,
            moved_at: None,
        });
    };
    let cursor = match (row.cursor_kind.as_deref(), row.cursor) {
        (Some("next"), Some(link)) => Some(ChangeCursor::Next(link)),
        (Some("delta"), Some(link)) => Some(ChangeCursor::Delta(link)),
        (None, _) => None,
        (Some(kind), _) => {
            return Err(StoreError::impossible(
                "crm_feed",
                "cursor_kind",
                row.table_name,
                kind,
            ));
        }
    };
    Ok(Feed {
        table,
        cursor,
        generation: row.generation,
        reading_everything: row.reading_everything,
        moved_at: Some(row.updated_at),
    })
}

/// Moves a feed on from where `from` saw it. Says whether it was still there; if not, somebody else moved it and the
/// caller's page must not be written.
///
/// # Errors
/// When the database refuses.
pub async fn move_feed(
    tx: &WriteTx,
    context: &Context,
    from: &Feed,
    to: &Feed,
) -> Result<bool, StoreError> {
    use crm_feed::Column;
    let now = context.now();
    let (kind, link) = match &to.cursor {
        None => (None, None),
        Some(ChangeCursor::Next(link)) => (Some("next".to_owned()), Some(link.clone())),
        Some(ChangeCursor::Delta(link)) => (Some("delta".to_owned()), Some(link.clone())),
    };
    let completed = matches!(to.cursor, Some(ChangeCursor::Delta(_)));
    let Some(moved_at) = from.moved_at else {
        let row = crm_feed::ActiveModel {
            table_name: Set(to.table.name().to_owned()),
            cursor_kind: Set(kind),
            cursor: Set(link),
            generation: Set(to.generation),
            reading_everything: Set(to.reading_everything),
            completed_at: Set(completed.then_some(now)),
            updated_at: Set(now),
        };
        let first = OnConflict::new().do_nothing().to_owned();
        let inserted = crm_feed::Entity::insert(row).on_conflict(first);
        return Ok(inserted.exec_without_returning(&**tx).await? == 1);
    };
    let mut update = crm_feed::Entity::update_many()
        .col_expr(Column::CursorKind, Expr::value(kind))
        .col_expr(Column::Cursor, Expr::value(link))
        .col_expr(Column::Generation, Expr::value(to.generation))
        .col_expr(
            Column::ReadingEverything,
            Expr::value(to.reading_everything),
        )
        .col_expr(Column::UpdatedAt, Expr::value(after(moved_at, now)));
    if completed {
        update = update.col_expr(Column::CompletedAt, Expr::value(Some(now)));
    }
    let moved = update
        .filter(Column::TableName.eq(to.table.name()))
        .filter(Column::UpdatedAt.eq(moved_at))
        .exec(&**tx)
        .await?;
    Ok(moved.rows_affected == 1)
}

/// The instant serves as the feed's version, so it must differ even when the clock stands still.
fn after(before: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    now.max(before + chrono::TimeDelta::microseconds(1))
}

/// Writes a page of changes. Gives the Accounts it concerns: those in it, and those whose Contacts are.
///
/// # Errors
/// When the database refuses.
pub async fn apply(
    tx: &WriteTx,
    page: &ChangePage,
    generation: i64,
) -> Result<Vec<AccountId>, StoreError> {
    let contact_ids: Vec<Uuid> = page
        .contacts
        .iter()
        .map(|contact| contact.id)
        .chain(page.deleted_contacts.iter().copied())
        .map(ContactId::as_uuid)
        .collect();
    let mut concerned: HashSet<AccountId> =
        page.accounts.iter().map(|account| account.id).collect();
    concerned.extend(page.deleted_accounts.iter().copied());
    concerned.extend(
        page.contacts
            .iter()
            .filter_map(|contact| contact.account_id),
    );
    concerned.extend(former_accounts(tx, &contact_ids).await?);
    upsert_accounts(tx, &page.accounts, generation).await?;
    upsert_contacts(tx, &page.contacts, generation).await?;
    for chunk in page.deleted_accounts.chunks(CHUNK) {
        let ids = chunk.iter().map(|id| id.as_uuid());
        crm_account::Entity::delete_many()
            .filter(crm_account::Column::Id.is_in(ids))
            .exec(&**tx)
            .await?;
    }
    for chunk in page.deleted_contacts.chunks(CHUNK) {
        let ids = chunk.iter().map(|id| id.as_uuid());
        crm_contact::Entity::delete_many()
            .filter(crm_contact::Column::Id.is_in(ids))
            .exec(&**tx)
            .await?;
    }
    Ok(concerned.into_iter().collect())
}

/// A Contact that moves or goes concerns the Account it leaves.
async fn former_accounts(tx: &WriteTx, contacts: &[Uuid]) -> Result<Vec<AccountId>, StoreError> {
    let mut accounts = Vec::new();
    for chunk in contacts.chunks(CHUNK) {
        let found: Vec<Option<Uuid>> = crm_contact::Entity::find()
            .select_only()
            .column(crm_contact::Column::AccountId)
            .filter(crm_contact::Column::Id.is_in(chunk.iter().copied()))
            .into_tuple()
            .all(&**tx)
            .await?;
        accounts.extend(found.into_iter().flatten().map(AccountId::new));
    }
    Ok(accounts)
}

fn joined(domains: &[DomainName]) -> String {
    domains
        .iter()
        .map(DomainName::as_str)
        .collect::<Vec<_>>()
        .join(" ")
}

async fn upsert_accounts(
    tx: &WriteTx,
    accounts: &[DirectoryAccount],
    generation: i64,
) -> Result<(), StoreError> {
    use crm_account::Column;
    // One statement must not hold a row twice; the last one of a page is the newest.
    let latest: HashMap<AccountId, &DirectoryAccount> = accounts
        .iter()
        .map(|account| (account.id, account))
        .collect();
    let latest: Vec<&DirectoryAccount> = latest.into_values().collect();
    let replace = OnConflict::column(Column::Id)
        .update_columns([
            Column::Name,
            Column::NameFolded,
            Column::State,
            Column::MergedInto,
            Column::ParentId,
            Column::WebDomain,
            Column::EmailDomains,
            Column::RowVersion,
            Column::Generation,
        ])
        .to_owned();
    for chunk in latest.chunks(CHUNK) {
        let rows = chunk.iter().map(|account| crm_account::ActiveModel {
            id: Set(account.id.as_uuid()),
            name: Set(account.name.clone()),
            name_folded: Set(fold(&account.name)),
            state: Set(account.state.name().to_owned()),
            merged_into: Set(match account.state {
                AccountState::Merged(into) => Some(into.as_uuid()),
                AccountState::Active | AccountState::Inactive => None,
            }),
            parent_id: Set(account.parent_id.map(AccountId::as_uuid)),
            web_domain: Set(account.web_domain.as_ref().map(ToString::to_string)),
            email_domains: Set(joined(&account.email_domains)),
            row_version: Set(account.row_version),
            generation: Set(generation),
        });
        crm_account::Entity::insert_many(rows)
            .on_conflict(replace.clone())
            .exec_without_returning(&**tx)
            .await?;
    }
    Ok(())
}

async fn upsert_contacts(
    tx: &WriteTx,
    contacts: &[DirectoryContact],
    generation: i64,
) -> Result<(), StoreError> {
    use crm_contact::Column;
    let latest: HashMap<ContactId, &DirectoryContact> = contacts
        .iter()
        .map(|contact| (contact.id, contact))
        .collect();
    let latest: Vec<&DirectoryContact> = latest.into_values().collect();
    let replace = OnConflict::column(Column::Id)
        .update_columns([
            Column::AccountId,
            Column::EmailDomains,
            Column::Active,
            Column::RowVersion,
            Column::Generation,
        ])
        .to_owned();
    for chunk in latest.chunks(CHUNK) {
        let rows = chunk.iter().map(|contact| crm_contact::ActiveModel {
            id: Set(contact.id.as_uuid()),
            account_id: Set(contact.account_id.map(AccountId::as_uuid)),
            email_domains: Set(joined(&contact.email_domains)),
            active: Set(contact.active),
            row_version: Set(contact.row_version),
            generation: Set(generation),
        });
        crm_contact::Entity::insert_many(rows)
            .on_conflict(replace.clone())
            .exec_without_returning(&**tx)
            .await?;
    }
    Ok(())
}

/// After a reading of everything: removes what it did not show, and gives it as a page of deletions.
///
/// # Errors
/// When the database refuses.
pub async fn remove_unseen(
    tx: &WriteTx,
    table: DirectoryTable,
    generation: i64,
) -> Result<ChangePage, StoreError> {
    let mut gone = ChangePage::default();
    match table {
        DirectoryTable::Accounts => {
            let old = crm_account::Column::Generation.lt(generation);
            let ids: Vec<Uuid> = crm_account::Entity::find()
                .select_only()
                .column(crm_account::Column::Id)
                .filter(old.clone())
                .into_tuple()
                .all(&**tx)
                .await?;
            crm_account::Entity::delete_many()
                .filter(old)
                .exec(&**tx)
                .await?;
            gone.deleted_accounts = ids.into_iter().map(AccountId::new).collect();
        }
        DirectoryTable::Contacts => {
            let old = crm_contact::Column::Generation.lt(generation);
            let ids: Vec<Uuid> = crm_contact::Entity::find()
                .select_only()
                .column(crm_contact::Column::Id)
                .filter(old.clone())
                .into_tuple()
                .all(&**tx)
                .await?;
            crm_contact::Entity::delete_many()
                .filter(old)
                .exec(&**tx)
                .await?;
            gone.deleted_contacts = ids.into_iter().map(ContactId::new).collect();
        }
    }
    Ok(gone)
}

/// Fills an empty directory with everything.
///
/// # Errors
/// When the database refuses, or a row cannot be read.
pub async fn load(
    connection: &impl ConnectionTrait,
    directory: &dyn Directory,
) -> Result<(), StoreError> {
    let mut after = Uuid::nil();
    loop {
        let rows = crm_account::Entity::find()
            .filter(crm_account::Column::Id.gt(after))
            .order_by_asc(crm_account::Column::Id)
            .limit(LOAD)
            .all(connection)
            .await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        let accounts = rows.into_iter().map(account).collect::<Result<_, _>>()?;
        directory.apply(&ChangePage {
            accounts,
            ..ChangePage::default()
        });
    }
    after = Uuid::nil();
    loop {
        let rows = crm_contact::Entity::find()
            .filter(crm_contact::Column::Id.gt(after))
            .order_by_asc(crm_contact::Column::Id)
            .limit(LOAD)
            .all(connection)
            .await?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = last.id;
        let contacts = rows.into_iter().map(contact).collect::<Result<_, _>>()?;
        directory.apply(&ChangePage {
            contacts,
            ..ChangePage::default()
        });
    }
}

fn account(row: crm_account::Model) -> Result<DirectoryAccount, StoreError> {
    let id = row.id;
    let impossible = |column, value: &str| StoreError::impossible("crm_account", column, id, value);
    let state = match (row.state.as_str(), row.merged_into) {
        ("active", _) => AccountState::Active,
        ("inactive", _) => AccountState::Inactive,
        ("merged", Some(into)) => AccountState::Merged(AccountId::new(into)),
        (other, _) => return Err(impossible("state", other)),
    };
    let web_domain = match &row.web_domain {
        None => None,
        Some(domain) => {
            Some(DomainName::parse(domain).map_err(|_| impossible("web_domain", domain))?)
        }
    };
    Ok(DirectoryAccount {
        id: AccountId::new(id),
        state,
        parent_id: row.parent_id.map(AccountId::new),
        web_domain,
        email_domains: split(&row.email_domains)
            .map_err(|domain| impossible("email_domains", &domain))?,
        row_version: row.row_version,
        name: row.name,
    })
}

fn contact(row: crm_contact::Model) -> Result<DirectoryContact, StoreError> {
    Ok(DirectoryContact {
        id: ContactId::new(row.id),
        account_id: row.account_id.map(AccountId::new),
        email_domains: split(&row.email_domains).map_err(|domain| {
            StoreError::impossible("crm_contact", "email_domains", row.id, domain)
        })?,
        active: row.active,
        row_version: row.row_version,
    })
}

fn split(domains: &str) -> Result<Vec<DomainName>, String> {
    domains
        .split_whitespace()
        .map(|domain| DomainName::parse(domain).map_err(|_| domain.to_owned()))
        .collect()
}
