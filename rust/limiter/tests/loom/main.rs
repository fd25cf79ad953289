//! The crate's locking protocols under every interleaving (model checking with loom): the crate's own
//! files, compiled here with loom's atomics and locks.
//!
//! A plain map behind one of loom's locks replaces the concurrent map of names.
#![allow(dead_code, unreachable_pub, reason = "files of the crate, of which some is used here")]
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

#[path = "../../src/keys/mod.rs"]
mod keys;
#[path = "../../src/limit_sets.rs"]
mod limit_sets;
#[path = "../../src/limits/mod.rs"]
mod limits;
/// Only the book: ending a reservation needs whole limiters.
#[path = "../../src/reservations"]
mod reservations {
    pub(crate) mod book;
}
#[path = "../loom_support/name_map.rs"]
mod name_map;
#[path = "../../src/slots/mod.rs"]
mod slots;
#[path = "../loom_support/sync.rs"]
mod sync;
#[path = "../../src/time.rs"]
mod time;

mod expiry_protocol;
mod key_protocol;
mod limit_set_protocol;
mod slot_protocol;

/// Replaces the crate's limiter: amounts are not modelled here.
mod limiter {
    pub(crate) struct Limiter;
}

use loom::sync::Arc;

use keys::key_table::KeyTable;
use slots::slot::{Guard, HEADER_WORDS, STATE_WORDS, Slot, SlotWords};
use slots::slot_array::SlotArray;
use sync::AtomicU64;

fn words() -> Arc<Vec<AtomicU64>> {
    Arc::new((0..HEADER_WORDS + STATE_WORDS).map(|_| AtomicU64::new(0)).collect())
}

fn lock(words: &[AtomicU64]) -> Guard<'_> {
    Guard::lock(SlotWords::new(words).expect("enough words"))
}

fn add(slot: &mut Slot<'_>) {
    let mut state = slot.state(0);
    state.level += 1;
    slot.set_state(0, state);
}

/// The key table and the slots for `max` keys.
fn keys(max: u32) -> Arc<(KeyTable, SlotArray)> {
    let slots = SlotArray::new(1);
    // Allocated here: loom does not see that a `OnceLock` publishes.
    slots.ensure(0).expect("room");
    Arc::new((KeyTable::new([7; 16], max), slots))
}
