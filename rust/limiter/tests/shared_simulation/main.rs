//! Deterministic simulation of processes that share limits: the real state machine of each process
//! against the reference store, with virtual clocks, a network that loses, delays, doubles and
//! reorders, and processes and threads that die.
//!
//! `SLUICE_SIMULATION_SEEDS` and `SLUICE_SIMULATION_SECONDS` make it longer, and
//! `SLUICE_SIMULATION_SEED` runs one seed.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod checker;
mod process;
mod rows;
mod scenario;
#[path = "../support/mod.rs"]
mod support;
mod world;
