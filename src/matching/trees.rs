//! Boosted decision trees as the engine uses them: flat tables, a sum of leaves. Each inner node keeps the value it would
//! have as a leaf, so that the way down a tree tells which measure moved the sum by how much.

use serde::{Deserialize, Serialize};

/// A leaf's mark in place of a measure.
const LEAF: u16 = u16::MAX;
/// So many rows go down a tree side by side.
const LANES: usize = 8;
/// Room for the measures of a row; a power of two, so that no index is out of bounds.
pub const WIDE: usize = 64;

/// A node: written as `[measure, threshold, left, right, value]`, a leaf as `[value]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    pub feature: u16,
    pub left: u16,
    pub right: u16,
    /// Values up to this go left.
    pub threshold: f32,
    pub value: f32,
}

impl Node {
    /// A leaf at this place of its tree: it leads to itself, so that whoever has arrived can go on walking.
    #[must_use]
    pub const fn leaf(at: u16, value: f32) -> Self {
        Self {
            feature: LEAF,
            left: at,
            right: at,
            threshold: 0.0,
            value,
        }
    }
}

/// A tree; the root comes first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tree(pub Vec<Node>);

/// A sum of trees, in log-odds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Forest {
    /// What holds before anything is measured.
    pub base: f32,
    /// The trees.
    pub trees: Vec<Tree>,
}

impl Serialize for Tree {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nodes = self.0.iter().map(|node| {
            if node.feature == LEAF {
                vec![round(node.value)]
            } else {
                vec![
                    f64::from(node.feature),
                    round(node.threshold),
                    f64::from(node.left),
                    f64::from(node.right),
                    round(node.value),
                ]
            }
        });
        serializer.collect_seq(nodes)
    }
}

/// Five digits: more would be noise, and the file is to be read.
fn round(value: f32) -> f64 {
    (f64::from(value) * 1e5).round() / 1e5
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let rows = Vec::<Vec<f32>>::deserialize(deserializer)?;
        let nodes: Result<Vec<Node>, D::Error> = rows
            .iter()
            .enumerate()
            .map(|(at, row)| match row.as_slice() {
                [value] => u16::try_from(at)
                    .map(|at| Node::leaf(at, *value))
                    .map_err(|_| D::Error::custom("a tree has too many nodes")),
                [feature, threshold, left, right, value] => {
                    let (feature, left, right) = (number(*feature), number(*left), number(*right));
                    // Children come after their parent: there is always a way to a leaf, and never a circle.
                    let forward = [left, right]
                        .iter()
                        .all(|child| usize::from(*child) > at && usize::from(*child) < rows.len());
                    if forward {
                        Ok(Node {
                            feature,
                            left,
                            right,
                            threshold: *threshold,
                            value: *value,
                        })
                    } else {
                        Err(D::Error::custom("a tree's node must lead to later nodes"))
                    }
                }
                _ => Err(D::Error::custom("a tree's node has one number or five")),
            })
            .collect();
        nodes.map(Self)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast saturates, and what is out of range is refused by the caller's check"
)]
const fn number(value: f32) -> u16 {
    value as u16
}

impl Tree {
    /// The leaf's value for these measures.
    #[must_use]
    pub fn value(&self, measures: &[f32]) -> f32 {
        let mut at = 0_usize;
        while let Some(node) = self.0.get(at) {
            let Some(measure) = measures.get(usize::from(node.feature)) else {
                return node.value;
            };
            at = usize::from(if *measure <= node.threshold {
                node.left
            } else {
                node.right
            });
        }
        0.0
    }

    /// Adds the leaves' values for some rows to their sums. All take each step together: a step waits for memory, and
    /// eight wait no longer than one.
    fn add(&self, rows: &[[f32; WIDE]], sums: &mut [f32]) {
        let mut places = [0_u16; LANES];
        let mut moved = true;
        while moved {
            moved = false;
            for (at, row) in places.iter_mut().zip(rows) {
                let Some(node) = self.0.get(usize::from(*at)) else {
                    continue;
                };
                let measure = row.get(usize::from(node.feature) % WIDE);
                let left = measure.is_some_and(|measure| *measure <= node.threshold);
                let next = if left { node.left } else { node.right };
                moved |= next != *at;
                *at = next;
            }
        }
        for (sum, at) in sums.iter_mut().zip(places) {
            *sum += self.0.get(usize::from(at)).map_or(0.0, |node| node.value);
        }
    }

    fn explain(&self, measures: &[f32], parts: &mut [f32]) {
        let Some(mut node) = self.0.first() else {
            return;
        };
        while let Some(measure) = measures.get(usize::from(node.feature)) {
            let next = if *measure <= node.threshold {
                node.left
            } else {
                node.right
            };
            let Some(child) = self.0.get(usize::from(next)) else {
                return;
            };
            if let Some(part) = parts.get_mut(usize::from(node.feature)) {
                *part += child.value - node.value;
            }
            node = child;
        }
    }
}

impl Forest {
    /// Log-odds for these measures.
    #[must_use]
    pub fn score(&self, measures: &[f32]) -> f32 {
        self.base
            + self
                .trees
                .iter()
                .map(|tree| tree.value(measures))
                .sum::<f32>()
    }

    /// Log-odds for each of many. A tree is walked for all before the next is touched, because that keeps it in the nearest
    /// cache; the sums are those of [`Self::score`].
    #[must_use]
    pub fn score_all(&self, rows: &[[f32; WIDE]]) -> Vec<f32> {
        let mut sums = vec![0.0; rows.len()];
        for tree in &self.trees {
            for (rows, sums) in rows.chunks(LANES).zip(sums.chunks_mut(LANES)) {
                tree.add(rows, sums);
            }
        }
        sums.into_iter().map(|sum| self.base + sum).collect()
    }

    /// What each measure added to the log-odds or took from them.
    #[must_use]
    pub fn parts(&self, measures: &[f32]) -> Vec<f32> {
        let mut parts = vec![0.0; measures.len()];
        for tree in &self.trees {
            tree.explain(measures, &mut parts);
        }
        parts
    }
}

/// Log-odds as a probability.
#[must_use]
pub fn probability(log_odds: f32) -> f32 {
    1.0 / (1.0 + (-log_odds).exp())
}
