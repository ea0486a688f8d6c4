//! What an API key looks like: `pb_<id>_<secret>`, 32 hexadecimal digits and 256 random bits in base64url.
//! The id is public and finds the row; the secret makes it unguessable, so a plain SHA-256 of the whole text is enough to
//! keep (a slow password hash defends against guessing, and there is nothing to guess).
//! The fixed opening lets secret scanners recognise a key that was published by mistake.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::domain::context::Context;
use crate::domain::ids::ApiKeyId;

/// SHA-256 of a secret text: what is stored and compared.
pub type SecretHash = [u8; 32];

/// The SHA-256 of `text`.
#[must_use]
pub fn hash(text: &[u8]) -> SecretHash {
    Sha256::digest(text).into()
}

/// The SHA-256 of a secret of ours.
#[must_use]
pub fn hash_secret(secret: &SecretString) -> SecretHash {
    hash(secret.expose_secret().as_bytes())
}

/// 256 random bits as 43 characters that may stand in a URL.
#[must_use]
pub fn random_secret(context: &Context) -> SecretString {
    let bytes = Zeroizing::new(context.secret_bytes());
    URL_SAFE_NO_PAD.encode(bytes.as_slice()).into()
}

/// A new key for the row `id`. It is shown once; only its [`hash`] is kept.
#[must_use]
pub fn generate(id: ApiKeyId, context: &Context) -> SecretString {
    let secret = random_secret(context);
    format!("pb_{}_{}", id.as_uuid().simple(), secret.expose_secret()).into()
}

/// The row that a text shaped like a key speaks of; `None` for any other text. Proves nothing by itself.
#[must_use]
pub fn row_of(text: &str) -> Option<ApiKeyId> {
    let (id, secret) = text.strip_prefix("pb_")?.split_once('_')?;
    if id.len() != 32 || secret.len() != 43 {
        return None;
    }
    Uuid::try_parse(id).ok().map(ApiKeyId::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::tests::context;
    use proptest::prelude::*;

    #[test]
    fn a_new_key_names_its_row_and_no_two_are_alike() {
        let context = context();
        let id = ApiKeyId::new(Uuid::from_u128(5));
        let first = generate(id, &context);
        assert_eq!(row_of(first.expose_secret()), Some(id));
        assert_ne!(
            first.expose_secret(),
            generate(id, &context).expose_secret()
        );
        assert_eq!(first.expose_secret().len(), 3 + 32 + 1 + 43);
    }

    proptest! {
        #[test]
        fn other_texts_name_no_row_and_never_panic(text in "\\PC{0,90}") {
            prop_assert_eq!(row_of(&text), None);
            let _ = row_of(&format!("pb_{text}"));
        }
    }
}
