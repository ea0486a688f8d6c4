//! Writing the mirrored rows: one statement a chunk, no key twice in one.

use std::collections::BTreeMap;

use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::domain::account::{AccountState, DirectoryAccount, DirectoryContact};
use crate::domain::domain_name::DomainName;
use crate::domain::fold::fold;
use crate::domain::ids::{AccountId, ContactId};
use crate::domain::ports::crm::{ChangePage, DirectoryTable};
use crate::store::entities::{crm_account, crm_contact};
use crate::store::{StoreError, WriteTx, bulk};

/// Keeps a page of changes: rows come in or are replaced, deleted ones go. An id that comes twice counts as it came last;
/// one that is also deleted is gone.
///
/// # Errors
/// When the database refuses.
pub async fn keep(tx: &WriteTx, page: &ChangePage, generation: i64) -> Result<(), StoreError> {
    let accounts: BTreeMap<Uuid, &DirectoryAccount> = page
        .accounts
        .iter()
        .map(|it| (it.id.as_uuid(), it))
        .collect();
    let accounts = accounts.values().map(|it| account_row(it, generation));
    bulk::insert_or(tx, accounts, replaced_account()).await?;
    let contacts: BTreeMap<Uuid, &DirectoryContact> = page
        .contacts
        .iter()
        .map(|it| (it.id.as_uuid(), it))
        .collect();
    let contacts = contacts.values().map(|it| contact_row(it, generation));
    bulk::insert_or(tx, contacts, replaced_contact()).await?;
    for chunk in page.deleted_accounts.chunks(bulk::IDS_AT_ONCE) {
        crm_account::Entity::delete_many()
            .filter(crm_account::Column::Id.is_in(chunk.iter().map(|id| id.as_uuid())))
            .exec(&**tx)
            .await?;
    }
    for chunk in page.deleted_contacts.chunks(bulk::IDS_AT_ONCE) {
        crm_contact::Entity::delete_many()
            .filter(crm_contact::Column::Id.is_in(chunk.iter().map(|id| id.as_uuid())))
            .exec(&**tx)
            .await?;
    }
    Ok(())
}

fn replaced_account() -> OnConflict {
    use crm_account::Column;
    OnConflict::column(Column::Id)
        .update_columns([
            Column::Name,
            Column::NameFolded,
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
            Column::Generation,
        ])
        .to_owned()
}

fn replaced_contact() -> OnConflict {
    use crm_contact::Column;
    OnConflict::column(Column::Id)
        .update_columns([
            Column::AccountId,
            Column::EmailDomains,
            Column::Active,
            Column::RowVersion,
            Column::Generation,
        ])
        .to_owned()
}

fn account_row(account: &DirectoryAccount, generation: i64) -> crm_account::Model {
    crm_account::Model {
        id: account.id.as_uuid(),
        name: account.name.clone(),
        name_folded: fold(&account.name),
        state: account.state.name().to_owned(),
        merged_into: match account.state {
            AccountState::Merged(into) => Some(into.as_uuid()),
            AccountState::Active | AccountState::Inactive => None,
        },
        parent_id: account.parent_id.map(AccountId::as_uuid),
        web_domain: account.web_domain.as_ref().map(ToString::to_string),
        email_domains: joined(&account.email_domains),
        country: account.place.country.clone(),
        city: account.place.city.clone(),
        postal_code: account.place.postal_code.clone(),
        phone: account.place.phone.clone(),
        row_version: account.row_version,
        generation,
    }
}

fn contact_row(contact: &DirectoryContact, generation: i64) -> crm_contact::Model {
    crm_contact::Model {
        id: contact.id.as_uuid(),
        account_id: contact.account_id.map(AccountId::as_uuid),
        email_domains: joined(&contact.email_domains),
        active: contact.active,
        row_version: contact.row_version,
        generation,
    }
}

/// No domain has a space in it.
fn joined(domains: &[DomainName]) -> String {
    let names: Vec<&str> = domains.iter().map(DomainName::as_str).collect();
    names.join(" ")
}

/// Removes what a full reading, now at its end, did not show. Gives the number of rows.
///
/// # Errors
/// When the database refuses.
pub async fn remove_older(
    tx: &WriteTx,
    table: DirectoryTable,
    generation: i64,
) -> Result<u64, StoreError> {
    let removed = match table {
        DirectoryTable::Accounts => {
            crm_account::Entity::delete_many()
                .filter(crm_account::Column::Generation.lt(generation))
                .exec(&**tx)
                .await?
        }
        DirectoryTable::Contacts => {
            crm_contact::Entity::delete_many()
                .filter(crm_contact::Column::Generation.lt(generation))
                .exec(&**tx)
                .await?
        }
    };
    Ok(removed.rows_affected)
}

/// The Accounts that these Contacts (a thousand at most) belong to in the mirror.
///
/// # Errors
/// When the database refuses.
pub async fn accounts_of_contacts(
    connection: &impl ConnectionTrait,
    ids: &[ContactId],
) -> Result<Vec<AccountId>, StoreError> {
    use crm_contact::Column;
    let rows: Vec<Uuid> = crm_contact::Entity::find()
        .select_only()
        .distinct()
        .column(Column::AccountId)
        .filter(Column::Id.is_in(ids.iter().map(|id| id.as_uuid())))
        .filter(Column::AccountId.is_not_null())
        .into_tuple()
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(AccountId::new).collect())
}
