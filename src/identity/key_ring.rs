//! The key ring: the secret keys of this deployment, each with a name. The first seals and signs; the others only open and
//! verify what they once sealed, so that a key can be replaced without downtime.
//!
//! A ring comes from the settings. Where none is set and the environment is not production, one key is made and kept in
//! the data directory, readable by its owner alone; production refuses to start without a key of its own.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::domain::context::Context;

/// Name of the file in the data directory that keeps the development key.
pub const DEVELOPMENT_KEY_FILE: &str = "development.key";

/// Name of the key in it.
const DEVELOPMENT_KEY_NAME: &str = "development";
/// Of 32 bytes drawn by chance, about 30 differ; fewer than this would take longer than the world stands.
const FEWEST_BYTES: usize = 16;

/// The key ring could not be had. Texts name no key material.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    /// Production must be given its keys.
    #[error(
        "a production environment needs a key: set at least one as `name:base64 of 32 random bytes` \
         (for example `2026-11:` followed by the output of `openssl rand -base64 32`)"
    )]
    Missing,
    /// One of the keys cannot be read.
    #[error(
        "key number {position} of the key ring is not `name:base64 of 32 bytes`, with a name of 1 to 40 letters, \
         digits, `-`, `.` or `_`"
    )]
    Malformed {
        /// Counted from 1.
        position: usize,
    },
    /// Two keys have one name.
    #[error("the key ring holds two keys named `{0}`; every key needs a name of its own")]
    Duplicate(String),
    /// The development key could not be read or kept.
    #[error("the development key `{path}` could not be read or written")]
    File {
        /// Where it should be.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

/// One key of the ring.
pub(crate) struct RingKey {
    /// Its name, kept beside whatever it seals.
    pub(crate) id: String,
    pub(crate) bytes: Zeroizing<[u8; 32]>,
}

/// The keys of this deployment. Never empty.
pub struct KeyRing {
    current: RingKey,
    former: Vec<RingKey>,
}

impl KeyRing {
    /// The ring of the settings, or outside production the development key in `data_directory` when none is set.
    ///
    /// # Errors
    /// When a key is malformed, when production has none, or when the development key cannot be kept.
    pub fn open(
        keys: &[SecretString],
        production: bool,
        data_directory: &Path,
        context: &Context,
    ) -> Result<Self, KeyRingError> {
        if keys.is_empty() && production {
            return Err(KeyRingError::Missing);
        }
        if keys.is_empty() {
            let text = development_key(&data_directory.join(DEVELOPMENT_KEY_FILE), context)?;
            return Self::parse(&[text]);
        }
        Self::parse(keys)
    }

    /// Reads a ring from texts such as `2026-11:<base64 of 32 bytes>`; the first is the current key.
    ///
    /// # Errors
    /// When there is none, one cannot be read, or two have the same name.
    pub fn parse(keys: &[SecretString]) -> Result<Self, KeyRingError> {
        let mut ring: Vec<RingKey> = Vec::with_capacity(keys.len());
        for (index, text) in keys.iter().enumerate() {
            let malformed = KeyRingError::Malformed {
                position: index + 1,
            };
            let key = parse_key(text).ok_or(malformed)?;
            if ring.iter().any(|other| other.id == key.id) {
                return Err(KeyRingError::Duplicate(key.id));
            }
            ring.push(key);
        }
        let mut keys = ring.into_iter();
        let current = keys.next().ok_or(KeyRingError::Missing)?;
        Ok(Self {
            current,
            former: keys.collect(),
        })
    }

    /// Whether a key can be guessed: it has few different bytes, as none that was drawn by chance has, or its name says that
    /// a development environment made it.
    #[must_use]
    pub fn is_guessable(text: &SecretString) -> bool {
        parse_key(text).is_some_and(|key| {
            let different: std::collections::BTreeSet<u8> = key.bytes.iter().copied().collect();
            key.id == DEVELOPMENT_KEY_NAME || different.len() < FEWEST_BYTES
        })
    }

    /// Every key, the current one first.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &RingKey> {
        std::iter::once(&self.current).chain(&self.former)
    }

    /// Name of the key that seals and signs.
    #[must_use]
    pub fn current_id(&self) -> &str {
        &self.current.id
    }
}

impl RingKey {
    /// A key for one purpose, so that what leaks of one use says nothing of another (HMAC-SHA256 as a key derivation).
    #[expect(
        clippy::expect_used,
        reason = "HMAC takes keys of every length (RFC 2104)"
    )]
    pub(crate) fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.bytes.as_slice())
            .expect("HMAC takes keys of every length");
        mac.update(purpose.as_bytes());
        Zeroizing::new(mac.finalize().into_bytes().into())
    }
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.keys().map(|key| key.id.as_str()))
            .finish()
    }
}

fn parse_key(text: &SecretString) -> Option<RingKey> {
    let (id, key) = text.expose_secret().trim().split_once(':')?;
    let named = (1..=40).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
    let bytes = Zeroizing::new(STANDARD.decode(key.trim()).ok()?);
    let bytes = <[u8; 32]>::try_from(bytes.as_slice()).ok()?;
    named.then(|| RingKey {
        id: id.to_owned(),
        bytes: Zeroizing::new(bytes),
    })
}

/// Reads the development key, or makes it: the file is created with its final permissions, never widened afterwards.
fn development_key(path: &Path, context: &Context) -> Result<SecretString, KeyRingError> {
    let failed = |source| KeyRingError::File {
        path: path.display().to_string(),
        source,
    };
    match std::fs::read_to_string(path) {
        Ok(text) => return Ok(text.into()),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let key = Zeroizing::new(context.secret_bytes());
    let text = format!("{DEVELOPMENT_KEY_NAME}:{}", STANDARD.encode(key.as_slice()));
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, byte: u8) -> SecretString {
        format!("{id}:{}", STANDARD.encode([byte; 32])).into()
    }

    #[test]
    fn the_first_key_is_the_current_one_and_purposes_do_not_share_a_key() {
        let ring = KeyRing::parse(&[key("b", 2), key("a", 1)]).unwrap();
        assert_eq!(ring.current_id(), "b");
        assert_eq!(format!("{ring:?}"), r#"["b", "a"]"#);
        let derived = |ring: &KeyRing, purpose| ring.keys().next().unwrap().derive(purpose);
        assert_ne!(derived(&ring, "x"), derived(&ring, "y"));
        let other = KeyRing::parse(&[key("a", 1)]).unwrap();
        assert_ne!(derived(&ring, "x"), derived(&other, "x"));
    }

    #[test]
    fn a_key_that_cannot_be_read_is_refused_by_its_place_and_never_shown() {
        for text in ["", "nocolon", "a:AAAA", "a b:AAAA", ":AAAA", "a:!!!!"] {
            let error = KeyRing::parse(&[key("ok", 1), text.to_owned().into()]).unwrap_err();
            assert!(
                matches!(error, KeyRingError::Malformed { position: 2 }),
                "{text}: {error}"
            );
            assert!(text.len() < 5 || !error.to_string().contains(text));
        }
        let twice = KeyRing::parse(&[key("a", 1), key("a", 2)]).unwrap_err();
        assert!(matches!(twice, KeyRingError::Duplicate(name) if name == "a"));
    }

    #[test]
    fn outside_production_a_key_is_made_once_and_only_its_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let open = |production| {
            KeyRing::open(
                &[],
                production,
                directory.path(),
                &crate::identity::tests::context(),
            )
        };
        assert!(matches!(open(true), Err(KeyRingError::Missing)));
        let derived = |ring: &KeyRing| ring.keys().next().unwrap().derive("x");
        assert_eq!(
            derived(&open(false).unwrap()),
            derived(&open(false).unwrap())
        );
        let path = directory.path().join(DEVELOPMENT_KEY_FILE);
        assert_eq!(
            std::fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}
