//! The generic cell rate algorithm (GCRA; ITU-T I.371, ATM Forum TM 4.1), quotas and concurrency:
//! the reference arithmetic of one limit, and the state of a key towards it.
//!
//! Amounts are integers of millionths of a unit, so sums are exact in any order.
//!
//! A rate is a token bucket in GCRA's virtual-scheduling form. Its state is the theoretical arrival
//! time (TAT): the time at which the bucket will be full again. What is consumed decays as time
//! passes, without a refill step that could lose fractions. The TAT is exact: whole nanoseconds and
//! a numerator over the rate's own denominator.
//!
//! Consumed amounts (`level`) and amounts that open reservations hold (`held`) are kept apart,
//! because only the first decay. If an estimate were charged and the rest refunded, the refund
//! would give back what time has given back already. A cost is admitted iff `level + held + cost <=
//! capacity`.

use crate::limits::credit::Credit;
use crate::limits::quota_window::QuotaWindow;
pub(crate) use crate::limits::refusal::Refusal;
use crate::limits::state::{LimitState, window_of};
use crate::time::Now;

/// Millionths in a unit.
pub const UNIT: u64 = 1_000_000;
/// The largest amount of a limit or a cost. Sums of two amounts, and products with times, stay in
/// range.
pub const MOST: u64 = 1_000_000_000_000 * UNIT;
/// The capacity of a limit that admits everything. It still bounds what reservations hold, so that
/// sums stay in range. It does not bound what is consumed.
pub const UNLIMITED: u64 = 1 << 63;
/// Debt saturates 73 years ahead.
pub(crate) const FAR: u64 = 1 << 61;
/// No bucket may take longer to fill: 36 years. This is less than the largest debt, so a key in
/// saturated debt is refused.
const LONGEST_REFILL: u64 = 1 << 60;

/// The kind of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `units` millionths are refilled every `ns` nanoseconds, in lowest terms.
    Rate {
        /// Numerator, in millionths.
        units: u64,
        /// Denominator, in nanoseconds.
        ns: u64,
    },
    /// Everything consumed is available again when the window ends.
    Quota(QuotaWindow),
    /// A reserved amount is available again when its reservation ends.
    Concurrency,
    /// A limit that processes share: this one has credit of it, which a store grants.
    Credit {
        /// Whether a cost is consumed, as by a rate or a quota. If not, the limit is on concurrency.
        is_consumed: bool,
    },
}

/// A limit on one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limit {
    /// The kind.
    pub kind: Kind,
    /// Which of a call's costs it counts.
    pub unit: usize,
    /// The most that can be taken at once, in millionths.
    pub capacity: u64,
}

impl Limit {
    /// A rate of `limit` millionths per `ns` nanoseconds, of which `burst` can be taken at once. If
    /// `limit` is [`UNLIMITED`], everything is refilled at once.
    #[must_use]
    pub fn rate(unit: usize, limit: u64, ns: u64, burst: u64) -> Self {
        let (limit, ns) = if limit == UNLIMITED { (MOST, 1) } else { (limit, ns) };
        let divisor = gcd(limit.max(1), ns.max(1));
        let kind = Kind::Rate { units: limit.max(1) / divisor, ns: ns.max(1) / divisor };
        Self { kind, unit, capacity: burst }
    }

    /// Whether the bucket of a rate fills within 36 years (2^60 ns). Other rates must not be used.
    #[must_use]
    pub fn is_in_range(&self) -> bool {
        match self.kind {
            Kind::Rate { units, ns } => {
                u128::from(self.capacity) * u128::from(ns)
                    <= u128::from(LONGEST_REFILL) * u128::from(units)
            }
            Kind::Quota(_) | Kind::Concurrency | Kind::Credit { .. } => true,
        }
    }

    /// Whether it is a limit of credit, which a store counts.
    #[inline]
    pub(crate) fn is_credit(&self) -> bool {
        matches!(self.kind, Kind::Credit { .. })
    }

    /// The limit of the credit that a process has of this limit when it is shared.
    #[must_use]
    pub fn as_credit(&self) -> Self {
        let is_consumed = !matches!(self.kind, Kind::Concurrency);
        Self { kind: Kind::Credit { is_consumed }, ..*self }
    }

    /// Whether the limit admits everything.
    #[inline]
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        self.capacity == UNLIMITED
    }

    /// Whether consumed amounts carry over when one limit replaces the other: both are of one kind,
    /// and windows of quotas are equally long.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        match (self.kind, other.kind) {
            (Kind::Quota(a), Kind::Quota(b)) => a.is_like(&b),
            (a @ Kind::Credit { .. }, b) => a == b,
            (a, b) => std::mem::discriminant(&a) == std::mem::discriminant(&b),
        }
    }

    /// The largest cost that fits now, in millionths. O(1).
    #[must_use]
    pub fn room(&self, state: &LimitState, now: Now) -> u64 {
        if self.is_credit() && !self.is_unlimited() {
            return Credit::of(state).free(now).min(self.capacity);
        }
        let used = if self.is_unlimited() { 0 } else { self.used(state, now) };
        self.capacity.saturating_sub(state.held).saturating_sub(used)
    }

    /// Whether `cost` fits. O(1), without division on the fast path.
    #[inline]
    pub fn check(&self, state: &LimitState, cost: u64, now: Now) -> Result<(), Refusal> {
        let wanted = state.held + cost;
        match self.kind {
            Kind::Rate { units, ns } => {
                if wanted > self.capacity {
                    return Err(self.too_much(cost));
                }
                if self.is_unlimited() {
                    return Ok(());
                }
                // (TAT - now) + phase / units <= room * ns / units, without dividing.
                let room = u128::from(self.capacity - wanted) * u128::from(ns);
                let behind = state.level.saturating_sub(now.ns);
                if u128::from(behind) * u128::from(units) + u128::from(state.phase) <= room
                    || state.level < now.ns
                {
                    return Ok(());
                }
                Err(Refusal::Until(wait(room, state, units, now.ns)))
            }
            Kind::Quota(window) => {
                if wanted > self.capacity {
                    return Err(self.too_much(cost));
                }
                let (used, end) = window_of(state, window, now);
                if used.saturating_add(wanted) <= self.capacity || self.is_unlimited() {
                    return Ok(());
                }
                Err(Refusal::Until(end.saturating_sub(now.wall_ns).max(1).unsigned_abs()))
            }
            Kind::Concurrency if wanted <= self.capacity => Ok(()),
            Kind::Concurrency => Err(self.too_much(cost)),
            Kind::Credit { .. } => self.check_credit(state, cost, now),
        }
    }

    /// [`Limit::check`] of credit.
    #[inline(never)]
    fn check_credit(&self, state: &LimitState, cost: u64, now: Now) -> Result<(), Refusal> {
        let is_over = state.held + cost > self.capacity;
        if cost > self.capacity || (self.is_unlimited() && is_over) {
            return Err(self.too_much(cost));
        }
        let fits = self.is_unlimited() || cost <= Credit::of(state).free(now);
        if fits { Ok(()) } else { Err(Refusal::Lease) }
    }

    /// Consumes `cost`, even beyond the capacity. O(1).
    #[inline]
    pub fn charge(&self, state: &mut LimitState, cost: u64, now: Now) {
        match self.kind {
            Kind::Rate { units, ns } => {
                if cost == 0 {
                    return;
                }
                if state.level < now.ns {
                    (state.level, state.phase) = (now.ns, 0);
                }
                let debt = u128::from(cost) * u128::from(ns) + u128::from(state.phase);
                // A 128-bit division is several times slower, and rarely needed.
                let (whole, rest) = match u64::try_from(debt) {
                    Ok(debt) => (debt / units, debt % units),
                    Err(_) => {
                        let units = u128::from(units);
                        let whole = u64::try_from(debt / units).unwrap_or(u64::MAX);
                        (whole, (debt % units) as u64)
                    }
                };
                state.phase = rest;
                state.level = state.level.saturating_add(whole).min(now.ns.saturating_add(FAR));
            }
            Kind::Quota(window) => {
                if cost == 0 {
                    return;
                }
                let (used, end) = window_of(state, window, now);
                (state.level, state.phase) = (used.saturating_add(cost), end.cast_unsigned());
            }
            Kind::Concurrency | Kind::Credit { is_consumed: false } => {}
            Kind::Credit { is_consumed: true } => Credit::charge(state, cost),
        }
    }

    /// The amount consumed now, in millionths, rounded up. Of a shared limit, the debt: the store
    /// counts the rest. O(1).
    #[must_use]
    pub fn used(&self, state: &LimitState, now: Now) -> u64 {
        match self.kind {
            Kind::Rate { units, ns } if state.level >= now.ns => {
                let behind = u128::from(state.level - now.ns) * u128::from(units);
                let used = (behind + u128::from(state.phase)).div_ceil(u128::from(ns));
                u64::try_from(used).unwrap_or(u64::MAX)
            }
            Kind::Quota(window) => window_of(state, window, now).0,
            Kind::Credit { .. } => Credit::of(state).debt(),
            Kind::Rate { .. } | Kind::Concurrency => 0,
        }
    }

    /// Nanoseconds until nothing is consumed, if nothing else happens. O(1).
    #[must_use]
    pub fn reset_ns(&self, state: &LimitState, now: Now) -> u64 {
        match self.kind {
            Kind::Rate { .. } => {
                state.level.saturating_sub(now.ns)
                    + u64::from(state.level >= now.ns && state.phase > 0)
            }
            Kind::Quota(window) => {
                window_of(state, window, now).1.saturating_sub(now.wall_ns).max(0).unsigned_abs()
            }
            Kind::Concurrency | Kind::Credit { .. } => 0,
        }
    }

    /// Nanoseconds in which the whole capacity of a rate is refilled; 0 for other kinds. O(1).
    #[must_use]
    pub fn refill_ns(&self) -> u64 {
        match self.kind {
            Kind::Rate { units, ns } => {
                let refill = (u128::from(self.capacity) * u128::from(ns)).div_ceil(units.into());
                u64::try_from(refill).unwrap_or(u64::MAX)
            }
            Kind::Quota(_) | Kind::Concurrency | Kind::Credit { .. } => 0,
        }
    }

    /// Whether a new key would have an equivalent state.
    #[must_use]
    pub fn is_idle(&self, state: &LimitState, now: Now) -> bool {
        state.held == 0
            && match self.kind {
                // Credit too must be given back, and an end of credit says nothing without it.
                Kind::Credit { .. } => Credit::of(state).balance == 0,
                _ => self.used(state, now) == 0,
            }
    }

    /// Sets the consumed amount to `used`.
    pub(crate) fn set_used(&self, state: &mut LimitState, used: u64, now: Now) {
        (state.level, state.phase) = (0, 0);
        self.charge(state, used, now);
    }

    #[cold]
    fn too_much(&self, cost: u64) -> Refusal {
        if cost > self.capacity { Refusal::Never } else { Refusal::Held }
    }
}

/// Nanoseconds until at most `room / ns` is consumed.
#[cold]
fn wait(room: u128, state: &LimitState, units: u64, now: u64) -> u64 {
    let phase = u128::from(state.phase);
    let at = if room >= phase {
        let spare = (room - phase) / u128::from(units);
        state.level.saturating_sub(u64::try_from(spare).unwrap_or(u64::MAX))
    } else {
        state.level + 1
    };
    at.saturating_sub(now).max(1)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
