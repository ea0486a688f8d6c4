//! How people write a name who do not copy it: without its legal form or with another, shortened, with slips, in other
//! letters, in another order, with remarks. One function for both sides; the CRM is written with more remarks.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::organisation::{Organisation, chance, pick, slug, with_legal};

const SHORTENED: &[(&str, &str)] = &[
    ("International", "Intl"),
    ("Manufacturing", "Mfg"),
    ("University", "Univ."),
    ("Technologies", "Tech"),
    ("Technology", "Tech"),
    ("Services", "Svcs"),
    ("Institute", "Inst."),
    ("National", "Natl"),
    ("Hospital", "Hosp."),
    ("Center", "Ctr"),
    ("Center", "Centre"),
    ("Engineering", "Eng."),
    ("Management", "Mgmt"),
    ("Laboratories", "Labs"),
    ("Systems", "Sys"),
    ("Group", "Grp"),
    (" and ", " & "),
    (" & ", " and "),
    ("Association", "Assoc."),
    ("Development", "Dev."),
    ("Department", "Dept"),
    ("Saint", "St."),
    ("Universität", "Uni"),
];

/// Which side writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Crm,
    Provider,
}

/// A slip of the pen somewhere inside.
pub(super) fn slip(rng: &mut ChaCha8Rng, text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    if letters.len() < 5 {
        return text.to_owned();
    }
    let at = rng.random_range(1..letters.len() - 1);
    let other = char::from(b'a' + rng.random_range(0..26_u8));
    match rng.random_range(0..4) {
        0 => letters.swap(at, at + 1),
        1 => {
            letters.remove(at);
        }
        2 => letters.insert(at, other),
        _ => {
            if let Some(letter) = letters.get_mut(at) {
                *letter = other;
            }
        }
    }
    letters.into_iter().collect()
}

/// A way to write the organisation's name, and what was done to it. `sloppy` is in hundredths of the usual.
pub(super) fn written(
    rng: &mut ChaCha8Rng,
    of: &Organisation,
    sloppy: u32,
    side: Side,
    tags: &mut Vec<&'static str>,
) -> String {
    let at = |of_thousand: u32| (of_thousand * sloppy / 100).min(950);
    let mut name = of.name.clone();
    if !of.aliases.is_empty() && chance(rng, at(100)) {
        name = of.aliases.choose(rng).cloned().unwrap_or(name);
        tags.push("realalias");
    } else if let Some(acronym) = of.acronym.as_ref().filter(|_| chance(rng, at(20))) {
        name.clone_from(acronym);
        tags.push("acronym");
    }
    let plain = name == of.name;
    match rng.random_range(0..1000) {
        roll if roll < at(280) && plain => {
            name.clone_from(&of.core);
            tags.push("legal_dropped");
        }
        roll if roll < at(420) && plain => {
            name = with_legal(rng, &of.core, of.land);
            tags.push("legal_changed");
        }
        _ => {}
    }
    if chance(rng, at(80))
        && let Some((long, short)) = SHORTENED.iter().find(|(long, _)| name.contains(long))
    {
        name = name.replacen(long, short, 1);
        tags.push("abbrev");
    }
    if name.chars().count() > 6 && chance(rng, at(50)) {
        name = slip(rng, &name);
        if chance(rng, 250) {
            name = slip(rng, &name);
        }
        tags.push("typo");
    }
    name = words_moved(rng, name, at(40), at(50), tags);
    if !name.is_ascii() && chance(rng, at(400)) {
        name = romanised(rng, &name);
        tags.push("translit");
    }
    match rng.random_range(0..1000) {
        roll if roll < at(80) => name = name.to_uppercase(),
        roll if roll < at(130) => name = name.to_lowercase(),
        _ => {}
    }
    match side {
        Side::Provider => provider_habits(rng, name, of, tags),
        Side::Crm => crm_habits(rng, name, of, tags),
    }
}

fn words_moved(
    rng: &mut ChaCha8Rng,
    name: String,
    moved: u32,
    dropped: u32,
    tags: &mut Vec<&'static str>,
) -> String {
    let mut words: Vec<&str> = name.split(' ').collect();
    if words.len() > 2 && chance(rng, moved) {
        let at = rng.random_range(1..words.len());
        words.rotate_left(at);
        tags.push("reorder");
    }
    if words.len() > 3 && chance(rng, dropped) {
        words.remove(rng.random_range(1..words.len() - 1));
        tags.push("token_dropped");
    }
    words.join(" ")
}

fn romanised(rng: &mut ChaCha8Rng, name: &str) -> String {
    if chance(rng, 400) {
        let pairs = [
            ("ä", "ae"),
            ("ö", "oe"),
            ("ü", "ue"),
            ("ß", "ss"),
            ("ø", "oe"),
            ("å", "aa"),
            ("æ", "ae"),
            ("Ä", "Ae"),
            ("Ö", "Oe"),
            ("Ü", "Ue"),
        ];
        pairs
            .iter()
            .fold(name.to_owned(), |name, (from, to)| name.replace(from, to))
    } else {
        any_ascii::any_ascii(name)
    }
}

fn provider_habits(
    rng: &mut ChaCha8Rng,
    name: String,
    of: &Organisation,
    tags: &mut Vec<&'static str>,
) -> String {
    if chance(rng, 20) {
        tags.push("name_is_stem");
        let label = of
            .domain
            .as_deref()
            .and_then(|domain| domain.split('.').next());
        return label.map_or_else(|| slug(&name), str::to_owned);
    }
    if chance(rng, 8) {
        tags.push("name_junk");
        return pick(
            rng,
            "Default Directory|Contoso|Test|Personal|Company|Main Office|Home|My Company|Demo",
            '|',
        )
        .to_owned();
    }
    if name.chars().count() > 30 && chance(rng, 40) {
        tags.push("truncated");
        return name
            .chars()
            .take(30)
            .collect::<String>()
            .trim_end()
            .to_owned();
    }
    name
}

fn crm_habits(
    rng: &mut ChaCha8Rng,
    name: String,
    of: &Organisation,
    tags: &mut Vec<&'static str>,
) -> String {
    if chance(rng, 20) {
        tags.push("crm_junk");
        return match rng.random_range(0..7) {
            0 => format!("{name} (OLD)"),
            1 => format!("ZZ {name}"),
            2 => format!("{name} - DO NOT USE"),
            3 => format!("[Prospect] {name}"),
            4 => format!("{name} / {}", of.city),
            5 => format!("{name} (NEW)"),
            _ => format!("*{name}*"),
        };
    }
    if chance(rng, 20) {
        format!("{name} ({})", of.city)
    } else {
        name
    }
}
