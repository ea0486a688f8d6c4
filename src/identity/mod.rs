//! Who is calling, and what keeps secrets secret: principals, API keys, sessions, the key ring with its sealing, and the
//! signed tokens that stand in for a credential where the platform sends none.

pub mod api_keys;
pub mod bearer;
pub mod consent;
pub mod error;
pub mod key_ring;
pub mod key_text;
pub mod owner_standing;
pub mod principal;
pub mod rotation;
pub mod sealing;
pub mod sessions;
pub mod signed_token;
pub mod standings;

#[cfg(test)]
mod tests {
    //! A clock moved by hand and keys made of one byte, for the tests of this room.

    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
    use std::time::Duration;

    use base64::Engine;
    use chrono::{DateTime, Utc};

    use super::key_ring::KeyRing;
    use crate::domain::context::{Chance, Clock, Context, Sleep};

    pub(super) struct HandClock(AtomicI64);

    impl HandClock {
        pub(super) fn advance(&self, duration: Duration) {
            self.0
                .fetch_add(i64::try_from(duration.as_secs()).unwrap(), Ordering::SeqCst);
        }
    }

    impl Clock for HandClock {
        fn now(&self) -> DateTime<Utc> {
            DateTime::from_timestamp(1_790_000_000 + self.0.load(Ordering::SeqCst), 0).unwrap()
        }

        fn sleep(&self, _: Duration) -> Sleep {
            Box::pin(std::future::ready(()))
        }
    }

    struct Counting(AtomicU8);

    impl Chance for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill_with(|| self.0.fetch_add(1, Ordering::SeqCst));
        }
    }

    pub(super) fn context_with_clock() -> (Context, Arc<HandClock>) {
        let clock = Arc::new(HandClock(AtomicI64::new(0)));
        (
            Context::new(clock.clone(), Arc::new(Counting(AtomicU8::new(0)))),
            clock,
        )
    }

    pub(super) fn context() -> Context {
        context_with_clock().0
    }

    pub(super) fn ring(keys: &[(&str, u8)]) -> KeyRing {
        let encode = |byte| base64::engine::general_purpose::STANDARD.encode([byte; 32]);
        let keys: Vec<_> = keys
            .iter()
            .map(|(id, byte)| format!("{id}:{}", encode(*byte)).into())
            .collect();
        KeyRing::parse(&keys).unwrap()
    }
}
