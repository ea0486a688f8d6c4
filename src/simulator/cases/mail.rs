//! Whose mail domain stands in an address: the organisation's own, a sub-domain, the same name under another ending, public
//! mail, or that of somebody who works for many.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::organisation::{Organisation, chance, pick};

const PUBLIC: &str = "gmail.com gmail.com gmail.com gmail.com outlook.com hotmail.com yahoo.com icloud.com gmx.de web.de t-online.de orange.fr qq.com 163.com mail.ru protonmail.com btinternet.com libero.it wp.pl naver.com bluewin.ch telenet.be comcast.net";
const GIVEN: &str = "anna ben carla david eva frank gina hugo ines jan kim lea max nora omar paula quinn rosa sam tina udo vera will xenia yara zoe";
const FAMILY: &str = "adler brand cole drew ernst fink gold haas ibsen jung kern lang marsh nagel otto park quist ross stone thorn ulrich vance west york zander";
const OFFICES: &str = "info sales admin office it accounting contact billing";

/// Weights of whose domain it is, in order: own, sub-domain, another ending, public mail, somebody else's.
pub(super) type Habit = [u32; 5];

/// Those who work for many: their domains stand in other organisations' records.
#[derive(Debug)]
pub(super) struct Helpers {
    pub domains: Vec<String>,
}

impl Helpers {
    pub(super) fn among(rng: &mut ChaCha8Rng, known: &[Organisation], accounts: usize) -> Self {
        let wanted = (accounts / 500).max(5);
        let chosen = known.choose_multiple(rng, wanted);
        Self {
            domains: chosen
                .filter_map(|organisation| organisation.domain.clone())
                .collect(),
        }
    }
}

/// The same label under another ending.
pub(super) fn other_ending(rng: &mut ChaCha8Rng, domain: &str, own: &[&str]) -> String {
    let label = domain.split('.').next().unwrap_or_default();
    for _ in 0..8 {
        let ending = if chance(rng, 700) {
            pick(rng, "com net org eu group", ' ')
        } else {
            own.choose(rng).copied().unwrap_or("com")
        };
        let other = format!("{label}.{ending}");
        if other != domain {
            return other;
        }
    }
    format!("{label}.biz")
}

/// A mail domain for somebody at an organisation.
pub(super) fn domain(
    rng: &mut ChaCha8Rng,
    of: &Organisation,
    helpers: &Helpers,
    habit: Habit,
) -> String {
    let mut roll = rng.random_range(0..habit.iter().sum::<u32>().max(1));
    let kind = habit.iter().position(|weight| {
        let here = roll < *weight;
        roll = roll.saturating_sub(*weight);
        here
    });
    match (kind, &of.domain) {
        (Some(0), Some(domain)) => domain.clone(),
        (Some(1), Some(domain)) => format!(
            "{}.{domain}",
            pick(rng, "mail hq corp de us office group m365 ad", ' ')
        ),
        (Some(2), Some(domain)) => other_ending(rng, domain, of.land.suffixes),
        (Some(4), _) => helpers
            .domains
            .choose(rng)
            .cloned()
            .unwrap_or_else(|| "gmail.com".to_owned()),
        _ => pick(rng, PUBLIC, ' ').to_owned(),
    }
}

/// What stands before the at sign.
pub(super) fn person(rng: &mut ChaCha8Rng) -> String {
    if chance(rng, 700) {
        format!("{}.{}", pick(rng, GIVEN, ' '), pick(rng, FAMILY, ' '))
    } else {
        pick(rng, OFFICES, ' ').to_owned()
    }
}
