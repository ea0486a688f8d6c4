//! The provider's side: customers as they signed up, and what is true of them. Seven of ten have an Account; the others are
//! strangers, namesakes of a customer, or branches of one on its domain.

use std::io::{self, Write};

use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::crm::Crm;
use super::mail::{domain, other_ending, person};
use super::organisation::{Maker, Organisation, Origin, chance, pick, postcode, slug, town};
use super::spelling::{Side, slip, written};
use super::vocabulary::LANDS;
use super::{CasesSpec, WITHOUT_COUNTERPART};

struct Signup {
    organisation: Organisation,
    tag: &'static str,
    keys: Vec<String>,
}

/// Writes Provider Accounts and what is true of them.
#[expect(clippy::too_many_arguments, reason = "the two sides and the two files")]
pub(super) fn write(
    rng: &mut ChaCha8Rng,
    maker: &mut Maker,
    known: &[Organisation],
    unknown: Vec<Organisation>,
    crm: &Crm,
    spec: &CasesSpec,
    providers: &mut impl Write,
    truth: &mut impl Write,
) -> io::Result<usize> {
    let signups = signups(rng, maker, known, unknown, crm, spec);
    let resellers: Vec<String> = crm
        .helpers
        .domains
        .choose_multiple(rng, 3)
        .cloned()
        .collect();
    for (at, signup) in signups.iter().enumerate() {
        let id = format!("P{:07}", at + 1);
        let mut tags = vec![signup.tag];
        let line = provider(
            rng,
            maker,
            &signup.organisation,
            crm,
            &resellers,
            &id,
            &mut tags,
        );
        writeln!(providers, "{line}")?;
        if signup.keys.len() > 1 {
            tags.push("crm_dup");
        }
        let line = json!({"provider_id": id, "crm_account_id": signup.keys.first(), "acceptable": signup.keys, "tags": tags});
        writeln!(truth, "{line}")?;
    }
    Ok(signups.len())
}

fn signups(
    rng: &mut ChaCha8Rng,
    maker: &mut Maker,
    known: &[Organisation],
    unknown: Vec<Organisation>,
    crm: &Crm,
    spec: &CasesSpec,
) -> Vec<Signup> {
    let customers = spec.providers * (1000 - WITHOUT_COUNTERPART) / 1000;
    let mut order: Vec<usize> = (0..known.len()).collect();
    order.shuffle(rng);
    let mut signups = Vec::with_capacity(spec.providers);
    for at in 0..customers {
        // Most customers have one tenant; a few have a second.
        let again = at >= order.len() || chance(rng, 40);
        let which = if again {
            order.choose(rng)
        } else {
            order.get(at)
        };
        if let Some((which, organisation)) =
            which.and_then(|which| Some((*which, known.get(*which)?)))
        {
            let keys = crm.keys.get(which).cloned().unwrap_or_default();
            signups.push(Signup {
                organisation: organisation.clone(),
                tag: "pos",
                keys,
            });
        }
    }
    for _ in 0..spec.providers / 20 {
        if let Some(of) = known.choose(rng) {
            signups.push(Signup {
                organisation: maker.twin(rng, of),
                tag: "neg_twin",
                keys: Vec::new(),
            });
        }
    }
    for _ in 0..spec.providers * 15 / 1000 {
        if let Some(of) = known.choose(rng) {
            signups.push(Signup {
                organisation: maker.branch(rng, of),
                tag: "neg_child",
                keys: Vec::new(),
            });
        }
    }
    let left = spec.providers.saturating_sub(signups.len());
    signups.extend(unknown.into_iter().take(left).map(|organisation| Signup {
        organisation,
        tag: "neg_other",
        keys: Vec::new(),
    }));
    signups.shuffle(rng);
    signups
}

fn tenant(rng: &mut ChaCha8Rng, of: &Organisation, at: &str) -> String {
    let core = slug(&of.core);
    let label = of
        .domain
        .as_deref()
        .and_then(|domain| domain.split('.').next())
        .map_or_else(|| core.clone(), slug);
    let letters = match rng.random_range(0..102) {
        0..60 => label,
        60..85 => core.chars().take(25).collect(),
        85..95 => format!(
            "{label}{}",
            pick(rng, "ltd 365 group gmbh inc online hq", ' ')
        ),
        95..98 => format!("netorgft{}", rng.random_range(1_000_000..9_999_999)),
        _ => format!("{label}{}", rng.random_range(1..999)),
    };
    let letters: String = letters.chars().take(27).collect();
    if letters.is_empty() {
        format!("tenant{at}")
    } else {
        letters
    }
}

fn domains(
    rng: &mut ChaCha8Rng,
    maker: &mut Maker,
    of: &Organisation,
    id: &str,
    tags: &mut Vec<&'static str>,
) -> Vec<String> {
    let mut domains = Vec::new();
    if let Some(own) = &of.domain {
        match rng.random_range(0..100) {
            0..58 => {
                domains.push(own.clone());
                tags.push("dom_exact");
            }
            58..68 => {
                domains.push(own.clone());
                domains.push(other_ending(rng, own, of.land.suffixes));
                tags.push("dom_multi");
            }
            68..73 => {
                domains.push(format!("{}.{own}", pick(rng, "mail corp hq m365 ad", ' ')));
                tags.push("dom_sub");
            }
            73..80 => {
                domains.push(other_ending(rng, own, of.land.suffixes));
                tags.push("dom_tld");
            }
            80..82 => {
                let fresh = maker.family(rng).into_iter().find_map(|other| other.domain);
                domains.extend(fresh);
                tags.push("dom_rebrand");
            }
            _ => tags.push("dom_onms_only"),
        }
    } else {
        tags.push("no_domain");
    }
    if domains.is_empty() || chance(rng, 900) {
        domains.push(format!("{}.onmicrosoft.com", tenant(rng, of, id)));
    }
    if chance(rng, 45) {
        domains
            .iter_mut()
            .for_each(|domain| *domain = domain.to_uppercase());
    }
    domains.shuffle(rng);
    domains
}

fn provider(
    rng: &mut ChaCha8Rng,
    maker: &mut Maker,
    of: &Organisation,
    crm: &Crm,
    resellers: &[String],
    id: &str,
    tags: &mut Vec<&'static str>,
) -> serde_json::Value {
    if of.kind != Origin::Own {
        tags.push(if of.kind == Origin::Twin {
            "src:twin"
        } else {
            "src:child"
        });
    }
    let name = if chance(rng, 300) {
        of.name.clone()
    } else {
        written(rng, of, 100, Side::Provider, tags)
    };
    let domains = domains(rng, maker, of, id, tags);
    let billing = match rng.random_range(0..100) {
        0..50 => Some(format!(
            "{}@{}",
            person(rng),
            domain(rng, of, &crm.helpers, [85, 3, 5, 0, 0])
        )),
        50..65 => Some(format!(
            "{}@{}",
            person(rng),
            domain(rng, of, &crm.helpers, [0, 0, 0, 1, 0])
        )),
        65..74 => {
            tags.push("bill_reseller");
            resellers
                .choose(rng)
                .map(|domain| format!("billing@{domain}"))
        }
        74..77 => {
            tags.push("bill_third");
            Some(format!(
                "{}@{}",
                person(rng),
                domain(rng, of, &crm.helpers, [0, 0, 0, 0, 1])
            ))
        }
        _ => None,
    };
    let (mut city, mut code) = (Some(of.city.clone()), Some(of.postcode.clone()));
    match rng.random_range(0..100) {
        0..12 => (city, code) = (None, None),
        12..24 => {
            let land = LANDS.choose(rng).unwrap_or(of.land);
            let other = town(rng, land);
            code = Some(postcode(rng, of.land.code, &other));
            city = Some(other);
            tags.push("other_site");
        }
        24..30 => city = city.map(|city| slip(rng, &any_ascii::any_ascii(&city))),
        _ => {}
    }
    let mut country = of.land.code;
    if chance(rng, 30) {
        country = LANDS.choose(rng).map_or(country, |land| land.code);
        tags.push("cc_wrong");
    }
    json!({
        "id": id,
        "company_name": name,
        "domains": domains,
        "country": country,
        "city": city,
        "postcode": code.filter(|_| chance(rng, 750)),
        "billing_email": billing,
    })
}
