//! Gradient boosting for yes-or-no answers: histogram trees grown best leaf first, with L2 and with directions that a
//! measure may not be learnt against. Deterministic: no sampling, ties go to the earlier measure and the lower threshold.

#![expect(
    clippy::indexing_slicing,
    reason = "rows, bins and nodes are numbered by this file, and every table is made for exactly those numbers"
)]

use super::super::forest::Forest;
use super::super::trees::{Node, Tree};

const BINS: usize = 64;

/// How to learn.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Number of trees.
    pub trees: usize,
    /// Leaves of a tree.
    pub leaves: usize,
    /// What part of each step is taken.
    pub rate: f32,
    /// Least rows in a leaf.
    pub least_rows: usize,
    /// Pull towards 0.
    pub l2: f32,
}

/// Cases: so many measures a row, row after row, and the answers.
#[derive(Debug, Default, Clone)]
pub struct Cases {
    /// Measures in a row.
    pub width: usize,
    /// All rows.
    pub measures: Vec<f32>,
    /// One answer a row.
    pub answers: Vec<bool>,
}

impl Cases {
    /// No cases of `width` measures.
    #[must_use]
    pub const fn new(width: usize) -> Self {
        Self {
            width,
            measures: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// Adds a case.
    pub fn push(&mut self, measures: &[f32], answer: bool) {
        self.measures.extend_from_slice(measures);
        self.answers.push(answer);
    }
}

#[derive(Clone, Copy, Default)]
struct Cell {
    gradient: f32,
    weight: f32,
    rows: u32,
}

impl Cell {
    fn plus(self, other: Self) -> Self {
        Self {
            gradient: self.gradient + other.gradient,
            weight: self.weight + other.weight,
            rows: self.rows + other.rows,
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            gradient: self.gradient - other.gradient,
            weight: self.weight - other.weight,
            rows: self.rows - other.rows,
        }
    }
}

/// Where the values of one measure are cut, sorted: a value falls into the first bin whose cut is not below it.
fn cuts(cases: &Cases, feature: usize) -> Vec<f32> {
    let step = (cases.answers.len() / 200_000).max(1);
    let mut values: Vec<f32> = cases
        .measures
        .iter()
        .skip(feature)
        .step_by(cases.width * step)
        .copied()
        .collect();
    values.sort_by(f32::total_cmp);
    let mut distinct = values.clone();
    distinct.dedup();
    let mut cuts: Vec<f32> = if distinct.len() <= BINS {
        distinct
            .windows(2)
            .map(|pair| f32::midpoint(pair[0], pair[1]))
            .collect()
    } else {
        // Half of the cuts by rank, half over the distinct values, so that rare extremes can be told apart.
        let ranks = (1..BINS / 2).map(|at| values[at * values.len() / (BINS / 2)]);
        let spread = (1..BINS / 2).map(|at| distinct[at * distinct.len() / (BINS / 2)]);
        ranks.chain(spread).collect()
    };
    cuts.sort_by(f32::total_cmp);
    cuts.dedup();
    cuts
}

struct Leaf {
    rows: Vec<u32>,
    cells: Vec<Cell>,
    total: Cell,
    low: f32,
    high: f32,
    node: usize,
    split: Option<Split>,
}

#[derive(Clone, Copy)]
struct Split {
    gain: f32,
    feature: usize,
    bin: usize,
    left: f32,
    right: f32,
}

struct Grower<'c> {
    settings: Settings,
    directions: &'c [i8],
    width: usize,
    bins: &'c [u8],
    cuts: &'c [Vec<f32>],
    gradients: &'c [(f32, f32)],
}

impl Grower<'_> {
    fn cells(&self, rows: &[u32]) -> Vec<Cell> {
        let mut cells = vec![Cell::default(); self.width * BINS];
        for row in rows {
            let row = *row as usize;
            let (gradient, weight) = self.gradients[row];
            let bins = &self.bins[row * self.width..(row + 1) * self.width];
            for (feature, bin) in bins.iter().enumerate() {
                let cell = &mut cells[feature * BINS + usize::from(*bin)];
                cell.gradient += gradient;
                cell.weight += weight;
                cell.rows += 1;
            }
        }
        cells
    }

    fn value(&self, cell: Cell, low: f32, high: f32) -> f32 {
        (-cell.gradient / (cell.weight + self.settings.l2)).clamp(low, high)
    }

    /// How much a leaf of this value would save.
    fn saved(&self, cell: Cell, value: f32) -> f32 {
        -(cell.gradient * value + 0.5 * (cell.weight + self.settings.l2) * value * value)
    }

    fn best_split(&self, leaf: &Leaf) -> Option<Split> {
        let least = self.settings.least_rows;
        let whole = self.saved(leaf.total, self.value(leaf.total, leaf.low, leaf.high));
        let mut best: Option<Split> = None;
        for feature in 0..self.width {
            let mut left = Cell::default();
            for bin in 0..self.cuts[feature].len() {
                left = left.plus(leaf.cells[feature * BINS + bin]);
                let right = leaf.total.minus(left);
                if (left.rows as usize) < least {
                    continue;
                }
                if (right.rows as usize) < least {
                    break;
                }
                let values = (
                    self.value(left, leaf.low, leaf.high),
                    self.value(right, leaf.low, leaf.high),
                );
                if f32::from(self.directions[feature]) * (values.1 - values.0) < 0.0 {
                    continue;
                }
                let gain = self.saved(left, values.0) + self.saved(right, values.1) - whole;
                if gain > best.map_or(1e-4, |split| split.gain) {
                    best = Some(Split {
                        gain,
                        feature,
                        bin,
                        left: values.0,
                        right: values.1,
                    });
                }
            }
        }
        best
    }

    fn leaf(&self, rows: Vec<u32>, cells: Vec<Cell>, low: f32, high: f32, node: usize) -> Leaf {
        let total = cells[..BINS]
            .iter()
            .fold(Cell::default(), |sum, cell| sum.plus(*cell));
        let mut leaf = Leaf {
            rows,
            cells,
            total,
            low,
            high,
            node,
            split: None,
        };
        leaf.split = self.best_split(&leaf);
        leaf
    }

    fn grow(&self) -> (Tree, Vec<Leaf>) {
        let rows: Vec<u32> = (0..u32::try_from(self.gradients.len()).unwrap_or(u32::MAX)).collect();
        let cells = self.cells(&rows);
        let root = self.leaf(rows, cells, f32::MIN, f32::MAX, 0);
        let mut nodes = vec![Node::leaf(
            0,
            self.value(root.total, root.low, root.high) * self.settings.rate,
        )];
        let mut leaves = vec![root];
        while leaves.len() < self.settings.leaves {
            let gain = |leaf: &Leaf| leaf.split.map_or(0.0, |split| split.gain);
            let Some(at) = (0..leaves.len())
                .rev()
                .max_by(|a, b| gain(&leaves[*a]).total_cmp(&gain(&leaves[*b])))
            else {
                break;
            };
            let Some(split) = leaves[at].split else { break };
            let leaf = leaves.swap_remove(at);
            let (left, right) = self.split(leaf, split, &mut nodes);
            leaves.push(left);
            leaves.push(right);
        }
        (Tree(nodes), leaves)
    }

    fn split(&self, leaf: Leaf, split: Split, nodes: &mut Vec<Node>) -> (Leaf, Leaf) {
        let goes_left = |row: &u32| {
            usize::from(self.bins[*row as usize * self.width + split.feature]) <= split.bin
        };
        let (left, right): (Vec<u32>, Vec<u32>) = leaf.rows.iter().partition(|row| goes_left(row));
        let smaller_is_left = left.len() < right.len();
        let few = self.cells(if smaller_is_left { &left } else { &right });
        let many: Vec<Cell> = leaf
            .cells
            .iter()
            .zip(&few)
            .map(|(all, few)| all.minus(*few))
            .collect();
        let (left_cells, right_cells) = if smaller_is_left {
            (few, many)
        } else {
            (many, few)
        };
        let middle = f32::midpoint(split.left, split.right);
        let (mut left_high, mut right_low, mut left_low, mut right_high) =
            (leaf.high, leaf.low, leaf.low, leaf.high);
        match self.directions[split.feature] {
            1 => (left_high, right_low) = (middle, middle),
            -1 => (left_low, right_high) = (middle, middle),
            _ => {}
        }
        let first = nodes.len();
        let node = &mut nodes[leaf.node];
        node.feature = u16::try_from(split.feature).unwrap_or(u16::MAX);
        node.threshold = self.cuts[split.feature][split.bin];
        node.left = u16::try_from(first).unwrap_or(0);
        node.right = u16::try_from(first + 1).unwrap_or(0);
        let (left_at, right_at) = (node.left, node.right);
        nodes.push(Node::leaf(left_at, split.left * self.settings.rate));
        nodes.push(Node::leaf(right_at, split.right * self.settings.rate));
        (
            self.leaf(left, left_cells, left_low, left_high, first),
            self.leaf(right, right_cells, right_low, right_high, first + 1),
        )
    }
}

/// Learns a forest. `directions` holds one of -1, 0 and 1 for each measure.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a proportion of cases")]
pub fn learn(
    cases: &Cases,
    directions: &[i8],
    settings: Settings,
    mut progress: impl FnMut(usize),
) -> Forest {
    let rows = cases.answers.len();
    let yes = cases.answers.iter().filter(|answer| **answer).count();
    if rows == 0 || yes == 0 || yes == rows {
        let base = if yes > 0 { 6.0 } else { -6.0 };
        return Forest::new(base, Vec::new());
    }
    let cuts: Vec<Vec<f32>> = (0..cases.width)
        .map(|feature| cuts(cases, feature))
        .collect();
    let bins: Vec<u8> = cases
        .measures
        .chunks_exact(cases.width)
        .flat_map(|row| {
            row.iter().zip(&cuts).map(|(value, cuts)| {
                u8::try_from(cuts.partition_point(|cut| cut < value)).unwrap_or(u8::MAX)
            })
        })
        .collect();
    let base = (yes as f32 / (rows - yes) as f32).ln();
    let mut sums = vec![base; rows];
    let mut trees = Vec::with_capacity(settings.trees);
    for at in 0..settings.trees {
        let gradients: Vec<(f32, f32)> = sums
            .iter()
            .zip(&cases.answers)
            .map(|(sum, answer)| {
                let p = super::super::trees::probability(*sum);
                (
                    p - if *answer { 1.0 } else { 0.0 },
                    (p * (1.0 - p)).max(1e-6),
                )
            })
            .collect();
        let grower = Grower {
            settings,
            directions,
            width: cases.width,
            bins: &bins,
            cuts: &cuts,
            gradients: &gradients,
        };
        let (tree, leaves) = grower.grow();
        for leaf in leaves {
            let value = tree.0[leaf.node].value;
            for row in leaf.rows {
                sums[row as usize] += value;
            }
        }
        trees.push(tree);
        progress(at + 1);
    }
    Forest::new(base, trees)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            trees: 60,
            leaves: 8,
            rate: 0.2,
            least_rows: 5,
            l2: 1.0,
        }
    }

    fn cases(answer: impl Fn(f32, f32) -> bool) -> Cases {
        let mut cases = Cases::new(2);
        for i in 0_u16..40 {
            for j in 0_u16..40 {
                let (x, y) = (f32::from(i) / 40.0, f32::from(j) / 40.0);
                cases.push(&[x, y], answer(x, y));
            }
        }
        cases
    }

    #[test]
    fn it_learns_a_rule_of_two_measures() {
        let cases = cases(|x, y| x > 0.5 && y > 0.3);
        let forest = learn(&cases, &[0, 0], settings(), |_| {});
        assert!(forest.score(&[0.9, 0.9]) > 2.0);
        assert!(forest.score(&[0.9, 0.1]) < -2.0);
        assert!(forest.score(&[0.1, 0.9]) < -2.0);
    }

    #[test]
    fn a_direction_holds_whatever_the_cases_say() {
        let cases = cases(|x, _| !(0.3..0.7).contains(&x));
        let forest = learn(&cases, &[1, 0], settings(), |_| {});
        let scores: Vec<f32> = (0_u16..40)
            .map(|at| forest.score(&[f32::from(at) / 40.0, 0.5]))
            .collect();
        assert!(
            scores.windows(2).all(|pair| pair[0] <= pair[1] + 1e-6),
            "{scores:?}"
        );
    }

    #[test]
    fn the_shares_of_an_explanation_add_up_to_the_score() {
        let forest = learn(&cases(|x, y| x + y > 1.0), &[0, 0], settings(), |_| {});
        let measures = [0.4, 0.8];
        let shares: f32 = forest.shares(&measures).iter().sum();
        let sum = shares + forest.base + forest.roots();
        assert!((sum - forest.score(&measures)).abs() < 1e-3);
    }
}
