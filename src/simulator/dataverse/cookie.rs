//! Where a paged reading goes on. The cookie is XML with another, percent-encoded cookie inside, the whole encoded once more
//! in the link, as in Dataverse: a client that decodes and encodes a next link on its way breaks it, and is told so.

use super::errors::Refusal;
use crate::simulator::exchange::encode;

/// A place to go on from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cookie {
    /// Number of the page it leads to.
    pub page: u32,
    /// Rows to skip of an ordered reading, the next place of a plain one, or the last version of a delta.
    pub after: u64,
    /// Version at which a tracked reading began.
    pub since: u64,
    /// Belongs to a tracked reading.
    pub tracking: bool,
}

impl Cookie {
    /// The value of `$skiptoken`, encoded for a link.
    pub fn encoded(self) -> String {
        let inner = format!(
            "<cookie page=\"{}\"><id last=\"{}\" since=\"{}\" /></cookie>",
            self.page - 1,
            self.after,
            self.since
        );
        let tracking = if self.tracking { "True" } else { "False" };
        encode(&format!(
            "<cookie pagenumber=\"{}\" pagingcookie=\"{}\" istracking=\"{tracking}\" />",
            self.page,
            encode(&inner).to_lowercase(),
        ))
    }

    /// Reads the value of `$skiptoken`, decoded once.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        Self::try_read(text).ok_or_else(|| {
            Refusal::query(
                "Malformed XML in the Paging Cookie: follow a next link as it was given.",
            )
        })
    }

    fn try_read(text: &str) -> Option<Self> {
        let (page, rest) = text
            .strip_prefix("<cookie pagenumber=\"")?
            .split_once('"')?;
        let (inner, rest) = rest.strip_prefix(" pagingcookie=\"")?.split_once('"')?;
        let tracking = rest.strip_prefix(" istracking=\"")?.strip_suffix("\" />")? == "True";
        let decoded = url::form_urlencoded::parse(inner.as_bytes())
            .next()?
            .0
            .into_owned();
        let inside = decoded.strip_prefix("<cookie page=\"")?;
        let (_, inside) = inside.split_once("\"><id last=\"")?;
        let (after, inside) = inside.split_once("\" since=\"")?;
        let since = inside.strip_suffix("\" /></cookie>")?;
        // A cookie that was decoded on the way would read the same; the encoded form is what tells.
        (encode(&decoded).to_lowercase() == inner).then_some(())?;
        Some(Self {
            page: page.parse().ok().filter(|page| *page > 1)?,
            after: after.parse().ok()?,
            since: since.parse().ok()?,
            tracking,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str) -> String {
        url::form_urlencoded::parse(format!("k={text}").as_bytes())
            .next()
            .unwrap()
            .1
            .into_owned()
    }

    #[test]
    fn a_cookie_reads_back_and_one_that_was_tampered_with_is_refused() {
        let cookie = Cookie {
            page: 3,
            after: 70,
            since: 5,
            tracking: true,
        };
        let sent = cookie.encoded();
        assert_eq!(Cookie::read(&decode(&sent)), Ok(cookie));
        assert!(
            Cookie::read(&decode(&decode(&sent))).is_err(),
            "decoded once too often"
        );
        assert!(Cookie::read(&sent).is_err(), "encoded once too often");
    }
}
