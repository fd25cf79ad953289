//! From names to slots.
//!
//! A name is known by its keyed 128-bit hash (SipHash-1-3 under a key that the process keeps to
//! itself): with ten million keys a chance collision has a probability of 2^-81, and nobody can look
//! for one without the key. So no name is stored, and a key costs its slot and an entry of 20 bytes.
//!
//! The map is touched here only, and no guard of it is held across anything: an index is copied out,
//! and whether the slot is still that name's is decided under the slot's own lock.
//!
//! Memory grows only when a new name comes, so that is when idle slots are looked for: a hand goes
//! around, two slots a time, and gives away those that have rested for a minute. When all places are
//! taken it goes further, and whoever is idle has to go.

use std::collections::VecDeque;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::atomic::{AtomicU32, AtomicU64 as Count, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use dashmap::DashMap;
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::slot::Slot;
use crate::slots::Slots;
use crate::sync::SEARCH;

/// Slots that the hand looks at when a new name comes.
const SWEEP: u32 = 2;

/// Where a key's slot is, and which of those that had it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Which slot.
    pub index: u32,
    /// Below 2^21: index and generation fit the integers of a double. A key that is 2^21 owners of
    /// its slot late is taken for the present one.
    pub generation: u32,
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

/// The hash of a name, in parts whose alignment makes the entries of the map no larger than they are:
/// 20 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Name([u32; 4]);

impl Name {
    fn new(hash: u128) -> Self {
        Self([hash as u32, (hash >> 32) as u32, (hash >> 64) as u32, (hash >> 96) as u32])
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.0[1]) << 32 | u64::from(self.0[0]));
    }
}

/// A hash that is keyed and uniform already is its own hash.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}

/// The names of a limiter.
pub(crate) struct Keys {
    secret: Mutex<[u8; 16]>,
    hasher: RwLock<SipHasher13>,
    map: DashMap<Name, u32, BuildHasherDefault<AsIs>>,
    free: Mutex<Free>,
    max: u32,
    hand: AtomicU32,
    live: AtomicU32,
    evicted: Count,
    refused: Count,
}

struct Free {
    vacated: VecDeque<u32>,
    next: u32,
}

impl Keys {
    pub(crate) fn new(secret: [u8; 16], max: u32) -> Self {
        Self {
            secret: Mutex::new(secret),
            hasher: RwLock::new(SipHasher13::new_with_key(&secret)),
            map: DashMap::default(),
            free: Mutex::new(Free { vacated: VecDeque::new(), next: 0 }),
            max,
            hand: AtomicU32::new(0),
            live: AtomicU32::new(0),
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
        let name = Name::new(hash);
        loop {
            let found = self.map.get(&name).map(|entry| *entry);
            if let Some(index) = found {
                if let Some(key) = of(slots, index, hash) {
                    return Ok(key);
                }
                // Vacated, and not yet out of the map: its place comes free only after that.
                self.map.remove_if(&name, |_, &at| at == index);
                continue;
            }
            self.sweep(slots, |slot| may_go(slot, Pressed(false)));
            let Some(index) = self.place(slots, |slot| may_go(slot, Pressed(true))) else {
                if self.map.contains_key(&name) {
                    // Another thread has just found the last place for this very name.
                    continue;
                }
                self.refused.fetch_add(1, Ordering::Relaxed);
                return Err(Full::Keys);
            };
            let key = {
                let Some(mut slot) = slots.make(index).and_then(|_| slots.lock(index)) else {
                    self.give_back(index);
                    return Err(Full::Memory);
                };
                slot.occupy(hash);
                slot.set_seen(now_ns);
                Key { index, generation: slot.generation() }
            };
            let kept = *self.map.entry(name).or_insert(index);
            if kept == index {
                self.live.fetch_add(1, Ordering::Relaxed);
                return Ok(key);
            }
            // Another thread was first; nobody has seen this slot.
            if let Some(mut slot) = slots.lock(index) {
                slot.vacate();
            }
            self.give_back(index);
        }
    }

    /// The key of `hash`, if there is one. O(1).
    pub(crate) fn find(&self, slots: &Slots, hash: u128) -> Option<Key> {
        let index = self.map.get(&Name::new(hash)).map(|entry| *entry)?;
        of(slots, index, hash)
    }

    /// Vacates the slot of `key` if `may` says so of it; whether it did.
    pub(crate) fn evict(&self, slots: &Slots, key: Key, may: impl Fn(&Slot<'_>) -> bool) -> bool {
        let hash = {
            let Some(mut slot) = slots.lock(key.index) else { return false };
            if !slot.is(key.generation) || !may(&slot) {
                return false;
            }
            let hash = slot.hash();
            slot.vacate();
            hash
        };
        let name = Name::new(hash);
        self.map.remove_if(&name, |_, &at| at == key.index);
        self.live.fetch_sub(1, Ordering::Relaxed);
        self.give_back(key.index);
        true
    }

    /// Every slot that is or was somebody's.
    pub(crate) fn reach(&self) -> u32 {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).next
    }

    pub(crate) fn live(&self) -> u32 {
        self.live.load(Ordering::Relaxed)
    }

    pub(crate) fn max(&self) -> u32 {
        self.max
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

    fn place(&self, slots: &Slots, may_go: impl Fn(&Slot<'_>) -> bool) -> Option<u32> {
        let place = || {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            free.vacated.pop_front().or_else(|| {
                (free.next < self.max).then(|| {
                    free.next += 1;
                    free.next - 1
                })
            })
        };
        place().or_else(|| {
            // Only as far as one place comes free: the next new name goes on from there.
            (0..SEARCH / SWEEP).find_map(|_| {
                self.sweep(slots, &may_go);
                place()
            })
        })
    }

    fn sweep(&self, slots: &Slots, may_go: impl Fn(&Slot<'_>) -> bool) {
        let reach = self.reach();
        for _ in 0..SWEEP.min(reach) {
            let index = self.hand.fetch_add(1, Ordering::Relaxed) % reach;
            let generation = {
                let Some(slot) = slots.lock(index) else { continue };
                if !slot.is_live() || !may_go(&slot) {
                    continue;
                }
                slot.generation()
            };
            if self.evict(slots, Key { index, generation }, &may_go) {
                self.evicted.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn give_back(&self, index: u32) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.vacated.push_back(index);
    }
}

/// The key of a slot, if it is that of `hash`.
fn of(slots: &Slots, index: u32, hash: u128) -> Option<Key> {
    let slot = slots.lock(index)?;
    (slot.is_live() && slot.hash() == hash).then(|| Key { index, generation: slot.generation() })
}
