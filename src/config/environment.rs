//! `[environment]`: one deployment is one environment (A4).

use std::str::FromStr;

use serde::Deserialize;

use super::Section;

/// What kind of environment a deployment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvironmentKind {
    /// Real customers, real money. No development shortcuts.
    Production,
    /// A sandbox partner tenant.
    Sandbox,
    /// Somebody's machine.
    Development,
}

impl FromStr for EnvironmentKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "production" => Ok(Self::Production),
            "sandbox" => Ok(Self::Sandbox),
            "development" => Ok(Self::Development),
            _ => Err(()),
        }
    }
}

fn kind<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<EnvironmentKind, D::Error> {
    let wanted = "kind of environment: use production, sandbox or development";
    super::from_text(deserializer, wanted)
}

/// Name and kind of this deployment.
#[derive(Debug, Clone, Deserialize)]
pub struct Environment {
    /// Stands in every event and on every page.
    pub name: String,
    /// Its kind.
    #[serde(deserialize_with = "kind")]
    pub kind: EnvironmentKind,
}

impl Section for Environment {
    const NAME: &'static str = "environment";

    fn mistakes(&self) -> Vec<String> {
        if self.name.trim().is_empty() || self.name.len() > 60 {
            return vec!["name must have 1 to 60 characters".to_owned()];
        }
        Vec::new()
    }
}
