//! The rows of one Dataverse table, in the order they were created, with the log that change tracking reads.
//!
//! Two readings must stay consistent while rows change under them. A full reading walks by place (rows never move; a
//! deleted one leaves an empty place), a delta walks by version: a row that changes again moves to the log's end, so it is
//! seen once more and never missed.

use std::collections::HashMap;

use uuid::Uuid;

use super::row::Packed;
use super::schema::Table;

/// The place of a row in its table.
pub(in crate::simulator) type Place = u32;

/// One row.
#[derive(Debug, Clone)]
pub(in crate::simulator) struct Row {
    pub id: Uuid,
    /// `versionnumber`, and the number in the entity tag.
    pub version: u64,
    /// Seconds since 1970; Dataverse shows no finer.
    pub created: u32,
    pub modified: u32,
    pub packed: Packed,
    /// A deleted row keeps its place and id.
    pub alive: bool,
}

/// The rows of a table.
#[derive(Debug)]
pub(in crate::simulator) struct Rows {
    pub table: &'static Table,
    rows: Vec<Row>,
    by_id: HashMap<Uuid, Place>,
    /// Version and place of each change since the world was generated, by version.
    log: Vec<(u64, Place)>,
    living: usize,
    /// What rows were before an attempt changed them; `None` when nothing is being attempted.
    before: Option<Vec<(Place, Row)>>,
}

/// Where an attempt began.
#[derive(Debug, Clone, Copy)]
pub(in crate::simulator) struct Mark {
    rows: usize,
    log: usize,
    living: usize,
}

impl Rows {
    pub fn new(table: &'static Table) -> Self {
        Self {
            table,
            rows: Vec::new(),
            by_id: HashMap::new(),
            log: Vec::new(),
            living: 0,
            before: None,
        }
    }

    /// Number of rows that are not deleted.
    pub fn len(&self) -> usize {
        self.living
    }

    /// Adds a row of the generated world: it is not in the log.
    pub fn sow(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Makes the index; call once after the last [`Self::sow`].
    pub fn finish(&mut self) {
        self.rows.shrink_to_fit();
        self.by_id = self
            .rows
            .iter()
            .enumerate()
            .filter_map(|(at, row)| Some((row.id, Place::try_from(at).ok()?)))
            .collect();
        self.living = self.rows.iter().filter(|row| row.alive).count();
    }

    /// Hands the generated rows out for shuffling.
    pub fn sown(&mut self) -> &mut Vec<Row> {
        &mut self.rows
    }

    /// The place of a row that is not deleted.
    pub fn place(&self, id: Uuid) -> Option<Place> {
        let place = *self.by_id.get(&id)?;
        self.at(place).filter(|row| row.alive).map(|_| place)
    }

    /// The row of that id, if it is not deleted.
    pub fn get(&self, id: Uuid) -> Option<&Row> {
        self.at(*self.by_id.get(&id)?).filter(|row| row.alive)
    }

    /// The row at that place, deleted or not.
    pub fn at(&self, place: Place) -> Option<&Row> {
        self.rows.get(usize::try_from(place).ok()?)
    }

    /// The rows that are not deleted from `place` on, in the order of their creation.
    pub fn from(&self, place: Place) -> impl Iterator<Item = (Place, &Row)> {
        let start = usize::try_from(place)
            .unwrap_or(usize::MAX)
            .min(self.rows.len());
        self.rows
            .get(start..)
            .unwrap_or_default()
            .iter()
            .zip(place..)
            .filter(|(row, _)| row.alive)
            .map(|(row, place)| (place, row))
    }

    /// What changed after `version`, oldest change first; each row once, with its latest change.
    pub fn changes_after(&self, version: u64) -> impl Iterator<Item = &Row> {
        let start = self.log.partition_point(|(changed, _)| *changed <= version);
        self.log
            .get(start..)
            .unwrap_or_default()
            .iter()
            .filter_map(|(changed, place)| self.at(*place).filter(|row| row.version == *changed))
    }

    /// Begins an attempt, which ends with [`Self::keep`] or [`Self::undo`].
    pub fn begin(&mut self) -> Mark {
        self.before = Some(Vec::new());
        Mark {
            rows: self.rows.len(),
            log: self.log.len(),
            living: self.living,
        }
    }

    /// Ends an attempt that went well.
    pub fn keep(&mut self) {
        self.before = None;
    }

    /// Ends an attempt that failed: everything is as it was when it began.
    pub fn undo(&mut self, mark: Mark) {
        for (place, row) in self.before.take().unwrap_or_default().into_iter().rev() {
            if let Some(changed) = self.row_mut(place) {
                *changed = row;
            }
        }
        for row in self.rows.drain(mark.rows.min(self.rows.len())..) {
            self.by_id.remove(&row.id);
        }
        self.log.truncate(mark.log);
        self.living = mark.living;
    }

    fn row_mut(&mut self, place: Place) -> Option<&mut Row> {
        self.rows.get_mut(usize::try_from(place).ok()?)
    }

    /// Remembers a row before it is changed.
    fn remember(&mut self, place: Place) {
        let row = self.at(place).cloned();
        if let (Some(before), Some(row)) = (&mut self.before, row) {
            before.push((place, row));
        }
    }

    /// Adds a row.
    pub fn insert(&mut self, id: Uuid, version: u64, now: u32, packed: Packed) {
        let place = Place::try_from(self.rows.len()).unwrap_or(Place::MAX);
        self.rows.push(Row {
            id,
            version,
            created: now,
            modified: now,
            packed,
            alive: true,
        });
        self.by_id.insert(id, place);
        self.log.push((version, place));
        self.living += 1;
    }

    /// Replaces the columns of a row.
    pub fn replace(&mut self, place: Place, version: u64, now: u32, packed: Packed) {
        self.remember(place);
        if let Some(row) = self.row_mut(place) {
            row.packed = packed;
            row.version = version;
            row.modified = now;
            self.log.push((version, place));
        }
    }

    /// Deletes a row.
    pub fn delete(&mut self, place: Place, version: u64) {
        self.remember(place);
        if let Some(row) = self.row_mut(place) {
            row.packed = Packed::default();
            row.version = version;
            row.alive = false;
            self.log.push((version, place));
            self.living = self.living.saturating_sub(1);
        }
    }
}
