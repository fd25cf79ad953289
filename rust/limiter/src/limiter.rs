//! A limiter: its limits, its keys, and the calls on one key.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::book::Book;
use crate::keys::{Full, Key, Keys, Pressed};
use crate::limit::{Cell, Kind, Limit, Refusal};
use crate::plan::{Plan, Plans, TooManyPlans};
use crate::slot::Slot;
use crate::slots::Slots;
use crate::time::Now;

/// The most limits of a limiter, and of a call over several keys.
pub const MOST_LIMITS: usize = 16;
/// The most keys of a limiter.
pub const MOST_KEYS: u32 = 1 << 30;

/// A key that is idle keeps its place so long after it was used, unless all are taken: who has just
/// asked for a key should not find it gone.
const REST: u64 = 60_000_000_000;

/// The limit that refuses for longest, and why it refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Counted over all limits of all parts, in their order.
    pub limit: usize,
    /// Why.
    pub refusal: Refusal,
}

/// A call that could not be decided; it changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The key of this part was forgotten, or was idle and its place was given away.
    Stale(usize),
    /// More than 16 limits in all.
    TooManyLimits,
    /// The limiters of the parts go by different clocks.
    DifferentClocks,
    /// The key of this part has 16,777,215 reservations open.
    TooManyReservations(usize),
    /// The reservation was ended, has expired, or never was.
    NotOpen,
    /// A list of costs has not one for each unit.
    WrongCosts,
}

/// Whether a call is allowed, or why it could not be decided.
pub type Verdict = Result<Option<Denial>, Fault>;

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
}

/// What a limiter is made of; equal ones can share a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// At most [`MOST_LIMITS`].
    pub limits: Plan,
    /// How many costs a call has; every limit's `unit` is below it.
    pub units: usize,
    /// At most [`MOST_KEYS`].
    pub max_keys: u32,
}

/// Limits for any number of keys, shared by any number of threads.
pub struct Limiter {
    /// Orders the locks of calls over several limiters.
    pub(crate) number: u64,
    pub(crate) units: usize,
    pub(crate) plans: Plans,
    pub(crate) slots: Slots,
    pub(crate) keys: Keys,
    pub(crate) book: Arc<Book>,
    open: AtomicU64,
}

impl Limiter {
    /// A limiter without keys.
    ///
    /// `secret` keys the hash of names; `book` is shared by all limiters that go by one clock.
    #[must_use]
    pub fn new(config: Config, secret: [u8; 16], book: Arc<Book>) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let Config { limits, units, max_keys } = config;
        Self {
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            units,
            slots: Slots::new(limits.len()),
            plans: Plans::new(limits),
            keys: Keys::new(secret, max_keys.min(MOST_KEYS)),
            book,
            open: AtomicU64::new(0),
        }
    }

    /// How many costs a call on it has.
    #[must_use]
    pub fn units(&self) -> usize {
        self.units
    }

    /// Its limits.
    #[must_use]
    pub fn limits(&self) -> &[Limit] {
        self.plans.own()
    }

    /// The book that its reservations are in.
    #[must_use]
    pub fn book(&self) -> &Arc<Book> {
        &self.book
    }

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

    /// Decides and consumes. `costs` has one for each unit, in millionths. O(limits).
    ///
    /// Concurrency is looked at and not held: a call that is over when it returns has none.
    #[inline]
    pub fn take(&self, key: Key, costs: &[u64], now: Now) -> Verdict {
        self.book.expire(now);
        let mut slot = self.lock(key).ok_or(Fault::Stale(0))?;
        if let Some(denial) = self.check(&slot, costs, now)? {
            return Ok(Some(denial));
        }
        self.charge(&mut slot, costs, now);
        Ok(None)
    }

    /// As [`Limiter::take`], and consumes nothing.
    pub fn peek(&self, key: Key, costs: &[u64], now: Now) -> Verdict {
        self.book.expire(now);
        let slot = self.lock(key).ok_or(Fault::Stale(0))?;
        self.check(&slot, costs, now)
    }

    /// How `key` stands towards each limit.
    ///
    /// # Errors
    /// [`Fault::Stale`].
    pub fn inspect(&self, key: Key, now: Now) -> Result<Vec<Standing>, Fault> {
        self.book.expire(now);
        let slot = self.lock(key).ok_or(Fault::Stale(0))?;
        let now = now.at_least(slot.seen());
        let standing = |(index, limit): (usize, &Limit)| {
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
        Ok(self.plans.get(slot.plan()).iter().enumerate().map(standing).collect())
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
        let number = plan.map_or(Ok(0), |plan| self.plans.number(plan))?;
        let Some(mut slot) = self.lock(key) else { return Ok(Err(Fault::Stale(0))) };
        let now = now.at_least(slot.seen());
        let (old, new) = (self.plans.get(slot.plan()), self.plans.get(number));
        for (index, (old, new)) in old.iter().zip(new).enumerate() {
            if old.kind == new.kind {
                continue;
            }
            let mut cell = slot.cell(index);
            let used = old.used(&cell, now);
            new.set_used(&mut cell, used, now);
            slot.set_cell(index, cell);
        }
        slot.set_plan(number);
        Ok(Ok(()))
    }

    /// Sees to it that at most `remaining` millionths are left of limit `index`; never loosens.
    ///
    /// # Errors
    /// [`Fault::Stale`].
    pub fn tighten(&self, key: Key, index: usize, remaining: u64, now: Now) -> Result<(), Fault> {
        self.book.expire(now);
        let mut slot = self.lock(key).ok_or(Fault::Stale(0))?;
        let now = now.at_least(slot.seen());
        let Some(limit) = self.plans.get(slot.plan()).get(index) else { return Ok(()) };
        let mut cell = slot.cell(index);
        let least = limit.capacity.saturating_sub(cell.held).saturating_sub(remaining);
        let used = limit.used(&cell, now);
        if least > used {
            limit.charge(&mut cell, least - used, now);
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
            slot.set_cell(index, Cell { held: slot.cell(index).held, ..Cell::default() });
        }
        Ok(())
    }

    /// Gives the place of `key` away with all that is known of it; whether it had one. What is
    /// reserved for it is void.
    pub fn forget(&self, key: Key) -> bool {
        self.keys.evict(&self.slots, key, |slot| {
            self.opened(slot.open().wrapping_neg());
            true
        })
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
        }
    }

    /// The slot of `key`, locked, if it still is that key's.
    #[inline]
    fn lock(&self, key: Key) -> Option<Slot<'_>> {
        let slot = Slot::lock(self.slots.get(key.index)?);
        slot.is(key.generation).then_some(slot)
    }

    /// The first of the limits that refuse for longest.
    #[inline]
    pub(crate) fn check(&self, slot: &Slot<'_>, costs: &[u64], now: Now) -> Verdict {
        let then = now.at_least(slot.seen());
        let mut worst = None;
        for (index, limit) in self.plans.get(slot.plan()).iter().enumerate() {
            let cost = *costs.get(limit.unit).ok_or(Fault::WrongCosts)?;
            let Err(refusal) = limit.check(&slot.cell(index), cost, then) else { continue };
            let refusal = match (refusal, limit.kind) {
                // The key's time is ahead of the caller's, who has so much longer to wait.
                (Refusal::Until(wait), Kind::Rate { .. }) => {
                    Refusal::Until(wait.saturating_add(then.ns - now.ns))
                }
                (refusal, _) => refusal,
            };
            if worst.is_none_or(|worst: Denial| worst.refusal < refusal) {
                worst = Some(Denial { limit: index, refusal });
            }
        }
        Ok(worst)
    }

    #[inline]
    pub(crate) fn charge(&self, slot: &mut Slot<'_>, costs: &[u64], now: Now) {
        let now = now.at_least(slot.seen());
        for (index, limit) in self.plans.get(slot.plan()).iter().enumerate() {
            if matches!(limit.kind, Kind::Concurrency) {
                continue;
            }
            let mut cell = slot.cell(index);
            limit.charge(&mut cell, costs.get(limit.unit).copied().unwrap_or(0), now);
            slot.set_cell(index, cell);
        }
        slot.set_seen(now.ns);
    }

    /// Counts reservations that were opened, or ended if negative.
    pub(crate) fn opened(&self, change: u64) {
        self.open.fetch_add(change, Ordering::Relaxed);
    }

    fn is_idle(&self, slot: &Slot<'_>, now: Now) -> bool {
        slot.plan() == 0
            && slot.open() == 0
            && (self.plans.own().iter().enumerate())
                .all(|(index, limit)| limit.is_idle(&slot.cell(index), now))
    }
}
