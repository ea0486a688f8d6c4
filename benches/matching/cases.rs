//! Cases with known answers, and how good somebody's answers are.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use serde::Deserialize;

/// For each Provider Account the keys of the Accounts that are right; none where it has no counterpart.
pub struct Truth(HashMap<String, Vec<String>>);

#[derive(Deserialize)]
struct Line {
    provider_id: String,
    acceptable: Vec<String>,
}

impl Truth {
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(folder.join("truth.jsonl"))?;
        let lines = text.lines().map(serde_json::from_str::<Line>);
        let truth: Result<_, _> = lines
            .map(|line| line.map(|line| (line.provider_id, line.acceptable)))
            .collect();
        Ok(Self(truth?))
    }
}

/// What somebody says of one Provider Account.
pub struct Answer<'a> {
    pub provider: &'a str,
    pub auto: bool,
    /// The most likely first.
    pub accounts: Vec<&'a str>,
}

/// A rival's own words.
#[derive(Deserialize)]
pub struct Rival {
    pub seconds: f64,
    pub megabytes: u64,
    pub decisions: Vec<Theirs>,
}

/// A rival's decision.
#[derive(Deserialize)]
pub struct Theirs {
    provider_id: String,
    auto: bool,
    accounts: Vec<String>,
}

impl Theirs {
    pub fn answer(&self) -> Answer<'_> {
        Answer {
            provider: &self.provider_id,
            auto: self.auto,
            accounts: self.accounts.iter().map(String::as_str).collect(),
        }
    }
}

/// How good answers are, shown as cells of a table.
#[derive(Default)]
pub struct Quality {
    positives: u32,
    found: u32,
    auto: u32,
    right: u32,
}

impl Quality {
    pub fn of<'a>(truth: &Truth, answers: impl Iterator<Item = Answer<'a>>) -> Self {
        let mut quality = Self::default();
        for keys in truth.0.values() {
            quality.positives += u32::from(!keys.is_empty());
        }
        for answer in answers {
            let Some(keys) = truth.0.get(answer.provider) else {
                continue;
            };
            let mut first = answer.accounts.iter().take(3);
            let is_right = |key: &&str| keys.iter().any(|right| right == key);
            let best = answer.accounts.first().is_some_and(is_right);
            quality.found += u32::from(first.any(is_right));
            quality.auto += u32::from(answer.auto);
            quality.right += u32::from(answer.auto && best);
        }
        quality
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |part: u32, whole: u32| f64::from(part) / f64::from(whole.max(1));
        write!(
            f,
            "{:.5} | {:.4} | {:.4} | {}",
            of(self.right, self.auto),
            of(self.right, self.positives),
            of(self.found, self.positives),
            self.auto - self.right,
        )
    }
}

/// Lets the peak of memory begin anew, where the system can.
pub fn restart_peak() {
    // Elsewhere the peak is that of everything so far, which is more and not less.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The most memory since then.
pub fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or(0)
        / 1024
}
