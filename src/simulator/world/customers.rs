//! The customers of Partner Center. Only what is the customer's own is kept; addresses, profiles and subscriptions are made
//! up again for each answer from the world's seed and the customer's place, so that a million customers stay small.

use std::collections::HashMap;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;

use super::rows::Place;

/// `relationshipToPartner`, in Partner Center's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relationship {
    /// The usual one.
    Reseller,
    /// No longer, or not yet, a reseller's customer.
    None,
    /// An advisor's customer.
    Advisor,
}

impl Relationship {
    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reseller => "reseller",
            Self::None => "none",
            Self::Advisor => "advisor",
        }
    }
}

/// A customer's texts, before they are packed into one.
#[derive(Debug, Clone, Default)]
pub(in crate::simulator) struct Texts {
    pub name: String,
    pub default_domain: String,
    pub email: String,
    pub custom_domains: Vec<String>,
}

/// One customer.
#[derive(Debug)]
pub(in crate::simulator) struct Customer {
    /// Customer id, which is its tenant's id too.
    pub id: Uuid,
    texts: Box<str>,
    pub country_at: u8,
    pub city_at: u8,
    pub relationship: Relationship,
    /// Grows with each change; gives the entity tag.
    pub version: u32,
    pub alive: bool,
    /// The organisation it is, for judging mappings; 0 when the CRM does not know it.
    pub organisation: u32,
    /// The Account it should be mapped to; nil when there is none.
    pub account: Uuid,
}

impl Customer {
    pub fn new(id: Uuid, texts: &Texts, place: (u8, u8)) -> Self {
        Self {
            id,
            texts: pack(texts),
            country_at: place.0,
            city_at: place.1,
            relationship: Relationship::Reseller,
            version: 1,
            alive: true,
            organisation: 0,
            account: Uuid::nil(),
        }
    }

    pub fn name(&self) -> &str {
        self.texts.split('\n').next().unwrap_or_default()
    }

    /// `companyProfile.domain`.
    pub fn default_domain(&self) -> &str {
        self.texts.split('\n').nth(1).unwrap_or_default()
    }

    /// E-mail address of the billing and company profiles.
    pub fn email(&self) -> &str {
        self.texts.split('\n').nth(2).unwrap_or_default()
    }

    pub fn custom_domains(&self) -> impl Iterator<Item = &str> {
        self.texts.split('\n').skip(3)
    }

    pub fn texts(&self) -> Texts {
        Texts {
            name: self.name().to_owned(),
            default_domain: self.default_domain().to_owned(),
            email: self.email().to_owned(),
            custom_domains: self.custom_domains().map(str::to_owned).collect(),
        }
    }

    /// Replaces the texts.
    pub fn rewrite(&mut self, texts: &Texts) {
        self.texts = pack(texts);
        self.version += 1;
    }
}

fn pack(texts: &Texts) -> Box<str> {
    let mut packed = [&texts.name, &texts.default_domain, &texts.email]
        .map(|text| text.replace('\n', " "))
        .join("\n");
    for domain in &texts.custom_domains {
        packed.push('\n');
        packed.push_str(domain);
    }
    packed.into_boxed_str()
}

/// All customers, in the order in which Partner Center lists them.
#[derive(Debug, Default)]
pub(in crate::simulator) struct Customers {
    list: Vec<Customer>,
    by_id: HashMap<Uuid, Place>,
}

impl Customers {
    /// Takes the generated customers.
    pub fn of(list: Vec<Customer>) -> Self {
        let by_id = list
            .iter()
            .zip(0..)
            .map(|(customer, place)| (customer.id, place))
            .collect();
        Self { list, by_id }
    }

    /// Number of customers there are now.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The customer of that id and its place.
    pub fn get(&self, id: Uuid) -> Option<(Place, &Customer)> {
        let place = *self.by_id.get(&id)?;
        Some((place, self.list.get(usize::try_from(place).ok()?)?))
    }

    pub fn get_mut(&mut self, id: Uuid) -> Option<&mut Customer> {
        let place = *self.by_id.get(&id)?;
        self.list.get_mut(usize::try_from(place).ok()?)
    }

    /// Customers from `place` on.
    pub fn from(&self, place: Place) -> impl Iterator<Item = (Place, &Customer)> {
        let start = usize::try_from(place)
            .unwrap_or(usize::MAX)
            .min(self.list.len());
        self.list
            .get(start..)
            .unwrap_or_default()
            .iter()
            .zip(place..)
            .filter(|(customer, _)| customer.alive)
            .map(|(customer, place)| (place, customer))
    }

    pub fn insert(&mut self, customer: Customer) {
        let place = Place::try_from(self.list.len()).unwrap_or(Place::MAX);
        self.by_id.insert(customer.id, place);
        self.list.push(customer);
    }

    pub fn remove(&mut self, id: Uuid) -> bool {
        let place = self
            .by_id
            .remove(&id)
            .and_then(|place| usize::try_from(place).ok());
        match place.and_then(|at| self.list.get_mut(at)) {
            Some(customer) => {
                customer.alive = false;
                customer.texts = Box::default();
                true
            }
            None => false,
        }
    }
}

/// The chance that makes up what is not kept of the thing at `place`: the same each time it is asked.
pub(in crate::simulator) fn chance_of(seed: u64, place: Place) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(u64::from(place) + 1);
    rng
}
