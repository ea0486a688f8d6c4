//! API keys and browser sessions as we keep them, without their secrets: only hashes of those are stored.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::caller::Roles;
use super::ids::ApiKeyId;

/// An API key. Never deleted, so that the audit trail stays readable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Public id, also part of the key's text.
    pub id: ApiKeyId,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub roles: Roles,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Who made it, for people to read.
    pub created_by: String,
    /// Since when it is no longer taken.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was last used, to the hour.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A one-time link with which a browser session begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInLink {
    /// Its id.
    pub id: Uuid,
    /// Name of the session it gives.
    pub name: String,
    /// What that session may do.
    pub roles: Roles,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Not to be used after this.
    pub expires_at: DateTime<Utc>,
}

/// A browser session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id, not its cookie.
    pub id: Uuid,
    /// For people to read.
    pub name: String,
    /// What it may do.
    pub roles: Roles,
    /// What every form of this session has to send back.
    pub csrf: String,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_seen_at: DateTime<Utc>,
    /// It ends then, however busy it is.
    pub expires_at: DateTime<Utc>,
}
