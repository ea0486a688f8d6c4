//! What was invalidated, as numbers that only grow. A copy remembers the number from before it was asked for; when the
//! number has grown since, the copy may be older than the change and does not count. So invalidating is an addition, needs
//! no lock, and cannot be overtaken by a load that is under way.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::ids::AccountId;

/// Accounts share numbers, some thousands of them: a change costs a few others a check by entity tag, no more.
const NUMBERS: usize = 4096;

/// The numbers.
pub(super) struct Changes {
    accounts: Box<[AtomicU64]>,
    all: AtomicU64,
    any: AtomicU64,
}

impl Default for Changes {
    fn default() -> Self {
        Self {
            accounts: (0..NUMBERS).map(|_| AtomicU64::new(0)).collect(),
            all: AtomicU64::new(0),
            any: AtomicU64::new(0),
        }
    }
}

impl Changes {
    /// Grows with each change of this Account (and now and then with one of another).
    pub(super) fn of_account(&self, id: AccountId) -> u64 {
        let own = self.number(id).map_or(0, |it| it.load(Ordering::Acquire));
        own + self.all.load(Ordering::Acquire)
    }

    /// Grows with each change of any Account.
    pub(super) fn of_any(&self) -> u64 {
        self.any.load(Ordering::Acquire)
    }

    pub(super) fn account_changed(&self, id: AccountId) {
        if let Some(number) = self.number(id) {
            number.fetch_add(1, Ordering::AcqRel);
        }
        self.any.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn all_changed(&self) {
        self.all.fetch_add(1, Ordering::AcqRel);
        self.any.fetch_add(1, Ordering::AcqRel);
    }

    fn number(&self, id: AccountId) -> Option<&AtomicU64> {
        // Ids that one machine made differ in a few bits only; multiplying spreads them over the top ones.
        let (high, low) = id.as_uuid().as_u64_pair();
        let mixed = (high ^ low.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.accounts.get((mixed >> 52) as usize % NUMBERS)
    }
}
