//! `[server]`: the HTTP server and the address others know it by (decision 11).

use std::net::SocketAddr;

use serde::Deserialize;
use url::Url;

use super::{Section, is_safe};

/// The HTTP server.
#[derive(Debug, Clone, Deserialize)]
pub struct Server {
    /// Address to listen on; port 0 takes any free one.
    #[serde(deserialize_with = "bind")]
    pub bind: SocketAddr,
    /// The address under which others reach it.
    #[serde(deserialize_with = "super::url")]
    pub public_url: Url,
    /// Further host names of the pages.
    pub allowed_hosts: Vec<String>,
    /// Gateways whose prefix header is believed.
    pub gateway_hosts: Vec<String>,
    /// Largest request body.
    pub max_body_bytes: usize,
    /// Requests a caller may make in a minute; 0 means no limit.
    pub requests_per_minute: u32,
}

fn bind<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    super::from_text(deserializer, "address to bind to such as 127.0.0.1:8080")
}

impl Section for Server {
    const NAME: &'static str = "server";

    fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if !is_safe(&self.public_url) {
            mistakes.push("public_url must be https, or http to this very machine".to_owned());
        }
        if self.public_url.query().is_some() || self.public_url.fragment().is_some() {
            mistakes.push("public_url must have neither query nor fragment".to_owned());
        }
        if self.max_body_bytes < 65_536 {
            mistakes.push("max_body_bytes must be at least 65536".to_owned());
        }
        mistakes
    }
}
