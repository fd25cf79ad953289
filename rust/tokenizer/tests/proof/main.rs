//! Tests that the engine has the ids of tiktoken, in one binary so that the oracles load once.
//!
//! `conformance`, `vocabulary` and `code_points` compare the engine with goldens of PyPI tiktoken; `differential`,
//! `wide`, `specials`, `counting`, `cuts`, `ends`, `streamed` and `threads` with live oracles on generated texts. The
//! test of the running time has a binary of its own, `linear_time`.
#![allow(clippy::expect_used, reason = "a failure panics")]

mod code_points;
mod conformance;
mod counting;
mod cuts;
mod differential;
mod ends;
mod goldens;
mod pathological;
mod specials;
mod streamed;
mod threads;
mod vocabulary;
mod wide;

#[path = "../support/mod.rs"]
mod support;

/// The number of generated cases: `usual`, or the number in the environment, as sanitizers have time for fewer.
fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}
