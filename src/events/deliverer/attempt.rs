//! One try of one delivery: the envelope, its signature, the call, the verdict.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use tokio_util::bytes::Bytes;

use super::Deliverer;
use crate::domain::event::{Envelope, EventType};
use crate::domain::event_sample::sample;
use crate::domain::ids::EventId;
use crate::domain::ports::sealer::Sealer;
use crate::events::schedule::{self, Answer, Next, RetireReason, Standing};
use crate::events::signature::{self, SigningSecret};
use crate::store::deliveries::{Claimed, Due, Heard, Outcome, Recorded};

/// Whom a delivery goes to, with its secrets opened.
pub(super) struct Receiver {
    pub(super) owner: String,
    pub(super) host: String,
    event_type: EventType,
    refused_since: Option<DateTime<Utc>>,
    secrets: Result<(SecretString, SigningSecret), String>,
}

impl Receiver {
    /// Opens the secrets. When that fails, each try fails with the reason, and the subscription stays as it is: the key
    /// ring can be mended.
    pub(super) fn open(due: &Due, sealer: &dyn Sealer) -> Self {
        let row = due.subscription.id.as_uuid();
        let open = |sealed| sealer.open(row, sealed).map_err(|error| error.to_string());
        let secrets = open(&due.callback).and_then(|url| {
            let signing = SigningSecret::parse(&open(&due.signing)?);
            Ok((url, signing.map_err(|error| error.to_string())?))
        });
        Self {
            owner: due.subscription.owner.clone(),
            host: due.subscription.callback_host.clone(),
            event_type: due.subscription.event_type,
            refused_since: due.refused_since,
            secrets,
        }
    }
}

/// A delivery to be tried.
pub(super) struct Work {
    pub(super) claimed: Claimed,
    pub(super) receiver: Arc<Receiver>,
    /// When it was claimed.
    pub(super) since: DateTime<Utc>,
}

/// A try that is over.
pub(super) struct Tried {
    pub(super) recorded: Recorded,
    pub(super) host: String,
    /// The receiver is to be called no more.
    pub(super) retire: Option<RetireReason>,
}

impl Work {
    fn tried(&self, outcome: Outcome, heard: Heard) -> Tried {
        Tried {
            recorded: Recorded {
                id: self.claimed.id,
                subscription: self.claimed.subscription,
                fence: self.claimed.fence,
                outcome,
                heard,
                status: None,
                error: None,
            },
            host: self.receiver.host.clone(),
            retire: None,
        }
    }

    /// Not tried after all.
    pub(super) fn released(&self) -> Tried {
        self.tried(Outcome::Released, Heard::Silence)
    }

    fn envelope(&self, environment: &str) -> Option<Envelope> {
        let claimed = &self.claimed;
        let envelope = |event_id, event_type, schema_version, occurred_at, data| Envelope {
            event_id,
            event_type,
            schema_version,
            occurred_at,
            environment: environment.to_owned(),
            subject: claimed.subject.clone(),
            data,
        };
        if claimed.test {
            let event_type = self.receiver.event_type;
            let data = sample(event_type, claimed.created_at).data;
            let id = EventId::new(claimed.id.as_uuid());
            let version = crate::domain::event::SCHEMA_VERSION;
            let name = event_type.name().to_owned();
            return Some(envelope(id, name, version, claimed.created_at, data));
        }
        claimed.event.clone().map(|event| {
            envelope(
                claimed.event_id,
                event.event_type,
                event.schema_version,
                event.occurred_at,
                event.data,
            )
        })
    }
}

impl Deliverer {
    /// Sends one delivery and judges the answer.
    pub(super) async fn attempt(&self, work: &Work) -> Tried {
        let body = work.envelope(&self.environment);
        let Some(body) = body.and_then(|body| serde_json::to_vec(&body).ok()) else {
            let mut tried = work.tried(Outcome::Dead, Heard::Silence);
            tried.recorded.error = Some("the event is no longer kept".to_owned());
            return tried;
        };
        let (answer, error) = match &work.receiver.secrets {
            Ok((url, signing)) => {
                self.post(work, url.expose_secret(), signing, body.into())
                    .await
            }
            Err(error) => (Answer::None, Some(error.clone())),
        };
        self.judge(work, answer, error)
    }

    async fn post(
        &self,
        work: &Work,
        url: &str,
        signing: &SigningSecret,
        body: Bytes,
    ) -> (Answer, Option<String>) {
        let now = self.context.now();
        let id = work.claimed.event_id.to_string();
        let headers = signature::headers(&id, now, &body, std::slice::from_ref(signing));
        let timeout = self.limits.timeout;
        match self.client.post(url, &headers, body, timeout, now).await {
            Ok(answer) => {
                let error = (!(200..300).contains(&answer.status))
                    .then(|| format!("the receiver answered {}", answer.status));
                (Answer::Status(answer.status, answer.retry_after), error)
            }
            Err(failure) => (Answer::None, Some(failure.to_string())),
        }
    }

    fn judge(&self, work: &Work, answer: Answer, error: Option<String>) -> Tried {
        let now = self.context.now();
        let before = Standing {
            tries: work.claimed.attempts + 1,
            refused_since: work.receiver.refused_since,
        };
        let verdict = schedule::judge(answer, before, now, |wait| self.context.jitter(wait));
        let heard = match answer {
            Answer::Status(401 | 403 | 404, _) => Heard::Refusal,
            Answer::Status(..) => Heard::OtherAnswer,
            Answer::None => Heard::Silence,
        };
        let (outcome, retire) = match verdict.next {
            Next::Delivered => (Outcome::Delivered, None),
            Next::TryAt(at) => (Outcome::TryAt(at), None),
            Next::Dead => (Outcome::Dead, None),
            // Retiring the subscription cancels it, with what else is on its way.
            Next::Retire(reason) => (Outcome::TryAt(now), Some(reason)),
        };
        let mut tried = work.tried(outcome, heard);
        tried.recorded.status = match answer {
            Answer::Status(status, _) => Some(status),
            Answer::None => None,
        };
        if let Some(error) = &error {
            tracing::info!(
                subscription = %work.claimed.subscription,
                event = %work.claimed.event_id,
                host = work.receiver.host,
                tries = before.tries,
                error,
                "a delivery failed"
            );
        }
        tried.recorded.error = error;
        tried.retire = retire;
        tried
    }
}
