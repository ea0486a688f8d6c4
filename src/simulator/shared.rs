//! The world as its stand-ins and its visitors share it: many readers or one writer, each for as long as one answer takes.

use std::sync::{Arc, PoisonError, RwLock};

use super::webhooks::Webhooks;
use super::world::{Change, ChangeError, Moment, World};
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

    pub(super) fn write<T>(&self, work: impl FnOnce(&mut World, Moment) -> T) -> T {
        let moment = self.moment();
        let (result, told) = {
            let mut world = self.world.write().unwrap_or_else(PoisonError::into_inner);
            let result = work(&mut world, moment);
            (result, std::mem::take(&mut world.told))
        };
        self.webhooks.tell(told);
        result
    }

    pub(super) const fn webhooks(&self) -> &Webhooks {
        &self.webhooks
    }

    /// Makes one change; gives the id of what is new or was changed.
    ///
    /// # Errors
    /// When it speaks of something that does not exist.
    pub fn change(&self, change: Change) -> Result<uuid::Uuid, ChangeError> {
        self.write(|world, moment| world.change(change, moment))
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
