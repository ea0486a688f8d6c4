//! The harness tried on a small page of its own, so that a failing page test is known to be about the page. The page is
//! served with the content security policy that the product's pages have.

use actix_web::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use actix_web::{App, HttpResponse, HttpServer, web};
use thirtyfour::prelude::*;

use crate::chromium::{Browser, NARROW};

const PAGE: &str = r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Counter</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="style.css"></head>
<body><main><h1>Counter</h1><button id="add">Add</button><p>Added so far: <b id="sum">0</b></p></main>
<script src="/script.js"></script></body></html>"#;
const SCRIPT: &str = "const sum = document.getElementById('sum');
document.getElementById('add').addEventListener('click', () => { sum.textContent = Number(sum.textContent) + 1 });";
const SOUND: &str = "body { background: #fff; color: #111 }
@media (prefers-color-scheme: dark) { body { background: #111; color: #eee } }";
/// Two faults: the number is too dark in the dark, and the button reaches out of a telephone's window.
const FAULTY: &str = "body { background: #fff } p { color: #222 } button { min-width: 25rem }
@media (prefers-color-scheme: dark) { body { background: #111 } h1 { color: #eee } }";

fn file(kind: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((
            CONTENT_SECURITY_POLICY,
            "default-src 'self'; frame-ancestors 'none'",
        ))
        .body(text)
}

/// Serves the page, as `sound/` and as `faulty/`, on a free port of loopback until the test's runtime ends.
fn serve() -> String {
    let page = || web::get().to(async || file("text/html; charset=utf-8", PAGE));
    let server = HttpServer::new(move || {
        App::new()
            .route("/{kind}/", page())
            .route(
                "/sound/style.css",
                web::get().to(async || file("text/css", SOUND)),
            )
            .route(
                "/faulty/style.css",
                web::get().to(async || file("text/css", FAULTY)),
            )
            .route(
                "/script.js",
                web::get().to(async || file("text/javascript", SCRIPT)),
            )
    });
    let server = server
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
    let url = format!("http://{}", server.addrs()[0]);
    actix_web::rt::spawn(server.run());
    url
}

#[actix_web::test]
async fn a_sound_page_can_be_used_and_is_fit_for_everyone() -> WebDriverResult<()> {
    let browser = Browser::open().await?;
    browser.page.goto(format!("{}/sound/", serve())).await?;
    browser.page.find(By::Id("add")).await?.click().await?;
    assert_eq!(browser.page.find(By::Id("sum")).await?.text().await?, "1");
    browser.assert_fit_for_everyone("harness-sound").await?;
    browser.close().await
}

#[actix_web::test]
async fn faults_are_found_only_in_the_colours_and_sizes_where_they_show() -> WebDriverResult<()> {
    let browser = Browser::open().await?;
    browser.page.goto(format!("{}/faulty/", serve())).await?;
    let faults = browser.faults("harness-faulty").await?;
    let contrast = |fault: &String| fault.contains("color-contrast") && fault.ends_with("at p");
    let [wide_dark, narrow_light, narrow_dark_width, narrow_dark] = &faults[..] else {
        panic!("not the four faults that were put in: {faults:?}");
    };
    assert!(
        wide_dark.starts_with("harness-faulty-wide-dark: ") && contrast(wide_dark),
        "{wide_dark}"
    );
    let sideways = |fault: &String, view| {
        fault.starts_with(view) && fault.ends_with(" pixels wider than the window")
    };
    assert!(
        sideways(narrow_light, "harness-faulty-narrow-light: "),
        "{narrow_light}"
    );
    assert!(
        sideways(narrow_dark_width, "harness-faulty-narrow-dark: "),
        "{narrow_dark_width}"
    );
    assert!(contrast(narrow_dark), "{narrow_dark}");

    browser.size(NARROW).await?;
    let picture = std::fs::read(browser.screenshot("harness-narrow").await?)?;
    let side = |at: usize| u32::from_be_bytes(picture[at..at + 4].try_into().unwrap());
    assert_eq!((side(16), side(20)), (NARROW.width, NARROW.height));
    browser.close().await
}
