//! A person before the pages: signed in, following links, sending forms, without a browser.

use std::collections::BTreeMap;

use provider_bridge::domain::caller::{Role, Roles};
use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret;
use url::form_urlencoded::Serializer;

use super::app::{Answer, PAGE_HOST, TestApp};

const COOKIE: &str = "__Host-provider-bridge";
pub const FORM: &str = "application/x-www-form-urlencoded";

/// A request of a browser with this cookie.
pub fn asked(app: &TestApp, method: Method, path: &str, cookie: &str) -> RequestBuilder {
    let request = app.request(method, path).header("host", PAGE_HOST);
    request.header("cookie", format!("{COOKIE}={cookie}"))
}

/// The cookie of a new session.
pub async fn signed_in(app: &TestApp, role: Role) -> String {
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

/// What stands between the first `before` and the next `after`.
pub fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

/// Undoes what a page does to text, as far as links need it.
fn unescaped(text: &str) -> String {
    text.replace("&#38;", "&").replace("&amp;", "&")
}

/// Somebody who is signed in.
pub struct Person<'a> {
    app: &'a TestApp,
    cookie: String,
}

impl<'a> Person<'a> {
    pub async fn with(app: &'a TestApp, role: Role) -> Self {
        let cookie = signed_in(app, role).await;
        Self { app, cookie }
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(asked(self.app, Method::GET, path, &self.cookie)).await
    }

    /// Sends a form with the session's secret.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let home = self.get("/").await.text;
        let csrf = between(&home, "name=\"csrf\" value=\"", "\"").unwrap();
        let mut form = Serializer::new(String::new());
        form.append_pair("csrf", csrf).extend_pairs(fields);
        let request = asked(self.app, Method::POST, path, &self.cookie);
        Answer::of(request.header("content-type", FORM).body(form.finish())).await
    }

    /// Follows "Next page" to the end, and counts what `mark` begins and a quote ends on all of the pages.
    pub async fn leafed_through(&self, path: &str, mark: &str) -> (BTreeMap<String, usize>, usize) {
        let (mut seen, mut pages) = (BTreeMap::new(), 0);
        let mut next = Some(path.to_owned());
        while let Some(path) = next.take() {
            let page = self.get(&path).await;
            assert_eq!(page.status, 200, "{path}: {page:?}");
            for row in page.text.split(mark).skip(1) {
                let id = row.split('"').next().unwrap().to_owned();
                *seen.entry(id).or_default() += 1;
            }
            pages += 1;
            assert!(pages < 100, "{path} leads on and on");
            let link = page.text.split("<a ").find(|link| {
                let words = between(link, ">", "</a>").unwrap_or_default();
                words.trim() == "Next page"
            });
            next = link.map(|link| unescaped(between(link, "href=\"", "\"").unwrap()));
        }
        (seen, pages)
    }
}
