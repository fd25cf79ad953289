//! Time grows linearly with the length of any input.
//!
//! The bound is a ratio within one run, of processor time where the system tells it, so that a
//! slow or busy machine cannot fail it: eight times the text may take at most 32 times as long,
//! where quadratic work takes 64 times.
#![allow(clippy::expect_used, reason = "a test that cannot go on panics")]

use std::time::Duration;

use sluice_tokenizer::{Special, Tokenizer};
use support::oracle::DISTINCT;
use support::pathological::{MAKERS, prose};

mod support;

/// An unoptimised engine gets a smaller text for the same ratio. Both are beyond what a cache
/// of recent pieces can answer.
const SMALL: usize = if cfg!(debug_assertions) { 1 << 17 } else { 1 << 18 };
const GROWTH: usize = 8;
const ALLOWED: u32 = 32;

/// Processor time of this thread.
#[cfg(unix)]
fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Time since the first call.
#[cfg(not(unix))]
fn now() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}

/// The shortest of several runs: noise only ever adds time.
fn shortest(runs: usize, mut work: impl FnMut()) -> Duration {
    let time = |_| {
        let start = now();
        work();
        now() - start
    };
    (0..runs).map(time).min().unwrap_or_default()
}

#[test]
fn time_is_linear_in_the_length_of_any_input() {
    for encoding in DISTINCT {
        let tokenizer = Tokenizer::get(encoding);
        // The first call builds tables.
        let warm = tokenizer.count(&prose(SMALL), Special::Text);
        assert!(warm.is_ok_and(|tokens| tokens > 0));
        for (name, make) in MAKERS {
            let count = |text: &str| {
                std::hint::black_box(tokenizer.count(text, Special::Text)).expect("no error");
            };
            let (small, large) = (make(SMALL), make(SMALL * GROWTH));
            let short = shortest(4, || count(&small)).max(Duration::from_micros(50));
            let long = shortest(2, || count(&large));
            assert!(
                long < short * ALLOWED,
                "{} {name}: {short:?} for {} bytes, {long:?} for {}",
                encoding.name(),
                small.len(),
                large.len()
            );
        }
    }
}
