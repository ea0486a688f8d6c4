//! One call to the Web API: bearer token (renewed once when it is refused), headers, limits, retry, and the sorting of
//! answers into usable ones and failures.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, IF_NONE_MATCH};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Semaphore;
use url::Url;

use super::DataverseSettings;
use super::links::Organisation;
use super::refusal::Failure;
use crate::domain::context::Context;
use crate::domain::ports::crm::CrmError;
use crate::domain::ports::provider::FailureKind;
use crate::net::app_token::AppTokens;
use crate::net::backoff::{RetryPolicy, retry};
use crate::net::client::{Answer, HttpClient};
use crate::net::retry_after;
use crate::net::token_bucket::TokenBucket;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const ODATA_VERSION: HeaderName = HeaderName::from_static("odata-version");
const ODATA_MAX_VERSION: HeaderName = HeaderName::from_static("odata-maxversion");

/// A GET to be made, or the creation of a row.
pub(super) struct Call {
    /// For messages: "reading an account".
    pub(super) what: &'static str,
    pub(super) url: Url,
    /// The `Prefer` header.
    pub(super) prefer: Option<String>,
    /// The entity tag of the copy we have.
    pub(super) known_etag: Option<String>,
    /// The row to create, and never to update, instead of reading.
    pub(super) create: Option<Value>,
    /// A Job waits for it, not a person.
    pub(super) patient: bool,
}

impl Call {
    pub(super) fn new(what: &'static str, url: Url) -> Self {
        Self {
            what,
            url,
            prefer: None,
            known_etag: None,
            create: None,
            patient: false,
        }
    }
}

/// The way to one organisation, shared by all calls.
pub(super) struct Transport {
    http: HttpClient,
    tokens: Arc<AppTokens>,
    context: Context,
    host: String,
    timeout: Duration,
    retry: RetryPolicy,
    interactive_retry: RetryPolicy,
    bucket: TokenBucket,
    permits: Semaphore,
    /// Until then the CRM told us not to ask.
    closed_until: Mutex<DateTime<Utc>>,
}

impl Transport {
    pub(super) fn new(
        http: HttpClient,
        tokens: Arc<AppTokens>,
        context: Context,
        organisation: &Organisation,
        settings: &DataverseSettings,
    ) -> Self {
        let per_minute = settings.requests_per_minute;
        Self {
            http,
            tokens,
            host: organisation.host().to_owned(),
            timeout: settings.timeout,
            retry: settings.retry,
            interactive_retry: settings.interactive_retry,
            bucket: TokenBucket::new(context.clone(), per_minute, per_minute / 4),
            permits: Semaphore::new(settings.max_concurrent.max(1)),
            closed_until: Mutex::new(DateTime::<Utc>::MIN_UTC),
            context,
        }
    }

    /// Makes the call, again where that may help. The answer is a success or 304.
    pub(super) async fn get(&self, call: &Call) -> Result<Answer, Failure> {
        let policy = if call.patient {
            &self.retry
        } else {
            &self.interactive_retry
        };
        retry(&self.context, policy, |_| self.once(call)).await
    }

    /// Makes the call and does not try again; only a refused token is renewed, once.
    pub(super) async fn once(&self, call: &Call) -> Result<Answer, Failure> {
        self.open(call)?;
        let token = self.token().await?;
        let answer = self.exchange(call, &token).await?;
        if answer.status.as_u16() != 401 {
            return self.judge(call, answer);
        }
        self.tokens.forget(&token).await;
        let token = self.token().await?;
        let answer = self.exchange(call, &token).await?;
        self.judge(call, answer)
    }

    /// A token for the organisation.
    pub(super) async fn token(&self) -> Result<SecretString, Failure> {
        let token = self.tokens.token().await;
        token.map_err(|error| Failure::without_answer(error.into()))
    }

    /// Whoever goes on asking while throttled makes the wait longer, so all calls heed what one was told.
    fn open(&self, call: &Call) -> Result<(), Failure> {
        let until = *self
            .closed_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let left = (until - self.context.now()).to_std().unwrap_or_default();
        if left.is_zero() {
            return Ok(());
        }
        let message = format!(
            "{} failed: {} asked us to wait; try again in {} s",
            call.what,
            self.host,
            left.as_secs() + 1
        );
        Err(Failure::without_answer(CrmError {
            kind: FailureKind::Throttled,
            message,
            code: None,
            retry_after: Some(left),
        }))
    }

    fn close(&self, wait: Duration) {
        let until = self.context.now() + TimeDelta::from_std(wait).unwrap_or_default();
        let mut closed = self
            .closed_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *closed = (*closed).max(until);
    }

    async fn exchange(&self, call: &Call, token: &SecretString) -> Result<Answer, Failure> {
        self.bucket.acquire().await;
        // Never closed, so there is always a permit in the end.
        let _permit = self.permits.acquire().await;
        let failed = |error: crate::net::NetError| {
            Failure::without_answer(CrmError {
                kind: error.kind(),
                message: format!("{} failed: {error}", call.what),
                code: None,
                retry_after: None,
            })
        };
        let (method, condition) = match &call.create {
            Some(_) => (Method::PATCH, "*"),
            None => (Method::GET, call.known_etag.as_deref().unwrap_or("null")),
        };
        let mut request = self
            .http
            .request(method, call.url.clone())
            .map_err(failed)?
            .timeout(self.patience(call))
            .bearer_auth(token.expose_secret())
            .header(ACCEPT, "application/json")
            .header(ODATA_VERSION, "4.0")
            .header(ODATA_MAX_VERSION, "4.0")
            .header(IF_NONE_MATCH, condition);
        if let Some(row) = &call.create {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(row.to_string());
        }
        if let Some(prefer) = &call.prefer {
            request = request.header(PREFER, prefer);
        }
        self.http.send(request).await.map_err(failed)
    }

    /// How long one answer may take: nobody who waits for a page waits longer than all its tries may take.
    fn patience(&self, call: &Call) -> Duration {
        if call.patient {
            self.timeout
        } else {
            self.timeout.min(self.interactive_retry.total)
        }
    }

    fn judge(&self, call: &Call, answer: Answer) -> Result<Answer, Failure> {
        let status = answer.status;
        let unchanged = status.as_u16() == 304 && call.known_etag.is_some();
        if status.is_success() && ends_in_the_middle(&answer.body) {
            return Err(Failure::without_answer(CrmError {
                kind: FailureKind::Transient,
                message: format!(
                    "{} failed: the answer of {} ends in the middle; try again",
                    call.what, self.host
                ),
                code: None,
                retry_after: None,
            }));
        }
        if status.is_success() || unchanged {
            return Ok(answer);
        }
        let wait = retry_after(&answer.headers, self.context.now());
        let failure = Failure::refused(call.what, &self.host, status.as_u16(), wait, &answer.body);
        if failure.error.kind == FailureKind::Throttled
            && let Some(wait) = wait
        {
            self.close(wait);
        }
        Err(failure)
    }

    /// Reads the body as JSON and takes something out of it.
    pub(super) fn understand<B: DeserializeOwned, T>(
        &self,
        call: &Call,
        answer: &Answer,
        read: impl FnOnce(B) -> Option<T>,
    ) -> Result<T, CrmError> {
        let body = serde_json::from_slice::<B>(&answer.body).ok();
        body.and_then(read).ok_or_else(|| CrmError {
            kind: FailureKind::Protocol,
            message: format!(
                "{} failed: {} answered {} with something that is no such answer of the Web API; check its address",
                call.what, self.host, answer.status.as_u16()
            ),
            code: None,
            retry_after: None,
        })
    }
}

/// Whether a body is the beginning of JSON and no more: something in between lost the rest. Any other body that is no JSON
/// would come again.
fn ends_in_the_middle(body: &[u8]) -> bool {
    let whole = serde_json::from_slice::<serde::de::IgnoredAny>(body);
    whole.is_err_and(|error| error.is_eof() && !body.is_empty())
}

/// A row of an answer. Fields are read one by one, so that a strange one spoils neither its row nor its page.
pub(super) type Row = serde_json::Map<String, Value>;
