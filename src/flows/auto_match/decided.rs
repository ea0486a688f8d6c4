//! One Provider Account with what the evidence says of it, and why a sure case may still have to be a suggestion.

use crate::domain::account::{AccountState, DirectoryAccount};
use crate::domain::ids::AccountId;
use crate::domain::mapping::Suggestion;
use crate::domain::ports::crm::Directory;
use crate::domain::provider_account::ProviderAccount;
use crate::matching::classic::{Decision, decide};
use crate::store::mappings::suggestions::NamedSuggestion;

/// A Provider Account and its decision.
#[derive(Debug)]
pub(super) struct Decided {
    /// As it was read; a decision holds only while it is still so.
    pub account: ProviderAccount,
    /// What is to be done.
    pub outcome: Outcome,
}

#[derive(Debug)]
pub(super) enum Outcome {
    /// Map it.
    Map(Sure),
    /// A person chooses; empty when there is nothing to choose from.
    Suggest(Vec<NamedSuggestion>),
}

/// A decision without doubt.
#[derive(Debug)]
pub(super) struct Sure {
    /// The Account as the directory showed it.
    pub to: DirectoryAccount,
    pub confidence: f64,
    pub reasons: Vec<String>,
}

impl Decided {
    /// Decides by the classic rule.
    pub(super) fn by_evidence(account: ProviderAccount, directory: &dyn Directory) -> Self {
        let decision = decide(
            &account.domains,
            |domain| directory.hits(domain),
            |id| directory.account(id),
        );
        let outcome = match decision {
            Decision::Auto {
                account_id,
                confidence,
                reasons,
            } => match directory.account(account_id) {
                Some(to) if to.state == AccountState::Active => Outcome::Map(Sure {
                    to,
                    confidence,
                    reasons,
                }),
                // Gone between two looks: nothing to say until the next run.
                _ => Outcome::Suggest(Vec::new()),
            },
            Decision::Suggest(suggestions) => Outcome::Suggest(named(suggestions, directory)),
            Decision::None { .. } => Outcome::Suggest(Vec::new()),
        };
        Self { account, outcome }
    }

    /// The Account it would be mapped to.
    pub(super) const fn target(&self) -> Option<AccountId> {
        match &self.outcome {
            Outcome::Map(sure) => Some(sure.to.id),
            Outcome::Suggest(_) => None,
        }
    }

    /// Makes a suggestion of a sure case, and says why.
    pub(super) fn only_suggest(&mut self, why: &str) {
        if let Outcome::Map(sure) = &mut self.outcome {
            let mut reasons = std::mem::take(&mut sure.reasons);
            reasons.push(why.to_owned());
            let suggestion = Suggestion {
                account_id: sure.to.id,
                confidence: sure.confidence,
                reasons,
            };
            let account_name = std::mem::take(&mut sure.to.name);
            self.outcome = Outcome::Suggest(vec![NamedSuggestion {
                suggestion,
                account_name,
            }]);
        }
    }
}

fn named(suggestions: Vec<Suggestion>, directory: &dyn Directory) -> Vec<NamedSuggestion> {
    suggestions
        .into_iter()
        .map(|suggestion| NamedSuggestion {
            account_name: directory
                .account(suggestion.account_id)
                .map(|known| known.name)
                .unwrap_or_default(),
            suggestion,
        })
        .collect()
}
