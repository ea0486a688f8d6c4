//! Who may use whom. Paths are read from the code itself, `use` lines or not: `crate::x`, `provider_bridge::x` (the
//! program's name for it) and any `super::super::x` that climbs out of its room.

use super::source::{Breach, Source, whole_words};

/// The design's table: what each room may use beside itself. `app` puts everything together.
const ROOMS: &[(&str, &[&str])] = &[
    ("main", &["app"]),
    ("lib", &["app"]),
    ("config", &["domain"]),
    ("http", &["flows", "identity", "domain"]),
    ("identity", &["store", "net", "domain"]),
    ("flows", &["domain", "store", "matching"]),
    ("domain", &[]),
    ("matching", &["domain"]),
    ("store", &["domain"]),
    ("providers", &["net", "domain"]),
    ("crm", &["net", "domain"]),
    ("events", &["store", "net", "domain"]),
    ("jobs", &["flows", "store", "domain"]),
    ("net", &["domain"]),
    ("connector", &["http", "domain"]),
    ("simulator", &["domain"]),
];

/// Libraries and parts of the standard library that reach outside the process.
const OUTSIDE: &[&str] = &[
    "actix_web",
    "actix_http",
    "actix_rt",
    "reqwest",
    "sea_orm",
    "sea_orm_migration",
    "sqlx",
    "tokio",
    "std::fs",
    "std::net::TcpStream",
    "std::process",
    "std::env",
];

/// Every path into another room is one that the table allows.
pub fn rooms(source: &Source) -> Vec<Breach> {
    let room = source.room();
    if room == "app" {
        return Vec::new();
    }
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        let mend = "put the file into a room of the design, or give the new room its row in the table of this test";
        return vec![source.breach(0, format!("{room} is no room"), mend)];
    };
    let mut breaches = Vec::new();
    for (at, used) in paths_from_root(source) {
        if used != room && !allowed.contains(&used.as_str()) {
            let may = if allowed.is_empty() {
                "nothing".to_owned()
            } else {
                allowed.join(", ")
            };
            let mend = format!(
                "{room} may use {may}: go through a port of domain, or let app hand the thing in"
            );
            breaches.push(source.breach(at, format!("{room} uses {used}"), mend));
        }
    }
    breaches
}

/// The pure rooms reach nothing outside the process.
pub fn pure(source: &Source) -> Vec<Breach> {
    if !["domain", "matching"].contains(&source.room()) {
        return Vec::new();
    }
    let uses = OUTSIDE
        .iter()
        .flat_map(|name| source.words(name).map(move |at| (at, name)));
    let mend = "these rooms are pure rules: take what is needed as an argument or through a port";
    uses.map(|(at, name)| source.breach(at, format!("{} uses {name}", source.room()), mend))
        .collect()
}

/// Only the store speaks SQL.
pub fn sql(source: &Source) -> Vec<Breach> {
    if source.room() == "store" {
        return Vec::new();
    }
    let names = ["sea_orm", "sea_orm_migration", "sea_query", "sqlx"];
    let uses = names
        .into_iter()
        .flat_map(|name| source.words(name).map(move |at| (at, name)));
    let mend = "put the statement behind a function of store";
    uses.map(|(at, name)| source.breach(at, format!("{} uses {name}", source.room()), mend))
        .collect()
}

/// Each path of the code that starts at the crate's root, by its place and its first part.
fn paths_from_root(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for root in ["crate", "provider_bridge"] {
        for at in source.words(root) {
            let rest = &source.code[at + root.len()..];
            // `pub(crate)` names no path; neither does a module that merely has our name
            if let Some(tail) = rest.trim_start().strip_prefix("::") {
                found.extend(heads(tail).into_iter().map(|head| (at, head)));
            } else if rest.trim_start().starts_with("as ") {
                found.push((at, "the whole crate under another name".to_owned()));
            }
        }
    }
    for (at, climbed, tail) in climbs(source) {
        let depth = module_depth(source, at);
        if climbed >= depth {
            found.extend(heads(tail).into_iter().map(|head| (at, head)));
        }
    }
    found
}

/// Chains of `super::`: where they start, how many steps up they go, and what follows.
fn climbs(source: &Source) -> Vec<(usize, usize, &str)> {
    let mut found = Vec::new();
    let mut seen = 0;
    for at in source.words("super") {
        if at < seen {
            continue;
        }
        let (mut steps, mut tail) = (0, &source.code[at..]);
        while let Some(next) = tail
            .strip_prefix("super")
            .and_then(|rest| rest.trim_start().strip_prefix("::"))
        {
            (steps, tail) = (steps + 1, next.trim_start());
        }
        seen = source.code.len() - tail.len();
        if steps > 0 {
            found.push((at, steps, tail));
        }
    }
    found
}

/// How many modules lie between the crate's root and the code at `at`, modules within the file included.
fn module_depth(source: &Source, at: usize) -> usize {
    let inner = source
        .path
        .trim_start_matches("src/")
        .trim_end_matches(".rs")
        .trim_end_matches("/mod");
    let of_file = if ["lib", "main"].contains(&inner) {
        0
    } else {
        inner.split('/').count()
    };
    let encloses = |module: &usize| {
        let open = source.code[*module..]
            .find(['{', ';'])
            .map(|offset| module + offset);
        open.is_some_and(|open| {
            source.code.as_bytes()[open] == b'{' && open < at && at < source.after_closing(open)
        })
    };
    of_file + source.words("mod").filter(encloses).count()
}

/// The first parts of what follows a root: one, or one for each branch of a group.
fn heads(tail: &str) -> Vec<String> {
    let tail = tail.trim_start();
    let Some(group) = tail.strip_prefix('{') else {
        return vec![head(tail)];
    };
    let (mut depth, mut start, mut heads) = (0_usize, 0, Vec::new());
    for (at, byte) in group.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => {
                heads.push(head(&group[start..at]));
                break;
            }
            b'}' => depth -= 1,
            b',' if depth == 0 => {
                heads.push(head(&group[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    heads.retain(|head| !head.is_empty());
    heads
}

fn head(branch: &str) -> String {
    let branch = branch.trim_start();
    let end = branch
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(branch.len());
    if branch.starts_with('*') {
        "everything".to_owned()
    } else {
        branch[..end].to_owned()
    }
}

fn used_by(path: &str, text: &str) -> Vec<String> {
    let source = Source::new(path, text);
    rooms(&source)
        .into_iter()
        .map(|breach| breach.rule)
        .collect()
}

#[test]
fn a_room_is_caught_at_a_room_that_is_not_its_own() {
    let crm = "src/crm/client.rs";
    assert_eq!(used_by(crm, "use crate::store::Store;"), ["crm uses store"]);
    assert_eq!(
        used_by(
            crm,
            "use crate::{net::Client, domain::{account, store}, store};"
        ),
        ["crm uses store"]
    );
    assert_eq!(
        used_by(crm, "fn f() { let x = crate :: flows::run(); }"),
        ["crm uses flows"]
    );
    assert_eq!(
        used_by(crm, "use provider_bridge::http;"),
        ["crm uses http"]
    );
    assert_eq!(used_by(crm, "use crate::*;"), ["crm uses everything"]);
    assert_eq!(used_by(crm, "use crate as house;").len(), 1);
    assert_eq!(
        used_by("src/main.rs", "use provider_bridge::store;"),
        ["main uses store"]
    );
    assert_eq!(used_by("src/cellar/mod.rs", ""), ["cellar is no room"]);
    assert_eq!(
        used_by("src/http/api/x.rs", "use crate::simulator::y;"),
        ["http uses simulator"]
    );
}

#[test]
fn a_room_is_caught_climbing_out_by_super() {
    assert_eq!(
        used_by("src/crm/mod.rs", "use super::store::Store;"),
        ["crm uses store"]
    );
    assert_eq!(
        used_by("src/crm/client.rs", "use super::super::store;"),
        ["crm uses store"]
    );
    assert_eq!(
        used_by("src/crm/client.rs", "use super::super::{net, store};"),
        ["crm uses store"]
    );
    let tests = "mod tests { use super::super::super::store; }";
    assert_eq!(used_by("src/crm/client.rs", tests), ["crm uses store"]);
}

#[test]
fn a_room_may_use_itself_its_neighbours_and_what_it_only_writes_about() {
    let crm = "src/crm/a/b.rs";
    assert!(
        used_by(
            crm,
            "use crate::crm::a; use crate::{net, domain}; pub(crate) struct S;"
        )
        .is_empty()
    );
    assert!(
        used_by(
            crm,
            "use super::super::directory; mod tests { use super::*; use super::super::x; }"
        )
        .is_empty()
    );
    assert!(used_by(crm, "// crate::store\nconst S: &str = \"crate::store\";").is_empty());
    assert!(used_by("src/app/mod.rs", "use crate::simulator;").is_empty());
    assert!(used_by("src/main.rs", "fn main() { provider_bridge::app::run(); }").is_empty());
}

#[test]
fn purity_and_sql_are_guarded() {
    let at = |path: &str, text: &str| Source::new(path, text);
    assert_eq!(
        pure(&at(
            "src/domain/a.rs",
            "use sea_orm::Set; fn f() { std::fs::read(x) }"
        ))
        .len(),
        2
    );
    assert_eq!(
        pure(&at(
            "src/matching/a.rs",
            "async fn f() { tokio::time::timeout() }"
        ))
        .len(),
        1
    );
    assert!(pure(&at("src/store/a.rs", "use sqlx::Row;")).is_empty());
    assert_eq!(
        sql(&at("src/flows/a.rs", "use sea_orm::Set; use sqlx::Row;")).len(),
        2
    );
    assert!(sql(&at("src/store/a.rs", "use sea_orm::Set;")).is_empty());
    assert_eq!(
        whole_words("tokio_util tokio", "tokio").collect::<Vec<_>>(),
        [11]
    );
}
