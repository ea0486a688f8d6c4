//! One Provider Account with what the evidence says of it, and why a sure case may still have to be a suggestion.

use crate::domain::account::{AccountState, DirectoryAccount};
use crate::domain::ids::AccountId;
use crate::domain::mapping::{Reason, Suggestion};
use crate::domain::ports::crm::Directory;
use crate::domain::provider_account::ProviderAccount;
use crate::flows::matcher::{Matcher, reasons_of, rounded, veto_in_words};
use crate::matching::classic::{self, decide};
use crate::matching::decide::Verdict;
use crate::matching::retrieve::Scratch;
use crate::store::mappings::suggestions::NamedSuggestion;

/// A Provider Account and its decision.
#[derive(Debug)]
pub(in crate::flows) struct Decided {
    /// As it was read; a decision holds only while it is still so.
    pub account: ProviderAccount,
    /// What is to be done.
    pub outcome: Outcome,
}

#[derive(Debug)]
pub(in crate::flows) enum Outcome {
    /// Map it.
    Map(Box<Sure>),
    /// A person chooses; empty when there is nothing to choose from.
    Suggest(Vec<NamedSuggestion>),
}

/// A decision without doubt.
#[derive(Debug)]
pub(in crate::flows) struct Sure {
    /// The Account as the directory showed it.
    pub to: DirectoryAccount,
    pub confidence: f64,
    pub reasons: Vec<Reason>,
}

impl Decided {
    /// Decides by the classic rule.
    pub(in crate::flows) fn by_rule(account: ProviderAccount, directory: &dyn Directory) -> Self {
        let decision = decide(
            &account.domains,
            |domain| directory.hits(domain),
            |id| directory.account(id),
        );
        let outcome = match decision {
            classic::Decision::Auto {
                account_id,
                confidence,
                reasons,
            } => sure(
                account_id,
                confidence,
                reasons.into_iter().map(Into::into).collect(),
                directory,
            ),
            classic::Decision::Suggest(suggestions) => {
                Outcome::Suggest(named(suggestions, directory))
            }
            classic::Decision::None { .. } => Outcome::Suggest(Vec::new()),
        };
        Self { account, outcome }
    }

    /// Decides by the engine.
    pub(in crate::flows) fn by_engine(
        account: ProviderAccount,
        matcher: &Matcher,
        scratch: &mut Scratch,
    ) -> Self {
        let decision = matcher.decide(&account, scratch);
        let outcome = match decision.verdict {
            Verdict::None => Outcome::Suggest(Vec::new()),
            Verdict::Auto => {
                let best = decision.candidates.first();
                match best.and_then(|best| Some((best.account_key.parse().ok()?, best))) {
                    Some((id, best)) => sure(
                        id,
                        rounded(decision.confidence),
                        reasons_of(&best.reasons),
                        matcher,
                    ),
                    None => Outcome::Suggest(Vec::new()),
                }
            }
            Verdict::Suggest => {
                let mut suggestions = Vec::with_capacity(decision.candidates.len());
                for (rank, candidate) in decision.candidates.iter().enumerate() {
                    let Ok(account_id) = candidate.account_key.parse() else {
                        continue;
                    };
                    let mut reasons = reasons_of(&candidate.reasons);
                    if rank == 0 {
                        reasons.extend(decision.vetoes.iter().filter_map(|id| veto_in_words(id)));
                    }
                    suggestions.push(Suggestion {
                        account_id,
                        confidence: rounded(candidate.confidence),
                        reasons,
                    });
                }
                Outcome::Suggest(named(suggestions, matcher))
            }
        };
        Self { account, outcome }
    }

    /// The Account it would be mapped to.
    pub(in crate::flows) const fn target(&self) -> Option<AccountId> {
        match &self.outcome {
            Outcome::Map(sure) => Some(sure.to.id),
            Outcome::Suggest(_) => None,
        }
    }

    /// Makes a suggestion of a sure case, and says why.
    pub(in crate::flows) fn only_suggest(&mut self, why: &str) {
        if let Outcome::Map(sure) = &mut self.outcome {
            let mut reasons = std::mem::take(&mut sure.reasons);
            reasons.push(why.into());
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

fn sure(
    account_id: AccountId,
    confidence: f64,
    reasons: Vec<Reason>,
    directory: &dyn Directory,
) -> Outcome {
    match directory.account(account_id) {
        Some(to) if to.state == AccountState::Active => Outcome::Map(Box::new(Sure {
            to,
            confidence,
            reasons,
        })),
        // Gone between two looks: nothing to say until the next run.
        _ => Outcome::Suggest(Vec::new()),
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
