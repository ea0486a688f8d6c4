//! `api-keys create|list|revoke`

use secrecy::ExposeSecret;
use serde_json::json;

use crate::app::cli::ApiKeysCommand;
use crate::app::clock::system_context;
use crate::app::open::{open_current_store, operator};
use crate::app::output::{note, result};
use crate::config::Config;
use crate::identity::api_keys::ApiKeys;

/// Runs one of them.
///
/// # Errors
/// When the database refuses, or the input breaks a rule.
pub async fn run(config: &Config, command: ApiKeysCommand) -> anyhow::Result<()> {
    let store = open_current_store(config).await?;
    let keys = ApiKeys::new(store, system_context());
    let caller = operator();
    match command {
        ApiKeysCommand::Create { name, roles } => {
            let (key, text) = keys
                .create(&caller, &name, roles.into_iter().collect())
                .await?;
            note(format!(
                "key {} ({}); it is shown only this once:",
                key.id, key.name
            ));
            result(text.expose_secret());
        }
        ApiKeysCommand::List { json } => list(&keys.list(&caller).await?, json),
        ApiKeysCommand::Revoke { id } => {
            keys.revoke(&caller, id).await?;
            note(format!("key {id} is revoked"));
        }
    }
    Ok(())
}

fn list(keys: &[crate::domain::api_key::ApiKey], as_json: bool) {
    if as_json {
        let rows: Vec<_> = keys
            .iter()
            .map(|key| {
                json!({
                    "id": key.id, "name": key.name, "roles": key.roles, "createdAt": key.created_at,
                    "createdBy": key.created_by, "revokedAt": key.revoked_at, "lastUsedAt": key.last_used_at,
                })
            })
            .collect();
        result(json!(rows));
        return;
    }
    if keys.is_empty() {
        note("there is no key yet; make one with `provider-bridge api-keys create`");
    }
    for key in keys {
        let roles: Vec<_> = key.roles.iter().map(|role| role.name()).collect();
        let state = match key.revoked_at {
            Some(at) => format!("revoked {}", at.format("%Y-%m-%d %H:%M UTC")),
            None => "valid".to_owned(),
        };
        result(format!(
            "{}  {}  [{}]  {state}",
            key.id,
            key.name,
            roles.join(", ")
        ));
    }
}
