//! Decisions on one key by all its limits: check all, then charge all, under the lock of the key's
//! slot.

use std::borrow::Borrow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrayvec::ArrayVec;

use crate::decision::{Denial, Fault, Verdict};
use crate::keys::key::Key;
use crate::keys::key_table::KeyTable;
use crate::limit_sets::{LimitSet, LimitSets};
use crate::limits::limit::{Kind, Limit};
use crate::limits::prepared_limit::{PreparedCost, PreparedLimit};
use crate::limits::refusal::Refusal;
use crate::limits::state::Level;
use crate::reservations::book::Book;
use crate::slots::slot::{Guard, Slot};
use crate::slots::slot_array::SlotArray;
use crate::time::Now;

/// The most limits of a limiter, and of a call over several keys.
pub const MOST_LIMITS: usize = 16;
/// The most keys of a limiter.
pub const MOST_KEYS: u32 = 1 << 30;

/// The levels of a key's limits after a charge.
pub(crate) type Levels = ArrayVec<Level, MOST_LIMITS>;

/// The configuration of a limiter. Limiters of equal configurations can share a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// At most [`MOST_LIMITS`].
    pub limits: LimitSet,
    /// The number of costs of a call; every limit's `unit` is below it.
    pub units: usize,
    /// At most [`MOST_KEYS`].
    pub max_keys: u32,
}

/// Limits for any number of keys, shared by any number of threads.
pub struct Limiter {
    /// A unique number, which orders the locks of calls over several limiters.
    pub(crate) number: u64,
    pub(crate) units: usize,
    pub(crate) limit_sets: LimitSets,
    pub(crate) slots: SlotArray,
    pub(crate) keys: KeyTable,
    pub(crate) book: Arc<Book>,
    pub(crate) open: AtomicU64,
    pub(crate) expired: AtomicU64,
    /// Labels by which snapshots identify the limits.
    pub(crate) labels: Vec<String>,
}

impl Limiter {
    /// A limiter without keys.
    ///
    /// `secret` keys the hash of names. All limiters of one clock share a `book`.
    #[must_use]
    pub fn new(config: Config, secret: [u8; 16], book: Arc<Book>) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let Config { limits, units, max_keys } = config;
        let labels = (0..).zip(&limits).map(|(at, limit)| format!("{at} of {}", limit.unit));
        Self {
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            labels: labels.collect(),
            units,
            slots: SlotArray::new(limits.len()),
            limit_sets: LimitSets::new(limits),
            keys: KeyTable::new(secret, max_keys.min(MOST_KEYS)),
            book,
            open: AtomicU64::new(0),
            expired: AtomicU64::new(0),
        }
    }

    /// Sets a label for each limit, by which a snapshot identifies it. Labels are any distinct
    /// texts that name the limit and its unit. By default, labels are made of the limit's position
    /// and unit.
    #[must_use]
    pub fn with_labels(mut self, labels: Vec<String>) -> Self {
        if labels.len() == self.labels.len() {
            self.labels = labels;
        }
        self
    }

    /// The number of costs of a call.
    #[must_use]
    pub fn units(&self) -> usize {
        self.units
    }

    /// Its default limits.
    #[must_use]
    pub fn limits(&self) -> &[Limit] {
        self.limit_sets.definitions()
    }

    /// The book of its reservations.
    #[must_use]
    pub fn book(&self) -> &Arc<Book> {
        &self.book
    }

    /// Decides, and consumes if allowed. `costs` has one cost for each unit, in millionths.
    /// O(limits).
    ///
    /// A limit on concurrency is checked but nothing is held: the call is over when it returns.
    #[inline]
    pub fn take(&self, key: Key, costs: &[u64], now: Now) -> Verdict {
        self.book.expire(now);
        let mut slot = self.slots.lock(key.index).ok_or(Fault::Stale(0))?;
        if let [limit] = self.limit_sets.defaults()
            && let [cost] = *costs
            && slot.has_default_limits(key.generation)
            && let Some(prepared) = limit.prepare_cost(cost)
            && let Some(verdict) = slot.take_prepared(prepared, now)
        {
            return Ok(verdict);
        }
        self.take_from(&mut slot, key, costs, now)
    }

    /// Decides as [`Limiter::take`] does, and consumes nothing.
    pub fn peek(&self, key: Key, costs: &[u64], now: Now) -> Verdict {
        self.book.expire(now);
        let slot = self.lock(key).ok_or(Fault::Stale(0))?;
        self.check(&slot, costs, &[], now)
    }

    /// [`Limiter::take`] on a locked slot.
    #[inline(never)]
    pub(crate) fn take_from(
        &self,
        slot: &mut Slot<'_>,
        key: Key,
        costs: &[u64],
        now: Now,
    ) -> Verdict {
        if !slot.is_current(key.generation) {
            return Err(Fault::Stale(0));
        }
        let then = now.at_least(slot.last_change());
        let mut levels = Levels::new();
        if !self.admit(slot, costs, then, &mut levels)? {
            return self.check(slot, costs, &[], now);
        }
        slot.set_levels(&levels);
        slot.set_last_change(then.ns);
        Ok(None)
    }

    /// Whether all limits of a slot admit `costs`; pushes the levels after the charge to `levels`.
    #[inline]
    pub(crate) fn admit(
        &self,
        slot: &Slot<'_>,
        costs: &[u64],
        then: Now,
        levels: &mut Levels,
    ) -> Result<bool, Fault> {
        match slot.limit_set() {
            0 => admit_by(self.limit_sets.defaults().iter(), slot, costs, then, levels),
            limit_set => self.admit_other(limit_set, slot, costs, then, levels),
        }
    }

    /// [`Limiter::admit`] by limits other than the defaults. Not inlined, to keep the default path
    /// short.
    #[inline(never)]
    fn admit_other(
        &self,
        limit_set: usize,
        slot: &Slot<'_>,
        costs: &[u64],
        then: Now,
        levels: &mut Levels,
    ) -> Result<bool, Fault> {
        admit_by(self.limit_sets.prepared(limit_set), slot, costs, then, levels)
    }

    /// The first of the limits that refuse for longest, if any does; called after `admit` has
    /// returned false.
    ///
    /// `already_held` is what the caller's own reservation holds of each limit, if any: the end of
    /// another cannot free that.
    #[cold]
    pub(crate) fn check(
        &self,
        slot: &Slot<'_>,
        costs: &[u64],
        already_held: &[u64],
        now: Now,
    ) -> Verdict {
        match slot.limit_set() {
            0 => check_by(self.limit_sets.defaults().iter(), slot, costs, already_held, now),
            limit_set => {
                check_by(self.limit_sets.prepared(limit_set), slot, costs, already_held, now)
            }
        }
    }

    /// Locks the slot of `key`, if it still belongs to that key.
    #[inline]
    pub(crate) fn lock(&self, key: Key) -> Option<Guard<'_>> {
        let slot = self.slots.lock(key.index)?;
        slot.is_current(key.generation).then_some(slot)
    }

    /// Adds to the count of open reservations; a wrapped negative number subtracts.
    pub(crate) fn opened(&self, change: u64) {
        self.open.fetch_add(change, Ordering::Relaxed);
    }
}

/// Whether all `limits` admit `costs`; pushes the levels after the charge to `levels`.
#[inline(always)]
fn admit_by(
    limits: impl Iterator<Item = impl Borrow<PreparedLimit>>,
    slot: &Slot<'_>,
    costs: &[u64],
    then: Now,
    levels: &mut Levels,
) -> Result<bool, Fault> {
    for (limit, state) in limits.zip(slot.states()) {
        let limit = limit.borrow();
        let cost = *costs.get(limit.definition.unit).ok_or(Fault::WrongCosts)?;
        let admitted = limit.admit(state, cost, limit.increment(cost), then);
        let Some(level) = admitted else { return Ok(false) };
        levels.try_push(level).map_err(|_| Fault::TooManyLimits)?;
    }
    Ok(true)
}

/// The first of the `limits` that refuse for longest.
#[inline(always)]
fn check_by(
    limits: impl Iterator<Item = impl Borrow<PreparedLimit>>,
    slot: &Slot<'_>,
    costs: &[u64],
    already_held: &[u64],
    now: Now,
) -> Verdict {
    let then = now.at_least(slot.last_change());
    let mut worst = None;
    for (index, limit) in limits.enumerate() {
        let limit = limit.borrow();
        let cost = *costs.get(limit.definition.unit).ok_or(Fault::WrongCosts)?;
        let Err(refusal) = limit.check(&slot.state(index), cost, then) else { continue };
        let already_held = already_held.get(index).copied().unwrap_or(0);
        let refusal = match limit.definition.kind {
            _ if already_held.saturating_add(cost) > limit.definition.capacity => Refusal::Never,
            Kind::Rate { .. } => refusal.later(then.ns - now.ns),
            Kind::Quota(_) | Kind::Concurrency | Kind::Credit { .. } => refusal,
        };
        if worst.is_none_or(|worst: Denial| worst.refusal < refusal) {
            worst = Some(Denial { limit: index, refusal });
        }
    }
    Ok(worst)
}

impl Slot<'_> {
    /// Decides by the only limit of a key that has the limiter's default limits; none if the full
    /// check is needed.
    #[inline(always)]
    pub(crate) fn take_prepared(
        &mut self,
        prepared: PreparedCost,
        now: Now,
    ) -> Option<Option<Denial>> {
        let then = now.at_least(self.last_change());
        Some(match prepared.decide(self.state(0), then)? {
            Ok(level) => {
                self.set_level(0, level);
                self.set_last_change(then.ns);
                None
            }
            Err(refusal) => Some(Denial { limit: 0, refusal: refusal.later(then.ns - now.ns) }),
        })
    }
}
