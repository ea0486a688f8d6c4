//! A query or a form that cannot be read, said on a page: a person reads it, so it must not be JSON.

use actix_web::Error;
use actix_web::error::{InternalError, QueryPayloadError, UrlencodedError};
use actix_web::http::StatusCode;
use actix_web::web::{FormConfig, QueryConfig, ServiceConfig};

use super::door;

/// Makes the pages' extractors refuse with a page. The API reads with its own.
pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .app_data(QueryConfig::default().error_handler(|error, _| query(error)))
        .app_data(FormConfig::default().error_handler(|error, _| form(error)));
}

fn query(error: QueryPayloadError) -> Error {
    let text = "The address has a part that cannot be read, so nothing was done. Open the page from a link, or from the start.";
    refused(error, StatusCode::BAD_REQUEST, text)
}

fn form(error: UrlencodedError) -> Error {
    let (status, text) = match &error {
        UrlencodedError::Overflow { .. } => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "The form is larger than allowed, so nothing was done. Go back and send less.",
        ),
        UrlencodedError::ContentType => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "This is not a form of these pages, so nothing was done. Open the page again and repeat what you did.",
        ),
        _ => (
            StatusCode::BAD_REQUEST,
            "The form has a field that is missing or cannot be read, so nothing was done. Open the page again and repeat what \
             you did.",
        ),
    };
    refused(error, status, text)
}

fn refused(
    error: impl std::fmt::Debug + std::fmt::Display + 'static,
    status: StatusCode,
    text: &str,
) -> Error {
    let page = door::outside(status, "The request cannot be understood", text, None);
    InternalError::from_response(error, page).into()
}
