//! One provider: what its tenant consented to, what is the matter with it, and the buttons that mend it (A2, A3).

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::door::{self, Visitor};
use super::shell::Shell;
use super::words::{ago, sentence};
use crate::domain::caller::Permission;
use crate::domain::consent::{Consent, Given, MultiFactor, Trouble};
use crate::domain::ids::ProviderId;
use crate::domain::provider::Provider;
use crate::domain::provider_health::{HealthIssue, ProviderHealth};
use crate::domain::verify::VerifyReport;
use crate::flows::FlowError;
use crate::http::state::ApiState;

/// A consent as the page words it. The lines are HTML of fixed words and escaped names.
struct Shown {
    admin: String,
    user: String,
    lapses: Option<String>,
    failure: Option<(String, &'static str)>,
    pending: Option<(String, String)>,
    given: bool,
}

#[derive(Template)]
#[template(path = "provider.html", config = "src/http/pages/askama.toml")]
struct Page {
    shell: Shell,
    id: ProviderId,
    name: String,
    tenant: String,
    pinned: bool,
    client_id: String,
    may_configure: bool,
    may_verify: bool,
    consent: Shown,
    health: Health,
    said: Said,
}

/// What came of what the visitor did last.
#[derive(Default)]
pub(super) struct Said {
    /// It went well.
    pub done: Option<&'static str>,
    /// It was refused.
    pub problem: Option<String>,
    /// A connectivity test.
    pub report: Option<VerifyReport>,
}

/// How the provider fares, as the page words it. The lines are HTML of fixed words, numbers and times.
struct Health {
    issues: Vec<&'static str>,
    secret: String,
    last_sync: String,
    last_error: Option<(String, &'static str, String)>,
}

fn health(health: &ProviderHealth, now: DateTime<Utc>) -> Health {
    let words = |issue| match issue {
        HealthIssue::ConsentLapsing => "The user consent lapses soon. Give it again.",
        HealthIssue::ConsentLost => "The user consent is lost. Give it again.",
        HealthIssue::ClientSecretExpiring => {
            "The client secret expires soon. Make a new one at Microsoft Entra."
        }
        HealthIssue::ClientSecretExpired => {
            "The client secret has expired. Make a new one at Microsoft Entra."
        }
        HealthIssue::SyncFailing => "The last sync did not come to its end.",
    };
    Health {
        issues: health.issues(now).into_iter().map(words).collect(),
        secret: match health.client_secret_expires_at {
            None => "nobody said when it expires".to_owned(),
            Some(at) if at <= now => format!("expired {}", ago(at, now)),
            Some(at) => format!("expires in {} days", (at - now).num_days()),
        },
        last_sync: health
            .last_complete_sync_at
            .map_or_else(|| "none yet".to_owned(), |at| ago(at, now)),
        last_error: health.last_error().map(|error| {
            let class = error.trouble.name();
            (ago(error.at, now), class, sentence(&error.text))
        }),
    }
}

/// What a redirect to this page says.
#[derive(Deserialize)]
pub(super) struct Done {
    done: Option<String>,
}

/// A form that carries only the CSRF secret.
#[derive(Deserialize)]
pub(super) struct Bare {
    csrf: String,
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn given(given: Option<&Given>, now: DateTime<Utc>) -> String {
    match given {
        None => "not given yet".to_owned(),
        Some(given) => format!("given {} by {}", ago(given.at, now), escaped(&given.by)),
    }
}

fn shown(consent: &Consent, now: DateTime<Utc>) -> Shown {
    let second_factor = match consent.multi_factor {
        MultiFactor::Verified => "with a second factor",
        MultiFactor::Unverified => "MFA unverified",
    };
    let user = given(consent.user.as_ref(), now);
    Shown {
        admin: given(consent.admin.as_ref(), now),
        user: if consent.user.is_some() {
            format!("{user}, {second_factor}")
        } else {
            user
        },
        lapses: consent.lapses_at().map(|at| {
            let days = (at - now).num_days().max(0);
            format!("lapses in about {days} days unless it is used before")
        }),
        failure: consent.failure.as_ref().map(|failure| {
            let who = match failure.trouble {
                Trouble::ReConsent => "Give consent again.",
                Trouble::Operator => "An operator has to mend this; the consent itself stands.",
                Trouble::Transient => "This passes by itself; nothing is disconnected.",
            };
            (sentence(&failure.text), who)
        }),
        pending: consent
            .pending
            .as_ref()
            .map(|pending| (pending.tenant_id.to_string(), pending.by.clone())),
        given: consent.user.is_some() || consent.admin.is_some(),
    }
}

/// Words for what a redirect says; anything else says nothing.
fn words_of(done: Option<&str>) -> Option<&'static str> {
    Some(match done? {
        "provider-connected" => "The provider is connected. Give admin consent next.",
        "admin-consent" => "Admin consent came back. Give user consent next.",
        "client-secret" => {
            "The client secret was replaced. Verify connectivity to see that it is taken."
        }
        "user-consent" => "User consent is given, and a real call went well.",
        "confirm-tenant" => "The sign-in went well. Confirm its tenant below.",
        "revoked" => "The sign-in was forgotten here.",
        "rejected" => "The sign-in was forgotten; nothing was changed.",
        _ => return None,
    })
}

/// The page, with what came of what was done.
pub(super) async fn render(
    state: &Data<ApiState>,
    visitor: &Visitor,
    id: ProviderId,
    said: Said,
) -> HttpResponse {
    let status = match said.problem {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let page = async {
        let found = state.flows.get_provider(&visitor.caller, id).await?;
        let health = health(&found.health, state.flows.context.now());
        let provider: Provider = found.provider;
        let consent = state.consents.view(&visitor.caller, id).await;
        let consent = consent.map_err(|error| FlowError::Invalid(error.to_string()))?;
        Ok::<_, FlowError>(Page {
            shell: Shell::of(state, visitor, None).await?,
            id,
            name: provider.name,
            pinned: consent.tenant_id.map(|tenant| tenant.to_string())
                == Some(provider.partner_tenant.clone()),
            tenant: provider.partner_tenant,
            client_id: provider.client_id,
            may_configure: visitor.may(Permission::Configure),
            may_verify: visitor.may(Permission::Sync),
            consent: shown(&consent, state.flows.context.now()),
            health,
            said,
        })
    };
    match page.await {
        Ok(page) => door::page_towards(status, &page, &state.consents.authority_origin()),
        Err(error) => door::failed(&error),
    }
}

#[get("/providers/{id}")]
pub(super) async fn show(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    query: actix_web::web::Query<Done>,
) -> HttpResponse {
    let visitor = match door::visitor(&request, &state).await {
        Ok(visitor) => visitor,
        Err(refusal) => return *refusal,
    };
    let Ok(id) = id.parse::<ProviderId>() else {
        return door::failed(&FlowError::not_found("provider", &id));
    };
    let said = Said {
        done: words_of(query.done.as_deref()),
        ..Said::default()
    };
    render(&state, &visitor, id, said).await
}

/// Verify Connectivity, with its report on the page.
#[post("/providers/{id}/verify")]
pub(super) async fn verify(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
    form: Form<Bare>,
) -> HttpResponse {
    let (visitor, id) = match door::poster_about(&request, &state, &id, &form.csrf).await {
        Ok(both) => both,
        Err(refusal) => return *refusal,
    };
    match state.flows.verify_provider(&visitor.caller, id).await {
        Ok(report) => {
            let said = Said {
                report: Some(report),
                ..Said::default()
            };
            render(&state, &visitor, id, said).await
        }
        Err(error) => door::failed(&error),
    }
}
