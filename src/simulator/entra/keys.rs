//! The key that signs tokens, and the set of keys that shows its public half.

use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};

use super::claims::Claims;
use crate::simulator::SimulatorError;

/// A signing key, made at start.
pub(in crate::simulator) struct Keys {
    id: String,
    signing: EncodingKey,
    verifying: DecodingKey,
    public: Jwk,
}

impl Keys {
    /// Makes an RSA key of 2048 bits.
    pub fn generate(id: String) -> Result<Self, SimulatorError> {
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

    /// The document at `jwks_uri`.
    pub fn key_set(&self) -> JwkSet {
        JwkSet {
            keys: vec![self.public.clone()],
        }
    }

    /// Signs claims; `None` only when the key cannot sign.
    pub fn sign(&self, claims: &Claims) -> Option<String> {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.id.clone());
        jsonwebtoken::encode(&header, claims, &self.signing).ok()
    }

    /// The claims of a token of ours, expired or not: the clock is not this function's business.
    pub fn verify(&self, token: &str) -> Option<Claims> {
        let mut rules = Validation::new(Algorithm::RS256);
        rules.validate_exp = false;
        rules.validate_aud = false;
        rules.required_spec_claims.clear();
        jsonwebtoken::decode(token, &self.verifying, &rules)
            .ok()
            .map(|data| data.claims)
    }
}
