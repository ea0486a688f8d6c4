//! What a person gets for a request that cannot be read, and what a reader is offered.

use provider_bridge::domain::caller::{Role, Roles};
use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret;

use crate::support::app::{Answer, PAGE_HOST, TestApp};

const COOKIE: &str = "__Host-provider-bridge";
const FORM: &str = "application/x-www-form-urlencoded";

fn asked(app: &TestApp, method: Method, path: &str, cookie: &str) -> RequestBuilder {
    let request = app.request(method, path).header("host", PAGE_HOST);
    request.header("cookie", format!("{COOKIE}={cookie}"))
}

async fn signed_in(app: &TestApp, role: Role) -> String {
    let link = app
        .sessions
        .create_link(&TestApp::operator(), "Ada", Roles::from([role]))
        .await;
    let body = format!("link={}", link.unwrap().expose_secret());
    let enter = asked(app, Method::POST, "/sign-in", "").header("content-type", FORM);
    let entered = Answer::of(enter.body(body)).await;
    let set = entered.header("set-cookie").split(';').next().unwrap();
    set.split_once('=').unwrap().1.to_owned()
}

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
}
