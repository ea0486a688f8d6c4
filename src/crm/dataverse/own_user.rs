//! Who we are to the CRM: the user behind our application, asked for with `WhoAmI`. It stays the same for as long as the
//! application user exists; one that was made anew is known after the next start, and until then our own writes are taken
//! for another's, which costs a reading of changes and loses nothing.

use std::sync::OnceLock;

use serde_json::Value;
use uuid::Uuid;

use super::links::Organisation;
use super::refusal::Failure;
use super::transport::{Call, Transport};

/// Our user, once it was asked for.
#[derive(Debug, Default)]
pub(super) struct OwnUser(OnceLock<Uuid>);

impl OwnUser {
    pub(super) fn known(&self) -> Option<Uuid> {
        self.0.get().copied()
    }

    /// Our user, asked for when it is not known.
    pub(super) async fn learn(
        &self,
        transport: &Transport,
        organisation: &Organisation,
    ) -> Result<Uuid, Failure> {
        match self.known() {
            Some(known) => Ok(known),
            None => self.ask(transport, organisation).await,
        }
    }

    /// Asks, whatever is known, and once: whoever needs it can do without.
    pub(super) async fn ask(
        &self,
        transport: &Transport,
        organisation: &Organisation,
    ) -> Result<Uuid, Failure> {
        let call = Call::new("asking who we are", organisation.query("WhoAmI", &[]));
        let answer = transport.once(&call).await?;
        let said = transport.understand(&call, &answer, |body: Value| {
            body.get("UserId")?.as_str()?.parse::<Uuid>().ok()
        });
        let user = said.map_err(Failure::without_answer)?;
        Ok(*self.0.get_or_init(|| user))
    }
}
