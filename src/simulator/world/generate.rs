//! Makes a whole world from a seed.

use rand::seq::SliceRandom;

use super::customers::Customers;
use super::scenario::{self, Scenario};
use super::sow::Sower;
use super::{Subscriptions, World, WorldSpec};

/// For so many customers there is one organisation in the CRM that is none.
const CUSTOMERS_PER_PROSPECT: usize = 3;

/// Plays a scenario for each customer, adds prospects, mixes everything.
pub(super) fn generate(spec: &WorldSpec) -> World {
    let mut sower = Sower::new(spec.seed);
    let deck = scenario::deck(spec.deceptive);
    let mut hand: Vec<Scenario> = Vec::new();
    for nth in 0..spec.customers {
        if hand.is_empty() {
            hand.clone_from(&deck);
            hand.shuffle(&mut sower.rng);
        }
        if let Some(scenario) = hand.pop() {
            sower.play(scenario);
        }
        if nth % CUSTOMERS_PER_PROSPECT == 0 {
            sower.prospect();
        }
    }
    sower.shuffle();
    let version = sower
        .accounts
        .from(0)
        .chain(sower.contacts.from(0))
        .map(|(_, row)| row.version)
        .max()
        .unwrap_or(1_000_000);
    World {
        seed: spec.seed,
        customers: Customers::of(sower.customers),
        subscriptions: Subscriptions::default(),
        accounts: sower.accounts,
        contacts: sower.contacts,
        organisation_of_account: sower.organisations,
        told: Vec::new(),
        version,
    }
}
