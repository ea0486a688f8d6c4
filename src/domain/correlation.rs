//! The correlation id of the Job that is being done: a support case at a provider names it, and every call that the Job made can
//! be found by it. It goes along with the work, so that nobody in between has to hand it on.
//!
//! What surprises: it holds while the work is polled, and only on the thread that polls it; work that is spawned away is not
//! under it.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use uuid::Uuid;

thread_local! {
    static CURRENT: Cell<Option<Uuid>> = const { Cell::new(None) };
}

/// Does some work under this id.
pub fn under<F: Future>(id: Uuid, work: F) -> impl Future<Output = F::Output> {
    Under {
        id,
        work: Box::pin(work),
    }
}

/// The id of the work that is being done, if it has one.
#[must_use]
pub fn current() -> Option<Uuid> {
    CURRENT.get()
}

struct Under<F> {
    id: Uuid,
    work: Pin<Box<F>>,
}

/// Puts back what was there, also when the work panics.
struct Before(Option<Uuid>);

impl Drop for Before {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

impl<F: Future> Future for Under<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let before = Before(CURRENT.replace(Some(self.id)));
        let polled = self.work.as_mut().poll(context);
        drop(before);
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_work_is_under_its_own_id_and_outside_there_is_none() {
        let mut context = Context::from_waker(std::task::Waker::noop());
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let inner = under(other, async { current() });
        let mut outer = Box::pin(under(one, async { (current(), inner.await, current()) }));
        let Poll::Ready(seen) = outer.as_mut().poll(&mut context) else {
            panic!("it waits for nothing");
        };
        assert_eq!(seen, (Some(one), Some(other), Some(one)));
        assert_eq!(current(), None);
    }
}
