//! What `match` writes: a JSON object a line, or a table for people, and a summary at the end. Cells of a table that a
//! spreadsheet would take for a formula get an apostrophe before them.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use super::reading::Broken;
use crate::matching::decide::{Decision, Verdict};

/// What was done, in numbers.
#[derive(Debug, Default, Serialize)]
pub struct Summary {
    /// Accounts in the index.
    pub accounts: u64,
    /// Contacts read.
    pub contacts: u64,
    /// Provider Accounts decided.
    pub provider_accounts: u64,
    /// Mapped by itself.
    pub auto: u64,
    /// For a person to choose.
    pub suggest: u64,
    /// Without a likely Account.
    pub none: u64,
    /// Version of the model.
    pub model: String,
    /// Confidence from which a decision is automatic.
    pub threshold: f32,
    /// From start to end.
    pub seconds: f64,
    /// Lines that could not be read.
    pub broken_lines: Vec<Broken>,
}

impl Summary {
    /// Counts a decision.
    pub const fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Auto => self.auto += 1,
            Verdict::Suggest => self.suggest += 1,
            Verdict::None => self.none += 1,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} accounts, {} contacts, {} provider accounts in {:.1} s",
            self.accounts, self.contacts, self.provider_accounts, self.seconds
        )?;
        write!(
            f,
            "auto {}, suggest {}, none {} (model {}, threshold {:.4})",
            self.auto, self.suggest, self.none, self.model, self.threshold
        )?;
        if !self.broken_lines.is_empty() {
            write!(f, "; {} lines left out", self.broken_lines.len())?;
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Line<'d> {
    provider_id: &'d str,
    decision: &'static str,
    account_id: Option<&'d str>,
    confidence: f64,
    candidates: Vec<CandidateLine<'d>>,
    duplicates: &'d [String],
    vetoes: &'d [&'static str],
}

#[derive(Serialize)]
struct CandidateLine<'d> {
    account_id: &'d str,
    confidence: f64,
    reasons: Vec<ReasonLine<'d>>,
}

#[derive(Serialize)]
struct ReasonLine<'d> {
    weight: f64,
    text: &'d str,
}

fn digits(value: f32, scale: f64) -> f64 {
    (f64::from(value) * scale).round() / scale
}

/// How a file of decisions is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A JSON object a line.
    Lines,
    /// A table for people.
    Table,
}

impl Form {
    /// A table when the name of the file ends in `.csv`.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let ending = path.extension();
        match ending.is_some_and(|ending| ending.eq_ignore_ascii_case("csv")) {
            true => Self::Table,
            false => Self::Lines,
        }
    }

    /// What comes first.
    #[must_use]
    pub const fn head(self) -> &'static str {
        match self {
            Self::Lines => "",
            Self::Table => "provider_id,decision,account_id,confidence,reasons\n",
        }
    }

    /// One decision.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn line(self, provider_id: &str, decision: &Decision) -> serde_json::Result<Vec<u8>> {
        let best = decision.candidates.first();
        let account = best.map(|best| best.account_key.as_str());
        if self == Self::Table {
            let reasons: Vec<&str> = best.map_or_else(Vec::new, |best| {
                best.reasons
                    .iter()
                    .map(|reason| reason.text.as_str())
                    .collect()
            });
            let confidence = format!("{:.4}", decision.confidence);
            let cells = [
                provider_id,
                decision.verdict.word(),
                account.unwrap_or_default(),
                &confidence,
                &reasons.join("; "),
            ];
            return Ok((cells.map(cell).join(",") + "\n").into_bytes());
        }
        let line = Line {
            provider_id,
            decision: decision.verdict.word(),
            account_id: account.filter(|_| decision.verdict == Verdict::Auto),
            confidence: digits(decision.confidence, 1e6),
            candidates: decision
                .candidates
                .iter()
                .map(|candidate| CandidateLine {
                    account_id: &candidate.account_key,
                    confidence: digits(candidate.confidence, 1e6),
                    reasons: candidate
                        .reasons
                        .iter()
                        .map(|reason| ReasonLine {
                            weight: digits(reason.weight, 100.0),
                            text: &reason.text,
                        })
                        .collect(),
                })
                .collect(),
            duplicates: &decision.duplicates,
            vetoes: &decision.vetoes,
        };
        let mut line = serde_json::to_vec(&line)?;
        line.push(b'\n');
        Ok(line)
    }
}

/// A cell that no spreadsheet takes for a formula, quoted.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = text.replace('"', "\"\"");
    if formula {
        format!("\"'{text}\"")
    } else {
        format!("\"{text}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn a_cell_that_looks_like_a_formula_is_made_text() {
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
        assert_eq!(cell("@SUM(A1)"), "\"'@SUM(A1)\"");
        assert_eq!(cell("a \"b\""), "\"a \"\"b\"\"\"");
    }
}
