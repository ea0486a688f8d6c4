//! The Accounts that one domain leads to, and how. Nearly every domain leads to one Account and needs no allocation; a
//! public mail domain leads to a hundred thousand, so the large form is a tree: adding a Contact there costs a logarithm,
//! not a copy of everything behind it.

use std::collections::BTreeMap;

use super::table::Slot;

/// How a domain leads to one Account. All zero means that it no longer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Uses {
    /// It is the domain of the Account's website.
    pub(super) website: bool,
    /// It is the domain of one of the Account's own e-mail addresses.
    pub(super) account_email: bool,
    /// So many active Contacts of the Account use it.
    pub(super) contacts: u32,
}

impl Uses {
    /// Whether the domain is the Account's own, not only its Contacts'.
    fn own(self) -> bool {
        self.website || self.account_email
    }
}

/// From so many Accounts on, the large form is used.
const LARGE: usize = 32;

/// The Accounts of one domain.
#[derive(Debug, Default)]
pub(super) enum Postings {
    /// No Account.
    #[default]
    None,
    /// The usual case.
    One(Slot, Uses),
    /// Some, in no order.
    Some(Vec<(Slot, Uses)>),
    /// Many; the Accounts whose own domain it is come first, then those of the Contacts.
    Many(BTreeMap<(bool, Slot), Uses>),
}

impl Postings {
    /// Changes how the domain leads to `account`.
    pub(super) fn update(&mut self, account: Slot, change: impl FnOnce(&mut Uses)) {
        let mut uses = self.take(account);
        change(&mut uses);
        if uses != Uses::default() {
            self.put(account, uses);
        }
    }

    /// Takes an Account out, and says how the domain led to it.
    fn take(&mut self, account: Slot) -> Uses {
        match self {
            Self::One(slot, uses) if *slot == account => {
                let uses = *uses;
                *self = Self::None;
                uses
            }
            Self::None | Self::One(..) => Uses::default(),
            Self::Some(list) => list
                .iter()
                .position(|(slot, _)| *slot == account)
                .map(|at| list.swap_remove(at).1)
                .unwrap_or_default(),
            Self::Many(tree) => tree
                .remove(&(false, account))
                .or_else(|| tree.remove(&(true, account)))
                .unwrap_or_default(),
        }
    }

    /// Puts in an Account that is not there.
    fn put(&mut self, account: Slot, uses: Uses) {
        match self {
            Self::None => *self = Self::One(account, uses),
            Self::One(slot, known) => *self = Self::Some(vec![(*slot, *known), (account, uses)]),
            Self::Some(list) if list.len() < LARGE => list.push((account, uses)),
            Self::Some(list) => {
                let mut tree: BTreeMap<_, _> = list
                    .drain(..)
                    .map(|(slot, uses)| ((!uses.own(), slot), uses))
                    .collect();
                tree.insert((!uses.own(), account), uses);
                *self = Self::Many(tree);
            }
            Self::Many(tree) => {
                tree.insert((!uses.own(), account), uses);
            }
        }
    }

    /// The Accounts; with many, those whose own domain it is first.
    pub(super) fn iter(&self) -> Box<dyn Iterator<Item = (Slot, Uses)> + '_> {
        match self {
            Self::None => Box::new(std::iter::empty()),
            Self::One(slot, uses) => Box::new(std::iter::once((*slot, *uses))),
            Self::Some(list) => Box::new(list.iter().copied()),
            Self::Many(tree) => Box::new(tree.iter().map(|((_, slot), uses)| (*slot, *uses))),
        }
    }
}
