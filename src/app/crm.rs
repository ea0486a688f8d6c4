//! Connects the CRM: client, cached lookups and directory, and keeps the last two true when accounts change.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::broadcast::error::RecvError;
use url::Url;

use super::no_crm::NoCrm;
use super::telemetry::metrics_handle;
use crate::config::{Config, Dataverse};
use crate::crm::dataverse::{DataverseClient, DataverseSettings};
use crate::crm::directory::AccountDirectory;
use crate::crm::lookups::{CachedAccounts, LookupSettings};
use crate::domain::context::Context;
use crate::domain::ports::crm::{AccountLookup as _, Crm};
use crate::flows::Flows;
use crate::net::app_token::{AppCredential, AppTokens};
use crate::net::client::HttpClient;
use crate::store::Signal;

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
    // The counters of the lookups are bound to the recorder that is there when they are made.
    drop(metrics_handle());
    let section = &config.dataverse;
    let client: Arc<dyn Crm> = match section.org_url() {
        None => Arc::new(NoCrm),
        Some(org_url) => {
            let credential = credential(section, &config.entra.authority, &org_url)?;
            let tokens = Arc::new(AppTokens::new(http.clone(), context.clone(), credential));
            let settings = DataverseSettings {
                page_size: section.page_size,
                timeout: Duration::from_secs(config.http_client.timeout_seconds.max(1)),
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
    /// Keeps the cached lookups and the directory true to the mirror, whichever instance changes it, for as long as it
    /// runs.
    pub async fn watch(&self, flows: &Flows) {
        let mut signals = flows.store.signals().subscribe();
        // What was moved before we listened was told to nobody here.
        let mut outcome = flows.catch_up_once_complete().await;
        loop {
            if let Err(error) = outcome {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the directory could not follow the mirror; the next word makes up for it"
                );
            }
            outcome = match signals.recv().await {
                Ok(Signal::AccountsChanged(ids)) if !ids.is_empty() => {
                    for id in ids {
                        self.lookups.invalidate(id);
                    }
                    Ok(())
                }
                Ok(Signal::DirectoryMoved {
                    before,
                    after,
                    accounts,
                }) => flows.follow_move(before, after, &accounts).await,
                Ok(Signal::AccountsChanged(_)) | Err(RecvError::Lagged(_)) => {
                    self.lookups.invalidate_all();
                    flows.catch_up_once_complete().await
                }
                Ok(_) => Ok(()),
                Err(RecvError::Closed) => return,
            }
        }
    }
}
