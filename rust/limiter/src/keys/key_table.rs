//! A concurrent hash table from names to slots, with incremental eviction of idle keys by a clock
//! hand.
//!
//! A name is identified by its 128-bit SipHash-1-3 under a secret key of the process. With ten
//! million keys the probability of a collision is 2^-81, and a search for one needs the
//! secret. Names are not stored: a key costs its slot and a map entry of 20 bytes.
//!
//! The map (`name_map.rs`) and the slot states (`slot_allocator.rs`) are tied together by one
//! invariant:
//!
//! > A live slot of a name has that name's entry. An entry has the index of a slot that is live under
//! > its name, or of an owned slot whose owner has just vacated it and is about to remove the entry.
//!
//! - A slot becomes live *while its entry is locked*, and only if the entry has no live slot. So a
//!   name has at most one slot, and before the entry exists only an evicting thread can see the
//!   slot.
//! - An evicting thread vacates the slot, then removes the entry if it still has that index, and
//!   only then releases the slot. The slot is owned until then, so no other entry can have its
//!   index. If the name came back meanwhile, its entry has the index of its new slot, and stays.
//! - So entries have distinct indices, and there are no more entries than slots.
//!
//! Lock order: an entry, then a slot. A thread that has locked a slot does not access the map. To
//! read an entry is to copy its index; whether the slot still belongs to the name is decided under
//! the slot's lock. (`tests/loom`, `tests/keys_race.rs`)
//!
//! Memory grows only when a new name comes, so idle slots are searched then. A clock hand, as in
//! CLOCK page replacement, advances by two slots and evicts keys that have been idle for a minute.
//! If no slot is free it advances further and evicts the first idle key, however recently it was
//! used.

use std::hash::Hasher;
use std::sync::atomic::{AtomicU32, AtomicU64 as Count, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::keys::key::{Full, Key};
use crate::keys::slot_allocator::{OwnedSlot, SlotAllocator};
use crate::name_map::NameMap;
use crate::slots::slot::Slot;
use crate::slots::slot_array::SlotArray;
use crate::sync::{SEARCH, SWEEP};

/// Whether no slot is free, so that an idle key may be evicted however recently it was used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TableFull(pub(crate) bool);

/// The keys of a limiter.
pub(crate) struct KeyTable {
    secret: Mutex<[u8; 16]>,
    hasher: RwLock<SipHasher13>,
    names: NameMap,
    allocator: SlotAllocator,
    clock_hand: AtomicU32,
    evicted: Count,
    refused: Count,
}

impl KeyTable {
    pub(crate) fn new(secret: [u8; 16], max: u32) -> Self {
        Self {
            secret: Mutex::new(secret),
            hasher: RwLock::new(SipHasher13::new_with_key(&secret)),
            names: NameMap::default(),
            allocator: SlotAllocator::new(max),
            clock_hand: AtomicU32::new(0),
            evicted: Count::new(0),
            refused: Count::new(0),
        }
    }

    pub(crate) fn hash(&self, name: &[u8]) -> u128 {
        let mut hasher = *self.hasher.read().unwrap_or_else(PoisonError::into_inner);
        hasher.write(name);
        hasher.finish128().as_u128()
    }

    /// The key of `hash`, created if it is new. Amortized O(1); O(`SEARCH`) if no slot is free.
    ///
    /// `is_evictable` decides whether a locked slot may be taken from its key.
    pub(crate) fn intern(
        &self,
        slots: &SlotArray,
        hash: u128,
        now_ns: u64,
        is_evictable: impl Fn(&Slot<'_>, TableFull) -> bool,
    ) -> Result<Key, Full> {
        if let Some(key) = self.find(slots, hash) {
            return Ok(key);
        }
        self.sweep(slots, SWEEP, |slot| is_evictable(slot, TableFull(false)));
        let slot = match self.allocate_or_evict(slots, |slot| is_evictable(slot, TableFull(true))) {
            Ok(slot) => slot,
            // Another thread may have just taken the last slot for this very name.
            Err(why) => {
                return self.find(slots, hash).ok_or_else(|| {
                    if why == Full::Keys {
                        self.refused.fetch_add(1, Ordering::Relaxed);
                    }
                    why
                });
            }
        };
        let (key, unused) = self.names.update(hash, |there| {
            match there.and_then(|index| of(slots, index, hash)) {
                // Another thread was first.
                Some(key) => (None, (key, Some(slot))),
                None => {
                    let key = self.allocator.occupy(slots, slot, hash, now_ns);
                    (Some(key.index), (key, None))
                }
            }
        });
        if let Some(slot) = unused {
            self.allocator.release(slot);
        }
        Ok(key)
    }

    /// The key of `hash`, if it exists. O(1).
    pub(crate) fn find(&self, slots: &SlotArray, hash: u128) -> Option<Key> {
        of(slots, self.names.get(hash)?, hash)
    }

    /// Evicts `key` if `is_allowed` returns true for its slot. Returns whether it did.
    pub(crate) fn evict(
        &self,
        slots: &SlotArray,
        key: Key,
        is_allowed: impl Fn(&Slot<'_>) -> bool,
    ) -> bool {
        let slot = self
            .vacate(slots, key.index, |slot| slot.is_current(key.generation) && is_allowed(slot));
        slot.map(|slot| self.allocator.release(slot)).is_some()
    }

    /// Examines the next `count` slots, and evicts keys that are evictable. O(`count`).
    pub(crate) fn sweep(
        &self,
        slots: &SlotArray,
        count: u32,
        is_evictable: impl Fn(&Slot<'_>) -> bool,
    ) {
        let high_water_mark = self.allocator.high_water_mark();
        for _ in 0..count.min(high_water_mark) {
            if let Some(slot) = self.evict_next(slots, high_water_mark, &is_evictable) {
                self.allocator.release(slot);
            }
        }
    }

    /// Every slot that was ever live has an index below this.
    pub(crate) fn high_water_mark(&self) -> u32 {
        self.allocator.high_water_mark()
    }

    pub(crate) fn live(&self) -> u32 {
        self.allocator.live()
    }

    pub(crate) fn max(&self) -> u32 {
        self.allocator.max()
    }

    pub(crate) fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    pub(crate) fn secret(&self) -> [u8; 16] {
        *self.secret.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the secret; only valid while the limiter has no keys.
    pub(crate) fn set_secret(&self, secret: [u8; 16]) {
        *self.secret.lock().unwrap_or_else(PoisonError::into_inner) = secret;
        *self.hasher.write().unwrap_or_else(PoisonError::into_inner) =
            SipHasher13::new_with_key(&secret);
    }

    /// A free slot, or that of the next evictable key.
    fn allocate_or_evict(
        &self,
        slots: &SlotArray,
        is_evictable: impl Fn(&Slot<'_>) -> bool,
    ) -> Result<OwnedSlot, Full> {
        let free = || self.allocator.allocate(slots);
        let idle = |why| {
            // Stops at the first; the next new name continues from there.
            let high_water_mark = self.allocator.high_water_mark();
            (0..SEARCH)
                .find_map(|_| self.evict_next(slots, high_water_mark, &is_evictable))
                .ok_or(why)
        };
        free().or_else(idle).or_else(|_| free())
    }

    /// Advances the clock hand, and vacates the slot there if it is evictable.
    fn evict_next(
        &self,
        slots: &SlotArray,
        high_water_mark: u32,
        is_evictable: impl Fn(&Slot<'_>) -> bool,
    ) -> Option<OwnedSlot> {
        let index = self.clock_hand.fetch_add(1, Ordering::Relaxed).checked_rem(high_water_mark)?;
        let slot = self.vacate(slots, index, is_evictable)?;
        self.evicted.fetch_add(1, Ordering::Relaxed);
        Some(slot)
    }

    /// Vacates slot `index` if it is live and `is_allowed` returns true for it.
    fn vacate(
        &self,
        slots: &SlotArray,
        index: u32,
        is_allowed: impl FnOnce(&Slot<'_>) -> bool,
    ) -> Option<OwnedSlot> {
        let (slot, hash) = self.allocator.vacate(slots, index, is_allowed)?;
        // Before another thread can own the slot. If the name has another slot by now, its entry
        // stays.
        self.names.remove(hash, index);
        Some(slot)
    }

    /// Checks the invariants while no thread uses the limiter, for tests: every slot is live or
    /// free, live slots are once in the map and free ones once in the free list, and the counts are
    /// right.
    #[cfg(feature = "oracle")]
    pub(crate) fn audit(&self, slots: &SlotArray) -> Result<(), String> {
        let mut free = self.allocator.free();
        let mut live = 0;
        for index in 0..self.high_water_mark() {
            let hash = slots.lock(index).and_then(|slot| slot.is_live().then(|| slot.hash()));
            let times = free.iter().filter(|&&slot| slot == index).count();
            match hash {
                Some(hash) if self.names.get(hash) != Some(index) => {
                    return Err(format!("slot {index} is live and its name has no entry of it"));
                }
                Some(_) if times == 0 => live += 1,
                None if times == 1 => {}
                _ => {
                    let state = if hash.is_some() { "live" } else { "vacant" };
                    return Err(format!("slot {index} is {state} and {times} times free"));
                }
            }
        }
        free.retain(|&index| index >= self.high_water_mark());
        let entries = self.names.len();
        if entries != live || self.live() as usize != live || !free.is_empty() {
            let counted = self.live();
            return Err(format!(
                "{live} live slots, {counted} counted, {entries} entries, free beyond high_water_mark: {free:?}"
            ));
        }
        Ok(())
    }
}

/// The key of a slot, if it belongs to `hash`.
fn of(slots: &SlotArray, index: u32, hash: u128) -> Option<Key> {
    let slot = slots.lock(index)?;
    (slot.is_live() && slot.hash() == hash).then(|| Key { index, generation: slot.generation() })
}
