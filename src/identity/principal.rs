//! Who is calling: one type for every kind of credential, so that nothing behind it asks how somebody signed in.
//! Users and applications are told apart by tenant and object id, never by a name or e-mail address.

use uuid::Uuid;

use crate::domain::caller::{Actor, ActorKind, Caller, Channel, Roles};
use crate::domain::ids::ApiKeyId;

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A person, by a token of the identity provider.
    User {
        /// `tid` of the token.
        tenant_id: Uuid,
        /// `oid` of the token.
        object_id: Uuid,
        /// For people to read.
        name: String,
        /// What they may do here.
        roles: Roles,
    },
    /// An application with a token of its own.
    App {
        /// `tid` of the token.
        tenant_id: Uuid,
        /// `oid` of the token: the service principal.
        object_id: Uuid,
        /// For people to read.
        name: String,
        /// What it may do here.
        roles: Roles,
    },
    /// An API key.
    Key {
        /// The key's public id.
        id: ApiKeyId,
        /// What people call it.
        name: String,
        /// What it may do.
        roles: Roles,
    },
    /// A browser session opened by a one-time link.
    Session {
        /// The session's id, not its cookie.
        id: Uuid,
        /// For people to read.
        name: String,
        /// What it may do.
        roles: Roles,
    },
}

impl Principal {
    /// Who this is, for audit trail and ownership.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let (kind, id, name) = match self {
            Self::User {
                tenant_id,
                object_id,
                name,
                ..
            } => (ActorKind::User, format!("{tenant_id}/{object_id}"), name),
            Self::App {
                tenant_id,
                object_id,
                name,
                ..
            } => (ActorKind::App, format!("{tenant_id}/{object_id}"), name),
            Self::Key { id, name, .. } => (ActorKind::Key, id.to_string(), name),
            Self::Session { id, name, .. } => (ActorKind::Session, id.to_string(), name),
        };
        Actor {
            kind,
            id,
            name: name.clone(),
        }
    }

    /// What it may do.
    #[must_use]
    pub const fn roles(&self) -> &Roles {
        match self {
            Self::User { roles, .. }
            | Self::App { roles, .. }
            | Self::Key { roles, .. }
            | Self::Session { roles, .. } => roles,
        }
    }

    /// The call as flows see it.
    #[must_use]
    pub fn to_caller(&self, channel: Channel, correlation_id: Option<String>) -> Caller {
        Caller {
            actor: self.actor(),
            roles: self.roles().clone(),
            channel,
            correlation_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::caller::Role;

    #[test]
    fn a_caller_carries_stable_ids_and_the_roles_of_its_principal() {
        let user = Principal::User {
            tenant_id: Uuid::from_u128(1),
            object_id: Uuid::from_u128(2),
            name: "Jo".to_owned(),
            roles: Roles::from([Role::Billing]),
        };
        let caller = user.to_caller(Channel::Flow, Some("c".to_owned()));
        assert_eq!(
            caller.actor.key(),
            "user:00000000-0000-0000-0000-000000000001/00000000-0000-0000-0000-000000000002"
        );
        assert_eq!(caller.roles, Roles::from([Role::Billing]));
        assert_eq!(caller.correlation_id.as_deref(), Some("c"));
    }
}
