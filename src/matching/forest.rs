//! A sum of trees, asked about thousands of pairs a second. Instead of walking down one tree after another, all tests on
//! one measure are taken at once, sorted by threshold: each test that a measure exceeds strikes out the leaves to its left,
//! and the first leaf left over in each tree is the one that a walk would have ended at.
//!
//! What surprises: most measures are 0 for most pairs and exceed no test, so they cost nothing; and two rows that differ
//! in a few measures share the work of the others ([`Standing`]).

use serde::{Deserialize, Serialize};

use super::features::{self, KINDS};
use super::trees::{LEAVES, Tree};

/// A sum of trees, in log-odds.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Forest {
    /// What holds before anything is measured.
    pub base: f32,
    trees: Vec<Tree>,
    #[serde(skip)]
    table: Table,
}

/// The same trees, turned over to be asked.
#[derive(Debug, Clone, PartialEq, Default)]
struct Table {
    /// For each measure its tests, by threshold, ascending.
    tests: Vec<Vec<Strike>>,
    /// Values of each tree's leaves.
    values: Vec<[f32; LEAVES]>,
    /// What the steps down to each leaf added, by kind of evidence.
    shares: Vec<[[f32; KINDS]; LEAVES]>,
}

/// A test of one measure: the leaves of one tree that are left when the measure exceeds the threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Strike {
    threshold: f32,
    tree: u32,
    keeps: u32,
}

/// How far a row has got: for each tree the leaves that it may still end at, a bit for each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing(Vec<u32>);

#[derive(Deserialize)]
struct Written {
    base: f32,
    trees: Vec<Tree>,
}

impl<'de> Deserialize<'de> for Forest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        Ok(Self::new(written.base, written.trees))
    }
}

impl Standing {
    /// Stands where another row stands.
    pub fn follow(&mut self, other: &Self) {
        self.0.clone_from(&other.0);
    }
}

impl Table {
    fn of(trees: &[Tree]) -> Self {
        let mut table = Self::default();
        for (tree, number) in trees.iter().zip(0_u32..) {
            let plan = tree.plan();
            for test in &plan.tests {
                let feature = usize::from(test.feature);
                if table.tests.len() <= feature {
                    table.tests.resize(feature + 1, Vec::new());
                }
                if let Some(tests) = table.tests.get_mut(feature) {
                    tests.push(Strike {
                        threshold: test.threshold,
                        tree: number,
                        keeps: test.keeps,
                    });
                }
            }
            let (mut values, mut shares) = ([0.0; LEAVES], [[0.0; KINDS]; LEAVES]);
            for ((value, shares), leaf) in values.iter_mut().zip(&mut shares).zip(&plan.leaves) {
                *value = leaf.value;
                for (feature, step) in &leaf.steps {
                    let kind = features::ALL.get(usize::from(*feature));
                    let share = kind.and_then(|kind| shares.get_mut(kind.3 as usize));
                    share.into_iter().for_each(|share| *share += step);
                }
            }
            table.values.push(values);
            table.shares.push(shares);
        }
        for tests in &mut table.tests {
            tests.sort_by(|a, b| a.threshold.total_cmp(&b.threshold));
        }
        table
    }
}

impl Forest {
    /// A forest of these trees.
    #[must_use]
    pub fn new(base: f32, trees: Vec<Tree>) -> Self {
        let table = Table::of(&trees);
        Self { base, trees, table }
    }

    /// Log-odds for these measures.
    #[must_use]
    pub fn score(&self, measures: &[f32]) -> f32 {
        let mut standing = self.start(Standing::default());
        self.take(measures, |_| true, &mut standing);
        self.sum(&standing)
    }

    /// A row that has not been measured. A standing that is given is used again.
    #[must_use]
    pub fn start(&self, mut used: Standing) -> Standing {
        used.0.clear();
        used.0.resize(self.trees.len(), u32::MAX);
        used
    }

    /// Takes these of a row's measures into account. The order of measures plays no part.
    pub fn take(&self, measures: &[f32], which: impl Fn(usize) -> bool, standing: &mut Standing) {
        for (feature, (measure, tests)) in measures.iter().zip(&self.table.tests).enumerate() {
            if which(feature) {
                for test in tests.iter().take_while(|test| test.threshold < *measure) {
                    if let Some(leaves) = standing.0.get_mut(test.tree as usize) {
                        *leaves &= test.keeps;
                    }
                }
            }
        }
    }

    /// Log-odds of a row whose measures were all taken.
    #[must_use]
    pub fn sum(&self, standing: &Standing) -> f32 {
        let leaves = standing.0.iter().zip(&self.table.values);
        let values = leaves.map(|(left, values)| {
            let first = left.trailing_zeros() as usize % LEAVES;
            values.get(first).copied().unwrap_or(0.0)
        });
        self.base + values.sum::<f32>()
    }

    /// What each kind of evidence added to the log-odds or took from them.
    #[must_use]
    pub fn shares(&self, measures: &[f32]) -> [f32; KINDS] {
        let mut standing = self.start(Standing::default());
        self.take(measures, |_| true, &mut standing);
        let mut sums = [0.0; KINDS];
        for (left, shares) in standing.0.iter().zip(&self.table.shares) {
            let shares = shares.get(left.trailing_zeros() as usize % LEAVES);
            for (sum, share) in sums.iter_mut().zip(shares.unwrap_or(&[0.0; KINDS])) {
                *sum += share;
            }
        }
        sums
    }

    /// What the trees give before the first test: with [`Self::base`] and the shares it adds up to the score.
    #[must_use]
    pub fn roots(&self) -> f32 {
        let roots = self.trees.iter().filter_map(|tree| tree.0.first());
        roots.map(|node| node.value).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::trees::Node;
    use super::*;
    use proptest::prelude::*;

    /// A tree whose shape and tests follow from a list of numbers.
    fn tree(numbers: &[u8]) -> Tree {
        let mut nodes = vec![Node::leaf(0, 0.5)];
        for chunk in numbers.chunks_exact(3) {
            let leaves: Vec<usize> = (0..nodes.len()).filter(|at| nodes[*at].is_leaf()).collect();
            let at = leaves[usize::from(chunk[0]) % leaves.len()];
            let next = u16::try_from(nodes.len()).unwrap();
            nodes[at].feature = u16::from(chunk[1] % 4);
            nodes[at].threshold = f32::from(chunk[2] % 5);
            (nodes[at].left, nodes[at].right) = (next, next + 1);
            nodes.push(Node::leaf(next, f32::from(chunk[1])));
            nodes.push(Node::leaf(next + 1, -f32::from(chunk[2])));
        }
        Tree(nodes)
    }

    proptest! {
        #[test]
        fn asking_all_trees_at_once_is_walking_down_each(
            shapes in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..90), 1..5),
            rows in prop::collection::vec(prop::array::uniform4(0_u8..11), 1..8),
        ) {
            let trees: Vec<Tree> = shapes.iter().map(|numbers| tree(numbers)).collect();
            let forest = Forest::new(0.25, trees.clone());
            for row in rows {
                let measures = row.map(|it| f32::from(it) / 2.0);
                let walked = 0.25 + trees.iter().map(|tree| tree.value(&measures)).sum::<f32>();
                prop_assert_eq!(forest.score(&measures), walked);
                let shares: f32 = forest.shares(&measures).iter().sum();
                prop_assert!((shares + 0.25 + forest.roots() - walked).abs() < 0.01);
                let mut standing = forest.start(Standing::default());
                forest.take(&measures, |feature| feature % 2 == 1, &mut standing);
                forest.take(&measures, |feature| feature % 2 == 0, &mut standing);
                prop_assert_eq!(forest.sum(&standing), walked);
            }
        }
    }
}
