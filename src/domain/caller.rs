//! Who asks, through which channel, and what they may do (G1, G2, G4, G5).
//! `identity` turns a credential into a principal and that into a [`Caller`]; flows see only the `Caller`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The roles of G1. They are additive: a caller may do whatever any of its roles allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Reads; changes nothing.
    Reader,
    /// Reads, and follows reseller relationships.
    Sales,
    /// Syncs and maps.
    Provisioning,
    /// Billing Contracts and subscriptions; maps.
    Billing,
    /// Invoices and overrides.
    BillingManager,
    /// Configuration, consent, keys.
    Admin,
    /// The application user under which Jobs run (G4).
    Service,
}

impl Role {
    /// Every role, in the order of G1.
    pub const ALL: [Self; 7] = [
        Self::Reader,
        Self::Sales,
        Self::Provisioning,
        Self::Billing,
        Self::BillingManager,
        Self::Admin,
        Self::Service,
    ];

    /// The name in the API, in keys and in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Sales => "sales",
            Self::Provisioning => "provisioning",
            Self::Billing => "billing",
            Self::BillingManager => "billing-manager",
            Self::Admin => "admin",
            Self::Service => "service",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text named no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no role; the roles are reader, sales, provisioning, billing, billing-manager and admin"
)]
pub struct RoleError(pub String);

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == text.trim())
            .ok_or_else(|| RoleError(text.chars().take(40).collect()))
    }
}

/// The set of roles a caller has.
pub type Roles = BTreeSet<Role>;

/// Something that can be allowed or refused. Each lists the roles that allow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See Provider Accounts, accounts, jobs, providers, runs.
    Read,
    /// Map, remap, unmap, exclude (B4); run auto-match.
    Map,
    /// Start a sync of Provider Accounts.
    Sync,
    /// Create, change and close Billing Contracts; set prices; move subscriptions between contracts.
    Bill,
    /// Own trigger subscriptions: create, test, list, redeliver.
    Subscribe,
    /// Connect and change providers, settings, schedules.
    Configure,
    /// Create, list and revoke API keys and sign-in links.
    ManageKeys,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 7] = [
        Self::Read,
        Self::Map,
        Self::Sync,
        Self::Bill,
        Self::Subscribe,
        Self::Configure,
        Self::ManageKeys,
    ];

    /// The roles that allow it, any one of which is enough.
    #[must_use]
    pub const fn roles(self) -> &'static [Role] {
        use Role::{Admin, Billing, BillingManager, Provisioning, Reader, Sales, Service};
        match self {
            Self::Read => &[
                Reader,
                Sales,
                Provisioning,
                Billing,
                BillingManager,
                Admin,
                Service,
            ],
            Self::Map => &[Provisioning, Billing, Admin, Service],
            Self::Sync => &[Provisioning, Admin, Service],
            Self::Bill => &[Billing, BillingManager, Admin],
            Self::Subscribe => &[Reader, Sales, Provisioning, Billing, BillingManager, Admin],
            Self::Configure | Self::ManageKeys => &[Admin],
        }
    }
}

/// Of `roles` and `cap`, those that allow nothing beyond what both sets allow: the cap takes away and never gives. An Admin
/// capped to Reader is a Reader.
#[must_use]
pub fn capped(roles: &Roles, cap: &Roles) -> Roles {
    let allows = |set: &Roles, permission: Permission| {
        permission.roles().iter().any(|role| set.contains(role))
    };
    let fits = |role: &&Role| {
        Permission::ALL.into_iter().all(|permission| {
            !permission.roles().contains(role)
                || (allows(roles, permission) && allows(cap, permission))
        })
    };
    roles.union(cap).filter(fits).copied().collect()
}

/// How a call came in (G2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// A Power Automate flow or another client of the API.
    Flow,
    /// A Dynamics plug-in or Dataverse webhook.
    PlugIn,
    /// One of our pages.
    Page,
    /// A Job.
    Job,
    /// The command line.
    Cli,
}

/// What kind of actor did something. Kept in the audit trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActorKind {
    /// A person.
    User,
    /// An application with a token of its own.
    App,
    /// An API key.
    Key,
    /// A browser session opened by a one-time link.
    Session,
    /// This service itself, in a Job.
    Service,
}

/// Who did something. `id` is stable; `name` is for people to read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// Kind of actor.
    pub kind: ActorKind,
    /// Stable id within the kind: key id, session id, `tid/oid`, job id.
    pub id: String,
    /// Display name.
    pub name: String,
}

impl Actor {
    /// The identity to which trigger subscriptions, cursors and idempotency keys are bound.
    #[must_use]
    pub fn key(&self) -> String {
        let kind = match self.kind {
            ActorKind::User => "user",
            ActorKind::App => "app",
            ActorKind::Key => "key",
            ActorKind::Session => "session",
            ActorKind::Service => "service",
        };
        format!("{kind}:{}", self.id)
    }
}

/// An authenticated call.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub actor: Actor,
    /// What they may do.
    pub roles: Roles,
    /// How the call came in.
    pub channel: Channel,
    /// The id under which the caller's side knows this call, where it sent one.
    pub correlation_id: Option<String>,
}

/// The caller has none of the roles that allow this (G5).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this needs one of the roles {needs}; the caller has {has}")]
pub struct MissingRole {
    /// Roles that would do, comma separated.
    pub needs: String,
    /// Roles the caller has, or `none`.
    pub has: String,
}

impl Caller {
    /// This service itself, acting for a Job (G4).
    #[must_use]
    pub fn service(job: impl fmt::Display) -> Self {
        Self {
            actor: Actor {
                kind: ActorKind::Service,
                id: job.to_string(),
                name: "Provider Bridge".to_owned(),
            },
            roles: Roles::from([Role::Service]),
            channel: Channel::Job,
            correlation_id: None,
        }
    }

    /// Ok when one of the caller's roles allows `permission`.
    ///
    /// # Errors
    /// [`MissingRole`], which names the roles that would do.
    pub fn require(&self, permission: Permission) -> Result<(), MissingRole> {
        if permission
            .roles()
            .iter()
            .any(|role| self.roles.contains(role))
        {
            return Ok(());
        }
        let list = |roles: &mut dyn Iterator<Item = &Role>| {
            roles.map(|role| role.name()).collect::<Vec<_>>().join(", ")
        };
        let has = list(&mut self.roles.iter());
        Err(MissingRole {
            // No caller from outside can have the role of this service, so it is no advice.
            needs: list(
                &mut permission
                    .roles()
                    .iter()
                    .filter(|role| **role != Role::Service),
            ),
            has: if has.is_empty() {
                "none".to_owned()
            } else {
                has
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_takes_away_and_never_gives() {
        let of = |roles: &[Role]| roles.iter().copied().collect::<Roles>();
        let (admin, reader) = (of(&[Role::Admin]), of(&[Role::Reader]));
        assert_eq!(capped(&admin, &reader), reader);
        assert_eq!(capped(&reader, &admin), reader);
        assert_eq!(capped(&admin, &admin), admin);
        assert_eq!(capped(&admin, &of(&[])), of(&[]));
        assert_eq!(
            capped(&of(&[Role::Billing]), &of(&[Role::BillingManager])),
            of(&[Role::BillingManager]),
            "what both allow, and no more"
        );
        assert_eq!(
            capped(&of(&[Role::Provisioning]), &of(&[Role::Billing])),
            of(&[]),
            "each allows what the other does not"
        );
    }
}
