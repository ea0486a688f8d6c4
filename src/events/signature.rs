//! Signatures of deliveries after the Standard Webhooks specification, version 1 (standardwebhooks.com): HMAC-SHA256 over
//! `{webhook-id}.{webhook-timestamp}.{body}`, one signature for each live secret, separated by spaces, so that a receiver
//! can change secrets without missing an event. Flows do not check them (their URL is the secret); other receivers can.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use sha2::Sha256;

use crate::domain::trigger::SIGNING_SECRET_PREFIX;

/// Names the event; the same in every attempt, so that a receiver can drop what it already has.
pub const ID_HEADER: &str = "webhook-id";
/// Unix seconds of this attempt; receivers refuse what is too old.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// `v1,{base64}` for each live secret.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// The text is not a signing secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signing secret is `whsec_` and the base64 of 24 to 64 bytes")]
pub struct NotASecret;

/// One signing secret.
#[derive(Clone)]
pub struct SigningSecret(SecretSlice<u8>);

impl SigningSecret {
    /// Reads the form that [`crate::domain::trigger::new_signing_secret`] gives.
    ///
    /// # Errors
    /// When it is not of that form, or not of a length that the specification allows.
    pub fn parse(text: &SecretString) -> Result<Self, NotASecret> {
        let encoded = text.expose_secret().strip_prefix(SIGNING_SECRET_PREFIX);
        let bytes = STANDARD
            .decode(encoded.ok_or(NotASecret)?)
            .map_err(|_| NotASecret)?;
        if !(24..=64).contains(&bytes.len()) {
            return Err(NotASecret);
        }
        Ok(Self(bytes.into()))
    }

    fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
        // HMAC takes keys of any length, so there is always a signature; the types do not know that.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).ok()?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        Some(format!(
            "v1,{}",
            STANDARD.encode(mac.finalize().into_bytes())
        ))
    }
}

/// The three headers of one attempt at `now`. Without a secret there is no signature header.
#[must_use]
pub fn headers(
    id: &str,
    now: DateTime<Utc>,
    body: &[u8],
    secrets: &[SigningSecret],
) -> Vec<(&'static str, String)> {
    let timestamp = now.timestamp();
    let signatures: Vec<String> = secrets
        .iter()
        .filter_map(|secret| secret.sign(id, timestamp, body))
        .collect();
    let mut headers = vec![
        (ID_HEADER, id.to_owned()),
        (TIMESTAMP_HEADER, timestamp.to_string()),
    ];
    if !signatures.is_empty() {
        headers.push((SIGNATURE_HEADER, signatures.join(" ")));
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(byte: u8, length: usize) -> SecretString {
        format!("whsec_{}", STANDARD.encode(vec![byte; length])).into()
    }

    #[test]
    fn the_reference_implementation_computes_the_same_signature_for_every_live_secret() {
        let body = r#"{"eventId":"ä"}"#.as_bytes();
        let now = DateTime::from_timestamp(1_795_000_000, 999).unwrap();
        let texts = [secret(1, 32), secret(2, 24), secret(3, 64)];
        let secrets = texts
            .each_ref()
            .map(|text| SigningSecret::parse(text).unwrap());
        let headers = headers("0197a1b2", now, body, &secrets);
        let expected = texts.each_ref().map(|text| {
            let oracle = standardwebhooks::Webhook::new(text.expose_secret()).unwrap();
            oracle.sign("0197a1b2", 1_795_000_000, body).unwrap()
        });
        assert_eq!(
            headers,
            [
                (ID_HEADER, "0197a1b2".to_owned()),
                (TIMESTAMP_HEADER, "1795000000".to_owned()),
                (SIGNATURE_HEADER, expected.join(" ")),
            ]
        );
    }

    #[test]
    fn secrets_of_the_wrong_form_or_length_are_refused() {
        assert!(SigningSecret::parse(&secret(1, 23)).is_err());
        assert!(SigningSecret::parse(&secret(1, 65)).is_err());
        for text in ["", "whsec_", "whsec_*", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert!(SigningSecret::parse(&text.into()).is_err(), "{text}");
        }
    }
}
