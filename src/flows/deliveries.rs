//! Deliveries that were given up ("dead letters"): looking at them and sending them again.

use serde_json::json;

use super::triggers::{refuse_retired, scope};
use super::{FlowError, Flows};
use crate::domain::caller::{Caller, Permission};
use crate::domain::ids::DeliveryId;
use crate::domain::trigger::Delivery;
use crate::store::audit::Entry;
use crate::store::{audit, deliveries, triggers};

/// Rows of a page at most.
const MOST_PER_PAGE: u64 = 500;

impl Flows {
    /// A page of deliveries to the caller's subscriptions that were given up, oldest first. An administrator sees
    /// everybody's.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn list_dead_deliveries(
        &self,
        caller: &Caller,
        after: Option<DeliveryId>,
        top: u64,
    ) -> Result<Vec<Delivery>, FlowError> {
        caller.require(Permission::Subscribe)?;
        let top = top.clamp(1, MOST_PER_PAGE);
        let owner = scope(caller);
        Ok(deliveries::list_dead(self.store.reader(), owner.as_deref(), after, top).await?)
    }

    /// One delivery to one of the caller's subscriptions.
    ///
    /// # Errors
    /// When the caller may not, or there is none of theirs with this id.
    pub async fn get_delivery(
        &self,
        caller: &Caller,
        id: DeliveryId,
    ) -> Result<Delivery, FlowError> {
        caller.require(Permission::Subscribe)?;
        let missing = || FlowError::not_found("delivery", id);
        let delivery = deliveries::find(self.store.reader(), id)
            .await?
            .ok_or_else(missing)?;
        match self.get_trigger(caller, delivery.subscription_id).await {
            Err(FlowError::NotFound { .. }) => Err(missing()),
            Err(error) => Err(error),
            Ok(_) => Ok(delivery),
        }
    }

    /// Sends a delivery again that was given up, with all its tries. Any other one stays as it is, so that asking twice
    /// sends once.
    ///
    /// # Errors
    /// When the caller may not, there is no such delivery, or its subscription is retired.
    pub async fn redeliver(&self, caller: &Caller, id: DeliveryId) -> Result<Delivery, FlowError> {
        let missing = || FlowError::not_found("delivery", id);
        let delivery = self.get_delivery(caller, id).await?;
        let tx = self.store.begin().await?;
        let subscription = triggers::find(&*tx, delivery.subscription_id)
            .await?
            .ok_or_else(missing)?;
        refuse_retired(&subscription)?;
        if deliveries::redeliver(&tx, &self.context, id).await? {
            let entry = Entry {
                action: "delivery.redelivered",
                subject: format!("delivery/{id}"),
                after: Some(json!({
                    "eventId": delivery.event_id,
                    "subscriptionId": delivery.subscription_id,
                })),
                ..Entry::default()
            };
            audit::record(&tx, &self.context, caller, entry).await?;
        }
        let delivery = deliveries::find(&*tx, id).await?.ok_or_else(missing)?;
        tx.commit().await?;
        Ok(delivery)
    }
}
