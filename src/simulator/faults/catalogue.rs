//! One of each kind of fault, as the control API shows them to whoever wants to switch one on: copy it, add `upstream`, and
//! where it shall not hit everything `operation`, `fromRequest`, `times` or `forSeconds`.

use super::kind::{FaultKind, LinkForm, RetryAfter, ThrottleBody, TokenPlace};

/// One of each kind.
pub(in crate::simulator) fn one_of_each() -> Vec<FaultKind> {
    use FaultKind::{
        DeltaTokenExpired, EmptyPage, EndOfListError, EndOfListErrorAtStart, EntraError, ErrorPage,
        ExpiredToken, ForeignLink, IdTokenClaim, MultiFactorMissing, NextLink, NoticeDoubled,
        NoticeMangled, NoticeSwapped, NoticeSwollen, NumbersAsText, PageFails, PascalCase,
        RepeatedToken, RevokedToken, ServerError, ShortLivedTokens, SignInError, Slow, StaleTag,
        StrictRotation, TimeOut, TokenOnlyIn, TooManyRequests, TornBody, TruncatedJson,
        UnknownValues, UnreadableItem, WrongAudience,
    };
    vec![
        TooManyRequests {
            body: ThrottleBody::Gateway,
            retry_after: RetryAfter::Seconds,
            seconds: 5,
        },
        ServerError { status: 503 },
        ErrorPage { status: 502 },
        TimeOut,
        Slow { milliseconds: 2000 },
        TornBody,
        TruncatedJson,
        ExpiredToken,
        RevokedToken,
        WrongAudience,
        MultiFactorMissing,
        ShortLivedTokens { seconds: 60 },
        NumbersAsText,
        EntraError {
            error: "invalid_client".to_owned(),
            code: 7_000_215,
        },
        SignInError {
            error: "access_denied".to_owned(),
            code: 65_004,
        },
        IdTokenClaim {
            claim: "nonce".to_owned(),
            value: "another".into(),
        },
        StrictRotation,
        PageFails {
            page: 2,
            status: 500,
        },
        EndOfListError,
        EndOfListErrorAtStart,
        RepeatedToken,
        EmptyPage { page: 2 },
        TokenOnlyIn {
            place: TokenPlace::Body,
        },
        NextLink {
            form: LinkForm::VersionPrefix,
        },
        ForeignLink {
            origin: "https://attacker.example".to_owned(),
        },
        UnknownValues,
        UnreadableItem,
        PascalCase,
        DeltaTokenExpired,
        StaleTag,
        NoticeDoubled,
        NoticeSwapped,
        NoticeMangled,
        NoticeSwollen,
    ]
}

impl FaultKind {
    /// What it does, for people.
    pub(in crate::simulator) const fn meaning(&self) -> &'static str {
        match self {
            Self::TooManyRequests { .. } => {
                "429; retryAfter is seconds, date or absent, body is gateway or api (Partner Center), execution-time or concurrency (Dataverse)"
            }
            Self::ServerError { .. } => "an error of the upstream's own kind, such as 500 or 503",
            Self::ErrorPage { .. } => "an error page in HTML, as a proxy sends it",
            Self::TimeOut => "no answer at all",
            Self::Slow { .. } => "an answer that comes late",
            Self::TornBody => "the connection closes in the middle of the body",
            Self::TruncatedJson => "the JSON ends in the middle, the HTTP answer is whole",
            Self::ExpiredToken => "401 as for an expired token",
            Self::RevokedToken => "401 as for a revoked token",
            Self::WrongAudience => "401 as for a token of another audience",
            Self::MultiFactorMissing => "401 as for a token without multi-factor authentication",
            Self::ShortLivedTokens { .. } => "Entra: tokens live so long only",
            Self::NumbersAsText => "Entra: numbers are written as text",
            Self::EntraError { .. } => "Entra: an OAuth error with its AADSTS number",
            Self::SignInError { .. } => "Entra: signing in or consenting comes back with an error",
            Self::IdTokenClaim { .. } => {
                "Entra: a claim of the id_token, or its signature, is wrong"
            }
            Self::StrictRotation => "Entra: a refresh token that was used before is refused",
            Self::PageFails { .. } => "one page of a listing fails",
            Self::EndOfListError => "Partner Center: the list ends with an error 400 of code 2000",
            Self::EndOfListErrorAtStart => "Partner Center: the first page is that error",
            Self::RepeatedToken => "Partner Center: a page repeats the token that led to it",
            Self::EmptyPage { .. } => "Partner Center: a page in the middle is empty",
            Self::TokenOnlyIn { .. } => {
                "Partner Center: the continuation token is in body or link only"
            }
            Self::NextLink { .. } => {
                "Partner Center: links.next.uri has a version-prefix or a second-question-mark"
            }
            Self::ForeignLink { .. } => "links lead to another host",
            Self::UnknownValues => "the first item has values that no list knows",
            Self::UnreadableItem => "the middle item cannot be read",
            Self::PascalCase => "field names begin with capitals",
            Self::DeltaTokenExpired => "Dataverse: the delta token is too old",
            Self::NoticeDoubled => "Dataverse: a webhook is posted twice",
            Self::NoticeSwapped => "Dataverse: a webhook is posted after the next one",
            Self::NoticeMangled => "Dataverse: a webhook is written in Windows-1252",
            Self::NoticeSwollen => "Dataverse: a webhook is over 256 KB and stripped",
            Self::StaleTag => "requests with If-Match find their entity tag stale",
        }
    }
}
