//! The Dataverse Web API v9.2: reading, and creating Accounts. What surprises there: paging links are opaque and carry a cookie that is encoded
//! twice; lookups read as `_name_value`; a throttled answer wants its `Retry-After` honoured or the wait grows; and rows
//! hold more of a person than we may keep, so every request names its columns (`$select`).
//! (Microsoft: "Compose HTTP requests", "Page results", "Use change tracking", "Service protection API limits".)

mod changes;
mod create;
mod links;
mod own_user;
mod refusal;
mod rows;
mod search;
mod transport;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use url::Url;

use self::links::Organisation;
use self::own_user::OwnUser;
use self::transport::{Call, Row, Transport};
use crate::domain::account::{Account, NewAccount};
use crate::domain::context::Context;
use crate::domain::ids::AccountId;
use crate::domain::ports::crm::{
    ChangeCursor, ChangeFeedError, ChangePage, Crm, CrmError, DirectoryTable,
};
use crate::domain::verify::VerifyReport;
use crate::net::app_token::AppTokens;
use crate::net::backoff::RetryPolicy;
use crate::net::client::HttpClient;

/// How to talk to one organisation (environment) of Dataverse.
#[derive(Debug, Clone)]
pub struct DataverseSettings {
    /// Its address, e.g. `https://contoso.crm4.dynamics.com`. Links to anywhere else are refused.
    pub org_url: Url,
    /// Rows a page of the change feed; Dataverse gives 5,000 at most.
    pub page_size: u32,
    /// For one call, its body included.
    pub timeout: Duration,
    /// How often and how long a page of the change feed is tried; a Job waits for it.
    pub retry: RetryPolicy,
    /// The same for one Account or a search; somebody waits for it.
    pub interactive_retry: RetryPolicy,
    /// Calls at once; Dataverse refuses the 53rd of one user.
    pub max_concurrent: usize,
    /// Calls a minute; Dataverse allows 6,000 in five. Zero lifts it.
    pub requests_per_minute: u32,
}

impl DataverseSettings {
    /// The defaults, for an organisation.
    #[must_use]
    pub fn new(org_url: Url) -> Self {
        Self {
            org_url,
            page_size: 5_000,
            timeout: Duration::from_secs(100),
            retry: RetryPolicy::default(),
            interactive_retry: RetryPolicy {
                tries: 3,
                first_delay: Duration::from_millis(250),
                max_delay: Duration::from_secs(5),
                total: Duration::from_secs(20),
            },
            max_concurrent: 16,
            requests_per_minute: 1_000,
        }
    }
}

/// Live access to one organisation.
pub struct DataverseClient {
    transport: Transport,
    organisation: Organisation,
    own_user: OwnUser,
    page_size: u32,
}

impl DataverseClient {
    /// Makes the client; nothing is sent yet.
    ///
    /// # Errors
    /// When the organisation's address is not the root of an http(s) host.
    pub fn new(
        http: HttpClient,
        tokens: Arc<AppTokens>,
        context: Context,
        settings: DataverseSettings,
    ) -> Result<Self, CrmError> {
        let organisation = Organisation::new(&settings.org_url)?;
        Ok(Self {
            page_size: settings.page_size.clamp(1, 5_000),
            own_user: OwnUser::default(),
            transport: Transport::new(http, tokens, context, &organisation, &settings),
            organisation,
        })
    }
}

#[async_trait]
impl Crm for DataverseClient {
    async fn read_account(
        &self,
        id: AccountId,
        known: Option<&Account>,
    ) -> Result<Option<Account>, CrmError> {
        let known = known.filter(|account| account.id == id && !account.etag.is_empty());
        let path = format!("accounts({id})");
        let url = self
            .organisation
            .query(&path, &[("$select", rows::ACCOUNT_COLUMNS)]);
        let mut call = Call::new("reading an account", url);
        call.known_etag = known.map(|account| account.etag.clone());
        match (self.transport.get(&call).await, known) {
            (Ok(answer), Some(known)) if answer.status.as_u16() == 304 => Ok(Some(known.clone())),
            (Ok(answer), _) => self.transport.understand(&call, &answer, |row: Row| {
                let account = rows::account(&row)?;
                (account.id == id).then_some(Some(account))
            }),
            (Err(failure), _) if failure.no_such_row() => Ok(None),
            (Err(failure), _) => Err(failure.error),
        }
    }

    async fn search_accounts(&self, text: &str, top: usize) -> Result<Vec<Account>, CrmError> {
        search::search(&self.transport, &self.organisation, text, top).await
    }

    async fn changes(
        &self,
        table: DirectoryTable,
        cursor: Option<&ChangeCursor>,
    ) -> Result<ChangePage, ChangeFeedError> {
        changes::page(
            &self.transport,
            &self.organisation,
            self.page_size,
            table,
            cursor,
        )
        .await
    }

    async fn create_account(&self, id: AccountId, new: &NewAccount) -> Result<bool, CrmError> {
        // The notice of what is created comes at once, and is known as ours only by this. Not knowing it costs a reading.
        if let Err(error) = self.learn_own_user().await {
            let error = &error as &dyn std::error::Error;
            tracing::debug!(error, "the CRM did not say who we are");
        }
        create::account(&self.transport, &self.organisation, id, new).await
    }

    fn own_user(&self) -> Option<uuid::Uuid> {
        self.own_user.known()
    }

    async fn learn_own_user(&self) -> Result<(), CrmError> {
        let learnt = self.own_user.learn(&self.transport, &self.organisation);
        learnt.await.map(drop).map_err(|failure| failure.error)
    }

    async fn verify(&self) -> VerifyReport {
        verify::report(&self.transport, &self.organisation, &self.own_user).await
    }
}

impl std::fmt::Debug for DataverseClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DataverseClient")
            .field("organisation", &self.organisation)
            .finish_non_exhaustive()
    }
}
