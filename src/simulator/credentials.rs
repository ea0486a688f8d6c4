//! Who may sign in: the credentials of the demo. They open nothing but this simulator, and what a service has to be told to use it.

use serde_json::{Value, json};
use uuid::Uuid;

/// Tenant that hosts Partner Center.
pub const PARTNER_TENANT_ID: &str = "5a1d7c3e-2b94-4f06-8e1b-90c2d4f6a801";
/// Application registered for the Partner Center API.
pub const PARTNER_CENTER_CLIENT_ID: &str = "c0de0001-6f2a-4b7d-9a55-3f1e5c7b9d01";
/// Its secret.
pub const PARTNER_CENTER_CLIENT_SECRET: &str = "simulated~partner-center~secret";
/// Tenant of the organisation that owns the CRM, and of the people who use the product.
pub const ENTRA_TENANT_ID: &str = "7e2f9b14-c6d3-4a85-b0f7-21e8a4c6d902";
/// Who the application is among the users of Dataverse. Everything else is done and owned by a person.
pub const APPLICATION_USER_ID: Uuid = Uuid::from_u128(0x7c1b_2f4e_0a31_4c55_9d20_22bb_0000_0002);
/// Application user of Dataverse.
pub const DATAVERSE_CLIENT_ID: &str = "c0de0002-8b4c-4e9f-8c77-5d3b7e9f1a02";
/// Its secret.
pub const DATAVERSE_CLIENT_SECRET: &str = "simulated~dataverse~secret";
/// What the real Partner Center is called in tokens.
pub const PARTNER_CENTER_RESOURCE: &str = "https://api.partnercenter.microsoft.com";
/// Partner Center's own application, which tokens may name instead.
pub(super) const PARTNER_CENTER_APP: &str = "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd";

/// The settings of a service that shall use the stand-ins at `base_url`, as environment variables without their prefix.
#[must_use]
pub fn settings(base_url: &str) -> [(&'static str, String); 8] {
    let settings = [
        ("ENTRA__AUTHORITY", base_url),
        ("PARTNER_CENTER__BASE_URL", base_url),
        ("PARTNER_CENTER__REQUESTS_PER_MINUTE", "0"),
        ("DATAVERSE__ORG_URL", base_url),
        ("DATAVERSE__TENANT", ENTRA_TENANT_ID),
        ("DATAVERSE__CLIENT_ID", DATAVERSE_CLIENT_ID),
        ("DATAVERSE__CLIENT_SECRET", DATAVERSE_CLIENT_SECRET),
        ("HTTP_CLIENT__ALLOW_PLAIN_LOOPBACK", "true"),
    ];
    settings.map(|(key, value)| (key, value.to_owned()))
}

/// The body of `POST /v1/providers` that connects a service to the simulated Partner Center.
#[must_use]
pub fn provider_body() -> Value {
    json!({
        "kind": "partner-center",
        "name": "Partner Center (simulated)",
        "partnerTenant": PARTNER_TENANT_ID,
        "clientId": PARTNER_CENTER_CLIENT_ID,
        "clientSecret": PARTNER_CENTER_CLIENT_SECRET,
    })
}

/// An application that Entra knows.
pub(super) struct Known {
    pub tenant: &'static str,
    pub client_id: &'static str,
    pub client_secret: &'static str,
}

/// Every application.
pub(super) const KNOWN: &[Known] = &[
    Known {
        tenant: PARTNER_TENANT_ID,
        client_id: PARTNER_CENTER_CLIENT_ID,
        client_secret: PARTNER_CENTER_CLIENT_SECRET,
    },
    Known {
        tenant: ENTRA_TENANT_ID,
        client_id: DATAVERSE_CLIENT_ID,
        client_secret: DATAVERSE_CLIENT_SECRET,
    },
];
/// Every tenant.
pub(super) const TENANTS: &[&str] = &[PARTNER_TENANT_ID, ENTRA_TENANT_ID];
