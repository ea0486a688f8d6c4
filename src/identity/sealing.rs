//! Sealing of secrets at rest (XChaCha20-Poly1305). The key's name and the id of the row are associated data: a sealed
//! secret that is moved to another row, or relabelled with another key's name, does not open.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use secrecy::SecretString;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::key_ring::{KeyRing, RingKey};
use crate::domain::context::Context;
use crate::domain::ports::sealer::{OpenError, Sealed, Sealer};

const NONCE_BYTES: usize = 24;

/// Seals with the current key of the ring and opens with whichever key sealed.
pub struct RingSealer {
    current: String,
    ciphers: Vec<(String, XChaCha20Poly1305)>,
    context: Context,
}

impl RingSealer {
    /// A sealer with keys of its own, derived from those of `ring`.
    #[must_use]
    pub fn new(ring: &KeyRing, context: Context) -> Self {
        let cipher = |key: &RingKey| {
            let bytes = key.derive("sealing/1");
            (key.id.clone(), XChaCha20Poly1305::new((&*bytes).into()))
        };
        Self {
            current: ring.current_id().to_owned(),
            ciphers: ring.keys().map(cipher).collect(),
            context,
        }
    }

    fn cipher(&self, id: &str) -> Option<&XChaCha20Poly1305> {
        self.ciphers
            .iter()
            .find(|(name, _)| name == id)
            .map(|(_, cipher)| cipher)
    }
}

/// What is authenticated beside the secret. The row's id has a fixed length, so the two parts cannot be confused.
fn associated_data(key_id: &str, row: Uuid) -> Vec<u8> {
    [row.as_bytes().as_slice(), key_id.as_bytes()].concat()
}

impl Sealer for RingSealer {
    #[expect(
        clippy::expect_used,
        reason = "the cipher refuses only plaintexts beyond 256 GiB"
    )]
    fn seal(&self, row: Uuid, secret: &str) -> Sealed {
        let nonce: [u8; NONCE_BYTES] = self.context.bytes();
        let payload = Payload {
            msg: secret.as_bytes(),
            aad: &associated_data(&self.current, row),
        };
        let sealed = self
            .cipher(&self.current)
            .and_then(|cipher| cipher.encrypt(&XNonce::from(nonce), payload).ok())
            .expect("the current key is in the ring and a secret is far below the cipher's limit");
        Sealed {
            key_id: self.current.clone(),
            bytes: [nonce.as_slice(), &sealed].concat(),
        }
    }

    fn open(&self, row: Uuid, sealed: &Sealed) -> Result<SecretString, OpenError> {
        let cipher = self
            .cipher(&sealed.key_id)
            .ok_or_else(|| OpenError::UnknownKey(sealed.key_id.clone()))?;
        let (nonce, ciphertext) = sealed
            .bytes
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(OpenError::Damaged)?;
        let payload = Payload {
            msg: ciphertext,
            aad: &associated_data(&sealed.key_id, row),
        };
        let secret = cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| OpenError::Damaged)?;
        let secret = Zeroizing::new(secret);
        let text = std::str::from_utf8(&secret).map_err(|_| OpenError::Damaged)?;
        Ok(SecretString::from(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::tests::{context, ring};
    use secrecy::ExposeSecret;

    fn sealer(keys: &[(&str, u8)]) -> RingSealer {
        RingSealer::new(&ring(keys), context())
    }

    const ROW: Uuid = Uuid::from_u128(7);

    #[test]
    fn a_secret_opens_only_in_the_row_and_under_the_key_it_was_sealed_for() {
        let old = sealer(&[("a", 1)]);
        let sealed = old.seal(ROW, "käse");
        let rotated = sealer(&[("b", 2), ("a", 1)]);
        assert_eq!(rotated.open(ROW, &sealed).unwrap().expose_secret(), "käse");
        assert_eq!(rotated.seal(ROW, "x").key_id, "b");
        assert_eq!(
            rotated.open(Uuid::from_u128(8), &sealed).unwrap_err(),
            OpenError::Damaged
        );
        let relabelled = Sealed {
            key_id: "b".to_owned(),
            ..sealed.clone()
        };
        assert_eq!(
            rotated.open(ROW, &relabelled).unwrap_err(),
            OpenError::Damaged
        );
        let unknown = sealer(&[("b", 2)]).open(ROW, &sealed).unwrap_err();
        assert_eq!(unknown, OpenError::UnknownKey("a".to_owned()));
    }

    #[test]
    fn sealing_twice_gives_different_bytes_and_no_byte_of_them_may_change() {
        let sealer = sealer(&[("a", 1)]);
        let sealed = sealer.seal(ROW, "secret");
        assert_ne!(sealed, sealer.seal(ROW, "secret"));
        for index in 0..sealed.bytes.len() {
            let mut damaged = sealed.clone();
            damaged.bytes[index] ^= 1;
            assert_eq!(sealer.open(ROW, &damaged).unwrap_err(), OpenError::Damaged);
        }
        let short = Sealed {
            bytes: vec![0; 23],
            ..sealed
        };
        assert_eq!(sealer.open(ROW, &short).unwrap_err(), OpenError::Damaged);
    }
}
