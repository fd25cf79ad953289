//! Limit sets of keys: any number of different sets over time, 65,536 at once.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod support;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use sluice_limiter::{Key, LimitSet, Limiter, MOST_LIMIT_SETS, TooManyLimitSets, UNIT};
use support::{MINUTE, SECOND, at, key, limiter, limiter_of, rate, take};

fn set(limiter: &Limiter, key: Key, limits: Option<LimitSet>) -> Result<(), TooManyLimitSets> {
    limiter.set_limits(key, limits, at(0)).map(|done| done.expect("live"))
}

fn of(units: u64) -> Option<LimitSet> {
    Some(vec![rate(0, units, MINUTE, units)].into())
}

#[test]
fn one_key_may_have_any_number_of_limits_one_after_the_other() {
    let limiter = limiter(vec![rate(0, 5, MINUTE, 5)]);
    let (key, other) = (key(&limiter, "adaptive"), key(&limiter, "gold"));
    set(&limiter, other, of(777)).expect("room");
    for units in 1..=200_000 {
        set(&limiter, key, of(units)).expect("room");
        assert_eq!(limiter.inspect(key, at(0)).expect("live")[0].capacity, units * UNIT);
    }
    assert_eq!(limiter.inspect(other, at(0)).expect("live")[0].capacity, 777 * UNIT);
    set(&limiter, key, None).expect("it is there");
    assert_eq!(limiter.inspect(key, at(0)).expect("live")[0].capacity, 5 * UNIT);
}

#[test]
fn more_than_65_536_at_once_are_refused_until_one_is_released() {
    let limiter = limiter_of(vec![rate(0, 1, MINUTE, 1)], 100_000);
    let named = |n: u64| limiter.key(&n.to_le_bytes(), at(0)).expect("room");
    let most = MOST_LIMIT_SETS as u64;
    for n in 2..=most {
        set(&limiter, named(n), of(n)).expect("room");
    }
    let (last, more) = (named(most), named(most + 1));
    assert_eq!(set(&limiter, more, of(most + 1)), Err(TooManyLimitSets));
    assert_eq!(limiter.inspect(more, at(0)).expect("live")[0].capacity, UNIT, "unchanged");
    // Existing sets can be shared, and the defaults always.
    set(&limiter, more, of(most)).expect("known");
    set(&limiter, more, of(1)).expect("the limiter's own");
    // Set 2 is in use by one key, and then by none.
    set(&limiter, more, of(2)).expect("known");
    assert!(limiter.forget(named(2)));
    assert_eq!(set(&limiter, last, of(most + 1)), Err(TooManyLimitSets), "it still has its own");
    set(&limiter, more, None).expect("the limiter's own");
    set(&limiter, more, of(most + 1)).expect("set 2 is not in use any more");
    assert_eq!(limiter.inspect(last, at(0)).expect("live")[0].capacity, most * UNIT);
    assert_eq!(limiter.inspect(more, at(0)).expect("live")[0].capacity, (most + 1) * UNIT);
}

#[test]
fn a_forgotten_key_holds_no_limit_set() {
    let limiter = limiter(vec![rate(0, 1, SECOND, 1)]);
    for n in 0..2 * MOST_LIMIT_SETS as u64 {
        let key = key(&limiter, "k");
        set(&limiter, key, of(n + 2)).expect("room");
        assert!(limiter.forget(key));
        let stale = limiter.set_limits(key, of(n + 3), at(0)).expect("room");
        assert!(stale.is_err());
    }
}

#[test]
fn concurrent_takes_use_limits_that_the_key_has_had() {
    // All of these limits admit every take of this test.
    const TAKEN: u64 = 400_000;
    let limiter = limiter(vec![rate(0, 1, MINUTE, 1), rate(0, 1, MINUTE, 1)]);
    let keys = ["a", "b", "c"].map(|name| key(&limiter, name));
    let pair = |n: u64| -> Option<LimitSet> {
        Some(vec![rate(0, 1, MINUTE, 1_000_000 + n), rate(0, 1, MINUTE, 2_000_000 + n)].into())
    };
    keys.iter().for_each(|&key| set(&limiter, key, pair(0)).expect("room"));
    let (done, denied) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for number in 0..2 {
            let (limiter, done) = (&limiter, &done);
            scope.spawn(move || {
                let mut n = number;
                while !done.load(Ordering::Relaxed) {
                    for key in keys {
                        n = (n * 5 + 1) % 99_991;
                        set(limiter, key, pair(n)).expect("room");
                    }
                }
            });
        }
        let takers = [0, 1].map(|_| {
            scope.spawn(|| {
                for round in 0..TAKEN as usize {
                    let key = keys[round % keys.len()];
                    if take(&limiter, key, 1, at(0)).is_some() {
                        denied.fetch_add(1, Ordering::Relaxed);
                    }
                    let status = limiter.inspect(key, at(0)).expect("live");
                    let [one, two] = [0, 1].map(|at: usize| status[at].capacity / UNIT);
                    assert_eq!(two - one, 1_000_000, "halves of two sets");
                }
            })
        });
        let ended = takers.map(thread::ScopedJoinHandle::join);
        done.store(true, Ordering::Relaxed);
        assert!(ended.iter().all(Result::is_ok));
    });
    assert_eq!(denied.into_inner(), 0);
    let used = keys.map(|key| limiter.inspect(key, at(0)).expect("live")[0].used / UNIT);
    assert_eq!(used.iter().sum::<u64>(), 2 * TAKEN);
}
