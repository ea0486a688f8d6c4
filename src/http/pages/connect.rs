//! Connecting a provider by hand.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use chrono::{DateTime, NaiveDate, Utc};
use secrecy::SecretString;
use serde::Deserialize;

use super::door::{self, Visitor};
use super::shell::Shell;
use super::words::sentence;
use crate::domain::caller::Permission;
use crate::domain::provider::ProviderKind;
use crate::flows::FlowError;
use crate::flows::providers::NewProvider;
use crate::http::state::ApiState;

#[derive(Template)]
#[template(path = "connect.html", config = "src/http/pages/askama.toml")]
struct Page {
    shell: Shell,
    name: String,
    tenant: String,
    client_id: String,
    expires: String,
    callbacks: [String; 2],
    problem: Option<String>,
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct New {
    csrf: String,
    name: String,
    tenant: String,
    client_id: String,
    client_secret: String,
    #[serde(default)]
    expires: String,
}

/// The end of the day that was typed as the last one of a client secret; it may be left out.
pub(super) fn expires_at(typed: &str) -> Result<Option<DateTime<Utc>>, FlowError> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let day: NaiveDate = typed.parse().map_err(|_| {
        FlowError::Invalid("the day on which the client secret expires is no date".to_owned())
    })?;
    Ok(day.and_hms_opt(23, 59, 59).map(|end| end.and_utc()))
}

/// A refusal in the words of these forms, not of the API.
pub(super) fn in_words_of_the_form(why: &str) -> String {
    sentence(&why.replace(
        "`clientSecretExpiresAt`",
        "the day on which the client secret expires",
    ))
}

async fn render(
    state: &Data<ApiState>,
    visitor: &Visitor,
    typed: Option<&New>,
    problem: Option<String>,
) -> HttpResponse {
    let page = async {
        visitor.caller.require(Permission::Configure)?;
        let text = |of: fn(&New) -> &String| typed.map(of).cloned().unwrap_or_default();
        Ok::<_, FlowError>(Page {
            shell: Shell::of(state, visitor, None).await?,
            name: text(|new| &new.name),
            tenant: text(|new| &new.tenant),
            client_id: text(|new| &new.client_id),
            expires: text(|new| &new.expires),
            callbacks: state.consents.redirect_uris(),
            problem: problem.clone(),
        })
    };
    let status = if problem.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    match page.await {
        Ok(page) => door::page(status, &page),
        Err(error) => door::failed(&error),
    }
}

#[get("/connect-provider")]
pub(super) async fn ask(request: HttpRequest, state: Data<ApiState>) -> HttpResponse {
    match door::visitor(&request, &state).await {
        Ok(visitor) => render(&state, &visitor, None, None).await,
        Err(refusal) => *refusal,
    }
}

#[post("/connect-provider")]
pub(super) async fn connect(
    request: HttpRequest,
    state: Data<ApiState>,
    form: Form<New>,
) -> HttpResponse {
    let visitor = match door::poster(&request, &state, &form.csrf).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    let connected = async {
        let new = NewProvider {
            kind: ProviderKind::PartnerCenter,
            name: form.name.clone(),
            partner_tenant: form.tenant.clone(),
            client_id: form.client_id.clone(),
            client_secret: SecretString::from(form.client_secret.clone()),
            client_secret_expires_at: expires_at(&form.expires)?,
            schedule: None,
        };
        state.flows.connect_provider(&visitor.caller, new).await
    };
    match connected.await {
        Ok(provider) => door::go_to(&format!(
            "/providers/{}?done=provider-connected",
            provider.id
        )),
        Err(error @ (FlowError::Invalid(_) | FlowError::Conflict { .. })) => {
            let problem = Some(in_words_of_the_form(&error.to_string()));
            render(&state, &visitor, Some(&form), problem).await
        }
        Err(error) => door::failed(&error),
    }
}
