//! `train`: learns a model from cases with known answers, made by `simulator cases` or exported from a deployment's own
//! confirmed mappings, and writes it as a small readable file with its origin and how good it was.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use serde::Deserialize;

use super::matching::{Files, load, progress_bar, threads};
use crate::app::cli::TrainArgs;
use crate::app::output::result;
use crate::matching::learn::train::{Lesson, train};
use crate::matching::model::{Model, Origin};

#[derive(Deserialize)]
struct Truth {
    provider_id: String,
    #[serde(default)]
    acceptable: Vec<String>,
}

fn lesson(folder: &Path) -> anyhow::Result<Lesson> {
    let bar = progress_bar();
    let file = |name: &str| folder.join(name);
    let (accounts, contacts, providers) = (
        file("crm_accounts.jsonl"),
        file("crm_contacts.jsonl"),
        file("provider_accounts.jsonl"),
    );
    let files = Files {
        accounts: &accounts,
        contacts: &contacts,
        providers: &providers,
    };
    // The model plays no part in reading. The shipped one may be of other measures: then this is how the next one is made.
    let loaded = load(Arc::new(Model::blank()), files, threads(), &bar)?;
    let path = file("truth.jsonl");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let mut answers = HashMap::new();
    for (at, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let truth: Truth =
            serde_json::from_str(line).with_context(|| format!("{}:{}", path.display(), at + 1))?;
        answers.insert(truth.provider_id, truth.acceptable);
    }
    let population = loaded.engine.population;
    let customers = loaded
        .customers
        .into_iter()
        .filter_map(|customer| answers.remove(customer.id()).map(|keys| (customer, keys)))
        .collect();
    Ok(Lesson {
        index: loaded.engine.index,
        population,
        customers,
    })
}

/// Learns a model and writes it.
///
/// # Errors
/// When the cases cannot be read or the file cannot be written.
pub fn run(args: &TrainArgs) -> anyhow::Result<()> {
    let lessons = args
        .cases
        .iter()
        .map(|folder| lesson(folder))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let bar = progress_bar();
    let mut learned = train(&lessons, &mut |what, done, all| {
        bar.set_message(what.to_owned());
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    learned.version.clone_from(&args.version_name);
    let cases: Vec<String> = args
        .cases
        .iter()
        .map(|folder| {
            folder
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
        })
        .collect();
    learned.origin = Origin {
        command: format!(
            "provider-bridge train --cases {} --version-name {}",
            cases.join(" --cases "),
            args.version_name
        ),
        program: format!("provider-bridge {}", env!("CARGO_PKG_VERSION")),
        cases,
        accounts: lessons.iter().map(|lesson| lesson.index.len() as u64).sum(),
        provider_accounts: lessons
            .iter()
            .map(|lesson| lesson.customers.len() as u64)
            .sum(),
    };
    std::fs::write(&args.out, learned.to_text()?)
        .with_context(|| format!("cannot write {}", args.out.display()))?;
    if args.json {
        let summary = serde_json::json!({"model": learned.version, "threshold": learned.threshold, "origin": learned.origin, "metrics": learned.metrics, "out": args.out});
        result(summary);
    } else {
        let metrics = &learned.metrics;
        result(format!(
            "{}: on {} provider accounts kept apart: precision {:.5}, coverage {:.4}, right customer among the first three {:.4}, at threshold {:.4}",
            args.out.display(),
            metrics.held_out,
            metrics.precision,
            metrics.coverage,
            metrics.recall_at_3,
            learned.threshold
        ));
    }
    Ok(())
}
