//! Process facts (decision 12): one file per section, commented defaults compiled in, overridden by a file and then by the
//! environment. All errors are reported together, so that a deployment is mended in one go. What an operator changes at
//! run time is not here: it is in the database.

mod callbacks;
mod callers;
mod database;
mod dataverse;
mod environment;
mod http_client;
mod keys;
mod log;
mod reading;
mod retention;
mod server;
mod upstream;

use std::collections::HashMap;
use std::path::Path;

pub use callbacks::Callbacks;
pub use callers::Callers;
pub use database::Database;
pub use dataverse::Dataverse;
pub use environment::{Environment, EnvironmentKind};
pub use http_client::HttpClient;
pub use keys::Keys;
pub use log::{Log, LogFormat};
pub use retention::Retention;
pub use server::Server;
pub use upstream::{Entra, PartnerCenter};

use reading::{Reading, Section, from_text};

/// Every setting with its default and what it means; `config` prints it.
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// Prefix of environment variables that set something.
const PREFIX: &str = "PROVIDER_BRIDGE";

/// All settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// What this deployment is (A4).
    pub environment: Environment,
    /// The HTTP server.
    pub server: Server,
    /// The database.
    pub database: Database,
    /// The key ring.
    pub keys: Keys,
    /// Microsoft Entra.
    pub entra: Entra,
    /// Microsoft Partner Center.
    pub partner_center: PartnerCenter,
    /// Dataverse.
    pub dataverse: Dataverse,
    /// Callbacks to flows.
    pub callbacks: Callbacks,
    /// Users and applications that may call.
    pub callers: Callers,
    /// The HTTP client.
    pub http_client: HttpClient,
    /// How long things are kept.
    pub retention: Retention,
    /// Logging.
    pub log: Log,
}

/// Every setting that is wrong, one a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} in the configuration:\n  {}", count(.0.len()), .0.join("\n  "))]
pub struct ConfigError(pub Vec<String>);

fn count(errors: usize) -> String {
    if errors == 1 {
        "1 mistake".to_owned()
    } else {
        format!("{errors} mistakes")
    }
}

impl Config {
    /// Reads defaults, then `file`, then the process environment.
    ///
    /// # Errors
    /// Every mistake at once.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        Self::load_with(file, std::env::vars().collect())
    }

    /// Like [`Self::load`] with a given environment, for tests and the demo.
    ///
    /// # Errors
    /// Every mistake at once.
    pub fn load_with(
        file: Option<&Path>,
        variables: HashMap<String, String>,
    ) -> Result<Self, ConfigError> {
        Self::load_checked(file, variables, |_| Vec::new())
    }

    /// Like [`Self::load_with`], with further mistakes that only the rooms behind a setting can see. Each begins with its
    /// key.
    ///
    /// # Errors
    /// Every mistake at once.
    pub fn load_checked(
        file: Option<&Path>,
        variables: HashMap<String, String>,
        further: impl FnOnce(&Self) -> Vec<String>,
    ) -> Result<Self, ConfigError> {
        let one = |error: config::ConfigError| ConfigError(vec![error.to_string()]);
        let lists = ["server.allowed_hosts", "server.gateway_hosts", "keys.ring"];
        let lists = lists
            .into_iter()
            .chain(["callbacks.further_hosts", "callbacks.environments"])
            .chain(["callers.audiences", "callers.tenants", "callers.scopes"])
            .chain(["dataverse.webhook_secrets"]);
        let mut variables_source = config::Environment::with_prefix(PREFIX)
            .prefix_separator("__")
            .separator("__")
            .try_parsing(true)
            .list_separator(",")
            .source(Some(variables));
        for list in lists {
            variables_source = variables_source.with_list_parse_key(list);
        }
        let mut builder = config::Config::builder()
            .add_source(config::File::from_str(DEFAULTS, config::FileFormat::Toml));
        if let Some(file) = file {
            builder = builder.add_source(config::File::from(file).format(config::FileFormat::Toml));
        }
        let whole = builder.add_source(variables_source).build().map_err(one)?;
        Self::of(&whole, further)
    }

    fn of(
        whole: &config::Config,
        further: impl FnOnce(&Self) -> Vec<String>,
    ) -> Result<Self, ConfigError> {
        let mut reading = Reading::of(whole);
        let environment = reading.section::<Environment>();
        let server = reading.section::<Server>();
        let database = reading.section::<Database>();
        let keys = reading.section::<Keys>();
        let entra = reading.section::<Entra>();
        let partner_center = reading.section::<PartnerCenter>();
        let dataverse = reading.section::<Dataverse>();
        let callbacks = reading.section::<Callbacks>();
        let callers = reading.section::<Callers>();
        let http_client = reading.section::<HttpClient>();
        let retention = reading.section::<Retention>();
        let log = reading.section::<Log>();
        let all = (|| {
            Some(Self {
                environment: environment?,
                server: server?,
                database: database?,
                keys: keys?,
                entra: entra?,
                partner_center: partner_center?,
                dataverse: dataverse?,
                callbacks: callbacks?,
                callers: callers?,
                http_client: http_client?,
                retention: retention?,
                log: log?,
            })
        })();
        if let Some(config) = &all {
            reading.add(config.shortcuts());
            reading.add(further(config));
        }
        let mistakes = reading.finish();
        match all {
            Some(config) if mistakes.is_empty() => Ok(config),
            _ => Err(ConfigError(mistakes)),
        }
    }

    /// Where our secrets are sent to.
    fn upstreams(&self) -> Vec<(&'static str, url::Url)> {
        let fixed = [
            ("entra.authority", Some(self.entra.authority.clone())),
            (
                "partner_center.base_url",
                Some(self.partner_center.base_url.clone()),
            ),
            ("dataverse.org_url", self.dataverse.org_url()),
            ("callers.authority", self.callers.authority()),
        ];
        fixed
            .into_iter()
            .filter_map(|(key, url)| Some((key, url?)))
            .collect()
    }

    /// What production must not have.
    fn shortcuts(&self) -> Vec<String> {
        if self.environment.kind != EnvironmentKind::Production {
            return Vec::new();
        }
        let mut found = Vec::new();
        let mut refuse = |wrong: bool, text: &str| {
            if wrong {
                found.push(format!(
                    "{text}, which a production environment does not allow"
                ));
            }
        };
        refuse(
            self.callbacks.allow_loopback,
            "callbacks.allow_loopback is on",
        );
        refuse(
            self.http_client.allow_plain_loopback,
            "http_client.allow_plain_loopback is on",
        );
        refuse(
            self.server.public_url.scheme() != "https",
            "server.public_url is not https",
        );
        refuse(self.keys.ring.is_empty(), "keys.ring is empty");
        for (key, url) in self.upstreams() {
            refuse(
                url.scheme() != "https" || is_loopback(&url),
                &format!("{key} is plain http or leads to this very machine"),
            );
        }
        found
    }
}

fn url<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<url::Url, D::Error> {
    from_text(deserializer, "URL such as https://bridge.example.com")
}

/// Whether `url` is https, or plain http to this very machine.
fn is_safe(url: &url::Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let variables = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        Config::load_with(None, variables)
    }

    #[test]
    fn the_defaults_stand_on_their_own() {
        let config = load(&[]).unwrap();
        assert_eq!(config.partner_center.requests_per_minute, 500);
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        let error = load(&[
            ("PROVIDER_BRIDGE__SERVER__BIND", "nowhere"),
            ("PROVIDER_BRIDGE__SERVER__PUBLIK_URL", "x"),
            (
                "PROVIDER_BRIDGE__PARTNER_CENTER__BASE_URL",
                "http://example.com",
            ),
        ])
        .unwrap_err()
        .to_string();
        for wanted in [
            "3 mistakes",
            "bind",
            "publik_url",
            "partner_center.base_url",
        ] {
            assert!(error.contains(wanted), "`{wanted}` is missing in: {error}");
        }
    }

    #[test]
    fn production_refuses_shortcuts() {
        let error = load(&[
            ("PROVIDER_BRIDGE__ENVIRONMENT__KIND", "production"),
            ("PROVIDER_BRIDGE__CALLBACKS__ALLOW_LOOPBACK", "true"),
        ])
        .unwrap_err()
        .to_string();
        for wanted in ["allow_loopback", "public_url", "keys.ring"] {
            assert!(error.contains(wanted), "`{wanted}` is missing in: {error}");
        }
    }

    #[test]
    fn tokens_of_entra_are_taken_from_named_tenants_only() {
        let audience = ("PROVIDER_BRIDGE__CALLERS__AUDIENCES", "api://bridge");
        let error = load(&[audience]).unwrap_err().to_string();
        assert!(error.contains("callers.tenants"), "{error}");
        let issuer = ("PROVIDER_BRIDGE__CALLERS__ISSUER", "https://id.example.com");
        assert!(load(&[audience, issuer]).is_ok());
        let tenant = "11111111-2222-3333-4444-555555555555";
        let config = load(&[audience, ("PROVIDER_BRIDGE__CALLERS__TENANTS", tenant)]).unwrap();
        assert_eq!(config.callers.tenant_ids()[0].to_string(), tenant);
        let wrong = load(&[
            audience,
            ("PROVIDER_BRIDGE__CALLERS__TENANTS", "contoso.com"),
        ]);
        assert!(wrong.unwrap_err().to_string().contains("contoso.com"));
    }

    #[test]
    fn a_list_comes_from_the_environment_with_commas() {
        let config = load(&[(
            "PROVIDER_BRIDGE__CALLBACKS__FURTHER_HOSTS",
            "a.example,b.example",
        )])
        .unwrap();
        assert_eq!(config.callbacks.further_hosts, ["a.example", "b.example"]);
    }
}
