//! What the protocols of this crate are made of. `tests/loom.rs` compiles them with loom's twins.

pub(crate) use std::hint::spin_loop;
pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
pub(crate) use std::sync::{Mutex, MutexGuard};
pub(crate) use std::thread::{sleep, yield_now};

/// Between two `SeqCst` operations, where their order is enough. loom has no such order and gets one.
#[inline]
pub(crate) fn fence() {}

/// Spins before the first yield,
pub(crate) const SPINS: u32 = 64;
/// and yields before the first sleep.
pub(crate) const YIELDS: u32 = 64;
/// Slots of the first chunk.
pub(crate) const FIRST: usize = 64;

/// Sets of limits, which is what a slot has bits for,
pub(crate) const PLANS: usize = 1 << 16;
/// and how many of them take memory together.
pub(crate) const PLANS_AT_ONCE: usize = 1 << 8;

/// Parts of the book of reservations.
pub(crate) const SHARDS: u32 = 16;

/// Slots that are looked at when a new name comes,
pub(crate) const SWEEP: u32 = 2;
/// and for an idle one when all places are taken.
pub(crate) const SEARCH: u32 = 1024;

/// Words of 0, from memory that the system hands out as it is touched; none if it has none.
pub(crate) fn zeroed(words: usize) -> Option<Box<[AtomicU64]>> {
    bytemuck::allocation::try_zeroed_slice_box(words).ok()
}
