//! Exceptions (D6): records that will break billing later. One open row per (kind, subject); each says how to mend it.

use serde::{Deserialize, Serialize};

/// The kinds there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExceptionKind {
    /// A mapping points to an Account that is gone, deactivated, or merged against one-to-one (B10).
    BrokenMapping,
    /// A trigger subscription was retired or suspended because its receiver keeps refusing.
    TriggerRefused,
    /// A webhook of Dynamics came with an unknown secret; it is not sent again (H4).
    WebhookRefused,
}

impl ExceptionKind {
    /// The name in the API and the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BrokenMapping => "broken-mapping",
            Self::TriggerRefused => "trigger-refused",
            Self::WebhookRefused => "webhook-refused",
        }
    }
}
