//! Partner Center's error answers, with the codes of its published list and two that are newer (900420, 900421).

use actix_web::http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use crate::simulator::credentials::PARTNER_TENANT_ID;
use crate::simulator::exchange::Answer;

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::simulator) enum Problem {
    /// No token, or one that is not (or no longer) good.
    Token,
    /// A token for another resource.
    Audience,
    /// A token without multi-factor authentication.
    MultiFactor,
    /// The application may not.
    NoRights,
    /// Only for applications that act for a user.
    AppOnly,
    /// Not a customer of this partner (any more).
    NoRelationship(Uuid),
    NoSuchCustomer,
    NoSuchSubscription,
    NoSuchResource,
    /// The last page was read already.
    EndOfList,
    BadParameter,
    StaleTag,
    Throttled(u32),
}

impl Problem {
    /// The answer.
    pub fn answer(self) -> Answer {
        if let Self::Throttled(seconds) = self {
            // The gateway in front answers, not Partner Center itself: another body.
            let message = format!("Rate limit is exceeded. Try again in {seconds} seconds.");
            let body = json!({ "statusCode": 429, "message": message });
            return Answer::json(StatusCode::TOO_MANY_REQUESTS, &body)
                .with("retry-after", &seconds.to_string());
        }
        let (status, code, description) = self.parts();
        let body = json!({
            "code": code,
            "description": description,
            "data": [],
            "source": "PartnerFD",
        });
        Answer::json(status, &body)
    }

    fn parts(self) -> (StatusCode, &'static str, String) {
        let text = str::to_owned;
        match self {
            Self::Token => (StatusCode::UNAUTHORIZED, "400", text("Access denied")),
            Self::Audience => (
                StatusCode::UNAUTHORIZED,
                "900420",
                text(
                    "The token is meant for an audience that the Partner Center API does not accept.",
                ),
            ),
            Self::MultiFactor => (
                StatusCode::UNAUTHORIZED,
                "900421",
                text("The token does not show multi-factor authentication, which is required."),
            ),
            Self::NoRights => (
                StatusCode::FORBIDDEN,
                "900150",
                text("The supplied role does not have the rights to carry out this operation."),
            ),
            Self::AppOnly => (
                StatusCode::FORBIDDEN,
                "900329",
                text("Application-only authentication is not supported by this resource."),
            ),
            Self::NoRelationship(customer) => (
                StatusCode::FORBIDDEN,
                "20002",
                format!(
                    "The partner {PARTNER_TENANT_ID} has no commerce relationship with the customer {customer}."
                ),
            ),
            Self::NoSuchCustomer => (
                StatusCode::NOT_FOUND,
                "1000",
                text("The customer was not found."),
            ),
            Self::NoSuchSubscription => (
                StatusCode::NOT_FOUND,
                "20003",
                text("The subscription was not found."),
            ),
            Self::NoSuchResource => (
                StatusCode::NOT_FOUND,
                "1000",
                text("There is no such resource."),
            ),
            Self::EndOfList => (
                StatusCode::BAD_REQUEST,
                "2000",
                text("There are no more records."),
            ),
            Self::BadParameter => (StatusCode::BAD_REQUEST, "3000", text("Invalid property")),
            Self::StaleTag => (
                StatusCode::BAD_REQUEST,
                "2055",
                text("Etag is no longer valid"),
            ),
            Self::Throttled(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "429",
                text("Too many requests"),
            ),
        }
    }
}
