//! The Power Platform connector, made from the API's own description (H1).
//!
//! The OpenAPI 3.1 document that the routes declare is the only source: [`mod@lower`] says it again as the Swagger 2.0
//! that Power Automate, Power Apps and Copilot Studio accept, and [`package`] puts the files beside it that the
//! platform's command line and its certification want. Nothing here knows an operation by name, so a new route is a new
//! action without a line changed in this room. What would surprise: what the platform needs beyond OpenAPI (names for
//! people, paging policies, visibility) is derived or read from `x-ms-*` extensions in the document, never kept in a
//! list here.

pub mod export;
pub mod host;
pub mod lower;
pub mod package;

pub use host::{Host, HostError};
pub use lower::{LowerError, lower};
