//! What must hold whatever the records say.

use proptest::prelude::*;

use super::*;

/// Accounts and a Provider Account that resemble each other in all kinds of ways.
fn alike() -> impl Strategy<Value = (Vec<AccountFacts>, ProviderFacts)> {
    let names = prop::sample::select(vec![
        "Fabrikam Bau",
        "Fabrikam",
        "Fabrikam Hospital",
        "Nordwind Software",
        "Nordwind",
        "Société Générale de Fabrikam",
        "Müller Bäckerei",
    ]);
    let domains = prop::sample::select(vec![
        "fabrikam.de",
        "fabrikam.com",
        "nordwind.com",
        "mueller.de",
        "gmail.com",
        "",
    ]);
    let cities = prop::sample::select(vec!["München", "Hamburg", ""]);
    let account = (
        names.clone(),
        domains.clone(),
        cities.clone(),
        prop::bool::ANY,
    )
        .prop_map(|(name, website, city, inactive)| AccountFacts {
            inactive,
            ..account(["", name, website, "DE", city, ""])
        });
    let accounts = prop::collection::vec(account, 1..6).prop_map(|mut accounts| {
        for (at, account) in accounts.iter_mut().enumerate() {
            account.key = format!("k{at}");
        }
        accounts
    });
    (accounts, names, domains, cities).prop_map(|(accounts, name, domain, city)| {
        (accounts, provider(name, &[domain], "DE", city, ""))
    })
}

proptest! {
    #[test]
    fn a_namesake_never_raises_the_confidence_for_the_account_it_imitates((accounts, facts) in alike(), of in 0_usize..6) {
        let before = decide(&engine(&accounts, &[]), &facts);
        let Some(original) = accounts.get(of) else { return Ok(()) };
        let namesake = account(["namesake", &original.name, "somebody-elses.com", "BR", "Recife", "50000"]);
        let mut more = accounts.clone();
        more.push(namesake);
        let after = decide(&engine(&more, &[]), &facts);
        let of_original = |decision: &Decision| decision.candidates.first().filter(|best| best.account_key == original.key).map(|best| best.confidence);
        if let (Some(before), Some(after)) = (of_original(&before), of_original(&after)) {
            prop_assert!(after <= before + 1e-6, "{before} -> {after}");
        }
        prop_assert!(before.verdict == Verdict::Auto || after.verdict != Verdict::Auto, "{before:?} -> {after:?}");
    }

    #[test]
    fn a_contact_with_public_mail_changes_nothing((accounts, facts) in alike()) {
        let before = decide(&engine(&accounts, &[]), &facts);
        let after = decide(&engine(&accounts, &[("k0", "jo@gmail.com"), ("k0", "jo@t-online.de")]), &facts);
        prop_assert_eq!(before, after);
    }

    #[test]
    fn order_case_and_accents_do_not_matter((accounts, facts) in alike()) {
        let before = decide(&engine(&accounts, &[]), &facts);
        let mut turned = accounts.clone();
        turned.reverse();
        prop_assert_eq!(&decide(&engine(&turned, &[]), &facts), &before);
        let plain = |name: &str| name.replace('ü', "u").replace('ä', "a").replace('é', "e").to_uppercase();
        let shouted = ProviderFacts {
            name: plain(&facts.name),
            domains: facts.domains.iter().map(|domain| domain.to_uppercase()).collect(),
            city: facts.city.as_deref().map(plain),
            ..facts.clone()
        };
        prop_assert_eq!(&decide(&engine(&accounts, &[]), &shouted), &before);
    }

    #[test]
    fn any_text_at_all_is_decided((name, domain, city) in ("\\PC{0,60}", "\\PC{0,40}", "\\PC{0,20}")) {
        let odd = account(["odd", &name, &domain, &city, &city, &name]);
        let facts = provider(&name, &[&domain], &city, &city, &name);
        let engine = engine(&[odd], &[]);
        prop_assert_eq!(decide(&engine, &facts), decide(&engine, &facts));
    }
}
