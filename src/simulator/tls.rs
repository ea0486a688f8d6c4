//! HTTPS on this machine, with a certificate made at start that nobody trusts by himself.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::PrivateKeyDer;

use super::server::SimulatorError;

/// A server's TLS and its certificate as PEM.
pub(super) struct LoopbackTls {
    pub server: rustls::ServerConfig,
    pub certificate: String,
}

impl LoopbackTls {
    /// Makes a key and a certificate for this machine's names.
    pub fn generate() -> Result<Self, SimulatorError> {
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(names).map_err(failed)?;
        let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
        let server = rustls::ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .map_err(failed)?;
        Ok(Self {
            server,
            certificate: cert.pem(),
        })
    }
}

fn failed(error: impl std::fmt::Display) -> SimulatorError {
    SimulatorError::Certificate(error.to_string())
}
