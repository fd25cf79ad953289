//! The replacement of `src/sync.rs`: loom's primitives, and sizes that a model can explore.

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
