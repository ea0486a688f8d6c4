//! One request and its answer, apart from any web server: the parts of a `$batch` are answered by the same code as requests
//! of their own, and a fault can change an answer before it is sent.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use serde::Serialize;

/// What a request is about: the unit of statistics and of switching faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Upstream {
    /// Microsoft Entra.
    Entra,
    /// Microsoft Partner Center.
    PartnerCenter,
    /// Dataverse.
    Dataverse,
}

impl<'de> serde::Deserialize<'de> for Upstream {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        match name.as_ref() {
            "entra" => Ok(Self::Entra),
            "partner-center" => Ok(Self::PartnerCenter),
            "dataverse" => Ok(Self::Dataverse),
            _ => Err(serde::de::Error::custom(
                "upstream is entra, partner-center or dataverse",
            )),
        }
    }
}

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub method: Method,
    /// Percent-decoded path.
    pub path: String,
    /// The query as it came.
    pub query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Scheme and host as the caller knows them; links in answers begin with it.
    pub origin: String,
}

impl Call {
    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The first value of a query parameter, decoded; `+` is a space.
    pub fn parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// The path's segments.
    pub fn segments(&self) -> Vec<&str> {
        self.path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect()
    }

    /// Every preference of the `Prefer` headers.
    pub fn preferences(&self) -> impl Iterator<Item = &str> {
        self.headers
            .get_all("prefer")
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
    }
}

/// How an answer leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Delivery {
    /// As it should.
    #[default]
    Whole,
    /// The connection is closed in the middle of the body.
    Torn,
    /// Never.
    Withheld,
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Bytes,
    pub delivery: Delivery,
}

impl Answer {
    /// An answer without body.
    pub fn empty(status: StatusCode) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// An answer with a JSON body that was already written.
    pub fn json_text(status: StatusCode, body: impl Into<Bytes>) -> Self {
        let answer = Self {
            status,
            body: body.into(),
            ..Self::default()
        };
        answer.with("content-type", "application/json; charset=utf-8")
    }

    /// An answer with a JSON body.
    pub fn json(status: StatusCode, body: &impl Serialize) -> Self {
        Self::json_text(status, serde_json::to_vec(body).unwrap_or_default())
    }

    /// The same, naming the preferences that were heeded.
    pub fn applied(self, preferences: &[String]) -> Self {
        preferences
            .iter()
            .fold(self, |answer, one| answer.with("preference-applied", one))
    }

    /// The same with another header in the place of the one of that name.
    pub fn instead(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.with(name, value)
    }

    /// The same with one header more. A text that cannot be a header's value is left out.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_lowercase(name.as_bytes()),
            HeaderValue::from_str(value),
        ) {
            self.headers.push((name, value));
        }
        self
    }
}

/// Decodes a path: percent signs only, because there a `+` is itself.
pub(super) fn decode_path(path: &str) -> String {
    let kept = path
        .replace('+', "%2B")
        .replace('=', "%3D")
        .replace('&', "%26");
    url::form_urlencoded::parse(kept.as_bytes())
        .next()
        .map_or_else(|| path.to_owned(), |(decoded, _)| decoded.into_owned())
}

/// `text` as it may stand in a query.
pub(super) fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes())
        .map(|part| if part == "+" { "%20" } else { part })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_keeps_its_plus_and_loses_its_percent_signs() {
        assert_eq!(decode_path("/a(b='x%20+y&z')"), "/a(b='x +y&z')");
    }

    #[test]
    fn what_was_encoded_for_a_query_decodes_to_itself() {
        let text = "<cookie a=\"%253c\" b='x + y'/>";
        let encoded = encode(text);
        assert!(!encoded.contains('+') && !encoded.contains(' '));
        let (_, decoded) = url::form_urlencoded::parse(format!("k={encoded}").as_bytes())
            .next()
            .map(|(k, v)| (k.into_owned(), v.into_owned()))
            .unwrap();
        assert_eq!(decoded, text);
    }
}
