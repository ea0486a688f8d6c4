//! Both consents of the demo's provider, as a person would give them in a browser: sent to the simulated Entra, an account
//! chosen there, and back with the answer. The tenant is confirmed at the end.

use anyhow::{Context as _, bail};
use reqwest::Method;
use url::Url;
use uuid::Uuid;

use crate::app::open::operator;
use crate::domain::ids::ProviderId;
use crate::identity::consent::{CallbackParameters, Consents, Outcome, Step};
use crate::net::client::{ClientSettings, HttpClient};
use crate::simulator::PEOPLE;

/// Gives both.
///
/// # Errors
/// When one is refused.
pub(super) async fn give(consents: &Consents, provider: ProviderId) -> anyhow::Result<()> {
    let caller = operator();
    // A session of nobody's: the demo is its own browser.
    let session = Uuid::from_u128(1);
    let client = HttpClient::new(&ClientSettings {
        allow_plain_loopback: true,
        ..ClientSettings::default()
    })?;
    let begun = consents
        .begin(&caller, session, provider, Step::Admin)
        .await?;
    let answer = choose(&client, begun).await?;
    let taken = consents.admin_callback(&caller, session, &answer).await;
    taken.map_err(|(_, refusal)| refusal)?;
    let begun = consents
        .begin(&caller, session, provider, Step::User)
        .await?;
    let answer = choose(&client, begun).await?;
    let taken = consents.user_callback(&caller, session, &answer).await;
    let (_, outcome) = taken.map_err(|(_, refusal)| refusal)?;
    if outcome == Outcome::ConfirmTenant {
        let pending = consents.view(&caller, provider).await?.pending;
        let pending = pending.context("the sign-in to confirm is gone")?;
        consents
            .confirm_tenant(&caller, provider, pending.tenant_id)
            .await?;
    }
    Ok(())
}

/// Chooses the administrator on the simulated page, and reads what the browser would bring back.
async fn choose(client: &HttpClient, mut page: Url) -> anyhow::Result<CallbackParameters> {
    let Some(administrator) = PEOPLE.first() else {
        bail!("nobody can sign in at the simulated Entra");
    };
    page.query_pairs_mut()
        .append_pair("simulated_account", administrator.upn);
    let answer = client.send(client.request(Method::GET, page)?).await?;
    let target: Url = answer
        .headers
        .get("location")
        .and_then(|target| target.to_str().ok())
        .context("the simulated Entra did not send the browser back")?
        .parse()?;
    let value = |name: &str| {
        let mut pairs = target.query_pairs();
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    Ok(CallbackParameters {
        state: value("state").unwrap_or_default(),
        code: value("code"),
        error: value("error"),
        error_description: value("error_description"),
        admin_consent: value("admin_consent"),
    })
}
