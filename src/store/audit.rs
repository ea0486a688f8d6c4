//! The audit trail (G2): written in the transaction of the change it tells of.

use sea_orm::ActiveValue::Set;
use serde_json::Value;

use super::entities::audit;
use super::error::StoreError;
use super::{WriteTx, bulk};
use crate::domain::caller::{Caller, Channel};
use crate::domain::context::Context;

/// What happened.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// Dotted verb, e.g. `mapping.set`.
    pub action: &'static str,
    /// What it happened to, e.g. `provider-account/{id}`.
    pub subject: String,
    /// State before, where there was one.
    pub before: Option<Value>,
    /// State after, where there is one.
    pub after: Option<Value>,
    /// Why, in the caller's words.
    pub reason: Option<String>,
}

/// Records one entry.
///
/// # Errors
/// When the database refuses.
pub async fn record(
    tx: &WriteTx,
    context: &Context,
    caller: &Caller,
    entry: Entry,
) -> Result<(), StoreError> {
    record_all(tx, context, caller, vec![entry]).await
}

/// Records many entries of one caller in as few statements as possible.
///
/// # Errors
/// When the database refuses.
pub async fn record_all(
    tx: &WriteTx,
    context: &Context,
    caller: &Caller,
    entries: Vec<Entry>,
) -> Result<(), StoreError> {
    let at = context.now();
    let actor_kind = word(&caller.actor.kind);
    let rows = entries.into_iter().map(|entry| audit::ActiveModel {
        id: Set(context.new_uuid()),
        at: Set(at),
        actor_kind: Set(actor_kind.clone()),
        actor_id: Set(caller.actor.id.clone()),
        actor_name: Set(caller.actor.name.clone()),
        channel: Set(channel(caller.channel)),
        correlation_id: Set(caller.correlation_id.clone()),
        action: Set(entry.action.to_owned()),
        subject: Set(entry.subject),
        before: Set(entry.before),
        after: Set(entry.after),
        reason: Set(entry.reason),
    });
    bulk::insert(tx, rows).await
}

fn channel(channel: Channel) -> String {
    word(&channel)
}

/// The serde name of a unit variant.
fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}
