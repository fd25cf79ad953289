//! Batches equal the single calls that they consist of: against the reference limiter, and from
//! many threads.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use proptest::prelude::*;
use sluice_limiter::naive::Naive;
use sluice_limiter::{
    Actual, Config, Denial, Fault, Key, Limit, Limiter, Now, Part, UNIT, reserve_all, take_all,
};

const NAMES: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Debug)]
enum Step {
    /// Keys with the same cost.
    Alike(Vec<usize>, u64),
    /// Keys, each with its own cost.
    Each(Vec<(usize, u64)>),
    /// One key, reserved and left open.
    Reserve(usize, u64, u64),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let key = || 0..NAMES.len();
    let cost = || prop_oneof![Just(0u64), 1..4 * UNIT, (0..9u64).prop_map(|n| n * UNIT)];
    let keys = proptest::collection::vec(key(), 0..9);
    let pairs = proptest::collection::vec((key(), cost()), 0..9);
    prop_oneof![
        3 => (keys, cost()).prop_map(|(keys, cost)| Step::Alike(keys, cost)),
        3 => pairs.prop_map(Step::Each),
        1 => (key(), cost(), 0..3_000_000_000u64).prop_map(|(key, cost, ttl)| Step::Reserve(key, cost, ttl)),
        3 => prop_oneof![0..100u64, 0..2_000_000_000u64].prop_map(Step::Pass),
    ]
}

/// Runs a batch as the ABI does: the fast path as far as it applies, then a single call.
fn run(limiter: &Limiter, calls: &[(Key, u64)], now: Now) -> Vec<Result<Option<Denial>, Fault>> {
    let mut batch = limiter.batch(now);
    let mut verdicts = Vec::new();
    while verdicts.len() < calls.len() {
        let rest = &calls[verdicts.len()..];
        let prepared = rest.iter().map(|&(key, cost)| Some((key, limiter.prepare_cost(cost)?)));
        let plain = batch.take_fast(prepared, |_, verdict| verdicts.push(Ok(verdict)));
        let Some(&(key, cost)) = rest.get(plain) else { break };
        batch.set_costs(&[cost]);
        verdicts.push(batch.take(key));
    }
    verdicts
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_batch_is_its_calls_one_by_one(
        (limit, ns, burst) in (1..20 * UNIT, 1..3_000_000_000u64, 1..20 * UNIT),
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let plan = vec![Limit::rate(0, limit, ns, burst)];
        prop_assume!(plan[0].is_in_range());
        let config = Config { limits: plan.clone().into(), units: 1, max_keys: 9 };
        let limiter = Arc::new(Limiter::new(config, [1; 16], Arc::default()));
        let mut naive = Naive::new(vec![plan]);
        let mut now = Now { ns: 5_000_000_000, wall_ns: 0 };
        let keys = NAMES.map(|name| limiter.key(name.as_bytes(), Now { ns: 0, ..now }).expect("room"));
        for step in steps {
            let calls: Vec<(usize, u64)> = match step {
                Step::Alike(keys, cost) => keys.into_iter().map(|key| (key, cost)).collect(),
                Step::Each(calls) => calls,
                Step::Reserve(key, cost, ttl) => {
                    let part = Part { limiter: &limiter, key: keys[key], costs: &[cost] };
                    let fast = reserve_all(&[part], 0, ttl, now).expect("no fault");
                    let slow = naive.reserve(&[((0, NAMES[key]), &[cost])], 0, ttl, now);
                    prop_assert_eq!(fast.err(), slow.err());
                    continue;
                }
                Step::Pass(ns) => {
                    now.ns += ns;
                    continue;
                }
            };
            let named: Vec<(Key, u64)> = calls.iter().map(|&(key, cost)| (keys[key], cost)).collect();
            let fast = run(&limiter, &named, now);
            for (&(key, cost), fast) in calls.iter().zip(fast) {
                prop_assert_eq!(fast, Ok(naive.take(&[((0, NAMES[key]), &[cost])], true, now)));
            }
            for (key, name) in keys.into_iter().zip(NAMES) {
                prop_assert_eq!(limiter.inspect(key, now), Ok(naive.inspect((0, name), now)));
            }
        }
    }
}

#[test]
fn batches_calls_and_reservations_of_many_threads_admit_exactly_the_limit() {
    const EACH: u64 = 50_000;
    let limits = vec![Limit::rate(0, UNIT, 1_000_000_000_000, EACH * UNIT)].into();
    let config = Config { limits, units: 1, max_keys: 100 };
    let one = Arc::new(Limiter::new(config, [1; 16], Arc::default()));
    let now = Now { ns: 0, wall_ns: 0 };
    let keys = [0u8, 1, 2, 3].map(|name| one.key(&[name], now).expect("room"));
    let admitted = AtomicU64::new(0);
    let count = |n: u64| admitted.fetch_add(n, Ordering::Relaxed);
    thread::scope(|scope| {
        for number in 0..4usize {
            let (one, count) = (&one, &count);
            scope.spawn(move || {
                for round in 0..EACH as usize {
                    let calls: Vec<(Key, u64)> =
                        (0..8).map(|at| (keys[(at + round) % 4], UNIT)).collect();
                    match (number + round / 1000) % 4 {
                        0 | 1 => {
                            let verdicts = run(one, &calls, now);
                            count(verdicts.iter().filter(|verdict| **verdict == Ok(None)).count()
                                as u64);
                        }
                        2 => {
                            count(u64::from(one.take(keys[round % 4], &[UNIT], now) == Ok(None)));
                            let parts = [3, 1].map(|at| Part {
                                limiter: one,
                                key: keys[at],
                                costs: &[UNIT],
                            });
                            count(2 * u64::from(take_all(&parts, now) == Ok(None)));
                        }
                        _ => {
                            let part = Part { limiter: one, key: keys[round % 4], costs: &[UNIT] };
                            if let Ok(id) =
                                reserve_all(&[part], 0, u64::MAX, now).expect("no fault")
                            {
                                one.settle(id, Actual::Full, now).expect("open");
                                count(1);
                            }
                        }
                    }
                }
            });
        }
    });
    assert_eq!(admitted.load(Ordering::Relaxed), 4 * EACH);
    for key in keys {
        assert_eq!(one.inspect(key, now).expect("there")[0].remaining, 0);
    }
}
