//! Browser sessions: a one-time link (made at the command line or by an Admin) opens one, a cookie carries it.
//! Link and cookie are 256 random bits; only their hashes are stored. A session ends after a time without use, and after a
//! longer time in any case; each has a CSRF secret that its forms send back.

use chrono::Duration;
use secrecy::{ExposeSecret, SecretString};

use super::api_keys::{check_name, check_roles};
use super::error::AccessError;
use super::key_text;
use super::principal::Principal;
use crate::domain::api_key::{Session, SignInLink};
use crate::domain::caller::{Caller, Permission, Roles};
use crate::domain::context::Context;
use crate::store::audit::{self, Entry};
use crate::store::{Store, StoreError, sessions};

/// Name of the cookie. The prefix binds it to this host, the path `/` and https (or loopback).
pub const SESSION_COOKIE: &str = "__Host-provider-bridge";
/// A link nobody followed in this time is void.
pub const LINK_MINUTES: i64 = 15;
/// A session nobody used for this time is over.
pub const IDLE_MINUTES: i64 = 60;
/// A session is over after this time however busy it is.
pub const ABSOLUTE_HOURS: i64 = 12;
const TOUCH_EVERY_SECONDS: i64 = 60;
/// A link or cookie has 43 characters; nothing longer is worth hashing.
const LONGEST_SECRET: usize = 64;

/// The sessions of this deployment. Cheap to clone.
#[derive(Clone)]
pub struct Sessions {
    store: Store,
    context: Context,
}

impl Sessions {
    /// The sessions in `store`.
    #[must_use]
    pub const fn new(store: Store, context: Context) -> Self {
        Self { store, context }
    }

    /// Makes a one-time link: the secret to put into its URL.
    ///
    /// # Errors
    /// When the caller may not, when name or roles will not do, or when the database refuses.
    pub async fn create_link(
        &self,
        caller: &Caller,
        name: &str,
        roles: Roles,
    ) -> Result<SecretString, AccessError> {
        caller.require(Permission::ManageKeys)?;
        check_roles(&roles)?;
        let created_at = self.context.now();
        let link = SignInLink {
            id: self.context.new_uuid(),
            name: check_name(name)?,
            roles,
            created_at,
            expires_at: created_at + Duration::minutes(LINK_MINUTES),
        };
        let secret = key_text::random_secret(&self.context);
        let tx = self.store.begin().await?;
        sessions::insert_link(&tx, &link, &key_text::hash_secret(&secret)).await?;
        let entry = Entry {
            action: "sign-in-link.create",
            subject: format!("sign-in-link/{}", link.id),
            after: Some(serde_json::json!({ "name": link.name, "roles": link.roles })),
            ..Entry::default()
        };
        audit::record(&tx, &self.context, caller, entry).await?;
        tx.commit().await?;
        Ok(secret)
    }

    /// Follows a link: the new session and its cookie, or `None` when the link is unknown, expired or used up.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn open(&self, link: &str) -> Result<Option<(Session, SecretString)>, StoreError> {
        if link.len() > LONGEST_SECRET {
            return Ok(None);
        }
        let now = self.context.now();
        let tx = self.store.begin().await?;
        let used = sessions::use_link(&tx, &key_text::hash(link.as_bytes()), now).await?;
        let Some(link) = used else { return Ok(None) };
        let session = Session {
            id: self.context.new_uuid(),
            name: link.name,
            roles: link.roles,
            csrf: key_text::random_secret(&self.context)
                .expose_secret()
                .to_owned(),
            created_at: now,
            last_seen_at: now,
            expires_at: now + Duration::hours(ABSOLUTE_HOURS),
        };
        let cookie = key_text::random_secret(&self.context);
        sessions::insert(&tx, &session, &key_text::hash_secret(&cookie)).await?;
        tx.commit().await?;
        Ok(Some((session, cookie)))
    }

    /// The session of a cookie, if it is not over.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn verify(&self, cookie: &str) -> Result<Option<Session>, StoreError> {
        if cookie.len() > LONGEST_SECRET {
            return Ok(None);
        }
        let hash = key_text::hash(cookie.as_bytes());
        let Some(mut session) = sessions::find(self.store.reader(), &hash).await? else {
            return Ok(None);
        };
        let now = self.context.now();
        let idle_until = session.last_seen_at + Duration::minutes(IDLE_MINUTES);
        if now >= session.expires_at || now >= idle_until {
            return Ok(None);
        }
        if (now - session.last_seen_at).num_seconds() >= TOUCH_EVERY_SECONDS {
            let tx = self.store.begin().await?;
            sessions::touch(&tx, &hash, now).await?;
            tx.commit().await?;
            session.last_seen_at = now;
        }
        Ok(Some(session))
    }

    /// Signs out.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn close(&self, cookie: &str) -> Result<(), StoreError> {
        let tx = self.store.begin().await?;
        sessions::delete(&tx, &key_text::hash(cookie.as_bytes())).await?;
        tx.commit().await
    }
}

/// Whether a form sent back the CSRF secret of its session. Hashes are compared, so that the time it takes tells nothing.
#[must_use]
pub fn csrf_matches(session: &Session, sent: &str) -> bool {
    key_text::hash(session.csrf.as_bytes()) == key_text::hash(sent.as_bytes())
}

/// Who a session stands for.
#[must_use]
pub fn principal(session: &Session) -> Principal {
    Principal::Session {
        id: session.id,
        name: session.name.clone(),
        roles: session.roles.clone(),
    }
}
