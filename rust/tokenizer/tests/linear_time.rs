//! Time grows linearly with the length of any input.
//!
//! The bound is a ratio within one run, of processor time where the system tells it, so that a
//! slow or busy machine cannot fail it. A text is counted in one go and in eight parts one after
//! the other: the same bytes, so that caches help both alike. In one go it may take at most four
//! times as long, where quadratic work takes eight times.
#![allow(clippy::expect_used, reason = "a test that cannot go on panics")]

use std::time::Duration;

use sluice_tokenizer::{Special, Tokenizer};
use support::oracle::DISTINCT;
use support::pathological::{MAKERS, prose};

mod support;

/// How long a text is, in bytes; an unoptimised engine gets a smaller one for the same ratio.
const SIZE: usize = if cfg!(debug_assertions) { 1 << 20 } else { 1 << 21 };
const PARTS: usize = 8;
const ALLOWED: u32 = 4;

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

/// `text` in parts of about the same length.
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
            let tokens = tokenizer.count(text, Special::Text).expect("text has no special tokens");
            assert_eq!(tokens == 0, text.is_empty());
        };
        // The first call builds tables.
        count(&prose(SIZE));
        for (name, make) in MAKERS {
            let text = make(SIZE);
            let in_parts = shortest(2, || parts(&text).into_iter().for_each(count));
            let in_one_go = shortest(2, || count(&text));
            assert!(
                in_one_go < in_parts.max(Duration::from_micros(400)) * ALLOWED,
                "{} {name}, {} bytes: {in_one_go:?} in one go, {in_parts:?} in {PARTS} parts",
                encoding.name(),
                text.len(),
            );
        }
    }
}
