//! The query of a request. Parameters that an operation does not know never come so far ([`super::unknown`]).

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use super::refusal::{Place, of_query};
use crate::http::problem::{Outcome, Problem};

/// The query parameters as a `T`.
#[derive(Debug)]
pub struct Question<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Question<T> {
    type Error = Problem;
    type Future = Ready<Outcome<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let pairs = form_urlencoded::parse(request.query_string().as_bytes());
        let read = serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs));
        ready(read.map(Self).map_err(|error| {
            let path = error.path().to_string();
            Problem::invalid(of_query(&Place::Query, &path, error.inner()))
        }))
    }
}
