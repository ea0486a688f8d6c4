//! `match` and `simulator cases` on files: the formats they read and write, broken lines, and that a seed is a promise.

use std::fs;
use std::path::Path;

use provider_bridge::app::cli::MatchArgs;
use provider_bridge::app::commands::matching::run;
use provider_bridge::simulator::{CasesSpec, write_cases};
use serde_json::Value;

fn args(folder: &Path, accounts: &str, contacts: &str, out: &str) -> MatchArgs {
    MatchArgs {
        accounts: folder.join(accounts),
        contacts: folder.join(contacts),
        providers: folder.join("customers.jsonl"),
        out: folder.join(out),
        model: None,
        threshold: None,
        json: true,
    }
}

const CUSTOMERS: &str = r#"{"id":"P1","company_name":"Contoso Travel","domains":["contoso-travel.de"],"country":"DE","city":"Berlin","postcode":"10115","billing_email":null}
{"id":"P2","company_name":"Nobody We Know","domains":[],"country":"FR","city":null,"postcode":null,"billing_email":null}
"#;

fn decisions(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn json_lines_are_matched_and_a_broken_line_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let accounts = r#"{"id":"A1","name":"Contoso Travel GmbH","website":"https://www.contoso-travel.de","email":null,"country":"DE","city":"Berlin","postcode":"10115","status":"active"}
{"id":"A2","name":"broken
{"id":"A3","name":"Fabrikam","website":null,"email":null,"country":"DE","city":null,"postcode":null,"status":"inactive"}
"#;
    fs::write(folder.path().join("accounts.jsonl"), accounts).unwrap();
    fs::write(
        folder.path().join("contacts.jsonl"),
        "{\"id\":\"C1\",\"account_id\":\"A1\",\"email\":\"a@contoso-travel.de\"}\n",
    )
    .unwrap();
    fs::write(folder.path().join("customers.jsonl"), CUSTOMERS).unwrap();
    let args = args(
        folder.path(),
        "accounts.jsonl",
        "contacts.jsonl",
        "out.jsonl",
    );
    run(&args).unwrap();
    let decisions = decisions(&args.out);
    assert_eq!(decisions[0]["decision"], "auto", "{}", decisions[0]);
    assert_eq!(decisions[0]["account_id"], "A1");
    assert!(decisions[0]["candidates"][0]["reasons"][0]["weight"].is_number());
    assert_eq!(decisions[1]["decision"], "none", "{}", decisions[1]);
    assert_eq!(decisions[1]["account_id"], Value::Null);
}

#[test]
fn a_table_exported_from_dynamics_gives_the_same_and_a_table_comes_out() {
    let folder = tempfile::tempdir().unwrap();
    let accounts = "\u{feff}(Do Not Modify) Account,Account Name,Website,Address 1: City,Address 1: Country/Region,Address 1: ZIP/Postal Code,Status\n\
        A1,\"Contoso Travel, GmbH\",https://www.contoso-travel.de,Berlin,Germany,10115,Active\n";
    let contacts = "(Do Not Modify) Contact,Full Name,Email,Company Name\nC1,Jo,jo@contoso-travel.de,\"Contoso Travel, GmbH\"\n";
    fs::write(folder.path().join("accounts.csv"), accounts).unwrap();
    fs::write(folder.path().join("contacts.csv"), contacts).unwrap();
    fs::write(folder.path().join("customers.jsonl"), CUSTOMERS).unwrap();
    let args = args(folder.path(), "accounts.csv", "contacts.csv", "out.csv");
    run(&args).unwrap();
    let table = fs::read_to_string(&args.out).unwrap();
    let first = table.lines().nth(1).unwrap();
    assert!(first.starts_with("\"P1\",\"auto\",\"A1\","), "{table}");
    assert!(
        first.contains("the domain of its only business contact"),
        "{table}"
    );
}

#[test]
fn a_crm_of_no_accounts_and_a_missing_file_have_clear_results() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["accounts.jsonl", "contacts.jsonl"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    fs::write(folder.path().join("customers.jsonl"), CUSTOMERS).unwrap();
    let args_of = |contacts| args(folder.path(), "accounts.jsonl", contacts, "out.jsonl");
    run(&args_of("contacts.jsonl")).unwrap();
    assert!(
        decisions(&folder.path().join("out.jsonl"))
            .iter()
            .all(|line| line["decision"] == "none")
    );
    let error = run(&args_of("missing.jsonl")).unwrap_err().to_string();
    assert!(error.contains("missing.jsonl"), "{error}");
}

#[test]
fn a_seed_gives_the_same_cases_and_the_engine_is_right_about_them() {
    let spec = CasesSpec {
        seed: 7,
        accounts: 1500,
        providers: 500,
    };
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for folder in [&one, &two] {
        write_cases(&spec, folder.path()).unwrap();
    }
    let read = |folder: &Path, name: &str| fs::read_to_string(folder.join(name)).unwrap();
    for name in [
        "crm_accounts.jsonl",
        "crm_contacts.jsonl",
        "provider_accounts.jsonl",
        "truth.jsonl",
    ] {
        assert_eq!(read(one.path(), name), read(two.path(), name), "{name}");
    }
    let args = MatchArgs {
        accounts: one.path().join("crm_accounts.jsonl"),
        contacts: one.path().join("crm_contacts.jsonl"),
        providers: one.path().join("provider_accounts.jsonl"),
        ..args(one.path(), "", "", "out.jsonl")
    };
    run(&args).unwrap();
    let truth: Vec<Value> = read(one.path(), "truth.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (mut auto, mut wrong) = (0, 0);
    for (truth, decision) in truth.iter().zip(decisions(&args.out)) {
        assert_eq!(truth["provider_id"], decision["provider_id"]);
        if decision["decision"] == "auto" {
            auto += 1;
            let right = truth["acceptable"]
                .as_array()
                .unwrap()
                .contains(&decision["account_id"]);
            wrong += u32::from(!right);
        }
    }
    assert!(auto > 200 && wrong <= 2, "{auto} automatic, {wrong} wrong");
}
