//! One Provider Account seen from one index: its words and domains with the numbers they have there. Made once, compared
//! with a dozen Accounts.

use super::facts::{Customer, OwnDomain};
use super::index::Index;
use super::population::Population;
use super::text::similarity::Pattern;

/// A word of the name.
#[derive(Debug)]
pub struct Word<'c> {
    /// The word.
    pub text: &'c str,
    /// Its number in the index, if any Account has it.
    pub number: Option<u32>,
    /// How telling it is, 0 to 1.
    pub rarity: f32,
}

/// A domain.
#[derive(Debug)]
pub struct Domain<'c> {
    /// Registrable domain.
    pub name: &'c str,
    /// Its number in the index, if any Account ever had it.
    pub number: Option<u32>,
    /// Comparable letters of its first label.
    pub label: &'c str,
    /// So many other Provider Accounts have it too.
    pub others: u32,
    /// Whether a contact address is there.
    pub contact: bool,
}

/// A Provider Account, ready to be compared.
#[derive(Debug)]
pub struct Subject<'c> {
    /// As read.
    pub customer: &'c Customer,
    /// Number of its city in the index, if any Account is there.
    pub city: Option<u32>,
    /// Number of its postal code.
    pub postcode: Option<u32>,
    /// Words of the name.
    pub words: Vec<Word<'c>>,
    /// The name without spaces.
    pub compact: String,
    /// The words in alphabetical order, with spaces.
    pub sorted: String,
    /// First letters of the words.
    pub initials: String,
    /// Its own domains.
    pub own: Vec<Domain<'c>>,
    /// Domains of contact addresses.
    pub contact: Vec<Domain<'c>>,
    /// Labels of its own domains, then those chosen for tenants.
    pub labels: Vec<&'c str>,
    /// So many of them are of its own domains.
    pub own_labels: usize,
    /// [`Self::compact`], prepared.
    pub pattern: Pattern,
    /// [`Self::sorted`], prepared.
    pub sorted_pattern: Pattern,
    /// The city, prepared.
    pub city_pattern: Pattern,
    /// [`Self::labels`], prepared; each by itself, because an allocation of many takes the allocator long.
    pub label_patterns: Vec<Box<Pattern>>,
}

/// At most so many labels are compared: bounded work.
const MAX_LABELS: usize = 8;

/// Labels of its own domains, then those chosen for tenants, and how many are of its own domains.
fn labels(customer: &Customer) -> (Vec<&str>, usize) {
    let own = customer.domains.iter().map(|own| own.label.as_str());
    let mut labels: Vec<&str> = own.filter(|label| label.len() > 1).collect();
    labels.dedup();
    labels.truncate(MAX_LABELS);
    let own_labels = labels.len();
    for label in &customer.tenant_labels {
        if labels.len() < MAX_LABELS + 4 && !labels.contains(&label.as_str()) {
            labels.push(label);
        }
    }
    (labels, own_labels)
}

impl<'c> Subject<'c> {
    /// Prepares a Provider Account.
    #[must_use]
    pub fn new(index: &Index, population: &Population, customer: &'c Customer) -> Self {
        let texts = || {
            customer
                .name
                .core
                .split(' ')
                .filter(|word| !word.is_empty())
        };
        let words: Vec<Word<'c>> = texts()
            .map(|text| {
                let number = index.words.get(text);
                Word {
                    text,
                    number,
                    rarity: index.rarity(number),
                }
            })
            .collect();
        let compact: String = texts().collect();
        let mut in_order: Vec<&str> = texts().collect();
        in_order.sort_unstable();
        let sorted = in_order.join(" ");
        let (labels, own_labels) = labels(customer);
        let domain = |own: &'c OwnDomain, others: u32, contact: bool| Domain {
            name: &own.domain,
            number: index.domains.get(&own.domain),
            label: &own.label,
            others: others.saturating_sub(1),
            contact,
        };
        let place = |text: &str| index.places.get(text).filter(|_| !text.is_empty());
        Self {
            customer,
            city: place(&customer.city),
            postcode: place(&customer.postcode),
            pattern: Pattern::new(compact.as_bytes()),
            city_pattern: Pattern::new(customer.city.as_bytes()),
            sorted_pattern: Pattern::new(sorted.as_bytes()),
            label_patterns: labels
                .iter()
                .map(|label| Box::new(Pattern::new(label.as_bytes())))
                .collect(),
            initials: texts().filter_map(|text| text.chars().next()).collect(),
            own: customer
                .domains
                .iter()
                .map(|own| {
                    let contact = customer.own_contacts.binary_search(own).is_ok();
                    domain(own, population.owners(&own.domain), contact)
                })
                .collect(),
            contact: customer
                .contact_domains
                .iter()
                .map(|own| {
                    domain(
                        own,
                        population.contacts(&own.domain) + population.owners(&own.domain),
                        true,
                    )
                })
                .collect(),
            words,
            compact,
            sorted,
            labels,
            own_labels,
        }
    }
}
