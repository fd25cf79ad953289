//! Model test: the fast pool equals the reference pool under any sequence of calls. Afterwards all
//! leases are back, no waiter has starved, and no limit was exceeded.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets the unexpected should fail"
)]

mod pair;
mod steps;

use proptest::prelude::*;

use pair::Pair;
use steps::{settings, step, upstream};

const MEMBERS: usize = 3;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(15_000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn fast_is_naive_and_everything_comes_back(
        settings in settings(),
        upstreams in prop::collection::vec(upstream(), 1..5),
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut pair = Pair::new(settings, upstreams);
        for step in steps {
            pair.step(step);
            pair.fast.tick(pair.now);
            pair.slow.tick(pair.now);
            pair.check();
        }
        pair.wind_down();
    }
}
