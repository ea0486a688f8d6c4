//! What a run left behind, in business terms: comparable between runs, because it holds no id or time of ours.

use std::collections::BTreeMap;

use provider_bridge::app::build::App;
use provider_bridge::app::open::operator;
use provider_bridge::domain::mapping::Mapping;
use provider_bridge::store::provider_accounts::Filter;

use super::scene::Arrived;

/// By the provider's id: state, account, domains, and the events that were told of it in their order.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub accounts: BTreeMap<String, (String, Vec<String>)>,
    pub events: BTreeMap<String, Vec<String>>,
    /// Accounts that the records of all runs together call new.
    pub new_in_runs: i64,
}

impl Outcome {
    /// Reads it from the service's database.
    pub async fn of(app: &App) -> Self {
        let mut accounts = BTreeMap::new();
        let mut names = BTreeMap::new();
        let mut after = None;
        loop {
            let filter = Filter::default();
            let everything = operator();
            let page = app
                .flows
                .list_provider_accounts(&everything, &filter, after.as_ref(), 100)
                .await
                .unwrap();
            for account in page.accounts {
                let mapping = match &account.mapping {
                    Mapping::Mapped { account_id, by, .. } => {
                        format!("mapped to {account_id} by {}", by.name())
                    }
                    other => other.state().name().to_owned(),
                };
                let domains = account
                    .domains
                    .iter()
                    .map(|domain| format!("{} ({})", domain.name, domain.source.name()));
                names.insert(
                    format!("provider-account/{}", account.id),
                    account.external_id.to_string(),
                );
                let known = accounts.insert(
                    account.external_id.to_string(),
                    (mapping, domains.collect()),
                );
                assert!(known.is_none(), "{} is there twice", account.external_id);
            }
            match page.after {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        let mut events: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for event in super::scene::events(app).await {
            let about = names
                .get(&event.subject)
                .cloned()
                .unwrap_or_else(|| "provider".to_owned());
            events.entry(about).or_default().push(event.event_type);
        }
        let runs = app
            .flows
            .list_sync_runs(&operator(), None, 100)
            .await
            .unwrap();
        let new_in_runs = runs.iter().map(|run| run.counts.new).sum();
        Self {
            accounts,
            events,
            new_in_runs,
        }
    }

    /// Every event reached the receiver; gives how many arrived more than once.
    pub async fn all_arrived(app: &App, arrived: &Arrived) -> usize {
        let arrived = arrived.0.lock().unwrap().clone();
        for event in super::scene::events(app).await {
            assert!(
                arrived.contains_key(&event.id.to_string()),
                "{} of {} was lost",
                event.event_type,
                event.subject
            );
        }
        arrived.values().filter(|times| **times > 1).count()
    }
}
