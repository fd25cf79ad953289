//! The crate's locking protocols under every interleaving (model checking with loom): the crate's own
//! files, compiled here with loom's atomics and locks.
//!
//! A plain map behind one of loom's locks replaces the concurrent map of names.
#![allow(dead_code, unreachable_pub, reason = "files of the crate, of which some is used here")]
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod sync {
    pub(crate) use loom::hint::spin_loop;
    pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering};
    pub(crate) use loom::sync::{Mutex, MutexGuard};
    pub(crate) use loom::thread::yield_now;

    /// Stands for the order of `SeqCst` operations, which loom treats as `AcqRel`.
    pub(crate) fn fence() {
        loom::sync::atomic::fence(Ordering::SeqCst);
    }

    /// Prunes the branch: to check a lock once more changes nothing, and whatever can follow is also
    /// explored where the waiter checked less often. Without this, two waiters could alternate for ever.
    pub(crate) fn sleep(_: std::time::Duration) {
        loom::skip_branch();
        yield_now();
    }

    pub(crate) const SPINS: u32 = 1;
    pub(crate) const YIELDS: u32 = 1;
    pub(crate) const FIRST_CHUNK: usize = 2;
    pub(crate) const SWEEP: u32 = 0;
    pub(crate) const SEARCH: u32 = 2;
    pub(crate) const SHARDS: u32 = 2;
    pub(crate) const LIMIT_SETS: usize = 4;
    pub(crate) const LIMIT_SETS_PER_CHUNK: usize = 4;

    pub(crate) fn zeroed(words: usize) -> Option<Box<[AtomicU64]>> {
        Some((0..words).map(|_| AtomicU64::new(0)).collect())
    }
}

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
#[path = "../../src/slots/mod.rs"]
mod slots;
#[path = "../../src/time.rs"]
mod time;

mod expiry_protocol;
mod key_protocol;
mod limit_set_protocol;
mod slot_protocol;

/// The replacement of `src/name_map.rs`: one lock for all entries.
mod name_map {
    use std::collections::BTreeMap;
    use std::sync::PoisonError;

    use loom::sync::{Mutex, MutexGuard};

    #[derive(Default)]
    pub(crate) struct NameMap(Mutex<BTreeMap<u128, u32>>);

    impl NameMap {
        pub(crate) fn get(&self, hash: u128) -> Option<u32> {
            self.lock().get(&hash).copied()
        }

        pub(crate) fn update<R>(
            &self,
            hash: u128,
            f: impl FnOnce(Option<u32>) -> (Option<u32>, R),
        ) -> R {
            let mut names = self.lock();
            let (index, result) = f(names.get(&hash).copied());
            if let Some(index) = index {
                names.insert(hash, index);
            }
            result
        }

        pub(crate) fn remove(&self, hash: u128, index: u32) {
            let mut names = self.lock();
            if names.get(&hash) == Some(&index) {
                names.remove(&hash);
            }
        }

        pub(crate) fn len(&self) -> usize {
            self.lock().len()
        }

        fn lock(&self) -> MutexGuard<'_, BTreeMap<u128, u32>> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}

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
