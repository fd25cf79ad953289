//! The book of open reservations: sharded slabs with generations, and per shard an ordered set of
//! expiries.
//!
//! There are [`SHARDS`] shards, each with a lock, chosen by the owner: Workers that reserve and
//! settle their own reservations do not contend. Ending a reservation removes it from the book
//! first, so if two threads end it, one finds nothing. The lock of a shard may be held while slots
//! are locked, never the other way round.
//!
//! `next_expiry` is never later than the earliest expiry, so one load shows that nothing has
//! expired. Only a thread that has examined the shards moves it forward. (`tests/loom`)
//!
//! This module and `limiter` import each other, as the one exception in this crate: a limiter has
//! the book of its clock, and the book's entries refer weakly to the limiters that they hold
//! amounts of.

use std::collections::BTreeSet;
use std::sync::{PoisonError, Weak};

use smallvec::SmallVec;

use crate::keys::key::Key;
use crate::limiter::Limiter;
use crate::sync::{AtomicU64, Mutex, MutexGuard, Ordering, SHARDS};
use crate::time::Now;

/// The id of a reservation. Generations count up to 2^21, so index and generation fit the integers
/// of a double.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReservationId {
    /// The entry in the book.
    pub index: u32,
    /// Counts the reservations that had this entry.
    pub generation: u32,
    /// The owner, the only one who can end it.
    pub owner: u32,
}

/// The reservation was ended, has expired, never existed, or belongs to another owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotOpen;

/// The amounts that a reservation holds: for each part, one of each limit.
pub(crate) struct Held {
    pub(crate) owner: u32,
    pub(crate) expires: u64,
    pub(crate) parts: HeldParts,
}

/// The parts of a reservation. One part is stored inline: most reservations are of one key.
pub(crate) type HeldParts = SmallVec<[HeldPart; 1]>;

/// One amount for each limit of a limiter, in millionths. Up to four are stored inline.
pub(crate) type Amounts = SmallVec<[u64; 4]>;

pub(crate) struct HeldPart {
    /// Weak: nothing has to be returned to a limiter that is gone.
    pub(crate) limiter: Weak<Limiter>,
    pub(crate) key: Key,
    pub(crate) units: usize,
    pub(crate) held: Amounts,
}

/// All open reservations of the limiters of one clock.
pub struct Book {
    shards: [Mutex<Shard>; SHARDS as usize],
    next_expiry: AtomicU64,
    expired: AtomicU64,
}

#[derive(Default)]
pub(crate) struct Shard {
    entries: Vec<Entry>,
    free: Vec<u32>,
    expiries: BTreeSet<(u64, u32)>,
}

#[derive(Default)]
struct Entry {
    generation: u32,
    held: Option<Held>,
}

impl Default for Book {
    fn default() -> Self {
        Self::new()
    }
}

impl Book {
    /// An empty book.
    #[must_use]
    pub fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            next_expiry: AtomicU64::new(u64::MAX),
            expired: AtomicU64::new(0),
        }
    }

    /// The number of reservations that expired before they were ended.
    #[must_use]
    pub fn expired(&self) -> u64 {
        self.expired.load(Ordering::Relaxed)
    }

    /// Settles expired reservations in full. One load if nothing has expired.
    #[inline]
    pub fn expire(&self, now: Now) {
        if now.ns >= self.next_expiry.load(Ordering::Acquire) {
            self.expire_due(now);
        }
    }

    /// Settles all reservations of `owner` in full: its thread is gone. O(reservations of its
    /// shard).
    pub fn abandon(&self, owner: u32, now: Now) {
        self.expire(now);
        let mut shard = self.shard(owner);
        let theirs: Vec<ReservationId> = (0u32..)
            .zip(&shard.entries)
            .filter(|(_, entry)| entry.held.as_ref().is_some_and(|held| held.owner == owner))
            .map(|(at, entry)| ReservationId {
                index: at * SHARDS + owner % SHARDS,
                generation: entry.generation,
                owner,
            })
            .collect();
        let ended: Vec<Held> = theirs.into_iter().filter_map(|id| shard.remove(id).ok()).collect();
        drop(shard);
        for held in ended {
            held.settle_in_full(now);
        }
    }

    pub(crate) fn add(&self, held: Held) -> ReservationId {
        let (owner, expires) = (held.owner, held.expires);
        let id = {
            let mut shard = self.shard(owner);
            let at = shard.free.pop().unwrap_or_else(|| {
                shard.entries.push(Entry::default());
                shard.entries.len() as u32 - 1
            });
            let entry = &mut shard.entries[at as usize];
            entry.held = Some(held);
            let generation = entry.generation;
            shard.expiries.insert((expires, at));
            ReservationId { index: at * SHARDS + owner % SHARDS, generation, owner }
        };
        // After the insertion: a thread that lowers `next_expiry` meanwhile examines the shard
        // after that.
        if expires < self.next_expiry.load(Ordering::Relaxed) {
            self.next_expiry.fetch_min(expires, Ordering::AcqRel);
        }
        id
    }

    /// Removes a reservation, which the caller settles then, unless `check` refuses it.
    pub(crate) fn remove<E: From<NotOpen>>(
        &self,
        id: ReservationId,
        now: Now,
        check: impl FnOnce(&Held) -> Result<(), E>,
    ) -> Result<Held, E> {
        let mut shard = self.shard(id.index);
        check(shard.get(id, now)?)?;
        Ok(shard.remove(id)?)
    }

    /// Locks the shard of a reservation or owner.
    pub(crate) fn shard(&self, index: u32) -> MutexGuard<'_, Shard> {
        let shard = &self.shards[(index % SHARDS) as usize];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Charges each reservation as of the moment it expired, in order: it makes no difference when
    /// the expiry is noticed.
    #[cold]
    fn expire_due(&self, now: Now) {
        self.next_expiry.store(u64::MAX, Ordering::SeqCst);
        let mut expired = Vec::new();
        for number in 0..SHARDS {
            let mut shard = self.shard(number);
            while let Some(&(expires, at)) = shard.expiries.first()
                && expires <= now.ns
            {
                let Some(held) = shard.take(at) else { break };
                expired.push(held);
            }
            if let Some(&(expires, _)) = shard.expiries.first() {
                self.next_expiry.fetch_min(expires, Ordering::AcqRel);
            }
        }
        expired.sort_by_key(|held| held.expires);
        self.expired.fetch_add(expired.len() as u64, Ordering::Relaxed);
        for held in expired {
            let ago = now.ns.saturating_sub(held.expires);
            let wall_ns = now.wall_ns.saturating_sub(i64::try_from(ago).unwrap_or(i64::MAX));
            let then = Now { ns: held.expires, wall_ns };
            held.expire(then);
        }
    }
}

impl Shard {
    /// The amounts that an open reservation holds. One that has expired is not open, even while the thread that
    /// has noticed it has not removed it yet.
    pub(crate) fn get(&mut self, id: ReservationId, now: Now) -> Result<&mut Held, NotOpen> {
        let held = self.find(id)?;
        if held.expires <= now.ns { Err(NotOpen) } else { Ok(held) }
    }

    /// Postpones an expiry, never advances it: so `next_expiry` stays no later than the earliest.
    pub(crate) fn renew(
        &mut self,
        id: ReservationId,
        expires: u64,
        now: Now,
    ) -> Result<(), NotOpen> {
        let held = self.get(id, now)?;
        let before = held.expires;
        let after = expires.max(before);
        held.expires = after;
        let at = id.index / SHARDS;
        self.expiries.remove(&(before, at));
        self.expiries.insert((after, at));
        Ok(())
    }

    fn find(&mut self, id: ReservationId) -> Result<&mut Held, NotOpen> {
        let entry = self.entries.get_mut((id.index / SHARDS) as usize).ok_or(NotOpen)?;
        let is_it = |held: &&mut Held| entry.generation == id.generation && held.owner == id.owner;
        entry.held.as_mut().filter(is_it).ok_or(NotOpen)
    }

    fn remove(&mut self, id: ReservationId) -> Result<Held, NotOpen> {
        self.find(id)?;
        self.take(id.index / SHARDS).ok_or(NotOpen)
    }

    /// Removes the entry at an index of the shard.
    fn take(&mut self, at: u32) -> Option<Held> {
        let entry = self.entries.get_mut(at as usize)?;
        let held = entry.held.take()?;
        entry.generation = (entry.generation + 1) & ((1 << 21) - 1);
        self.expiries.remove(&(held.expires, at));
        self.free.push(at);
        Some(held)
    }
}
