//! Tests of tokenizers with invalid arguments: wrong handles, pointers, sizes and modes fail with a status.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod batches;
mod calls;
mod counters;
#[path = "../support/mod.rs"]
mod support;
mod texts;
mod tokenizers;
