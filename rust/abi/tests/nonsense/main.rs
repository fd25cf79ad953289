//! Property tests of limiters and pools: no call panics, for any numbers in any order. Debug assertions and overflow
//! checks are on, so arithmetic errors would panic.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod limiters;
mod pools;
mod shared;
#[path = "../support/mod.rs"]
mod support;

use proptest::prelude::*;
use proptest::sample::select;
use sluice::clock::{sluice_clock_close, sluice_clock_open};
use sluice::limiter::sluice_limiter_close;
use sluice::pool::lease::sluice_lease_release;
use sluice::pool::sluice_pool_close;
use sluice::seam::status::SluiceStatus as Status;

use limiters::Limiters;
use pools::Pools;
use shared::Shared;
use support::last_error;

/// Numbers at the edges of what the ABI takes, and beyond.
const EDGES: [f64; 31] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    -2.0,
    0.5,
    1e-7,
    1e-300,
    2.0,
    3.0,
    5.0,
    16.0,
    17.0,
    1e3,
    6e4,
    8.64e7,
    3.16e10,
    1e9,
    1e12,
    3.2e12,
    1.1e12,
    1e15,
    2_147_483_648.0,
    4_294_967_295.0,
    4_294_967_296.0,
    2_251_799_813_685_248.0,
    9_007_199_254_740_992.0,
    f64::MAX,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

/// A call: which one, and what it is made of.
#[derive(Clone, Debug)]
struct Call {
    which: u32,
    numbers: Vec<f64>,
    pick: usize,
}

impl Call {
    /// `numbers`, some of which are anything: none of them in every second call.
    fn spoil(&self, numbers: &[f64]) -> Vec<f64> {
        let spoilt =
            |at: usize| self.pick.is_multiple_of(2) && (self.pick >> (at + 1)).is_multiple_of(8);
        let mine = numbers.iter().zip(self.numbers.iter().cycle()).enumerate();
        mine.map(|(at, (&sane, &number))| if spoilt(at) { number } else { sane }).collect()
    }
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => select(&EDGES[..]),
        4 => (0u32..40).prop_map(f64::from),
        2 => (0u32..2000).prop_map(|n| f64::from(n) / 7.0),
        1 => any::<f64>(),
    ]
}

fn call(kinds: u32) -> impl Strategy<Value = Call> {
    (0..kinds, prop::collection::vec(number(), 16), any::<usize>())
        .prop_map(|(which, numbers, pick)| Call { which, numbers, pick })
}

/// Refuses a panic, and passes everything else on.
fn calm<T: Into<f64> + Copy>(answer: T, call: &Call) -> T {
    assert_ne!(answer.into(), f64::from(Status::Panic as i32), "{call:?}: {}", last_error());
    answer
}

/// A result of an earlier call, sometimes off by one, or an arbitrary number.
fn picked(known: &[f64], call: &Call) -> f64 {
    let off = [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, -1.0, 0.5][call.pick % 8];
    known.get(call.pick / 8 % known.len().max(1)).map_or(call.numbers[0], |known| known + off)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_call_of_a_shared_limiter_panics(
        wall in number(),
        calls in prop::collection::vec(call(33), 1..200),
    ) {
        let opened = sluice_clock_open(wall);
        let clock = if opened > 0 { opened } else { sluice_clock_open(0.0) }.cast_unsigned();
        let mut shared = Shared::new(clock);
        for (at, call) in calls.iter().enumerate() {
            shared.call(call, at);
        }
        for &handle in &shared.handles {
            sluice_limiter_close(handle as u32);
        }
        sluice_clock_close(clock);
    }

    #[test]
    fn no_call_of_a_limiter_panics(
        wall in number(),
        calls in prop::collection::vec(call(33), 1..200),
    ) {
        let opened = sluice_clock_open(wall);
        let clock = if opened > 0 { opened } else { sluice_clock_open(0.0) }.cast_unsigned();
        let mut limiters = Limiters::new(clock);
        for (at, call) in calls.iter().enumerate() {
            limiters.call(call, at);
        }
        for &handle in &limiters.handles {
            sluice_limiter_close(handle as u32);
        }
        prop_assert_eq!(sluice_clock_close(clock), 0);
    }

    #[test]
    fn no_call_of_a_pool_panics(calls in prop::collection::vec(call(31), 1..200)) {
        let mut pools = Pools::default();
        for (at, call) in calls.iter().enumerate() {
            pools.call(call, at);
        }
        for &handle in &pools.handles {
            let handle = handle as u32;
            for &lease in &pools.leases {
                sluice_lease_release(handle, lease, 0, 0.0);
            }
            sluice_pool_close(handle);
        }
    }
}
