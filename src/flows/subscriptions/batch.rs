//! One transaction's worth of changes to subscriptions, gathered and then written in bulk.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime};
use serde_json::json;

use super::keep::LeftOut;
use crate::domain::billing_contract::BillingContract;
use crate::domain::caller::Caller;
use crate::domain::event::NewEvent;
use crate::domain::ids::{BillingContractId, ProductSubscriptionId, ProviderAccountId};
use crate::domain::subscription::{FieldDifference, HeldFor, ListedSubscription, Subscription};
use crate::domain::subscription_run::{LineKind, ReportLine, SubscriptionRun};
use crate::domain::subscription_sync::{
    ChangeKind, Compared, Landing, before_go_live, land, log_entries,
};
use crate::flows::{FlowError, Flows};
use crate::store::audit::Entry;
use crate::store::license_changes::{self, BEFORE_GO_LIVE, NewEntry};
use crate::store::subscriptions::sync::{self, Customer};
use crate::store::{WriteTx, audit, outbox, subscription_runs};

/// From a contract, to a contract.
type Move = (Option<BillingContractId>, Option<BillingContractId>);

/// What is gathered.
pub(super) struct Batch<'a> {
    pub(super) flows: &'a Flows,
    pub(super) by: &'a Caller,
    pub(super) run: &'a mut SubscriptionRun,
    /// The open contracts of every Account in it.
    pub(super) contracts: &'a [BillingContract],
    /// What became effective before stays where it was billed (B15).
    pub(super) cut_over: Option<NaiveDate>,
    written: Vec<Subscription>,
    entries: Vec<NewEntry>,
    moves: BTreeMap<Move, Vec<ProductSubscriptionId>>,
    lines: Vec<ReportLine>,
    events: Vec<NewEvent>,
    audits: Vec<Entry>,
}

/// The subject of events and audit entries about one subscription.
pub(super) fn subscription_subject(id: ProductSubscriptionId) -> String {
    format!("subscription/{id}")
}

impl<'a> Batch<'a> {
    pub(super) const fn new(
        flows: &'a Flows,
        by: &'a Caller,
        run: &'a mut SubscriptionRun,
        contracts: &'a [BillingContract],
    ) -> Self {
        Self {
            flows,
            by,
            run,
            contracts,
            cut_over: None,
            written: Vec::new(),
            entries: Vec::new(),
            moves: BTreeMap::new(),
            lines: Vec::new(),
            events: Vec::new(),
            audits: Vec::new(),
        }
    }

    fn contract(&self, id: BillingContractId) -> Option<&'a BillingContract> {
        self.contracts.iter().find(|it| it.id == id)
    }

    /// Where a subscription of this customer lands (D8, D9).
    pub(super) fn landing(&self, customer: &Customer, listed: &ListedSubscription) -> Landing {
        let Some(account) = customer.account_id else {
            return Err(HeldFor::Mapping);
        };
        let of_account: Vec<_> = self
            .contracts
            .iter()
            .filter(|it| it.account_id == account)
            .collect();
        land(&of_account, listed.currency, listed.product_id.as_deref())
    }

    fn line(&mut self, kind: LineKind, customer: ProviderAccountId, name: &str) -> ReportLine {
        ReportLine {
            id: self.flows.context.new_uuid(),
            run_id: self.run.id,
            at: self.flows.context.now(),
            kind,
            subscription_id: None,
            provider_account_id: customer,
            external_id: None,
            name: name.to_owned(),
            field: None,
            old: None,
            new: None,
            message: None,
            correlation_id: None,
        }
    }

    fn line_of(&mut self, kind: LineKind, of: &Subscription) -> ReportLine {
        ReportLine {
            subscription_id: Some(of.id),
            external_id: Some(of.listed.external_id.to_string()),
            ..self.line(kind, of.provider_account_id, &of.listed.name)
        }
    }

    /// A failure of a whole customer, or of one of its subscriptions, with the provider's words.
    pub(super) fn failed(
        &mut self,
        customer: &Customer,
        external_id: Option<String>,
        message: &str,
        correlation_id: Option<&str>,
    ) {
        let line = ReportLine {
            external_id,
            message: Some(message.to_owned()),
            correlation_id: correlation_id.map(str::to_owned),
            ..self.line(LineKind::Failed, customer.id, &customer.name)
        };
        self.lines.push(line);
    }

    /// A customer that was chosen, and is left as it is.
    pub(super) fn left_out(&mut self, out: &LeftOut) {
        let line = ReportLine {
            message: Some(out.why.clone()),
            ..self.line(LineKind::Failed, out.customer, &out.name)
        };
        self.lines.push(line);
    }

    /// Takes over what a comparison found. `into` is the contract that a person chose; without one it lands by itself.
    /// `initial` is true for a customer that was never read before.
    pub(super) fn take(
        &mut self,
        customer: &Customer,
        compared: Compared,
        into: Option<BillingContractId>,
        initial: bool,
    ) {
        let now = self.flows.context.now();
        let entries = log_entries(&compared, now);
        let counts = &mut self.run.counts;
        let Compared {
            ours,
            theirs,
            kind,
            differences,
        } = compared;
        let subscription = match (ours, theirs) {
            (Some(ours), theirs) => {
                match kind {
                    ChangeKind::Gone => counts.gone += 1,
                    ChangeKind::Unchanged => counts.unchanged += 1,
                    ChangeKind::New | ChangeKind::Changed => counts.changed += 1,
                }
                match self.renewed(ours, theirs, kind, &differences, into) {
                    Some(subscription) => subscription,
                    None => return,
                }
            }
            (None, Some(theirs)) => {
                counts.new += 1;
                self.begun(customer, theirs, into)
            }
            (None, None) => return,
        };
        for entry in entries {
            let contract = subscription.contract_id.and_then(|id| self.contract(id));
            let history = contract.is_some_and(|contract| {
                before_go_live(entry.effective_at, contract.terms.go_live_date)
            });
            self.entries.push(NewEntry {
                subscription_id: subscription.id,
                contract_id: subscription.contract_id,
                entry,
                archived: history.then_some(BEFORE_GO_LIVE),
            });
        }
        if kind != ChangeKind::Unchanged && !(initial && kind == ChangeKind::New) {
            self.events.push(NewEvent::subscription_changed(
                &subscription,
                kind,
                &differences,
                self.run,
            ));
        }
        self.written.push(subscription);
    }

    fn begun(
        &mut self,
        customer: &Customer,
        theirs: ListedSubscription,
        into: Option<BillingContractId>,
    ) -> Subscription {
        let now = self.flows.context.now();
        let landing = into.map_or_else(|| self.landing(customer, &theirs), Ok);
        let subscription = Subscription {
            id: ProductSubscriptionId::new(self.flows.context.new_uuid()),
            provider_id: customer.provider_id,
            provider_account_id: customer.id,
            listed: theirs,
            account_id: customer.account_id,
            contract_id: landing.ok(),
            held_for: landing.err(),
            selling_price: None,
            first_seen_at: now,
            gone_since: None,
            updated_at: now,
            version: 1,
        };
        let line = ReportLine {
            field: Some("quantity".to_owned()),
            new: Some(subscription.listed.quantity.to_string()),
            ..self.line_of(LineKind::New, &subscription)
        };
        self.lines.push(line);
        self.tell_landing(&subscription);
        subscription
    }

    fn tell_landing(&mut self, subscription: &Subscription) {
        let line = match (subscription.contract_id, subscription.held_for) {
            (Some(contract), _) => {
                self.run.counts.attached += 1;
                ReportLine {
                    new: Some(contract.to_string()),
                    ..self.line_of(LineKind::Attached, subscription)
                }
            }
            (None, held) => {
                self.run.counts.held += 1;
                ReportLine {
                    message: held.map(|held| why_held(held).to_owned()),
                    ..self.line_of(LineKind::Held, subscription)
                }
            }
        };
        self.lines.push(line);
    }

    /// A subscription that is known, as it is now; `None` when nothing of it changes.
    fn renewed(
        &mut self,
        mut ours: Subscription,
        theirs: Option<ListedSubscription>,
        kind: ChangeKind,
        differences: &[FieldDifference],
        into: Option<BillingContractId>,
    ) -> Option<Subscription> {
        let attaches = into.filter(|_| ours.contract_id.is_none());
        if kind == ChangeKind::Unchanged && attaches.is_none() {
            return None;
        }
        let now = self.flows.context.now();
        match theirs {
            Some(theirs) => {
                ours.listed = theirs;
                ours.gone_since = None;
            }
            None => {
                ours.gone_since = Some(now);
                let line = self.line_of(LineKind::Gone, &ours);
                self.lines.push(line);
            }
        }
        ours.updated_at = now;
        ours.version += 1;
        for difference in differences {
            let line = ReportLine {
                field: Some(difference.field.clone()),
                old: difference.old.clone(),
                new: difference.new.clone(),
                ..self.line_of(LineKind::Field, &ours)
            };
            self.lines.push(line);
        }
        if let Some(contract) = attaches {
            self.seat(&mut ours, Ok(contract));
        }
        Some(ours)
    }

    /// Puts a known subscription where it belongs now: report, audit (D10), and what is not invoiced goes along (B15).
    fn seat(&mut self, subscription: &mut Subscription, landing: Landing) {
        let before = subscription.contract_id;
        subscription.contract_id = landing.ok();
        subscription.held_for = landing.err();
        let contract = subscription.contract_id;
        self.moves
            .entry((before, contract))
            .or_default()
            .push(subscription.id);
        match (before, contract) {
            (Some(from), Some(to)) => {
                self.run.counts.attached += 1;
                let line = ReportLine {
                    old: Some(from.to_string()),
                    new: Some(to.to_string()),
                    ..self.line_of(LineKind::Moved, subscription)
                };
                self.lines.push(line);
            }
            _ => self.tell_landing(subscription),
        }
        self.audits.push(Entry {
            action: "subscription.moved",
            subject: subscription_subject(subscription.id),
            before: Some(json!({ "billingContractId": before })),
            after: Some(json!({ "billingContractId": contract, "heldFor": subscription.held_for })),
            reason: None,
        });
    }

    /// Seats a known subscription of this customer elsewhere, if it sits elsewhere; says whether it did.
    pub(super) fn reseat(
        &mut self,
        customer: &Customer,
        mut subscription: Subscription,
        landing: Landing,
    ) -> bool {
        let same = subscription.contract_id == landing.ok()
            && subscription.held_for == landing.err()
            && subscription.account_id == customer.account_id;
        if same {
            return false;
        }
        subscription.account_id = customer.account_id;
        subscription.updated_at = self.flows.context.now();
        subscription.version += 1;
        self.seat(&mut subscription, landing);
        self.written.push(subscription);
        true
    }

    /// Writes everything that was gathered, and the run.
    pub(super) async fn write(self, tx: &WriteTx) -> Result<(), FlowError> {
        let context = &self.flows.context;
        let ids: Vec<_> = self.written.iter().map(|it| it.id).collect();
        sync::write(tx, self.written).await?;
        subscription_runs::keep(tx, self.run).await?;
        subscription_runs::add_lines(tx, &self.lines).await?;
        let since = self
            .cut_over
            .map(|date| date.and_time(NaiveTime::MIN).and_utc());
        for ((from, to), moved) in self.moves {
            let to = to.and_then(|id| self.contracts.iter().find(|it| it.id == id));
            license_changes::move_active(tx, &moved, from, to, since).await?;
        }
        let actor = &self.by.actor.name;
        license_changes::insert(tx, context, Some(self.run.id), actor, self.entries).await?;
        audit::record_all(tx, context, self.by, self.audits).await?;
        outbox::publish(tx, context, self.events).await?;
        self.flows.judge_subscriptions(tx, &ids).await
    }
}

/// Why a subscription is held, and what to do.
pub(super) const fn why_held(held: HeldFor) -> &'static str {
    match held {
        HeldFor::Mapping => {
            "its provider account is mapped to no account; map it, and the subscription lands by itself"
        }
        HeldFor::Contract => {
            "the account has no default billing contract in its currency that takes its product; make one, and the subscription lands by itself"
        }
        HeldFor::Choice => {
            "several default billing contracts of the account fit; put it into one of them by hand"
        }
    }
}
