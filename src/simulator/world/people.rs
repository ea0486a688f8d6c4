//! Names, addresses and telephone numbers of people and places in the made-up world.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::country::Country;
use crate::domain::fold::fold;

/// A person's names.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub given: &'static str,
    pub family: &'static str,
}

impl Person {
    pub fn new(country: &Country, rng: &mut ChaCha8Rng) -> Self {
        Self {
            given: country.given.choose(rng).copied().unwrap_or_default(),
            family: country.family.choose(rng).copied().unwrap_or_default(),
        }
    }

    /// An address at `domain`.
    pub fn email(&self, domain: &str, rng: &mut ChaCha8Rng) -> String {
        let letters = |text: &str| {
            fold(text)
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .collect::<String>()
        };
        let (given, family) = (letters(self.given), letters(self.family));
        let initial = given.get(..1).unwrap_or("x");
        match rng.random_range(0..4) {
            0 => format!("{initial}.{family}@{domain}"),
            1 => format!("{given}@{domain}"),
            _ => format!("{given}.{family}@{domain}"),
        }
    }

    /// An address at a public mail host, where names are taken and numbers help.
    pub fn public_email(&self, country: &Country, rng: &mut ChaCha8Rng) -> String {
        let host = country
            .public_mail
            .choose(rng)
            .copied()
            .unwrap_or("gmail.com");
        let address = self.email(host, rng);
        let (local, host) = address.split_once('@').unwrap_or((&address, host));
        format!("{local}{}@{host}", rng.random_range(1..999))
    }
}

/// A postal code after its pattern.
pub(super) fn postal_code(country: &Country, city_at: u8, rng: &mut ChaCha8Rng) -> String {
    let pattern = country
        .cities
        .get(usize::from(city_at))
        .map_or("", |(_, pattern)| pattern);
    pattern
        .chars()
        .map(|c| {
            if c == '#' {
                char::from(b'0' + rng.random_range(0..10))
            } else {
                c
            }
        })
        .collect()
}

/// Street and number.
pub(super) fn street(country: &Country, rng: &mut ChaCha8Rng) -> String {
    let street = country.streets.choose(rng).copied().unwrap_or_default();
    let number = rng.random_range(1..240);
    if country.number_first {
        format!("{number} {street}")
    } else {
        format!("{street} {number}")
    }
}

/// A telephone number that belongs to nobody.
pub(super) fn telephone(rng: &mut ChaCha8Rng) -> String {
    format!(
        "+{} 555 {:04} {:03}",
        rng.random_range(1..99),
        rng.random_range(0..10_000),
        rng.random_range(0..1000)
    )
}
