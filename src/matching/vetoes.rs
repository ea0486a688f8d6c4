//! What is never mapped without a person, however high the confidence. Each veto is a rule with an id that decisions
//! carry and a sentence that people read; the learned confidence is asked only after them. A caution is the milder kind: it
//! gives way to a confidence that is beyond what is asked of others.

use super::features::{Feature as F, Measures};
use super::index::Index;
use super::rank::{Group, name_only};
use super::text::name::Name;
use super::text::words::names_a_group;

/// What a veto looks at.
#[derive(Debug)]
pub struct Case<'a> {
    /// The index, for what is known of the winner.
    pub index: &'a Index,
    /// The winner with its duplicates.
    pub group: &'a Group,
    /// Other customers, the most likely first.
    pub others: &'a [Group],
    /// The customer's name.
    pub name: &'a Name,
}

impl Case<'_> {
    const fn measures(&self) -> &Measures {
        &self.group.best.measures
    }

    fn identity(&self) -> bool {
        self.measures().has(F::Identity)
    }
}

/// A rule that forbids an automatic mapping.
#[derive(Debug)]
pub struct Veto {
    /// Stands in decisions and tests.
    pub id: &'static str,
    /// What a person reads.
    pub text: &'static str,
    /// Whether it is a caution.
    pub caution: bool,
    /// Whether it applies.
    pub applies: fn(&Case<'_>) -> bool,
}

/// A word at least so telling, left over on one side, may set a part apart from the whole.
const TELLING: f32 = 0.25;

/// All vetoes.
pub const VETOES: &[Veto] = &[
    Veto {
        id: "V1-other-domains",
        text: "customer and account have different domains of their own, and fewer than two other proofs agree",
        caution: false,
        applies: |case| {
            let measures = case.measures();
            measures.has(F::DomainConflict) && !case.identity() && independent_proofs(measures) < 2
        },
    },
    Veto {
        id: "V2-part-of-organisation",
        text: "the domain is shared, and a telling word stands on one side only: it may be a part of the organisation, or its parent",
        caution: false,
        applies: |case| {
            let measures = case.measures();
            let customer = measures.get(F::LeftCustomer) > TELLING;
            let account = measures.get(F::LeftAccount) > TELLING;
            let several = measures.get(F::DomainAccounts) > 0.5 + duplicates_on_domain(case);
            let part = (customer || account) && (several || measures.has(F::LeftDivision));
            let another = customer && account && !measures.has(F::Initials);
            measures.has(F::DomainMatches) && !case.identity() && (part || another)
        },
    },
    Veto {
        id: "V3-name-only",
        text: "only the name speaks for it, and name, country, and postal code or city are not all equal",
        caution: false,
        applies: |case| {
            let measures = case.measures();
            let here = measures.has(F::Postcode) || same_city(measures);
            name_only(measures) && !(here && only_one_of_its_name(measures))
        },
    },
    Veto {
        id: "V4-contact-address",
        text: "a contact address leads here, which may be a reseller's, an accountant's or the parent's, and a telling word of the names differs",
        caution: false,
        applies: |case| {
            let measures = case.measures();
            let left = measures
                .get(F::LeftCustomer)
                .max(measures.get(F::LeftAccount));
            measures.has(F::ContactMatch) && !by_own_domain(measures) && left > TELLING
        },
    },
    Veto {
        id: "V11-no-proof-of-place",
        text: "name and tenant could be a namesake's: no domain, contact address, city, postal code or telephone agrees",
        caution: true,
        applies: |case| {
            let measures = case.measures();
            let here =
                measures.has(F::Postcode) || measures.get(F::City) > 0.6 || measures.has(F::Phone);
            !by_own_domain(measures) && !measures.has(F::ContactMatch) && !here
        },
    },
    Veto {
        id: "V5-close-rival",
        text: "another customer's account is nearly as likely",
        caution: false,
        applies: |case| {
            case.others
                .first()
                .is_some_and(|rival| case.group.best.score - rival.score() < 1.0)
        },
    },
    Veto {
        id: "V6-no-name-no-domain",
        text: "the customer's name says nothing, and no domain of its own leads here",
        caution: false,
        applies: |case| {
            case.name.remark && !case.measures().has(F::DomainMatches) && !case.identity()
        },
    },
    Veto {
        id: "V7-inactive",
        text: "the account is deactivated",
        caution: false,
        applies: |case| {
            case.index
                .entry(case.group.best.number)
                .is_none_or(|entry| entry.inactive)
        },
    },
    Veto {
        id: "V8-duplicates",
        text: "the customer has several active accounts, and none stands out: merge them, or choose one",
        caution: false,
        applies: |case| !case.group.stands_out,
    },
    Veto {
        id: "V9-identity-shared",
        text: "an account of another customer carries the same tenant, subscription or tax number",
        caution: false,
        applies: |case| {
            let mut others = case.others.iter();
            others.any(|other| other.best.measures.has(F::Identity))
        },
    },
    Veto {
        id: "V10-another-country-in-name",
        text: "the names speak of different countries",
        caution: false,
        applies: |case| case.measures().get(F::NameCountry) < -0.5 && !case.identity(),
    },
    Veto {
        id: "V12-common-name",
        text: "other accounts have the same name, and no domain tells which of them it is",
        caution: true,
        applies: |case| {
            let measures = case.measures();
            let records = u16::try_from(case.group.duplicates.len()).unwrap_or(u16::MAX);
            let namesakes = measures.get(F::AccountNamesakes) > 0.5 + f32::from(records);
            namesakes && !by_own_domain(measures) && !measures.has(F::ContactMatch)
        },
    },
    Veto {
        id: "V13-another-city",
        text: "the customer is in another city than the account, as a namesake, a branch or a parent would be",
        caution: true,
        applies: |case| case.measures().get(F::City) < 0.0 && !case.identity(),
    },
    Veto {
        id: "V14-another-postal-code",
        text: "the postal codes differ, and no domain, contact address or telephone agrees: a namesake in the same town looks like this",
        caution: false,
        applies: |case| {
            let measures = case.measures();
            measures.get(F::Postcode) < 0.0
                && !by_own_domain(measures)
                && !measures.has(F::ContactMatch)
                && !measures.has(F::Phone)
        },
    },
    Veto {
        id: "V15-group-or-member",
        text: "one side is a group, the other is not, and another account uses the same domain: it may be the parent, or a member",
        caution: false,
        applies: |case| {
            let measures = case.measures();
            let entry = case.index.entry(case.group.best.number);
            let account = entry.is_some_and(|entry| names_a_group(entry.legal));
            let several = measures.get(F::DomainAccounts) > 0.5 + duplicates_on_domain(case);
            let shared = measures.has(F::DomainMatches) && several && !case.identity();
            shared && names_a_group(case.name.legal) != account
        },
    },
    Veto {
        id: "V16-name-and-city",
        text: "only an equal name in the same city speaks for it, and no postal code agrees: a namesake in a large city looks like this",
        caution: true,
        applies: |case| {
            let measures = case.measures();
            let city = same_city(measures) && !measures.has(F::Postcode);
            name_only(measures) && city && only_one_of_its_name(measures)
        },
    },
];

/// The vetoes that apply; of the cautions none, where the confidence is beyond them.
pub fn applying(case: &Case<'_>, beyond_caution: bool) -> impl Iterator<Item = &'static Veto> {
    VETOES
        .iter()
        .filter(move |veto| !(veto.caution && beyond_caution))
        .filter(|veto| (veto.applies)(case))
}

fn same_city(measures: &Measures) -> bool {
    measures.get(F::City) > 0.8
}

/// The names are equal and rare, no other account has it, and both sides are in one country.
fn only_one_of_its_name(measures: &Measures) -> bool {
    measures.has(F::NameEqual)
        && measures.get(F::AccountNamesakes) < 0.5
        && measures.get(F::RarestShared) > 0.5
        && measures.has(F::Country)
}

/// An own domain or an identity leads here, which needs no other proof.
fn by_own_domain(measures: &Measures) -> bool {
    measures.has(F::DomainMatches) || measures.has(F::Identity)
}

/// Proofs that do not rest on one another: equal name, equal place, telephone, a label, a contact address.
fn independent_proofs(measures: &Measures) -> u32 {
    let proofs = [
        measures.has(F::NameEqual) || measures.get(F::WordsShared) > 0.9,
        measures.has(F::Postcode) || same_city(measures),
        measures.has(F::Phone),
        measures.has(F::LabelMatch),
        measures.has(F::ContactMatch) && measures.get(F::ContactOthers) < 2.5,
    ];
    proofs.into_iter().map(u32::from).sum()
}

/// So many of the other Accounts on the domain are records of the same customer.
fn duplicates_on_domain(case: &Case<'_>) -> f32 {
    let on_domain = case
        .group
        .duplicates
        .iter()
        .filter(|duplicate| duplicate.measures.has(F::DomainMatches))
        .count();
    f32::from(u16::try_from(on_domain).unwrap_or(u16::MAX))
}
