//! Rows in one dense vector, found by key through a hash table that holds nothing but their 32-bit slots: five bytes a row
//! instead of a second copy of the key. Slots of removed rows are used again, so a slot means something only as long as
//! its row is there.

use std::hash::{BuildHasher, Hash, RandomState};

use hashbrown::HashTable;

/// Where a row lies.
pub(super) type Slot = u32;

/// Something kept in a [`Table`], found by its key.
pub(super) trait Row {
    /// What it is found by.
    type Key: ?Sized + Hash + Eq;
    /// Its key; never changes while the row is in the table.
    fn key(&self) -> &Self::Key;
}

/// The rows and the way to find them.
pub(super) struct Table<R> {
    rows: Vec<Option<R>>,
    free: Vec<Slot>,
    slots: HashTable<Slot>,
    hasher: RandomState,
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            free: Vec::new(),
            slots: HashTable::new(),
            hasher: RandomState::new(),
        }
    }
}

fn row_at<R>(rows: &[Option<R>], slot: Slot) -> Option<&R> {
    rows.get(slot as usize)?.as_ref()
}

impl<R: Row> Table<R> {
    /// The slot of the row with this key.
    pub(super) fn find(&self, key: &R::Key) -> Option<Slot> {
        let rows = &self.rows;
        self.slots
            .find(self.hasher.hash_one(key), |slot| {
                row_at(rows, *slot).is_some_and(|row| row.key() == key)
            })
            .copied()
    }

    /// The row in a slot.
    pub(super) fn get(&self, slot: Slot) -> Option<&R> {
        row_at(&self.rows, slot)
    }

    /// The row in a slot, to be changed; its key must stay as it is.
    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut R> {
        self.rows.get_mut(slot as usize)?.as_mut()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Adds a row whose key is not in the table yet, and says where it lies.
    pub(super) fn insert(&mut self, row: R) -> Slot {
        let hash = self.hasher.hash_one(row.key());
        let slot = self.free.pop().unwrap_or_else(|| {
            self.rows.push(None);
            Slot::try_from(self.rows.len() - 1).unwrap_or(Slot::MAX)
        });
        if let Some(place) = self.rows.get_mut(slot as usize) {
            *place = Some(row);
        }
        let (rows, hasher) = (&self.rows, &self.hasher);
        self.slots.insert_unique(hash, slot, |slot| {
            row_at(rows, *slot).map_or(0, |row| hasher.hash_one(row.key()))
        });
        slot
    }

    /// Takes a row out; its slot may be given to another row at once.
    pub(super) fn remove(&mut self, slot: Slot) -> Option<R> {
        let hash = self.hasher.hash_one(row_at(&self.rows, slot)?.key());
        if let Ok(entry) = self.slots.find_entry(hash, |found| *found == slot) {
            entry.remove();
        }
        self.free.push(slot);
        self.rows.get_mut(slot as usize)?.take()
    }
}
