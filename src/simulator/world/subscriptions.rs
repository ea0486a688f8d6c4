//! What happened to subscriptions behind the product's back. The subscriptions themselves are made up from the customer's
//! place; only what differs from that is kept: fields that were set, subscriptions that came, subscriptions that went.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::domain::provider_account::ExternalId;

/// A change of one customer's subscriptions, as somebody makes it in the provider's portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionChange {
    /// The customer.
    pub customer: ExternalId,
    /// The subscription; a new one when there is none.
    #[serde(default)]
    pub subscription: Option<String>,
    /// The fields that are set, in Partner Center's words; null takes one away. Without fields the subscription itself goes.
    #[serde(default)]
    pub fields: Option<Map<String, Value>>,
}

/// The changes of every customer.
#[derive(Debug, Default)]
pub(in crate::simulator) struct Subscriptions(
    HashMap<Uuid, BTreeMap<String, Option<Map<String, Value>>>>,
);

impl Subscriptions {
    /// Keeps a change. `fresh` is the id of a new subscription. Gives the id of the subscription.
    pub fn change(&mut self, customer: Uuid, change: SubscriptionChange, fresh: Uuid) -> Uuid {
        let id = change
            .subscription
            .map_or_else(|| fresh.to_string(), |id| id.to_ascii_lowercase());
        let of_customer = self.0.entry(customer).or_default();
        match change.fields {
            None => drop(of_customer.insert(id.clone(), None)),
            Some(fields) => of_customer
                .entry(id.clone())
                .or_default()
                .get_or_insert_default()
                .extend(fields),
        }
        Uuid::parse_str(&id).unwrap_or(fresh)
    }

    /// The subscriptions of a customer as they are after what happened; `blank` makes a new one of its id.
    pub fn apply(
        &self,
        customer: Uuid,
        mut list: Vec<Value>,
        blank: impl Fn(&str) -> Value,
    ) -> Vec<Value> {
        let Some(changes) = self.0.get(&customer) else {
            return list;
        };
        for (id, change) in changes {
            let at = list.iter().position(|known| is(known, id));
            match (change, at) {
                (None, Some(at)) => drop(list.remove(at)),
                (None, None) => {}
                (Some(fields), at) => {
                    let at = at.unwrap_or_else(|| {
                        list.push(blank(id));
                        list.len() - 1
                    });
                    if let Some(known) = list.get_mut(at) {
                        set(known, fields);
                    }
                }
            }
        }
        list
    }
}

/// Whether this subscription has the id, whose case is not reliable.
pub(in crate::simulator) fn is(subscription: &Value, id: &str) -> bool {
    let own = subscription.get("id").and_then(Value::as_str);
    own.is_some_and(|own| own.eq_ignore_ascii_case(id))
}

fn set(subscription: &mut Value, fields: &Map<String, Value>) {
    let Value::Object(known) = subscription else {
        return;
    };
    for (name, value) in fields {
        if value.is_null() {
            known.shift_remove(name);
        } else {
            known.insert(name.clone(), value.clone());
        }
    }
}
