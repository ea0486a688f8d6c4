//! The change feed: everything once, then what changed since. Dataverse hands out a delta link at the end of each reading
//! and forgets it after some days (7 by default). Reading a table needs organisation-wide Read, and change tracking
//! switched on for it, which it is for accounts and contacts unless somebody turned it off.

use serde::Deserialize;

use super::links::Organisation;
use super::rows;
use super::transport::{Call, Row, Transport};
use crate::domain::ids::{AccountId, ContactId};
use crate::domain::ports::crm::{
    ChangeCursor, ChangeFeedError, ChangePage, CrmError, DirectoryTable,
};
use crate::domain::ports::provider::FailureKind;

#[derive(Deserialize)]
struct Page {
    value: Vec<serde_json::Value>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
    #[serde(rename = "@odata.deltaLink")]
    delta: Option<String>,
}

/// The first request of a reading.
pub(super) fn first(organisation: &Organisation, page_size: u32, table: DirectoryTable) -> Call {
    let (what, columns) = match table {
        DirectoryTable::Accounts => (
            "reading the changes of accounts",
            rows::DIRECTORY_ACCOUNT_COLUMNS,
        ),
        DirectoryTable::Contacts => (
            "reading the changes of contacts",
            rows::DIRECTORY_CONTACT_COLUMNS,
        ),
    };
    let mut prefer = format!("odata.track-changes,odata.maxpagesize={page_size}");
    if table == DirectoryTable::Contacts {
        prefer.push_str(&format!(
            ",odata.include-annotations=\"{}\"",
            rows::LOOKUP_KIND
        ));
    }
    let mut call = Call::new(
        what,
        organisation.query(table.name(), &[("$select", columns)]),
    );
    call.prefer = Some(prefer);
    call.patient = true;
    call
}

/// One page.
pub(super) async fn page(
    transport: &Transport,
    organisation: &Organisation,
    page_size: u32,
    table: DirectoryTable,
    cursor: Option<&ChangeCursor>,
) -> Result<ChangePage, ChangeFeedError> {
    let mut call = first(organisation, page_size, table);
    if let Some(ChangeCursor::Next(link) | ChangeCursor::Delta(link)) = cursor {
        // Links are checked when they come; one that was kept and leads elsewhere is of another organisation than ours
        // is now, and of no use.
        call.url = organisation
            .own_link(link)
            .ok_or(ChangeFeedError::Expired)?;
    }
    let answer = transport.get(&call).await.map_err(|failure| {
        if cursor.is_some() && failure.expired() {
            ChangeFeedError::Expired
        } else {
            ChangeFeedError::Failed(failure.error)
        }
    })?;
    let body: Page = transport.understand(&call, &answer, Some)?;
    let refuse = |kind: FailureKind, message: &str| {
        ChangeFeedError::Failed(CrmError {
            kind,
            message: format!("{} failed: {message}", call.what),
            code: None,
            retry_after: None,
        })
    };
    let cursor = match (body.next, body.delta) {
        (Some(next), _) if next == call.url.as_str() => {
            return Err(refuse(
                FailureKind::Protocol,
                "a page names itself as the next one",
            ));
        }
        (Some(next), _) => ChangeCursor::Next(next),
        (None, Some(delta)) => ChangeCursor::Delta(delta),
        (None, None) => {
            return Err(refuse(
                FailureKind::Protocol,
                "the answer ends without a delta link; switch change tracking on for the table",
            ));
        }
    };
    let (ChangeCursor::Next(link) | ChangeCursor::Delta(link)) = &cursor;
    if organisation.own_link(link).is_none() {
        // Somebody must look at it: the settings may name the organisation by another of its names, or somebody in between
        // would like to have our token.
        return Err(refuse(
            FailureKind::Configuration,
            "its next or delta link leads off the organisation's host and is not followed; check that the \
             organisation's address is the one that its Web API uses itself, and what lies between",
        ));
    }
    let mut page = decode(table, &body.value);
    page.cursor = Some(cursor);
    Ok(page)
}

fn decode(table: DirectoryTable, values: &[serde_json::Value]) -> ChangePage {
    let mut page = ChangePage::default();
    let mut unreadable = 0_usize;
    for row in values.iter().map(serde_json::Value::as_object) {
        let read = row.is_some_and(|row| take(table, row, &mut page));
        unreadable += usize::from(!read);
    }
    if unreadable > 0 {
        tracing::warn!(
            table = table.name(),
            unreadable,
            "rows of the change feed could not be read"
        );
    }
    page
}

fn take(table: DirectoryTable, row: &Row, page: &mut ChangePage) -> bool {
    match (table, rows::deleted(row)) {
        (DirectoryTable::Accounts, Some(id)) => page.deleted_accounts.push(AccountId::new(id)),
        (DirectoryTable::Contacts, Some(id)) => page.deleted_contacts.push(ContactId::new(id)),
        (DirectoryTable::Accounts, None) => match rows::directory_account(row) {
            Some(account) => page.accounts.push(account),
            None => return false,
        },
        (DirectoryTable::Contacts, None) => match rows::directory_contact(row) {
            Some(contact) => page.contacts.push(contact),
            None => return false,
        },
    }
    true
}
