//! How a connection is made: by an API key, by signing in at Entra, or by a choice of the two.
//!
//! At Entra the platform signs the maker in to the connector's own app registration and calls us with a token for ours. Any
//! exchange of tokens is the gateway's business; this service only judges what arrives.

use serde_json::{Map, Value, json};

/// Where the platform sends people after signing in; each connector has an address of its own below it.
pub const REDIRECT_URL: &str = "https://global.consent.azure-apim.net/redirect";

/// What a deployment's connector needs to know of Entra. None of it is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntraConnection {
    /// Client id of the connector's own app registration.
    pub client_id: String,
    /// Client id or App ID URI of this API's app registration.
    pub resource: String,
    /// Tenant whose users sign in; `common` for any.
    pub tenant: String,
}

impl EntraConnection {
    /// For the checked-in package: to be replaced by each deployment.
    #[must_use]
    pub fn placeholder() -> Self {
        Self {
            client_id: "00000000-0000-0000-0000-000000000000".to_owned(),
            resource: "api://provider-bridge".to_owned(),
            tenant: "common".to_owned(),
        }
    }
}

/// The connection parameters of a sign-in.
#[must_use]
pub fn entra(entra: &EntraConnection) -> Value {
    json!({
        "token": {
            "type": "oauthSetting",
            "oAuthSettings": {
                "identityProvider": "aad",
                "clientId": entra.client_id,
                "scopes": [],
                "redirectMode": "GlobalPerConnector",
                "redirectUrl": REDIRECT_URL,
                "properties": { "IsFirstParty": "False" },
                "customParameters": {
                    "loginUri": { "value": "https://login.microsoftonline.com" },
                    "tenantId": { "value": entra.tenant },
                    "resourceUri": { "value": entra.resource },
                },
            },
            "uiDefinition": {
                "displayName": "Sign in",
                "description": "Sign in with your work account.",
                "tooltip": "Your administrator gives you the roles that your flows need",
                "constraints": { "required": "true" },
            },
        },
    })
}

/// Both ways, for the maker to choose.
#[must_use]
pub fn choice(definition: &Value, connection: &EntraConnection) -> Value {
    json!({
        "uiDefinition": {
            "displayName": "Authentication type",
            "description": "How this connection proves who calls.",
        },
        "values": [
            {
                "name": "entra",
                "uiDefinition": {
                    "displayName": "Microsoft Entra ID",
                    "description": "Sign in with your work account.",
                },
                "parameters": entra(connection),
            },
            {
                "name": "apikey",
                "uiDefinition": {
                    "displayName": "API key",
                    "description": "Use a key of this deployment.",
                },
                "parameters": api_key(definition),
            },
        ],
    })
}

/// What is left to do by hand for the connector that signs in, as lines to print.
#[must_use]
pub fn steps(entra: &EntraConnection) -> String {
    format!(
        "To deploy the variant that signs in at Entra (settings.entra.json):\n\
         1. In the app registration of this API expose the scope access_as_user, and create the app roles reader, sales,\n   \
            provisioning, billing, billing-manager and admin for users and applications.\n\
         2. In the connector's own app registration ({client}) add the API permission access_as_user of {resource},\n   \
            grant admin consent, and make a client secret.\n\
         3. Run: paconn create --settings settings.entra.json --secret SECRET\n\
         4. Open the connector's Security tab, copy its redirect URL ({REDIRECT_URL}/... with the\n   \
            connector's own ending), and add it to the connector's app registration as a redirect URI of the platform Web.\n\
         5. Set callers.audiences and callers.tenants of this deployment, and restart it.",
        client = entra.client_id,
        resource = entra.resource,
    )
}

/// The key of each scheme of the definition that has one.
#[must_use]
pub fn api_key(definition: &Value) -> Value {
    let mut parameters = Map::new();
    let schemes = definition
        .get("securityDefinitions")
        .and_then(Value::as_object);
    for (name, scheme) in schemes.into_iter().flatten() {
        if scheme.get("type").and_then(Value::as_str) == Some("apiKey") {
            let name: String = name
                .chars()
                .map(|letter| {
                    if letter.is_ascii_alphanumeric() {
                        letter
                    } else {
                        '_'
                    }
                })
                .collect();
            parameters.insert(name, key_parameter(scheme));
        }
    }
    Value::Object(parameters)
}

fn key_parameter(scheme: &Value) -> Value {
    let header = scheme
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    json!({
        "type": "securestring",
        "uiDefinition": {
            "displayName": "API key",
            "description": format!(
                "The key of this connection, as `provider-bridge api-keys create` printed it. It is sent in the header {header}."
            ),
            "tooltip": "Ask the administrator of your Provider Bridge for a key with the roles that your flows need",
            "constraints": { "tabIndex": 2, "clearText": false, "required": "true" },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_asks_for_the_key_of_each_scheme_that_has_one() {
        let parameters = api_key(&json!({ "securityDefinitions": {
            "api-key": { "type": "apiKey", "in": "header", "name": "X-Api-Key" },
            "login": { "type": "oauth2" },
        }}));
        assert_eq!(parameters.as_object().unwrap().len(), 1);
        assert_eq!(parameters["api_key"]["type"], "securestring");
        let asked = parameters["api_key"]["uiDefinition"]["description"]
            .as_str()
            .unwrap();
        assert!(asked.contains("X-Api-Key"), "{asked}");
    }

    #[test]
    fn the_steps_name_the_redirect_url_and_hold_no_secret() {
        let entra = EntraConnection {
            client_id: "c1".to_owned(),
            ..EntraConnection::placeholder()
        };
        let steps = steps(&entra);
        for wanted in [
            REDIRECT_URL,
            "c1",
            "api://provider-bridge",
            "settings.entra.json",
        ] {
            assert!(steps.contains(wanted), "{wanted} is missing in {steps}");
        }
    }
}
