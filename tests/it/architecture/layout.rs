//! What may stand in the repository's root.

use super::source::Breach;

const NAMED: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "src",
    "openapi",
    "tests",
    "connector",
    "benches",
];

/// What building and running leave there; git ignores them.
const IGNORED: &[&str] = &["target", "data"];

/// One breach for each entry that is neither named by the design, nor a tool's dot file, nor ignored.
pub fn unexpected(entries: &[String]) -> Vec<Breach> {
    let known = |entry: &&String| {
        entry.starts_with('.')
            || NAMED.contains(&entry.as_str())
            || IGNORED.contains(&entry.as_str())
    };
    let breach = |entry: &String| Breach {
        path: entry.clone(),
        line: 1,
        rule: "the top level does not hold this".to_owned(),
        mend: "move it into the room it belongs to; settings of tools are dot files".to_owned(),
    };
    entries
        .iter()
        .filter(|entry| !known(entry))
        .map(breach)
        .collect()
}

#[test]
fn a_stray_entry_is_caught() {
    let entries = ["src", ".ci", "target", "docs", "notes.md"].map(str::to_owned);
    let strays: Vec<String> = unexpected(&entries)
        .into_iter()
        .map(|breach| breach.path)
        .collect();
    assert_eq!(strays, ["docs", "notes.md"]);
}
