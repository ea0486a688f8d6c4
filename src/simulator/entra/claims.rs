//! The claims of an access token, v1 format (Microsoft identity platform: access token claims reference).

use serde::{Deserialize, Serialize};

/// Claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::simulator) struct Claims {
    /// The resource.
    pub aud: String,
    pub iss: String,
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
    /// The application.
    pub appid: String,
    /// The application proved itself with a secret.
    pub appidacr: String,
    pub idp: String,
    pub oid: String,
    pub sub: String,
    pub tid: String,
    pub uti: String,
    pub ver: String,
    /// What a user allowed; an application's own token has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scp: Option<String>,
    /// How the user proved who they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upn: Option<String>,
}
