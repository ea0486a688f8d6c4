//! Trying a user's sign-in by a real call (A2): whether the user may read customers, and whether a second factor stands
//! behind it. Partner Center says so in a header when it is asked; it may also stay silent, which is no evidence either way.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;

use super::client::PartnerCenterClient;
use super::listing::page_url;
use crate::domain::consent::MultiFactor;
use crate::domain::ports::provider::{FailureKind, ProviderError};

const VALIDATE: HeaderName = HeaderName::from_static("validatemfa");
const COMPLIANT: &str = "ismfacompliant";

impl PartnerCenterClient {
    /// Reads one customer as the user.
    ///
    /// # Errors
    /// When the user may not, or signed in without a second factor.
    pub async fn try_sign_in(&self, token: &SecretString) -> Result<MultiFactor, ProviderError> {
        let url = page_url(self.settings.resource(&["customers"]), 1, None);
        let headers = HeaderMap::from_iter([(VALIDATE, HeaderValue::from_static("true"))]);
        let what = "list its customers for the one who signed in";
        let answer = self.caller.get_as_user(what, url, headers, token).await?;
        let said = answer
            .headers
            .get(COMPLIANT)
            .and_then(|value| value.to_str().ok())
            .map(|value| value.trim().to_ascii_lowercase());
        match said.as_deref() {
            Some("true") => Ok(MultiFactor::Verified),
            Some("false") => Err(ProviderError {
                kind: FailureKind::Consent,
                message: "the sign-in was made without multi-factor authentication, which Partner Center asks for; turn it \
                          on for this user and sign in again"
                    .to_owned(),
                code: Some("isMfaCompliant: false".to_owned()),
                retry_after: None,
                correlation_id: None,
            }),
            _ => Ok(MultiFactor::Unverified),
        }
    }
}
