//! What an operation costs hardly grows with how many wait and how many upstreams there are.
//!
//! A search through 10,000 would take a thousand times what one through 10 takes; a heap takes four
//! times the steps. The bound in between is wide enough for a busy machine.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

use std::time::{Duration, Instant};

use sluice_pool::{Acquired, Answer, NEVER, Outcome, Pool, Settings, UpstreamSettings};

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

/// The least of several runs, which the machine's other work disturbs least.
fn least(mut run: impl FnMut() -> Duration) -> Duration {
    (0..7).map(|_| run()).min().unwrap_or_default()
}

/// Release to the head of a line of `waiting`, who collects; and one more joins the line.
fn hand_over(waiting: u32, upstreams: u32) -> Duration {
    let mut pool = pool(upstreams, 1);
    while pool.acquire(0, None, 0).is_some() {}
    // All are taken and forgotten but one, which goes round.
    pool.set_max_in_flight(upstreams + 1, 0);
    pool.add_upstream("last", UpstreamSettings { max_in_flight: 1, weight: 1.0, tier: 0 }, 0)
        .expect("room");
    let mut held = pool.acquire(0, None, 0).expect("the last");
    for i in 0..waiting {
        pool.wait(0, None, (i % 5).cast_signed(), NEVER, u64::from(i)).expect("room in line");
    }
    let mut now = u64::from(waiting);
    least(|| {
        let started = Instant::now();
        for i in 0..OPERATIONS {
            now += 1;
            pool.release(0, held, Outcome::Ok, 0, now).expect("held");
            let Some((_, Answer::Lease(lease))) = pool.collect(0, now) else { panic!("no answer") };
            held = lease;
            let timeout = 1_000_000_000 + u64::from(i * 7919 % 1000);
            let joined = pool.wait(0, None, (i % 5).cast_signed(), timeout, now);
            assert!(matches!(joined, Ok(Acquired::Place(_))));
        }
        started.elapsed()
    })
}

/// Acquire and release with all upstreams in use to some extent.
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
fn a_hand_over_in_a_line_of_10_000() {
    let (short, long) = (hand_over(10, 3), hand_over(10_000, 3));
    assert!(long < short * 25, "{short:?} with 10 waiting, {long:?} with 10,000");
}

#[test]
fn a_choice_among_1000_upstreams() {
    let (few, many) = (choose(2), choose(1000));
    assert!(many < few * 25, "{few:?} among 2, {many:?} among 1000");
}
