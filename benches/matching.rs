//! How good and how fast the matching engine is, beside its rivals on the same cases in the same run, with one command:
//!
//! ```text
//! cargo bench --bench matching -- [CASES …] [--record FILE]
//! ```
//!
//! Without folders it makes two sets of cases of its own (100,000 accounts with 20,000 provider accounts, and a million
//! with 100,000) with a seed that no model was trained on. A folder holds `crm_accounts`, `crm_contacts`,
//! `provider_accounts` and `truth` (.jsonl). The table is the record beside this file, `matching.md`.
//!
//! The rivals are the rule of domains alone (our own, which is the careful form of the original product's), and rapidfuzz
//! and Splink through `matching_rivals.py`, with the Python that `RIVAL_PYTHON` names (else `python3`). A rival that is not
//! installed, or whose time would grow beyond sense, has a row that says so.

#![expect(clippy::print_stdout, reason = "a measurement prints its figures")]

#[path = "matching/cases.rs"]
mod cases;
#[path = "matching/classic.rs"]
mod classic;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use indicatif::ProgressBar;
use mimalloc::MiMalloc;
use provider_bridge::app::commands::matching::{Files, Loaded, load, model, threads};
use provider_bridge::matching::decide::Verdict;
use provider_bridge::matching::facts::{Account, AccountFacts};
use provider_bridge::matching::retrieve::Scratch;
use provider_bridge::matching::text::host;
use provider_bridge::simulator::{CasesSpec, write_cases};

use cases::{Answer, Quality, Truth, peak_megabytes, restart_peak};

/// As in the program itself.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// No model was trained on it.
const SEED: u64 = 90_001;
/// Decisions made one by one for the latency, and changes of the index.
const SINGLE: usize = 20_000;
/// Beyond so many accounts a rival would take hours.
const RIVALS_UP_TO: usize = 200_000;

const HEAD: &str = "| cases | accounts | provider accounts | method | precision | coverage | recall@3 | wrong | load s | decide s | total s | peak MB | decision p50 us | p99 us | change us |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n";

fn main() -> anyhow::Result<()> {
    let mut folders: Vec<PathBuf> = Vec::new();
    let mut record = None;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--record" => record = args.next(),
            flag if flag.starts_with("--") => {}
            folder => folders.push(PathBuf::from(folder)),
        }
    }
    let made = tempfile::tempdir()?;
    if folders.is_empty() {
        for (accounts, providers) in [(100_000, 20_000), (1_000_000, 100_000)] {
            let folder = made.path().join(format!("own-{accounts}"));
            let spec = CasesSpec {
                seed: SEED,
                accounts,
                providers,
            };
            write_cases(&spec, &folder)?;
            folders.push(folder);
        }
    }
    let mut table = HEAD.to_owned();
    print!("{HEAD}");
    for folder in &folders {
        for row in rows(folder)? {
            println!("{row}");
            writeln!(table, "{row}")?;
        }
    }
    if let Some(file) = record {
        std::fs::write(&file, heading(&folders) + &table)
            .with_context(|| format!("cannot write {file}"))?;
    }
    Ok(())
}

/// When, from what and on what it was measured.
fn heading(folders: &[PathBuf]) -> String {
    let said = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output();
        let text = output.map_or_else(|_| Vec::new(), |output| output.stdout);
        String::from_utf8_lossy(&text).trim().to_owned()
    };
    let names: Vec<_> = folders.iter().map(|folder| name(folder)).collect();
    format!(
        "# The record of `cargo bench --bench matching`\n\n{}, at {}, {} processors, cases {}.\n\n",
        said("date", &["-u", "+%Y-%m-%d"]),
        said("git", &["rev-parse", "--short", "HEAD"]),
        threads(),
        names.join(", "),
    )
}

fn name(folder: &Path) -> String {
    folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn rows(folder: &Path) -> anyhow::Result<Vec<String>> {
    let truth = Truth::read(folder)?;
    let (ours, accounts, providers, total) = engine(folder, &truth)?;
    let cells = format!("| {} | {accounts} | {providers} |", name(folder));
    let mut rows = vec![format!("{cells} engine {ours}")];
    restart_peak();
    let (quality, took, change) = classic::measure(folder, &truth)?;
    rows.push(format!(
        "{cells} domains alone | {quality} | - | - | {:.2} | {} | - | - | {:.1} |",
        took.as_secs_f64(),
        peak_megabytes(),
        change.as_secs_f64() * 1e6,
    ));
    for rival in ["rapidfuzz", "splink"] {
        let row = if accounts > RIVALS_UP_TO {
            format!(
                "not measured: beyond {RIVALS_UP_TO} accounts it takes too long | | | | | | | | | |"
            )
        } else {
            beside(rival, folder, &truth, total)
        };
        rows.push(format!("{cells} {rival} | {row}"));
    }
    Ok(rows)
}

/// Our engine: its cells, how many accounts and provider accounts there were, and how long it took.
fn engine(folder: &Path, truth: &Truth) -> anyhow::Result<(String, usize, usize, Duration)> {
    let file = |name: &str| folder.join(name);
    let (accounts, contacts, providers) = (
        file("crm_accounts.jsonl"),
        file("crm_contacts.jsonl"),
        file("provider_accounts.jsonl"),
    );
    restart_peak();
    let start = Instant::now();
    let files = Files {
        accounts: &accounts,
        contacts: &contacts,
        providers: &providers,
    };
    let mut loaded = load(model(None)?, files, threads(), &ProgressBar::hidden())?;
    let load_time = start.elapsed();
    let (engine, customers) = (&loaded.engine, &loaded.customers);
    let mut decisions = Vec::with_capacity(customers.len());
    engine.decide_each(
        customers,
        threads(),
        |_, made| made,
        |made| decisions.push(made),
    );
    let total = start.elapsed();
    let peak = peak_megabytes();
    let answers = customers.iter().zip(&decisions);
    let quality = Quality::of(
        truth,
        answers.map(|(customer, decision)| Answer {
            provider: customer.id(),
            auto: decision.verdict == Verdict::Auto,
            accounts: decision
                .candidates
                .iter()
                .map(|candidate| candidate.account_key.as_str())
                .collect(),
        }),
    );
    let (p50, p99) = latency(&loaded);
    let sizes = (loaded.engine.index.len(), decisions.len());
    let cells = format!(
        "| {quality} | {:.2} | {:.2} | {:.2} | {peak} | {} | {} | {:.1} |",
        load_time.as_secs_f64(),
        (total - load_time).as_secs_f64(),
        total.as_secs_f64(),
        p50.as_micros(),
        p99.as_micros(),
        change(&mut loaded).as_secs_f64() * 1e6,
    );
    Ok((cells, sizes.0, sizes.1, total))
}

/// Single decisions on one thread, warm.
fn latency(loaded: &Loaded) -> (Duration, Duration) {
    let mut scratch = Scratch::default();
    let customers = loaded.customers.iter().take(SINGLE);
    let mut times: Vec<Duration> = customers
        .map(|customer| {
            let start = Instant::now();
            std::hint::black_box(loaded.engine.decide(customer, &mut scratch));
            start.elapsed()
        })
        .collect();
    times.sort();
    let at = |part: usize| {
        let time = times.get(times.len() * part / 100);
        time.copied().unwrap_or_default()
    };
    (at(50), at(99))
}

/// What one account costs that comes into the index with a contact and goes again, on average.
fn change(loaded: &mut Loaded) -> Duration {
    let mut made = (0..SINGLE).map(|number| {
        let domain = format!("change{number}.example.com");
        let account = Account::read(&AccountFacts {
            key: format!("change {number}"),
            name: format!("Change {number} International Trading Ltd"),
            website: Some(format!("https://www.{domain}")),
            country: Some("DE".to_owned()),
            city: Some("Berlin".to_owned()),
            ..AccountFacts::default()
        });
        (account, format!("change {number}"), host::read(&domain))
    });
    let changes: Vec<_> = made.by_ref().collect();
    let start = Instant::now();
    for (account, key, host) in &changes {
        loaded.engine.index.put(account);
        if let Some(host) = host {
            loaded.engine.index.add_contact(key, host);
        }
        loaded.engine.index.remove(key);
    }
    start.elapsed() / u32::try_from(SINGLE).unwrap_or(1)
}

/// The cells of a rival that runs by itself, or why there are none.
fn beside(rival: &str, folder: &Path, truth: &Truth, ours: Duration) -> String {
    match run(rival, folder) {
        Ok(answer) => {
            let quality = Quality::of(truth, answer.decisions.iter().map(cases::Theirs::answer));
            let ratio = answer.seconds / ours.as_secs_f64();
            format!(
                "{quality} | - | - | {:.2} ({ratio:.1} times ours) | {} | - | - | - |",
                answer.seconds, answer.megabytes
            )
        }
        Err(problem) => format!("not measured: {problem:#} | | | | | | | | | |"),
    }
}

fn run(rival: &str, folder: &Path) -> anyhow::Result<cases::Rival> {
    let python = std::env::var("RIVAL_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/matching_rivals.py");
    let output = Command::new(&python)
        .arg(script)
        .arg(rival)
        .arg(folder)
        .output()
        .with_context(|| format!("{python} does not start"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.trim().lines().next_back().unwrap_or("no reason given");
        anyhow::bail!("{python} says: {}", last.replace('|', "/"));
    }
    serde_json::from_slice(&output.stdout).context("its answer cannot be read")
}
