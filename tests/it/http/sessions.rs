//! Sign-in links and sessions as a browser meets them, without a browser: one-time, bound in time, refused across sites.

use std::time::Duration;

use provider_bridge::domain::caller::{Role, Roles};
use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret;

use crate::support::app::{Answer, PAGE_HOST, TestApp};

const COOKIE: &str = "__Host-provider-bridge";
const MINUTE: Duration = Duration::from_mins(1);

/// What is to be put into the URL of a sign-in link.
async fn link(app: &TestApp) -> String {
    let roles = Roles::from([Role::Admin]);
    let link = app
        .sessions
        .create_link(&TestApp::operator(), "Ada", roles)
        .await;
    link.unwrap().expose_secret().to_owned()
}

fn page(app: &TestApp, path: &str, cookie: &str) -> RequestBuilder {
    app.request(Method::GET, path)
        .header("host", PAGE_HOST)
        .header("cookie", format!("{COOKIE}={cookie}"))
}

async fn home(app: &TestApp, cookie: &str) -> Answer {
    Answer::of(page(app, "/", cookie)).await
}

fn form(app: &TestApp, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
    form_at(app, PAGE_HOST, path, fields)
}

fn form_at(app: &TestApp, host: &str, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(fields);
    app.request(Method::POST, path)
        .header("host", host)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.finish())
}

async fn enter(app: &TestApp, link: &str) -> Answer {
    Answer::of(form(app, "/sign-in", &[("link", link)])).await
}

/// The value of the cookie that an answer sets.
fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie");
    let value = set
        .strip_prefix(&format!("{COOKIE}="))
        .unwrap_or_else(|| panic!("{set}"));
    value.split(';').next().unwrap().to_owned()
}

/// A signed-in browser: its cookie, and the CSRF secret of its forms.
async fn signed_in(app: &TestApp) -> (String, String) {
    let cookie = cookie(&enter(app, &link(app).await).await);
    let page = home(app, &cookie).await;
    assert_eq!(page.status, 200, "{page:?}");
    let (_, after) = page.text.split_once("name=\"csrf\" value=\"").unwrap();
    let csrf = after.split('"').next().unwrap().to_owned();
    (cookie, csrf)
}

crate::on_both_engines! {
    async fn a_link_signs_in_once_and_only_by_its_button(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let link = link(&app).await;
        assert_eq!(home(&app, "").await.status, 401);
        for _ in 0..2 {
            let looked = Answer::of(page(&app, &format!("/sign-in/{link}"), "")).await;
            assert_eq!((looked.status, looked.header("set-cookie")), (200, ""), "mail scanners look too");
        }
        let across = form(&app, "/sign-in", &[("link", &link)]).header("sec-fetch-site", "cross-site");
        assert_eq!(Answer::of(across).await.status, 403, "a foreign page signs nobody in");
        let entered = enter(&app, &link).await;
        assert_eq!((entered.status, entered.header("location")), (303, "/"));
        let set = entered.header("set-cookie");
        let mut attributes: Vec<_> = set.split("; ").skip(1).collect();
        attributes.sort_unstable();
        assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"], "{set}");
        let cookie = cookie(&entered);
        assert_eq!(home(&app, &cookie).await.status, 200);

        let again = enter(&app, &link).await;
        assert_eq!((again.status, again.header("set-cookie")), (401, ""));
        for wrong in ["", "x", &"x".repeat(43), &"x".repeat(5000)] {
            assert_eq!(enter(&app, wrong).await.status, 401);
            assert_eq!(home(&app, wrong).await.status, 401);
        }
        let api = page(&app, "/v1/providers", &cookie);
        assert_eq!(Answer::of(api).await.status, 401, "a cookie is no credential of the API");
    }

    async fn links_and_sessions_end_in_their_time(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let (in_time, late) = (link(&app).await, link(&app).await);
        app.clock.advance(15 * MINUTE - Duration::from_secs(1));
        let idle = cookie(&enter(&app, &in_time).await);
        app.clock.advance(Duration::from_secs(1));
        assert_eq!(enter(&app, &late).await.status, 401);

        app.clock.advance(59 * MINUTE);
        assert_eq!(home(&app, &idle).await.status, 200, "used within the hour");
        app.clock.advance(59 * MINUTE);
        assert_eq!(home(&app, &idle).await.status, 200, "that use counts");
        app.clock.advance(60 * MINUTE);
        assert_eq!(home(&app, &idle).await.status, 401, "an hour without use");

        let busy = cookie(&enter(&app, &link(&app).await).await);
        for _ in 0..23 {
            app.clock.advance(30 * MINUTE);
            assert_eq!(home(&app, &busy).await.status, 200);
        }
        app.clock.advance(30 * MINUTE);
        assert_eq!(home(&app, &busy).await.status, 401, "twelve hours are the most");
    }

    async fn a_form_needs_the_secret_of_its_own_session_and_signs_out_for_good(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let (ada, csrf) = signed_in(&app).await;
        let (grace, other) = signed_in(&app).await;
        assert_ne!(csrf, other);
        let leave = |cookie: &str, csrf: &str| {
            form(&app, "/sign-out", &[("csrf", csrf)]).header("cookie", format!("{COOKIE}={cookie}"))
        };
        for wrong in ["", "x", &other] {
            let refused = Answer::of(leave(&ada, wrong)).await;
            assert_eq!(refused.status, 403, "{wrong}");
        }
        let bare = form(&app, "/sign-out", &[]).header("cookie", format!("{COOKIE}={ada}"));
        assert_eq!(Answer::of(bare).await.status, 400);
        for site in ["cross-site", "same-site"] {
            let refused = Answer::of(leave(&ada, &csrf).header("sec-fetch-site", site)).await;
            assert_eq!(refused.status, 403, "{site}");
        }
        let id = app.provider_accounts(&["Contoso"]).await.remove(0);
        let path = format!("/provider-accounts/{id}/exclude");
        let forged = form(&app, &path, &[("csrf", &other), ("reason", "forged")]);
        let forged = Answer::of(forged.header("cookie", format!("{COOKIE}={ada}"))).await;
        assert_eq!(forged.status, 403);
        assert_eq!(home(&app, &ada).await.status, 200, "no refusal ends the session");

        let left = Answer::of(leave(&ada, &csrf).header("sec-fetch-site", "same-origin")).await;
        assert_eq!((left.status, cookie(&left)), (200, String::new()));
        assert!(left.header("set-cookie").contains("Max-Age=0"), "{left:?}");
        assert_eq!(home(&app, &ada).await.status, 401, "the cookie is worth nothing any more");
        assert_eq!(home(&app, &grace).await.status, 200, "nobody else is signed out");
    }

    async fn pages_are_shown_under_their_own_name_only(store: TestStore) {
        let app = TestApp::start(store.clone()).await;
        let (cookie, csrf) = signed_in(&app).await;
        let cookie = format!("{COOKIE}={cookie}");
        let unused = link(&app).await;
        for host in ["evil.test", "bridge.test.evil.test", "bridge.test:8080", ""] {
            for path in ["/".to_owned(), format!("/sign-in/{unused}")] {
                let shown = app.request(Method::GET, &path).header("host", host).header("cookie", &cookie);
                assert_eq!(Answer::of(shown).await.status, 421, "{host} {path}");
            }
            for (path, field) in [("/sign-in", ("link", unused.as_str())), ("/sign-out", ("csrf", csrf.as_str()))] {
                let posted = form_at(&app, host, path, &[field]).header("cookie", &cookie);
                assert_eq!(Answer::of(posted).await.status, 421, "{host} {path}");
            }
        }
        assert_eq!(enter(&app, &unused).await.status, 303, "nothing was used up");
        let upper = app.request(Method::GET, "/").header("host", "BRIDGE.test").header("cookie", &cookie);
        assert_eq!(Answer::of(upper).await.status, 200);
    }
}
