//! The folder `connector/`: everything that Power Platform's command line and its certification want, made from the
//! document and drawn nowhere else. The same document and options give the same bytes.
//!
//! What would surprise: there are three property files. `apiProperties.json` is the one to certify: it names the stack owner
//! and lets makers choose how to sign in, and the platform refuses both when a custom connector is created. So
//! `settings.json` points the command line at `apiProperties.apikey.json`, and `settings.entra.json` at
//! `apiProperties.entra.json`. All JSON is ASCII, because that command line reads its files in the machine's own encoding.

pub mod connection;
mod properties;
mod readme;

use serde_json::{Value, json};

use self::connection::EntraConnection;
use super::host::Host;
use super::lower::{LowerError, lower};

/// A file: its name in the folder and its bytes.
pub type PackageFile = (&'static str, Vec<u8>);

/// The definition's name, under which it is also served.
pub const DEFINITION: &str = "apiDefinition.swagger.json";
const PROPERTIES: &str = "apiProperties.json";
const KEY_PROPERTIES: &str = "apiProperties.apikey.json";
const ENTRA_PROPERTIES: &str = "apiProperties.entra.json";
const SETTINGS: &str = "settings.json";
const ENTRA_SETTINGS: &str = "settings.entra.json";
const ICON: &str = "icon.png";
const README: &str = "readme.md";

/// Colour behind the icon, and of the connector's tiles. `icon.png` is drawn on it.
const BRAND_COLOUR: &str = "#0f6cbd";

/// What a deployment may choose.
#[derive(Debug, Clone)]
pub struct Options {
    /// The host that the connector calls.
    pub host: Host,
    /// How its connections sign in at Entra.
    pub entra: EntraConnection,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            host: Host::placeholder(),
            entra: EntraConnection::placeholder(),
        }
    }
}

/// The files of the package, by name.
///
/// # Errors
/// When the document says what a connector cannot.
pub fn files(openapi: &Value, options: &Options) -> Result<Vec<PackageFile>, LowerError> {
    let definition = lower(openapi, &options.host)?;
    Ok(vec![
        (DEFINITION, ascii_json(&definition)),
        (
            PROPERTIES,
            ascii_json(&properties::certified(&definition, &options.entra)),
        ),
        (
            KEY_PROPERTIES,
            ascii_json(&properties::with_api_key(&definition)),
        ),
        (
            ENTRA_PROPERTIES,
            ascii_json(&properties::with_entra(&definition, &options.entra)),
        ),
        (SETTINGS, ascii_json(&settings(KEY_PROPERTIES))),
        (ENTRA_SETTINGS, ascii_json(&settings(ENTRA_PROPERTIES))),
        (ICON, include_bytes!("../icon.png").to_vec()),
        (README, readme::render(&definition).into_bytes()),
    ])
}

/// Arguments of the platform's command line. Environment and connector are left out: it asks for them, and writes them
/// here after the first deployment.
fn settings(properties: &str) -> Value {
    json!({
        "apiProperties": properties,
        "apiDefinition": DEFINITION,
        "icon": ICON,
        "powerAppsUrl": "https://api.powerapps.com",
        "powerAppsApiVersion": "2016-11-01",
    })
}

/// Every operation of a definition.
fn operations(definition: &Value) -> impl Iterator<Item = &Value> {
    definition
        .get("paths")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|paths| paths.values())
        .filter_map(Value::as_object)
        .flat_map(|item| item.values())
        .filter(|operation| operation.get("operationId").is_some())
}

/// JSON with two spaces of indent, a newline at its end and nothing but ASCII.
#[must_use]
pub fn ascii_json(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut units = [0; 2];
    for letter in format!("{value:#}\n").chars() {
        if letter.is_ascii() {
            bytes.extend(letter.to_string().bytes());
        } else {
            for unit in letter.encode_utf16(&mut units) {
                bytes.extend(format!("\\u{unit:04x}").bytes());
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_files_are_ascii_and_still_say_the_same() {
        let value = json!({ "text": "Zürich – 𝄞", "list": [1, { "a": null }] });
        let bytes = ascii_json(&value);
        assert!(bytes.is_ascii());
        assert!(bytes.ends_with(b"\n}\n"));
        assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), value);
    }
}
