//! Model test: the fast limiter equals the reference limiter under any sequence of calls; a refusal
//! changes no bit; and no span of time admits more than the limits allow.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod steps;
mod world;

use std::sync::Arc;

use proptest::prelude::*;
use sluice_limiter::{Actual, Config, Limit, Limiter, Now, Part, ReservationId, UNIT, reserve_all};

use steps::{limits, step};
use world::World;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(12_000),
        ..ProptestConfig::default()
    })]

    #[test]
    fn fast_equals_naive(
        limit_sets in [limits(), limits()],
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut world = World::new(&limit_sets);
        for step in &steps {
            world.run(step)?;
            world.compare()?;
        }
    }

    /// In any span W, by the times of admission and of settling, at most burst + rate * W is
    /// admitted.
    #[test]
    fn no_window_has_more_than_burst_and_rate_allow(
        limit in 1..200u64,
        burst in 1..200u64,
        steps in proptest::collection::vec((0..4u8, 1..50u64, 0..800_000_000u64, 0..=100u64), 1..120),
    ) {
        let plan = vec![Limit::rate(0, limit * UNIT, 1_000_000_000, burst * UNIT)];
        let config = Config { limits: plan.into(), units: 1, max_keys: 9 };
        let limiter = Arc::new(Limiter::new(config, [0; 16], Arc::default()));
        let mut now = Now { ns: 0, wall_ns: 0 };
        let key = limiter.key(b"k", now).expect("room");
        let mut open: Vec<(ReservationId, u64)> = Vec::new();
        let (mut admitted, mut settled) = (Vec::new(), Vec::new());
        for (what, cost, ns, percent) in steps {
            now.ns += ns;
            let costs = [cost * UNIT];
            let part = Part { limiter: &limiter, key, costs: &costs };
            match what {
                0 if limiter.take(key, &costs, now) == Ok(None) => {
                    admitted.push((now.ns, cost));
                    settled.push((now.ns, cost));
                }
                1 | 2 => if let Ok(id) = reserve_all(&[part], 0, u64::MAX, now).expect("no fault") {
                    // The unused part of a reservation does not count as admitted.
                    let actual = cost * percent / 100;
                    admitted.push((now.ns, actual));
                    open.push((id, actual));
                },
                3 if !open.is_empty() => {
                    let (id, actual) = open.remove(cost as usize % open.len());
                    limiter.settle(id, Actual::Costs(&[actual * UNIT]), now).expect("open");
                    settled.push((now.ns, actual));
                }
                _ => {}
            }
        }
        for events in [&admitted, &settled] {
            for (from, &(start, _)) in events.iter().enumerate() {
                let mut sum = 0;
                for &(end, units) in &events[from..] {
                    sum += units;
                    let most = u128::from(burst) * 1_000_000_000 + u128::from(limit) * u128::from(end - start);
                    prop_assert!(u128::from(sum) * 1_000_000_000 <= most, "{sum} in {} ns", end - start);
                }
            }
        }
    }
}
