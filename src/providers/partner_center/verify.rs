//! Verify Connectivity (A3): each step live, the first that fails named with its remedy. First what the application may by
//! itself, which is all that a sync needs; then, where somebody consented, the user's token and its second factor.

use std::time::Duration;

use reqwest::header::HeaderMap;
use secrecy::ExposeSecret;

use super::client::PartnerCenterClient;
use super::listing::{page_url, read_page};
use crate::domain::consent::MultiFactor;
use crate::domain::ports::provider::{FailureKind, ProviderError};
use crate::domain::verify::{VerifyReport, VerifyStep};
use crate::net::backoff::RetryPolicy;
use crate::net::token_claims::TokenClaims;

/// Partner Center's own application id: the audience of tokens in the newer format, in every cloud and tenant.
const PARTNER_CENTER_APP: &str = "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd";

/// Somebody is waiting for the result: a passing fault is tried once more, a throttled connection is reported as such.
const PATIENCE: RetryPolicy = RetryPolicy {
    tries: 2,
    first_delay: Duration::from_millis(500),
    max_delay: Duration::from_secs(1),
    total: Duration::from_secs(5),
};

/// A step that failed; its name and its reason.
type Failed = (&'static str, String);

/// Runs the steps until one fails.
pub(super) async fn verify(client: &PartnerCenterClient) -> VerifyReport {
    let mut steps = Vec::new();
    if let Err((name, detail)) = run(client, &mut steps).await {
        steps.push(VerifyStep {
            name: name.to_owned(),
            passed: false,
            detail,
        });
    }
    VerifyReport::of(steps)
}

async fn run(client: &PartnerCenterClient, steps: &mut Vec<VerifyStep>) -> Result<(), Failed> {
    let mut pass = |name: &str, detail: String| {
        steps.push(VerifyStep {
            name: name.to_owned(),
            passed: true,
            detail,
        });
    };
    pass("settings present", settings_present(client)?);

    let token = client.caller.tokens.renew().await;
    let token = token.map_err(|error| ("token issued", error.message))?;
    let claims = TokenClaims::read(&token);
    pass(
        "token issued",
        format!("a new one from {}", client.settings.authority),
    );
    pass("right tenant", right_tenant(client, claims.as_ref())?);
    pass("right audience", right_audience(client, claims.as_ref())?);

    match read_customers(client).await {
        Ok(found) => {
            pass(
                "role",
                "Partner Center lets the application read customers".to_owned(),
            );
            pass("a real read", found);
        }
        Err(error) if error.kind == FailureKind::Permission => return Err(("role", quote(error))),
        Err(error) => return Err(("a real read", quote(error))),
    }
    let Some(user) = &client.user else {
        return Ok(());
    };
    let token = user.tokens.user_token(&user.provider).await;
    let Some(token) = token.map_err(|error| ("user consent", quote(error)))? else {
        let nobody = "nobody has given user consent yet; what the application does by itself works";
        pass("user consent", nobody.to_owned());
        return Ok(());
    };
    pass("user consent", "the user's token was issued".to_owned());
    let claims = TokenClaims::read(&token);
    pass("the user's tenant", right_tenant(client, claims.as_ref())?);
    match client.try_sign_in(&token).await {
        Ok(MultiFactor::Verified) => {
            pass("second factor", "Partner Center confirms it".to_owned());
        }
        Ok(MultiFactor::Unverified) => {
            pass(
                "second factor",
                "MFA unverified: Partner Center did not say".to_owned(),
            );
        }
        Err(error) if error.kind == FailureKind::Permission => {
            return Err(("the user's role", quote(error)));
        }
        Err(error) => return Err(("second factor", quote(error))),
    }
    Ok(())
}

fn settings_present(client: &PartnerCenterClient) -> Result<String, Failed> {
    let connection = &client.connection;
    let given = [
        ("partner tenant", connection.tenant.as_str()),
        ("client id", connection.client_id.as_str()),
        ("client secret", connection.client_secret.expose_secret()),
    ];
    match given.iter().find(|(_, value)| value.trim().is_empty()) {
        Some((name, _)) => {
            let detail = format!("the {name} is missing; enter it in the provider's connection");
            Err(("settings present", detail))
        }
        None => Ok("partner tenant, client id and client secret are there".to_owned()),
    }
}

fn right_tenant(
    client: &PartnerCenterClient,
    claims: Option<&TokenClaims>,
) -> Result<String, Failed> {
    let wanted = client.connection.tenant.trim();
    let Some(issued) = claims.and_then(|claims| claims.tenant.as_deref()) else {
        return Ok("the token does not say; the read below tells".to_owned());
    };
    if uuid::Uuid::parse_str(wanted).is_err() {
        return Ok(format!("`{wanted}` is tenant {issued}"));
    }
    if issued.eq_ignore_ascii_case(wanted) {
        return Ok(format!("tenant {issued}"));
    }
    let detail = format!(
        "the token is of tenant {issued}, not of {wanted}; correct the partner tenant or the authority"
    );
    Err(("right tenant", detail))
}

fn right_audience(
    client: &PartnerCenterClient,
    claims: Option<&TokenClaims>,
) -> Result<String, Failed> {
    let wanted = client.settings.audience();
    let audiences = claims.map_or(&[][..], |claims| &claims.audiences);
    let fits = |audience: &String| {
        audience.trim_end_matches('/').eq_ignore_ascii_case(wanted)
            || audience.eq_ignore_ascii_case(PARTNER_CENTER_APP)
    };
    match audiences {
        [] => Ok("the token does not say; the read below tells".to_owned()),
        audiences if audiences.iter().any(fits) => Ok(format!("the token is for {wanted}")),
        audiences => {
            let found = audiences.join(", ");
            let detail =
                format!("the token is for {found}, not for {wanted}; correct the scope setting");
            Err(("right audience", detail))
        }
    }
}

async fn read_customers(client: &PartnerCenterClient) -> Result<String, ProviderError> {
    let url = page_url(client.settings.resource(&["customers"]), 1, None);
    let read = |body: &[u8]| read_page(body, None);
    let page = client
        .caller
        .get_under(&PATIENCE, "list its customers", url, HeaderMap::new(), read)
        .await?;
    Ok(match page.customers.first() {
        Some(customer) => format!("read customers, the first is `{}`", customer.name),
        None => "read customers, there are none yet".to_owned(),
    })
}

fn quote(error: ProviderError) -> String {
    match error.correlation_id {
        Some(ids) => format!("{} ({ids})", error.message),
        None => error.message,
    }
}
