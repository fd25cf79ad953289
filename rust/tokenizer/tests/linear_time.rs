//! The running time is linear in the length of any input.
//!
//! The bound is a ratio within one run, of processor time where the system reports it, so that a slow or busy machine
//! does not fail the test. A text is counted as a whole and in eight consecutive parts: the same bytes, so that
//! caches help both alike. The whole may take at most four times as long, where quadratic work takes eight times as
//! long.
#![allow(clippy::expect_used, reason = "a failure panics")]

use std::time::Duration;

use sluice_tokenizer::{SpecialTokenMode, Tokenizer};
use support::oracle::DISTINCT;
use support::pathological::{MAKERS, prose};

mod support;

/// The length of a text in bytes. An unoptimised engine gets a shorter text, with the same bound.
const SIZE: usize = if cfg!(debug_assertions) { 1 << 20 } else { 1 << 21 };
const PARTS: usize = 8;
const ALLOWED: u32 = 4;

/// The processor time of this thread.
#[cfg(unix)]
fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The time since the first call.
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

/// `text` in parts of approximately equal length.
fn parts(text: &str) -> Vec<&str> {
    let mut rest = text;
    let cut = |_| {
        let near = text.len().div_ceil(PARTS).min(rest.len());
        let at = (near..rest.len()).find(|&at| rest.is_char_boundary(at)).unwrap_or(rest.len());
        let (part, after) = rest.split_at(at);
        rest = after;
        part
    };
    (0..PARTS).map(cut).collect()
}

#[test]
fn time_is_linear_in_the_length_of_any_input() {
    for encoding in DISTINCT {
        let tokenizer = Tokenizer::get(encoding);
        let count = |text: &str| {
            let tokens =
                tokenizer.count(text, SpecialTokenMode::Text).expect("text has no special tokens");
            assert_eq!(tokens == 0, text.is_empty());
        };
        // The first call builds tables.
        count(&prose(SIZE));
        for (name, make) in MAKERS {
            let text = make(SIZE);
            let in_parts = shortest(2, || parts(&text).into_iter().for_each(count));
            let as_a_whole = shortest(2, || count(&text));
            assert!(
                as_a_whole < in_parts.max(Duration::from_micros(400)) * ALLOWED,
                "{} {name}, {} bytes: {as_a_whole:?} as a whole, {in_parts:?} in {PARTS} parts",
                encoding.name(),
                text.len(),
            );
        }
    }
}
