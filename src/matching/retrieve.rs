//! Which Accounts are worth a closer look for one Provider Account: those that share a domain, its label, the name, rare
//! words, initials, a postal code or an identity with it. A rough sum of what is shared ranks them; the closer look
//! ([`super::measure`]) then sees the best few.
//!
//! Every list is read to a limit, so that a domain shared by everybody or a word in every name costs no more than
//! others: the work for one Provider Account is bounded whatever the CRM holds. Where a name is common (many namesakes)
//! the place decides who is looked at, which is why long lists of one name are read further than lists of one word.

use std::cmp::Ordering;

use super::index::{BEGINNING, Index, Spot, Term, term};
use super::prepare::Subject;
use super::text::hash::hash;

/// So many get the closer look.
pub const CLOSER: usize = 24;
/// Of them, whoever has at least this part of the best rough sum: beside an Account that shares domain, name and place,
/// one that shares a word is nobody's match and nobody's rival.
const WORTH: f32 = 0.4;
/// Whoever has so much is looked at beside anybody: who shares a domain or an identity, wherever it is.
const RIVAL: f32 = 10.0;
const DOMAIN_LIMIT: usize = 1500;
const NAME_LIMIT: usize = 4000;
const WORD_LIMIT: usize = 1200;
/// Two words that many names have are looked up together up to here.
const COMMON_LIMIT: usize = 120_000;
const COMMON_FIRST: usize = 40_000;
/// Where domain and name have led to somebody, words only need to find close rivals.
const STRONG: f32 = 17.0;
const RIVAL_LIMIT: usize = 150;
const PLACE_LIMIT: usize = 1500;
/// What an equal country, city and postal code add, and another country takes: of thousands of namesakes it must bring the
/// one that has no domain before all that have one of that name elsewhere.
const SAME_COUNTRY: f32 = 2.5;
const SAME_CITY: f32 = 3.0;
const SAME_POSTCODE: f32 = 5.0;
const OTHER_COUNTRY: f32 = 1.5;
/// No two places are further apart than this.
const PLACE_POINTS: f32 = SAME_COUNTRY + SAME_CITY + SAME_POSTCODE + OTHER_COUNTRY;
/// A rough sum below this is weak: the last resorts are tried.
const WEAK: f32 = 6.5;

/// Room for the rough sums, used again for each Provider Account. One for each thread. `places` says where an Account
/// stands among those touched; it is never cleared, because whoever stands there says whether it is still true.
#[derive(Debug, Default)]
pub struct Scratch {
    places: Vec<u32>,
    touched: Vec<(u32, f32)>,
}

impl Scratch {
    fn begin(&mut self, numbers: usize) {
        if self.places.len() < numbers {
            self.places.resize(numbers, 0);
        }
        self.touched.clear();
    }

    fn add(&mut self, list: &[u32], limit: usize, points: f32) {
        for number in list.iter().take(limit) {
            let Some(place) = self.places.get_mut(*number as usize) else {
                continue;
            };
            match self.touched.get_mut(*place as usize) {
                Some((known, sum)) if known == number => *sum += points,
                _ => {
                    *place = u32::try_from(self.touched.len()).unwrap_or(u32::MAX);
                    self.touched.push((*number, points));
                }
            }
        }
    }

    fn best(&self) -> f32 {
        self.touched.iter().map(|(_, sum)| *sum).fold(0.0, f32::max)
    }
}

/// The Accounts worth a closer look, best first.
pub fn candidates(index: &Index, subject: &Subject<'_>, scratch: &mut Scratch) -> Vec<u32> {
    scratch.begin(index.numbers());
    by_domain(index, subject, scratch);
    by_name(index, subject, scratch);
    by_words(index, subject, scratch);
    let customer = subject.customer;
    for identity in &customer.identities {
        scratch.add(
            index.terms.list(term(Term::Identity, *identity)),
            DOMAIN_LIMIT,
            30.0,
        );
    }
    if let Some(phone) = customer.phone {
        scratch.add(
            index.terms.list(term(Term::Phone, phone)),
            DOMAIN_LIMIT,
            3.0,
        );
    }
    if scratch.best() < WEAK {
        last_resorts(index, subject, scratch);
    }
    ranked(index, subject, scratch)
}

fn by_domain(index: &Index, subject: &Subject<'_>, scratch: &mut Scratch) {
    for own in &subject.own {
        if let Some(domain) = own.number {
            scratch.add(index.with_domain(domain), DOMAIN_LIMIT, 12.0);
        }
    }
    for contact in &subject.contact {
        if let Some(domain) = contact.number {
            let list = index.with_domain(domain);
            let points = if contact.others > 20 {
                1.0
            } else {
                5.0 + 2.0 * rare(list)
            };
            scratch.add(list, DOMAIN_LIMIT / 4, points);
        }
    }
    for label in &subject.labels {
        let hashed = hash(label.as_bytes());
        let same = index.terms.list(term(Term::Label, hashed));
        scratch.add(same, DOMAIN_LIMIT, 6.0 + rare(same));
        scratch.add(
            index.terms.list(term(Term::Compact, hashed)),
            NAME_LIMIT,
            5.0,
        );
        scratch.add(
            index.terms.list(term(Term::Acronym, hashed)),
            DOMAIN_LIMIT / 4,
            2.0,
        );
        if label.len() > BEGINNING {
            let beginning = label.get(..BEGINNING).unwrap_or_default();
            scratch.add(
                index
                    .terms
                    .list(term(Term::Beginning, hash(beginning.as_bytes()))),
                DOMAIN_LIMIT,
                3.0,
            );
        }
    }
}

fn by_name(index: &Index, subject: &Subject<'_>, scratch: &mut Scratch) {
    let compact = subject.compact.as_bytes();
    let hashed = hash(compact);
    scratch.add(
        index.terms.list(term(Term::Compact, hashed)),
        NAME_LIMIT,
        6.0,
    );
    scratch.add(
        index.terms.list(term(Term::Label, hashed)),
        DOMAIN_LIMIT,
        4.0,
    );
    if compact.len() > BEGINNING {
        let beginning = compact.get(..BEGINNING).unwrap_or_default();
        scratch.add(
            index.terms.list(term(Term::Beginning, hash(beginning))),
            DOMAIN_LIMIT,
            2.5,
        );
    }
    if subject.words.len() > 2 {
        let initials = hash(subject.initials.as_bytes());
        scratch.add(
            index.terms.list(term(Term::Label, initials)),
            DOMAIN_LIMIT / 4,
            2.0,
        );
        scratch.add(
            index.terms.list(term(Term::Compact, initials)),
            DOMAIN_LIMIT / 4,
            2.0,
        );
    }
    if subject.words.len() == 1 {
        scratch.add(
            index.terms.list(term(Term::Acronym, hashed)),
            DOMAIN_LIMIT / 4,
            3.0,
        );
    }
}

/// The rarest words, each with those that differ from it by a slip of the pen; two common words together where no word
/// is rare.
fn by_words(index: &Index, subject: &Subject<'_>, scratch: &mut Scratch) {
    let total: f32 = subject
        .words
        .iter()
        .map(|word| word.rarity)
        .sum::<f32>()
        .max(0.1);
    let mut rarest: Vec<_> = subject.words.iter().collect();
    rarest.sort_by(|a, b| {
        b.rarity
            .total_cmp(&a.rarity)
            .then_with(|| a.text.cmp(b.text))
    });
    let found = scratch.best();
    let limit = if found >= STRONG {
        RIVAL_LIMIT
    } else {
        WORD_LIMIT
    };
    let mut common: Vec<&[u32]> = Vec::new();
    for (at, word) in rarest.iter().take(5).enumerate() {
        let list = word
            .number
            .map_or(&[][..], |number| index.with_word(number));
        let points = 8.0 * word.rarity / total;
        if list.len() <= limit / (1 + at / 2) {
            scratch.add(list, WORD_LIMIT, points);
        } else if list.len() <= COMMON_LIMIT {
            common.push(list);
        }
        if at < 3 && found < STRONG {
            for meant in index
                .misspellings
                .meant(word.text, |number| index.words.text(number))
            {
                let list = index.with_word(meant);
                if list.len() <= WORD_LIMIT / 4 {
                    scratch.add(list, WORD_LIMIT, points * 0.7);
                } else if list.len() <= COMMON_LIMIT && common.len() < 3 {
                    common.push(list);
                }
            }
        }
    }
    common.sort_by_key(|list| list.len());
    if let [one, other, ..] = common.as_slice()
        && found < STRONG
        && one.len() <= COMMON_FIRST
    {
        let mut left = NAME_LIMIT;
        in_both(one, other, |number| {
            scratch.add(&[number], 1, 4.0);
            left -= 1;
            left > 0
        });
    }
}

/// Whether a word by itself leads to whoever has it: few enough do.
#[must_use]
pub fn leads(index: &Index, word: &str) -> bool {
    let number = index.words.get(word);
    number.is_none_or(|number| index.with_word(number).len() <= WORD_LIMIT)
}

/// Beyond so many times the length, a list is searched instead of read.
const FAR_LONGER: usize = 8;

/// Shows the numbers in both lists, which are sorted, the first of them shorter, as long as `take` wants more.
fn in_both(one: &[u32], other: &[u32], mut take: impl FnMut(u32) -> bool) {
    let mut rest = other;
    if other.len() / FAR_LONGER < one.len() {
        let mut left = one;
        while let ([a, ..], [b, ..]) = (left, rest) {
            if a == b && !take(*a) {
                return;
            }
            left = left.get(usize::from(a <= b)..).unwrap_or_default();
            rest = rest.get(usize::from(b <= a)..).unwrap_or_default();
        }
        return;
    }
    for number in one {
        // Leaps that double, then a search within the last one.
        let mut leap = 1;
        while rest.get(leap).is_some_and(|next| next < number) {
            leap *= 2;
        }
        let reach = rest.get(..=leap).unwrap_or(rest);
        let before = reach.partition_point(|next| next < number);
        rest = rest.get(before..).unwrap_or_default();
        if rest.first() == Some(number) && !take(*number) {
            return;
        }
    }
}

/// Where nothing else led anywhere good: who has the same postal code, if the name or tenant reminds of theirs.
fn last_resorts(index: &Index, subject: &Subject<'_>, scratch: &mut Scratch) {
    if subject.customer.postcode.len() < 3 {
        return;
    }
    let key = term(Term::Postcode, hash(subject.customer.postcode.as_bytes()));
    let list = index.terms.list(key);
    let mut compact = String::new();
    let mut near = Vec::new();
    for number in list.iter().take(PLACE_LIMIT) {
        let Some(entry) = index.entry(*number) else {
            continue;
        };
        compact.clear();
        for word in &entry.words {
            compact.push_str(index.words.text(*word));
        }
        let mut likeness = subject.pattern.ratio(compact.as_bytes());
        for pattern in &subject.label_patterns {
            likeness = likeness.max(pattern.ratio(compact.as_bytes()));
        }
        for link in entry.links.iter().take(4) {
            likeness = likeness.max(subject.pattern.ratio(index.label(link.domain).as_bytes()));
        }
        if likeness > 0.55 {
            near.push((*number, likeness));
        }
    }
    for (number, likeness) in near {
        scratch.add(&[number], 1, 6.0 * likeness);
    }
}

/// What it adds that few Accounts have the same.
#[expect(
    clippy::cast_precision_loss,
    reason = "the length of a list that is cut long before"
)]
fn rare(list: &[u32]) -> f32 {
    6.0 / (2.0 + list.len() as f32)
}

/// What the place adds to a rough sum.
fn place(subject: &Subject<'_>, spot: Spot) -> f32 {
    let mut points = match subject.customer.country.agrees(spot.country) {
        Some(true) => SAME_COUNTRY,
        Some(false) => -OTHER_COUNTRY,
        None => 0.0,
    };
    if subject.postcode == Some(spot.postcode) {
        points += SAME_POSTCODE;
    }
    if subject.city == Some(spot.city) {
        points += SAME_CITY;
    }
    points
}

/// The best few, by the rough sum with what the place adds; equals by what follows from the key, so that the order of the
/// input plays no part.
fn ranked(index: &Index, subject: &Subject<'_>, scratch: &Scratch) -> Vec<u32> {
    let floor = floor(scratch);
    let mut best: Vec<(f32, u16, u32)> = Vec::with_capacity(CLOSER + 1);
    let mut least = f32::MIN;
    // Where they are is looked up for all of them first: each is somewhere else in memory, and nothing waits for one.
    let near = scratch.touched.iter().filter(|(_, sum)| *sum >= floor);
    let near: Vec<_> = near
        .map(|(number, sum)| (number, sum, index.spot(*number)))
        .collect();
    for (number, sum, spot) in near {
        let sum = sum + place(subject, spot);
        if sum < least {
            continue;
        }
        let before = |(other_sum, lot, other): &(f32, u16, u32)| {
            let order = other_sum.total_cmp(&sum).reverse();
            let order = order.then_with(|| lot.cmp(&spot.lot));
            order.then_with(|| index.key(*other).cmp(index.key(*number))) == Ordering::Less
        };
        let at = best.partition_point(before);
        if at < CLOSER {
            best.insert(at, (sum, spot.lot, *number));
            best.truncate(CLOSER);
        }
        if let (CLOSER, Some(last)) = (best.len(), best.last()) {
            least = last.0;
        }
    }
    let top = best.first().map_or(0.0, |(sum, ..)| *sum);
    best.retain(|(sum, ..)| *sum >= RIVAL.min(top * WORTH));
    best.into_iter().map(|(.., number)| number).collect()
}

/// A rough sum that nobody among the best can be below, whatever the place adds. Counted in steps, so that thousands of
/// touched Accounts need no sorting.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sums are small and not negative"
)]
fn floor(scratch: &Scratch) -> f32 {
    const STEPS: u16 = 128;
    let mut counts = [0_usize; 128];
    for (_, sum) in &scratch.touched {
        let step = (sum * 4.0) as usize;
        if let Some(count) = counts.get_mut(step.min(usize::from(STEPS) - 1)) {
            *count += 1;
        }
    }
    let mut above = 0;
    for (step, count) in (0..STEPS).zip(counts).rev() {
        above += count;
        if above >= CLOSER * 3 {
            return f32::from(step) / 4.0 - PLACE_POINTS;
        }
    }
    f32::MIN
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::in_both;

    proptest! {
        #[test]
        fn what_is_in_both_lists_is_shown_however_long_they_are(
            one in prop::collection::btree_set(0_u32..400, 0..30),
            other in prop::collection::btree_set(0_u32..400, 0..300),
        ) {
            let shorter: Vec<u32> = one.iter().copied().collect();
            let longer: Vec<u32> = other.iter().copied().collect();
            let mut seen = BTreeSet::new();
            in_both(&shorter, &longer, |number| seen.insert(number));
            prop_assert_eq!(&seen, &(&one & &other));
            let mut first = Vec::new();
            in_both(&shorter, &longer, |number| {
                first.push(number);
                false
            });
            prop_assert_eq!(first, seen.into_iter().take(1).collect::<Vec<_>>());
        }
    }
}
