//! The cost of an operation hardly grows with the number of waiters and upstreams.
//!
//! A linear search through 10,000 takes a thousand times as long as through 10; a heap takes four
//! times the steps. The bound in between is wide enough for a busy machine.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

use std::time::{Duration, Instant};

use sluice_pool::{Acquired, NEVER, Outcome, Pool, Settings, UpstreamSettings, WaitResult};

const OPERATIONS: u32 = 4000;

fn pool(upstreams: u32, cap: u32) -> Pool {
    let mut pool = Pool::new(Settings { queue_max: 1 << 17, ..Settings::default() });
    for i in 0..upstreams {
        let settings =
            UpstreamSettings { max_in_flight: cap, weight: f64::from(i + 1), tier: i % 3 };
        pool.add_upstream(&i.to_string(), settings, 0).expect("room");
    }
    pool.join(0).expect("room");
    pool
}

/// The shortest of several runs, which other load disturbs least.
fn least(mut run: impl FnMut() -> Duration) -> Duration {
    (0..7).map(|_| run()).min().unwrap_or_default()
}

/// A release to the head of a queue of `waiting`, which collects; and one more waiter joins.
fn hand_over(waiting: u32, upstreams: u32) -> Duration {
    let mut pool = pool(upstreams, 1);
    while pool.acquire(0, None, 0).is_some() {}
    // All leases are taken and kept, except for one that goes round.
    pool.set_max_in_flight(upstreams + 1, 0);
    pool.add_upstream("last", UpstreamSettings { max_in_flight: 1, weight: 1.0, tier: 0 }, 0)
        .expect("room");
    let mut held = pool.acquire(0, None, 0).expect("the last");
    for i in 0..waiting {
        pool.wait(0, None, (i % 5).cast_signed(), NEVER, u64::from(i)).expect("room in the queue");
    }
    let mut now = u64::from(waiting);
    least(|| {
        let started = Instant::now();
        for i in 0..OPERATIONS {
            now += 1;
            pool.release(0, held, Outcome::Ok, 0, now).expect("held");
            let Some((_, WaitResult::Lease(lease))) = pool.collect(0, now) else {
                panic!("no answer")
            };
            held = lease;
            let timeout = 1_000_000_000 + u64::from(i * 7919 % 1000);
            let joined = pool.wait(0, None, (i % 5).cast_signed(), timeout, now);
            assert!(matches!(joined, Ok(Acquired::Queued(_))));
        }
        started.elapsed()
    })
}

/// Acquire and release with all upstreams partly in use.
fn choose(upstreams: u32) -> Duration {
    let mut pool = pool(upstreams, 8);
    for _ in 0..upstreams {
        pool.acquire(0, None, 0).expect("room");
    }
    least(|| {
        let started = Instant::now();
        for _ in 0..OPERATIONS {
            let lease = pool.acquire(0, None, 0).expect("room");
            pool.release(0, lease, Outcome::Ok, 0, 0).expect("held");
        }
        started.elapsed()
    })
}

#[test]
fn a_hand_over_in_a_queue_of_10_000() {
    let (short, long) = (hand_over(10, 3), hand_over(10_000, 3));
    assert!(long < short * 25, "{short:?} with 10 waiting, {long:?} with 10,000");
}

#[test]
fn a_choice_among_1000_upstreams() {
    let (few, many) = (choose(2), choose(1000));
    assert!(many < few * 25, "{few:?} among 2, {many:?} among 1000");
}
