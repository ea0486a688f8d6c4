//! Name resolution for callbacks. The client dials exactly the addresses that this hands it, so the address that was
//! checked is the address that is dialled: a name that answers differently a moment later (DNS rebinding) gains nothing.
//! The client never asks here about an IP literal; [`super::address_policy`] refuses those.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::public_address::is_public;

/// Asks for the addresses of a name.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// The addresses of `name`.
    ///
    /// # Errors
    /// When the name is unknown, or nobody could be asked.
    async fn addresses(&self, name: &str) -> std::io::Result<Vec<IpAddr>>;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn addresses(&self, name: &str) -> std::io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((name, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

/// A name whose addresses are not ours to call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the name leads to no public address")]
pub struct NoPublicAddress;

/// Hands out public addresses only; of `localhost` the loopback ones, when that is allowed.
#[derive(Clone)]
pub struct GuardedDns {
    lookup: Arc<dyn Lookup>,
    allow_loopback: bool,
}

impl GuardedDns {
    /// Guards `lookup`.
    #[must_use]
    pub fn new(lookup: Arc<dyn Lookup>, allow_loopback: bool) -> Self {
        Self {
            lookup,
            allow_loopback,
        }
    }

    fn may_dial(&self, name: &str, address: IpAddr) -> bool {
        if name == "localhost" {
            self.allow_loopback && address.is_loopback()
        } else {
            is_public(address)
        }
    }
}

impl Resolve for GuardedDns {
    fn resolve(&self, name: Name) -> Resolving {
        let this = self.clone();
        Box::pin(async move {
            let name = name.as_str();
            let found = this.lookup.addresses(name).await?;
            let allowed: Vec<SocketAddr> = found
                .into_iter()
                .filter(|&address| this.may_dial(name, address))
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            if allowed.is_empty() {
                return Err(NoPublicAddress.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}
