//! What mappings that stand already say of a decision by the engine (B5, B12): the same Microsoft tenant mapped through
//! another provider is an identity, and an Account that has another tenant of the same provider is left to a person.
//! Many Provider Accounts may share an Account, but that a second tenant is the same customer is a person's to say.

use std::collections::{HashMap, HashSet};

use super::decided::{Decided, Outcome, Sure};
use crate::domain::account::AccountState;
use crate::domain::ids::AccountId;
use crate::domain::mapping::Suggestion;
use crate::domain::ports::crm::Directory;
use crate::domain::provider_account::ProviderAccount;
use crate::store::mappings::suggestions::NamedSuggestion;
use crate::store::mappings::tenants::MappedTenant;

/// As for an identity in the engine: tenants are resold, so it is not 1.
const IDENTITY_CONFIDENCE: f64 = 0.9995;

/// Why an Account that has another tenant of the same provider is left to a person, if it does.
pub(super) fn another_tenant<'a>(
    of: &ProviderAccount,
    target: AccountId,
    mapped: &'a [MappedTenant],
) -> Option<&'a MappedTenant> {
    let tenant = of.tenant_id.as_deref()?;
    mapped.iter().find(|other| {
        other.account_id == target
            && other.provider_id == of.provider_id
            && other.provider_account_id != of.id
            && other.tenant_id.as_deref().is_some_and(|it| it != tenant)
    })
}

/// Accounts that several tenants of one provider lead to in these decisions: to map one of them would be a guess.
pub(super) fn wanted_by_several(decided: &[Decided]) -> HashSet<AccountId> {
    let mut tenants: HashMap<_, HashSet<&str>> = HashMap::new();
    for decided in decided {
        if let (Some(target), Some(tenant)) = (decided.target(), &decided.account.tenant_id) {
            let of = tenants.entry((target, decided.account.provider_id));
            of.or_default().insert(tenant);
        }
    }
    let several = tenants.into_iter().filter(|(_, of)| of.len() > 1);
    several.map(|((target, _), _)| target).collect()
}

/// Takes in where the same tenants are mapped through other providers.
pub(super) fn by_identity(
    decided: &mut [Decided],
    mapped: &[MappedTenant],
    directory: &dyn Directory,
) {
    let mut by_tenant: HashMap<&str, Vec<&MappedTenant>> = HashMap::new();
    for other in mapped {
        if let Some(tenant) = &other.tenant_id {
            by_tenant.entry(tenant).or_default().push(other);
        }
    }
    for decided in decided {
        let account = &decided.account;
        let Some(tenant) = account.tenant_id.as_deref() else {
            continue;
        };
        let elsewhere = by_tenant.get(tenant).map(Vec::as_slice).unwrap_or_default();
        let elsewhere: Vec<_> = elsewhere
            .iter()
            .filter(|other| other.provider_id != account.provider_id)
            .collect();
        let Some(first) = elsewhere.first() else {
            continue;
        };
        let one = elsewhere.iter().all(|it| it.account_id == first.account_id);
        let to = directory
            .account(first.account_id)
            .filter(|to| to.state == AccountState::Active);
        if let (true, Some(to)) = (one, to) {
            let reason = format!(
                "the same tenant is mapped to {} through another provider, as {}",
                to.name, first.name
            );
            settle(decided, to, reason);
        }
    }
}

fn settle(decided: &mut Decided, to: crate::domain::account::DirectoryAccount, reason: String) {
    match &mut decided.outcome {
        Outcome::Map(sure) if sure.to.id == to.id => sure.reasons.insert(0, reason.into()),
        Outcome::Map(_) => {
            let identity = NamedSuggestion {
                account_name: to.name,
                suggestion: Suggestion {
                    account_id: to.id,
                    confidence: 0.5,
                    reasons: vec![reason.clone().into()],
                },
            };
            decided.only_suggest(&format!("not automatic: {reason}"));
            if let Outcome::Suggest(made) = &mut decided.outcome {
                made.insert(0, identity);
            }
        }
        Outcome::Suggest(made) => {
            let mut reasons = vec![reason.into()];
            let same = made.iter_mut().find(|it| it.suggestion.account_id == to.id);
            if let Some(same) = same {
                reasons.append(&mut same.suggestion.reasons);
            }
            decided.outcome = Outcome::Map(Box::new(Sure {
                to,
                confidence: IDENTITY_CONFIDENCE,
                reasons,
            }));
        }
    }
}
