//! Lists of accounts, by what they have in common. Most lists have one member, which needs no memory of its own. Lists are
//! sorted, so that taking one out of a long list is a binary search and two lists can be intersected. Millions of them are
//! kept, which is why a list is no longer than two words.

use hashbrown::HashTable;
use thin_vec::{ThinVec, thin_vec};

/// The accounts that share something, sorted.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub enum List {
    /// Nobody.
    #[default]
    Empty,
    /// One account.
    One(u32),
    /// More.
    Many(ThinVec<u32>),
}

impl List {
    /// The members, sorted.
    #[must_use]
    pub fn members(&self) -> &[u32] {
        match self {
            Self::Empty => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members().len()
    }

    /// Puts one in; nothing happens when it is there.
    pub fn insert(&mut self, member: u32) {
        match self {
            Self::Empty => *self = Self::One(member),
            Self::One(one) if *one == member => {}
            Self::One(one) => *self = Self::Many(thin_vec![(*one).min(member), (*one).max(member)]),
            Self::Many(many) => match many.last() {
                Some(last) if *last < member => many.push(member),
                _ => {
                    if let Err(at) = many.binary_search(&member) {
                        many.insert(at, member);
                    }
                }
            },
        }
    }

    /// Takes one out; nothing happens when it is not there.
    pub fn remove(&mut self, member: u32) {
        match self {
            Self::One(one) if *one == member => *self = Self::Empty,
            Self::Many(many) => {
                if let Ok(at) = many.binary_search(&member) {
                    many.remove(at);
                }
                if let [one] = many.as_slice() {
                    *self = Self::One(*one);
                }
            }
            Self::Empty | Self::One(_) => {}
        }
    }
}

/// Lists by the hash of what is shared. Two things with one hash would share a list: a stranger among candidates, whom
/// the features tell apart.
#[derive(Debug, Default, Clone)]
pub struct Postings {
    table: HashTable<(u64, List)>,
}

impl Postings {
    /// Room for so many keys.
    #[must_use]
    pub fn with_room(keys: usize) -> Self {
        Self {
            table: HashTable::with_capacity(keys),
        }
    }

    /// The accounts under a key.
    #[must_use]
    pub fn list(&self, key: u64) -> &[u32] {
        self.table
            .find(key, |(known, _)| *known == key)
            .map_or(&[], |(_, list)| list.members())
    }

    /// Puts an account under a key and tells how many there are now.
    pub fn insert(&mut self, key: u64, member: u32) -> usize {
        if let Some((_, list)) = self.table.find_mut(key, |(known, _)| *known == key) {
            list.insert(member);
            return list.len();
        }
        self.table
            .insert_unique(key, (key, List::One(member)), |(known, _)| *known);
        1
    }

    /// Takes an account from under a key and tells how many are left.
    pub fn remove(&mut self, key: u64, member: u32) -> usize {
        let Ok(mut entry) = self.table.find_entry(key, |(known, _)| *known == key) else {
            return 0;
        };
        let list = &mut entry.get_mut().1;
        list.remove(member);
        let left = list.len();
        if left == 0 {
            entry.remove();
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn a_list_is_a_sorted_set(steps in prop::collection::vec((any::<bool>(), 0_u32..12), 0..60)) {
            let (mut postings, mut model) = (Postings::default(), BTreeSet::new());
            for (put, member) in steps {
                if put {
                    model.insert(member);
                    prop_assert_eq!(postings.insert(7, member), model.len());
                } else {
                    model.remove(&member);
                    prop_assert_eq!(postings.remove(7, member), model.len());
                }
                let members: Vec<u32> = model.iter().copied().collect();
                prop_assert_eq!(postings.list(7), members.as_slice());
            }
        }
    }
}
