//! The claims of a token, read one by one: one of the wrong type counts as missing, so nothing about an unknown claim can
//! spoil a token and nothing is guessed about a known one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::refusal::BearerRefusal;

/// What a token says.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(in crate::identity) struct Claims(Map<String, Value>);

impl Claims {
    /// The claims of a token that nobody has verified: good for choosing whose key to try, and for nothing else.
    pub(in crate::identity) fn unverified(token: &str) -> Option<Self> {
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
        serde_json::from_slice(&payload).ok()
    }

    pub(in crate::identity) fn text(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }

    pub(in crate::identity) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }

    pub(in crate::identity) fn uuid(&self, name: &str) -> Option<Uuid> {
        Uuid::try_parse(self.text(name)?).ok()
    }

    /// A list of texts, or a single one, at a path such as `realm_access.roles`.
    pub(in crate::identity) fn texts(&self, path: &str) -> Vec<&str> {
        // A claim may itself be named with dots, as a URL is.
        let found = self.0.get(path).or_else(|| {
            let mut steps = path.split('.');
            let first = self.0.get(steps.next()?)?;
            steps.try_fold(first, |value, step| value.get(step))
        });
        match found {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Seconds since 1970 (RFC 7519, `NumericDate`, which may have a fraction).
    fn instant(&self, name: &str) -> Option<DateTime<Utc>> {
        let value = self.0.get(name)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "an instant out of range is refused by from_timestamp"
        )]
        let seconds = value
            .as_i64()
            .or_else(|| value.as_f64().map(|seconds| seconds as i64))?;
        DateTime::from_timestamp(seconds, 0)
    }

    pub(in crate::identity) fn expires_at(&self) -> Result<DateTime<Utc>, BearerRefusal> {
        self.instant("exp")
            .ok_or_else(|| BearerRefusal::invalid("it does not say when it expires"))
    }

    pub(in crate::identity) fn not_before(&self) -> Option<DateTime<Utc>> {
        self.instant("nbf")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: Value) -> Claims {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_list_is_found_inside_and_under_a_name_with_dots() {
        let claims = claims(json!({
            "realm_access": { "roles": ["a", 1, "b"] },
            "https://x.example/roles": "c",
        }));
        assert_eq!(claims.texts("realm_access.roles"), ["a", "b"]);
        assert_eq!(claims.texts("https://x.example/roles"), ["c"]);
        assert!(claims.texts("realm_access").is_empty());
        assert!(claims.texts("nowhere.at.all").is_empty());
    }

    #[test]
    fn a_claim_of_the_wrong_type_is_no_claim() {
        let claims = claims(json!({ "exp": "1790000000", "tid": 3, "oid": "", "nbf": 1.5 }));
        assert!(claims.expires_at().is_err());
        assert_eq!(claims.uuid("tid"), None);
        assert_eq!(claims.text("oid"), None);
        assert_eq!(claims.not_before().unwrap().timestamp(), 1);
    }
}
