//! What a handler knows of the call: who, through which channel, under which correlation id. [`super::gate`] puts it into the
//! request; a handler that asks for it on a path the gate does not guard gets 401.

use std::future::{Ready, ready};
use std::str::FromStr;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use super::problem::{Outcome, Problem, ProblemCode};
use crate::domain::caller::Caller;

/// The headers in which Power Platform and Dataverse name a call on their side, in the order they are asked.
pub const CORRELATION_HEADERS: [&str; 2] = ["x-ms-client-request-id", "x-ms-correlation-id"];
const LONGEST_CORRELATION_ID: usize = 128;

/// An authenticated call.
#[derive(Clone)]
pub struct Call {
    /// The caller, as flows see it.
    pub caller: Arc<Caller>,
    /// Poll tokens show a Job to whoever follows its Location; every other credential shows all that its roles allow.
    pub by_poll_token: bool,
}

impl FromRequest for Call {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let call = request.extensions().get::<Self>().cloned();
        ready(
            call.ok_or_else(|| {
                Problem::new(ProblemCode::Unauthenticated, super::credential::MISSING)
            }),
        )
    }
}

/// The caller's own name for the call, if it is one that can be kept.
#[must_use]
pub fn correlation_id(headers: &HeaderMap) -> Option<String> {
    CORRELATION_HEADERS
        .into_iter()
        .filter_map(|name| headers.get(name)?.to_str().ok())
        .map(str::trim)
        .find(|id| {
            (1..=LONGEST_CORRELATION_ID).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_graphic())
        })
        .map(str::to_owned)
}

/// The id in the path. Every path has at most one.
pub struct PathId<T>(pub T);

impl<T: FromStr<Err: std::fmt::Display>> FromRequest for PathId<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let text = request
            .match_info()
            .iter()
            .next()
            .map(|(_, text)| text)
            .unwrap_or_default();
        ready(match text.parse() {
            Ok(id) => Ok(Self(id)),
            Err(error) => Err(Problem::invalid(format!(
                "The path cannot be read: {error}."
            ))),
        })
    }
}

/// The versions in `If-Match`, where the caller sent some: the `ETag`s of what it read. `None` asks for nothing.
pub struct IfMatch(Option<Vec<i64>>);

/// No version has this number, so that what expects it is refused as stale.
const NO_VERSION: i64 = -1;

impl IfMatch {
    /// The one version to insist on. Of several, it is the present one if it is among them.
    ///
    /// # Errors
    /// Those of `present`, which is asked only for a list.
    pub async fn expected(
        &self,
        present: impl Future<Output = Outcome<i64>>,
    ) -> Outcome<Option<i64>> {
        match self.0.as_deref() {
            None => Ok(None),
            Some([]) => Ok(Some(NO_VERSION)),
            Some([version]) => Ok(Some(*version)),
            Some(versions) => {
                let present = present.await?;
                let listed = versions.contains(&present);
                Ok(Some(if listed { present } else { NO_VERSION }))
            }
        }
    }
}

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let headers = request.headers();
        if !headers.contains_key(header::IF_MATCH) {
            return ready(Ok(Self(None)));
        }
        let lines = headers.get_all(header::IF_MATCH);
        let texts: Vec<&str> = lines
            .map(|line| line.to_str().unwrap_or_default().trim())
            .collect();
        if texts == ["*"] {
            return ready(Ok(Self(None)));
        }
        let versions = versions_of(&texts.join(","));
        ready(versions.map(|versions| Self(Some(versions))).ok_or_else(|| {
            Problem::invalid(
                "If-Match must be an ETag of an answer, such as \"3\", several with commas between them, or *.",
            )
        }))
    }
}

/// The versions in a list of entity tags (RFC 9110, 8.8.3 and 13.1.1). A weak tag never matches, nor does one that is none
/// of ours, so neither gives a version; `None` for what is no list of tags.
fn versions_of(list: &str) -> Option<Vec<i64>> {
    let mut versions = Vec::new();
    let mut rest = list.trim();
    while !rest.is_empty() {
        let weak = rest.strip_prefix("W/");
        let (tag, after) = weak.unwrap_or(rest).strip_prefix('"')?.split_once('"')?;
        if weak.is_none() {
            versions.extend(tag.parse::<i64>().ok().filter(|version| *version > 0));
        }
        rest = after.trim_start();
        rest = match rest.strip_prefix(',') {
            Some(next) => next.trim_start_matches([',', ' ', '\t']),
            None if rest.is_empty() => rest,
            None => return None,
        };
    }
    Some(versions)
}

/// The entity tag of a version.
#[must_use]
pub fn etag(version: i64) -> (header::HeaderName, String) {
    (header::ETAG, format!("\"{version}\""))
}

#[cfg(test)]
mod tests {
    use super::versions_of;

    #[test]
    fn a_list_of_entity_tags_gives_its_strong_ones_that_are_ours() {
        for (list, versions) in [
            ("\"3\"", Some(vec![3])),
            ("\"2\", \"3\"", Some(vec![2, 3])),
            ("W/\"2\" ,\"3\"", Some(vec![3])),
            ("W/\"2\"", Some(vec![])),
            ("\"a,b\", \"4\"", Some(vec![4])),
            ("three", None),
            ("\"3", None),
            ("\"3\" \"4\"", None),
        ] {
            assert_eq!(versions_of(list), versions, "{list}");
        }
    }
}
