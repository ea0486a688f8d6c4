//! A stand-in for whoever issues tokens: OpenID metadata and keys over HTTP, as Entra publishes them for one tenant in both
//! formats and as an independent provider would, and tokens signed with keys that are made at the start.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use provider_bridge::identity::bearer::{BearerSettings, Issuing};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// The tenant whose callers are taken.
pub const TENANT: &str = "0a000000-0000-4000-8000-000000000001";
/// A tenant that nobody named.
pub const FOREIGN_TENANT: &str = "0f000000-0000-4000-8000-00000000000f";
/// The API's client id: audience of v2 tokens.
pub const CLIENT_ID: &str = "0c000000-0000-4000-8000-00000000000c";
/// The API's App ID URI: audience of v1 tokens.
pub const APP_ID_URI: &str = "api://provider-bridge";
/// The user in tokens.
pub const USER: &str = "0d000000-0000-4000-8000-00000000000d";
/// The service principal in tokens.
pub const SERVICE_PRINCIPAL: &str = "0e000000-0000-4000-8000-00000000000e";
/// Noon on 1 June 2026, where a test's clock stands at the start.
const NOON: i64 = 1_780_315_200;

/// A pair of keys.
pub struct SigningKey {
    kid: &'static str,
    private: EncodingKey,
    public: Jwk,
    /// The public half as text, for whoever tries to sign with it.
    pub public_pem: String,
}

impl SigningKey {
    pub fn generate(kid: &'static str) -> Self {
        let pair =
            rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
                .unwrap();
        let private = EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes()).unwrap();
        let mut public = Jwk::from_encoding_key(&private, Algorithm::RS256).unwrap();
        public.common.key_id = Some(kid.to_owned());
        Self {
            kid,
            private,
            public,
            public_pem: pair.public_key_pem(),
        }
    }

    /// A token with these claims.
    pub fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.kid.to_owned());
        encode(&header, claims, &self.private).unwrap()
    }

    /// A token that is signed with the published key as if it were a shared secret.
    pub fn sign_with_public_key(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(self.kid.to_owned());
        let secret = EncodingKey::from_secret(self.public_pem.as_bytes());
        encode(&header, claims, &secret).unwrap()
    }
}

/// The running stand-in.
pub struct Issuer {
    server: MockServer,
    state: Arc<State>,
    /// The key that is published at the start.
    pub key: SigningKey,
}

#[derive(Default)]
struct State {
    published: Mutex<Vec<Value>>,
    unreachable: AtomicBool,
    key_requests: AtomicUsize,
}

struct Publisher {
    origin: String,
    state: Arc<State>,
}

impl Respond for Publisher {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        if self.state.unreachable.load(Ordering::SeqCst) {
            return ResponseTemplate::new(503).set_body_string("<html>maintenance</html>");
        }
        let path = request.url.path();
        let metadata = |issuer: String| {
            let body =
                json!({ "issuer": issuer, "jwks_uri": format!("{}{path}/keys", self.origin) });
            ResponseTemplate::new(200).set_body_json(body)
        };
        match path.strip_suffix("/.well-known/openid-configuration") {
            Some("") => metadata(self.origin.clone()),
            Some(base) if base.ends_with("/v2.0") => metadata(format!("{}{base}", self.origin)),
            Some(base) => metadata(format!("https://sts.windows.net{base}/")),
            None if path.ends_with("/keys") => {
                self.state.key_requests.fetch_add(1, Ordering::SeqCst);
                let keys = self.state.published.lock().unwrap().clone();
                ResponseTemplate::new(200).set_body_json(json!({ "keys": keys }))
            }
            None => ResponseTemplate::new(404),
        }
    }
}

impl Issuer {
    pub async fn start() -> Self {
        let server = MockServer::start().await;
        let state = Arc::new(State::default());
        let publisher = Publisher {
            origin: server.uri(),
            state: state.clone(),
        };
        Mock::given(any())
            .respond_with(publisher)
            .mount(&server)
            .await;
        let issuer = Self {
            server,
            state,
            key: SigningKey::generate("one"),
        };
        issuer.publish(&[&issuer.key]);
        issuer
    }

    /// From now on these keys, and no others, are published.
    pub fn publish(&self, keys: &[&SigningKey]) {
        let keys = keys.iter().map(|key| json!(key.public)).collect();
        *self.state.published.lock().unwrap() = keys;
    }

    /// Whether anything but an error page is answered.
    pub fn reachable(&self, reachable: bool) {
        self.state.unreachable.store(!reachable, Ordering::SeqCst);
    }

    /// How often the keys were fetched.
    pub fn key_requests(&self) -> usize {
        self.state.key_requests.load(Ordering::SeqCst)
    }

    /// Where it is, which is its issuer as an independent provider.
    pub fn origin(&self) -> String {
        self.server.uri()
    }

    /// Takes its tokens as Entra's.
    pub fn as_entra(&self) -> BearerSettings {
        BearerSettings {
            issuing: Issuing::Entra {
                authority: self.origin().parse().unwrap(),
                tenants: vec![TENANT.parse().unwrap()],
            },
            audiences: vec![CLIENT_ID.to_owned(), APP_ID_URI.to_owned()],
            scopes: vec!["access_as_user".to_owned()],
            roles_claim: "roles".to_owned(),
        }
    }

    /// Takes its tokens as an independent provider's.
    pub fn as_independent(&self) -> BearerSettings {
        BearerSettings {
            issuing: Issuing::OpenId {
                issuer: self.origin(),
            },
            roles_claim: "realm_access.roles".to_owned(),
            ..self.as_entra()
        }
    }

    /// Claims of a user's token in the v2 format.
    pub fn user(&self, roles: &[&str], scp: &str) -> Value {
        json!({
            "iss": format!("{}/{TENANT}/v2.0", self.origin()),
            "aud": CLIENT_ID, "ver": "2.0", "tid": TENANT, "oid": USER, "sub": "pairwise-subject",
            "azp": "aa000000-0000-4000-8000-0000000000aa", "azpacr": "1",
            "name": "Ada", "preferred_username": "ada@contoso.com",
            "iat": NOON, "nbf": NOON, "exp": NOON + 3600,
            "roles": roles, "scp": scp,
        })
    }

    /// Claims of an application's token in the v2 format.
    pub fn app(&self, roles: &[&str]) -> Value {
        json!({
            "iss": format!("{}/{TENANT}/v2.0", self.origin()),
            "aud": CLIENT_ID, "ver": "2.0", "tid": TENANT,
            "oid": SERVICE_PRINCIPAL, "sub": SERVICE_PRINCIPAL,
            "azp": "bb000000-0000-4000-8000-0000000000bb", "azpacr": "1",
            "iat": NOON, "nbf": NOON, "exp": NOON + 3600,
            "roles": roles,
        })
    }

    /// The same in the v1 format, whose issuer, audience and names of claims are others.
    pub fn in_v1(mut claims: Value) -> Value {
        let object = claims.as_object_mut().unwrap();
        for (from, to) in [("azp", "appid"), ("azpacr", "appidacr")] {
            let value = object.remove(from).unwrap();
            object.insert(to.to_owned(), value);
        }
        claims["ver"] = json!("1.0");
        claims["aud"] = json!(APP_ID_URI);
        claims["iss"] = json!(format!("https://sts.windows.net/{TENANT}/"));
        claims
    }

    /// Claims as an independent provider writes them.
    pub fn elsewhere(&self, subject: &str, roles: &[&str], scope: &str) -> Value {
        json!({
            "iss": self.origin(), "aud": [CLIENT_ID, "account"], "sub": subject, "azp": "portal",
            "preferred_username": subject, "exp": NOON + 300, "iat": NOON, "typ": "Bearer",
            "realm_access": { "roles": roles }, "scope": scope,
        })
    }
}

/// `claims` with some of them changed; null takes one away.
pub fn with(mut claims: Value, changes: &[(&str, Value)]) -> Value {
    let object = claims.as_object_mut().unwrap();
    for (name, value) in changes {
        if value.is_null() {
            object.remove(*name);
        } else {
            object.insert((*name).to_owned(), value.clone());
        }
    }
    claims
}

/// A token that says it needs no signature.
pub fn unsigned(claims: &Value) -> String {
    use base64::Engine as _;
    let part =
        |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    format!(
        "{}.{}.",
        part(&json!({ "alg": "none", "kid": "one" })),
        part(claims)
    )
}
