//! Verify Connectivity (A3): the steps of a live test, and which one fails.

use serde::{Deserialize, Serialize};

/// One step of a live test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifyStep {
    /// What was tested, e.g. "token issued".
    pub name: String,
    /// Whether it passed. A step after a failed one is not run and not listed.
    pub passed: bool,
    /// What was found, or why it failed and what to do about it.
    pub detail: String,
}

/// The whole test. The first failed step, if any, is the last one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifyReport {
    /// Whether every step passed.
    pub passed: bool,
    /// The steps in the order they ran.
    pub steps: Vec<VerifyStep>,
}

impl VerifyReport {
    /// Makes the report of its steps.
    #[must_use]
    pub fn of(steps: Vec<VerifyStep>) -> Self {
        Self {
            passed: !steps.is_empty() && steps.iter().all(|step| step.passed),
            steps,
        }
    }
}
