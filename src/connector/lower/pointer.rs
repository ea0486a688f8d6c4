//! Where something stands in the source document, as a JSON Pointer (RFC 6901), and the error that names the place.

use std::fmt;

/// A JSON Pointer into the OpenAPI document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pointer(String);

impl Pointer {
    /// The whole document.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// The member or element `name` below this place.
    #[must_use]
    pub fn child(&self, name: impl fmt::Display) -> Self {
        let name = name.to_string().replace('~', "~0").replace('/', "~1");
        Self(format!("{}/{name}", self.0))
    }

    /// The pointer as text; empty for the whole document.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The pointer that a local reference such as `#/components/schemas/Job` means.
    #[must_use]
    pub fn of_reference(reference: &str) -> Option<Self> {
        reference
            .strip_prefix('#')
            .map(|pointer| Self(pointer.to_owned()))
    }

    /// An error about what stands here.
    #[must_use]
    pub fn refuse(&self, problem: impl Into<String>) -> LowerError {
        LowerError {
            pointer: self.0.clone(),
            problem: problem.into(),
        }
    }
}

/// Something in the document that Swagger 2.0, as Power Platform reads it, cannot say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the connector cannot express #{pointer} of the OpenAPI document: {problem}")]
pub struct LowerError {
    /// JSON Pointer of the place in the OpenAPI document.
    pub pointer: String,
    /// What is wrong there and what would do instead.
    pub problem: String,
}
