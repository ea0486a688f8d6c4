//! Made-up organisations: a name as the provider writes it, other ways in which CRM users write the same name, a place, and
//! domains that nobody else in the world has. Namesakes are wanted (same name, other place, other domain); two
//! organisations on one domain are not, except where a scenario says so.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::country::{Country, ENDS, MIDDLES, STARTS};
use super::{english, german, other_latin, romance, scripts};
use crate::domain::domain_name::DomainName;
use crate::domain::fold::fold;

/// An organisation.
#[derive(Debug, Clone)]
pub(super) struct Organisation {
    /// From 1 on; 0 stands for none.
    pub number: u32,
    /// Place of its country in [`countries`].
    pub country_at: u8,
    pub country: &'static Country,
    pub city_at: u8,
    /// Name without legal form.
    pub body: String,
    pub legal_form: &'static str,
    /// Its main domain, in ASCII.
    pub domain: String,
    /// The same as people write it, where that differs.
    pub written_domain: Option<String>,
    /// What its `onmicrosoft.com` name begins with.
    pub tenant_label: String,
}

impl Organisation {
    /// Full name with legal form.
    pub fn full_name(&self) -> String {
        if self.country.legal_first {
            let gap = if self.country.join.is_empty() {
                ""
            } else {
                " "
            };
            format!("{}{gap}{}", self.legal_form, self.body)
        } else {
            let gap = if self.country.join.is_empty() {
                ""
            } else {
                " "
            };
            format!("{}{gap}{}", self.body, self.legal_form)
        }
    }

    /// A way in which a CRM user may have written the name.
    pub fn crm_name(&self, rng: &mut ChaCha8Rng) -> String {
        match rng.random_range(0..10) {
            0..4 => self.full_name(),
            4..7 => self.body.clone(),
            7 => self.body.to_uppercase(),
            8 => format!("{} ({})", self.body, self.city()),
            _ => format!("{} - {}", self.full_name(), self.city()),
        }
    }

    /// Its city.
    pub fn city(&self) -> &'static str {
        self.country
            .cities
            .get(usize::from(self.city_at))
            .map_or("", |(city, _)| city)
    }

    /// Its domain as a website's address.
    pub fn website(&self, rng: &mut ChaCha8Rng) -> String {
        let domain = self.written_domain.as_deref().unwrap_or(&self.domain);
        match rng.random_range(0..5) {
            0 => domain.to_owned(),
            1 => format!("www.{domain}"),
            2 => format!("https://{domain}/"),
            3 => format!("http://www.{domain}/{}", self.country.culture),
            _ => format!("https://www.{domain}"),
        }
    }
}

/// Every country, in the order that [`Organisation::country_at`] counts.
pub(super) fn countries() -> impl Iterator<Item = &'static Country> {
    [
        english::COUNTRIES,
        german::COUNTRIES,
        romance::COUNTRIES,
        other_latin::COUNTRIES,
        scripts::COUNTRIES,
    ]
    .into_iter()
    .flatten()
}

/// The country at that place.
pub(super) fn country(at: u8) -> Option<&'static Country> {
    countries().nth(usize::from(at))
}

/// Makes organisations, each with a domain of its own.
pub(super) struct Founder {
    taken: HashSet<u64>,
    founded: u32,
    /// Country of each thousandth of the organisations.
    shares: Vec<(u8, &'static Country)>,
    namesake: Option<Organisation>,
}

impl Founder {
    pub fn new() -> Self {
        let shares = (0_u8..)
            .zip(countries())
            .flat_map(|(at, country)| (0..country.share).map(move |_| (at, country)))
            .collect();
        Self {
            taken: HashSet::new(),
            founded: 0,
            shares,
            namesake: None,
        }
    }

    /// A new organisation. About one in thirty has the name of an earlier one.
    pub fn found(&mut self, rng: &mut ChaCha8Rng) -> Option<Organisation> {
        let (country_at, country) = *self.shares.choose(rng)?;
        let namesake = self.namesake.take_if(|_| rng.random_ratio(1, 30));
        let taken_city = namesake.as_ref().map(|other| other.city_at);
        let (country_at, country, body) = match namesake {
            Some(other) => (other.country_at, other.country, other.body),
            None => (country_at, country, body(country, rng)),
        };
        let city_at = another_city(
            taken_city,
            rng.random_range(0..country.cities.len()),
            country,
        );
        let (domain, written_domain) = self.own_domain(country, &body, rng);
        self.founded += 1;
        let organisation = Organisation {
            number: self.founded,
            country_at,
            country,
            city_at,
            legal_form: country.legal_forms.choose(rng).copied().unwrap_or_default(),
            tenant_label: domain
                .split('.')
                .next()
                .unwrap_or_default()
                .replace("xn--", "x"),
            body,
            domain,
            written_domain,
        };
        if self.namesake.is_none() && rng.random_ratio(1, 10) {
            self.namesake = Some(organisation.clone());
        }
        Some(organisation)
    }

    /// Another domain of the same organisation: a brand's or another country's.
    pub fn second_domain(&mut self, of: &Organisation, rng: &mut ChaCha8Rng) -> String {
        let label = of.domain.split('.').next().unwrap_or_default();
        let brand = format!(
            "{label} {}",
            ["group", "shop", "online", "cloud"]
                .choose(rng)
                .unwrap_or(&"group")
        );
        self.own_domain(of.country, &brand, rng).0
    }

    fn own_domain(
        &mut self,
        country: &Country,
        name: &str,
        rng: &mut ChaCha8Rng,
    ) -> (String, Option<String>) {
        for attempt in 0_u32.. {
            let suffix = country.suffixes.choose(rng).copied().unwrap_or("com");
            let written = format!("{}.{suffix}", label(name, country, attempt, rng));
            let Ok(domain) = DomainName::parse(&written) else {
                continue;
            };
            let Some(registrable) = domain.registrable() else {
                continue;
            };
            let mut hasher = DefaultHasher::new();
            registrable.as_str().hash(&mut hasher);
            if self.taken.insert(hasher.finish()) {
                let ascii = domain.as_str().to_owned();
                return if ascii == written {
                    (ascii, None)
                } else {
                    (ascii, Some(written))
                };
            }
        }
        (String::new(), None)
    }
}

/// The city, or the next one if a namesake sits there: no register admits one name twice in a town.
fn another_city(taken: Option<u8>, city: usize, country: &Country) -> u8 {
    let number = |city| u8::try_from(city).unwrap_or(0);
    if taken == Some(number(city)) {
        number((city + 1) % country.cities.len().max(1))
    } else {
        number(city)
    }
}

/// A name without legal form.
fn body(country: &Country, rng: &mut ChaCha8Rng) -> String {
    let pick =
        |list: &[&'static str], rng: &mut ChaCha8Rng| list.choose(rng).copied().unwrap_or_default();
    let trade = pick(country.trades, rng);
    let join = country.join;
    if !country.stems.is_empty() {
        return match rng.random_range(0..6) {
            0 => format!("{}{join}{trade}", pick(country.family, rng)),
            1 => format!(
                "{}{join}{}{join}{trade}",
                pick(country.stems, rng),
                pick(country.stems, rng)
            ),
            _ => format!("{}{join}{trade}", pick(country.stems, rng)),
        };
    }
    let invented = |rng: &mut ChaCha8Rng| {
        format!(
            "{}{}{}",
            pick(STARTS, rng),
            pick(MIDDLES, rng),
            pick(ENDS, rng)
        )
    };
    match rng.random_range(0..12) {
        0 => format!(
            "{} & {}",
            pick(country.family, rng),
            pick(country.family, rng)
        ),
        1 => format!("{} {trade}", pick(country.family, rng)),
        2 => format!(
            "{} {} {trade}",
            pick(country.given, rng),
            pick(country.family, rng)
        ),
        3 => {
            let city = country.cities.choose(rng).map_or("", |(city, _)| city);
            format!("{city} {trade}")
        }
        4 | 5 => invented(rng),
        _ => format!("{} {trade}", invented(rng)),
    }
}

/// The first label of a domain for `name`; later attempts differ more.
fn label(name: &str, country: &Country, attempt: u32, rng: &mut ChaCha8Rng) -> String {
    let own_letters = attempt == 0 && !name.is_ascii() && rng.random_ratio(1, 6);
    if own_letters {
        return name
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric())
            .collect();
    }
    let spelled = if country.culture.starts_with("de") && rng.random() {
        name.to_lowercase()
            .replace('ä', "ae")
            .replace('ö', "oe")
            .replace('ü', "ue")
            .replace('ß', "ss")
    } else {
        name.to_owned()
    };
    let folded = fold(&spelled);
    let words: Vec<&str> = folded
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let glue = if rng.random_ratio(2, 5) { "-" } else { "" };
    let mut label = match (attempt, rng.random_range(0..4)) {
        (0, 0) => words.first().copied().unwrap_or_default().to_owned(),
        _ => words.join(glue),
    };
    label.truncate(40);
    if attempt > 1 {
        let city = fold(country.cities.choose(rng).map_or("", |(city, _)| city));
        label.extend(city.chars().filter(char::is_ascii_alphanumeric));
    }
    if attempt > 3 || label.len() < 3 {
        label.push_str(&rng.random_range(2..1000 * (attempt + 1)).to_string());
    }
    label.trim_matches('-').to_owned()
}
