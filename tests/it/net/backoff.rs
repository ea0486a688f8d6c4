//! How often and how long is tried again.

use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, Utc};
use provider_bridge::net::backoff::{Advice, Advise, RetryPolicy, retry};

use crate::support::context::context;

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("{0:?}")]
struct Fault(Advice);

impl Advise for Fault {
    fn advice(&self) -> Advice {
        self.0
    }
}

const POLICY: RetryPolicy = RetryPolicy {
    tries: 5,
    first_delay: Duration::from_secs(1),
    max_delay: Duration::from_secs(4),
    total: Duration::from_secs(60),
};

/// The outcome, and the waits between the attempts. The attempts fail with `faults` in turn and then succeed.
async fn run(policy: &RetryPolicy, faults: &[Advice]) -> (Result<usize, Fault>, Vec<Duration>) {
    let (context, clock) = context();
    clock.advance_by_itself();
    let times = Mutex::new(Vec::<DateTime<Utc>>::new());
    let outcome = retry(&context, policy, |number| {
        times.lock().unwrap().push(context.now());
        let fault = faults.get(number).copied();
        async move { fault.map_or(Ok(number), |advice| Err(Fault(advice))) }
    })
    .await;
    let times = times.into_inner().unwrap();
    let waits = times
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).to_std().unwrap());
    (outcome, waits.collect())
}

#[actix_web::test]
async fn waits_double_up_to_their_cap_with_jitter_and_end_with_the_tries() {
    let (outcome, waits) = run(&POLICY, &[Advice::Again; 9]).await;
    assert_eq!(outcome, Err(Fault(Advice::Again)));
    assert_eq!(waits.len(), 4);
    for (wait, most) in waits.iter().zip([1.0, 2.0, 4.0, 4.0]) {
        let wait = wait.as_secs_f64();
        assert!(wait >= most / 2.0 && wait <= most, "{waits:?}");
    }
    assert!(
        waits.iter().any(|wait| wait.subsec_millis() != 0),
        "no jitter: {waits:?}"
    );
}

#[actix_web::test]
async fn a_success_ends_it_and_so_does_an_error_that_will_not_get_better() {
    let (outcome, waits) = run(&POLICY, &[Advice::Again, Advice::Again]).await;
    assert_eq!((outcome, waits.len()), (Ok(2), 2));
    let (outcome, waits) = run(&POLICY, &[Advice::Again, Advice::GiveUp]).await;
    assert_eq!((outcome, waits.len()), (Err(Fault(Advice::GiveUp)), 1));
}

#[actix_web::test]
async fn what_was_asked_for_is_waited_even_beyond_the_cap() {
    let asked = Advice::AgainAfter(Duration::from_secs(20));
    let (outcome, waits) = run(&POLICY, &[asked, Advice::AgainAfter(Duration::ZERO)]).await;
    assert_eq!(outcome, Ok(2));
    assert_eq!(waits[0], Duration::from_secs(20));
    assert!(
        waits[1] >= Duration::from_secs(1),
        "a zero must not mean at once: {waits:?}"
    );
}

#[actix_web::test]
async fn a_wait_beyond_the_total_is_not_begun() {
    let asked = Advice::AgainAfter(Duration::from_secs(25));
    let (outcome, waits) = run(&POLICY, &[asked; 5]).await;
    assert_eq!((outcome, waits.len()), (Err(Fault(asked)), 2));
    let none = RetryPolicy { tries: 0, ..POLICY };
    let (outcome, waits) = run(&none, &[Advice::Again]).await;
    assert_eq!((outcome, waits.len()), (Err(Fault(Advice::Again)), 0));
}
