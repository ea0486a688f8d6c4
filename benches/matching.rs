//! How good and how fast the matching engine is, with one command:
//!
//! ```text
//! cargo bench --bench matching -- [CASES …]
//! ```
//!
//! Without folders it makes two sets of cases of its own (100,000 accounts with 20,000 provider accounts, and a million
//! with 100,000) with a seed that no model was trained on. A folder holds `crm_accounts`, `crm_contacts`,
//! `provider_accounts` and `truth` (.jsonl). One row a set is printed, ready for the record beside this file.

#![expect(clippy::print_stdout, reason = "a measurement prints its figures")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use provider_bridge::app::commands::matching::{Files, load, model, threads};
use provider_bridge::matching::decide::{Decision, Verdict};
use provider_bridge::matching::retrieve::Scratch;
use provider_bridge::simulator::{CasesSpec, write_cases};

/// No model was trained on it.
const SEED: u64 = 90_001;
/// Decisions made one by one for the latency.
const SINGLE: usize = 20_000;

fn main() -> anyhow::Result<()> {
    let folders: Vec<PathBuf> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .map(PathBuf::from)
        .collect();
    println!(
        "| cases | accounts | provider accounts | precision | coverage | recall@3 | wrong | load s | decide s | total s | peak MB | p50 us | p99 us |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    if !folders.is_empty() {
        return folders.iter().try_for_each(|folder| row(folder));
    }
    let made = tempfile::tempdir()?;
    for (accounts, providers) in [(100_000, 20_000), (1_000_000, 100_000)] {
        let folder = made.path().join(format!("own-{accounts}"));
        write_cases(
            &CasesSpec {
                seed: SEED,
                accounts,
                providers,
            },
            &folder,
        )?;
        row(&folder)?;
    }
    Ok(())
}

fn truth(folder: &Path) -> anyhow::Result<HashMap<String, Vec<String>>> {
    let text = std::fs::read_to_string(folder.join("truth.jsonl"))?;
    let mut truth = HashMap::new();
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line)?;
        let keys = line.get("acceptable").and_then(serde_json::Value::as_array);
        let keys = keys.into_iter().flatten();
        let keys = keys
            .filter_map(|key| key.as_str().map(str::to_owned))
            .collect();
        truth.insert(
            line.get("provider_id")
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            keys,
        );
    }
    Ok(truth)
}

fn row(folder: &Path) -> anyhow::Result<()> {
    let file = |name: &str| folder.join(name);
    let (accounts, contacts, providers) = (
        file("crm_accounts.jsonl"),
        file("crm_contacts.jsonl"),
        file("provider_accounts.jsonl"),
    );
    let start = Instant::now();
    let files = Files {
        accounts: &accounts,
        contacts: &contacts,
        providers: &providers,
    };
    let loaded = load(model(None)?, files, threads(), &ProgressBar::hidden())?;
    let load_time = start.elapsed();
    let decisions = loaded
        .engine
        .decide_all(&loaded.customers, threads(), &|_| {});
    let total = start.elapsed();
    let truth = truth(folder)?;
    let (mut auto, mut right, mut positives, mut found) = (0_u32, 0_u32, 0_u32, 0_u32);
    for (customer, decision) in loaded.customers.iter().zip(&decisions) {
        let Some(keys) = truth.get(customer.id()) else {
            continue;
        };
        let is_right = |at: usize| {
            decision
                .candidates
                .get(at)
                .is_some_and(|candidate| keys.contains(&candidate.account_key))
        };
        positives += u32::from(!keys.is_empty());
        found += u32::from((0..3).any(is_right));
        auto += u32::from(decision.verdict == Verdict::Auto);
        right += u32::from(decision.verdict == Verdict::Auto && is_right(0));
    }
    let (p50, p99) = latency(&loaded);
    println!(
        "| {} | {} | {} | {:.5} | {:.4} | {:.4} | {} | {:.2} | {:.2} | {:.2} | {} | {} | {} |",
        folder.file_name().unwrap_or_default().to_string_lossy(),
        loaded.engine.index.len(),
        decisions.len(),
        f64::from(right) / f64::from(auto.max(1)),
        f64::from(right) / f64::from(positives.max(1)),
        f64::from(found) / f64::from(positives.max(1)),
        auto - right,
        load_time.as_secs_f64(),
        (total - load_time).as_secs_f64(),
        total.as_secs_f64(),
        peak_megabytes(),
        p50.as_micros(),
        p99.as_micros(),
    );
    Ok(())
}

/// Single decisions on one thread, warm.
fn latency(loaded: &provider_bridge::app::commands::matching::Loaded) -> (Duration, Duration) {
    let mut scratch = Scratch::default();
    let mut times: Vec<Duration> = loaded
        .customers
        .iter()
        .take(SINGLE)
        .map(|customer| {
            let start = Instant::now();
            let decision: Decision = loaded.engine.decide(customer, &mut scratch);
            std::hint::black_box(decision);
            start.elapsed()
        })
        .collect();
    times.sort();
    let at = |part: usize| {
        times
            .get(times.len() * part / 100)
            .copied()
            .unwrap_or_default()
    };
    (at(50), at(99))
}

fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or(0)
        / 1024
}
