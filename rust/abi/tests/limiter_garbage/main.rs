//! Tests of limiters with invalid arguments: wrong handles, keys, costs, reservations, clocks and pointers fail with a
//! status and change nothing.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod calls;
mod decisions;
mod reservations;
#[path = "../support/mod.rs"]
mod support;
mod times;
