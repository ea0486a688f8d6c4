//! Multipart messages: cuts requests out of a `$batch` body and puts answers into one.

use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::web::Bytes;

use super::errors::Refusal;
use crate::simulator::exchange::{Answer, Call, decode_path};

/// The boundary in a content type.
pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let (_, rest) = content_type.split_once("boundary=")?;
    let value = rest.split(';').next()?.trim().trim_matches('"');
    (content_type.trim_start().starts_with("multipart/mixed") && !value.is_empty()).then_some(value)
}

/// A part: its headers and what follows them.
#[derive(Debug)]
pub(super) struct Part<'b> {
    headers: HeaderMap,
    pub body: &'b str,
}

impl Part<'_> {
    /// A header of the part.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The parts of a message.
pub(super) fn parts<'b>(body: &'b str, boundary: &str) -> Result<Vec<Part<'b>>, Refusal> {
    let delimiter = format!("--{boundary}");
    let mut pieces = body.split(delimiter.as_str());
    // What stands before the first delimiter is a preamble.
    pieces.next();
    let mut parts = Vec::new();
    for piece in pieces {
        if piece.starts_with("--") {
            return Ok(parts);
        }
        let piece = piece
            .strip_prefix("\r\n")
            .or_else(|| piece.strip_prefix('\n'))
            .unwrap_or(piece);
        let (headers, body) = head(piece);
        parts.push(Part { headers, body });
    }
    Err(Refusal::body(
        "The batch has no end: its closing delimiter is missing.",
    ))
}

/// Headers up to an empty line, and the rest.
fn head(text: &str) -> (HeaderMap, &str) {
    let mut headers = HeaderMap::new();
    let mut rest = text;
    while let Some((line, after)) = rest.split_once('\n') {
        rest = after;
        let line = line.trim_end_matches('\r');
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && let (Ok(name), Ok(value)) = (
                HeaderName::try_from(name.trim()),
                HeaderValue::from_str(value.trim()),
            )
        {
            headers.append(name, value);
        }
    }
    (headers, rest)
}

/// The request inside a part of a batch; its address may be whole, from the root, or below the service.
pub(super) fn request(text: &str, outer: &Call) -> Result<Call, Refusal> {
    let text = text.trim_start_matches(['\r', '\n']);
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let mut words = line.trim().split(' ');
    let method = words
        .next()
        .and_then(|word| Method::from_bytes(word.as_bytes()).ok());
    let mut address: Vec<&str> = words.collect();
    if address.last().is_some_and(|word| word.starts_with("HTTP/")) {
        address.pop();
    }
    let address = address.join(" ");
    let (Some(method), false) = (method, address.is_empty()) else {
        return Err(Refusal::body(format!("'{}' is no request.", line.trim())));
    };
    let below = address.strip_prefix(&outer.origin).unwrap_or(&address);
    let below = if below.starts_with('/') {
        below.to_owned()
    } else {
        format!("/api/data/v9.2/{below}")
    };
    let (path, query) = below.split_once('?').unwrap_or((&below, ""));
    let (headers, body) = head(rest);
    Ok(Call {
        method,
        path: decode_path(path),
        query: query.to_owned(),
        headers,
        body: Bytes::copy_from_slice(body.trim().as_bytes()),
        origin: outer.origin.clone(),
    })
}

/// Writes an answer as a part.
pub(super) fn write(out: &mut Vec<u8>, boundary: &str, answer: &Answer, content_id: Option<&str>) {
    let head = format!(
        "--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
    );
    out.extend(head.bytes());
    if let Some(id) = content_id {
        out.extend(format!("Content-ID: {id}\r\n").bytes());
    }
    let reason = answer.status.canonical_reason().unwrap_or_default();
    out.extend(format!("\r\nHTTP/1.1 {} {reason}\r\n", answer.status.as_u16()).bytes());
    out.extend(b"OData-Version: 4.0\r\n");
    for (name, value) in answer
        .headers
        .iter()
        .filter(|(name, _)| name != "odata-version")
    {
        out.extend(format!("{}: ", canonical(name.as_str())).bytes());
        out.extend(value.as_bytes());
        out.extend(b"\r\n");
    }
    out.extend(b"\r\n");
    out.extend(answer.body.iter());
    out.extend(b"\r\n");
}

/// A header's name as Dataverse writes it; in a batch it is text that somebody may compare as it stands.
fn canonical(name: &str) -> &str {
    match name {
        "content-type" => "Content-Type",
        "etag" => "ETag",
        "location" => "Location",
        "odata-entityid" => "OData-EntityId",
        "preference-applied" => "Preference-Applied",
        "retry-after" => "Retry-After",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_cut_at_the_boundary_with_either_line_ending() {
        for end in ["\r\n", "\n"] {
            let lines = [
                "--b",
                "Content-ID: 1",
                "",
                "GET a HTTP/1.1",
                "",
                "--b",
                "",
                "POST b",
                "--b--",
                "",
            ];
            let text = lines.join(end);
            let parts = parts(&text, "b").unwrap();
            assert_eq!(parts.len(), 2);
            assert_eq!(parts[0].header("content-id"), Some("1"));
            assert!(parts[1].body.starts_with("POST b"));
        }
        assert!(parts("--b\r\n\r\nGET a", "b").is_err());
    }

    #[test]
    fn a_boundary_is_read_with_and_without_quotes() {
        assert_eq!(boundary("multipart/mixed;boundary=\"x_1\""), Some("x_1"));
        assert_eq!(
            boundary("multipart/mixed; boundary=x_1; charset=utf-8"),
            Some("x_1")
        );
        assert_eq!(boundary("application/json"), None);
    }
}
