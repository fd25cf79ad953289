//! Management of keys: creation, individual limits, inspection, tightening, reset, removal.

use std::cell::Cell;
use std::sync::atomic::Ordering;

use crate::decision::Fault;
use crate::empty_slot::empty_slot;
use crate::keys::key::{Full, Key};
use crate::keys::key_table::TableFull;
use crate::limit_sets::{LimitSet, TooManyLimitSets};
use crate::limiter::Limiter;
use crate::limits::limit::{Kind, Limit};
use crate::limits::state::LimitState;
use crate::slots::slot::Slot;
use crate::time::Now;

/// An idle key is not evicted for this long after its last change, in nanoseconds, unless no slot
/// is free: a key that was just requested should not be gone at once.
const IDLE_NS: u64 = 60_000_000_000;

/// The status of a key towards one limit; amounts are in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitStatus {
    /// The capacity of the limit.
    pub capacity: u64,
    /// The amount that can be taken now.
    pub remaining: u64,
    /// The consumed amount. Of a shared limit, the debt: the store counts the rest.
    pub used: u64,
    /// The amount that open reservations hold.
    pub held: u64,
    /// Nanoseconds until nothing is consumed.
    pub reset_ns: u64,
    /// Nanoseconds in which a rate's whole capacity is refilled; 0 for other kinds.
    pub refill_ns: u64,
}

/// Counts of a limiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Live keys.
    pub keys: u32,
    /// The most live keys.
    pub max_keys: u32,
    /// Idle keys that were evicted.
    pub evicted: u64,
    /// New keys that were refused because no slot was free.
    pub refused: u64,
    /// Open reservations, counted once for each of the limiter's keys in it.
    pub open: u64,
    /// Reservations that expired before they were ended, counted like open ones.
    pub expired: u64,
}

impl Limiter {
    /// The key of that name, created if it is new. Creating a key examines other keys for eviction.
    ///
    /// Amortized O(1), O(1,024) if no slot is free.
    ///
    /// # Errors
    /// All slots are in use, and none of the next 1,024 that were examined is idle; or there is no
    /// memory for another slot.
    pub fn key(&self, name: &[u8], now: Now) -> Result<Key, Full> {
        self.book.expire(now);
        let is_evictable = |slot: &Slot<'_>, TableFull(full): TableFull| {
            (full || now.ns.saturating_sub(slot.last_change()) >= IDLE_NS)
                && self.is_idle(slot, now)
        };
        self.keys.intern(&self.slots, self.keys.hash(name), now.ns, is_evictable)
    }

    /// The key of that name, if it exists. O(1).
    pub fn find(&self, name: &[u8]) -> Option<Key> {
        self.keys.find(&self.slots, self.keys.hash(name))
    }

    /// The status of `key` towards each limit. [`Key::NONE`] has the status of a new key. O(limits).
    ///
    /// # Errors
    /// [`Fault::Stale`].
    pub fn inspect(&self, key: Key, now: Now) -> Result<Vec<LimitStatus>, Fault> {
        self.book.expire(now);
        if key == Key::NONE {
            return Ok(self.statuses(&empty_slot().ok_or(Fault::Stale(0))?, now));
        }
        Ok(self.statuses(&*self.lock(key).ok_or(Fault::Stale(0))?, now))
    }

    fn statuses(&self, slot: &Slot<'_>, now: Now) -> Vec<LimitStatus> {
        let now = now.at_least(slot.last_change());
        let status = |(index, limit): (usize, Limit)| {
            let state = slot.state(index);
            let used = limit.used(&state, now);
            LimitStatus {
                capacity: limit.capacity,
                remaining: if limit.is_credit() {
                    limit.room(&state, now)
                } else {
                    limit.capacity.saturating_sub(used.saturating_add(state.held))
                },
                used,
                held: state.held,
                reset_ns: limit.reset_ns(&state, now),
                refill_ns: limit.refill_ns(),
            }
        };
        self.limit_sets.get(slot.limit_set()).enumerate().map(status).collect()
    }

    /// Sets other limits of the same kinds and units for `key`, or the defaults with `None`. What
    /// is consumed and held stays. A key with limits of its own is never idle. O(limits).
    ///
    /// # Errors
    /// [`TooManyLimitSets`]; within, [`Fault::Stale`].
    pub fn set_limits(
        &self,
        key: Key,
        limit_set: Option<LimitSet>,
        now: Now,
    ) -> Result<Result<(), Fault>, TooManyLimitSets> {
        self.book.expire(now);
        let number = limit_set.map_or(Ok(0), |limit_set| self.limit_sets.acquire(limit_set))?;
        let Some(mut slot) = self.lock(key) else {
            self.limit_sets.release(number);
            return Ok(Err(Fault::Stale(0)));
        };
        let now = now.at_least(slot.last_change());
        let before = slot.limit_set();
        let (old, new) = (self.limit_sets.get(before), self.limit_sets.get(number));
        for (index, (old, new)) in old.zip(new).enumerate() {
            if old.kind == new.kind {
                continue;
            }
            let mut state = slot.state(index);
            let used = old.used(&state, now);
            new.set_used(&mut state, used, now);
            slot.set_state(index, state);
            slot.set_last_change(now.ns);
        }
        slot.set_limit_set(number);
        drop(slot);
        self.limit_sets.release(before);
        Ok(Ok(()))
    }

    /// Consumes so much of limit `index` that at most `remaining` millionths are left. It never
    /// loosens a limit. O(limits).
    ///
    /// With `after_ns`, at most `remaining` are left at that time, even if all reservations end
    /// meanwhile; before then, less by what is refilled in between. This applies only to rates. Of a
    /// shared limit, only the credit is tightened.
    ///
    /// # Errors
    /// [`Fault::Stale`].
    pub fn tighten(
        &self,
        key: Key,
        index: usize,
        remaining: u64,
        after_ns: u64,
        now: Now,
    ) -> Result<(), Fault> {
        self.book.expire(now);
        let mut slot = self.lock(key).ok_or(Fault::Stale(0))?;
        let now = now.at_least(slot.last_change());
        let Some(limit) = self.limit_sets.get(slot.limit_set()).nth(index) else { return Ok(()) };
        // Something is always left of an unlimited limit.
        if limit.is_unlimited() || (after_ns > 0 && !matches!(limit.kind, Kind::Rate { .. })) {
            return Ok(());
        }
        let mut state = slot.state(index);
        // The held amount may be released by then.
        let held = if after_ns > 0 { 0 } else { state.held };
        let then = Now { ns: now.ns.saturating_add(after_ns), ..now };
        if limit.is_credit() {
            let more = limit.room(&state, now).saturating_sub(remaining);
            if more > 0 {
                limit.charge(&mut state, more, now);
                slot.set_state(index, state);
                slot.set_last_change(now.ns);
            }
            return Ok(());
        }
        let least = limit.capacity.saturating_sub(held).saturating_sub(remaining);
        let used = limit.used(&state, then);
        if least > used {
            // Charging what is used at that time moves the TAT beyond it: the key is in debt until
            // then.
            limit.charge(&mut state, least - used, then);
            slot.set_state(index, state);
            slot.set_last_change(now.ns);
        }
        Ok(())
    }

    /// Resets what `key` has consumed. Open reservations stay, and so does the credit of shared
    /// limits, whose consumption the store counts. O(limits).
    ///
    /// # Errors
    /// [`Fault::Stale`].
    pub fn reset(&self, key: Key, now: Now) -> Result<(), Fault> {
        self.book.expire(now);
        let mut slot = self.lock(key).ok_or(Fault::Stale(0))?;
        for (index, limit) in self.limits().iter().enumerate() {
            if limit.is_credit() {
                continue;
            }
            let held = slot.state(index).held;
            slot.set_state(index, LimitState { held, ..LimitState::default() });
        }
        Ok(())
    }

    /// Removes `key` with its state, and voids what is reserved for it. Returns whether it existed.
    /// O(limits).
    pub fn forget(&self, key: Key) -> bool {
        let limit_set = Cell::new(0);
        let forgot = self.keys.evict(&self.slots, key, |slot| {
            self.opened(slot.open_reservations().wrapping_neg());
            limit_set.set(slot.limit_set());
            true
        });
        self.limit_sets.release(limit_set.get());
        forgot
    }

    /// Evicts those of the next `count` keys that are idle, however recently they were used.
    /// Returns whether no key is left, so that a new limiter would be equivalent. Call it for a
    /// limiter that is no longer in use. O(`count`).
    pub fn wind_down(&self, count: u32, now: Now) -> bool {
        self.book.expire(now);
        self.keys.sweep(&self.slots, count, |slot| self.is_idle(slot, now));
        self.keys.live() == 0
    }

    /// Counts of the limiter. O(1).
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            keys: self.keys.live(),
            max_keys: self.keys.max(),
            evicted: self.keys.evicted(),
            refused: self.keys.refused(),
            open: self.open.load(Ordering::Relaxed),
            expired: self.expired.load(Ordering::Relaxed),
        }
    }

    /// The words of a key's slot, for tests that nothing was changed.
    #[cfg(feature = "oracle")]
    #[must_use]
    pub fn words(&self, key: Key) -> Vec<u64> {
        // Without locking: a thread in exclusive mode would wait for itself here.
        self.slots.get(key.index).map(|words| words.read()).unwrap_or_default()
    }

    /// Checks the invariants of slots and names while no thread uses them, for tests. O(keys).
    ///
    /// # Errors
    /// A description of what is violated.
    #[cfg(feature = "oracle")]
    pub fn audit(&self) -> Result<(), String> {
        self.keys.audit(&self.slots)
    }

    fn is_idle(&self, slot: &Slot<'_>, now: Now) -> bool {
        slot.limit_set() == 0
            && !slot.is_pinned()
            && slot.open_reservations() == 0
            && (self.limit_sets.defaults().iter().enumerate())
                .all(|(index, limit)| limit.definition.is_idle(&slot.state(index), now))
    }
}
