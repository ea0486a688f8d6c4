//! Typed ids: a [`JobId`] cannot be handed to a function that wants an [`AccountId`].
//! All are UUIDs; those we make are version 7 (see [`super::context::Context::new_uuid`]), those of the CRM are whatever it uses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text was not a UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a UUID such as 0197a1b2-0000-7000-8000-000000000001")]
pub struct IdError {
    /// What was given, cut to 60 characters.
    pub text: String,
}

macro_rules! typed_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that is known to be of this kind.
            #[must_use]
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// The bare UUID, for the store and for wire types.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::parse_str(text.trim())
                    .map(Self)
                    .map_err(|_| IdError { text: text.chars().take(60).collect() })
            }
        }
    )+};
}

typed_id!(
    /// A connected [`super::provider::Provider`].
    ProviderId,
    /// One customer as one provider knows it.
    ProviderAccountId,
    /// An Account of the CRM (`accountid` in Dataverse).
    AccountId,
    /// A Contact of the CRM (`contactid` in Dataverse).
    ContactId,
    /// A Job.
    JobId,
    /// A plan of auto-match; also the id of the Job that made it.
    MatchPlanId,
    /// A Scheduled Job.
    ScheduleId,
    /// One run of a sync.
    SyncRunId,
    /// An event; also the `webhook-id` of each of its deliveries.
    EventId,
    /// A trigger subscription (its public id, not the secret that unsubscribes it).
    SubscriptionId,
    /// One event on its way to one trigger subscription.
    DeliveryId,
    /// An API key (its public id, not the secret).
    ApiKeyId,
    /// An entry of the audit trail.
    AuditId,
    /// An exception (a record that will break billing later).
    ExceptionId,
    /// A Billing Contract.
    BillingContractId,
    /// A product, quantity, term and price that a customer holds at a provider.
    ProductSubscriptionId,
    /// What a sync of subscriptions would do, kept to be decided on.
    PreviewId,
    /// One run of a sync of subscriptions.
    SubscriptionRunId,
    /// One dated change of a subscription (LCL).
    ChangeLogId,
    /// A sealed secret.
    SecretId,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_prints_and_refuses_anything_else() {
        let id: AccountId = "0197A1B2-0000-7000-8000-000000000001".parse().unwrap();
        assert_eq!(id.to_string(), "0197a1b2-0000-7000-8000-000000000001");
        assert_eq!(id.to_string().parse::<AccountId>().unwrap(), id);
        let error = "x".repeat(500).parse::<AccountId>().unwrap_err();
        assert_eq!(error.text.len(), 60);
    }
}
