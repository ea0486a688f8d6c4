//! The listing: page by page, the next page on its way while the last one is written.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::Run;
use crate::domain::event::NewEvent;
use crate::domain::ids::ProviderAccountId;
use crate::domain::ports::provider::{CustomerPage, ProviderClient, ProviderError};
use crate::domain::provider_account::ListedCustomer;
use crate::flows::FlowError;
use crate::store::provider_accounts::listed::{self, ListedDigest};
use crate::store::provider_accounts::sync;
use crate::store::{jobs, outbox, sync_runs};

/// Progress of a Job that writes nothing else is saved this often.
const PROGRESS_EVERY: TimeDelta = TimeDelta::seconds(2);

/// What the listing has shown so far.
struct Seen {
    /// The provider's ids.
    ids: HashSet<String>,
    /// An item without a readable id was among them: then nothing can be called missing.
    nameless: bool,
    progress_saved_at: DateTime<Utc>,
    /// What the last listing said: whose digest is here is unchanged.
    said_before: HashSet<ListedDigest>,
}

/// What a page says that the last listing did not.
#[derive(Default)]
struct News {
    new: Vec<ListedCustomer>,
    changed: Vec<(ProviderAccountId, ListedCustomer)>,
    /// Unchanged, but without a digest so far.
    unmarked: Vec<(ProviderAccountId, ListedDigest)>,
}

impl News {
    const fn is_empty(&self) -> bool {
        self.new.is_empty() && self.changed.is_empty() && self.unmarked.is_empty()
    }
}

impl Run<'_> {
    /// Reads the whole listing. The outer error is ours (store, lost lease), the inner one the provider's.
    pub(super) async fn list(
        &mut self,
        client: &dyn ProviderClient,
    ) -> Result<Result<(), ProviderError>, FlowError> {
        let mut seen = Seen {
            ids: HashSet::new(),
            nameless: false,
            progress_saved_at: self.flows.context.now(),
            said_before: HashSet::new(),
        };
        let reader = self.flows.store.reader();
        let (mut page, said_before) = tokio::join!(
            client.list_customers(None),
            listed::digests(reader, self.provider.id)
        );
        seen.said_before = said_before?;
        loop {
            let CustomerPage {
                customers,
                unreadable,
                next,
            } = match page {
                Ok(page) => page,
                Err(error) => return Ok(Err(error)),
            };
            self.record.counts.failed += i64::try_from(unreadable.len()).unwrap_or(i64::MAX);
            for item in unreadable {
                match &item.external_id {
                    Some(id) => drop(seen.ids.insert(id.to_string())),
                    None => seen.nameless = true,
                }
                self.note(format!("a customer could not be read: {}", item.reason));
            }
            let following = async {
                match &next {
                    Some(token) => Some(client.list_customers(Some(token)).await),
                    None => None,
                }
            };
            let (kept, following) = tokio::join!(self.keep_page(customers, &mut seen), following);
            kept?;
            match following {
                Some(following) => page = following,
                None => break,
            }
        }
        self.mark_missing(&seen).await?;
        Ok(Ok(()))
    }

    /// Writes what a page says anew, with its events, in one transaction; nothing new, no transaction.
    async fn keep_page(
        &mut self,
        mut customers: Vec<ListedCustomer>,
        seen: &mut Seen,
    ) -> Result<(), FlowError> {
        customers.retain(|customer| seen.ids.insert(customer.external_id.to_string()));
        let listed = customers.len();
        customers.retain(|customer| !seen.said_before.contains(&ListedDigest::of(customer)));
        let flows = self.flows;
        let news = self.news(customers).await?;
        let counts = &mut self.record.counts;
        let unchanged = listed - news.new.len() - news.changed.len();
        counts.listed += i64::try_from(listed).unwrap_or(i64::MAX);
        counts.unchanged += i64::try_from(unchanged).unwrap_or_default();
        counts.changed += i64::try_from(news.changed.len()).unwrap_or_default();
        let now = flows.context.now();
        if news.is_empty() && now - seen.progress_saved_at < PROGRESS_EVERY {
            return Ok(());
        }
        seen.progress_saved_at = now;
        let tx = flows.store.begin().await?;
        jobs::guard(&tx, self.lease).await?;
        if !news.new.is_empty() {
            let added = sync::insert(&tx, &flows.context, self.provider.id, news.new).await?;
            counts.new += i64::try_from(added.len()).unwrap_or_default();
            let events = added
                .iter()
                .map(|account| NewEvent::created(self.provider, account, self.initial_import));
            outbox::publish(&tx, &flows.context, events.collect()).await?;
        }
        if !news.changed.is_empty() {
            // Among them are those that come back.
            let ids: Vec<_> = news.changed.iter().map(|(id, _)| *id).collect();
            sync::update_listed(&tx, news.changed).await?;
            flows.judge_customers(&tx, &ids).await?;
        }
        listed::note(&tx, &news.unmarked).await?;
        jobs::progress(&tx, self.lease, counts.listed, None).await?;
        sync_runs::save(&tx, &self.record).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Sorts those whose digest is not known.
    async fn news(&self, customers: Vec<ListedCustomer>) -> Result<News, FlowError> {
        let mut news = News::default();
        if customers.is_empty() {
            return Ok(news);
        }
        let reader = self.flows.store.reader();
        let known = sync::known(reader, self.provider.id, &customers).await?;
        for customer in customers {
            match known.get(customer.external_id.as_str()) {
                None => news.new.push(customer),
                Some(known) if known.same_as(&customer) => {
                    news.unmarked.push((known.id, ListedDigest::of(&customer)));
                }
                Some(known) => news.changed.push((known.id, customer)),
            }
        }
        Ok(news)
    }

    /// After a complete listing: whoever was not in it is missing since now (decision 8).
    async fn mark_missing(&mut self, seen: &Seen) -> Result<(), FlowError> {
        let flows = self.flows;
        // Whoever was listed is present by now; as many as were listed, and nobody is left to be missing.
        let present = listed::present_count(flows.store.reader(), self.provider.id).await?;
        if i64::try_from(present) == Ok(self.record.counts.listed) {
            return Ok(());
        }
        let mut missing = sync::present(flows.store.reader(), self.provider.id).await?;
        missing.retain(|(_, external_id)| !seen.ids.contains(external_id));
        if missing.is_empty() {
            return Ok(());
        }
        if seen.nameless {
            self.note(format!(
                "{} known customers were not listed; they are not marked as missing, because the listing held customers without a readable id",
                missing.len()
            ));
            return Ok(());
        }
        let ids: Vec<_> = missing.into_iter().map(|(id, _)| id).collect();
        let tx = flows.store.begin().await?;
        jobs::guard(&tx, self.lease).await?;
        sync::mark_missing(&tx, &flows.context, &ids).await?;
        flows.judge_customers(&tx, &ids).await?;
        tx.commit().await?;
        self.record.counts.missing = i64::try_from(ids.len()).unwrap_or(i64::MAX);
        Ok(())
    }
}
