//! Trigger subscriptions and deliveries: which caller wants which events, and how far each event has come (decision 10).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::context::Context;
use super::event::EventType;
use super::ids::{DeliveryId, EventId, SubscriptionId};

/// Where a subscription stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubscriptionState {
    /// Gets events.
    Active,
    /// Its owner's key or role is gone; nothing is sent until that is mended.
    Suspended,
    /// Ended: unsubscribed, superseded, or its receiver is gone.
    Retired,
}

impl SubscriptionState {
    /// The name in the API and the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Retired => "retired",
        }
    }

    /// Reads [`Self::name`] back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Active, Self::Suspended, Self::Retired]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// A trigger subscription, without its sealed callback URL and secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Public id.
    pub id: SubscriptionId,
    /// The trigger it is for.
    pub event_type: EventType,
    /// [`super::caller::Actor::key`] of its owner.
    pub owner: String,
    /// The flow that subscribed, where it said so.
    pub workflow_id: Option<String>,
    /// What people call it.
    pub label: Option<String>,
    /// Host of the callback URL; the rest of it is a secret.
    pub callback_host: String,
    /// Where it stands.
    pub state: SubscriptionState,
    /// Why it is suspended or retired.
    pub state_reason: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When an event last arrived.
    pub last_delivered_at: Option<DateTime<Utc>>,
}

/// What a signing secret begins with, so that a leaked one is recognised for what it is (Standard Webhooks).
pub const SIGNING_SECRET_PREFIX: &str = "whsec_";

/// A new signing secret of 256 bits, in the form that is shown once to its receiver: `whsec_` and base64.
#[must_use]
pub fn new_signing_secret(context: &Context) -> SecretString {
    let key = STANDARD.encode(context.secret_bytes());
    format!("{SIGNING_SECRET_PREFIX}{key}").into()
}

/// The subject of audit entries and exceptions about a subscription.
#[must_use]
pub fn subscription_subject(id: SubscriptionId) -> String {
    format!("trigger-subscription/{id}")
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// To be sent, now or at its next attempt.
    Pending,
    /// The receiver answered 2xx.
    Delivered,
    /// Given up; a person may redeliver it.
    Dead,
    /// Not to be sent any more: its subscription ended.
    Cancelled,
}

impl DeliveryState {
    /// The name in the API and the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads [`Self::name`] back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Pending, Self::Delivered, Self::Dead, Self::Cancelled]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// One event on its way to one subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Our id.
    pub id: DeliveryId,
    /// To whom.
    pub subscription_id: SubscriptionId,
    /// What; also the `webhook-id` header.
    pub event_id: EventId,
    /// Place of the event in the one order of events.
    pub position: i64,
    /// What the event is about; deliveries of one subject to one subscription are sent one after the other.
    pub subject: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// Attempts made.
    pub attempts: i32,
    /// Not before this instant.
    pub next_attempt_at: DateTime<Utc>,
    /// HTTP status of the last attempt; `None` when there was no answer.
    pub last_status: Option<i32>,
    /// What went wrong in the last attempt.
    pub last_error: Option<String>,
    /// When it arrived.
    pub delivered_at: Option<DateTime<Utc>>,
}
