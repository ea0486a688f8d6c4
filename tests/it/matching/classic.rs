//! The classic rule on small hand-written CRMs, and its properties on random ones.

use proptest::prelude::*;
use provider_bridge::domain::account::{AccountState, DirectoryAccount, DomainHit, Place};
use provider_bridge::domain::domain_name::{DomainName, RegistrableDomain};
use provider_bridge::domain::ids::AccountId;
use provider_bridge::domain::provider_account::{AccountDomain, DomainSource};
use provider_bridge::matching::classic::{Decision, decide};
use provider_bridge::matching::domain_class;

/// An Account as a test writes it down.
#[derive(Debug, Clone)]
struct Known {
    id: u8,
    state: AccountState,
    website: Option<&'static str>,
    contacts: Vec<&'static str>,
}

fn id(n: u8) -> AccountId {
    AccountId::new(uuid::Uuid::from_u128(n.into()))
}

fn known(n: u8, website: Option<&'static str>, contacts: &[&'static str]) -> Known {
    let (state, contacts) = (AccountState::Active, contacts.to_vec());
    Known {
        id: n,
        state,
        website,
        contacts,
    }
}

fn in_state(known: Known, state: AccountState) -> Known {
    Known { state, ..known }
}

fn domain(text: &str, source: DomainSource) -> AccountDomain {
    AccountDomain {
        name: DomainName::parse(text).unwrap(),
        source,
    }
}

fn own(texts: &[&str]) -> Vec<AccountDomain> {
    texts
        .iter()
        .map(|text| domain(text, DomainSource::Custom))
        .collect()
}

fn parse(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn decide_among(crm: &[Known], domains: &[AccountDomain]) -> Decision {
    let at =
        |text: &str, domain: &RegistrableDomain| parse(text).registrable().as_ref() == Some(domain);
    let hits = |domain: &RegistrableDomain| {
        crm.iter()
            .filter_map(|known| {
                let website = known.website.is_some_and(|text| at(text, domain));
                let contacts = known
                    .contacts
                    .iter()
                    .filter(|text| at(text, domain))
                    .count();
                (website || contacts > 0).then(|| DomainHit {
                    account_id: id(known.id),
                    domain: domain.clone(),
                    website,
                    account_email: false,
                    contacts: u32::try_from(contacts).unwrap(),
                    state: known.state,
                })
            })
            .collect()
    };
    let resolve = |wanted| {
        let known = crm.iter().find(|known| id(known.id) == wanted)?;
        Some(DirectoryAccount {
            place: Place::default(),
            id: wanted,
            name: format!("Account {}", known.id),
            state: known.state,
            parent_id: None,
            web_domain: known.website.map(parse),
            email_domains: Vec::new(),
            row_version: 1,
        })
    };
    decide(domains, hits, resolve)
}

fn auto_of(decision: &Decision) -> Option<AccountId> {
    match decision {
        Decision::Auto { account_id, .. } => Some(*account_id),
        Decision::Suggest(_) | Decision::None { .. } => None,
    }
}

#[test]
fn one_active_account_at_all_the_domains_is_mapped_with_its_reasons() {
    let crm = [known(
        1,
        Some("www.contoso.com"),
        &["contoso.com", "contoso.com", "contoso.com", "contoso.de"],
    )];
    let Decision::Auto {
        account_id,
        reasons,
        ..
    } = decide_among(
        &crm,
        &own(&["contoso.com", "mail.contoso.de", "contoso.fr"]),
    )
    else {
        panic!("not mapped");
    };
    assert_eq!(account_id, id(1));
    assert_eq!(
        reasons,
        [
            "contoso.com is the account's website and the domain of 3 of its contacts",
            "contoso.de is the domain of 1 of its contacts",
            "no other active account uses contoso.com, contoso.de or contoso.fr",
        ]
    );
}

#[test]
fn two_active_accounts_are_a_tie_and_the_stronger_evidence_comes_first() {
    let crm = [
        known(1, None, &["contoso.com"]),
        known(2, Some("contoso.com"), &["contoso.com"]),
    ];
    let Decision::Suggest(suggestions) = decide_among(&crm, &own(&["contoso.com"])) else {
        panic!("no suggestions");
    };
    assert_eq!(
        suggestions.iter().map(|s| s.account_id).collect::<Vec<_>>(),
        [id(2), id(1)]
    );
    assert!(suggestions[0].confidence > suggestions[1].confidence);
    assert_eq!(
        suggestions[0].reasons.last().unwrap().text,
        "2 active accounts use this customer's domains"
    );
}

#[test]
fn a_contact_address_alone_only_suggests_and_elsewhere_it_makes_a_tie() {
    let crm = [
        known(1, Some("contoso.com"), &[]),
        known(2, Some("reseller.com"), &[]),
    ];
    let billing = domain("reseller.com", DomainSource::ContactEmail);
    let Decision::Suggest(alone) = decide_among(&crm, std::slice::from_ref(&billing)) else {
        panic!("a contact address mapped");
    };
    assert_eq!(alone[0].account_id, id(2));
    assert!(alone[0].confidence <= 0.5);
    let both = [own(&["contoso.com"]), vec![billing]].concat();
    let Decision::Suggest(tie) = decide_among(&crm, &both) else {
        panic!("a contact address elsewhere was ignored");
    };
    assert_eq!(
        tie.iter().map(|s| s.account_id).collect::<Vec<_>>(),
        [id(1), id(2)]
    );
    let unknown = [
        own(&["contoso.com"]),
        vec![domain("nobody.com", DomainSource::ContactEmail)],
    ]
    .concat();
    assert_eq!(auto_of(&decide_among(&crm, &unknown)), Some(id(1)));
}

#[test]
fn an_inactive_account_is_no_candidate_and_a_merged_one_stands_for_its_survivor() {
    let old = known(1, Some("contoso.com"), &[]);
    let inactive = [in_state(old.clone(), AccountState::Inactive)];
    assert_eq!(
        decide_among(&inactive, &own(&["contoso.com"])),
        Decision::None {
            reasons: vec![
                "no active account uses contoso.com".to_owned(),
                "only deactivated accounts use contoso.com".to_owned(),
            ]
        }
    );
    let merged = in_state(old, AccountState::Merged(id(2)));
    let survivor = known(2, None, &[]);
    assert_eq!(
        auto_of(&decide_among(
            &[merged.clone(), survivor],
            &own(&["contoso.com"])
        )),
        Some(id(2))
    );
    let mut chain: Vec<_> = (2..30)
        .map(|at| in_state(known(at, None, &[]), AccountState::Merged(id(at + 1))))
        .collect();
    chain.extend([merged.clone(), known(30, None, &[])]);
    assert_eq!(
        auto_of(&decide_among(&chain, &own(&["contoso.com"]))),
        Some(id(30))
    );
    let circle = in_state(known(2, None, &[]), AccountState::Merged(id(1)));
    assert_eq!(
        auto_of(&decide_among(&[merged, circle], &own(&["contoso.com"]))),
        None
    );
}

#[test]
fn domains_that_do_not_count_lead_nowhere_and_say_so() {
    let crm = [known(1, Some("gmail.com"), &["contoso.onmicrosoft.com"])];
    assert_eq!(
        decide_among(&crm, &own(&["gmail.com", "contoso.onmicrosoft.com"])),
        Decision::None {
            reasons: vec![
                "all domains are onmicrosoft.com or another default domain of a tenant or public mail: \
                 contoso.onmicrosoft.com and gmail.com"
                    .to_owned()
            ]
        }
    );
    assert_eq!(
        decide_among(&crm, &[]),
        Decision::None {
            reasons: vec!["the provider knows no domain of this customer".to_owned()]
        }
    );
}

#[test]
fn contacts_at_a_domain_that_the_account_does_not_call_its_own_are_weaker() {
    let at_home = [known(1, None, &["contoso.com"])];
    let abroad = [known(1, Some("fabrikam.com"), &["contoso.com"])];
    let confidence = |crm: &[Known]| match decide_among(crm, &own(&["contoso.com"])) {
        Decision::Auto {
            confidence,
            reasons,
            ..
        } => (confidence, reasons.join("; ")),
        other => panic!("{other:?}"),
    };
    assert!(confidence(&abroad).0 < confidence(&at_home).0);
    assert!(
        confidence(&abroad)
            .1
            .contains("is at fabrikam.com, which the provider does not list")
    );
}

const NAMES: [&str; 6] = [
    "contoso.com",
    "contoso.co.uk",
    "fabrikam.de",
    "gmail.com",
    "contoso.onmicrosoft.com",
    "nowhere.org",
];

fn some_name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(NAMES.to_vec())
}

fn some_state() -> impl Strategy<Value = AccountState> {
    prop_oneof![
        4 => Just(AccountState::Active),
        1 => Just(AccountState::Inactive),
        1 => (0_u8..5).prop_map(|n| AccountState::Merged(id(n))),
    ]
}

fn some_crm() -> impl Strategy<Value = Vec<Known>> {
    let one = (
        some_state(),
        prop::option::of(some_name()),
        prop::collection::vec(some_name(), 0..4),
    );
    prop::collection::vec(one, 0..5).prop_map(|all| {
        (0_u8..)
            .zip(all)
            .map(|(id, (state, website, contacts))| Known {
                id,
                state,
                website,
                contacts,
            })
            .collect()
    })
}

fn some_domains() -> impl Strategy<Value = Vec<AccountDomain>> {
    let source = prop::sample::select(vec![
        DomainSource::Default,
        DomainSource::Custom,
        DomainSource::ContactEmail,
    ]);
    prop::collection::vec(
        (some_name(), source).prop_map(|(name, source)| domain(name, source)),
        0..5,
    )
}

proptest! {
    #[test]
    fn the_same_input_in_any_order_and_any_case_gives_the_same_decision(
        crm in some_crm(), domains in some_domains(), turn in 0_usize..5,
    ) {
        let first = decide_among(&crm, &domains);
        prop_assert_eq!(&decide_among(&crm, &domains), &first);
        let mut turned: Vec<_> = domains
            .iter()
            .rev()
            .map(|d| domain(&d.name.as_str().to_uppercase(), d.source))
            .collect();
        let turn = turn.min(turned.len());
        turned.rotate_left(turn);
        let backwards: Vec<_> = crm.into_iter().rev().collect();
        prop_assert_eq!(decide_among(&backwards, &turned), first);
    }

    #[test]
    fn a_sub_domain_or_a_repeated_domain_changes_nothing(crm in some_crm(), domains in some_domains()) {
        let below = domains.iter().filter(|d| domain_class::counted(&d.name).is_ok());
        let below: Vec<_> = below.map(|d| domain(&format!("mail.{}", d.name), d.source)).collect();
        let more = [domains.clone(), domains.clone(), below].concat();
        prop_assert_eq!(decide_among(&crm, &more), decide_among(&crm, &domains));
    }

    #[test]
    fn a_domain_that_does_not_count_changes_no_decision(crm in some_crm(), domains in some_domains()) {
        prop_assume!(domains.iter().any(|d| domain_class::counted(&d.name).is_ok()));
        let more = [domains.clone(), own(&["gmail.com", "x.onmicrosoft.com", "facebook.com"])].concat();
        prop_assert_eq!(decide_among(&crm, &more), decide_among(&crm, &domains));
    }

    #[test]
    fn a_second_active_account_at_one_of_the_domains_never_maps(
        crm in some_crm(), domains in some_domains(), which in any::<prop::sample::Index>(),
    ) {
        if let Some(mapped) = auto_of(&decide_among(&crm, &domains)) {
            let counted: Vec<_> = domains.iter().filter_map(|d| domain_class::counted(&d.name).ok()).collect();
            let name: &'static str = NAMES.into_iter().find(|name| *name == which.get(&counted).as_str()).unwrap();
            let more = [crm.clone(), vec![known(99, None, &[name])]].concat();
            prop_assert_eq!(auto_of(&decide_among(&more, &domains)), None);
            let state = crm.iter().find(|known| id(known.id) == mapped).unwrap().state;
            prop_assert_eq!(state, AccountState::Active);
        }
    }

    #[test]
    fn without_an_own_domain_nothing_maps(crm in some_crm(), names in prop::collection::vec(some_name(), 0..4)) {
        let contacts: Vec<_> = names.iter().map(|name| domain(name, DomainSource::ContactEmail)).collect();
        prop_assert_eq!(auto_of(&decide_among(&crm, &contacts)), None);
    }
}
