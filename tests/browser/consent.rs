//! The whole way of consent in a real browser: connecting a provider, both consents at the simulated Entra, confirming the
//! tenant, verifying; and each way it is refused.

use provider_bridge::app::build::App;
use provider_bridge::app::clock::system_context;
use provider_bridge::app::commands::sign_in_link::link;
use provider_bridge::app::open::operator;
use provider_bridge::app::running::Running;
use provider_bridge::domain::caller::Role;
use provider_bridge::identity::sessions::Sessions;
use provider_bridge::simulator::{self, Simulator, SimulatorOptions, World, WorldSpec};
use secrecy::ExposeSecret;
use thirtyfour::prelude::*;

use crate::chromium::Browser;
use crate::pages::{config, press, submit, text, wait_for};

const ADA: &str = "admin-partner-example";

/// A service that knows no provider yet.
struct Service {
    running: Running,
    sessions: Sessions,
    simulator: simulator::Running,
    _folder: tempfile::TempDir,
}

impl Service {
    async fn start() -> Self {
        let options = SimulatorOptions::new(system_context());
        let world = World::generate(&WorldSpec::new(20, 7));
        let simulator = Simulator::start(world, options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = config(&simulator.base_url(), folder.path());
        let app = App::build(config, system_context()).await.unwrap();
        let sessions = app.sessions.clone();
        let running = app.start(false).await.unwrap();
        Self {
            running,
            sessions,
            simulator,
            _folder: folder,
        }
    }

    async fn sign_in(&self, browser: &Browser, role: Role) {
        let roles = [role].into_iter().collect();
        let operator = operator();
        let secret = self.sessions.create_link(&operator, "Jo Doe", roles).await;
        let secret = secret.unwrap();
        let base = self.running.base_url().parse().unwrap();
        let link = link(&base, secret.expose_secret());
        browser.page.goto(link).await.unwrap();
        press(browser, "button.primary").await;
        wait_for(browser, By::Id("providers")).await.unwrap();
    }

    async fn stop(self) {
        self.running.stop().await;
        self.simulator.stop().await;
    }
}

/// The address holds nothing of a callback.
async fn address_is_clean(browser: &Browser) {
    let address = browser.page.current_url().await.unwrap();
    for secret in ["code=", "state=", "error=", "/consent/callback"] {
        assert!(!address.as_str().contains(secret), "{address}");
    }
}

async fn connect(browser: &Browser, base: &str, tenant: &str) {
    browser
        .page
        .goto(format!("{base}/connect-provider"))
        .await
        .unwrap();
    let fields = [
        ("name", "Europe"),
        ("tenant", tenant),
        ("client-id", simulator::PARTNER_CENTER_CLIENT_ID),
        ("client-secret", simulator::PARTNER_CENTER_CLIENT_SECRET),
    ];
    for (id, value) in fields {
        let field = wait_for(browser, By::Id(id)).await.unwrap();
        field.send_keys(value).await.unwrap();
    }
    press(browser, "main button.primary").await;
    wait_for(browser, By::Id("give-admin")).await.unwrap();
}

async fn consent(browser: &Browser, button: &str, whom: &str) {
    submit(browser, &format!("#{button}")).await;
    submit(browser, &format!("#{whom}")).await;
    address_is_clean(browser).await;
}

#[tokio::test]
async fn an_administrator_gives_both_consents_and_learns_what_is_wrong_on_the_way() {
    let service = Service::start().await;
    let browser = Browser::open().await.unwrap();
    service.sign_in(&browser, Role::Admin).await;
    connect(
        &browser,
        &service.running.base_url(),
        simulator::PARTNER_TENANT_ID,
    )
    .await;

    consent(&browser, "give-user", ADA).await;
    let refused = text(&browser, "#refusal").await;
    assert!(
        refused.contains("consent"),
        "before admin consent: {refused}"
    );
    consent(&browser, "give-admin", "decline").await;
    assert!(text(&browser, "#refusal").await.contains("declined"));
    consent(&browser, "give-admin", ADA).await;
    assert!(text(&browser, "#admin-consent").await.contains("Jo Doe"));

    for (whom, why) in [
        ("no-mfa-partner-example", "multi-factor"),
        ("no-role-partner-example", "Partner Center"),
        ("decline", "declined"),
    ] {
        consent(&browser, "give-user", whom).await;
        let refused = text(&browser, "#refusal").await;
        assert!(refused.contains(why), "{whom}: {refused}");
        assert!(
            text(&browser, "#user-consent")
                .await
                .contains("not given yet")
        );
    }

    consent(&browser, "give-user", ADA).await;
    assert_eq!(
        text(&browser, "#pending-tenant").await,
        simulator::PARTNER_TENANT_ID
    );
    browser
        .assert_fit_for_everyone("the-tenant-to-confirm")
        .await
        .unwrap();
    submit(&browser, "#confirm").await;
    let given = text(&browser, "#user-consent").await;
    assert!(given.contains("admin@partner.example"), "{given}");
    assert!(given.contains("lapses in about"), "{given}");

    submit(&browser, "#verify").await;
    let report = text(&browser, "#report").await;
    assert!(report.contains("✓ second factor"), "{report}");
    assert!(!report.contains("! "), "{report}");
    browser.assert_fit_for_everyone("the-report").await.unwrap();

    submit(&browser, "#revoke").await;
    wait_for(&browser, By::Css("[role=status]")).await.unwrap();
    assert!(
        text(&browser, "#user-consent")
            .await
            .contains("not given yet")
    );
    browser.close().await.unwrap();
    service.stop().await;
}

#[tokio::test]
async fn another_tenants_sign_in_and_another_browsers_answer_are_refused() {
    let service = Service::start().await;
    let browser = Browser::open().await.unwrap();
    service.sign_in(&browser, Role::Admin).await;
    let base = service.running.base_url();
    connect(&browser, &base, simulator::PARTNER_TENANT_ID).await;
    consent(&browser, "give-admin", "admin-customer-example").await;
    consent(&browser, "give-user", "admin-customer-example").await;
    let refused = text(&browser, "#refusal").await;
    assert!(refused.contains(simulator::ENTRA_TENANT_ID), "{refused}");

    // An attacker sends the victim an answer of the attacker's own sign-in.
    for callback in ["callback", "admin-callback"] {
        let forged =
            format!("{base}/consent/{callback}?code=theirs&state=theirs&admin_consent=True");
        browser.page.goto(forged).await.unwrap();
        assert!(text(&browser, "h1").await.contains("Consent was not taken"));
        address_is_clean(&browser).await;
    }
    let stranger = Browser::open().await.unwrap();
    stranger
        .page
        .goto(format!("{base}/consent/callback?code=c&state=s"))
        .await
        .unwrap();
    assert!(
        text(&stranger, "p")
            .await
            .contains("another browser or session")
    );
    address_is_clean(&stranger).await;
    stranger.close().await.unwrap();
    browser.close().await.unwrap();
    service.stop().await;
}
