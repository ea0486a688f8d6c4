//! Short signed tokens that we hand out and take back: page cursors and the Locations that Power Automate polls without
//! credentials (decision 11). They are JSON Web Tokens (HS256) under a key derived from the ring, one audience a purpose,
//! so that a cursor never passes for a poll token. They are signed, not sealed: nothing secret goes in.
//!
//! Their expiry is judged by our own clock (decision 13), not by the library's.

use std::collections::HashSet;

use chrono::Duration;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::key_ring::KeyRing;
use crate::domain::context::Context;
use crate::domain::ids::JobId;

/// A page cursor that nobody asked for within a day starts over.
const CURSOR_HOURS: i64 = 24;
/// As long as Power Automate goes on polling an asynchronous action.
const POLL_DAYS: i64 = 30;
/// A token of ours is far shorter; what is longer is not worth decoding.
const LONGEST: usize = 4096;

/// A token that is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not ours, altered, or made for another purpose.
    #[error("the token was not issued by this service for this purpose")]
    Forged,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
}

/// Where a listing goes on, bound to who listed and with which filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageCursor {
    /// [`crate::domain::caller::Actor::key`] of the caller.
    #[serde(rename = "sub")]
    pub owner: String,
    /// Hash of operation, filter and order.
    #[serde(rename = "flt")]
    pub filter: String,
    /// The place in the listing, in the words of the flow.
    #[serde(rename = "pos")]
    pub position: String,
}

/// The right to look at one Job, for as long as its owner may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollToken {
    /// [`crate::domain::caller::Actor::key`] of whoever asked for the Job.
    #[serde(rename = "sub")]
    pub owner: String,
    /// The Job.
    pub job: JobId,
}

#[derive(Serialize, Deserialize)]
struct Claims<T> {
    aud: String,
    exp: i64,
    #[serde(flatten)]
    body: T,
}

struct TokenKey {
    id: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

/// Issues and takes back the tokens.
pub struct SignedTokens {
    keys: Vec<TokenKey>,
    context: Context,
}

impl SignedTokens {
    /// Tokens under keys derived from `ring`.
    #[must_use]
    pub fn new(ring: &KeyRing, context: Context) -> Self {
        let keys = ring.keys().map(|key| {
            let secret = key.derive("signed-token/1");
            TokenKey {
                id: key.id.clone(),
                encoding: EncodingKey::from_secret(secret.as_slice()),
                decoding: DecodingKey::from_secret(secret.as_slice()),
            }
        });
        Self {
            keys: keys.collect(),
            context,
        }
    }

    /// A token for the next page.
    #[must_use]
    pub fn sign_cursor(&self, cursor: &PageCursor) -> String {
        self.sign("page-cursor", Duration::hours(CURSOR_HOURS), cursor)
    }

    /// Reads a page cursor. Whether it fits caller and filter is for the caller of this to check.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn read_cursor(&self, token: &str) -> Result<PageCursor, TokenError> {
        self.read("page-cursor", token)
    }

    /// A token with which anybody may poll one Job.
    #[must_use]
    pub fn sign_poll(&self, poll: &PollToken) -> String {
        self.sign("poll", Duration::days(POLL_DAYS), poll)
    }

    /// Reads a poll token. Whether its owner may still read is for the caller of this to check.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn read_poll(&self, token: &str) -> Result<PollToken, TokenError> {
        self.read("poll", token)
    }

    #[expect(
        clippy::expect_used,
        reason = "claims are strings and numbers, and a ring is never empty"
    )]
    fn sign<T: Serialize>(&self, audience: &str, lifetime: Duration, body: &T) -> String {
        let key = self.keys.first().expect("a ring is never empty");
        let header = Header {
            kid: Some(key.id.clone()),
            ..Header::new(Algorithm::HS256)
        };
        let exp = (self.context.now() + lifetime).timestamp();
        let claims = Claims {
            aud: audience.to_owned(),
            exp,
            body,
        };
        encode(&header, &claims, &key.encoding).expect("claims of strings and numbers serialise")
    }

    fn read<T: DeserializeOwned>(&self, audience: &str, token: &str) -> Result<T, TokenError> {
        if token.len() > LONGEST {
            return Err(TokenError::Forged);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Forged)?;
        let key = self
            .keys
            .iter()
            .find(|key| header.kid.as_deref() == Some(&key.id))
            .ok_or(TokenError::Forged)?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        validation.required_spec_claims = HashSet::from(["aud".to_owned()]);
        validation.set_audience(&[audience]);
        let claims = decode::<Claims<T>>(token, &key.decoding, &validation)
            .map_err(|_| TokenError::Forged)?
            .claims;
        if claims.exp <= self.context.now().timestamp() {
            return Err(TokenError::Expired);
        }
        Ok(claims.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::tests::{context, context_with_clock, ring};
    use std::time::Duration as StdDuration;

    fn cursor() -> PageCursor {
        PageCursor {
            owner: "key:1".to_owned(),
            filter: "f".to_owned(),
            position: "p".to_owned(),
        }
    }

    #[test]
    fn a_token_serves_its_own_purpose_only_and_survives_a_new_key() {
        let before = SignedTokens::new(&ring(&[("a", 1)]), context());
        let token = before.sign_cursor(&cursor());
        let after = SignedTokens::new(&ring(&[("b", 2), ("a", 1)]), context());
        assert_eq!(after.read_cursor(&token).unwrap(), cursor());
        assert_eq!(after.read_poll(&token).unwrap_err(), TokenError::Forged);
        let stranger = SignedTokens::new(&ring(&[("a", 9)]), context());
        assert_eq!(
            stranger.read_cursor(&token).unwrap_err(),
            TokenError::Forged
        );
    }

    #[test]
    fn a_token_expires_by_our_clock() {
        let (context, clock) = context_with_clock();
        let tokens = SignedTokens::new(&ring(&[("a", 1)]), context);
        let token = tokens.sign_cursor(&cursor());
        clock.advance(StdDuration::from_secs(24 * 3600 - 1));
        assert!(tokens.read_cursor(&token).is_ok());
        clock.advance(StdDuration::from_secs(1));
        assert_eq!(tokens.read_cursor(&token).unwrap_err(), TokenError::Expired);
    }

    #[test]
    fn altered_unsigned_and_meaningless_tokens_are_forged() {
        let tokens = SignedTokens::new(&ring(&[("a", 1)]), context());
        let token = tokens.sign_cursor(&cursor());
        let unsigned =
            "eyJhbGciOiJub25lIiwia2lkIjoiYSJ9.eyJhdWQiOiJwYWdlLWN1cnNvciIsImV4cCI6OTk5OTk5OTk5OX0.";
        let long = "x".repeat(10_000);
        for text in [
            "",
            ".",
            "..",
            "a.b.c",
            unsigned,
            &token[..token.len() - 3],
            &long,
        ] {
            assert_eq!(
                tokens.read_cursor(text).unwrap_err(),
                TokenError::Forged,
                "{text}"
            );
        }
    }
}
