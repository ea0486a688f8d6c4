//! What a person gets for a request that cannot be read, and what a reader is offered.

use provider_bridge::domain::caller::Role;
use reqwest::Method;

use crate::support::app::{Answer, TestApp};
use crate::support::pages::{FORM, asked, signed_in};

crate::on_both_engines! {
    async fn a_query_or_form_that_cannot_be_read_is_answered_with_a_page(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let cookie = signed_in(&app, Role::Admin).await;
        let id = app.provider_accounts(&["Contoso"]).await.remove(0);
        let query = Answer::of(asked(&app, Method::GET, "/?after_id=x", &cookie)).await;
        let post = |kind: &'static str, body: &'static str| {
            let path = format!("/provider-accounts/{id}/map");
            Answer::of(asked(&app, Method::POST, &path, &cookie).header("content-type", kind).body(body))
        };
        let field = post(FORM, "csrf=x&version=three").await;
        let kind = post("application/json", "{}").await;
        for (answer, status) in [(query, 400), (field, 400), (kind, 415)] {
            assert_eq!(answer.status, status, "{answer:?}");
            assert!(answer.header("content-type").starts_with("text/html"), "{answer:?}");
            assert!(answer.text.contains("nothing was done"), "{answer:?}");
            assert!(answer.header("content-security-policy").contains("frame-ancestors"));
        }
    }

    async fn only_who_may_map_is_offered_to(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        app.provider_accounts(&["Contoso"]).await;
        for (role, offered) in [(Role::Billing, true), (Role::Reader, false)] {
            let cookie = signed_in(&app, role).await;
            let home = Answer::of(asked(&app, Method::GET, "/", &cookie)).await;
            assert_eq!(home.text.contains("Map…"), offered, "{role}");
        }
    }

    async fn a_domain_is_shown_and_found_as_people_write_it(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        app.provider_accounts(&["ZJMüller"]).await;
        let cookie = signed_in(&app, Role::Reader).await;
        for search in ["zjm%C3%BCller", "zjm%C3%BCller.example", "xn--zjmller-p2a"] {
            let path = format!("/?view=all&search={search}");
            let found = Answer::of(asked(&app, Method::GET, &path, &cookie)).await;
            assert!(found.text.contains("zjmüller.example"), "{search}");
            assert!(!found.text.contains(">xn--"), "{search}");
        }
    }

    async fn no_page_may_be_framed_kept_or_named_to_others(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        app.provider_accounts(&["Contoso"]).await;
        let id = app.flows.list_providers(&TestApp::operator()).await.unwrap()[0].id;
        let cookie = signed_in(&app, Role::Admin).await;
        let provider = format!("/providers/{id}");
        for path in [
            "/", "/connect-provider", "/crm", &provider, "/consent/callback?state=x&code=y", "/consent/admin-callback?state=x",
            "/consent/refused?reason=wrong-tenant", "/sign-in/x", "/providers/none", "/nothing",
        ] {
            let answer = Answer::of(asked(&app, Method::GET, path, &cookie)).await;
            let policy = answer.header("content-security-policy");
            assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
            assert!(!policy.contains("unsafe"), "{path}: {policy}");
            assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
            assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
            assert!(answer.header("cache-control").contains("no-store"), "{path}");
        }
    }

    async fn a_form_of_another_session_or_site_changes_nothing(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        app.provider_accounts(&["Contoso"]).await;
        let id = app.flows.list_providers(&TestApp::operator()).await.unwrap()[0].id;
        let victim = signed_in(&app, Role::Admin).await;
        let attacker = signed_in(&app, Role::Admin).await;
        let home = Answer::of(asked(&app, Method::GET, "/", &attacker)).await.text;
        let (_, after) = home.split_once("name=\"csrf\" value=\"").unwrap();
        let theirs = after.split('"').next().unwrap().to_owned();
        for (path, fields) in [
            ("/connect-provider".to_owned(), "name=Evil&tenant=evil.example&client_id=c&client_secret=s"),
            (format!("/providers/{id}/consent"), "step=user"),
            (format!("/providers/{id}/consent/confirm"), "tenant=5a1d7c3e-2b94-4f06-8e1b-90c2d4f6a801"),
            (format!("/providers/{id}/consent/revoke"), "x=y"),
            (format!("/providers/{id}/verify"), "x=y"),
        ] {
            let post = |csrf: &str| {
                let request = asked(&app, Method::POST, &path, &victim).header("content-type", FORM);
                request.body(format!("csrf={csrf}&{fields}"))
            };
            for csrf in [theirs.as_str(), "", "x"] {
                assert_eq!(Answer::of(post(csrf)).await.status, 403, "{path} with `{csrf}`");
            }
        }
        assert_eq!(app.flows.list_providers(&TestApp::operator()).await.unwrap().len(), 1);
    }
}
