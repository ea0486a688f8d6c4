//! Evidence in plain words: what a person reads beside a mapping or a suggestion.

use std::collections::{BTreeMap, BTreeSet};

use super::domain_class::DomainClass;
use super::evidence::{Candidates, Domains, Evidence, Link};
use crate::domain::domain_name::RegistrableDomain;

fn list<T: ToString>(items: impl IntoIterator<Item = T>, last: &str) -> String {
    let mut items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match (items.pop(), items.is_empty()) {
        (None, _) => String::new(),
        (Some(only), true) => only,
        (Some(end), false) => format!("{} {last} {end}", items.join(", ")),
    }
}

fn link_in_words(domain: &RegistrableDomain, link: &Link) -> String {
    let mut roles = Vec::new();
    if link.website {
        roles.push("the account's website".to_owned());
    }
    if link.account_email {
        roles.push("the domain of the account's own e-mail address".to_owned());
    }
    match link.contacts {
        0 => {}
        1 => roles.push("the domain of 1 of its contacts".to_owned()),
        n => roles.push(format!("the domain of {n} of its contacts")),
    }
    let merged = if link.merged {
        ", in part through an account that was merged into it"
    } else {
        ""
    };
    format!("{domain} is {}{merged}", list(roles, "and"))
}

/// What speaks for an Account, the strongest first.
pub(super) fn for_account(evidence: &Evidence) -> Vec<String> {
    let mut reasons = by_strength(&evidence.own);
    reasons.extend(
        by_strength(&evidence.contact_only)
            .into_iter()
            .map(|reason| {
                format!("{reason}, but at the provider it is only the domain of a contact address")
            }),
    );
    reasons
}

fn by_strength(links: &BTreeMap<RegistrableDomain, Link>) -> Vec<String> {
    let mut links: Vec<_> = links.iter().collect();
    links.sort_by_key(|(domain, link)| (std::cmp::Reverse(link.points()), *domain));
    links
        .into_iter()
        .map(|(domain, link)| link_in_words(domain, link))
        .collect()
}

/// That nothing else was reached.
pub(super) fn only_one(domains: &BTreeSet<RegistrableDomain>) -> String {
    format!("no other active account uses {}", list(domains, "or"))
}

/// That the Account's own domains are others than the customer's.
pub(super) fn own_domain_elsewhere(elsewhere: &BTreeSet<RegistrableDomain>) -> String {
    format!(
        "the account's own website or e-mail address is at {}, which the provider does not list for this customer",
        list(elsewhere, "and")
    )
}

/// That several were reached.
pub(super) fn tie(candidates: &Candidates) -> String {
    let with_own = candidates
        .by_account
        .values()
        .filter(|evidence| !evidence.own.is_empty())
        .count();
    match (with_own, candidates.by_account.len()) {
        (0, _) => "only the domain of a contact address leads here, which may be somebody else's"
            .to_owned(),
        (1, _) => "a contact address at the provider points to another account".to_owned(),
        (n, _) => format!("{n} active accounts use this customer's domains"),
    }
}

/// Why nothing was found.
pub(super) fn nothing(domains: &Domains, candidates: &Candidates) -> Vec<String> {
    let counted: BTreeSet<_> = domains.own.union(&domains.contact_only).collect();
    if !counted.is_empty() {
        let mut reasons = vec![format!("no active account uses {}", list(counted, "or"))];
        if !candidates.inactive_at.is_empty() {
            reasons.push(format!(
                "only deactivated accounts use {}",
                list(&candidates.inactive_at, "and")
            ));
        }
        return reasons;
    }
    if domains.uncounted.is_empty() {
        return vec!["the provider knows no domain of this customer".to_owned()];
    }
    let classes: BTreeSet<&str> = domains
        .uncounted
        .values()
        .map(|class| match class {
            DomainClass::PublicMail => "public mail",
            DomainClass::TenantDefault => "onmicrosoft.com or another default domain of a tenant",
            DomainClass::Shared => "sites that many organisations share",
            DomainClass::Owned => class.in_words(),
        })
        .collect();
    vec![format!(
        "all domains are {}: {}",
        list(classes, "or"),
        list(domains.uncounted.keys(), "and")
    )]
}
