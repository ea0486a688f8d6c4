//! Who may see a page, and how every page leaves the house.

use std::str::FromStr;

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, LOCATION};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::crm::CrmConnection;
use crate::domain::api_key::Session;
use crate::domain::caller::{Caller, Channel, Permission};
use crate::domain::ids::ProviderId;
use crate::flows::FlowError;
use crate::http::call::correlation_id;
use crate::http::state::ApiState;
use crate::identity::sessions;

/// `__Host-`: only over https (or to this machine), for this host alone, for every path.
pub(super) const COOKIE: &str = "__Host-provider-bridge";

/// Only our own files, no inline script or style, nobody may frame us.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What the pages need to know of the deployment.
#[derive(Debug, Clone)]
pub struct PageSettings {
    /// Name of the environment.
    pub environment: String,
    /// Its kind: production, sandbox or development (A4).
    pub kind: &'static str,
    /// Host names, with the port where it is not the scheme's own, under which the pages may be asked for.
    pub hosts: Vec<String>,
    /// The connection to the CRM, where there is one.
    pub crm: Option<CrmConnection>,
}

/// A signed-in visitor.
pub(super) struct Visitor {
    pub session: Session,
    pub caller: Caller,
}

impl Visitor {
    /// Whether one of the visitor's roles allows it.
    pub fn may(&self, permission: Permission) -> bool {
        self.caller.require(permission).is_ok()
    }
}

/// A page that says why there is no other.
#[derive(Template)]
#[template(path = "outside.html", config = "src/http/pages/askama.toml")]
struct Outside<'a> {
    title: &'a str,
    text: &'a str,
    sign_in: Option<&'a str>,
    back: bool,
}

/// Renders a page with its policy.
pub(super) fn page(status: StatusCode, template: &impl Template) -> HttpResponse {
    page_under(status, template, POLICY)
}

/// Renders a page whose forms may end at `origin`: browsers hold redirects after a form to the policy too.
pub(super) fn page_towards(
    status: StatusCode,
    template: &impl Template,
    origin: &str,
) -> HttpResponse {
    let policy = POLICY.replace(
        "form-action 'self'",
        &format!("form-action 'self' {origin}"),
    );
    page_under(status, template, &policy)
}

fn page_under(status: StatusCode, template: &impl Template, policy: &str) -> HttpResponse {
    match template.render() {
        Ok(html) => HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header((CONTENT_SECURITY_POLICY, policy))
            .insert_header((CACHE_CONTROL, "no-store"))
            .body(html),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// A page outside the frame: a title, a sentence, perhaps the sign-in button.
pub(super) fn outside(
    status: StatusCode,
    title: &str,
    text: &str,
    sign_in: Option<&str>,
) -> HttpResponse {
    page(
        status,
        &Outside {
            title,
            text,
            sign_in,
            back: false,
        },
    )
}

/// A page inside the house that failed.
pub(super) fn failed(error: &FlowError) -> HttpResponse {
    let (status, title) = match error {
        FlowError::Forbidden(_) => (StatusCode::FORBIDDEN, "This is not for your role"),
        FlowError::NotFound { .. } => (StatusCode::NOT_FOUND, "There is nothing here"),
        FlowError::Store(cause) => {
            tracing::error!(
                error = cause as &dyn std::error::Error,
                "a page met a failure of the database"
            );
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "The database is not available",
            )
        }
        _ => (StatusCode::BAD_GATEWAY, "That did not work"),
    };
    let text = super::words::sentence(&error.to_string());
    page(
        status,
        &Outside {
            title,
            text: &text,
            sign_in: None,
            back: true,
        },
    )
}

/// A page that was made, or why it could not be.
pub(super) fn made(status: StatusCode, made: Result<impl Template, FlowError>) -> HttpResponse {
    match made {
        Ok(template) => page(status, &template),
        Err(error) => failed(&error),
    }
}

/// Answers a GET: the page that `make` makes for the visitor.
pub(super) async fn show<P: Template>(
    request: &HttpRequest,
    state: &Data<ApiState>,
    make: impl AsyncFnOnce(&Visitor) -> Result<P, FlowError>,
) -> HttpResponse {
    match visitor(request, state).await {
        Ok(visitor) => made(StatusCode::OK, make(&visitor).await),
        Err(refusal) => *refusal,
    }
}

/// What of a refusal is said on the page that was left, and with which status; the rest has a page of its own.
pub(super) fn said_on_page(error: &FlowError) -> Option<(StatusCode, String)> {
    let status = match error {
        FlowError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        FlowError::Conflict { .. } | FlowError::Stale(_) => StatusCode::CONFLICT,
        _ => return None,
    };
    Some((status, super::words::sentence(&error.to_string())))
}

/// An id out of a path: one that cannot be read is one that does not exist.
pub(super) fn id_of<T: FromStr>(text: &str, what: &'static str) -> Result<T, FlowError> {
    let shown = || text.chars().take(60).collect::<String>();
    text.parse()
        .map_err(|_| FlowError::not_found(what, shown()))
}

/// After a POST: go there, so that reloading does not post again.
pub(super) fn go_to(path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, path))
        .finish()
}

/// Refuses hosts that are not ours: a page under a foreign name could be a rebinding attack.
pub(super) fn check_host(request: &HttpRequest, state: &ApiState) -> Result<(), Box<HttpResponse>> {
    // HTTP/2 carries the host in the URI.
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| {
            request
                .uri()
                .authority()
                .map(|authority| authority.as_str())
        })
        .unwrap_or_default();
    if state
        .pages
        .hosts
        .iter()
        .any(|allowed| allowed.eq_ignore_ascii_case(host))
    {
        return Ok(());
    }
    let text = "The pages are served under the address in server.public_url and the names in server.allowed_hosts only.";
    Err(Box::new(outside(
        StatusCode::MISDIRECTED_REQUEST,
        "Not under this name",
        text,
        None,
    )))
}

/// The visitor, or the page that says how to sign in.
pub(super) async fn visitor(
    request: &HttpRequest,
    state: &Data<ApiState>,
) -> Result<Visitor, Box<HttpResponse>> {
    check_host(request, state)?;
    let session = match request.cookie(COOKIE) {
        None => None,
        Some(cookie) => state
            .sessions
            .verify(cookie.value())
            .await
            .map_err(|error| Box::new(failed(&FlowError::Store(error))))?,
    };
    let Some(session) = session else {
        let text = "Ask an administrator for a sign-in link, or make one on the machine that runs the service: \
                    provider-bridge sign-in-link";
        return Err(Box::new(outside(
            StatusCode::UNAUTHORIZED,
            "You are not signed in",
            text,
            None,
        )));
    };
    let caller =
        sessions::principal(&session).to_caller(Channel::Page, correlation_id(request.headers()));
    Ok(Visitor { session, caller })
}

/// The visitor behind a POST: the form must carry the session's CSRF secret and come from one of our own pages.
pub(super) async fn poster(
    request: &HttpRequest,
    state: &Data<ApiState>,
    csrf: &str,
) -> Result<Visitor, Box<HttpResponse>> {
    let visitor = visitor(request, state).await?;
    if is_own_form(request) && sessions::csrf_matches(&visitor.session, csrf) {
        return Ok(visitor);
    }
    let text = "The form did not come from a page of this session. Open the page again and repeat what you did.";
    Err(Box::new(outside(
        StatusCode::FORBIDDEN,
        "This form is not valid",
        text,
        None,
    )))
}

/// The same for a form about a provider, with the id out of its path.
pub(super) async fn poster_about(
    request: &HttpRequest,
    state: &Data<ApiState>,
    id: &str,
    csrf: &str,
) -> Result<(Visitor, ProviderId), Box<HttpResponse>> {
    let visitor = poster(request, state, csrf).await?;
    let id = id
        .parse()
        .map_err(|_| Box::new(failed(&FlowError::not_found("provider", id))))?;
    Ok((visitor, id))
}

/// Browsers say where a form comes from; a cross-site one is refused even with the right secret.
pub(super) fn is_own_form(request: &HttpRequest) -> bool {
    let site = request
        .headers()
        .get("sec-fetch-site")
        .and_then(|site| site.to_str().ok());
    matches!(site, None | Some("same-origin" | "none"))
}

/// The session's cookie.
pub(super) fn cookie(value: &str) -> Cookie<'_> {
    Cookie::build(COOKIE, value)
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax)
        .finish()
}
