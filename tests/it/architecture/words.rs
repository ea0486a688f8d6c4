//! Words that must not stand in the code, or only in one place.

use super::source::{Breach, Source, whole_words};

/// A lint is expected, with its reason: an expectation that has become needless is reported, an allowance stays for ever.
pub fn allowances(source: &Source) -> Vec<Breach> {
    let opens = source.code.match_indices('#').map(|(at, _)| at);
    let mut breaches = Vec::new();
    for at in opens {
        let rest = source.code[at + 1..]
            .trim_start()
            .trim_start_matches('!')
            .trim_start();
        if !rest.starts_with('[') {
            continue;
        }
        let open = source.code.len() - rest.len();
        let attribute = &source.code[open..source.after_closing(open)];
        let is_call = |place: usize| {
            attribute[place + "allow".len()..]
                .trim_start()
                .starts_with('(')
        };
        if whole_words(attribute, "allow").any(is_call) {
            let mend = "write #[expect(lint, reason = \"…\")], or mend what the lint found";
            breaches.push(source.breach(at, "a lint is allowed", mend));
        }
    }
    breaches
}

/// Nothing unfinished is left behind: not in comments either, so this rule reads the whole text.
pub fn leftovers(source: &Source) -> Vec<Breach> {
    let notes = ["TODO", "FIXME", "XXX"];
    let noted = notes
        .iter()
        .flat_map(|note| whole_words(&source.text, note).map(move |at| (at, *note)));
    let macros = ["todo", "unimplemented", "dbg"];
    let called = macros.iter().flat_map(|name| {
        let is_macro = |at: &usize| source.code[at + name.len()..].starts_with('!');
        source
            .words(name)
            .filter(is_macro)
            .map(move |at| (at, *name))
    });
    let mend = "finish it, or open an issue and leave no trace here";
    noted
        .chain(called)
        .map(|(at, word)| source.breach(at, format!("{word} is left"), mend))
        .collect()
}

/// The route table is one place, so that it can be read as a whole. The simulator has a house of its own.
pub fn routes(source: &Source) -> Vec<Breach> {
    if source.path == "src/http/mod.rs" || source.room() == "simulator" {
        return Vec::new();
    }
    let calls = source.code.match_indices(".route(").map(|(at, _)| at);
    calls
        .map(|at| source.breach(at, "a route is declared", "declare it in src/http/mod.rs"))
        .collect()
}

#[test]
fn allowances_leftovers_and_stray_routes_are_caught() {
    let at = |path: &str, text: &str| Source::new(path, text);
    let allowed = |text: &str| allowances(&at("src/a.rs", text)).len();
    assert_eq!(allowed("#[allow(dead_code)]\nfn f() {}"), 1);
    assert_eq!(allowed("#![allow(\n    dead_code,\n)]"), 1);
    assert_eq!(allowed("#[cfg_attr(test, allow(dead_code))]"), 1);
    assert_eq!(
        allowed("#[expect(dead_code, reason = \"allow(this)\")] fn allow() { self.allow(x) }"),
        0
    );

    let left = |text: &str| leftovers(&at("src/a.rs", text)).len();
    assert_eq!(left("// TODO later\nfn f() { todo!() }"), 2);
    assert_eq!(left("fn f() { dbg!(x); unimplemented!() } // FIXME XXX"), 4);
    assert_eq!(left("fn todo() { TODOS.len() }"), 0);

    let route = "fn f(c: C) { c.route(\"/a\", get()); }";
    assert_eq!(routes(&at("src/http/api/a.rs", route)).len(), 1);
    assert_eq!(routes(&at("src/app/mod.rs", route)).len(), 1);
    assert!(routes(&at("src/http/mod.rs", route)).is_empty());
    assert!(routes(&at("src/simulator/entra.rs", route)).is_empty());
}
