//! From verified claims to a principal. Pure: what is decided here needs no key and no network.
//!
//! What would surprise: Entra gives an application a token for any API of its tenant without asking the API, so a token
//! without roles proves nothing but where it comes from; and an id_token carries the same signature and even roles, so an
//! application's token is taken only when it names the application, which proved itself by a secret or certificate.

use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::Algorithm;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::claims::Claims;
use super::key_source::Wanted;
use super::refusal::BearerRefusal;
use super::{BearerSettings, Issuing, SKEW_SECONDS};
use crate::domain::caller::{Role, Roles, capped};
use crate::identity::principal::Principal;

/// The audience of a token for Power Platform's own gateway.
const GATEWAY_AUDIENCE: &str = "https://apihub.azure.com";
const LONGEST_NAME: usize = 100;

/// What a token must be.
#[derive(Debug, Clone)]
pub(super) struct Rules(BearerSettings);

/// Who acts.
enum Subject {
    User,
    Application,
}

impl Rules {
    pub(super) const fn new(settings: BearerSettings) -> Self {
        Self(settings)
    }

    /// Entra signs with RS256 alone.
    pub(super) const fn algorithms(&self) -> &'static [Algorithm] {
        match self.0.issuing {
            Issuing::Entra { .. } => &[Algorithm::RS256],
            Issuing::OpenId { .. } => &[Algorithm::RS256, Algorithm::PS256, Algorithm::ES256],
        }
    }

    /// Whose keys to try.
    pub(super) fn source_of(&self, claims: &Claims) -> Result<Wanted, BearerRefusal> {
        match &self.0.issuing {
            Issuing::OpenId { issuer } if claims.text("iss") == Some(issuer) => Ok(Wanted::OpenId),
            Issuing::OpenId { .. } => Err(BearerRefusal::invalid(
                "its issuer is not the one that this deployment trusts",
            )),
            Issuing::Entra { .. } => {
                let missing = BearerRefusal::invalid("it names no tenant");
                let tenant = claims.uuid("tid").ok_or(missing)?;
                match claims.text("ver") {
                    Some("1.0") => Ok(Wanted::EntraV1(tenant)),
                    Some("2.0") => Ok(Wanted::EntraV2(tenant)),
                    _ => Err(BearerRefusal::invalid("it is of no known version")),
                }
            }
        }
    }

    /// Whether callers of this tenant are taken.
    pub(super) fn has_tenant(&self, tenant: Uuid) -> bool {
        match &self.0.issuing {
            Issuing::Entra { tenants, .. } => tenants.contains(&tenant),
            Issuing::OpenId { issuer } => derived(&[issuer]) == tenant,
        }
    }

    /// The caller of a token whose signature and issuer were verified.
    pub(super) fn caller_of(
        &self,
        claims: &Claims,
        now: DateTime<Utc>,
    ) -> Result<Principal, BearerRefusal> {
        let skew = Duration::seconds(SKEW_SECONDS);
        if claims.expires_at()? + skew <= now {
            return Err(BearerRefusal::invalid("it has expired; fetch a new one"));
        }
        if claims.not_before().is_some_and(|from| from - skew > now) {
            return Err(BearerRefusal::invalid("it is not valid yet"));
        }
        self.check_audience(claims)?;
        let is_id_token = ["nonce", "at_hash", "c_hash"]
            .iter()
            .any(|it| claims.has(it))
            || claims.text("typ") == Some("ID");
        if is_id_token {
            return Err(BearerRefusal::invalid(
                "it is an ID token, which tells a client who signed in; send an access token",
            ));
        }
        let (tenant_id, object_id) = self.identity(claims)?;
        let roles = self.roles(claims);
        match self.subject(claims, object_id)? {
            Subject::User => {
                let name = ["name", "preferred_username", "upn"];
                Ok(Principal::User {
                    tenant_id,
                    object_id,
                    name: display(claims, &name).unwrap_or_else(|| format!("user {object_id}")),
                    roles: self.capped_by_scope(claims, &roles)?,
                })
            }
            Subject::Application => {
                if roles.is_empty() {
                    return Err(BearerRefusal::Forbidden(no_role("application")));
                }
                let name = ["app_displayname", "azp", "appid", "client_id"];
                Ok(Principal::App {
                    tenant_id,
                    object_id,
                    name: display(claims, &name).unwrap_or_else(|| format!("app {object_id}")),
                    roles,
                })
            }
        }
    }

    fn check_audience(&self, claims: &Claims) -> Result<(), BearerRefusal> {
        let audiences = claims.texts("aud");
        if audiences
            .iter()
            .any(|it| self.0.audiences.iter().any(|own| own == it))
        {
            return Ok(());
        }
        let gateway = audiences
            .iter()
            .any(|it| it.trim_end_matches('/') == GATEWAY_AUDIENCE);
        Err(BearerRefusal::invalid(if gateway {
            "it is for Power Platform's gateway, which has to exchange it; turn on on-behalf-of login in the connector"
        } else {
            "it is for another API; ask for a token whose audience is this API's client id or App ID URI"
        }))
    }

    /// Tenant and object: never a name or an e-mail address, which change hands. An independent provider's issuer and
    /// subject become ids of the same shape.
    fn identity(&self, claims: &Claims) -> Result<(Uuid, Uuid), BearerRefusal> {
        match &self.0.issuing {
            Issuing::Entra { .. } => {
                let ids = claims.uuid("tid").zip(claims.uuid("oid"));
                ids.ok_or_else(|| BearerRefusal::invalid("it names no tenant or no object"))
            }
            Issuing::OpenId { issuer } => {
                let missing = BearerRefusal::invalid("it names no subject");
                let subject = claims.text("sub").ok_or(missing)?;
                Ok((derived(&[issuer]), derived(&[issuer, subject])))
            }
        }
    }

    fn subject(&self, claims: &Claims, object_id: Uuid) -> Result<Subject, BearerRefusal> {
        if !self.scopes(claims).is_empty() {
            return Ok(Subject::User);
        }
        let client = ["azp", "appid", "client_id"]
            .into_iter()
            .find_map(|name| claims.text(name));
        let Some(client) = client else {
            return Err(BearerRefusal::invalid(
                "it names no application that asked for it; send an access token",
            ));
        };
        let by_itself = match &self.0.issuing {
            Issuing::Entra { .. } => {
                let proved = ["azpacr", "appidacr"]
                    .into_iter()
                    .find_map(|name| claims.text(name))
                    .is_some_and(|proof| proof != "0");
                let alone = claims
                    .text("idtyp")
                    .map_or_else(|| claims.uuid("sub") == Some(object_id), |it| it == "app");
                proved && alone
            }
            // RFC 9068: without a resource owner the subject is the client itself; Keycloak names its own user so.
            Issuing::OpenId { .. } => {
                claims.text("sub") == Some(client)
                    || claims.text("preferred_username")
                        == Some(&format!("service-account-{client}"))
            }
        };
        if by_itself {
            return Ok(Subject::Application);
        }
        let scope = self.0.scopes.first().map_or("", String::as_str);
        Err(BearerRefusal::Forbidden(format!(
            "the user's token has no scope of this API; let the client ask for the scope `{scope}`"
        )))
    }

    /// The scopes of a user's token: Entra's `scp`, or `scope` as RFC 8693 names it. At an independent provider scopes of
    /// OpenID itself (`openid`, `profile`) say nothing about this API.
    fn scopes<'c>(&self, claims: &'c Claims) -> Vec<&'c str> {
        let given = claims.texts("scp");
        let given = if given.is_empty() {
            claims.texts("scope")
        } else {
            given
        };
        let words = given.into_iter().flat_map(str::split_whitespace);
        if matches!(self.0.issuing, Issuing::Entra { .. }) {
            return words.collect();
        }
        words
            .filter(|word| self.is_full(word) || word.parse::<Role>().is_ok())
            .collect()
    }

    fn is_full(&self, scope: &str) -> bool {
        self.0.scopes.iter().any(|full| full == scope)
    }

    /// Nobody acts as the service itself (G4), whatever a tenant's administrator assigned.
    fn roles(&self, claims: &Claims) -> Roles {
        let named = claims.texts(&self.0.roles_claim);
        named
            .into_iter()
            .filter_map(|name| name.parse().ok())
            .filter(|role| *role != Role::Service)
            .collect()
    }

    fn capped_by_scope(&self, claims: &Claims, roles: &Roles) -> Result<Roles, BearerRefusal> {
        let scopes = self.scopes(claims);
        let full = scopes.iter().any(|scope| self.is_full(scope));
        let cap: Roles = scopes
            .iter()
            .filter_map(|scope| scope.parse().ok())
            .collect();
        if !full && cap.is_empty() {
            let scope = self.0.scopes.first().map_or("", String::as_str);
            return Err(BearerRefusal::Forbidden(format!(
                "the token's scopes are of no use here; let the client ask for the scope `{scope}`"
            )));
        }
        if roles.is_empty() {
            return Err(BearerRefusal::Forbidden(no_role("user")));
        }
        Ok(if full {
            roles.clone()
        } else {
            capped(roles, &cap)
        })
    }
}

fn no_role(whom: &str) -> String {
    format!(
        "the {whom} has none of this API's roles; assign one (reader, sales, provisioning, billing, billing-manager, \
         admin) in the API's enterprise application"
    )
}

fn display(claims: &Claims, names: &[&str]) -> Option<String> {
    let name = names.iter().find_map(|name| claims.text(name))?;
    let name: String = name
        .chars()
        .filter(|letter| !letter.is_control())
        .take(LONGEST_NAME)
        .collect();
    Some(name)
}

/// An id made of texts: UUID version 8 (RFC 9562) of their SHA-256.
fn derived(texts: &[&str]) -> Uuid {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut bytes = [0; 16];
    bytes
        .iter_mut()
        .zip(digest)
        .for_each(|(to, from)| *to = from);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
