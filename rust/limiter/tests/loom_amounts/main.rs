//! Whole limiters under every interleaving (model checking with loom): no amount of credit is lost
//! or spent twice. The crate's own files are compiled here with loom's atomics and locks.
#![allow(dead_code, unreachable_pub, reason = "files of the crate, of which some is used here")]
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

#[path = "../../src/decision.rs"]
mod decision;
#[path = "../../src/keys/mod.rs"]
mod keys;
#[path = "../../src/limit_sets.rs"]
mod limit_sets;
#[path = "../../src/limiter.rs"]
mod limiter;
#[path = "../../src/limits/mod.rs"]
mod limits;
#[path = "../../src/multi_key.rs"]
mod multi_key;
#[path = "../loom_support/name_map.rs"]
mod name_map;
#[path = "../../src/operations/mod.rs"]
mod operations;
#[path = "../../src/reservations/mod.rs"]
mod reservations;
#[path = "../../src/slots/mod.rs"]
mod slots;
#[path = "../loom_support/sync.rs"]
mod sync;
#[path = "../../src/time.rs"]
mod time;

mod credit_protocol;

/// Replaces the constant slot, which loom's atomics cannot make. No test looks at absent keys.
mod empty_slot {
    pub(crate) fn empty_slot() -> Option<crate::slots::slot::Slot<'static>> {
        None
    }
}
