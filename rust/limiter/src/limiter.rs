//! A limiter, and what decides about one key.

use std::borrow::Borrow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrayvec::ArrayVec;

use crate::book::Book;
use crate::keys::{Key, Keys};
use crate::limit::{Kind, Level, Limit, Refusal};
use crate::plan::{Plan, Plans};
use crate::rule::{Rule, Toll};
use crate::slot::{Guard, Slot};
use crate::slots::Slots;
use crate::time::Now;

/// The most limits of a limiter, and of a call over several keys.
pub const MOST_LIMITS: usize = 16;
/// The most keys of a limiter.
pub const MOST_KEYS: u32 = 1 << 30;

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
    /// The reservation was ended, has expired, never was, or is another owner's.
    NotOpen,
    /// A list of costs has not one for each unit.
    WrongCosts,
}

/// How limits stand once a call is charged.
pub(crate) type Levels = ArrayVec<Level, MOST_LIMITS>;

/// Whether a call is allowed, or why it could not be decided.
pub type Verdict = Result<Option<Denial>, Fault>;

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
    pub(crate) open: AtomicU64,
    pub(crate) expired: AtomicU64,
    /// What snapshots know its limits by.
    pub(crate) labels: Vec<String>,
}

impl Limiter {
    /// A limiter without keys.
    ///
    /// `secret` keys the hash of names; `book` is shared by all limiters that go by one clock.
    #[must_use]
    pub fn new(config: Config, secret: [u8; 16], book: Arc<Book>) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let Config { limits, units, max_keys } = config;
        let labels = (0..).zip(&limits).map(|(at, limit)| format!("{at} of {}", limit.unit));
        Self {
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            labels: labels.collect(),
            units,
            slots: Slots::new(limits.len()),
            plans: Plans::new(limits),
            keys: Keys::new(secret, max_keys.min(MOST_KEYS)),
            book,
            open: AtomicU64::new(0),
            expired: AtomicU64::new(0),
        }
    }

    /// With a label for each limit, by which a snapshot finds it again: any text, different for each, that
    /// says which limit of what unit it is. Without, places say it.
    #[must_use]
    pub fn with_labels(mut self, labels: Vec<String>) -> Self {
        if labels.len() == self.labels.len() {
            self.labels = labels;
        }
        self
    }

    /// How many costs a call on it has.
    #[must_use]
    pub fn units(&self) -> usize {
        self.units
    }

    /// Its limits.
    #[must_use]
    pub fn limits(&self) -> &[Limit] {
        self.plans.limits()
    }

    /// The book that its reservations are in.
    #[must_use]
    pub fn book(&self) -> &Arc<Book> {
        &self.book
    }

    /// Decides and consumes. `costs` has one for each unit, in millionths. O(limits).
    ///
    /// Concurrency is looked at and not held: a call that is over when it returns has none.
    #[inline]
    pub fn take(&self, key: Key, costs: &[u64], now: Now) -> Verdict {
        self.book.expire(now);
        let mut slot = self.slots.lock(key.index).ok_or(Fault::Stale(0))?;
        if let [rule] = self.plans.own()
            && let [cost] = *costs
            && slot.is_plain(key.generation)
            && let Some(toll) = rule.toll(cost)
            && let Some(verdict) = slot.pay(toll, now)
        {
            return Ok(verdict);
        }
        self.take_from(&mut slot, key, costs, now)
    }

    /// As [`Limiter::take`], and consumes nothing.
    pub fn peek(&self, key: Key, costs: &[u64], now: Now) -> Verdict {
        self.book.expire(now);
        let slot = self.lock(key).ok_or(Fault::Stale(0))?;
        self.check(&slot, costs, &[], now)
    }

    /// [`Limiter::take`] from a slot that is locked.
    #[inline(never)]
    pub(crate) fn take_from(
        &self,
        slot: &mut Slot<'_>,
        key: Key,
        costs: &[u64],
        now: Now,
    ) -> Verdict {
        if !slot.is(key.generation) {
            return Err(Fault::Stale(0));
        }
        let then = now.at_least(slot.seen());
        let mut levels = Levels::new();
        if !self.admit(slot, costs, then, &mut levels)? {
            return self.check(slot, costs, &[], now);
        }
        slot.set_levels(&levels);
        slot.set_seen(then.ns);
        Ok(None)
    }

    /// Whether all limits of a slot admit `costs`; adds to `levels` how they then stand.
    #[inline]
    pub(crate) fn admit(
        &self,
        slot: &Slot<'_>,
        costs: &[u64],
        then: Now,
        levels: &mut Levels,
    ) -> Result<bool, Fault> {
        match slot.plan() {
            0 => admit_by(self.plans.own().iter(), slot, costs, then, levels),
            plan => self.admit_other(plan, slot, costs, then, levels),
        }
    }

    /// [`Limiter::admit`] by other limits than the limiter's own; apart, to keep that way short.
    #[inline(never)]
    fn admit_other(
        &self,
        plan: usize,
        slot: &Slot<'_>,
        costs: &[u64],
        then: Now,
        levels: &mut Levels,
    ) -> Result<bool, Fault> {
        admit_by(self.plans.others(plan), slot, costs, then, levels)
    }

    /// The first of the limits that refuse for longest, if any does. For who was not admitted.
    ///
    /// `mine` is what the caller holds of each limit already, if anything: no other end can help there.
    #[cold]
    pub(crate) fn check(&self, slot: &Slot<'_>, costs: &[u64], mine: &[u64], now: Now) -> Verdict {
        match slot.plan() {
            0 => check_by(self.plans.own().iter(), slot, costs, mine, now),
            plan => check_by(self.plans.others(plan), slot, costs, mine, now),
        }
    }

    /// The slot of `key`, locked, if it still is that key's.
    #[inline]
    pub(crate) fn lock(&self, key: Key) -> Option<Guard<'_>> {
        let slot = self.slots.lock(key.index)?;
        slot.is(key.generation).then_some(slot)
    }

    /// Counts reservations that were opened, or ended if negative.
    pub(crate) fn opened(&self, change: u64) {
        self.open.fetch_add(change, Ordering::Relaxed);
    }
}

/// Whether all of a slot's `rules` admit `costs`; adds to `levels` how they then stand.
#[inline(always)]
fn admit_by(
    rules: impl Iterator<Item = impl Borrow<Rule>>,
    slot: &Slot<'_>,
    costs: &[u64],
    then: Now,
    levels: &mut Levels,
) -> Result<bool, Fault> {
    for (rule, cell) in rules.zip(slot.cells()) {
        let rule = rule.borrow();
        let cost = *costs.get(rule.limit.unit).ok_or(Fault::WrongCosts)?;
        let admitted = rule.admit(cell, cost, rule.price(cost), then);
        let Some(level) = admitted else { return Ok(false) };
        levels.try_push(level).map_err(|_| Fault::TooManyLimits)?;
    }
    Ok(true)
}

/// The first of a slot's `rules` that refuse for longest.
#[inline(always)]
fn check_by(
    rules: impl Iterator<Item = impl Borrow<Rule>>,
    slot: &Slot<'_>,
    costs: &[u64],
    mine: &[u64],
    now: Now,
) -> Verdict {
    let then = now.at_least(slot.seen());
    let mut worst = None;
    for (index, rule) in rules.enumerate() {
        let rule = rule.borrow();
        let cost = *costs.get(rule.limit.unit).ok_or(Fault::WrongCosts)?;
        let Err(refusal) = rule.check(&slot.cell(index), cost, then) else { continue };
        let mine = mine.get(index).copied().unwrap_or(0);
        let refusal = match rule.limit.kind {
            _ if mine.saturating_add(cost) > rule.limit.capacity => Refusal::Never,
            Kind::Rate { .. } => refusal.later(then.ns - now.ns),
            Kind::Quota(_) | Kind::Concurrency => refusal,
        };
        if worst.is_none_or(|worst: Denial| worst.refusal < refusal) {
            worst = Some(Denial { limit: index, refusal });
        }
    }
    Ok(worst)
}

impl Slot<'_> {
    /// Decides about a plain slot of a limiter with one limit; nothing if that takes a closer look.
    #[inline(always)]
    pub(crate) fn pay(&mut self, toll: Toll, now: Now) -> Option<Option<Denial>> {
        let then = now.at_least(self.seen());
        Some(match toll.decide(self.cell(0), then)? {
            Ok(level) => {
                self.set_level(0, level);
                self.set_seen(then.ns);
                None
            }
            Err(refusal) => Some(Denial { limit: 0, refusal: refusal.later(then.ns - now.ns) }),
        })
    }
}
