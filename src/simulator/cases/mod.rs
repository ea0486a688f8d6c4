//! Cases for training and measuring the matching engine: a CRM, the customers of a provider, and which is which. Made-up
//! organisations with the errors that real records have, in the four files that `train` and `match` read. The same seed
//! gives the same bytes.
//!
//! The rates of errors are estimates from published work on company data and from the product's own experience, written
//! down where they are used. They shape the confidence that a model learns; a deployment that has confirmed mappings of
//! its own can train on those instead.

mod crm;
mod mail;
mod organisation;
mod provider;
mod spelling;
mod vocabulary;

use std::io::{self, Write};
use std::path::Path;

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use organisation::{Maker, Organisation};

/// What to make.
#[derive(Debug, Clone, Copy)]
pub struct CasesSpec {
    /// The same seed gives the same cases.
    pub seed: u64,
    /// Accounts in the CRM, roughly: duplicates are among them.
    pub accounts: usize,
    /// Provider Accounts.
    pub providers: usize,
}

/// How much was made.
#[derive(Debug, Clone, Copy, Default)]
pub struct CasesMade {
    /// Accounts.
    pub accounts: usize,
    /// Contacts.
    pub contacts: usize,
    /// Provider Accounts.
    pub providers: usize,
}

/// Of a thousand Provider Accounts so many have no Account.
const WITHOUT_COUNTERPART: usize = 280;

/// Writes `crm_accounts.jsonl`, `crm_contacts.jsonl`, `provider_accounts.jsonl` and `truth.jsonl` into a folder.
///
/// # Errors
/// When a file cannot be written.
pub fn write_cases(spec: &CasesSpec, folder: &Path) -> io::Result<CasesMade> {
    std::fs::create_dir_all(folder)?;
    let mut rng = ChaCha8Rng::seed_from_u64(spec.seed);
    let mut maker = Maker::new();
    let (mut known, mut unknown) = people_the_world(&mut rng, &mut maker, spec);
    add_branches_and_twins(&mut rng, &mut maker, &mut known);
    known.shuffle(&mut rng);
    let create = |name: &str| std::fs::File::create(folder.join(name)).map(io::BufWriter::new);
    let (mut accounts, mut contacts) =
        (create("crm_accounts.jsonl")?, create("crm_contacts.jsonl")?);
    let crm = crm::write(&mut rng, &known, spec, &mut accounts, &mut contacts)?;
    let (mut providers, mut truth) = (create("provider_accounts.jsonl")?, create("truth.jsonl")?);
    unknown.shuffle(&mut rng);
    let made = provider::write(
        &mut rng,
        &mut maker,
        &known,
        unknown,
        &crm,
        spec,
        &mut providers,
        &mut truth,
    )?;
    for file in [&mut accounts, &mut contacts, &mut providers, &mut truth] {
        file.flush()?;
    }
    Ok(CasesMade {
        accounts: crm.accounts,
        contacts: crm.contacts,
        providers: made,
    })
}

/// Organisations that the CRM knows, and some that it does not. Families are split at random.
fn people_the_world(
    rng: &mut ChaCha8Rng,
    maker: &mut Maker,
    spec: &CasesSpec,
) -> (Vec<Organisation>, Vec<Organisation>) {
    let wanted = (spec.accounts.saturating_mul(40) / 43).max(3);
    let strangers = spec.providers * WITHOUT_COUNTERPART / 1000 + 10;
    let share = u32::try_from(strangers * 1000 / (strangers + wanted)).unwrap_or(500);
    let (mut known, mut unknown) = (Vec::with_capacity(wanted), Vec::with_capacity(strangers));
    while known.len() < wanted || unknown.len() < strangers {
        for organisation in maker.family(rng) {
            let stranger = known.len() >= wanted || rng.random_range(0..1000) < share;
            if stranger && unknown.len() < strangers {
                unknown.push(organisation);
            } else if known.len() < wanted {
                known.push(organisation);
            }
        }
    }
    (known, unknown)
}

fn add_branches_and_twins(rng: &mut ChaCha8Rng, maker: &mut Maker, known: &mut Vec<Organisation>) {
    let firsts = known.len();
    for _ in 0..firsts / 50 {
        let whole = rng.random_range(0..firsts);
        if let Some(branch) = known
            .get(whole)
            .cloned()
            .map(|whole| maker.branch(rng, &whole))
        {
            known.push(branch);
        }
    }
    for _ in 0..firsts / 120 {
        let whole = rng.random_range(0..firsts);
        if let Some(twin) = known.get(whole).cloned().map(|of| maker.twin(rng, &of)) {
            known.push(twin);
        }
    }
}
