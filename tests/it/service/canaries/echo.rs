//! An upstream, or a receiver, that sends back whatever it was sent.

use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::dev::ServerHandle;
use actix_web::{App as WebApp, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::json;

use super::stage::ISSUED;

/// An upstream, or a receiver, that sends back what it was sent, in every way that is not what was asked for.
pub struct Echo {
    pub url: String,
    server: ServerHandle,
}

async fn echo(
    request: HttpRequest,
    body: web::Bytes,
    turn: web::Data<AtomicUsize>,
) -> HttpResponse {
    let said = format!("{request:?} {}", String::from_utf8_lossy(&body));
    let error = json!({
        "error": "invalid_client", "error_description": format!("AADSTS7000215: {said}"), "error_codes": [7_000_215],
        "code": said, "description": said, "message": said,
    });
    match turn.fetch_add(1, Ordering::SeqCst) % 6 {
        0 => HttpResponse::BadRequest().json(error),
        1 => HttpResponse::Ok().content_type("text/html").body(said),
        2 => HttpResponse::Unauthorized().json(error),
        3 => HttpResponse::Ok()
            .json(json!({ "access_token": ISSUED, "expires_in": said, "token_type": said })),
        4 => HttpResponse::Found()
            .insert_header(("location", format!("/?{ISSUED}")))
            .body(said),
        _ => HttpResponse::InternalServerError().body(said),
    }
}

impl Echo {
    pub fn start() -> Self {
        let turn = web::Data::new(AtomicUsize::new(0));
        let server = HttpServer::new(move || {
            WebApp::new()
                .app_data(turn.clone())
                .default_service(web::to(echo))
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self {
            url,
            server: handle,
        }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}
