//! What a token says of itself. For showing and for finding a wrong setting early, never for letting anybody in: the
//! signature is not checked, because the token is ours and came straight from the sign-in service. A token that cannot be
//! read is no fault; its format is a matter between issuer and resource.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// The claims that Verify Connectivity shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenClaims {
    /// `tid`: the tenant that issued it.
    pub tenant: Option<String>,
    /// `aud`: whom it is for.
    pub audiences: Vec<String>,
    /// `roles`: what the application may do.
    pub roles: Vec<String>,
}

impl TokenClaims {
    /// Reads the claims; `None` when the token is no JWT.
    #[must_use]
    pub fn read(token: &SecretString) -> Option<Self> {
        #[derive(Deserialize)]
        struct Wire {
            tid: Option<String>,
            aud: Option<Audience>,
            #[serde(default)]
            roles: Vec<String>,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Audience {
            One(String),
            Several(Vec<String>),
        }
        let payload = token.expose_secret().split('.').nth(1)?;
        let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        let wire: Wire = serde_json::from_slice(&payload).ok()?;
        Some(Self {
            tenant: wire.tid,
            audiences: match wire.aud {
                Some(Audience::One(audience)) => vec![audience],
                Some(Audience::Several(audiences)) => audiences,
                None => Vec::new(),
            },
            roles: wire.roles,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(payload: &str) -> Option<TokenClaims> {
        let payload = URL_SAFE_NO_PAD.encode(payload);
        TokenClaims::read(&SecretString::from(format!("e30.{payload}.c2ln")))
    }

    #[test]
    fn tenant_and_audience_are_read_in_both_forms() {
        let one = claims(r#"{"tid":"t","aud":"a","roles":["r"]}"#).unwrap();
        assert_eq!(
            (one.tenant.as_deref(), one.roles),
            (Some("t"), vec!["r".to_owned()])
        );
        let several = claims(r#"{"aud":["a","b"]}"#).unwrap();
        assert_eq!(several.audiences, ["a", "b"]);
    }

    #[test]
    fn a_token_that_is_no_jwt_says_nothing() {
        assert_eq!(TokenClaims::read(&SecretString::from("opaque")), None);
        assert_eq!(TokenClaims::read(&SecretString::from("a.%%%.c")), None);
        assert_eq!(claims("[]"), None);
    }
}
