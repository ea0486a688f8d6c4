//! Trigger subscriptions: subscribe, unsubscribe, list, test (decision 10). Callback URL, signing secret and unsubscribe
//! token are secrets: the first two are kept sealed, the last hashed, and both of ours are shown once and never again.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::providers::checked;
use super::{FlowError, Flows};
use crate::domain::caller::{Actor, ActorKind, Caller, Channel, Permission, Role, Roles};
use crate::domain::event::EventType;
use crate::domain::exception::ExceptionKind;
use crate::domain::ids::SubscriptionId;
use crate::domain::trigger::{
    Delivery, Subscription, SubscriptionState, new_signing_secret, subscription_subject,
};
use crate::store::audit::Entry;
use crate::store::triggers::NewSubscription;
use crate::store::{WriteTx, audit, deliveries, dispatch, exceptions, triggers};

/// Subscriptions of one owner that are not retired, at most.
pub const MOST_LIVE: u64 = 100;

/// Rows of a page at most.
const MOST_PER_PAGE: u64 = 500;

/// What it takes to subscribe.
#[derive(Debug)]
pub struct Subscribe {
    /// The trigger.
    pub event_type: EventType,
    /// Where events go.
    pub callback_url: SecretString,
    /// The flow, where it says so. Subscribing again for it takes the place of its older subscription.
    pub workflow_id: Option<String>,
    /// What people call it.
    pub label: Option<String>,
}

/// A subscription with its secrets, which nobody can read again.
#[derive(Debug)]
pub struct Subscribed {
    /// The subscription.
    pub subscription: Subscription,
    /// Whoever has it may unsubscribe; nothing else is needed for that.
    pub unsubscribe_token: SecretString,
    /// What deliveries are signed with (`whsec_…`).
    pub signing_secret: SecretString,
}

fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// Whose subscriptions and deliveries the caller sees: its own, an administrator everybody's.
pub(super) fn scope(caller: &Caller) -> Option<String> {
    (!caller.roles.contains(&Role::Admin)).then(|| caller.actor.key())
}

impl Flows {
    /// Subscribes the caller to a trigger.
    ///
    /// # Errors
    /// When the caller may not or has too many, or the callback URL is refused.
    pub async fn subscribe(
        &self,
        caller: &Caller,
        request: Subscribe,
    ) -> Result<Subscribed, FlowError> {
        caller.require(Permission::Subscribe)?;
        if caller.actor.kind == ActorKind::Session {
            let reason =
                "a browser session ends too soon to own a trigger subscription; use an API key";
            return Err(FlowError::Invalid(reason.to_owned()));
        }
        let unsubscribe_token = URL_SAFE_NO_PAD.encode(self.context.secret_bytes());
        let signing_secret = new_signing_secret(&self.context);
        let new = self.sealed(caller, &request, &unsubscribe_token, &signing_secret)?;
        let id = new.id;

        let tx = self.store.begin().await?;
        dispatch::exclude(&tx, &self.context).await?;
        let older = triggers::create(&tx, &self.context, new).await?;
        let live = triggers::count_live(&*tx, &caller.actor.key()).await?;
        if live > MOST_LIVE {
            return Err(FlowError::Conflict {
                detail: format!(
                    "this caller has {MOST_LIVE} trigger subscriptions, which is the most; delete some that are no longer needed"
                ),
                current: json!({ "liveSubscriptions": live - 1 }),
            });
        }
        let subscription = triggers::find(&*tx, id)
            .await?
            .ok_or_else(|| FlowError::not_found("trigger subscription", id))?;
        for predecessor in triggers::predecessors(&*tx, &subscription).await? {
            self.close_refusal(&tx, predecessor).await?;
        }
        let entry = Entry {
            action: "trigger.subscribed",
            subject: subscription_subject(id),
            before: older.map(|older| json!({ "supersedes": older })),
            after: Some(summary(&subscription)),
            ..Entry::default()
        };
        audit::record(&tx, &self.context, caller, entry).await?;
        tx.commit().await?;
        Ok(Subscribed {
            subscription,
            unsubscribe_token: unsubscribe_token.into(),
            signing_secret,
        })
    }

    /// Checks the request and seals its secrets for a new id.
    fn sealed(
        &self,
        caller: &Caller,
        request: &Subscribe,
        unsubscribe_token: &str,
        signing_secret: &SecretString,
    ) -> Result<NewSubscription, FlowError> {
        let text = |label, text: &Option<String>| {
            let text = text.as_deref().filter(|text| !text.trim().is_empty());
            text.map(|text| checked(label, text)).transpose()
        };
        let url = request.callback_url.expose_secret();
        let row = self.context.new_uuid();
        Ok(NewSubscription {
            id: SubscriptionId::new(row),
            event_type: request.event_type,
            owner: caller.actor.key(),
            workflow_id: text("workflowId", &request.workflow_id)?,
            label: text("label", &request.label)?,
            callback_host: self.callbacks.check(url)?,
            callback: self.sealer.seal(row, url),
            signing: self.sealer.seal(row, signing_secret.expose_secret()),
            unsubscribe_hash: hash(unsubscribe_token),
        })
    }

    /// Ends the subscription that the token belongs to. It is all that is needed, because Power Automate sends no
    /// credential with its DELETE; a token that is unknown, or was used before, is a success too.
    ///
    /// # Errors
    /// Only when the database fails.
    pub async fn unsubscribe(
        &self,
        token: &str,
        correlation_id: Option<String>,
    ) -> Result<(), FlowError> {
        let tx = self.store.begin().await?;
        let retired = triggers::retire_by_token(&tx, &self.context, &hash(token)).await?;
        let Some(subscription) = retired else {
            return Ok(());
        };
        self.close_refusal(&tx, subscription.id).await?;
        let caller = holder(&subscription, correlation_id);
        let entry = Entry {
            action: "trigger.unsubscribed",
            subject: subscription_subject(subscription.id),
            before: Some(summary(&subscription)),
            ..Entry::default()
        };
        audit::record(&tx, &self.context, &caller, entry).await?;
        tx.commit().await?;
        Ok(())
    }

    /// A page of the caller's subscriptions that are not retired (or all), oldest first. An administrator sees
    /// everybody's.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn list_triggers(
        &self,
        caller: &Caller,
        with_retired: bool,
        after: Option<SubscriptionId>,
        top: u64,
    ) -> Result<Vec<Subscription>, FlowError> {
        caller.require(Permission::Subscribe)?;
        let top = top.clamp(1, MOST_PER_PAGE);
        let owner = scope(caller);
        let reader = self.store.reader();
        Ok(triggers::list(reader, owner.as_deref(), with_retired, after, top).await?)
    }

    /// One of the caller's subscriptions.
    ///
    /// # Errors
    /// When the caller may not, or there is none of theirs with this id.
    pub async fn get_trigger(
        &self,
        caller: &Caller,
        id: SubscriptionId,
    ) -> Result<Subscription, FlowError> {
        caller.require(Permission::Subscribe)?;
        triggers::find(self.store.reader(), id)
            .await?
            .filter(|found| scope(caller).is_none_or(|owner| owner == found.owner))
            .ok_or_else(|| FlowError::not_found("trigger subscription", id))
    }

    /// Sends a sample event, marked as a test, to one subscription and nobody else. It goes the way of every delivery;
    /// follow it with [`Self::get_delivery`].
    ///
    /// # Errors
    /// When the caller may not, there is no such subscription, or it is suspended or retired.
    pub async fn send_test_event(
        &self,
        caller: &Caller,
        id: SubscriptionId,
    ) -> Result<Delivery, FlowError> {
        let subscription = self.get_trigger(caller, id).await?;
        refuse_retired(&subscription)?;
        refuse_suspended(&subscription)?;
        let tx = self.store.begin().await?;
        let delivery = deliveries::create_test(&tx, &self.context, id).await?;
        let entry = Entry {
            action: "trigger.tested",
            subject: subscription_subject(id),
            after: Some(json!({ "deliveryId": delivery.id })),
            ..Entry::default()
        };
        audit::record(&tx, &self.context, caller, entry).await?;
        tx.commit().await?;
        Ok(delivery)
    }

    async fn close_refusal(&self, tx: &WriteTx, id: SubscriptionId) -> Result<(), FlowError> {
        let subject = subscription_subject(id);
        exceptions::close(tx, &self.context, ExceptionKind::TriggerRefused, &subject).await?;
        Ok(())
    }
}

/// Nothing more can be sent to a retired subscription.
pub(super) fn refuse_retired(subscription: &Subscription) -> Result<(), FlowError> {
    if subscription.state != SubscriptionState::Retired {
        return Ok(());
    }
    let why = subscription.state_reason.as_deref().unwrap_or("it ended");
    Err(FlowError::Conflict {
        detail: format!(
            "the trigger subscription is retired ({why}); subscribe again, for a flow by turning it off and on"
        ),
        current: summary(subscription),
    })
}

/// Nothing is sent to a suspended subscription until its owner may receive events again, so a test would show nothing.
fn refuse_suspended(subscription: &Subscription) -> Result<(), FlowError> {
    if subscription.state != SubscriptionState::Suspended {
        return Ok(());
    }
    let why = subscription.state_reason.as_deref();
    let why = why.unwrap_or("its owner may not receive events");
    Err(FlowError::Conflict {
        detail: format!(
            "the trigger subscription is suspended ({why}); give its owner a role again, or subscribe again as a caller that has one"
        ),
        current: summary(subscription),
    })
}

fn summary(subscription: &Subscription) -> serde_json::Value {
    json!({
        "eventType": subscription.event_type.name(),
        "owner": subscription.owner,
        "workflowId": subscription.workflow_id,
        "label": subscription.label,
        "callbackHost": subscription.callback_host,
        "state": subscription.state,
        "stateReason": subscription.state_reason,
    })
}

/// Whoever holds the token acts for the owner.
fn holder(subscription: &Subscription, correlation_id: Option<String>) -> Caller {
    let (kind, id) = subscription.owner.split_once(':').unwrap_or_default();
    Caller {
        actor: Actor {
            kind: match kind {
                "user" => ActorKind::User,
                "app" => ActorKind::App,
                "service" => ActorKind::Service,
                _ => ActorKind::Key,
            },
            id: id.to_owned(),
            name: "holder of the unsubscribe token".to_owned(),
        },
        roles: Roles::new(),
        channel: Channel::Flow,
        correlation_id,
    }
}
