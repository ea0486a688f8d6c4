//! Mistakes in the settings that only the room behind a setting can see. They are reported together with all others.

use std::path::Path;

use secrecy::ExposeSecret;

use super::build::callback_settings;
use crate::config::{Config, ConfigError, EnvironmentKind};
use crate::identity::key_ring::KeyRing;
use crate::net::address_policy::AddressPolicy;
use crate::net::callback_hosts::HostSettingError;

/// Reads the settings of this process.
///
/// # Errors
/// Every mistake at once.
pub fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
    Config::load_checked(file, std::env::vars().collect(), mistakes)
}

/// What is wrong, each beginning with its key.
#[must_use]
pub fn mistakes(config: &Config) -> Vec<String> {
    let ring = &config.keys.ring;
    let mut mistakes: Vec<String> = ring
        .iter()
        .enumerate()
        .filter(|(_, key)| KeyRing::parse(std::slice::from_ref(key)).is_err())
        .map(|(index, _)| {
            format!(
                "keys.ring: key number {} is not `name:base64 of 32 bytes`, with a name of 1 to 40 letters, digits, \
                 `-`, `.` or `_`; `openssl rand -base64 32` makes the second half",
                index + 1
            )
        })
        .collect();
    if mistakes.is_empty()
        && !ring.is_empty()
        && let Err(error) = KeyRing::parse(ring)
    {
        mistakes.push(format!("keys.ring: {error}"));
    }
    if config.environment.kind == EnvironmentKind::Production {
        mistakes.extend(known_secrets(config));
    }
    if let Err(errors) = AddressPolicy::new(&callback_settings(config)) {
        let key = |error: &HostSettingError| match error {
            HostSettingError::Host(_) => "further_hosts",
            HostSettingError::Environment(_) => "environments",
        };
        let named = |error| format!("callbacks.{}: {error}", key(error));
        mistakes.extend(errors.iter().map(named));
    }
    mistakes
}

/// Secrets that anybody may know: those of the stand-ins and of examples, keys that were not drawn by chance, and the key
/// that a development environment makes for itself.
fn known_secrets(config: &Config) -> Vec<String> {
    let mut mistakes = Vec::new();
    let mut refuse = |known: bool, text: String| {
        if known {
            mistakes.push(format!(
                "{text}, which a production environment does not allow"
            ));
        }
    };
    for (index, key) in config.keys.ring.iter().enumerate() {
        let number = index + 1;
        refuse(
            KeyRing::is_guessable(key),
            format!(
                "keys.ring: key number {number} was not drawn by chance or is a development key"
            ),
        );
    }
    let secret = config.dataverse.client_secret.expose_secret();
    refuse(
        is_known(secret),
        "dataverse.client_secret is one that everybody knows".to_owned(),
    );
    let webhooks = &config.dataverse.webhook_secrets;
    refuse(
        webhooks
            .iter()
            .any(|secret| is_known(secret.expose_secret())),
        "dataverse.webhook_secrets holds one that everybody knows".to_owned(),
    );
    if config.database.sqlite_file().is_none() {
        let password = config.database.url().expose_secret().parse::<url::Url>();
        let password = password
            .ok()
            .and_then(|url| url.password().map(str::to_owned));
        refuse(
            password.is_some_and(|password| is_known(&password)),
            "database.url has a password that everybody knows".to_owned(),
        );
    }
    mistakes
}

/// Whether a secret is one of the stand-ins', of examples, or one thing again and again.
fn is_known(secret: &str) -> bool {
    const OF_EXAMPLES: [&str; 8] = [
        "secret",
        "password",
        "postgres",
        "changeme",
        "example",
        "default",
        "provider-bridge",
        "test",
    ];
    let plain = secret.to_ascii_lowercase();
    let plain = plain.trim_matches(|char: char| !char.is_ascii_alphabetic());
    let first = secret.chars().next();
    secret.starts_with("simulated~")
        || OF_EXAMPLES.contains(&plain)
        || (!secret.is_empty() && secret.chars().all(|char| Some(char) == first))
}
