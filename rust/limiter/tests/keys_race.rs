//! Stress test: many threads use more names than there are slots, so nearly every call evicts a
//! key.
//!
//! Each test runs for 2 s, or for `SLUICE_STRESS_SECONDS`, in rounds. A round evicts fewer times
//! than there are generations, so within a round a pair of slot and generation identifies one
//! tenant.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod support;

use std::collections::HashMap;
use std::thread;
use std::time::Instant;

use sluice_limiter::{Key, Limiter};
use support::{Random, at, limiter_of, rate, stress_time};

/// Calls of all threads together: below 2^21, the number of generations.
const CALLS: usize = 200_000;

/// `threads` threads use `names` names on `slots` slots.
fn race(threads: u64, names: u64, slots: u32) {
    let started = Instant::now();
    // Refilled in a microsecond, so keys are idle at once.
    let limiter = limiter_of(vec![rate(0, 1, 1_000, 1)], slots);
    let now = || at(u64::try_from(started.elapsed().as_nanos()).expect("585 years"));
    let mut rounds = 0;
    while started.elapsed() < stress_time() {
        rounds += 1;
        let found: Vec<Vec<(Key, u64)>> = thread::scope(|scope| {
            let ask = |thread| {
                let (limiter, now) = (&limiter, &now);
                move || {
                    let mut random = Random::new(rounds * threads + thread);
                    let mut found = Vec::new();
                    for _ in 0..CALLS / threads as usize {
                        let name = random.below(names);
                        if let Ok(key) = limiter.key(&name.to_le_bytes(), now()) {
                            found.push((key, name));
                        }
                        let keys = limiter.stats().keys;
                        assert!(keys <= slots, "{keys} keys on {slots} slots");
                    }
                    found
                }
            };
            let asking: Vec<_> = (0..threads).map(|thread| scope.spawn(ask(thread))).collect();
            asking.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        let mut tenants = HashMap::new();
        for (key, name) in found.into_iter().flatten() {
            let tenant = *tenants.entry(key).or_insert(name);
            assert_eq!(tenant, name, "two tenants of {key:?} in round {rounds}");
        }
        audit(&limiter);
    }
    assert!(limiter.stats().evicted > rounds * u64::from(slots), "{:?}", limiter.stats());
}

fn audit(limiter: &Limiter) {
    if let Err(wrong) = limiter.audit() {
        panic!("{wrong}; {:?}", limiter.stats());
    }
}

#[test]
fn eight_names_on_two_slots() {
    race(8, 8, 2);
}

#[test]
fn nine_names_on_three_slots() {
    race(8, 9, 3);
}

#[test]
fn a_million_names_on_64_slots() {
    race(8, 1_000_000, 64);
}
