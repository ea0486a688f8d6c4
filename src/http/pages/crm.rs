//! The connection to Dynamics 365: whom we are there, how an administrator lets us in, and whether it works (A5). Access is
//! app-only: nobody signs in. Consent is the application user that an administrator makes in the environment.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use serde::Deserialize;

use super::door::{self, Visitor};
use super::shell::Shell;
use crate::domain::caller::Permission;
use crate::domain::verify::VerifyReport;
use crate::flows::FlowError;
use crate::http::state::ApiState;

/// What the deployment's settings say of the connection. Nothing secret.
#[derive(Debug, Clone)]
pub struct CrmConnection {
    /// The organisation's address.
    pub org_url: String,
    /// The tenant that it belongs to.
    pub tenant: String,
    /// The application that we are.
    pub client_id: String,
    /// Whether its webhooks are taken.
    pub takes_webhooks: bool,
}

#[derive(Template)]
#[template(path = "crm.html", config = "src/http/pages/askama.toml")]
struct Page {
    shell: Shell,
    connection: Option<CrmConnection>,
    may_verify: bool,
    report: Option<VerifyReport>,
    failed_step: Option<String>,
}

/// A form that carries only the CSRF secret.
#[derive(Deserialize)]
pub(super) struct Bare {
    csrf: String,
}

async fn render(
    state: &Data<ApiState>,
    visitor: &Visitor,
    report: Option<VerifyReport>,
) -> HttpResponse {
    let page = async {
        visitor.caller.require(Permission::Read)?;
        let failed = |report: &VerifyReport| {
            let step = report.steps.iter().find(|step| !step.passed)?;
            Some(step.name.clone())
        };
        Ok::<_, FlowError>(Page {
            shell: Shell::of(state, visitor, None).await?,
            connection: state.pages.crm.clone(),
            may_verify: visitor.may(Permission::Sync),
            failed_step: report.as_ref().and_then(failed),
            report,
        })
    };
    match page.await {
        Ok(page) => door::page(StatusCode::OK, &page),
        Err(error) => door::failed(&error),
    }
}

#[get("/crm")]
pub(super) async fn show(request: HttpRequest, state: Data<ApiState>) -> HttpResponse {
    match door::visitor(&request, &state).await {
        Ok(visitor) => render(&state, &visitor, None).await,
        Err(refusal) => *refusal,
    }
}

/// Verify Connectivity, with its report on the page.
#[post("/crm/verify")]
pub(super) async fn verify(
    request: HttpRequest,
    state: Data<ApiState>,
    form: Form<Bare>,
) -> HttpResponse {
    let visitor = match door::poster(&request, &state, &form.csrf).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    match state.flows.verify_crm(&visitor.caller).await {
        Ok(report) => render(&state, &visitor, Some(report)).await,
        Err(error) => door::failed(&error),
    }
}
