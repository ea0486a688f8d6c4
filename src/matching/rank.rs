//! From candidates to customers: each candidate measured and scored, records of one customer put together, the best record
//! of each chosen. The second best that counts is another customer, not another record of the same.

use super::features::{Feature as F, Measures, of_rivals};
use super::forest::Standing;
use super::index::{Entry, Index};
use super::measure::measure;
use super::model::Model;
use super::prepare::Subject;
use super::retrieve::{Scratch, candidates};
use super::text::similarity::ratio;

/// Log-odds that an agreed tenant, subscription or tax number adds: by rule, more than everything learned can weigh.
pub const IDENTITY_POINTS: f32 = 20.0;

/// A candidate, measured.
#[derive(Debug, Clone)]
pub struct Scored {
    /// Number of the Account.
    pub number: u32,
    /// Log-odds that it is the customer's.
    pub score: f32,
    /// The same, as if nobody else had its name or domain. A rival is weighed by it: else a third account of the rival's
    /// name would weaken the rival and make the best look better.
    pub unrivalled: f32,
    /// What was measured.
    pub measures: Box<Measures>,
}

/// One customer of the CRM: its best record, then the others.
#[derive(Debug, Clone)]
pub struct Group {
    /// The record that should win.
    pub best: Scored,
    /// The others of the same customer.
    pub duplicates: Vec<Scored>,
    /// Whether the best record stands out among active ones.
    pub stands_out: bool,
}

impl Group {
    /// The highest score of its records, as if nobody else had their names or domains.
    #[must_use]
    pub fn unrivalled(&self) -> f32 {
        let records = self.duplicates.iter().map(|scored| scored.unrivalled);
        records.fold(self.best.unrivalled, f32::max)
    }

    /// The highest score of its records.
    #[must_use]
    pub fn score(&self) -> f32 {
        self.duplicates
            .iter()
            .map(|scored| scored.score)
            .fold(self.best.score, f32::max)
    }
}

/// The candidates for a Provider Account, measured and scored, best first.
#[must_use]
pub fn scored(
    index: &Index,
    subject: &Subject<'_>,
    model: &Model,
    scratch: &mut Scratch,
) -> Vec<Scored> {
    let (mut alone, mut standing) = (Standing::default(), Standing::default());
    let mut all: Vec<Scored> = candidates(index, subject, scratch)
        .into_iter()
        .filter_map(|number| Some((number, measure(index, subject, number)?)))
        .map(|(number, measures)| {
            alone = model.pair.start(std::mem::take(&mut alone));
            let others = |feature: usize| !of_rivals(feature);
            model.pair.take(&measures.0, others, &mut alone);
            standing.follow(&alone);
            model.pair.take(&measures.0, of_rivals, &mut standing);
            model.pair.take(&Measures::none().0, of_rivals, &mut alone);
            let by_rule = measures.get(F::Identity) * IDENTITY_POINTS;
            Scored {
                number,
                score: model.pair.sum(&standing) + by_rule,
                unrivalled: model.pair.sum(&alone) + by_rule,
                measures: Box::new(measures),
            }
        })
        .collect();
    all.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then_with(|| index.key(a.number).cmp(index.key(b.number)))
    });
    all
}

/// Puts records of one customer together. Groups come in the order of their best score.
#[must_use]
pub fn groups(index: &Index, scored: Vec<Scored>) -> Vec<Group> {
    let mut groups: Vec<Vec<Scored>> = Vec::new();
    for candidate in scored {
        let same = groups.iter_mut().find(|group| {
            group
                .first()
                .is_some_and(|first| same_customer(index, first.number, candidate.number))
        });
        match same {
            Some(group) => group.push(candidate),
            None => groups.push(vec![candidate]),
        }
    }
    groups
        .into_iter()
        .filter_map(|records| choose(index, records))
        .collect()
}

/// Which record wins: active before inactive, one the customer's domains lead to, then the one that is used most.
fn choose(index: &Index, mut records: Vec<Scored>) -> Option<Group> {
    let top = records.first()?.score;
    let worth = |scored: &Scored| {
        let entry = index.entry(scored.number);
        let active = entry.is_some_and(|entry| !entry.inactive);
        let clean = entry.is_some_and(|entry| !entry.remark);
        let website = entry.is_some_and(|entry| entry.links.iter().any(|link| link.website));
        let contacts = entry.map_or(0, |entry| entry.contacts);
        (
            active && scored.score > top - 6.0,
            clean,
            contacts.min(20) + if website { 2 } else { 0 },
        )
    };
    records.sort_by(|a, b| {
        worth(b)
            .cmp(&worth(a))
            .then_with(|| b.score.total_cmp(&a.score))
            .then_with(|| index.key(a.number).cmp(index.key(b.number)))
    });
    let mut rest = records.into_iter();
    let best = rest.next()?;
    let duplicates: Vec<Scored> = rest.collect();
    let stands_out = duplicates.iter().all(|other| {
        let (mine, theirs) = (worth(&best), worth(other));
        mine.0 && (!theirs.0 || mine > theirs)
    });
    Some(Group {
        best,
        duplicates,
        stands_out,
    })
}

/// Whether two Accounts look like records of one customer: names alike, and a domain in common or none on one side and
/// no other place.
#[must_use]
pub fn same_customer(index: &Index, one: u32, other: u32) -> bool {
    let (Some(a), Some(b)) = (index.entry(one), index.entry(other)) else {
        return false;
    };
    let countries = a.country.agrees(b.country) != Some(false)
        && a.name_country.agrees(b.name_country) != Some(false);
    let shares = || {
        a.links.iter().any(|link| {
            let same = b
                .links
                .binary_search_by_key(&link.domain, |link| link.domain);
            same.is_ok()
        })
    };
    // What costs least is asked first.
    countries
        && (a.links.is_empty() || b.links.is_empty() || shares())
        && (a.compact == b.compact || names_alike(index, a, b))
        && city_fits(index, a, b)
}

fn city_fits(index: &Index, a: &Entry, b: &Entry) -> bool {
    let (city_a, city_b) = (index.places.text(a.city), index.places.text(b.city));
    a.city == b.city
        || city_a.is_empty()
        || city_b.is_empty()
        || ratio(city_a.as_bytes(), city_b.as_bytes()) > 0.75
}

fn names_alike(index: &Index, a: &Entry, b: &Entry) -> bool {
    let sorted = |entry: &Entry| {
        let mut words: Vec<&str> = entry
            .words
            .iter()
            .map(|word| index.words.text(*word))
            .collect();
        words.sort_unstable();
        words.join(" ")
    };
    ratio(sorted(a).as_bytes(), sorted(b).as_bytes()) >= 0.88
}

/// Whether the best pair rests on nothing but a name.
#[must_use]
pub fn name_only(measures: &Measures) -> bool {
    [
        F::DomainMatches,
        F::LabelMatch,
        F::TenantLabel,
        F::TenantName,
        F::ContactMatch,
        F::Phone,
        F::Identity,
    ]
    .into_iter()
    .all(|feature| !measures.has(feature))
}
