//! The key that signs tokens, and the set of keys that shows its public half.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};

use serde::Serialize;

use super::claims::Claims;
use crate::simulator::SimulatorError;

/// The keys that sign: the newest signs, and those before it are shown until they are dropped.
pub(in crate::simulator) struct Keys(RwLock<Vec<Key>>);

/// A signing key.
struct Key {
    id: String,
    signing: EncodingKey,
    verifying: DecodingKey,
    public: Jwk,
}

impl Keys {
    /// Begins with one key.
    pub fn generate(id: String) -> Result<Self, SimulatorError> {
        Ok(Self(RwLock::new(vec![Key::generate(id)?])))
    }

    /// Signs with a new key from now on. Those before it are dropped at once, or stay published.
    pub fn rotate(&self, id: String, drop_former: bool) -> Result<(), SimulatorError> {
        let key = Key::generate(id)?;
        let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if drop_former {
            keys.clear();
        }
        keys.insert(0, key);
        Ok(())
    }

    /// The document at `jwks_uri`.
    pub fn key_set(&self) -> JwkSet {
        JwkSet {
            keys: self.keys().iter().map(|key| key.public.clone()).collect(),
        }
    }

    /// Signs claims; `None` only when the key cannot sign.
    pub fn sign(&self, claims: &impl Serialize) -> Option<String> {
        let keys = self.keys();
        let key = keys.first()?;
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(key.id.clone());
        jsonwebtoken::encode(&header, claims, &key.signing).ok()
    }

    /// The claims of a token of ours, expired or not: the clock is not this function's business.
    pub fn verify(&self, token: &str) -> Option<Claims> {
        let mut rules = Validation::new(Algorithm::RS256);
        rules.validate_exp = false;
        rules.validate_aud = false;
        rules.required_spec_claims.clear();
        self.keys()
            .iter()
            .find_map(|key| jsonwebtoken::decode(token, &key.verifying, &rules).ok())
            .map(|data| data.claims)
    }

    fn keys(&self) -> RwLockReadGuard<'_, Vec<Key>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Key {
    /// Makes an RSA key of 2048 bits.
    fn generate(id: String) -> Result<Self, SimulatorError> {
        let failed = |reason: String| SimulatorError::Key(reason);
        let pair =
            rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
                .map_err(|error| failed(error.to_string()))?;
        let signing = EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes())
            .map_err(|error| failed(error.to_string()))?;
        let mut public = Jwk::from_encoding_key(&signing, Algorithm::RS256)
            .map_err(|error| failed(error.to_string()))?;
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        let verifying =
            DecodingKey::from_jwk(&public).map_err(|error| failed(error.to_string()))?;
        Ok(Self {
            id,
            signing,
            verifying,
            public,
        })
    }
}
