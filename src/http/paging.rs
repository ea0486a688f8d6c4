//! Pages of a listing: `$top` rows each, and `@odata.nextLink` to the rest. The link holds a signed cursor that serves only
//! the caller who listed, with the same filter: a cursor is no way around a filter, and nobody else's may be replayed.

use actix_web::HttpRequest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::call::Call;
use super::problem::{Outcome, Problem};
use super::state::ApiState;
use crate::identity::signed_token::PageCursor;

/// The query parameter that carries the cursor.
pub const SKIP_TOKEN: &str = "$skiptoken";
/// Rows of a page when the caller names no number.
pub const ROWS: u32 = 100;

/// The rows of a page: what was asked for, at most `most`.
pub fn top(asked: Option<u32>, most: u64) -> Outcome<u64> {
    match asked {
        Some(0) => Err(Problem::invalid(format!(
            "$top must be at least 1 and is at most {most}."
        ))),
        asked => Ok(u64::from(asked.unwrap_or(ROWS)).min(most)),
    }
}

/// One listing of one caller: what a cursor is bound to.
pub struct Listing<'a> {
    state: &'a ApiState,
    owner: String,
    filter: String,
}

impl<'a> Listing<'a> {
    /// The listing `operation` with `filter`, asked for by `call`.
    pub fn new(state: &'a ApiState, call: &Call, operation: &str, filter: &impl Serialize) -> Self {
        let filter = serde_json::json!([operation, filter]).to_string();
        Self {
            state,
            owner: call.caller.actor.key(),
            filter: URL_SAFE_NO_PAD.encode(Sha256::digest(filter.as_bytes())),
        }
    }

    /// Where to go on, when the caller brought a cursor of this very listing.
    pub fn position<P: DeserializeOwned>(&self, token: Option<&str>) -> Outcome<Option<P>> {
        let Some(token) = token else { return Ok(None) };
        let refuse = |why: &str| {
            Problem::invalid(format!(
                "The $skiptoken cannot be used: {why}. Begin the listing again without it."
            ))
        };
        let cursor = self
            .state
            .tokens
            .read_cursor(token)
            .map_err(|error| refuse(&error.to_string()))?;
        if cursor.owner != self.owner || cursor.filter != self.filter {
            return Err(refuse("it belongs to another caller or another filter"));
        }
        let position = serde_json::from_str(&cursor.position);
        position
            .map(Some)
            .map_err(|_| refuse("it was made by another version of this service"))
    }

    /// The link to the page after `position`.
    pub fn next_link(&self, request: &HttpRequest, position: &impl Serialize) -> String {
        let token = self.state.tokens.sign_cursor(&PageCursor {
            owner: self.owner.clone(),
            filter: self.filter.clone(),
            position: serde_json::json!(position).to_string(),
        });
        let query = url::form_urlencoded::parse(request.query_string().as_bytes());
        let mut kept = url::form_urlencoded::Serializer::new(String::new());
        kept.extend_pairs(query.filter(|(name, _)| name != SKIP_TOKEN));
        kept.append_pair(SKIP_TOKEN, &token);
        self.state
            .links
            .absolute(request, &format!("{}?{}", request.path(), kept.finish()))
    }
}
