//! What lies outside the house and a test never comes to: whoever gets there all the same fails it.

use std::sync::Arc;

use async_trait::async_trait;
use provider_bridge::domain::ports::callback::{CallbackPolicy, CallbackRefused};
use provider_bridge::domain::ports::provider::{ProviderClient, ProviderError, Providers};
use provider_bridge::domain::ports::sealer::{OpenError, Sealed, Sealer};
use provider_bridge::domain::provider::Provider;
use uuid::Uuid;

/// What these tests never come to.
pub struct Elsewhere;

#[async_trait]
impl Providers for Elsewhere {
    async fn client(&self, _: &Provider) -> Result<Arc<dyn ProviderClient>, ProviderError> {
        panic!("no provider is called here")
    }
}

impl CallbackPolicy for Elsewhere {
    fn check(&self, _: &str) -> Result<String, CallbackRefused> {
        panic!("no callback is subscribed here")
    }
}

impl Sealer for Elsewhere {
    fn seal(&self, _: Uuid, _: &str) -> Sealed {
        panic!("nothing is sealed here")
    }

    fn open(&self, _: Uuid, _: &Sealed) -> Result<secrecy::SecretString, OpenError> {
        panic!("nothing is opened here")
    }
}
