//! How one thread uses many slots of a limiter without locking each.
//!
//! A lock costs a full barrier, behind which the processor does nothing ahead: in a batch that is most of
//! the time. So a batch says once that it is alone, and then goes by the headers: a slot that is not
//! locked is its own, because whoever locks a slot looks for a batch *after* that, and backs out. Both
//! sides write first and look then, in one order that all agree on (`SeqCst`), so one of them sees the
//! other: Dekker's protocol.
//!
//! Nobody waits for a slot while it is alone, since who has it may be waiting for the end of that. A
//! batch that meets a locked slot goes on with locks. So does every batch for a while after somebody
//! had to wait for one: a limiter that several threads use at once is better off with a lock a slot.

use crate::backoff::Backoff;
use crate::sync::{AtomicU64, Ordering, fence};

/// So many batches use locks after somebody had to wait.
const SHY: u64 = 1 << 12;

/// Whether somebody is alone.
pub(crate) struct Alone {
    taken: AtomicU64,
    shy: Apart,
}

/// Not in the cache line of what every call looks at.
#[repr(align(64))]
struct Apart(AtomicU64);

/// Being alone; ends when it is dropped.
pub(crate) struct Solitude<'a>(&'a Alone);

impl Alone {
    pub(crate) fn new() -> Self {
        Self { taken: AtomicU64::new(0), shy: Apart(AtomicU64::new(0)) }
    }

    /// Begins to be alone, unless another is or others were met lately. O(1), never waits.
    pub(crate) fn begin(&self) -> Option<Solitude<'_>> {
        let shy = self.shy.0.load(Ordering::Relaxed);
        if shy > 0 {
            // Two at a time may count as one: it is a matter of speed alone.
            self.shy.0.store(shy - 1, Ordering::Relaxed);
            return None;
        }
        self.taken.compare_exchange(0, 1, Ordering::SeqCst, Ordering::Relaxed).ok()?;
        fence();
        Some(Solitude(self))
    }

    /// Whether another thread is alone; for who has just locked a slot.
    #[inline]
    pub(crate) fn is_taken(&self) -> bool {
        fence();
        self.taken.load(Ordering::SeqCst) != 0
    }

    /// Waits until nobody is alone.
    #[cold]
    pub(crate) fn wait(&self) {
        self.shy.0.store(SHY, Ordering::Relaxed);
        let mut backoff = Backoff::default();
        while self.taken.load(Ordering::Relaxed) != 0 {
            backoff.pause();
        }
    }
}

impl Drop for Solitude<'_> {
    fn drop(&mut self) {
        self.0.taken.store(0, Ordering::Release);
    }
}
