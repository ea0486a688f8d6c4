//! Boosted decision trees as they are written and learned. Each inner node keeps the value it would have as a leaf, so
//! that the way down a tree tells which measure moved the sum by how much. [`super::forest`] asks many of them at once.

use serde::{Deserialize, Serialize};

/// A leaf's mark in place of a measure.
const LEAF: u16 = u16::MAX;
/// A tree has no more leaves than this: a bit of a word for each.
pub const LEAVES: usize = 32;

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
    /// A leaf at this place of its tree.
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

    /// Whether it is a leaf.
    #[must_use]
    pub const fn is_leaf(&self) -> bool {
        self.feature == LEAF
    }
}

/// A tree; the root comes first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tree(pub Vec<Node>);

/// A test of a tree, and the leaves that are left when its measure exceeds the threshold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Test {
    pub feature: u16,
    pub threshold: f32,
    pub keeps: u32,
}

/// A leaf, and what each step on the way to it added.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub value: f32,
    pub steps: Vec<(u16, f32)>,
}

/// A tree's tests and its leaves from left to right.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    pub tests: Vec<Test>,
    pub leaves: Vec<Leaf>,
}

impl Serialize for Tree {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nodes = self.0.iter().map(|node| {
            if node.is_leaf() {
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
        let tree = Self(nodes?);
        match tree.visit(0, &mut Vec::new(), &mut Plan::default()) {
            Some(()) => Ok(tree),
            None => Err(D::Error::custom("a tree has more than 32 leaves")),
        }
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
    #[cfg(test)]
    pub(super) fn value(&self, measures: &[f32]) -> f32 {
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

    /// Its tests and leaves. A tree that was read or learned has no more leaves than there is room for.
    pub(super) fn plan(&self) -> Plan {
        let mut plan = Plan::default();
        if self.visit(0, &mut Vec::new(), &mut plan).is_none() {
            return Plan::default();
        }
        plan
    }

    /// Goes through the leaves below a node from left to right; `None` where there are too many.
    fn visit(&self, at: usize, steps: &mut Vec<(u16, f32)>, plan: &mut Plan) -> Option<()> {
        let Some(node) = self.0.get(at) else {
            return Some(());
        };
        if plan.leaves.len() == LEAVES || steps.len() >= LEAVES {
            return None;
        }
        if node.is_leaf() {
            plan.leaves.push(Leaf {
                value: node.value,
                steps: steps.clone(),
            });
            return Some(());
        }
        let before = plan.leaves.len();
        for (child, left) in [(node.left, true), (node.right, false)] {
            let child = usize::from(child);
            let gains = self.0.get(child).map_or(0.0, |child| child.value) - node.value;
            steps.push((node.feature, gains));
            self.visit(child, steps, plan)?;
            steps.pop();
            if left {
                plan.tests.push(Test {
                    feature: node.feature,
                    threshold: node.threshold,
                    keeps: !(bits(plan.leaves.len()) & !bits(before)),
                });
            }
        }
        Some(())
    }
}

/// The lowest so many bits.
const fn bits(count: usize) -> u32 {
    if count >= LEAVES {
        u32::MAX
    } else {
        (1 << count) - 1
    }
}

/// Log-odds as a probability.
#[must_use]
pub fn probability(log_odds: f32) -> f32 {
    1.0 / (1.0 + (-log_odds).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_that_cannot_be_asked_is_refused() {
        let tree = |text: &str| serde_json::from_str::<Tree>(text);
        assert!(tree("[[0,0.5,1,2,0],[1],[2]]").is_ok());
        assert!(tree("[[0,0.5,0,1,0],[1]]").is_err(), "a circle");
        // Each node leads twice to the next: as a tree it would have 2^40 leaves.
        let twice: Vec<String> = (0..40)
            .map(|at| format!("[0,{at},{0},{0},0]", at + 1))
            .collect();
        assert!(tree(&format!("[{},[1]]", twice.join(","))).is_err());
    }
}
