//! From cases with known answers to a model. The cases are parted by Provider Account: two fifths teach the pair forest,
//! two the decision forest, and the last, unseen by both, calibrates and is measured.

use super::super::decide::{decision_row, decision_score};
use super::super::facts::Customer;
use super::super::features;
use super::super::index::Index;
use super::super::model::{DECISION_COUNT, Metrics, Model, decision_directions};
use super::super::population::Population;
use super::super::prepare::Subject;
use super::super::rank::{Group, groups, scored};
use super::super::retrieve::Scratch;
use super::super::trees::LEAVES;
use super::super::vetoes::{Case, applying};
use super::boost::{Cases, Settings, learn};
use super::calibrate;

/// One set of cases.
#[derive(Debug)]
pub struct Lesson {
    /// Accounts.
    pub index: Index,
    /// All Provider Accounts of the set.
    pub population: Population,
    /// Provider Accounts, each with the keys of the Accounts that are right; none when it has no counterpart.
    pub customers: Vec<(Customer, Vec<String>)>,
}

/// Confidence from which a decision is automatic. With [`CAUTION`] it was chosen among a grid of both, as the pair that maps
/// most while one in a thousand is wrong among names of real organisations (twelve seeds of them); the generator's cases
/// are harder than those, and are wrong twice as often.
const THRESHOLD: f32 = 0.96;
/// Confidence beyond which a caution gives way.
const CAUTION: f32 = 0.98;

const PAIR: Settings = Settings {
    trees: 200,
    leaves: 24,
    rate: 0.1,
    least_rows: 30,
    l2: 2.0,
};
const _: () = assert!(PAIR.leaves <= LEAVES && DECISION.leaves <= LEAVES);
const DECISION: Settings = Settings {
    trees: 120,
    leaves: 12,
    rate: 0.08,
    least_rows: 40,
    l2: 4.0,
};

/// What is told while it works.
pub type Progress<'p> = &'p mut dyn FnMut(&str, usize, usize);

/// Learns a model.
#[must_use]
pub fn train(lessons: &[Lesson], progress: Progress<'_>) -> Model {
    let mut model = Model::blank();
    let directions: Vec<i8> = features::ALL.iter().map(|feature| feature.2).collect();
    let pairs = pair_cases(lessons, &model);
    model.pair = learn(&pairs, &directions, PAIR, |tree| {
        progress("pairs", tree, PAIR.trees)
    });
    drop(pairs);
    let mut cases = Cases::new(DECISION_COUNT);
    each(lessons, &model, &[2, 3], |answered| {
        if let Some((best, others)) = answered.groups.split_first() {
            cases.push(&decision_row(best, others.first()), answered.right(best));
        }
    });
    model.decision = learn(&cases, &decision_directions(), DECISION, |tree| {
        progress("decisions", tree, DECISION.trees)
    });
    hold_out(lessons, &mut model);
    model
}

/// The engine's view of one Provider Account, and the keys that are right.
struct Answered<'l> {
    lesson: &'l Lesson,
    customer: &'l Customer,
    keys: &'l [String],
    groups: Vec<Group>,
}

impl Answered<'_> {
    fn right(&self, group: &Group) -> bool {
        let key = self.lesson.index.key(group.best.number);
        self.keys.iter().any(|right| right == key)
    }

    fn vetoed(&self, beyond_caution: bool) -> bool {
        self.groups.split_first().is_none_or(|(group, others)| {
            let case = Case {
                index: &self.lesson.index,
                group,
                others,
                name: &self.customer.name,
            };
            applying(&case, beyond_caution).next().is_some()
        })
    }
}

fn pair_cases(lessons: &[Lesson], model: &Model) -> Cases {
    let mut cases = Cases::new(features::COUNT);
    let mut scratch = Scratch::default();
    for lesson in lessons {
        for (_, (customer, right)) in lesson
            .customers
            .iter()
            .enumerate()
            .filter(|(at, _)| at % 5 < 2)
        {
            let subject = Subject::new(&lesson.index, &lesson.population, customer);
            for candidate in scored(&lesson.index, &subject, model, &mut scratch) {
                let answer = right
                    .iter()
                    .any(|key| key == lesson.index.key(candidate.number));
                cases.push(&candidate.measures.0, answer);
            }
        }
    }
    cases
}

/// Shows the Provider Accounts of some fifths to `take`.
fn each(lessons: &[Lesson], model: &Model, fifths: &[usize], mut take: impl FnMut(&Answered<'_>)) {
    let mut scratch = Scratch::default();
    for lesson in lessons {
        let of_fifths = lesson.customers.iter().enumerate();
        for (_, (customer, keys)) in of_fifths.filter(|(at, _)| fifths.contains(&(at % 5))) {
            let subject = Subject::new(&lesson.index, &lesson.population, customer);
            let scored = scored(&lesson.index, &subject, model, &mut scratch);
            let groups = groups(&lesson.index, scored);
            take(&Answered {
                lesson,
                customer,
                keys,
                groups,
            });
        }
    }
}

/// Calibrates and measures on the last fifth, with the vetoes.
#[expect(clippy::cast_precision_loss, reason = "shares of counts of cases")]
fn hold_out(lessons: &[Lesson], model: &mut Model) {
    let (mut outcomes, mut free) = (Vec::new(), Vec::new());
    let (mut found, mut seen, mut positives) = (0_u64, 0_u64, 0_u64);
    each(lessons, model, &[4], |answered| {
        seen += 1;
        positives += u64::from(!answered.keys.is_empty());
        found += u64::from(
            answered
                .groups
                .iter()
                .take(3)
                .any(|group| answered.right(group)),
        );
        if let Some((best, others)) = answered.groups.split_first() {
            let score = decision_score(model, best, others);
            outcomes.push((score, answered.right(best)));
            if !answered.vetoed(true) {
                let asked = if answered.vetoed(false) {
                    CAUTION
                } else {
                    THRESHOLD
                };
                free.push((score, asked, answered.right(best)));
            }
        }
    });
    model.calibration = calibrate::learn(outcomes);
    let positives = positives.max(1) as f64;
    model.threshold = THRESHOLD;
    model.caution = CAUTION;
    let auto = free
        .iter()
        .filter(|(score, asked, _)| model.confidence(*score) >= *asked);
    let (mut all, mut right) = (0_u64, 0_u64);
    for (_, _, good) in auto {
        all += 1;
        right += u64::from(*good);
    }
    model.metrics = Metrics {
        held_out: seen,
        precision: right as f64 / all.max(1) as f64,
        coverage: right as f64 / positives,
        recall_at_3: found as f64 / positives,
    };
}
