//! The token bucket on a clock moved by hand.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use provider_bridge::domain::context::Context;
use provider_bridge::net::token_bucket::TokenBucket;

use crate::support::context::context;

/// When each of `count` requests was let through, on a clock that waits for nobody.
async fn passages(context: &Context, bucket: &TokenBucket, count: usize) -> Vec<DateTime<Utc>> {
    let mut times = Vec::new();
    for _ in 0..count {
        bucket.acquire().await;
        times.push(context.now());
    }
    times
}

#[actix_web::test]
async fn a_burst_passes_at_once_and_the_rest_in_an_even_stream() {
    let (context, clock) = context();
    clock.advance_by_itself();
    let began = context.now();
    let bucket = TokenBucket::new(context.clone(), 500, 20);
    let times = passages(&context, &bucket, 981).await;
    assert_eq!(times[19], began);
    assert!(times[20] > began);
    // 500 a minute less the burst of 20: an eighth of a second each.
    assert_eq!(times[20 + 480] - times[20], TimeDelta::seconds(60));
    let took = times[980] - began;
    assert!(
        took >= TimeDelta::seconds(120) && took < TimeDelta::seconds(121),
        "{took}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn no_window_of_a_minute_sees_more_than_the_quota(per_minute in 1_u32..300, burst in 0_u32..400) {
        let times = actix_web::rt::System::new().block_on(async {
            let (context, clock) = context();
            clock.advance_by_itself();
            let bucket = TokenBucket::new(context.clone(), per_minute, burst);
            passages(&context, &bucket, per_minute as usize * 3).await
        });
        for (at, time) in times.iter().enumerate() {
            let within = times[at..].iter().take_while(|later| **later - *time < TimeDelta::seconds(60));
            // One a minute cannot be kept up with fewer than one at once.
            prop_assert!(within.count() <= (per_minute as usize).max(2));
        }
    }
}

#[actix_web::test]
async fn waiters_pass_one_at_a_time_in_the_order_they_came() {
    let (context, clock) = context();
    let bucket = Arc::new(TokenBucket::new(context.clone(), 3, 1));
    bucket.acquire().await;
    let (passed, mut order) = tokio::sync::mpsc::unbounded_channel();
    for number in 0..3 {
        let (bucket, passed) = (bucket.clone(), passed.clone());
        actix_web::rt::spawn(async move {
            bucket.acquire().await;
            passed.send(number).unwrap();
        });
        tokio::task::yield_now().await;
    }
    for number in 0..3 {
        clock.sleepers_reach(1).await;
        let wait = clock.next_wake().unwrap();
        assert_eq!(wait.as_secs(), 30);
        assert!(order.try_recv().is_err());
        clock.advance(wait);
        assert_eq!(order.recv().await, Some(number));
    }
}

#[actix_web::test]
async fn a_pause_holds_everybody_back_and_the_longest_counts() {
    for per_minute in [0, 500] {
        let (context, clock) = context();
        clock.advance_by_itself();
        let bucket = TokenBucket::new(context.clone(), per_minute, 20);
        let began = context.now();
        bucket.pause(Duration::from_secs(57));
        bucket.pause(Duration::from_secs(5));
        let times = passages(&context, &bucket, 2).await;
        assert_eq!(times[0] - began, TimeDelta::seconds(57));
        assert_eq!(times[1], times[0]);
    }
}

#[actix_web::test]
async fn no_limit_lets_everybody_through() {
    let (context, _clock) = context();
    for bucket in [
        TokenBucket::new(context.clone(), 0, 1),
        TokenBucket::unlimited(),
    ] {
        passages(&context, &bucket, 10_000).await;
    }
}

#[actix_web::test]
async fn a_clock_set_back_stops_nobody_for_longer_than_one_token() {
    let (context, clock) = context();
    let bucket = TokenBucket::new(context.clone(), 500, 1);
    bucket.acquire().await;
    clock.set(context.now() - TimeDelta::hours(3));
    let waiter = actix_web::rt::spawn(async move { bucket.acquire().await });
    clock.sleepers_reach(1).await;
    let wait = clock.next_wake().unwrap();
    assert!(wait <= Duration::from_millis(121), "{wait:?}");
    clock.advance(wait);
    waiter.await.unwrap();
}
