//! What changed: one row, and the message that changed it.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::domain::context::Context;
use crate::simulator::credentials::ENTRA_TENANT_ID;
use crate::simulator::world::OWNER;

/// The name space of types.
const CONTRACTS: &str = "http://schemas.microsoft.com/xrm/2011/Contracts";
/// So much is added to a notice that shall be too large.
const SWELLING: usize = 300 * 1024;

/// The message of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::simulator) enum Message {
    Create,
    Update,
    Delete,
    /// Of an account into the one that the notice is about.
    Merge {
        subordinate: Uuid,
    },
}

impl Message {
    /// As Dataverse calls it.
    pub(in crate::simulator) const fn name(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Update => "Update",
            Self::Delete => "Delete",
            Self::Merge { .. } => "Merge",
        }
    }
}

/// A change of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::simulator) struct Notice {
    pub message: Message,
    pub table: &'static str,
    pub id: Uuid,
    /// The user who did it.
    pub by: Uuid,
    /// Columns of text that the row has now.
    pub columns: Vec<(&'static str, String)>,
}

impl Notice {
    fn target(&self, swollen: bool) -> Value {
        if self.message == Message::Delete || matches!(self.message, Message::Merge { .. }) {
            return json!({
                "__type": format!("EntityReference:{CONTRACTS}"), "Id": self.id, "KeyAttributes": [],
                "LogicalName": self.table, "Name": null, "RowVersion": null,
            });
        }
        let columns = self.columns.iter();
        let mut attributes: Vec<_> = columns
            .map(|(key, value)| json!({ "key": key, "value": value }))
            .collect();
        attributes.push(json!({ "key": format!("{}id", self.table), "value": self.id }));
        if swollen {
            let text = "x".repeat(SWELLING);
            attributes.push(json!({ "key": "description", "value": text }));
        }
        json!({
            "__type": format!("Entity:{CONTRACTS}"), "Attributes": attributes, "EntityState": null,
            "FormattedValues": [], "Id": self.id, "KeyAttributes": [], "LogicalName": self.table, "RelatedEntities": [],
            "RowVersion": null,
        })
    }

    /// The execution context, with everything.
    pub(super) fn context(&self, context: &Context, swollen: bool) -> Value {
        let mut parameters = vec![json!({ "key": "Target", "value": self.target(swollen) })];
        if let Message::Merge { subordinate } = self.message {
            parameters.push(json!({ "key": "SubordinateId", "value": subordinate }));
            parameters.push(json!({ "key": "PerformParentingChecks", "value": false }));
        }
        let step = json!({
            "Id": OWNER, "KeyAttributes": [], "LogicalName": "sdkmessageprocessingstep", "Name": null, "RowVersion": null,
        });
        let operation = context.new_uuid();
        json!({
            "BusinessUnitId": OWNER,
            "CorrelationId": context.new_uuid(),
            "Depth": 1,
            "InitiatingUserAgent": "",
            "InitiatingUserAzureActiveDirectoryObjectId": Uuid::nil(),
            "InitiatingUserId": self.by,
            "InputParameters": parameters,
            "IsExecutingOffline": false,
            "IsInTransaction": false,
            "IsOfflinePlayback": false,
            "IsolationMode": 1,
            "MessageName": self.message.name(),
            "Mode": 1,
            "OperationCreatedOn": format!("/Date({})/", context.now().timestamp_millis()),
            "OperationId": operation,
            "OrganizationId": ENTRA_TENANT_ID,
            "OrganizationName": "simulated",
            "OutputParameters": [],
            "OwningExtension": step,
            "ParentContext": null,
            "PostEntityImages": [],
            "PreEntityImages": [],
            "PrimaryEntityId": self.id,
            "PrimaryEntityName": self.table,
            "RequestId": operation,
            "SecondaryEntityName": "none",
            "SharedVariables": [{ "key": "IsAutoTransact", "value": true }],
            "Stage": 40,
            "UserAzureActiveDirectoryObjectId": Uuid::nil(),
            "UserId": self.by,
        })
    }
}
