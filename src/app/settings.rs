//! Mistakes in the settings that only the room behind a setting can see. They are reported together with all others.

use std::path::Path;

use super::build::callback_settings;
use crate::config::{Config, ConfigError};
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
