//! Keys of a limiter: from a name, their limits, what is known of them, and how they are forgotten.

use std::cell::Cell;
use std::sync::atomic::Ordering;

use crate::keys::{Full, Key, Pressed};
use crate::limit::{self, Kind, Limit};
use crate::limiter::{Fault, Limiter};
use crate::plan::{Plan, TooManyPlans};
use crate::slot::Slot;
use crate::time::Now;
use crate::together::blank;

/// A key that is idle keeps its place so long after it was used, unless all are taken: who has just
/// asked for a key should not find it gone.
const REST: u64 = 60_000_000_000;

/// How a key stands towards one limit; amounts in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The most that can be taken at once.
    pub capacity: u64,
    /// What could be taken now.
    pub remaining: u64,
    /// What is consumed.
    pub used: u64,
    /// What open reservations hold.
    pub held: u64,
    /// Nanoseconds until nothing is consumed.
    pub reset_ns: u64,
    /// Nanoseconds in which a rate's capacity comes back; 0 for other kinds.
    pub refill_ns: u64,
}

/// What a limiter holds and did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Keys that have a place.
    pub keys: u32,
    /// Places.
    pub max_keys: u32,
    /// Idle keys whose place was given away.
    pub evicted: u64,
    /// New keys that found no place.
    pub refused: u64,
    /// Open reservations, counted once for each of the limiter's keys in it.
    pub open: u64,
    /// Reservations that expired before somebody ended them, counted as those that are open.
    pub expired: u64,
}

impl Limiter {
    /// The key of that name, made if it is new. Looks for idle keys to give away when it is.
    ///
    /// # Errors
    /// All places are taken, and none of the next 1,024 that were looked at is idle.
    pub fn key(&self, name: &[u8], now: Now) -> Result<Key, Full> {
        self.book.expire(now);
        let may_go = |slot: &Slot<'_>, Pressed(pressed): Pressed| {
            (pressed || now.ns.saturating_sub(slot.seen()) >= REST) && self.is_idle(slot, now)
        };
        self.keys.intern(&self.slots, self.keys.hash(name), now.ns, may_go)
    }

    /// The key of that name, if there is one. O(1).
    pub fn find(&self, name: &[u8]) -> Option<Key> {
        self.keys.find(&self.slots, self.keys.hash(name))
    }

    /// How `key` stands towards each limit; [`Key::NONE`] stands as a new key would.
    ///
    /// # Errors
    /// [`Fault::Stale`].
    pub fn inspect(&self, key: Key, now: Now) -> Result<Vec<Standing>, Fault> {
        self.book.expire(now);
        if key == Key::NONE {
            return Ok(self.standings(&blank().ok_or(Fault::Stale(0))?, now));
        }
        Ok(self.standings(&*self.lock(key).ok_or(Fault::Stale(0))?, now))
    }

    fn standings(&self, slot: &Slot<'_>, now: Now) -> Vec<Standing> {
        let now = now.at_least(slot.seen());
        let standing = |(index, limit): (usize, Limit)| {
            let cell = slot.cell(index);
            let used = limit.used(&cell, now);
            Standing {
                capacity: limit.capacity,
                remaining: limit.capacity.saturating_sub(used.saturating_add(cell.held)),
                used,
                held: cell.held,
                reset_ns: limit.reset_ns(&cell, now),
                refill_ns: limit.refill_ns(),
            }
        };
        self.plans.get(slot.plan()).enumerate().map(standing).collect()
    }

    /// Gives `key` other limits of the same kinds and units, or the limiter's own with `None`. What is
    /// consumed and held stays. A key with limits of its own is never idle.
    ///
    /// # Errors
    /// [`Fault::Stale`] within; [`TooManyPlans`].
    pub fn set_limits(
        &self,
        key: Key,
        plan: Option<Plan>,
        now: Now,
    ) -> Result<Result<(), Fault>, TooManyPlans> {
        self.book.expire(now);
        let number = plan.map_or(Ok(0), |plan| self.plans.count(plan))?;
        let Some(mut slot) = self.lock(key) else {
            self.plans.give_back(number);
            return Ok(Err(Fault::Stale(0)));
        };
        let now = now.at_least(slot.seen());
        let before = slot.plan();
        let (old, new) = (self.plans.get(before), self.plans.get(number));
        for (index, (old, new)) in old.zip(new).enumerate() {
            if old.kind == new.kind {
                continue;
            }
            let mut cell = slot.cell(index);
            let used = old.used(&cell, now);
            new.set_used(&mut cell, used, now);
            slot.set_cell(index, cell);
            slot.set_seen(now.ns);
        }
        slot.set_plan(number);
        drop(slot);
        self.plans.give_back(before);
        Ok(Ok(()))
    }

    /// Sees to it that at most `remaining` millionths are left of limit `index`; never loosens.
    ///
    /// With `after_ns`, that no more is left then, whatever reservations end meanwhile; of a rate only.
    /// Before then it is less by what comes back until then.
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
        let now = now.at_least(slot.seen());
        let Some(limit) = self.plans.get(slot.plan()).nth(index) else { return Ok(()) };
        // Of what there is no end of, something is always left.
        if limit.is_unlimited() || (after_ns > 0 && !matches!(limit.kind, Kind::Rate { .. })) {
            return Ok(());
        }
        let mut cell = slot.cell(index);
        // What is held now may be free by then.
        let held = if after_ns > 0 { 0 } else { cell.held };
        let then = Now { ns: now.ns.saturating_add(after_ns), ..now };
        let least = limit.capacity.saturating_sub(held).saturating_sub(remaining);
        let used = limit.used(&cell, then);
        if least > used {
            // A bucket that is full later: to charge what is used then is to be in debt until then.
            limit.charge(&mut cell, least - used, then);
            slot.set_cell(index, cell);
            slot.set_seen(now.ns);
        }
        Ok(())
    }

    /// Forgets what `key` has consumed. Open reservations stay.
    ///
    /// # Errors
    /// [`Fault::Stale`].
    pub fn reset(&self, key: Key, now: Now) -> Result<(), Fault> {
        self.book.expire(now);
        let mut slot = self.lock(key).ok_or(Fault::Stale(0))?;
        for index in 0..self.plans.own().len() {
            let held = slot.cell(index).held;
            slot.set_cell(index, limit::Cell { held, ..limit::Cell::default() });
        }
        Ok(())
    }

    /// Gives the place of `key` away with all that is known of it; whether it had one. What is
    /// reserved for it is void.
    pub fn forget(&self, key: Key) -> bool {
        let plan = Cell::new(0);
        let forgot = self.keys.evict(&self.slots, key, |slot| {
            self.opened(slot.open().wrapping_neg());
            plan.set(slot.plan());
            true
        });
        self.plans.give_back(plan.get());
        forgot
    }

    /// Gives away those of the next `count` keys that are idle, however lately they were used; whether no key
    /// is left, so that a new limiter would stand the same. For a limiter that nobody uses. O(`count`).
    pub fn wind_down(&self, count: u32, now: Now) -> bool {
        self.book.expire(now);
        self.keys.sweep(&self.slots, count, |slot| self.is_idle(slot, now));
        self.keys.live() == 0
    }

    /// What it holds and did. O(1).
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

    /// The words of a key's slot but for its lock, for tests that nothing was changed.
    #[cfg(feature = "oracle")]
    #[must_use]
    pub fn words(&self, key: Key) -> Vec<u64> {
        // Who is in a batch has all slots to itself, and would wait for itself here.
        self.slots.get(key.index).map(|words| words.read()).unwrap_or_default()
    }

    /// What is wrong with places and names while nobody uses them, for tests. O(keys).
    ///
    /// # Errors
    /// Says what.
    #[cfg(feature = "oracle")]
    pub fn audit(&self) -> Result<(), String> {
        self.keys.audit(&self.slots)
    }

    fn is_idle(&self, slot: &Slot<'_>, now: Now) -> bool {
        slot.plan() == 0
            && slot.open() == 0
            && (self.plans.own().iter().enumerate())
                .all(|(index, rule)| rule.limit.is_idle(&slot.cell(index), now))
    }
}
