//! The address and telephone number that Partner Center shows for a customer. Made up on demand.

use rand_chacha::ChaCha8Rng;

use super::customers::Customer;
use super::organisation;
use super::people::{self, Person};

/// Where a customer is and who signs for it.
#[derive(Debug, Default)]
pub(in crate::simulator) struct Address {
    pub country_code: &'static str,
    pub culture: &'static str,
    pub city: &'static str,
    pub street: String,
    pub postal_code: String,
    pub telephone: String,
    pub given_name: &'static str,
    pub family_name: &'static str,
}

impl Address {
    /// Makes up the address of a customer; the same chance gives the same address.
    pub fn of(customer: &Customer, rng: &mut ChaCha8Rng) -> Self {
        let Some(country) = organisation::country(customer.country_at) else {
            return Self::default();
        };
        let person = Person::new(country, rng);
        Self {
            country_code: country.code,
            culture: country.culture,
            city: country
                .cities
                .get(usize::from(customer.city_at))
                .map_or("", |(city, _)| city),
            street: people::street(country, rng),
            postal_code: people::postal_code(country, customer.city_at, rng),
            telephone: people::telephone(rng),
            given_name: person.given,
            family_name: person.family,
        }
    }
}
