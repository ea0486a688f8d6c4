//! All Provider Accounts as the engine counts them: a contact domain of many customers is a reseller's or an
//! accountant's. Each look reads a stamp of every Provider Account and the whole of those only whose stamp is another.

use std::collections::HashMap;
use std::sync::PoisonError;

use super::journal::{Keys, keys_of_domain};
use super::{Matcher, facts};
use crate::domain::ids::ProviderAccountId;
use crate::flows::{FlowError, Flows};
use crate::matching::facts::Customer;
use crate::store::provider_accounts::{self, Stamp};

/// Provider Accounts read in one query.
const CHUNK: usize = 1_000;

#[derive(Default)]
pub(super) struct Roster {
    known: HashMap<ProviderAccountId, (Stamp, Customer)>,
}

impl Matcher {
    /// Takes in what the store has of Provider Accounts now.
    pub(in crate::flows) async fn count_population(&self, flows: &Flows) -> Result<(), FlowError> {
        let reader = flows.store.reader();
        let stamps = provider_accounts::stamps(reader).await?;
        let changed: Vec<ProviderAccountId> = {
            let roster = self.roster.lock().unwrap_or_else(PoisonError::into_inner);
            let differs = |id: &ProviderAccountId, stamp: &Stamp| {
                roster.known.get(id).is_none_or(|(known, _)| known != stamp)
            };
            let ids = stamps.iter().filter(|(id, stamp)| differs(id, stamp));
            ids.map(|(id, _)| *id).collect()
        };
        let stamps: HashMap<_, _> = stamps.into_iter().collect();
        for chunk in changed.chunks(CHUNK) {
            let accounts = provider_accounts::find_many(reader, chunk).await?;
            let mut roster = self.roster.lock().unwrap_or_else(PoisonError::into_inner);
            let mut engine = self.write();
            let mut keys = Keys::new();
            for account in accounts {
                let Some(stamp) = stamps.get(&account.id) else {
                    continue;
                };
                for domain in &account.domains {
                    keys_of_domain(&domain.name, &mut keys);
                }
                let customer = facts::customer(&account);
                engine.population.add(&customer);
                if let Some((_, old)) = roster.known.insert(account.id, (*stamp, customer)) {
                    engine.population.remove(&old);
                }
            }
            self.journal().touch(keys);
        }
        Ok(())
    }
}
