//! `match`: the matching engine on files, so that anyone can try it on an export before connecting anything. Nothing is
//! sent anywhere and nothing is changed.

mod reading;
mod records;
mod writing;

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};

use crate::app::cli::MatchArgs;
use crate::app::output::{note, result};
use crate::matching::decide::{Decision, Engine};
use crate::matching::facts::{Account, AccountFacts, Customer, ProviderFacts};
use crate::matching::index::Index;
use crate::matching::model::Model;
use crate::matching::text::host::{self, Host};
use reading::{Broken, read};
use records::ContactFacts;
use writing::Form;
pub use writing::Summary;

/// What an Account takes in a file, about.
const ACCOUNT_BYTES: u64 = 256;
/// Room for more Accounts is made when they come.
const MOST_ROOM: u64 = 1 << 21;
/// Broken lines that are shown; all are counted.
const SHOWN: usize = 20;

/// An engine filled from files, and the Provider Accounts to decide.
#[derive(Debug)]
pub struct Loaded {
    /// The engine.
    pub engine: Engine,
    /// The Provider Accounts, in the order of their file.
    pub customers: Vec<Customer>,
    /// Contacts read.
    pub contacts: u64,
    /// Lines that could not be read.
    pub broken: Vec<Broken>,
}

/// The three files of a set of cases or an export.
#[derive(Debug, Clone, Copy)]
pub struct Files<'p> {
    /// Accounts.
    pub accounts: &'p Path,
    /// Contacts.
    pub contacts: &'p Path,
    /// Provider Accounts.
    pub providers: &'p Path,
}

/// Reads the files into an engine.
///
/// # Errors
/// When a file cannot be read at all.
pub fn load(
    model: Arc<Model>,
    files: Files<'_>,
    threads: usize,
    progress: &ProgressBar,
) -> anyhow::Result<Loaded> {
    let mut engine = Engine::new(model);
    let bytes = std::fs::metadata(files.accounts).map_or(0, |metadata| metadata.len());
    let accounts = (bytes / ACCOUNT_BYTES).min(MOST_ROOM);
    engine.index = Index::with_room(usize::try_from(accounts)?);
    let mut broken = Vec::new();
    progress.set_message("accounts");
    let mut names: HashMap<String, Option<String>> = HashMap::new();
    let by_name = files
        .contacts
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    read(
        files.accounts,
        threads,
        progress,
        &mut broken,
        || {
            |facts: AccountFacts| {
                let account = Account::read(&facts);
                (account, by_name.then_some((facts.name, facts.key)))
            }
        },
        |(account, named)| {
            if let Some((name, key)) = named {
                // An exported contact names its account; two accounts of one name leave it open whose it is.
                names
                    .entry(name)
                    .and_modify(|known| *known = None)
                    .or_insert(Some(key));
            }
            engine.index.put(&account);
        },
    )?;
    let contacts = take_contacts(
        &mut engine,
        &names,
        files.contacts,
        threads,
        progress,
        &mut broken,
    )?;
    progress.set_message("provider accounts");
    let mut customers = Vec::new();
    read(
        files.providers,
        threads,
        progress,
        &mut broken,
        || |facts: ProviderFacts| Customer::read(&facts),
        |customer| customers.push(customer),
    )?;
    for customer in &customers {
        engine.population.add(customer);
    }
    Ok(Loaded {
        engine,
        customers,
        contacts,
        broken,
    })
}

/// Reads the contacts into the engine and tells how many there were. `names` are the keys of Accounts by name, where a
/// contact names its Account.
fn take_contacts(
    engine: &mut Engine,
    names: &HashMap<String, Option<String>>,
    path: &Path,
    threads: usize,
    progress: &ProgressBar,
    broken: &mut Vec<Broken>,
) -> anyhow::Result<u64> {
    progress.set_message("contacts");
    let (mut contacts, mut strangers) = (0, 0_u64);
    // Contacts of one account mostly follow one another: it is looked up once for all of them.
    let (mut account, mut count, mut hosts) = (String::new(), 0, Vec::new());
    let mut settle = |account: &str, count: u64, hosts: &[Host]| {
        let key = names.get(account).and_then(Option::as_ref);
        let key = key.map_or(account, String::as_str);
        if !engine.index.add_contacts(key, hosts) {
            strangers += count;
        }
    };
    // And mostly they have the same domain: it is read once for all of them.
    let prepare = || {
        let (mut known, mut host) = (String::new(), None);
        move |facts: ContactFacts| {
            let email = facts.email.unwrap_or_default();
            let parts = email.rsplit_once('@');
            let parts = parts.filter(|(local, _)| !local.trim().is_empty());
            let domain = parts.map_or("", |(_, domain)| domain);
            if domain.is_empty() || domain != known {
                domain.clone_into(&mut known);
                host = host::of_email(&email);
            }
            (host.clone(), facts.account_id)
        }
    };
    read(path, threads, progress, broken, prepare, |(host, of)| {
        contacts += 1;
        if of != account {
            settle(&account, count, &hosts);
            (account, count) = (of, 0);
            hosts.clear();
        }
        count += 1;
        hosts.extend(host);
    })?;
    settle(&account, count, &hosts);
    if strangers > 0 {
        note(format!(
            "{strangers} contacts belong to no account of the file and were left out"
        ));
    }
    Ok(contacts)
}

/// A progress bar on standard error; nothing where nobody watches.
#[must_use]
pub fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{msg:18} {bar:40} {percent:>3} %  {elapsed}") {
        bar.set_style(style);
    }
    bar
}

/// So many threads as the machine has processors.
#[must_use]
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

/// The model in a file, or the one this program was built with.
///
/// # Errors
/// When the file cannot be read, or holds a model of another version.
pub fn model(path: Option<&Path>) -> anyhow::Result<Arc<Model>> {
    let Some(path) = path else {
        return Ok(Model::shipped()?);
    };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the model {}", path.display()))?;
    Ok(Arc::new(Model::parse(&text)?))
}

/// Decides for all of them, and writes the decisions to a file.
fn decide(
    engine: &Engine,
    customers: &[Customer],
    path: &Path,
    progress: &ProgressBar,
    summary: &mut Summary,
) -> anyhow::Result<()> {
    let writing = || format!("cannot write {}", path.display());
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).with_context(writing)?);
    let form = Form::of(path);
    out.write_all(form.head().as_bytes())?;
    progress.set_message("decisions");
    progress.set_length(customers.len() as u64);
    progress.set_position(0);
    let mut written = Ok(());
    let make = |customer: &Customer, decision: Decision| {
        let line = form.line(customer.id(), &decision);
        (decision.verdict, line)
    };
    engine.decide_each(customers, threads(), make, |(verdict, line)| {
        progress.inc(1);
        summary.count(verdict);
        if written.is_ok() {
            written = line
                .map_err(anyhow::Error::from)
                .and_then(|line| Ok(out.write_all(&line)?));
        }
    });
    written
        .and_then(|()| Ok(out.flush()?))
        .with_context(writing)
}

/// Matches files.
///
/// # Errors
/// When a file cannot be read or written at all; broken lines are reported and left out.
pub fn run(args: &MatchArgs) -> anyhow::Result<()> {
    let start = Instant::now();
    let bar = progress_bar();
    let files = Files {
        accounts: &args.accounts,
        contacts: &args.contacts,
        providers: &args.providers,
    };
    let Loaded {
        mut engine,
        customers,
        contacts,
        broken,
    } = load(model(args.model.as_deref())?, files, threads(), &bar)?;
    if let Some(threshold) = args.threshold {
        engine.threshold = threshold;
    }
    let mut summary = Summary {
        accounts: engine.index.len() as u64,
        contacts,
        provider_accounts: customers.len() as u64,
        model: engine.model.version.clone(),
        threshold: engine.threshold,
        ..Summary::default()
    };
    decide(&engine, &customers, &args.out, &bar, &mut summary)?;
    bar.finish_and_clear();
    // The program ends here: to take the index apart would only keep its user waiting.
    std::mem::forget((engine, customers));
    summary.seconds = start.elapsed().as_secs_f64();
    for line in broken.iter().take(SHOWN) {
        note(format!(
            "{}:{}: left out: {}",
            line.file, line.line, line.problem
        ));
    }
    if broken.len() > SHOWN {
        note(format!(
            "… and {} more lines were left out",
            broken.len() - SHOWN
        ));
    }
    summary.broken_lines = broken;
    if args.json {
        result(serde_json::to_string(&summary)?);
    } else {
        result(&summary);
    }
    Ok(())
}
