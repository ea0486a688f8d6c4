//! Application tokens: OAuth 2.0 client credentials at Entra's token endpoint, kept until shortly before they expire by our
//! clock, and fetched by one caller at a time however many wait. Asking for the same token over and over is itself an
//! error at Entra (AADSTS50196), so those who waited for a fetch that failed share its error.
//!
//! One attempt per call: whoever calls us retries what is transient, and a retry asks here again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use oauth2::{AuthType, ClientId, ClientSecret, RequestTokenError, Scope, TokenResponse, TokenUrl};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::client::HttpClient;
use super::entra_error::EntraErrorBody;
use super::oauth_http::{OauthHttp, OauthHttpError};
use super::token_answer::Client;
pub use super::token_failure::TokenError;
use super::token_failure::token_failure;
use crate::domain::context::Context;

/// A token is renewed this long before it expires, or after four fifths of a shorter life.
const MARGIN: Duration = Duration::from_secs(300);
/// Taken when the answer does not say how long the token lives (RFC 6749 only recommends it).
const ASSUMED_LIFE: Duration = Duration::from_secs(600);

/// Whose token, for what, from where.
#[derive(Debug, Clone)]
pub struct AppCredential {
    /// The tenant's token endpoint, e.g. `https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token`.
    pub token_url: Url,
    /// The application (client) id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// The resource with `/.default`.
    pub scope: String,
}

/// The tokens of one credential. Share it behind an `Arc`.
pub struct AppTokens {
    http: OauthHttp,
    context: Context,
    credential: AppCredential,
    attempts: AtomicU64,
    kept: tokio::sync::Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    token: Option<(SecretString, DateTime<Utc>)>,
    failure: Option<TokenError>,
}

impl AppTokens {
    /// Makes the keeper; nothing is fetched yet.
    #[must_use]
    pub fn new(client: HttpClient, context: Context, credential: AppCredential) -> Self {
        Self {
            http: OauthHttp {
                client,
                context: context.clone(),
            },
            context,
            credential,
            attempts: AtomicU64::new(0),
            kept: tokio::sync::Mutex::default(),
        }
    }

    /// A token that is good for a while yet.
    ///
    /// # Errors
    /// When there is none and none can be had.
    pub async fn token(&self) -> Result<SecretString, TokenError> {
        let seen = self.attempts.load(Ordering::Acquire);
        let mut kept = self.kept.lock().await;
        if let Some((token, renew_at)) = &kept.token
            && self.context.now() < *renew_at
        {
            return Ok(token.clone());
        }
        if self.attempts.load(Ordering::Acquire) != seen
            && let Some(failure) = &kept.failure
        {
            return Err(failure.clone());
        }
        self.fetch_into(&mut kept).await
    }

    /// A token fetched just now, whatever is kept: a test of the credential.
    ///
    /// # Errors
    /// When none can be had; a kept token is dropped then too.
    pub async fn renew(&self) -> Result<SecretString, TokenError> {
        let mut kept = self.kept.lock().await;
        self.fetch_into(&mut kept).await
    }

    async fn fetch_into(&self, kept: &mut Kept) -> Result<SecretString, TokenError> {
        let fetched = self.fetch().await;
        self.attempts.fetch_add(1, Ordering::AcqRel);
        *kept = match &fetched {
            Ok(fresh) => Kept {
                token: Some(fresh.clone()),
                failure: None,
            },
            Err(failure) => Kept {
                token: None,
                failure: Some(failure.clone()),
            },
        };
        fetched.map(|(token, _)| token)
    }

    /// Drops `token` after it was refused, so that the next call fetches anew. A token that was already replaced stays:
    /// many callers refused at once cause one fetch.
    pub async fn forget(&self, token: &SecretString) {
        let mut kept = self.kept.lock().await;
        if let Some((current, _)) = &kept.token
            && current.expose_secret() == token.expose_secret()
        {
            kept.token = None;
        }
    }

    async fn fetch(&self) -> Result<(SecretString, DateTime<Utc>), TokenError> {
        let asked_at = self.context.now();
        let credential = &self.credential;
        let secret = credential.client_secret.expose_secret().to_owned();
        let token_url = TokenUrl::from_url(credential.token_url.clone());
        let client = Client::new(ClientId::new(credential.client_id.clone()))
            .set_client_secret(ClientSecret::new(secret))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(token_url);
        let answer = client
            .exchange_client_credentials()
            .add_scope(Scope::new(credential.scope.clone()))
            .request_async(&self.http)
            .await
            .map_err(|error| self.failure(error))?;
        let life = answer.expires_in().unwrap_or(ASSUMED_LIFE);
        let good_for = life.saturating_sub(MARGIN.min(life / 5));
        let renew_at = TimeDelta::from_std(good_for)
            .ok()
            .and_then(|good_for| asked_at.checked_add_signed(good_for))
            .unwrap_or(asked_at);
        tracing::debug!(
            host = self.host(),
            life_s = life.as_secs(),
            "application token fetched"
        );
        Ok((SecretString::from(answer.into_token()), renew_at))
    }

    fn failure(&self, error: RequestTokenError<OauthHttpError, EntraErrorBody>) -> TokenError {
        let AppCredential {
            token_url,
            client_id,
            scope,
            ..
        } = &self.credential;
        token_failure(token_url, client_id, scope, error)
    }

    fn host(&self) -> &str {
        self.credential.token_url.host_str().unwrap_or_default()
    }
}

impl std::fmt::Debug for AppTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppTokens")
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}
