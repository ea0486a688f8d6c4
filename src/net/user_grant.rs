//! A user's tokens (authorization code with PKCE, and refresh), as a confidential client. One attempt per call: a code is good
//! once, and whoever refreshes decides about trying again.

use std::time::Duration;

use oauth2::{
    AuthType, AuthorizationCode, ClientId, ClientSecret, PkceCodeVerifier, RedirectUrl,
    RefreshToken, Scope, TokenResponse, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};

use super::app_token::AppCredential;
use super::client::HttpClient;
use super::oauth_http::OauthHttp;
use super::token_answer::{Client, TokenAnswer};
use super::token_failure::{TokenError, token_failure};
use crate::domain::context::Context;
use crate::domain::ports::provider::FailureKind;

/// Taken when the answer does not say how long the token lives.
const ASSUMED_LIFE: Duration = Duration::from_secs(600);

/// What the sign-in service granted.
pub struct UserGrant {
    /// Opens the resource.
    pub access_token: SecretString,
    /// How long.
    pub life: Duration,
    /// Fetches the next one.
    pub refresh_token: Option<SecretString>,
    /// Says who signed in.
    pub id_token: Option<String>,
}

/// Fetches users' tokens. Cheap to clone.
#[derive(Debug, Clone)]
pub struct UserGrants {
    http: OauthHttp,
}

impl UserGrants {
    /// Through the guarded client.
    #[must_use]
    pub const fn new(client: HttpClient, context: Context) -> Self {
        Self {
            http: OauthHttp { client, context },
        }
    }

    /// Redeems an authorization code. `credential` names the endpoint where the code was asked for.
    ///
    /// # Errors
    /// When none is granted.
    pub async fn redeem(
        &self,
        credential: &AppCredential,
        code: &str,
        verifier: &SecretString,
        redirect_uri: &str,
    ) -> Result<UserGrant, TokenError> {
        let redirect = RedirectUrl::new(redirect_uri.to_owned()).map_err(|_| TokenError {
            kind: FailureKind::Configuration,
            message: "the redirect URI is no URL; check server.public_url".to_owned(),
            code: None,
            retry_after: None,
            correlation_id: None,
        })?;
        let answer = client(credential)
            .set_redirect_uri(redirect)
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose_secret().to_owned()))
            .request_async(&self.http)
            .await;
        granted(credential, answer)
    }

    /// A new access token, and the next refresh token. The old one stays valid at Entra.
    ///
    /// # Errors
    /// When none is granted.
    pub async fn refresh(
        &self,
        credential: &AppCredential,
        refresh_token: &SecretString,
    ) -> Result<UserGrant, TokenError> {
        let token = RefreshToken::new(refresh_token.expose_secret().to_owned());
        let scopes = credential
            .scope
            .split_whitespace()
            .map(|scope| Scope::new(scope.to_owned()));
        let answer = client(credential)
            .exchange_refresh_token(&token)
            .add_scopes(scopes)
            .request_async(&self.http)
            .await;
        granted(credential, answer)
    }
}

type Endpoint = oauth2::Client<
    super::entra_error::EntraErrorBody,
    TokenAnswer,
    oauth2::basic::BasicTokenIntrospectionResponse,
    oauth2::StandardRevocableToken,
    oauth2::basic::BasicRevocationErrorResponse,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointSet,
>;

fn client(credential: &AppCredential) -> Endpoint {
    let secret = credential.client_secret.expose_secret().to_owned();
    Client::new(ClientId::new(credential.client_id.clone()))
        .set_client_secret(ClientSecret::new(secret))
        .set_auth_type(AuthType::RequestBody)
        .set_token_uri(TokenUrl::from_url(credential.token_url.clone()))
}

type Answered = Result<
    TokenAnswer,
    oauth2::RequestTokenError<
        super::oauth_http::OauthHttpError,
        super::entra_error::EntraErrorBody,
    >,
>;

fn granted(credential: &AppCredential, answer: Answered) -> Result<UserGrant, TokenError> {
    let answer = answer.map_err(|error| {
        token_failure(
            &credential.token_url,
            &credential.client_id,
            &credential.scope,
            error,
        )
    })?;
    let life = answer.expires_in().unwrap_or(ASSUMED_LIFE);
    let (access, refresh, id_token) = answer.into_all();
    Ok(UserGrant {
        access_token: SecretString::from(access),
        life,
        refresh_token: refresh.map(SecretString::from),
        id_token,
    })
}
