//! What no confidence may do: one test for each veto.

use super::*;

#[track_caller]
fn vetoed(engine: &Engine, facts: &ProviderFacts, id: &str) {
    let decision = decide(engine, facts);
    assert_ne!(decision.verdict, Verdict::Auto, "{decision:?}");
    assert!(
        decision.vetoes.contains(&id),
        "{id} is not among {decision:?}"
    );
}

/// One to which every caution applies, whatever the confidence.
fn wary(engine: &Engine) -> Engine {
    let mut model = engine.model.as_ref().clone();
    model.caution = 1.1;
    let mut wary = engine.clone();
    wary.model = Arc::new(model);
    wary
}

#[track_caller]
fn warned(engine: &Engine, facts: &ProviderFacts, id: &str) {
    vetoed(&wary(engine), facts, id);
}

#[test]
fn v1_other_domains_on_both_sides_need_two_other_proofs() {
    let facts = provider(
        "Contoso Travel",
        &["contoso-reisen.com"],
        "DE",
        "Hamburg",
        "20095",
    );
    vetoed(&engine(&[contoso()], CONTACTS), &facts, "V1-other-domains");
}

#[test]
fn v2_a_part_on_the_domain_of_the_whole_is_not_the_whole() {
    let facts = provider(
        "Contoso Travel Hospital",
        &["contoso-travel.de"],
        "DE",
        "Berlin",
        "10115",
    );
    vetoed(
        &engine(&[contoso()], CONTACTS),
        &facts,
        "V2-part-of-organisation",
    );
}

#[test]
fn v3_a_name_alone_is_never_enough() {
    let account = account(["contoso", "Contoso Travel GmbH", "", "DE", "Berlin", ""]);
    let engine = engine(&[account], &[]);
    for (name, country, city) in [
        ("Contoso Travel", "DE", ""),
        ("Contoso Travel", "", "Berlin"),
        ("Contoso Travels", "DE", "Berlin"),
    ] {
        let facts = provider(name, &[], country, city, "");
        vetoed(&engine, &facts, "V3-name-only");
        let said = decide(&wary(&engine), &facts).vetoes;
        assert!(!said.contains(&"V16-name-and-city"), "{said:?}");
    }
}

#[test]
fn v4_a_contact_address_with_another_name_is_not_enough() {
    let mut facts = provider(
        "Zirkonia Bakery",
        &["zirkonia.onmicrosoft.com"],
        "DE",
        "Berlin",
        "10115",
    );
    facts.emails = vec!["it@contoso-travel.de".to_owned()];
    vetoed(
        &engine(&[contoso()], CONTACTS),
        &facts,
        "V4-contact-address",
    );
}

#[test]
fn v5_two_customers_that_are_equally_likely_are_a_tie() {
    let north = account([
        "north",
        "Contoso Travel GmbH",
        "contoso-travel.de",
        "DE",
        "Kiel",
        "",
    ]);
    let south = account([
        "south",
        "Contoso Travel GmbH",
        "contoso-travel.de",
        "DE",
        "Passau",
        "",
    ]);
    let facts = provider("Contoso Travel", &["contoso-travel.de"], "DE", "", "");
    vetoed(&engine(&[north, south], &[]), &facts, "V5-close-rival");
}

#[test]
fn v6_a_name_that_says_nothing_needs_a_domain() {
    let facts = provider(
        "Default Directory",
        &["contosotravel.onmicrosoft.com"],
        "DE",
        "Berlin",
        "10115",
    );
    vetoed(
        &engine(&[contoso()], CONTACTS),
        &facts,
        "V6-no-name-no-domain",
    );
}

#[test]
fn v7_a_deactivated_account_is_never_mapped_to() {
    let account = AccountFacts {
        inactive: true,
        ..contoso()
    };
    vetoed(&engine(&[account], CONTACTS), &signup(), "V7-inactive");
}

#[test]
fn v8_of_two_equal_records_of_one_customer_a_person_chooses() {
    let again = AccountFacts {
        key: "again".to_owned(),
        ..contoso()
    };
    let engine = engine(&[contoso(), again], &[]);
    vetoed(&engine, &signup(), "V8-duplicates");
    assert_eq!(decide(&engine, &signup()).duplicates.len(), 1);
}

#[test]
fn v9_an_identity_at_two_customers_decides_nothing() {
    let with_tenant = |facts: AccountFacts| AccountFacts {
        identities: vec!["tenant:1234".to_owned()],
        ..facts
    };
    let other = account([
        "other",
        "Zirkonia Bakery",
        "zirkonia.com",
        "FR",
        "Lyon",
        "69001",
    ]);
    let engine = engine(&[with_tenant(contoso()), with_tenant(other)], CONTACTS);
    let facts = ProviderFacts {
        identities: vec!["tenant:1234".to_owned()],
        ..signup()
    };
    vetoed(&engine, &facts, "V9-identity-shared");
}

#[test]
fn v10_names_of_two_countries_are_two_companies() {
    let account = account([
        "contoso",
        "Contoso Travel (Germany)",
        "contoso-travel.de",
        "DE",
        "",
        "",
    ]);
    let facts = provider(
        "Contoso Travel (France)",
        &["contoso-travel.de"],
        "FR",
        "",
        "",
    );
    vetoed(
        &engine(&[account], &[]),
        &facts,
        "V10-another-country-in-name",
    );
}

#[test]
fn v11_name_and_tenant_without_a_place_may_be_a_namesakes() {
    let facts = provider(
        "Contoso Travel",
        &["contosotravel.onmicrosoft.com"],
        "DE",
        "",
        "",
    );
    warned(
        &engine(&[contoso()], CONTACTS),
        &facts,
        "V11-no-proof-of-place",
    );
}

#[test]
fn v12_a_name_that_several_have_needs_a_domain() {
    let twin = account([
        "twin",
        "Contoso Travel",
        "contoso-travel.at",
        "AT",
        "Wien",
        "1010",
    ]);
    let facts = provider(
        "Contoso Travel",
        &["contosotravel.onmicrosoft.com"],
        "DE",
        "Berlin",
        "10115",
    );
    warned(
        &engine(&[contoso(), twin], CONTACTS),
        &facts,
        "V12-common-name",
    );
}

#[test]
fn v13_another_city_asks_for_more() {
    let facts = provider(
        "Contoso Travel GmbH",
        &["contoso-travel.de", "contoso-travel.com"],
        "DE",
        "Hamburg",
        "20095",
    );
    warned(&engine(&[contoso()], &[]), &facts, "V13-another-city");
}

#[test]
fn v14_a_namesake_in_the_same_town_has_another_postal_code() {
    let facts = provider(
        "Contoso Travel GmbH",
        &["contosotravel.onmicrosoft.com"],
        "DE",
        "Berlin",
        "13599",
    );
    vetoed(
        &engine(&[contoso()], &[]),
        &facts,
        "V14-another-postal-code",
    );
}

#[test]
fn v15_a_group_is_not_its_member() {
    let group = account([
        "group",
        "Contoso Travel Group",
        "https://contoso-travel.de",
        "DE",
        "Berlin",
        "10115",
    ]);
    let member = account([
        "member",
        "Contoso Cruises",
        "https://contoso-travel.de",
        "DE",
        "Kiel",
        "24103",
    ]);
    let facts = provider(
        "Contoso Travel UG",
        &["contoso-travel.de"],
        "DE",
        "Berlin",
        "10115",
    );
    let engine = engine(&[group, member], &[]);
    vetoed(&engine, &facts, "V15-group-or-member");
}

#[test]
fn v16_a_namesake_in_the_same_city_is_not_enough_without_the_postal_code() {
    let account = account([
        "contoso",
        "Contoso Travel GmbH",
        "",
        "DE",
        "Berlin",
        "10115",
    ]);
    let engine = engine(&[account], &[]);
    let at = |postcode| provider("Contoso Travel", &[], "DE", "Berlin", postcode);
    warned(&engine, &at(""), "V16-name-and-city");
    let known = decide(&engine, &at("10115"));
    assert!(known.vetoes.is_empty(), "{known:?}");
}

#[test]
fn a_city_of_other_letters_is_another_city() {
    let at = |city: &str| {
        let mut account = contoso();
        account.city = Some(city.to_owned());
        let facts = provider(
            "Contoso Travel GmbH",
            &["contosotravel.onmicrosoft.com"],
            "DE",
            "Nürnberg",
            "",
        );
        let decision = decide(&engine(&[account], &[]), &facts);
        let reasons = &decision.candidates[0].reasons;
        let named = |what: &str| reasons.iter().any(|reason| reason.text.contains(what));
        (named("another city"), named("country, city"))
    };
    assert_eq!(at("Hamburg"), (true, false));
    assert_eq!(at("Nuremberg"), (false, true));
    assert_eq!(
        at("Nünberg"),
        (false, false),
        "a slip of the pen is no other city"
    );
}

#[test]
fn a_caution_gives_way_to_a_confidence_beyond_it() {
    let facts = provider(
        "Contoso Travel GmbH",
        &["contoso-travel.de", "contoso-travel.com"],
        "DE",
        "Hamburg",
        "20095",
    );
    let decision = decide(&engine(&[contoso()], &[]), &facts);
    assert_eq!(decision.verdict, Verdict::Auto, "{decision:?}");
    assert!(decision.vetoes.is_empty(), "{decision:?}");
}
