//! The engine on small CRMs: what it decides and says, input that nobody meant, and an index that changes.

mod properties;
mod vetoes;

use std::sync::Arc;

use provider_bridge::matching::decide::{Decision, Engine, Verdict};
use provider_bridge::matching::facts::{Account, AccountFacts, Customer, ProviderFacts};
use provider_bridge::matching::model::Model;
use provider_bridge::matching::retrieve::Scratch;
use provider_bridge::matching::text::host;

fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// key, name, website, country, city, postcode
type AccountRow<'a> = [&'a str; 6];

fn account([key, name, website, country, city, postcode]: AccountRow<'_>) -> AccountFacts {
    AccountFacts {
        key: key.to_owned(),
        name: name.to_owned(),
        website: text(website),
        country: text(country),
        city: text(city),
        postcode: text(postcode),
        ..AccountFacts::default()
    }
}

fn provider(
    name: &str,
    domains: &[&str],
    country: &str,
    city: &str,
    postcode: &str,
) -> ProviderFacts {
    ProviderFacts {
        id: "P1".to_owned(),
        name: name.to_owned(),
        domains: domains.iter().map(|domain| (*domain).to_owned()).collect(),
        country: text(country),
        city: text(city),
        postcode: text(postcode),
        ..ProviderFacts::default()
    }
}

/// Some hundred accounts that have nothing to do with a test, so that words have a rarity.
fn crowd() -> Vec<AccountFacts> {
    let first = [
        "Velmora", "Kastrin", "Oriplex", "Talgen", "Brinova", "Halden", "Monteris", "Quarex",
        "Senvia", "Dorlux",
    ];
    let second = [
        "Logistics",
        "Foods",
        "Energy",
        "Consulting",
        "Dental",
        "Print",
        "Motors",
        "Software",
        "Travel",
        "Hotel",
    ];
    let pairs = first
        .iter()
        .flat_map(|one| second.iter().map(move |two| (one, two)));
    pairs
        .enumerate()
        .map(|(at, (one, two))| {
            let name = format!("{one} {two} Ltd");
            let website = format!(
                "www.{}{}.example.com",
                one.to_lowercase(),
                two.to_lowercase()
            )
            .replace("example.", "");
            account([
                &format!("crowd-{at:03}"),
                &name,
                &website,
                "GB",
                "Leeds",
                "LS1 1AA",
            ])
        })
        .collect()
}

fn engine(accounts: &[AccountFacts], contacts: &[(&str, &str)]) -> Engine {
    let mut engine = Engine::new(Model::shipped().unwrap());
    for facts in crowd().iter().chain(accounts) {
        engine.index.put(&Account::read(facts));
    }
    for (key, email) in contacts {
        engine
            .index
            .add_contact(key, &host::of_email(email).unwrap());
    }
    engine
}

fn decide(engine: &Engine, facts: &ProviderFacts) -> Decision {
    engine.decide(&Customer::read(facts), &mut Scratch::default())
}

fn contoso() -> AccountFacts {
    account([
        "contoso",
        "Contoso Travel GmbH",
        "https://www.contoso-travel.de",
        "DE",
        "Berlin",
        "10115",
    ])
}

const CONTACTS: &[(&str, &str)] = &[
    ("contoso", "a@contoso-travel.de"),
    ("contoso", "b@contoso-travel.de"),
    ("contoso", "c@contoso-travel.de"),
];

fn signup() -> ProviderFacts {
    provider(
        "Contoso Travel",
        &["contoso-travel.de", "contosotravel.onmicrosoft.com"],
        "DE",
        "Berlin",
        "10115",
    )
}

#[test]
fn name_domain_and_place_together_are_mapped_with_the_reasons() {
    let decision = decide(&engine(&[contoso()], CONTACTS), &signup());
    assert_eq!(decision.verdict, Verdict::Auto, "{decision:?}");
    let best = &decision.candidates[0];
    assert_eq!(best.account_key, "contoso");
    let all: Vec<&str> = best
        .reasons
        .iter()
        .map(|reason| reason.text.as_str())
        .collect();
    assert!(
        all.contains(&"contoso-travel.de is the account's website and the domain of 3 of its 3 business contacts"),
        "{all:?}"
    );
    assert!(
        all.contains(&"the name is that of Contoso Travel GmbH"),
        "{all:?}"
    );
    assert!(all.contains(&"same country, city, postal code"), "{all:?}");
}

#[test]
fn a_crm_without_accounts_suggests_nobody() {
    let engine = Engine::new(Model::shipped().unwrap());
    let decision = decide(&engine, &signup());
    assert_eq!(
        (decision.verdict, decision.candidates.len()),
        (Verdict::None, 0)
    );
}

#[test]
fn an_agreed_tenant_decides_whatever_the_names_say() {
    let account = AccountFacts {
        identities: vec!["tenant:0a1b2c3d".to_owned()],
        ..contoso()
    };
    let mut facts = provider("Formerly Fabrikam", &[], "DE", "", "");
    facts.identities = vec!["tenant:0A1B2C3D".to_owned()];
    let decision = decide(&engine(&[account], CONTACTS), &facts);
    assert_eq!(decision.verdict, Verdict::Auto, "{decision:?}");
    assert_eq!(decision.candidates[0].account_key, "contoso");
}

#[test]
fn a_homoglyph_of_a_domain_leads_nowhere() {
    let facts = provider("Zirkonia", &["с\u{43e}ntoso-travel.de"], "", "", "");
    let decision = decide(&engine(&[contoso()], CONTACTS), &facts);
    assert_ne!(decision.verdict, Verdict::Auto);
}

#[test]
fn ten_thousand_domains_and_a_domain_of_a_thousand_accounts_are_borne() {
    let mut engine = engine(&[contoso()], CONTACTS);
    for at in 0..10_000 {
        engine.index.add_contact(
            "contoso",
            &host::of_email(&format!("a@many{at}.com")).unwrap(),
        );
    }
    for at in 0..1_000 {
        let key = format!("franchise-{at}");
        engine.index.put(&Account::read(&account([
            &key,
            &format!("Franchise {at}"),
            "franchise.com",
            "DE",
            "",
            "",
        ])));
    }
    let decision = decide(
        &engine,
        &provider("Franchise", &["franchise.com"], "DE", "", ""),
    );
    assert_ne!(decision.verdict, Verdict::Auto);
    let many: Vec<String> = (0..10_000).map(|at| format!("many{at}.com")).collect();
    let facts = ProviderFacts {
        domains: many,
        ..signup()
    };
    assert_eq!(decide(&engine, &facts).candidates[0].account_key, "contoso");
}

#[test]
fn putting_removing_and_putting_again_leaves_what_a_fresh_index_has() {
    let mut engine = engine(&[contoso()], CONTACTS);
    let before = decide(&engine, &signup());
    engine.index.put(&Account::read(&AccountFacts {
        name: "Something Else".to_owned(),
        website: None,
        ..contoso()
    }));
    assert_ne!(decide(&engine, &signup()), before);
    engine.index.put(&Account::read(&contoso()));
    assert_eq!(decide(&engine, &signup()), before);
    engine.index.remove("contoso");
    assert!(
        decide(&engine, &signup())
            .candidates
            .iter()
            .all(|candidate| candidate.account_key != "contoso")
    );
    engine.index.put(&Account::read(&contoso()));
    for (key, email) in CONTACTS {
        engine
            .index
            .add_contact(key, &host::of_email(email).unwrap());
    }
    assert_eq!(decide(&engine, &signup()), before);
}

#[test]
fn the_shipped_model_says_where_it_came_from_and_how_good_it_was() {
    let model = Model::shipped().unwrap();
    assert!(
        !model.origin.command.is_empty() && model.origin.provider_accounts > 10_000,
        "{:?}",
        model.origin
    );
    assert!(model.metrics.precision >= 0.998, "{:?}", model.metrics);
    let again = Model::parse(&model.to_text().unwrap()).unwrap();
    assert_eq!(again, *model);
    assert!(Model::parse("{}").is_err());
    let other = model
        .to_text()
        .unwrap()
        .replacen("own domains that", "other domains that", 1);
    assert!(Model::parse(&other).is_err());
    let _: Arc<Model> = model;
}

#[test]
fn a_contact_at_another_own_domain_than_the_accounts_speaks_against_it() {
    let engine = engine(&[contoso()], &[("contoso", "jo@contoso-travel.de")]);
    let with_contact_at = |domain: &str| {
        let domains = ["contoso-travel.de", "contoso-travel.at"];
        let mut facts = provider("Contoso Travel", &domains, "DE", "", "");
        facts.emails = vec![format!("it@{domain}")];
        decide(&engine, &facts)
    };
    let (here, elsewhere) = (
        with_contact_at("contoso-travel.de"),
        with_contact_at("contoso-travel.at"),
    );
    assert!(
        elsewhere.confidence < here.confidence,
        "{elsewhere:?} {here:?}"
    );
    let mut reasons = elsewhere.candidates[0].reasons.iter();
    let against = reasons.find(|reason| {
        let said = "the contact address at the provider is at contoso-travel.at, which is no domain of the account";
        reason.text == said
    });
    assert!(
        against.is_some_and(|reason| reason.weight < 0.0),
        "{elsewhere:?}"
    );
}

#[test]
fn a_contact_at_a_like_domain_with_another_ending_speaks_against_it() {
    let engine = engine(&[contoso()], &[("contoso", "jo@contoso-travel.de")]);
    let with_contact_at = |domain: &str| {
        let tenant = ["contosotravel.onmicrosoft.com"];
        let mut facts = provider("Contoso Travel", &tenant, "DE", "", "");
        facts.emails = vec![format!("it@{domain}")];
        decide(&engine, &facts)
    };
    let (other, nowhere) = (
        with_contact_at("contoso-travel.at"),
        with_contact_at("gmail.com"),
    );
    assert!(
        other.confidence < nowhere.confidence,
        "{other:?} {nowhere:?}"
    );
    let reasons = &other.candidates[0].reasons;
    let said = "the contact address at the provider is at contoso-travel.at, which begins like a domain of the account and ends otherwise";
    assert!(
        reasons.iter().any(|reason| reason.text == said),
        "{reasons:?}"
    );
}
