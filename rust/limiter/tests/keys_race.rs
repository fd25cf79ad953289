//! Stress: many threads ask for more names than there are places, so that nearly every call evicts.
//!
//! Each test runs for 3 s, or for as long as `SLUICE_STRESS_SECONDS` says, in rounds. No round evicts as
//! often as there are generations, so within one a pair of slot and generation names one tenant for good.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod support;

use std::collections::HashMap;
use std::thread;
use std::time::Instant;

use sluice_limiter::{Key, Limiter};
use support::{Random, at, limiter_of, rate, stress_time};

/// Below 2^21 for all threads together: what a generation has bits for.
const CALLS: usize = 200_000;

/// `threads` ask for the keys of `names` names on `places` places.
fn race(threads: u64, names: u64, places: u32) {
    let started = Instant::now();
    // Comes back in a microsecond: idle at once.
    let limiter = limiter_of(vec![rate(0, 1, 1_000, 1)], places);
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
                        assert!(keys <= places, "{keys} keys on {places} places");
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
    assert!(limiter.stats().evicted > rounds * u64::from(places), "{:?}", limiter.stats());
}

fn audit(limiter: &Limiter) {
    if let Err(wrong) = limiter.audit() {
        panic!("{wrong}; {:?}", limiter.stats());
    }
}

#[test]
fn eight_names_on_two_places() {
    race(8, 8, 2);
}

#[test]
fn nine_names_on_three_places() {
    race(8, 9, 3);
}

#[test]
fn a_million_names_on_64_places() {
    race(8, 1_000_000, 64);
}
