//! Proof that the engine gives tiktoken's ids, in one binary so that the oracles load once.
//!
//! `conformance`, `vocabulary` and `code_points` hold the engine against goldens of PyPI tiktoken;
//! `differential`, `wide`, `specials`, `counting`, `cuts`, `ends`, `streamed` and `threads` against live
//! oracles on generated texts. What takes time in proportion to its input has a binary of its own,
//! `linear_time`.
#![allow(clippy::expect_used, reason = "a test that cannot go on panics")]

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

/// So many generated cases, or as many as the environment asks for: a sanitizer has time for fewer.
fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}
