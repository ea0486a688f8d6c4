//! Keeps the picture of the house true: which room may use which, how large a file and a function may grow, and the few
//! habits that a compiler does not check. Each rule is a function from one [`source::Source`] to its breaches and sits
//! beside a test on bad inputs, so that it is known to be able to fail. The text that comments and string literals hold
//! is blanked out first: no rule is tripped by what is merely written about.

mod imports;
mod layout;
mod shape;
mod source;
mod words;

use source::{Breach, Source};

/// Reads every Rust file under `folders` and fails with all breaches of `rule` at once.
#[track_caller]
fn hold(folders: &[&str], rule: impl Fn(&Source) -> Vec<Breach>) {
    let sources = source::read_all(folders);
    assert!(!sources.is_empty(), "no Rust file under {folders:?}");
    report(sources.iter().flat_map(rule).collect());
}

/// Fails with one line for each breach.
#[track_caller]
fn report(breaches: Vec<Breach>) {
    let lines: Vec<String> = breaches.iter().map(Breach::to_string).collect();
    assert!(
        lines.is_empty(),
        "{} breach(es) of the architecture:\n{}",
        lines.len(),
        lines.join("\n")
    );
}

const EVERYWHERE: &[&str] = &["src", "tests", "benches"];

#[test]
fn every_room_imports_only_what_the_design_allows() {
    hold(&["src"], imports::rooms);
}

#[test]
fn the_pure_rooms_know_no_outside_library() {
    hold(&["src"], imports::pure);
}

#[test]
fn sql_stays_in_the_store() {
    hold(&["src"], imports::sql);
}

#[test]
fn every_file_says_what_it_is_in_its_first_line() {
    hold(EVERYWHERE, shape::opening);
}

#[test]
fn no_file_is_longer_than_500_lines() {
    hold(EVERYWHERE, shape::file_length);
}

#[test]
fn no_function_is_longer_than_80_lines() {
    hold(EVERYWHERE, shape::function_length);
}

#[test]
fn lints_are_expected_with_a_reason_and_never_allowed() {
    hold(EVERYWHERE, words::allowances);
}

#[test]
fn nothing_is_left_for_later_in_the_sources() {
    hold(&["src"], words::leftovers);
}

#[test]
fn routes_are_declared_in_the_one_route_table() {
    hold(&["src"], words::routes);
}

#[test]
fn the_top_level_holds_only_what_the_design_names() {
    report(layout::unexpected(&source::top_level()));
}
