//! What can go wrong.

use serde::{Deserialize, Serialize};

use super::Target;
use crate::simulator::exchange::Upstream;

/// How `Retry-After` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetryAfter {
    /// A number of seconds.
    #[default]
    Seconds,
    /// An HTTP date.
    Date,
    /// Not at all.
    Absent,
}

/// The body of a 429: of Partner Center the first two, of Dataverse the others (any other is its limit of requests).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThrottleBody {
    /// `statusCode` and `message`, from the gateway in front.
    #[default]
    Gateway,
    /// `code` and `description`, from the API itself.
    Api,
    /// Dataverse's limit of execution time, 0x80072321.
    ExecutionTime,
    /// Dataverse's limit of requests at once, 0x80072326.
    Concurrency,
}

/// Where a continuation token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenPlace {
    /// In `continuationToken` only.
    Body,
    /// In `links.next.headers` only.
    Link,
}

/// How `links.next.uri` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkForm {
    /// `/v1/customers?…`
    VersionPrefix,
    /// With a second `?` where `&` belongs.
    SecondQuestionMark,
}

/// What goes wrong. In JSON the field `kind` names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum FaultKind {
    /// 429.
    TooManyRequests {
        /// Which body; Dataverse and Entra have one of their own.
        #[serde(default)]
        body: ThrottleBody,
        /// How the wait is written.
        #[serde(default)]
        retry_after: RetryAfter,
        /// The wait.
        #[serde(default)]
        seconds: u32,
    },
    /// A status such as 500, 502 or 503, with an error body of the upstream's kind.
    ServerError {
        /// The status.
        status: u16,
    },
    /// A proxy's error page in HTML.
    ErrorPage {
        /// The status.
        status: u16,
    },
    /// No answer at all.
    TimeOut,
    /// A slow answer.
    Slow {
        /// By so much.
        milliseconds: u64,
    },
    /// The connection closes in the middle of the body.
    TornBody,
    /// The body ends too early, as JSON; the HTTP answer is whole.
    TruncatedJson,
    /// 401 as for a token that has expired.
    ExpiredToken,
    /// 401 as for a token that was revoked.
    RevokedToken,
    /// 401 as for a token of another audience (Partner Center: 900420).
    WrongAudience,
    /// 401 as for a token without multi-factor authentication (Partner Center: 900421).
    MultiFactorMissing,
    /// Tokens live so long only.
    ShortLivedTokens {
        /// Seconds.
        seconds: u32,
    },
    /// Entra writes numbers as text, as its v1 endpoint does.
    NumbersAsText,
    /// An error of Entra.
    EntraError {
        /// OAuth error, e.g. `invalid_grant`.
        error: String,
        /// Number after `AADSTS`.
        code: u32,
    },
    /// Signing in or consenting ends with an error that Entra sends back to the redirect URI.
    SignInError {
        /// OAuth error, e.g. `access_denied`.
        error: String,
        /// Number after `AADSTS`.
        code: u32,
    },
    /// A claim of the `id_token` is another one; `signature` for the claim spoils the signature instead.
    IdTokenClaim {
        /// Name of the claim.
        claim: String,
        /// What stands there instead.
        value: serde_json::Value,
    },
    /// A refresh token that was used before is refused, as with strict rotation.
    StrictRotation,
    /// One page of a listing fails.
    PageFails {
        /// Number of the page.
        page: u32,
        /// The status.
        status: u16,
    },
    /// The end of a listing is an error 400 with code 2000, on a page behind the last.
    EndOfListError,
    /// The first page is an error 400 with code 2000.
    EndOfListErrorAtStart,
    /// A page repeats the token that led to it.
    RepeatedToken,
    /// A page in the middle is empty, but the listing goes on.
    EmptyPage {
        /// Number of the page.
        page: u32,
    },
    /// The continuation token stands in one place only.
    TokenOnlyIn {
        /// Where.
        place: TokenPlace,
    },
    /// `links.next.uri` is written differently.
    NextLink {
        /// How.
        form: LinkForm,
    },
    /// Links lead to another host.
    ForeignLink {
        /// Scheme and host, e.g. `https://attacker.example`.
        origin: String,
    },
    /// The first item of a page has values that no list knows.
    UnknownValues,
    /// The middle item of a page cannot be read.
    UnreadableItem,
    /// Field names begin with capitals.
    PascalCase,
    /// The delta token is too old.
    DeltaTokenExpired,
    /// Writes find that the entity tag is stale.
    StaleTag,
    /// A webhook is posted twice.
    NoticeDoubled,
    /// A webhook is posted after the one that comes next.
    NoticeSwapped,
    /// A webhook's body is in Windows-1252.
    NoticeMangled,
    /// A webhook's body is over 256 KB, and is stripped of what made it so.
    NoticeSwollen,
}

impl FaultKind {
    /// Whether it could hit this request at all; only such requests are counted.
    pub(super) fn concerns(&self, target: &Target<'_>) -> bool {
        let of_notices = matches!(
            self,
            Self::NoticeDoubled | Self::NoticeSwapped | Self::NoticeMangled | Self::NoticeSwollen
        );
        if of_notices || target.operation == "webhook" {
            return of_notices && target.operation == "webhook";
        }
        let call = target.call;
        let listing = target.operation.starts_with("list-") || target.operation == "changes";
        match self {
            Self::PageFails { page, .. } => listing && target.page == *page,
            Self::EmptyPage { page } => {
                target.operation == "list-customers" && target.page == *page
            }
            Self::EndOfListErrorAtStart => listing && target.page == 1,
            Self::EndOfListError
            | Self::RepeatedToken
            | Self::TokenOnlyIn { .. }
            | Self::NextLink { .. } => target.operation == "list-customers",
            Self::DeltaTokenExpired => call.query.contains("deltatoken="),
            Self::StaleTag => call.headers.contains_key("if-match"),
            Self::SignInError { .. } => {
                target.upstream == Upstream::Entra
                    && ["authorize", "admin-consent"].contains(&target.operation)
            }
            Self::NumbersAsText
            | Self::ShortLivedTokens { .. }
            | Self::StrictRotation
            | Self::IdTokenClaim { .. }
            | Self::EntraError { .. } => {
                target.upstream == Upstream::Entra && target.operation == "token"
            }
            _ => true,
        }
    }
}
