//! Connects the CRM: client, cached lookups and directory, and keeps the last two true when accounts change.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::broadcast::error::RecvError;
use url::Url;

use super::no_crm::NoCrm;
use crate::config::{Config, Dataverse};
use crate::crm::dataverse::{DataverseClient, DataverseSettings};
use crate::crm::directory::AccountDirectory;
use crate::crm::lookups::{CachedAccounts, LookupSettings};
use crate::domain::context::Context;
use crate::domain::ports::crm::{AccountLookup as _, Crm};
use crate::net::app_token::{AppCredential, AppTokens};
use crate::net::client::HttpClient;
use crate::store::{Signal, Store};

/// The CRM's three faces.
#[derive(Clone)]
pub struct CrmParts {
    /// Live.
    pub client: Arc<dyn Crm>,
    /// Cached.
    pub lookups: Arc<CachedAccounts>,
    /// By domain, in memory.
    pub directory: Arc<AccountDirectory>,
}

/// Connects what the settings name; nothing is called yet.
///
/// # Errors
/// When the organisation's address will not do.
pub fn connect(config: &Config, context: &Context, http: &HttpClient) -> anyhow::Result<CrmParts> {
    let section = &config.dataverse;
    let client: Arc<dyn Crm> = match section.org_url() {
        None => Arc::new(NoCrm),
        Some(org_url) => {
            let credential = credential(section, &config.entra.authority, &org_url)?;
            let tokens = Arc::new(AppTokens::new(http.clone(), context.clone(), credential));
            let settings = DataverseSettings {
                page_size: section.page_size,
                ..DataverseSettings::new(org_url)
            };
            Arc::new(
                DataverseClient::new(http.clone(), tokens, context.clone(), settings)
                    .context("dataverse.org_url")?,
            )
        }
    };
    let settings = LookupSettings {
        max_accounts: section.cache_entries,
        account_fresh_for: Duration::from_secs(section.cache_seconds),
        ..LookupSettings::default()
    };
    let lookups = Arc::new(CachedAccounts::new(
        client.clone(),
        context.clone(),
        settings,
    ));
    Ok(CrmParts {
        client,
        lookups,
        directory: Arc::new(AccountDirectory::new()),
    })
}

fn credential(
    section: &Dataverse,
    authority: &Url,
    org_url: &Url,
) -> anyhow::Result<AppCredential> {
    let mut token_url = authority.clone();
    token_url
        .path_segments_mut()
        .map_err(|()| anyhow::anyhow!("entra.authority cannot have a path"))?
        .pop_if_empty()
        .extend([section.tenant.as_str(), "oauth2", "v2.0", "token"]);
    Ok(AppCredential {
        token_url,
        client_id: section.client_id.clone(),
        client_secret: section.client_secret.clone(),
        scope: format!("{}/.default", org_url.as_str().trim_end_matches('/')),
    })
}

impl CrmParts {
    /// Forgets looked-up accounts whenever the mirror shows that they changed, in any instance, for as long as it runs.
    pub async fn watch(&self, store: &Store) {
        let mut signals = store.signals().subscribe();
        loop {
            match signals.recv().await {
                Ok(Signal::AccountsChanged(ids)) if !ids.is_empty() => {
                    for id in ids {
                        self.lookups.invalidate(id);
                    }
                }
                Ok(Signal::AccountsChanged(_)) | Err(RecvError::Lagged(_)) => {
                    self.lookups.invalidate_all();
                }
                Ok(_) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }
}
