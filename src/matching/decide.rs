//! The engine's decision for one Provider Account: map it, suggest, or neither, with a confidence that holds and the
//! evidence for and against.

use std::sync::Arc;

use super::explain::{self, Reason};
use super::facts::Customer;
use super::features::Feature as F;
use super::forest::Standing;
use super::in_order::in_order;
use super::index::Index;
use super::model::{DECISION_COUNT, EXTRA, Model, decision_measures};
use super::population::Population;
use super::prepare::Subject;
use super::rank::{Group, groups, scored};
use super::retrieve::Scratch;
use super::trees::probability;
use super::vetoes::{Case, applying};

/// Customers that a thread decides for at a time.
const PORTION: usize = 256;
/// So many customers are suggested at most.
pub const MAX_CANDIDATES: usize = 3;
/// Candidates less likely than this are nobody's suggestion.
const FAINT: f32 = 0.02;
/// Confidence of an agreed tenant, subscription or tax number: set by rule, not learned, because the generator's cases
/// have none. Numbers are mistyped and tenants are resold, so it is not 1.
const IDENTITY_CONFIDENCE: f32 = 0.9995;

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Map it.
    Auto,
    /// A person must choose.
    Suggest,
    /// No Account is likely.
    None,
}

impl Verdict {
    /// The word in outputs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Suggest => "suggest",
            Self::None => "none",
        }
    }
}

/// An Account that it may be.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Key of the Account.
    pub account_key: String,
    /// Between 0 and 1.
    pub confidence: f32,
    /// Evidence, the strongest first; what speaks against has a negative weight.
    pub reasons: Vec<Reason>,
}

/// What the engine says of one Provider Account.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What to do.
    pub verdict: Verdict,
    /// That the best candidate is right.
    pub confidence: f32,
    /// Different customers, the most likely first.
    pub candidates: Vec<Candidate>,
    /// Keys of other records of the best candidate's customer (B9).
    pub duplicates: Vec<String>,
    /// Ids of the vetoes that kept it from being automatic.
    pub vetoes: Vec<&'static str>,
}

/// The engine: an index of Accounts, what is known of all Provider Accounts, and a model.
#[derive(Debug, Clone)]
pub struct Engine {
    /// The Accounts; kept up to date by its owner.
    pub index: Index,
    /// The Provider Accounts; kept up to date by its owner.
    pub population: Population,
    /// The model.
    pub model: Arc<Model>,
    /// Confidence from which a decision is automatic.
    pub threshold: f32,
}

impl Engine {
    /// An engine without Accounts, at the model's own threshold.
    #[must_use]
    pub fn new(model: Arc<Model>) -> Self {
        let threshold = model.threshold;
        Self {
            index: Index::new(),
            population: Population::default(),
            model,
            threshold,
        }
    }

    /// Decides for one Provider Account. `scratch` is room to work in, used again from call to call.
    #[must_use]
    pub fn decide(&self, customer: &Customer, scratch: &mut Scratch) -> Decision {
        let subject = Subject::new(&self.index, &self.population, customer);
        let groups = groups(
            &self.index,
            scored(&self.index, &subject, &self.model, scratch),
        );
        let Some((best, others)) = groups.split_first() else {
            return Decision {
                verdict: Verdict::None,
                confidence: 0.0,
                candidates: Vec::new(),
                duplicates: Vec::new(),
                vetoes: Vec::new(),
            };
        };
        let confidence = self.confidence(best, others);
        let case = Case {
            index: &self.index,
            group: best,
            others,
            name: &customer.name,
        };
        let vetoes: Vec<_> = applying(&case, confidence >= self.model.caution).collect();
        let verdict = if confidence >= self.threshold && vetoes.is_empty() {
            Verdict::Auto
        } else if confidence >= FAINT {
            Verdict::Suggest
        } else {
            Verdict::None
        };
        let candidates = groups
            .iter()
            .take(MAX_CANDIDATES)
            .enumerate()
            .map(|(at, group)| {
                let confidence = if at == 0 {
                    confidence
                } else {
                    self.runner_up(group, confidence)
                };
                Candidate {
                    account_key: self.index.key(group.best.number).to_owned(),
                    confidence,
                    reasons: explain::reasons(&self.index, &self.model, &subject, group, &groups),
                }
            })
            .collect();
        let duplicates = best
            .duplicates
            .iter()
            .map(|record| self.index.key(record.number).to_owned())
            .collect();
        Decision {
            verdict,
            confidence,
            candidates,
            duplicates,
            vetoes: vetoes.iter().map(|veto| veto.id).collect(),
        }
    }

    /// That the best customer is right, in view of the others.
    fn confidence(&self, best: &Group, others: &[Group]) -> f32 {
        let learned = self
            .model
            .confidence(decision_score(&self.model, best, others));
        if best.best.measures.has(F::Identity) {
            learned.max(IDENTITY_CONFIDENCE)
        } else {
            learned
        }
    }

    /// A runner-up takes of what the best leaves.
    fn runner_up(&self, group: &Group, best: f32) -> f32 {
        probability(group.score()).min(1.0 - best).min(best)
    }

    /// Decides for many, on several threads, which also do what `make` does of each decision. `take` has it in order.
    pub fn decide_each<T: Send>(
        &self,
        customers: &[Customer],
        threads: usize,
        make: impl Fn(&Customer, Decision) -> T + Sync,
        mut take: impl FnMut(T),
    ) {
        let mut portions = customers.chunks(PORTION);
        let worker = || {
            let mut scratch = Scratch::default();
            let make = &make;
            move |portion: &[Customer]| {
                let mut made = Vec::with_capacity(portion.len());
                for customer in portion {
                    made.push(make(customer, self.decide(customer, &mut scratch)));
                }
                made
            }
        };
        let next = || portions.next();
        in_order(threads, next, worker, |made| {
            made.into_iter().for_each(&mut take);
        });
    }
}

/// The second forest's score of the best customer. It is asked about each of the others and the worst answer counts, so
/// that one more account can only make a decision less sure.
#[must_use]
pub fn decision_score(model: &Model, best: &Group, others: &[Group]) -> f32 {
    let of_rival = |measure: usize| measure < EXTRA.len();
    let (row, mut own) = (decision_row(best, None), Standing::default());
    own = model.decision.start(own);
    model.decision.take(&row, |it| !of_rival(it), &mut own);
    let mut standing = Standing::default();
    let mut with = |row: &[f32]| {
        standing.follow(&own);
        model.decision.take(row, of_rival, &mut standing);
        model.decision.sum(&standing)
    };
    let alone = with(&row);
    others
        .iter()
        .map(|other| with(&decision_row(best, Some(other))))
        .fold(alone, f32::min)
}

/// The row that the second forest sees.
#[must_use]
pub fn decision_row(best: &Group, rival: Option<&Group>) -> [f32; DECISION_COUNT] {
    let duplicate = best
        .duplicates
        .iter()
        .map(|record| record.unrivalled)
        .reduce(f32::max);
    let rival = rival.map(|rival| (rival.unrivalled(), &*rival.best.measures));
    decision_measures((best.score(), &*best.best.measures), rival, duplicate)
}
