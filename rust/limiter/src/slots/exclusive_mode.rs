//! Biased locking for batches (asymmetric Dekker): one thread uses many slots without locking each.
//!
//! A lock costs a full memory barrier, which stalls the processor's pipeline. In a batch that would be
//! most of the time. So a batch announces exclusive mode once, and then only reads the slots' headers:
//! it may use any slot that is not locked. Every other thread locks its slot first and then checks for
//! exclusive mode; if it is active, the thread unlocks and waits. Both sides write before they read,
//! and all threads agree on the order of these operations (`SeqCst`), so at least one of the two sees
//! the other. This is Dekker's algorithm, with the cost of the barrier moved away from the batch.
//!
//! In exclusive mode a batch never waits for a locked slot, because the slot's holder may be waiting
//! for the mode to end. It leaves the mode and continues with locks. After a thread had to wait for
//! exclusive mode, the next [`BACKOFF_BATCHES`] batches use locks: a limiter that several threads use
//! at once is faster with a lock per slot.

use crate::slots::backoff::Backoff;
use crate::sync::{AtomicU64, Ordering, fence};

/// Batches that use locks after a thread had to wait for exclusive mode.
const BACKOFF_BATCHES: u64 = 1 << 12;

/// The exclusive mode of a limiter's slots.
pub(crate) struct ExclusiveMode {
    active: AtomicU64,
    batches_to_skip: CachePadded,
}

/// A counter outside the cache line that every call reads.
#[repr(align(64))]
struct CachePadded(AtomicU64);

/// Exclusive mode, which ends when this is dropped.
pub(crate) struct ExclusiveGuard<'a>(&'a ExclusiveMode);

impl ExclusiveMode {
    pub(crate) fn new() -> Self {
        Self { active: AtomicU64::new(0), batches_to_skip: CachePadded(AtomicU64::new(0)) }
    }

    /// Enters exclusive mode, unless another thread is in it or contention was seen lately. O(1), never
    /// waits.
    pub(crate) fn try_enter(&self) -> Option<ExclusiveGuard<'_>> {
        let to_skip = self.batches_to_skip.0.load(Ordering::Relaxed);
        if to_skip > 0 {
            // A race may count two batches as one, which affects only speed.
            self.batches_to_skip.0.store(to_skip - 1, Ordering::Relaxed);
            return None;
        }
        self.active.compare_exchange(0, 1, Ordering::SeqCst, Ordering::Relaxed).ok()?;
        fence();
        Some(ExclusiveGuard(self))
    }

    /// Whether another thread is in exclusive mode; for a thread that has just locked a slot.
    #[inline]
    pub(crate) fn is_active(&self) -> bool {
        fence();
        self.active.load(Ordering::SeqCst) != 0
    }

    /// Waits until no thread is in exclusive mode.
    #[cold]
    pub(crate) fn wait_for_exit(&self) {
        self.batches_to_skip.0.store(BACKOFF_BATCHES, Ordering::Relaxed);
        let mut backoff = Backoff::default();
        while self.active.load(Ordering::Relaxed) != 0 {
            backoff.pause();
        }
    }
}

impl Drop for ExclusiveGuard<'_> {
    fn drop(&mut self) {
        self.0.active.store(0, Ordering::Release);
    }
}
