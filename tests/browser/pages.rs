//! The pages as an operator meets them: signing in, the list, mapping an account by search, taking it back; and what the
//! door refuses.

use std::collections::HashMap;
use std::time::Duration;

use provider_bridge::app::build::App;
use provider_bridge::app::clock::system_context;
use provider_bridge::app::commands::sign_in_link::link;
use provider_bridge::app::open::operator;
use provider_bridge::app::running::Running;
use provider_bridge::config::Config;
use provider_bridge::domain::caller::Role;
use provider_bridge::domain::ids::ProviderId;
use provider_bridge::domain::mapping::MappingState;
use provider_bridge::domain::provider::ProviderKind;
use provider_bridge::domain::setting::AutoMatchMode;
use provider_bridge::flows::providers::{NewProvider, SyncSchedule};
use provider_bridge::flows::schedules::Schedule;
use provider_bridge::flows::settings::SettingsChange;
use provider_bridge::identity::sessions::Sessions;
use provider_bridge::jobs::Runner;
use provider_bridge::net::client::{Answer, ClientSettings, HttpClient};
use provider_bridge::simulator::{self, Simulator, SimulatorOptions, World, WorldSpec};
use provider_bridge::store::provider_accounts::Filter;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use thirtyfour::prelude::*;

use crate::chromium::Browser;

/// A running service with synced and matched provider accounts.
pub struct Service {
    pub running: Running,
    /// Does the work of the service, by hand.
    pub runner: Runner,
    pub simulator: simulator::Running,
    pub provider: ProviderId,
    sessions: Sessions,
    _folder: tempfile::TempDir,
}

impl Service {
    /// A schedule at three in the morning in Zurich.
    pub async fn sync_subscriptions_nightly(&self) -> Schedule {
        let nightly = SyncSchedule {
            cron: "0 3 * * *".to_owned(),
            time_zone: "Europe/Zurich".to_owned(),
            enabled: true,
        };
        let (flows, by) = (&self.running.flows, operator());
        let set = flows.set_subscription_schedule(&by, self.provider, &nightly);
        set.await.unwrap()
    }

    pub async fn start() -> Self {
        Self::matching(AutoMatchMode::Engine).await
    }

    /// One that matches so by itself.
    pub async fn matching(mode: AutoMatchMode) -> Self {
        let world = World::generate(&WorldSpec {
            customers: 40,
            seed: 11,
            ..WorldSpec::default()
        });
        let options = SimulatorOptions::new(system_context());
        let simulator = Simulator::start(world, options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = config(&simulator.base_url(), folder.path());
        let app = App::build(config, system_context()).await.unwrap();
        let change = SettingsChange {
            auto_match: Some(mode),
            ..SettingsChange::default()
        };
        let changed = app.flows.change_settings(&operator(), &change).await;
        changed.unwrap();
        let new = NewProvider {
            kind: ProviderKind::PartnerCenter,
            name: "Partner Center".to_owned(),
            partner_tenant: simulator::PARTNER_TENANT_ID.to_owned(),
            client_id: simulator::PARTNER_CENTER_CLIENT_ID.to_owned(),
            client_secret: SecretString::from(simulator::PARTNER_CENTER_CLIENT_SECRET),
            client_secret_expires_at: None,
            schedule: None,
        };
        let provider = app
            .flows
            .connect_provider(&operator(), new)
            .await
            .unwrap()
            .id;
        app.flows.request_sync(&operator(), provider).await.unwrap();
        while app.runner.run_due().await > 0 {}
        let (sessions, runner) = (app.sessions.clone(), app.runner.clone());
        let running = app.start(false).await.unwrap();
        Self {
            running,
            runner,
            sessions,
            simulator,
            provider,
            _folder: folder,
        }
    }

    /// Signs the browser in.
    pub async fn sign_in(&self, browser: &Browser, role: Role) {
        let link = self.sign_in_link(role).await;
        browser.page.goto(link).await.unwrap();
        press(browser, "button.primary").await;
        wait_for(browser, By::Id("providers")).await.unwrap();
    }

    /// Opens a page of the service.
    pub async fn open(&self, browser: &Browser, path: &str) {
        let url = format!("{}{path}", self.running.base_url());
        browser.page.goto(url).await.unwrap();
    }

    /// Runs every Job that waits.
    pub async fn work(&self) {
        while self.runner.run_due().await > 0 {}
    }

    async fn sign_in_link(&self, role: Role) -> String {
        let roles = [role].into_iter().collect();
        let secret = self
            .sessions
            .create_link(&operator(), "Jo Doe", roles)
            .await
            .unwrap();
        link(
            &self.running.base_url().parse().unwrap(),
            secret.expose_secret(),
        )
    }

    pub async fn stop(self) {
        self.running.stop().await;
        self.simulator.stop().await;
    }
}

pub fn config(base: &str, folder: &std::path::Path) -> Config {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let values = [
        ("SERVER__BIND", format!("127.0.0.1:{port}")),
        ("SERVER__PUBLIC_URL", format!("http://127.0.0.1:{port}")),
        ("DATABASE__DATA_DIRECTORY", folder.display().to_string()),
        ("ENTRA__AUTHORITY", base.to_owned()),
        ("PARTNER_CENTER__BASE_URL", base.to_owned()),
        ("PARTNER_CENTER__REQUESTS_PER_MINUTE", "0".to_owned()),
        ("DATAVERSE__ORG_URL", base.to_owned()),
        ("DATAVERSE__TENANT", simulator::ENTRA_TENANT_ID.to_owned()),
        (
            "DATAVERSE__CLIENT_ID",
            simulator::DATAVERSE_CLIENT_ID.to_owned(),
        ),
        (
            "DATAVERSE__CLIENT_SECRET",
            simulator::DATAVERSE_CLIENT_SECRET.to_owned(),
        ),
        ("HTTP_CLIENT__ALLOW_PLAIN_LOOPBACK", "true".to_owned()),
    ];
    let variables: HashMap<String, String> = values
        .into_iter()
        .map(|(key, value)| (format!("PROVIDER_BRIDGE__{key}"), value))
        .collect();
    Config::load_with(None, variables).unwrap()
}

pub async fn wait_for(browser: &Browser, by: By) -> WebDriverResult<WebElement> {
    browser
        .page
        .query(by)
        .wait(Duration::from_secs(10), Duration::from_millis(50))
        .first()
        .await
}

/// So often a page may take the place of another.
const LOOKS: usize = 5;

pub async fn press(browser: &Browser, selector: &str) {
    for _ in 0..LOOKS {
        let found = wait_for(browser, By::Css(selector)).await.unwrap();
        if found.click().await.is_ok() {
            return;
        }
    }
    panic!("{selector} went away {LOOKS} times")
}

/// Presses a button that sends its form, and waits until the page that answers is there.
pub async fn submit(browser: &Browser, selector: &str) {
    let page = &browser.page;
    page.execute("window.left = true", vec![]).await.unwrap();
    press(browser, selector).await;
    let script = "return window.left === undefined && document.readyState === 'complete'";
    for _ in 0..200 {
        let there = page.execute(script, vec![]).await;
        if there.is_ok_and(|there| there.json().as_bool() == Some(true)) {
            return;
        }
        system_context().sleep(Duration::from_millis(50)).await;
    }
    panic!("{selector} led nowhere")
}

/// Several times, because one page may take the place of another between the look and the reading.
pub async fn text(browser: &Browser, selector: &str) -> String {
    for _ in 0..LOOKS {
        let found = wait_for(browser, By::Css(selector)).await.unwrap();
        if let Ok(text) = found.text().await {
            return text;
        }
    }
    panic!("{selector} went away {LOOKS} times")
}

#[actix_web::test]
async fn an_operator_signs_in_maps_by_search_and_takes_it_back() -> WebDriverResult<()> {
    let service = Service::start().await;
    let browser = Browser::open().await?;
    browser.page.goto(service.running.base_url()).await?;
    assert_eq!(
        browser.page.find(By::Css("h1")).await?.text().await?,
        "You are not signed in"
    );
    browser.assert_fit_for_everyone("signed-out").await?;

    browser
        .page
        .goto(service.sign_in_link(Role::Provisioning).await)
        .await?;
    browser
        .page
        .find(By::Css("button.primary"))
        .await?
        .click()
        .await?;
    let heading = wait_for(&browser, By::Css(".frame h1")).await?;
    assert_eq!(heading.text().await?, "Unmapped provider accounts");
    browser.assert_fit_for_everyone("home").await?;

    let first = browser.page.find(By::Css("tbody td.action a")).await?;
    first.click().await?;
    let name = wait_for(&browser, By::Css(".head h1"))
        .await?
        .text()
        .await?;
    let search = wait_for(&browser, By::Css("input[name=q]")).await?;
    search.send_keys("a").await?;
    wait_for(&browser, By::Css("#candidates .choices button")).await?;
    browser.assert_fit_for_everyone("account").await?;
    let map = wait_for(&browser, By::Css("#candidates .choices button")).await?;
    map.click().await?;
    let done = wait_for(&browser, By::Css("[role=status].message"))
        .await?
        .text()
        .await?;
    assert!(done.contains(&format!("{name} is mapped to ")), "{done}");
    browser.assert_fit_for_everyone("mapped").await?;

    browser
        .page
        .find(By::Css(".message button"))
        .await?
        .click()
        .await?;
    let undone = format!(
        "//*[@role='status'][contains(., '{} is unmapped')]",
        name.replace('\'', "")
    );
    if !name.contains('\'') {
        wait_for(&browser, By::XPath(undone)).await?;
    }
    browser.close().await?;
    service.stop().await;
    Ok(())
}

#[actix_web::test]
async fn a_reader_sees_the_accounts_but_gets_no_form_to_change_them() -> WebDriverResult<()> {
    let service = Service::start().await;
    let browser = Browser::open().await?;
    browser
        .page
        .goto(service.sign_in_link(Role::Reader).await)
        .await?;
    browser
        .page
        .find(By::Css("button.primary"))
        .await?
        .click()
        .await?;
    wait_for(&browser, By::Css("tbody td.action a"))
        .await?
        .click()
        .await?;
    wait_for(&browser, By::Css(".facts")).await?;
    let forms = browser.page.find_all(By::Css("main form")).await?;
    assert_eq!(forms.len(), 0);
    browser.close().await?;
    service.stop().await;
    Ok(())
}

/// Sends a form as a browser would, or as an attacker might.
async fn send(url: String, headers: &[(&str, &str)], form: Option<&[(&str, &str)]>) -> Answer {
    let settings = ClientSettings {
        allow_plain_loopback: true,
        ..ClientSettings::default()
    };
    let client = HttpClient::new(&settings).unwrap();
    let method = if form.is_some() {
        Method::POST
    } else {
        Method::GET
    };
    let mut request = client.request(method, url.parse().unwrap()).unwrap();
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(form) = form {
        request = request.form(form);
    }
    client.send(request).await.unwrap()
}

#[actix_web::test]
async fn the_door_refuses_foreign_hosts_and_used_links() {
    let service = Service::start().await;
    let base = service.running.base_url();
    let foreign = send(format!("{base}/"), &[("host", "attacker.example")], None).await;
    assert_eq!(foreign.status, 421);

    let link = service.sign_in_link(Role::Provisioning).await;
    let secret = link.rsplit('/').next().unwrap();
    assert_eq!(
        send(link.clone(), &[], None).await.status,
        200,
        "looking at a link uses nothing up"
    );
    let form = [("link", secret)];
    let enter = || send(format!("{base}/sign-in"), &[], Some(&form));
    let entered = enter().await;
    assert_eq!(entered.status, 303);
    let cookie = entered.headers["set-cookie"].to_str().unwrap().to_owned();
    for wanted in ["__Host-", "HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(wanted), "{cookie}");
    }
    assert_eq!(enter().await.status, 401, "a link works once");

    service.stop().await;
}

/// Signs in; the session's cookie, its CSRF secret, and the policy of its pages.
async fn signed_in(service: &Service) -> (String, String, String) {
    let base = service.running.base_url();
    let link = service.sign_in_link(Role::Provisioning).await;
    let form = [("link", link.rsplit('/').next().unwrap())];
    let entered = send(format!("{base}/sign-in"), &[], Some(&form)).await;
    let cookie = entered.headers["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let page = send(format!("{base}/"), &[("cookie", &cookie)], None).await;
    let policy = page.headers["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    let html = String::from_utf8(page.body.to_vec()).unwrap();
    let csrf = html.split("name=\"csrf\" value=\"").nth(1).unwrap();
    let csrf = csrf.split('"').next().unwrap().to_owned();
    (cookie, csrf, policy)
}

#[actix_web::test]
async fn the_door_refuses_forged_forms_and_frames() {
    let service = Service::start().await;
    let base = service.running.base_url();
    let (cookie, csrf, policy) = signed_in(&service).await;
    assert!(
        policy.contains("frame-ancestors 'none'") && policy.contains("script-src 'self'"),
        "{policy}"
    );

    let unmapped = Filter {
        state: Some(MappingState::Unmapped),
        ..Filter::default()
    };
    let flows = &service.running.flows;
    let account = flows
        .list_provider_accounts(&operator(), &unmapped, None, 1)
        .await
        .unwrap()
        .accounts
        .remove(0);
    let url = format!("{base}/provider-accounts/{}/exclude", account.id);
    let forged = [("csrf", "guessed"), ("reason", "because")];
    assert_eq!(
        send(url.clone(), &[("cookie", &cookie)], Some(&forged))
            .await
            .status,
        403
    );
    let right = [("csrf", csrf.as_str()), ("reason", "because")];
    let cross_site = [
        ("cookie", cookie.as_str()),
        ("sec-fetch-site", "cross-site"),
    ];
    assert_eq!(
        send(url.clone(), &cross_site, Some(&right)).await.status,
        403
    );
    let still = flows
        .get_provider_account(&operator(), account.id)
        .await
        .unwrap();
    assert_eq!(still.mapping.state(), MappingState::Unmapped);
    assert_eq!(
        send(url, &[("cookie", &cookie)], Some(&right)).await.status,
        303
    );
    let now = flows
        .get_provider_account(&operator(), account.id)
        .await
        .unwrap();
    assert_eq!(now.mapping.state(), MappingState::Excluded);
    service.stop().await;
}
