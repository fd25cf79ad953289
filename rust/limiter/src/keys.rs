//! From names to slots.
//!
//! A name is known by its keyed 128-bit hash (SipHash-1-3 under a key that the process keeps to
//! itself): with ten million keys a chance collision has a probability of 2^-81, and nobody can look
//! for one without the key. So no name is stored, and a key costs its slot and an entry of 20 bytes.
//!
//! The map (`names.rs`) and the states of a place (`places.rs`) are tied together by one invariant:
//!
//! > A live slot of a name has that name's entry. An entry has the index of a slot that is live under its
//! > name, or of a place whose owner has just vacated it and is about to remove the entry.
//!
//! - A slot becomes live *while its entry is locked*, and only if the entry has no live slot: so a name
//!   has one slot at most, and nobody can see the slot before the entry but who would evict it.
//! - Who evicts vacates the slot, then removes the entry if it still has that index, and only then gives
//!   the place back. As the place is owned until then, no other entry can have its index. If the name
//!   came back meanwhile, the entry has the index of its new slot, and stays.
//! - So every entry has another place's index, and there are no more entries than places.
//!
//! Lock order: an entry, then a slot. Whoever has a slot locked asks nothing of the map. To read an entry
//! is to copy its index; whether the slot is still that name's is decided under the slot's own lock.
//! (`tests/loom.rs`, `tests/keys_race.rs`)
//!
//! Memory grows only when a new name comes, so that is when idle slots are looked for: a hand goes
//! around, two slots a time, and gives away those that have rested for a minute. When all places are
//! taken it goes further, and whoever is idle has to go.

use std::hash::Hasher;
use std::sync::atomic::{AtomicU32, AtomicU64 as Count, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::names::Names;
use crate::places::{Place, Places};
use crate::slot::Slot;
use crate::slots::Slots;
use crate::sync::{SEARCH, SWEEP};

/// Where a key's slot is, and which of those that had it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Which slot.
    pub index: u32,
    /// Below 2^21: index and generation fit the integers of a double. A key that is 2^21 owners of
    /// its slot late is taken for the present one.
    pub generation: u32,
}

impl Key {
    /// Stands for a name that has no key yet, where a call only looks. Everywhere else it is stale.
    pub const NONE: Self = Self { index: u32::MAX, generation: u32::MAX };
}

/// Why there is no place for a new name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// All are taken by keys that are not idle.
    Keys,
    /// The system has no memory for more.
    Memory,
}

/// Whether all places are taken, so that a key that is idle must go however lately it was used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pressed(pub(crate) bool);

/// The names of a limiter.
pub(crate) struct Keys {
    secret: Mutex<[u8; 16]>,
    hasher: RwLock<SipHasher13>,
    names: Names,
    places: Places,
    hand: AtomicU32,
    evicted: Count,
    refused: Count,
}

impl Keys {
    pub(crate) fn new(secret: [u8; 16], max: u32) -> Self {
        Self {
            secret: Mutex::new(secret),
            hasher: RwLock::new(SipHasher13::new_with_key(&secret)),
            names: Names::default(),
            places: Places::new(max),
            hand: AtomicU32::new(0),
            evicted: Count::new(0),
            refused: Count::new(0),
        }
    }

    pub(crate) fn hash(&self, name: &[u8]) -> u128 {
        let mut hasher = *self.hasher.read().unwrap_or_else(PoisonError::into_inner);
        hasher.write(name);
        hasher.finish128().as_u128()
    }

    /// The key of `hash`, made if it is new. Amortised O(1); O(`SEARCH`) when all places are taken.
    ///
    /// `may_go` says whether a locked slot may be given away.
    pub(crate) fn intern(
        &self,
        slots: &Slots,
        hash: u128,
        now_ns: u64,
        may_go: impl Fn(&Slot<'_>, Pressed) -> bool,
    ) -> Result<Key, Full> {
        if let Some(key) = self.find(slots, hash) {
            return Ok(key);
        }
        self.sweep(slots, SWEEP, |slot| may_go(slot, Pressed(false)));
        let place = match self.place(slots, |slot| may_go(slot, Pressed(true))) {
            Ok(place) => place,
            // Perhaps another thread has just found the last place for this very name.
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
                Some(key) => (None, (key, Some(place))),
                None => {
                    let key = self.places.occupy(slots, place, hash, now_ns);
                    (Some(key.index), (key, None))
                }
            }
        });
        if let Some(place) = unused {
            self.places.give_back(place);
        }
        Ok(key)
    }

    /// The key of `hash`, if there is one. O(1).
    pub(crate) fn find(&self, slots: &Slots, hash: u128) -> Option<Key> {
        of(slots, self.names.get(hash)?, hash)
    }

    /// Vacates the slot of `key` if `may` says so of it; whether it did.
    pub(crate) fn evict(&self, slots: &Slots, key: Key, may: impl Fn(&Slot<'_>) -> bool) -> bool {
        let place = self.vacate(slots, key.index, |slot| slot.is(key.generation) && may(slot));
        place.map(|place| self.places.give_back(place)).is_some()
    }

    /// Looks at the next `count` slots, and vacates those that `may_go`. O(`count`).
    pub(crate) fn sweep(&self, slots: &Slots, count: u32, may_go: impl Fn(&Slot<'_>) -> bool) {
        let reach = self.places.reach();
        for _ in 0..count.min(reach) {
            if let Some(place) = self.vacate_next(slots, reach, &may_go) {
                self.places.give_back(place);
            }
        }
    }

    /// Every slot that is or was somebody's.
    pub(crate) fn reach(&self) -> u32 {
        self.places.reach()
    }

    pub(crate) fn live(&self) -> u32 {
        self.places.live()
    }

    pub(crate) fn max(&self) -> u32 {
        self.places.max()
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

    /// Knows names by another secret from here on; for a limiter that has no key yet.
    pub(crate) fn set_secret(&self, secret: [u8; 16]) {
        *self.secret.lock().unwrap_or_else(PoisonError::into_inner) = secret;
        *self.hasher.write().unwrap_or_else(PoisonError::into_inner) =
            SipHasher13::new_with_key(&secret);
    }

    /// A place that is free, or that of the next slot that `may_go`.
    fn place(&self, slots: &Slots, may_go: impl Fn(&Slot<'_>) -> bool) -> Result<Place, Full> {
        let free = || self.places.take(slots);
        let idle = |why| {
            // Only as far as the first: the next new name goes on from there.
            let reach = self.places.reach();
            (0..SEARCH).find_map(|_| self.vacate_next(slots, reach, &may_go)).ok_or(why)
        };
        free().or_else(idle).or_else(|_| free())
    }

    /// Vacates the slot that the hand comes to, if it `may_go`.
    fn vacate_next(
        &self,
        slots: &Slots,
        reach: u32,
        may_go: impl Fn(&Slot<'_>) -> bool,
    ) -> Option<Place> {
        let index = self.hand.fetch_add(1, Ordering::Relaxed).checked_rem(reach)?;
        let place = self.vacate(slots, index, may_go)?;
        self.evicted.fetch_add(1, Ordering::Relaxed);
        Some(place)
    }

    /// Takes slot `index` from the name that it is live under, if `may` says so of it.
    fn vacate(
        &self,
        slots: &Slots,
        index: u32,
        may: impl FnOnce(&Slot<'_>) -> bool,
    ) -> Option<Place> {
        let (place, hash) = self.places.vacate(slots, index, may)?;
        // Before anybody else can have the place. If the name has another by now, its entry stays.
        self.names.remove(hash, index);
        Some(place)
    }

    /// What is wrong while nobody uses the limiter, for tests: every place is live or free, live ones once
    /// in the map and free ones once in the free list, and counts are what they count.
    #[cfg(feature = "oracle")]
    pub(crate) fn audit(&self, slots: &Slots) -> Result<(), String> {
        let mut free = self.places.free();
        let mut live = 0;
        for index in 0..self.reach() {
            let hash = slots.lock(index).and_then(|slot| slot.is_live().then(|| slot.hash()));
            let times = free.iter().filter(|&&place| place == index).count();
            match hash {
                Some(hash) if self.names.get(hash) != Some(index) => {
                    return Err(format!("slot {index} is live and its name has no entry of it"));
                }
                Some(_) if times == 0 => live += 1,
                None if times == 1 => {}
                _ => {
                    let state = if hash.is_some() { "live" } else { "vacant" };
                    return Err(format!("place {index} is {state} and {times} times free"));
                }
            }
        }
        free.retain(|&index| index >= self.reach());
        let entries = self.names.len();
        if entries != live || self.live() as usize != live || !free.is_empty() {
            let counted = self.live();
            return Err(format!(
                "{live} live slots, {counted} counted, {entries} entries, free beyond reach: {free:?}"
            ));
        }
        Ok(())
    }
}

/// The key of a slot, if it is that of `hash`.
fn of(slots: &Slots, index: u32, hash: u128) -> Option<Key> {
    let slot = slots.lock(index)?;
    (slot.is_live() && slot.hash() == hash).then(|| Key { index, generation: slot.generation() })
}
