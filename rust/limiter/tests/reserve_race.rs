//! Stress test: reservations on keys that are created, evicted and forgotten all the time.
//!
//! Each test runs for 2 s, or for `SLUICE_STRESS_SECONDS`. Overflow checks are on, so returning
//! more than is held panics.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod support;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use sluice_limiter::{Actual, Limiter, MOST_LIMIT_SETS, Part, UNIT, reserve_all};
use support::{Random, at, concurrency, limiter_of, stress_time};

const THREADS: u64 = 8;
const NAMES: u64 = 8;
const SLOTS: u32 = 2;

/// Reserves and settles on random keys, and calls `also` for each.
fn race(
    seconds: Duration,
    also: impl Fn(&Limiter, sluice_limiter::Key, u64) + Sync,
) -> Arc<Limiter> {
    let started = Instant::now();
    let limiter = limiter_of(vec![concurrency(0, 1_000)], SLOTS);
    let now = || at(u64::try_from(started.elapsed().as_nanos()).expect("585 years"));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (limiter, now, also) = (&limiter, &now, &also);
            scope.spawn(move || {
                let mut random = Random::new(thread);
                let mut open = Vec::new();
                while started.elapsed() < seconds {
                    let name = random.below(NAMES);
                    let Ok(key) = limiter.key(&name.to_le_bytes(), now()) else { continue };
                    also(limiter, key, random.below(1 << 20));
                    if random.below(4) == 0 {
                        let (owner, costs) = (thread as u32, &[UNIT]);
                        // By both paths, as both lead to the same slots and the same book.
                        let reserved = if random.below(2) == 0 {
                            limiter.reserve(key, costs, owner, 1 << 60, now())
                        } else {
                            let part = Part { limiter, key, costs };
                            reserve_all(&[part], owner, 1 << 60, now())
                        };
                        open.extend(reserved.into_iter().flatten());
                    }
                    // A few are kept open for a while: their keys cannot be evicted.
                    if random.below(64) > 0 {
                        for id in open.drain(..) {
                            limiter.settle(id, Actual::Nothing, now()).expect("open");
                        }
                    }
                    let keys = limiter.stats().keys;
                    assert!(keys <= SLOTS, "{keys} keys on {SLOTS} units");
                }
                for id in open {
                    limiter.settle(id, Actual::Nothing, now()).expect("open");
                }
            });
        }
    });
    if let Err(wrong) = limiter.audit() {
        panic!("{wrong}; {:?}", limiter.stats());
    }
    assert_eq!(limiter.stats().open, 0);
    for name in 0..NAMES {
        let Some(key) = limiter.find(&name.to_le_bytes()) else { continue };
        for status in limiter.inspect(key, now()).expect("live") {
            assert_eq!(status.held, 0, "of name {name}");
        }
    }
    assert!(limiter.stats().evicted > 1_000, "{:?}", limiter.stats());
    limiter
}

#[test]
fn nothing_is_held_when_all_is_settled() {
    race(stress_time(), |_, _, _| {});
}

#[test]
fn nothing_is_held_when_keys_are_forgotten_and_given_other_limits_meanwhile() {
    let limiter = race(stress_time(), |limiter, key, random| match random % 8 {
        0 => {
            limiter.forget(key);
        }
        1 => {
            let plan = Box::new([concurrency(0, 1 + random % 5)]);
            let _ = limiter.set_limits(key, Some(plan), at(0)).expect("room");
        }
        // A key with limits of its own is not evicted.
        2..=5 => {
            let _ = limiter.set_limits(key, None, at(0)).expect("room");
        }
        _ => {}
    });
    for name in 0..NAMES {
        limiter.find(&name.to_le_bytes()).map(|key| limiter.forget(key));
    }
    // No limit set is referenced by a key that is gone: there is room for as many as at first.
    let key = limiter.key(b"last", at(0)).expect("room");
    let other = limiter.key(b"other", at(0)).expect("room");
    for units in 1..MOST_LIMIT_SETS as u64 {
        let plan = || Some(vec![concurrency(0, units)].into());
        limiter.set_limits(key, plan(), at(0)).expect("room").expect("live");
        limiter.set_limits(other, plan(), at(0)).expect("room").expect("live");
    }
}
