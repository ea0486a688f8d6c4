//! The classic rule made safe (B6, B7): a Provider Account maps when all its own domains together lead to exactly one
//! active Account, through its website, its e-mail addresses or those of its Contacts.
//!
//! What makes it safe: domains are compared by their registrable part; public mail, tenant defaults and shared sites never
//! count; a deactivated Account is no candidate and a merged one stands for its survivor; two candidates are a tie, which
//! becomes suggestions. The domain of a contact address at the provider is often a reseller's or an accountant's: it
//! never maps, and when it points to another Account than the customer's own domains do, that is a tie as well.
//!
//! The confidence of this rule is a rank of its evidence, not a measured probability.

use super::evidence::{Candidates, Domains, Evidence};
use super::{domain_class, reasons};
use crate::domain::account::{DirectoryAccount, DomainHit};
use crate::domain::domain_name::RegistrableDomain;
use crate::domain::ids::AccountId;
use crate::domain::mapping::Suggestion;
use crate::domain::provider_account::AccountDomain;

/// At most so many suggestions: a domain of a franchise leads to hundreds of Accounts, and nobody reads more.
pub const MAX_SUGGESTIONS: usize = 5;

/// What the evidence leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Exactly one active Account: map it.
    Auto {
        /// The Account.
        account_id: AccountId,
        /// Between 0 and 1, by kind of evidence.
        confidence: f64,
        /// Evidence in plain words, the strongest first.
        reasons: Vec<String>,
    },
    /// A person must choose; the strongest first.
    Suggest(Vec<Suggestion>),
    /// No Account.
    None {
        /// Why, in plain words.
        reasons: Vec<String>,
    },
}

/// Decides by the domains of a Provider Account. `hits` gives the Accounts of a domain, `resolve` one Account by id: it
/// is asked where a merged Account leads, and for the own domains of a winner.
#[must_use]
pub fn decide(
    domains: &[AccountDomain],
    hits: impl Fn(&RegistrableDomain) -> Vec<DomainHit>,
    resolve: impl Fn(AccountId) -> Option<DirectoryAccount>,
) -> Decision {
    let domains = Domains::of(domains);
    let candidates = Candidates::gather(&domains, hits, &resolve);
    let ranked = candidates.ranked();
    match ranked.as_slice() {
        [] => Decision::None {
            reasons: reasons::nothing(&domains, &candidates),
        },
        [(account_id, evidence)] if !evidence.own.is_empty() => {
            auto(*account_id, evidence, &domains, &resolve)
        }
        _ => Decision::Suggest(suggestions(&ranked, &candidates)),
    }
}

fn auto(
    account_id: AccountId,
    evidence: &Evidence,
    domains: &Domains,
    resolve: &impl Fn(AccountId) -> Option<DirectoryAccount>,
) -> Decision {
    let mut reasons = reasons::for_account(evidence);
    reasons.push(reasons::only_one(&domains.own));
    let by_itself = evidence
        .own
        .values()
        .any(|link| link.website || link.account_email);
    let contacts: u32 = evidence.own.values().map(|link| link.contacts).sum();
    let mut confidence = match (by_itself, contacts) {
        (true, _) => 0.95,
        (false, 2..) => 0.9,
        (false, _) => 0.8,
    };
    if !by_itself && let Some(account) = resolve(account_id) {
        let elsewhere = account
            .web_domain
            .iter()
            .chain(&account.email_domains)
            .filter_map(|name| domain_class::counted(name).ok())
            .collect::<std::collections::BTreeSet<_>>();
        if !elsewhere.is_empty() {
            confidence -= 0.2;
            reasons.push(reasons::own_domain_elsewhere(&elsewhere));
        }
    }
    Decision::Auto {
        account_id,
        confidence,
        reasons,
    }
}

fn suggestions(ranked: &[(AccountId, &Evidence)], candidates: &Candidates) -> Vec<Suggestion> {
    let points = |evidence: &Evidence| f64::from(evidence.points());
    let all: f64 = ranked.iter().map(|(_, evidence)| points(evidence)).sum();
    let tie = reasons::tie(candidates);
    ranked
        .iter()
        .take(MAX_SUGGESTIONS)
        .map(|(account_id, evidence)| {
            let mut reasons = reasons::for_account(evidence);
            reasons.push(tie.clone());
            let ceiling = if evidence.own.is_empty() { 0.5 } else { 0.9 };
            // A share of nothing would be no number; every candidate has points, so this is only for the type.
            let share = if all > 0.0 {
                points(evidence) / all
            } else {
                0.0
            };
            Suggestion {
                account_id: *account_id,
                confidence: (ceiling * share * 1000.0).round() / 1000.0,
                reasons: reasons.into_iter().map(Into::into).collect(),
            }
        })
        .collect()
}
