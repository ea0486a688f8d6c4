//! `[environment]`: one deployment is one environment (A4).

use serde::Deserialize;

use super::Section;

/// What kind of environment a deployment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EnvironmentKind {
    /// Real customers, real money. No development shortcuts.
    Production,
    /// A sandbox partner tenant.
    Sandbox,
    /// Somebody's machine.
    Development,
}

/// Name and kind of this deployment.
#[derive(Debug, Clone, Deserialize)]
pub struct Environment {
    /// Stands in every event and on every page.
    pub name: String,
    /// Its kind.
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
