//! The learned part of the engine as a file: which measures, two forests, a calibration line and the threshold, with
//! where they came from and how good they were. Readable text; a file for other measures than ours is refused.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::features::{self, Measures};
use super::forest::Forest;
use super::learn::calibrate;

/// The shape of the file; grows when the shape changes.
pub const FORMAT: u32 = 1;

const SHIPPED: &str = include_str!("model.json");

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// It is no model.
    #[error("the model file cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// It is a model of another version of this program.
    #[error(
        "the model was trained for other measures than this program takes; train it again with this program"
    )]
    OtherMeasures,
}

/// Where the numbers of a model came from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Origin {
    /// Command that made it.
    pub command: String,
    /// Program that made it.
    pub program: String,
    /// Sets of cases, in order, as they were called on the command line.
    pub cases: Vec<String>,
    /// Accounts in them.
    pub accounts: u64,
    /// Provider Accounts in them.
    pub provider_accounts: u64,
}

/// How good a model was on cases it did not learn from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Metrics {
    /// Provider Accounts kept apart to calibrate and measure.
    pub held_out: u64,
    /// Right ones of those mapped at the threshold.
    pub precision: f64,
    /// Rightly mapped ones of those that have a counterpart.
    pub coverage: f64,
    /// The right customer was among the first three.
    pub recall_at_3: f64,
}

/// The learned part of the engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// [`FORMAT`].
    pub format: u32,
    /// What people call it; decisions carry it.
    pub version: String,
    /// Where it came from.
    pub origin: Origin,
    /// How good it was.
    pub metrics: Metrics,
    /// Confidence from which a decision is automatic.
    pub threshold: f32,
    /// Confidence beyond which a caution gives way.
    pub caution: f32,
    /// Score of a decision, and how often such decisions were right.
    pub calibration: Vec<(f32, f32)>,
    /// What is measured of a pair, in order.
    pub measures: Vec<String>,
    /// From the measures of a pair.
    pub pair: Forest,
    /// From [`decision_measures`].
    pub decision: Forest,
}

/// What the second forest sees beside the measures of the best pair.
pub const EXTRA: &[(&str, i8)] = &[
    ("log-odds of the best pair", 1),
    ("log-odds of the best pair with another customer", -1),
    ("how far the best is ahead of it", 1),
    ("log-odds of the best duplicate", -1),
    ("how much alike the other customer's name is", -1),
    ("the other customer has a shared domain", -1),
    ("the other customer's name explains more", -1),
];

/// Length of a row of [`decision_measures`].
pub const DECISION_COUNT: usize = features::COUNT + EXTRA.len();

/// Directions of [`decision_measures`].
#[must_use]
pub fn decision_directions() -> Vec<i8> {
    let own = EXTRA.iter().map(|extra| extra.1);
    own.chain(features::ALL.iter().map(|feature| feature.2))
        .collect()
}

/// The best pair, the best pair with another customer, and the best duplicate, side by side.
#[must_use]
pub fn decision_measures(
    best: (f32, &Measures),
    rival: Option<(f32, &Measures)>,
    duplicate: Option<f32>,
) -> [f32; DECISION_COUNT] {
    use features::Feature as F;
    let mut row = [0.0; DECISION_COUNT];
    let second = rival.map_or(-12.0, |rival| rival.0.max(-12.0));
    let of_rival = |feature: F| rival.map_or(0.0, |rival| rival.1.get(feature));
    let extra = [
        best.0,
        second,
        best.0 - second,
        duplicate.unwrap_or(-12.0).max(-12.0),
        of_rival(F::NameSorted),
        of_rival(F::DomainMatches),
        of_rival(F::WordsShared) - best.1.get(F::WordsShared),
    ];
    for (slot, value) in row.iter_mut().zip(extra.iter().chain(&best.1.0)) {
        *slot = *value;
    }
    row
}

impl Model {
    /// Reads a model file.
    ///
    /// # Errors
    /// When it is no model, or one for other measures.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        let model: Self = serde_json::from_str(text)?;
        let ours = features::ALL.iter().map(|feature| feature.1);
        if model.format == FORMAT && model.measures.iter().map(String::as_str).eq(ours) {
            Ok(model)
        } else {
            Err(ModelError::OtherMeasures)
        }
    }

    /// The model that this program was built with.
    ///
    /// # Errors
    /// Never, as a test makes sure.
    pub fn shipped() -> Result<Arc<Self>, ModelError> {
        static MODEL: OnceLock<Arc<Model>> = OnceLock::new();
        if let Some(model) = MODEL.get() {
            return Ok(Arc::clone(model));
        }
        let model = Arc::new(Self::parse(SHIPPED)?);
        Ok(Arc::clone(MODEL.get_or_init(|| model)))
    }

    /// The file's text: one tree a line.
    ///
    /// # Errors
    /// Never: a model has nothing that JSON cannot hold.
    pub fn to_text(&self) -> Result<String, ModelError> {
        Ok(serde_json::to_string(self)?
            .replace("]],[[", "]],\n[[")
            .replace(",\"", ",\n\"")
            + "\n")
    }

    /// A score of the second forest as a confidence.
    #[must_use]
    pub fn confidence(&self, score: f32) -> f32 {
        calibrate::apply(&self.calibration, score)
    }

    /// A model that has learned nothing, to start from.
    #[must_use]
    pub fn blank() -> Self {
        Self {
            format: FORMAT,
            version: "blank".to_owned(),
            origin: Origin::default(),
            metrics: Metrics::default(),
            threshold: 1.0,
            caution: 1.0,
            calibration: Vec::new(),
            measures: features::ALL
                .iter()
                .map(|feature| feature.1.to_owned())
                .collect(),
            pair: Forest::default(),
            decision: Forest::default(),
        }
    }
}
