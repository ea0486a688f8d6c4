//! What is typed: the checks of `doctor`, the mistakes in settings, the files that are made.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use provider_bridge::app::build::App;
use provider_bridge::app::clock::system_context;
use provider_bridge::app::commands::doctor;
use provider_bridge::app::commands::export::connector_host;
use provider_bridge::app::open::open_store;
use provider_bridge::app::settings;
use provider_bridge::config::{Config, ConfigError};
use provider_bridge::store::{DatabaseLocation, DatabaseSettings, SchemaState, Store, StoreError};

fn load(settings: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let variables: HashMap<String, String> = settings
        .iter()
        .map(|(key, value)| (format!("PROVIDER_BRIDGE__{key}"), (*value).to_owned()))
        .collect();
    Config::load_checked(None, variables, settings::mistakes)
}

fn kept_in(folder: &Path) -> Config {
    load(&[("DATABASE__DATA_DIRECTORY", &folder.display().to_string())]).unwrap()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[actix_web::test]
async fn the_doctor_leaves_the_database_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let config = kept_in(folder.path());
    // The CRM is not connected, which is the one thing that fails.
    doctor::run(config.clone(), true).await.unwrap_err();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

    let store = open_store(&config).await.unwrap();
    let before = store.schema().await.unwrap();
    assert!(matches!(before, SchemaState::Older(_)));
    doctor::run(config, true).await.unwrap_err();
    assert_eq!(store.schema().await.unwrap(), before);
}

#[actix_web::test]
async fn what_the_service_keeps_is_for_its_owner_alone() {
    let outer = tempfile::tempdir().unwrap();
    let data = outer.path().join("data");
    let app = App::build(kept_in(&data), system_context()).await.unwrap();
    assert_eq!(mode(&data), 0o700);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        names.push(path.file_name().unwrap().to_string_lossy().into_owned());
    }
    names.sort();
    assert_eq!(
        names,
        [
            "development.key",
            "provider-bridge.lock",
            "provider-bridge.sqlite",
            "provider-bridge.sqlite-shm",
            "provider-bridge.sqlite-wal",
        ]
    );
    drop(app);
}

#[actix_web::test]
async fn a_server_that_refuses_is_named_with_the_cause_and_without_the_password() {
    let settings = DatabaseSettings {
        location: DatabaseLocation::Postgres(
            "postgres://bridge:geheim@127.0.0.1:1/bridge"
                .to_owned()
                .into(),
        ),
        max_connections: 1,
    };
    let error = Store::open(&settings).await.unwrap_err();
    assert!(matches!(error, StoreError::Unreachable(_)), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("127.0.0.1:1"), "{text}");
    assert_eq!(text.matches("Connection refused").count(), 1, "{text}");
    assert!(!text.contains("geheim"), "{text}");
}

#[actix_web::test]
async fn a_folder_that_is_not_there_is_the_cause_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let file = folder.path().join("nope/x.sqlite").display().to_string();
    let config = load(&[
        ("DATABASE__DATA_DIRECTORY", &data),
        ("DATABASE__URL", &format!("sqlite:{file}")),
    ])
    .unwrap();
    let error = format!("{:#}", open_store(&config).await.unwrap_err());
    assert!(error.contains(&file), "{error}");
    assert!(error.contains("No such file or directory"), "{error}");
}

#[test]
fn mistakes_behind_a_setting_are_reported_with_all_others() {
    let error = load(&[
        ("KEYS__RING", "a:zzz"),
        ("CALLBACKS__FURTHER_HOSTS", "http://x"),
        ("CALLBACKS__ENVIRONMENTS", "mine"),
        ("LOG__FILTER", "[[["),
        ("SERVER__BIND", "nowhere"),
    ])
    .unwrap_err();
    assert_eq!(error.0.len(), 5, "{error}");
    for (mistake, key) in error.0.iter().zip([
        "callbacks.environments: `mine`",
        "callbacks.further_hosts: `http://x`",
        "keys.ring: key number 1",
        "log.filter: `[[[`",
        "server.bind: `nowhere`",
    ]) {
        assert!(mistake.starts_with(key), "{mistake}");
    }
    assert!(!error.to_string().contains("zzz"));
}

#[test]
fn a_connector_keeps_the_path_of_its_address_and_is_never_made_for_plain_http() {
    let host = |text: &str| connector_host(Some(&text.parse().unwrap()));
    let below = host("https://h.example/base/path").unwrap();
    assert_eq!(
        (below.as_str(), below.base_path()),
        ("h.example", "/base/path")
    );
    for text in ["http://x.example", "http://127.0.0.1:8080"] {
        let error = host(text).unwrap_err().to_string();
        assert!(error.contains("https only"), "{error}");
    }
}

#[test]
fn what_cannot_be_read_hides_no_other_mistake_and_says_what_would_do() {
    let error = load(&[
        ("ENVIRONMENT__KIND", "prod"),
        ("ENVIRONMENT__NAME", " "),
        ("SERVER__BIND", "nowhere"),
        ("SERVER__MAX_BODY_BYTES", "many"),
        ("DATABASE__URL", "mysql://x"),
        ("DATAVERSE__REFRESH", "nonsense"),
        ("DATAVERSE__PAGE_SIZE", "0"),
        ("HTTP_CLIENT__TIMEOUT_SECONDS", "0"),
        ("HTTP_CLIENT__TRUSTED_ROOTS", "/nope"),
        ("LOG__FILTER", "[[["),
        ("LOG__FORMAT", "xml"),
    ])
    .unwrap_err()
    .to_string();
    for wanted in [
        "11 mistakes",
        "environment.kind: `prod` is no kind of environment: use production, sandbox or development",
        "environment.name must",
        "server.bind: `nowhere` is no",
        "server.max_body_bytes: string \"many\" is not a whole number",
        "database.url must",
        "dataverse.refresh: `nonsense`",
        "dataverse.page_size must",
        "http_client.timeout_seconds must",
        "http_client.trusted_roots: /nope cannot be read",
        "log.filter: `[[[`",
        "log.format: `xml` is no format of log lines: use text or json",
    ] {
        assert!(error.contains(wanted), "`{wanted}` is missing in: {error}");
    }
}

#[test]
fn a_default_in_the_place_of_what_cannot_be_read_is_no_mistake() {
    let error = load(&[
        ("ENVIRONMENT__KIND", "production"),
        (
            "KEYS__RING",
            "a:i4xN8dQm3vZp0sYtLr7aKfWcEhUoJb2G5n1yXqTzR9I=",
        ),
        ("SERVER__PUBLIC_URL", "nowhere"),
    ])
    .unwrap_err();
    assert_eq!(error.0.len(), 1, "{error}");
    assert!(error.0[0].starts_with("server.public_url: `nowhere` is no URL"));
}

#[test]
fn a_schedule_has_five_fields() {
    for refresh in ["0 */10 * * * *", "@daily", "0 0 31 2 *"] {
        let error = load(&[("DATAVERSE__REFRESH", refresh)]).unwrap_err();
        assert!(error.to_string().contains("dataverse.refresh"), "{error}");
    }
    assert!(load(&[("DATAVERSE__REFRESH", "15 6 * * 1-5")]).is_ok());
}

/// What production needs, and nothing that it refuses.
const PRODUCTION: [(&str, &str); 6] = [
    ("ENVIRONMENT__KIND", "production"),
    (
        "KEYS__RING",
        "a:i4xN8dQm3vZp0sYtLr7aKfWcEhUoJb2G5n1yXqTzR9I=",
    ),
    ("SERVER__PUBLIC_URL", "https://bridge.example.com"),
    ("DATAVERSE__ORG_URL", "https://contoso.crm4.dynamics.com"),
    ("DATAVERSE__TENANT", "contoso.com"),
    ("DATAVERSE__CLIENT_ID", "c"),
];

const A_SECRET: (&str, &str) = ("DATAVERSE__CLIENT_SECRET", "Zk8~q4Wq.7dLm2");

/// Setting, value, and what is said of it.
const REFUSED_IN_PRODUCTION: [(&str, &str, &str); 12] = [
    (
        "KEYS__RING",
        "a:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "keys.ring: key number 1 was not drawn by chance",
    ),
    (
        "KEYS__RING",
        "development:i4xN8dQm3vZp0sYtLr7aKfWcEhUoJb2G5n1yXqTzR9I=",
        "is a development key",
    ),
    (
        "DATAVERSE__CLIENT_SECRET",
        "simulated~dataverse~secret",
        "dataverse.client_secret is one that everybody knows",
    ),
    (
        "DATAVERSE__CLIENT_SECRET",
        "ChangeMe!",
        "dataverse.client_secret",
    ),
    (
        "DATAVERSE__WEBHOOK_SECRETS",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "dataverse.webhook_secrets",
    ),
    (
        "DATABASE__URL",
        "postgres://bridge:postgres@db.example/bridge",
        "database.url has a password",
    ),
    (
        "CALLBACKS__ALLOW_LOOPBACK",
        "true",
        "callbacks.allow_loopback is on",
    ),
    (
        "HTTP_CLIENT__ALLOW_PLAIN_LOOPBACK",
        "true",
        "http_client.allow_plain_loopback is on",
    ),
    (
        "SERVER__PUBLIC_URL",
        "http://127.0.0.1:8080",
        "server.public_url is not https",
    ),
    (
        "ENTRA__AUTHORITY",
        "http://127.0.0.1:9400",
        "entra.authority is plain http",
    ),
    (
        "PARTNER_CENTER__BASE_URL",
        "https://localhost:9400",
        "partner_center.base_url",
    ),
    (
        "DATAVERSE__ORG_URL",
        "http://127.0.0.1:9400",
        "dataverse.org_url",
    ),
];

#[test]
fn production_takes_no_shortcut_and_no_secret_that_anybody_knows() {
    let whole = [&PRODUCTION[..], &[A_SECRET]].concat();
    load(&whole).unwrap();
    for (key, value, wanted) in REFUSED_IN_PRODUCTION {
        let error = load(&[&whole[..], &[(key, value)]].concat()).unwrap_err();
        assert_eq!(error.0.len(), 1, "{key}={value}: {error}");
        let text = error.to_string();
        assert!(text.contains(wanted), "{key}={value}: {text}");
        assert!(
            value.len() < 12 || value.starts_with("http") || !text.contains(value),
            "{text}"
        );
        // What production refuses, development takes.
        let development = [
            &whole[..],
            &[(key, value), ("ENVIRONMENT__KIND", "development")],
        ]
        .concat();
        load(&development).unwrap();
    }
}
