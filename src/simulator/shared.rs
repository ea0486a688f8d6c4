//! The world as its stand-ins and its visitors share it: many readers or one writer, each for as long as one answer takes.

use std::sync::{Arc, PoisonError, RwLock};

use uuid::Uuid;

use super::credentials::APPLICATION_USER_ID;
use super::webhooks::{Notice, Webhooks};
use super::world::{Change, ChangeError, Moment, OWNER, World};
use crate::domain::context::Context;
use crate::domain::ids::AccountId;
use crate::domain::provider_account::ExternalId;

/// A shared world. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct SharedWorld {
    world: Arc<RwLock<World>>,
    context: Context,
    webhooks: Webhooks,
}

impl SharedWorld {
    pub(super) fn new(world: World, context: Context, webhooks: Webhooks) -> Self {
        Self {
            webhooks,
            world: Arc::new(RwLock::new(world)),
            context,
        }
    }

    /// Looks at the world. Changes wait meanwhile.
    pub fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes as the application that calls the Web API.
    pub(super) fn write<T>(&self, work: impl FnOnce(&mut World, Moment) -> T) -> T {
        self.write_by(APPLICATION_USER_ID, work)
    }

    fn write_by<T>(&self, by: Uuid, work: impl FnOnce(&mut World, Moment) -> T) -> T {
        let moment = self.moment();
        let (result, told) = {
            let mut world = self.world.write().unwrap_or_else(PoisonError::into_inner);
            let result = work(&mut world, moment);
            (result, std::mem::take(&mut world.told))
        };
        let told = told.into_iter().map(|notice| Notice { by, ..notice });
        self.webhooks.tell(told.collect());
        result
    }

    pub(super) const fn webhooks(&self) -> &Webhooks {
        &self.webhooks
    }

    /// Makes one change, as a person at the CRM; gives the id of what is new or was changed.
    ///
    /// # Errors
    /// When it speaks of something that does not exist.
    pub fn change(&self, change: Change) -> Result<Uuid, ChangeError> {
        self.write_by(OWNER, |world, moment| world.change(change, moment))
    }

    /// The Account that a customer is; see [`World::truth`].
    #[must_use]
    pub fn truth(&self, customer: &ExternalId) -> Option<AccountId> {
        self.read(|world| world.truth(customer))
    }

    /// Whether a mapping is right; see [`World::accepts`].
    #[must_use]
    pub fn accepts(&self, customer: &ExternalId, account: AccountId) -> bool {
        self.read(|world| world.accepts(customer, account))
    }

    fn moment(&self) -> Moment {
        Moment {
            now: u32::try_from(self.context.now().timestamp()).unwrap_or_default(),
            fresh: self.context.new_uuid(),
        }
    }
}

impl std::fmt::Debug for SharedWorld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedWorld").finish_non_exhaustive()
    }
}
