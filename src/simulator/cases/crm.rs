//! The CRM's side: Accounts as sales people keep them, with duplicates, gaps, wrong websites and contacts of others.

use std::io::{self, Write};

use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::CasesSpec;
use super::mail::{Helpers, domain, other_ending, person};
use super::organisation::{Organisation, chance, slug};
use super::spelling::{Side, slip, written};

/// What the provider's side must know of the CRM.
#[derive(Debug)]
pub(super) struct Crm {
    /// Keys of the Accounts of each organisation, the one that should win first.
    pub keys: Vec<Vec<String>>,
    pub accounts: usize,
    pub contacts: usize,
    pub helpers: Helpers,
}

struct Record {
    organisation: usize,
    /// 0 for the one in use, then duplicates.
    copy: usize,
}

/// Writes Accounts and Contacts.
pub(super) fn write(
    rng: &mut ChaCha8Rng,
    known: &[Organisation],
    spec: &CasesSpec,
    accounts: &mut impl Write,
    contacts: &mut impl Write,
) -> io::Result<Crm> {
    let helpers = Helpers::among(rng, known, spec.accounts);
    let mut records = Vec::new();
    for organisation in 0..known.len() {
        let copies = if chance(rng, 60) {
            if chance(rng, 150) { 3 } else { 2 }
        } else {
            1
        };
        records.extend((0..copies).map(|copy| Record { organisation, copy }));
    }
    records.shuffle(rng);
    let mut keys: Vec<Vec<(usize, String)>> = vec![Vec::new(); known.len()];
    let mut made = 0;
    for (at, record) in records.iter().enumerate() {
        let Some(of) = known.get(record.organisation) else {
            continue;
        };
        let key = format!("A{:07}", at + 1);
        let line = account(rng, known, of, record.copy, &key, &helpers);
        writeln!(accounts, "{line}")?;
        for _ in 0..contact_count(rng, record.copy) {
            made += 1;
            let mail = domain(rng, of, &helpers, [68, 4, 4, 19, 3]);
            let address = format!("{}@{mail}", person(rng));
            writeln!(
                contacts,
                "{}",
                json!({"id": format!("C{made:08}"), "account_id": key, "email": address})
            )?;
        }
        if let Some(list) = keys.get_mut(record.organisation) {
            list.push((record.copy, key));
        }
    }
    let keys = keys
        .into_iter()
        .map(|mut list| {
            list.sort();
            list.into_iter().map(|(_, key)| key).collect()
        })
        .collect();
    Ok(Crm {
        keys,
        accounts: records.len(),
        contacts: made,
        helpers,
    })
}

fn contact_count(rng: &mut ChaCha8Rng, copy: usize) -> usize {
    let roll = rng.random_range(0..100);
    let steps: &[u32] = if copy == 0 {
        &[15, 50, 75, 90, 96]
    } else {
        &[50, 90]
    };
    steps.iter().filter(|step| roll >= **step).count()
}

fn website(
    rng: &mut ChaCha8Rng,
    known: &[Organisation],
    of: &Organisation,
    copy: usize,
    name: &str,
) -> Option<String> {
    let own = of.domain.as_deref()?;
    if !chance(rng, if copy == 0 { 740 } else { 450 }) {
        return None;
    }
    if chance(rng, 30) {
        let short: String = slug(name).chars().take(20).collect();
        let host = [
            "https://www.linkedin.com/company/",
            "https://www.facebook.com/",
            "https://sites.google.com/view/",
        ];
        return Some(format!("{}{short}", host.choose(rng).unwrap_or(&"")));
    }
    if chance(rng, 20) {
        return known.choose(rng).and_then(|other| other.domain.clone());
    }
    if chance(rng, 30) {
        return Some(format!("www.{}", other_ending(rng, own, of.land.suffixes)));
    }
    Some(match rng.random_range(0..11) {
        0..4 => format!("https://www.{own}"),
        4..6 => format!("http://{own}"),
        6..8 => own.to_owned(),
        8..10 => format!("www.{own}/"),
        _ => format!("https://{own}/en/contact?x=1"),
    })
}

fn account(
    rng: &mut ChaCha8Rng,
    known: &[Organisation],
    of: &Organisation,
    copy: usize,
    key: &str,
    helpers: &Helpers,
) -> serde_json::Value {
    let mut tags = Vec::new();
    let name = if copy == 0 && chance(rng, 450) {
        of.name.clone()
    } else {
        written(
            rng,
            of,
            if copy == 0 { 100 } else { 160 },
            Side::Crm,
            &mut tags,
        )
    };
    let website = website(rng, known, of, copy, &name);
    let email = chance(rng, 400).then(|| {
        let mail = domain(rng, of, helpers, [70, 3, 4, 18, 2]);
        format!("{}@{mail}", person(rng))
    });
    let address = chance(rng, 850);
    let city = address.then(|| {
        if chance(rng, 80) {
            slip(rng, &of.city)
        } else {
            of.city.clone()
        }
    });
    json!({
        "id": key,
        "name": name,
        "website": website,
        "email": email,
        "phone": chance(rng, 600).then(|| format!("+{} {}", rng.random_range(1..99), rng.random_range(1_000_000..999_999_999))),
        "country": chance(rng, 930).then_some(of.land.code),
        "city": city,
        "postcode": (address && chance(rng, 800)).then(|| of.postcode.clone()),
        "status": if copy == 0 || chance(rng, 600) { "active" } else { "inactive" },
    })
}
