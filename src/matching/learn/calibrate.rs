//! From a score to a probability that holds: of the decisions with confidence 0.99, 99 of 100 are right. Neighbouring
//! scores are pooled until the share of right answers never falls with a rising score (isotonic regression).

/// Points of a rising line: score, share of right answers. Few enough to read.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "shares of counts of cases"
)]
pub fn learn(mut cases: Vec<(f32, bool)>) -> Vec<(f32, f32)> {
    struct Pool {
        scores: f64,
        right: f64,
        cases: f64,
    }
    cases.sort_by(|a, b| a.0.total_cmp(&b.0));
    let size = (cases.len() / 60).max(1);
    let mut pools: Vec<Pool> = Vec::new();
    for chunk in cases.chunks(size) {
        let mut pool = Pool {
            scores: chunk.iter().map(|case| f64::from(case.0)).sum(),
            right: chunk.iter().filter(|case| case.1).count() as f64,
            cases: chunk.len() as f64,
        };
        while let Some(last) = pools.last() {
            if last.right / last.cases < pool.right / pool.cases {
                break;
            }
            pool.scores += last.scores;
            pool.right += last.right;
            pool.cases += last.cases;
            pools.pop();
        }
        pools.push(pool);
    }
    // Half a case of doubt on either side: no share is 0 or 1 for want of cases.
    let mut highest = 0.0;
    pools
        .iter()
        .map(|pool| {
            highest = f64::max(highest, (pool.right + 0.5) / (pool.cases + 1.0));
            ((pool.scores / pool.cases) as f32, highest as f32)
        })
        .collect()
}

/// The line at a score, straight between its points; beyond its ends it creeps on towards 0 and 1, so that a better score
/// is always a better confidence.
#[must_use]
pub fn apply(line: &[(f32, f32)], score: f32) -> f32 {
    let above = line.partition_point(|point| point.0 < score);
    match (
        above.checked_sub(1).and_then(|at| line.get(at)),
        line.get(above),
    ) {
        (Some(low), Some(high)) => {
            low.1 + (high.1 - low.1) * (score - low.0) / (high.0 - low.0).max(1e-6)
        }
        (Some(low), None) => 1.0 - (1.0 - low.1) * (-(score - low.0) / 4.0).exp(),
        (None, Some(high)) => high.1 * (-(high.0 - score) / 4.0).exp(),
        (None, None) => super::super::trees::probability(score),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_better_score_is_never_a_lower_confidence(
            cases in prop::collection::vec((-8.0_f32..8.0, any::<bool>()), 0..300),
            a in -12.0_f32..12.0, b in -12.0_f32..12.0,
        ) {
            let line = learn(cases);
            let (low, high) = (apply(&line, a.min(b)), apply(&line, a.max(b)));
            prop_assert!(low <= high + 1e-6);
            prop_assert!((0.0..=1.0).contains(&low) && (0.0..=1.0).contains(&high));
        }
    }
}
