//! Places for keys: a free list, and who may do what to the slot of a place.
//!
//! A place is in one of three states, and each change of state has exactly one author:
//!
//! ```text
//!            take                 occupy (live + 1)
//!   free ───────────────▶ owned ─────────────────────▶ live
//!     ◀───────────────    ◀───────────────────────────
//!          give_back              vacate (generation + 1, live - 1)
//! ```
//!
//! - *Free*: its index is in the free list, or was never given out. The lock of the list decides who
//!   takes it.
//! - *Owned*: there is a [`Place`] of that index, and only one. It can be neither copied nor made from a
//!   number, and both ways out of the state consume it: no place can be given back twice, or be both given
//!   back and occupied.
//! - *Live*: the slot has a tenant. Nobody owns it, and whoever locks the slot may vacate it, which makes
//!   the one owner of the next state. A slot that is not live cannot be vacated, so nobody can take away a
//!   place that another thread owns.
//!
//! Only the bit in the slot's header that says *live* is ever looked at: free and owned differ in who
//! knows the index. The count of live slots changes under the lock of the slot that changes, so each slot
//! is counted 0 or 1 times at any moment, and the count is never below 0 or above the number of places.

use std::collections::VecDeque;
use std::sync::PoisonError;

use crate::keys::{Full, Key};
use crate::slot::Slot;
use crate::slots::Slots;
use crate::sync::{AtomicU32, Mutex, Ordering};

/// The places of a limiter.
pub(crate) struct Places {
    free: Mutex<Free>,
    max: u32,
    live: AtomicU32,
}

struct Free {
    /// Those that were given back.
    vacated: VecDeque<u32>,
    /// The first that was never given out.
    next: u32,
}

/// The only owner of a place whose slot is not live.
#[must_use = "a place that is not given back is lost"]
pub(crate) struct Place(u32);

impl Places {
    pub(crate) fn new(max: u32) -> Self {
        let free = Mutex::new(Free { vacated: VecDeque::new(), next: 0 });
        Self { free, max, live: AtomicU32::new(0) }
    }

    /// A free place, or why there is none. Amortised O(1).
    pub(crate) fn take(&self, slots: &Slots) -> Result<Place, Full> {
        let index = {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            let vacated = free.vacated.pop_front();
            if vacated.is_none() && free.next == self.max {
                return Err(Full::Keys);
            }
            vacated.unwrap_or_else(|| {
                free.next += 1;
                free.next - 1
            })
        };
        let place = Place(index);
        if slots.make(index).is_none() {
            self.give_back(place);
            return Err(Full::Memory);
        }
        Ok(place)
    }

    /// Makes a place free. O(1).
    pub(crate) fn give_back(&self, Place(index): Place) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.vacated.push_back(index);
    }

    /// Makes the slot of a place that of `hash`. O(limits).
    pub(crate) fn occupy(&self, slots: &Slots, place: Place, hash: u128, now_ns: u64) -> Key {
        let Place(index) = place;
        let Some(mut slot) = slots.lock(index) else { panic!("place {index} has no slot") };
        slot.occupy(hash);
        slot.set_seen(now_ns);
        let before = self.live.fetch_add(1, Ordering::Relaxed);
        debug_assert!(before < self.max, "{before} slots of {} were live", self.max);
        Key { index, generation: slot.generation() }
    }

    /// Takes slot `index` from its tenant, if it is live and `may` says so of it; the caller owns the place
    /// then, and is told whose it was. O(1).
    pub(crate) fn vacate(
        &self,
        slots: &Slots,
        index: u32,
        may: impl FnOnce(&Slot<'_>) -> bool,
    ) -> Option<(Place, u128)> {
        let mut slot = slots.lock(index)?;
        if !slot.is_live() || !may(&slot) {
            return None;
        }
        let hash = slot.hash();
        slot.vacate();
        let before = self.live.fetch_sub(1, Ordering::Relaxed);
        debug_assert!(before > 0, "no slot was live");
        Some((Place(index), hash))
    }

    /// Every slot that is or was somebody's has an index below this.
    pub(crate) fn reach(&self) -> u32 {
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
        free.vacated.iter().copied().collect()
    }
}
