//! One logical call: the token bucket, the token, the headers Partner Center wants, and what is tried again.
//!
//! `MS-RequestId` names the logical call and stays the same over its attempts, so that the provider can tell a repetition
//! from a second request; `MS-CorrelationId` names the Job that makes the call, and outside of a Job one attempt. Both are in
//! every error, for the provider's support.

use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};

use super::failure::{Refusal, code_of};
use crate::domain::context::Context;
use crate::domain::correlation;
use crate::domain::ports::provider::{FailureKind, ProviderError};
use crate::net::app_token::AppTokens;
use crate::net::backoff::{Advice, Advise, RetryPolicy, retry};
use crate::net::client::{Answer, HttpClient};
use crate::net::retry_after;
use crate::net::token_bucket::TokenBucket;

const REQUEST_ID: HeaderName = HeaderName::from_static("ms-requestid");
const CORRELATION_ID: HeaderName = HeaderName::from_static("ms-correlationid");
const CONTRACT_VERSION: HeaderName = HeaderName::from_static("ms-contract-version");
const LOCALE: HeaderName = HeaderName::from_static("x-locale");
const APPLICATION: HeaderName = HeaderName::from_static("ms-partnercenter-application");

/// Makes calls. Everything in it is shared by all calls of one connection.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) http: HttpClient,
    pub(super) context: Context,
    pub(super) tokens: AppTokens,
    pub(super) bucket: TokenBucket,
    pub(super) retry: RetryPolicy,
}

/// Why an answer that says 200 is of no use.
pub(super) trait Unusable: std::fmt::Display {
    /// What happens next, for people.
    const NEXT: &'static str;

    /// Whether the same answer may be whole next time: a proxy's page, or JSON that was cut off.
    fn may_pass(&self) -> bool;
}

/// An answer, with what to quote to the provider's support.
struct Answered {
    answer: Answer,
    correlation_id: String,
}

/// An attempt that failed.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
struct Failed {
    error: ProviderError,
    may_pass: bool,
}

impl From<ProviderError> for Failed {
    fn from(error: ProviderError) -> Self {
        Self {
            error,
            may_pass: false,
        }
    }
}

impl Advise for Failed {
    fn advice(&self) -> Advice {
        if self.may_pass {
            Advice::Again
        } else {
            self.error.advice()
        }
    }
}

/// What one logical call keeps over its attempts.
struct Call<'a> {
    what: &'a str,
    url: Url,
    headers: HeaderMap,
    request_id: HeaderValue,
    renewed: AtomicBool,
}

impl Caller {
    /// Asks for `url` and gives the body to `read`; `what` says what for, as a verb phrase. Only 200 is a success.
    pub(super) async fn get<T, E: Unusable>(
        &self,
        what: &str,
        url: Url,
        headers: HeaderMap,
        read: impl Fn(&[u8]) -> Result<T, E> + Sync,
    ) -> Result<T, ProviderError> {
        let policy = &self.retry;
        self.get_under(policy, what, url, headers, read).await
    }

    /// As [`Self::get`], with another patience.
    #[tracing::instrument(name = "provider.call", skip_all, fields(what))]
    pub(super) async fn get_under<T, E: Unusable>(
        &self,
        policy: &RetryPolicy,
        what: &str,
        url: Url,
        headers: HeaderMap,
        read: impl Fn(&[u8]) -> Result<T, E> + Sync,
    ) -> Result<T, ProviderError> {
        let call = Call {
            what,
            url,
            headers,
            request_id: self.new_id(),
            renewed: AtomicBool::new(false),
        };
        let attempt = |_| async {
            let answered = self.attempt(&call).await?;
            read(&answered.answer.body).map_err(|unusable| Failed {
                may_pass: unusable.may_pass(),
                error: ProviderError {
                    kind: FailureKind::Protocol,
                    message: format!(
                        "Partner Center was asked to {what}, but {unusable}; {}",
                        E::NEXT
                    ),
                    code: None,
                    retry_after: None,
                    correlation_id: Some(answered.correlation_id),
                },
            })
        };
        let outcome = retry(&self.context, policy, attempt).await;
        outcome.map_err(|failed| failed.error)
    }

    /// Asks for `url` once with a user's token, and gives the whole answer when it is 200. Nothing is tried again: whoever
    /// asks has just got the token, and waits for the verdict.
    pub(super) async fn get_as_user(
        &self,
        what: &str,
        url: Url,
        headers: HeaderMap,
        token: &SecretString,
    ) -> Result<Answer, ProviderError> {
        let call = Call {
            what,
            url,
            headers,
            request_id: self.new_id(),
            renewed: AtomicBool::new(true),
        };
        self.bucket.acquire().await;
        let answered = self.send(&call, token).await?;
        if answered.answer.status.as_u16() == 200 {
            return Ok(answered.answer);
        }
        Err(self.refused(&call, answered))
    }

    /// One attempt, with a second request when the token had to be renewed.
    async fn attempt(&self, call: &Call<'_>) -> Result<Answered, ProviderError> {
        loop {
            self.bucket.acquire().await;
            let token = self.tokens.token().await?;
            let answered = self.send(call, &token).await?;
            let status = answered.answer.status.as_u16();
            if status == 200 {
                return Ok(answered);
            }
            if status == 401 && self.renew(call, &token, &answered.answer).await {
                continue;
            }
            return Err(self.refused(call, answered));
        }
    }

    fn refused(&self, call: &Call<'_>, answered: Answered) -> ProviderError {
        let refusal = Refusal {
            what: call.what,
            status: answered.answer.status.as_u16(),
            body: &answered.answer.body,
            retry_after: retry_after(&answered.answer.headers, self.context.now()),
            correlation_id: answered.correlation_id,
        };
        let error = refusal.into_error();
        if error.kind == FailureKind::Throttled
            && let Some(wait) = error.retry_after
        {
            self.bucket.pause(wait);
        }
        error
    }

    async fn send(&self, call: &Call<'_>, token: &SecretString) -> Result<Answered, ProviderError> {
        let correlation = correlation::current().map_or_else(|| self.new_id(), header);
        let ours = ids(&correlation, &call.request_id);
        let unsent = |kind, message| ProviderError {
            kind,
            message: format!(
                "Partner Center could not be asked to {}: {message}",
                call.what
            ),
            code: None,
            retry_after: None,
            correlation_id: Some(ours.clone()),
        };
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
            .map_err(|_| {
                unsent(
                    FailureKind::Protocol,
                    "the token is no header value".to_owned(),
                )
            })?;
        bearer.set_sensitive(true);
        let request = self
            .http
            .request(Method::GET, call.url.clone())
            .map_err(|error| unsent(error.kind(), error.to_string()))?
            .headers(call.headers.clone())
            .header(AUTHORIZATION, bearer)
            .header(ACCEPT, "application/json")
            .header(REQUEST_ID, call.request_id.clone())
            .header(CORRELATION_ID, correlation.clone())
            .header(CONTRACT_VERSION, "v1")
            .header(LOCALE, "en-US")
            .header(APPLICATION, "Provider Bridge");
        let answer = self
            .http
            .send(request)
            .await
            .map_err(|error| unsent(error.kind(), error.to_string()))?;
        let echoed = |name, sent: &HeaderValue| answer.headers.get(name).unwrap_or(sent).clone();
        let correlation_id = ids(
            &echoed(CORRELATION_ID, &correlation),
            &echoed(REQUEST_ID, &call.request_id),
        );
        Ok(Answered {
            answer,
            correlation_id,
        })
    }

    /// Whether a refused token is worth one more try with a new one. An audience or a missing second factor will be the
    /// same in the next token.
    async fn renew(&self, call: &Call<'_>, token: &SecretString, answer: &Answer) -> bool {
        let hopeless = matches!(code_of(&answer.body).as_deref(), Some("900420" | "900421"));
        if hopeless || call.renewed.swap(true, Ordering::AcqRel) {
            return false;
        }
        self.tokens.forget(token).await;
        true
    }

    fn new_id(&self) -> HeaderValue {
        header(self.context.new_uuid())
    }
}

fn header(id: uuid::Uuid) -> HeaderValue {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    let id = id.hyphenated().encode_lower(&mut text);
    HeaderValue::from_str(id).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
}

fn ids(correlation: &HeaderValue, request: &HeaderValue) -> String {
    let text = |value: &HeaderValue| -> String {
        let text = value.to_str().unwrap_or("unreadable");
        text.chars().take(60).collect()
    };
    format!(
        "MS-CorrelationId {}, MS-RequestId {}",
        text(correlation),
        text(request)
    )
}
