//! Who signed in, from the `id_token` of a redeemed code: signature, issuer, audience, nonce and expiry are checked, and only
//! then is its tenant believed (OpenID Connect Core, 3.1.3.7).

use chrono::Duration;
use jsonwebtoken::{Algorithm, decode, decode_header};
use url::Url;
use uuid::Uuid;

use super::Consents;
use super::refusal::{ConsentRefusal, Reason};
use crate::identity::bearer::claims::Claims;
use crate::identity::bearer::key_source::{KeySource, Lookup, Wanted};
use crate::identity::bearer::{Issuing, signature_only};

const SKEW_SECONDS: i64 = 60;

/// Who signed in.
#[derive(Debug)]
pub(super) struct Identity {
    pub tenant_id: Uuid,
    /// For people to read.
    pub name: String,
}

impl Consents {
    pub(super) async fn identity(
        &self,
        token: &str,
        authority: &Url,
        client_id: &str,
        nonce: &str,
    ) -> Result<Identity, ConsentRefusal> {
        let bad = |why: &str| {
            let text =
                format!("the identity that came back cannot be trusted: {why}; sign in again");
            ConsentRefusal::again(Reason::BadIdentity, text)
        };
        let header = decode_header(token).map_err(|_| bad("it is no token"))?;
        if header.alg != Algorithm::RS256 {
            return Err(bad("it is signed in a way that is not taken"));
        }
        let unverified = Claims::unverified(token).ok_or_else(|| bad("it is no token"))?;
        let tenant_id = unverified
            .uuid("tid")
            .ok_or_else(|| bad("it names no tenant"))?;
        let issuing = Issuing::Entra {
            authority: authority.clone(),
            tenants: vec![tenant_id],
        };
        let wanted = match unverified.text("ver") {
            Some("1.0") => Wanted::EntraV1(tenant_id),
            _ => Wanted::EntraV2(tenant_id),
        };
        let sources = KeySource::of(&issuing, &self.http, &self.context);
        let source = sources.iter().find(|source| source.serves(wanted));
        let source = source.ok_or_else(|| bad("its issuer is not known"))?;
        let (key, issuer) = match source.key(&header.kid.unwrap_or_default()).await {
            Lookup::Found { key, issuer } => (key, issuer),
            Lookup::Unknown => return Err(bad("its key is not published")),
            Lookup::Unavailable { .. } => {
                return Err(ConsentRefusal {
                    reason: Reason::NotReachable,
                    trouble: crate::domain::consent::Trouble::Transient,
                    text: "the keys of Microsoft Entra could not be fetched; try again".to_owned(),
                });
            }
        };
        let claims = decode::<Claims>(token, &key, &signature_only(header.alg))
            .map_err(|_| bad("its signature does not hold"))?
            .claims;
        let skew = Duration::seconds(SKEW_SECONDS);
        let now = self.context.now();
        let expired = claims.expires_at().map_or(true, |at| at + skew <= now);
        let audiences = claims.texts("aud");
        let checks = [
            (
                claims.text("iss") == Some(&issuer),
                "it is of another issuer",
            ),
            (audiences == [client_id], "it is for another application"),
            (
                claims.text("nonce") == Some(nonce),
                "it answers another sign-in",
            ),
            (!expired, "it has expired"),
            (claims.uuid("tid") == Some(tenant_id), "it names no tenant"),
        ];
        if let Some((_, why)) = checks.iter().find(|(fits, _)| !fits) {
            return Err(bad(why));
        }
        let name = claims
            .text("preferred_username")
            .or_else(|| claims.text("upn"))
            .or_else(|| claims.text("name"))
            .unwrap_or("somebody");
        Ok(Identity {
            tenant_id,
            name: name.chars().filter(|c| !c.is_control()).take(100).collect(),
        })
    }
}
