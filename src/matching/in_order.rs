//! Work that many threads share, with results in the order in which it was given out. No thread waits for another, except
//! for one that is far ahead.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;

/// Each thread makes itself a worker, and does the next piece of work until there is none. `take` sees every result, on
/// this thread. A panic of a worker is ours.
pub fn in_order<Work: Send, Done: Send, Worker: FnMut(Work) -> Done>(
    threads: usize,
    next: impl FnMut() -> Option<Work> + Send,
    worker: impl Fn() -> Worker + Sync,
    mut take: impl FnMut(Done),
) {
    let threads = threads.max(1);
    let numbered = Mutex::new((0_u64, next));
    let give = || {
        let mut numbered = numbered.lock().ok()?;
        let work = (numbered.1)()?;
        let number = numbered.0;
        numbered.0 += 1;
        Some((number, work))
    };
    let (send, receive) = sync_channel(threads);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (send, give, worker) = (send.clone(), &give, &worker);
            scope.spawn(move || {
                let mut worker = worker();
                while let Some((number, work)) = give() {
                    if send.send((number, worker(work))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        let (mut due, mut early) = (0, BTreeMap::new());
        for (number, done) in receive {
            early.insert(number, done);
            while let Some(done) = early.remove(&due) {
                due += 1;
                take(done);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn results_come_in_the_order_of_the_work_whoever_is_faster() {
        let mut work = 0..200_u64;
        let mut seen = Vec::new();
        in_order(
            4,
            || work.next(),
            || {
                let mut own = 0;
                move |number: u64| {
                    own += 1;
                    std::thread::sleep(Duration::from_micros(number * 7919 % 300));
                    (number, own)
                }
            },
            |(number, own)| {
                assert!(own <= number + 1, "a worker has its own state");
                seen.push(number);
            },
        );
        assert_eq!(seen, (0..200).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_to_do_is_done_at_once() {
        in_order(
            3,
            || None::<u8>,
            || |it| it,
            |_| panic!("there was no work"),
        );
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_panic_of_a_worker_is_not_swallowed() {
        let mut work = 0..10;
        in_order(
            2,
            || work.next(),
            || |number| assert_ne!(number, 5),
            |()| {},
        );
    }
}
