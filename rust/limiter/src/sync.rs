//! Synchronization primitives and sizes of this crate's protocols, replaced by loom's in
//! `tests/loom`.

pub(crate) use std::hint::spin_loop;
pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
pub(crate) use std::sync::{Mutex, MutexGuard};
pub(crate) use std::thread::{sleep, yield_now};

/// No fence: the order of the `SeqCst` operations around it is enough. loom treats `SeqCst`
/// operations as `AcqRel`, so its version is a real fence.
#[inline]
pub(crate) fn fence() {}

/// Spins before a waiting thread first yields.
pub(crate) const SPINS: u32 = 64;
/// Yields before a waiting thread first sleeps.
pub(crate) const YIELDS: u32 = 64;
/// Slots of the first chunk of a slot array.
pub(crate) const FIRST_CHUNK: usize = 64;

/// Limit sets of a limiter: a slot's header has 16 bits for their number.
pub(crate) const LIMIT_SETS: usize = 1 << 16;
/// Limit sets that are allocated together.
pub(crate) const LIMIT_SETS_PER_CHUNK: usize = 1 << 8;

/// Shards of the book of reservations.
pub(crate) const SHARDS: u32 = 16;

/// Slots that are examined for idle keys when a new name comes.
pub(crate) const SWEEP: u32 = 2;
/// Slots that are searched for an idle key when none is free.
pub(crate) const SEARCH: u32 = 1024;

/// Zeroed words, or none if the allocation fails. The system provides zeroed pages as they are
/// touched.
pub(crate) fn zeroed(words: usize) -> Option<Box<[AtomicU64]>> {
    bytemuck::allocation::try_zeroed_slice_box(words).ok()
}
