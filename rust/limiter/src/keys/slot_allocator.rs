//! A slot allocator: a FIFO free list, and the state machine that says which thread may change a
//! slot.
//!
//! A slot is in one of three states, and each transition has exactly one author:
//!
//! ```text
//!          allocate                occupy (live + 1)
//!   free ───────────────▶ owned ─────────────────────▶ live
//!     ◀───────────────    ◀───────────────────────────
//!          release               vacate (generation + 1, live - 1)
//! ```
//!
//! - *Free*: the index is in the free list, or was never allocated. The lock of the list decides
//!   which thread allocates it.
//! - *Owned*: exactly one [`OwnedSlot`] of that index exists. It can be neither copied nor made
//!   from a number, and both transitions consume it. So no slot is released twice, or both released
//!   and occupied.
//! - *Live*: the slot has a tenant. No thread owns it; any thread that locks it may vacate it, and
//!   owns it then. A slot that is not live cannot be vacated, so a thread cannot take a slot that
//!   another owns.
//!
//! Only the *live* bit in the slot's header is ever read: free and owned differ in which thread
//! knows the index. The count of live slots changes under the lock of the slot concerned. So each
//! slot is counted 0 or 1 times at any moment, and the count stays between 0 and the number of
//! slots.

use std::collections::VecDeque;
use std::sync::PoisonError;

use crate::keys::key::{Full, Key};
use crate::slots::slot::Slot;
use crate::slots::slot_array::SlotArray;
use crate::sync::{AtomicU32, Mutex, Ordering};

/// The slots of a limiter.
pub(crate) struct SlotAllocator {
    free: Mutex<FreeList>,
    max: u32,
    live: AtomicU32,
}

struct FreeList {
    /// Indices that were released, in order.
    released: VecDeque<u32>,
    /// The first index that was never allocated.
    next: u32,
}

/// The unique owner of a slot that is not live.
#[must_use = "a slot that is not released is lost"]
pub(crate) struct OwnedSlot(u32);

impl SlotAllocator {
    pub(crate) fn new(max: u32) -> Self {
        let free = Mutex::new(FreeList { released: VecDeque::new(), next: 0 });
        Self { free, max, live: AtomicU32::new(0) }
    }

    /// Allocates a free slot. Amortized O(1).
    pub(crate) fn allocate(&self, slots: &SlotArray) -> Result<OwnedSlot, Full> {
        let index = {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            let released = free.released.pop_front();
            if released.is_none() && free.next == self.max {
                return Err(Full::Keys);
            }
            released.unwrap_or_else(|| {
                free.next += 1;
                free.next - 1
            })
        };
        let slot = OwnedSlot(index);
        if slots.ensure(index).is_none() {
            self.release(slot);
            return Err(Full::Memory);
        }
        Ok(slot)
    }

    /// Frees a slot. O(1).
    pub(crate) fn release(&self, OwnedSlot(index): OwnedSlot) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.released.push_back(index);
    }

    /// Makes the slot live, as that of `hash`. O(limits).
    pub(crate) fn occupy(
        &self,
        slots: &SlotArray,
        slot: OwnedSlot,
        hash: u128,
        now_ns: u64,
    ) -> Key {
        let OwnedSlot(index) = slot;
        let Some(mut slot) = slots.lock(index) else { panic!("slot {index} is not allocated") };
        slot.occupy(hash);
        slot.set_last_change(now_ns);
        let before = self.live.fetch_add(1, Ordering::Relaxed);
        debug_assert!(before < self.max, "{before} slots of {} were live", self.max);
        Key { index, generation: slot.generation() }
    }

    /// Takes slot `index` from its tenant if it is live and `is_allowed` returns true for it.
    /// Returns the slot, which the caller owns then, and the tenant's hash. O(1).
    pub(crate) fn vacate(
        &self,
        slots: &SlotArray,
        index: u32,
        is_allowed: impl FnOnce(&Slot<'_>) -> bool,
    ) -> Option<(OwnedSlot, u128)> {
        let mut slot = slots.lock(index)?;
        if !slot.is_live() || !is_allowed(&slot) {
            return None;
        }
        let hash = slot.hash();
        slot.vacate();
        let before = self.live.fetch_sub(1, Ordering::Relaxed);
        debug_assert!(before > 0, "no slot was live");
        Some((OwnedSlot(index), hash))
    }

    /// Every slot that was ever live has an index below this.
    pub(crate) fn high_water_mark(&self) -> u32 {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).next
    }

    pub(crate) fn live(&self) -> u32 {
        self.live.load(Ordering::Relaxed)
    }

    pub(crate) fn max(&self) -> u32 {
        self.max
    }

    /// The free list, for tests.
    #[cfg(feature = "oracle")]
    pub(crate) fn free(&self) -> Vec<u32> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.released.iter().copied().collect()
    }
}
