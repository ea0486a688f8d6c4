//! `[keys]`: the key ring that seals secrets at rest.

use secrecy::SecretString;
use serde::Deserialize;

use super::Section;

/// The key ring.
#[derive(Debug, Clone, Deserialize)]
pub struct Keys {
    /// `name:base64 of 32 bytes` each; the first is current.
    pub ring: Vec<SecretString>,
}

impl Section for Keys {
    const NAME: &'static str = "keys";
}
