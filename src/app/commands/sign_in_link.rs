//! `sign-in-link`

use secrecy::ExposeSecret;

use crate::app::clock::system_context;
use crate::app::open::{open_current_store, operator};
use crate::app::output::{note, result};
use crate::config::Config;
use crate::domain::caller::Role;
use crate::identity::sessions::Sessions;

/// Makes a link and prints it.
///
/// # Errors
/// When the database refuses, or the input breaks a rule.
pub async fn run(config: &Config, name: &str, roles: Vec<Role>) -> anyhow::Result<()> {
    let store = open_current_store(config).await?;
    let sessions = Sessions::new(store, system_context());
    let secret = sessions
        .create_link(&operator(), name, roles.into_iter().collect())
        .await?;
    note("open this once, within 15 minutes:");
    result(link(&config.server.public_url, secret.expose_secret()));
    Ok(())
}

/// The address of a link. Its secret is in the fragment's place of a path, so that it stands in no query log.
#[must_use]
pub fn link(public_url: &url::Url, secret: &str) -> String {
    format!(
        "{}/sign-in/{secret}",
        public_url.as_str().trim_end_matches('/')
    )
}
