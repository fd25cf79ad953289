//! The rules of sessions, one by one: the real state machine against the reference store, without a
//! network in between.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod calls;
mod exact;
mod leases;
mod outages;
mod rig;
#[path = "../support/mod.rs"]
mod support;
