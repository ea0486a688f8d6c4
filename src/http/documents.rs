//! The documents that are served as they are. `app` makes them at start and hands them in: this room does not know the
//! connector.

use actix_web::web::Bytes;
use serde_json::Value;

/// Documents ready to be sent.
pub struct Documents {
    /// OpenAPI 3.1.
    pub openapi: Bytes,
    /// Swagger 2.0 of the connector; empty when there is none.
    pub connector: Bytes,
}

impl Documents {
    /// The documents of this API: the OpenAPI document and the connector's definition derived from it.
    #[must_use]
    pub fn new(openapi: &Value, connector: Option<&Value>) -> Self {
        let text = |value: &Value| Bytes::from(format!("{value:#}\n"));
        Self {
            openapi: text(openapi),
            connector: connector.map(text).unwrap_or_default(),
        }
    }
}
