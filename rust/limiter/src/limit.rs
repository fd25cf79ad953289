//! One limit, and the three words that say how a key stands towards it.
//!
//! Amounts are integers of millionths of a unit, so that sums are exact whatever their order.
//!
//! A rate is a token bucket kept as the time at which it will be full (GCRA; ITU-T I.371): what is
//! consumed decays by itself, without a refill step that could lose fractions. That time is exact:
//! whole nanoseconds and a numerator over the rate's own denominator.
//!
//! What is consumed (`level`) and what open reservations hold (`held`) are kept apart, because only
//! the first decays. Charging an estimate and refunding the rest would give back what time has given
//! back already. A cost is admitted iff `level + held + cost <= capacity`.

use crate::time::Now;
use crate::window::Window;

/// Millionths to a unit.
pub const UNIT: u64 = 1_000_000;
/// The largest amount, of a limit or a cost: sums of two, and products with times, stay in range.
pub const MOST: u64 = 1_000_000_000_000 * UNIT;
/// The capacity of a limit that admits everything. It bounds what reservations hold, or sums of that
/// would not stay in range; what is consumed it does not bound.
pub const UNLIMITED: u64 = 1 << 63;
/// Debt saturates 73 years ahead,
pub(crate) const FAR: u64 = 1 << 61;
/// which is more than any bucket may take to fill (36 years): what is in such debt is refused.
const LONGEST_REFILL: u64 = 1 << 60;

/// What kind of limit it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `units` millionths come back every `ns`, in lowest terms.
    Rate {
        /// Numerator.
        units: u64,
        /// Denominator.
        ns: u64,
    },
    /// All comes back when the window ends.
    Quota(Window),
    /// What is reserved comes back when the reservation ends.
    Concurrency,
}

/// A limit on one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limit {
    /// What kind.
    pub kind: Kind,
    /// Which of the costs it counts.
    pub unit: usize,
    /// The most that can be taken at once, in millionths.
    pub capacity: u64,
}

/// How a key stands towards a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Rate: when the bucket is full, in whole nanoseconds. Quota: what the window has had.
    pub(crate) level: u64,
    /// Rate: the rest of that time, over the rate's `units`. Quota: when the window ends.
    pub(crate) phase: u64,
    /// What open reservations hold.
    pub(crate) held: u64,
}

/// What is consumed: the first two words of a [`Cell`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) level: u64,
    pub(crate) phase: u64,
}

/// Why a cost does not fit. Ordered: later ones last longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// It will in so many nanoseconds, and not before, if nothing else happens.
    Until(u64),
    /// Only the end of a reservation can help.
    Held,
    /// The cost is greater than the capacity, with what the reservation holds that it is added to.
    Never,
}

impl Refusal {
    /// The same for a caller whose time is so much behind the key's: who has so much longer to wait.
    #[inline(always)]
    pub(crate) fn later(self, ns: u64) -> Self {
        match self {
            Self::Until(wait) => Self::Until(wait.saturating_add(ns)),
            Self::Held | Self::Never => self,
        }
    }
}

impl Limit {
    /// A rate of `limit` millionths each `ns`, of which `burst` can be taken at once. If `limit` is
    /// [`UNLIMITED`], all is back at once.
    #[must_use]
    pub fn rate(unit: usize, limit: u64, ns: u64, burst: u64) -> Self {
        let (limit, ns) = if limit == UNLIMITED { (MOST, 1) } else { (limit, ns) };
        let divisor = gcd(limit.max(1), ns.max(1));
        let kind = Kind::Rate { units: limit.max(1) / divisor, ns: ns.max(1) / divisor };
        Self { kind, unit, capacity: burst }
    }

    /// Whether the bucket of a rate fills within 36 years (2^60 ns). Others must not be used.
    #[must_use]
    pub fn is_in_range(&self) -> bool {
        match self.kind {
            Kind::Rate { units, ns } => {
                u128::from(self.capacity) * u128::from(ns)
                    <= u128::from(LONGEST_REFILL) * u128::from(units)
            }
            Kind::Quota(_) | Kind::Concurrency => true,
        }
    }

    /// Whether it admits everything.
    #[inline]
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        self.capacity == UNLIMITED
    }

    /// Whether what was used of it counts for the other when one takes the place of the other: they are of
    /// one kind, and of quotas the windows are equally long.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        match (self.kind, other.kind) {
            (Kind::Quota(a), Kind::Quota(b)) => a.is_like(&b),
            (a, b) => std::mem::discriminant(&a) == std::mem::discriminant(&b),
        }
    }

    /// The most that fits now, in millionths. O(1).
    #[must_use]
    pub fn room(&self, cell: &Cell, now: Now) -> u64 {
        let used = if self.is_unlimited() { 0 } else { self.used(cell, now) };
        self.capacity.saturating_sub(cell.held).saturating_sub(used)
    }

    /// Whether `cost` more fits. O(1), by multiplication alone.
    #[inline]
    pub fn check(&self, cell: &Cell, cost: u64, now: Now) -> Result<(), Refusal> {
        let wanted = cell.held + cost;
        match self.kind {
            Kind::Rate { units, ns } => {
                if wanted > self.capacity {
                    return Err(self.too_much(cost));
                }
                if self.is_unlimited() {
                    return Ok(());
                }
                // (full - now) + phase / units <= room * ns / units, without dividing.
                let room = u128::from(self.capacity - wanted) * u128::from(ns);
                let behind = cell.level.saturating_sub(now.ns);
                if u128::from(behind) * u128::from(units) + u128::from(cell.phase) <= room
                    || cell.level < now.ns
                {
                    return Ok(());
                }
                Err(Refusal::Until(wait(room, cell, units, now.ns)))
            }
            Kind::Quota(window) => {
                if wanted > self.capacity {
                    return Err(self.too_much(cost));
                }
                let (used, end) = window_of(cell, window, now);
                if used.saturating_add(wanted) <= self.capacity || self.is_unlimited() {
                    return Ok(());
                }
                Err(Refusal::Until(end.saturating_sub(now.wall_ns).max(1).unsigned_abs()))
            }
            Kind::Concurrency if wanted <= self.capacity => Ok(()),
            Kind::Concurrency => Err(self.too_much(cost)),
        }
    }

    /// Consumes `cost`, also beyond the capacity. O(1).
    #[inline]
    pub fn charge(&self, cell: &mut Cell, cost: u64, now: Now) {
        match self.kind {
            Kind::Rate { units, ns } => {
                if cost == 0 {
                    return;
                }
                if cell.level < now.ns {
                    (cell.level, cell.phase) = (now.ns, 0);
                }
                let debt = u128::from(cost) * u128::from(ns) + u128::from(cell.phase);
                // Division of 128 bits is several times as slow, and rarely needed.
                let (whole, rest) = match u64::try_from(debt) {
                    Ok(debt) => (debt / units, debt % units),
                    Err(_) => {
                        let units = u128::from(units);
                        let whole = u64::try_from(debt / units).unwrap_or(u64::MAX);
                        (whole, (debt % units) as u64)
                    }
                };
                cell.phase = rest;
                cell.level = cell.level.saturating_add(whole).min(now.ns.saturating_add(FAR));
            }
            Kind::Quota(window) => {
                if cost == 0 {
                    return;
                }
                let (used, end) = window_of(cell, window, now);
                (cell.level, cell.phase) = (used.saturating_add(cost), end.cast_unsigned());
            }
            Kind::Concurrency => {}
        }
    }

    /// What is consumed now, in millionths, rounded up. O(1).
    #[must_use]
    pub fn used(&self, cell: &Cell, now: Now) -> u64 {
        match self.kind {
            Kind::Rate { units, ns } if cell.level >= now.ns => {
                let behind = u128::from(cell.level - now.ns) * u128::from(units);
                let used = (behind + u128::from(cell.phase)).div_ceil(u128::from(ns));
                u64::try_from(used).unwrap_or(u64::MAX)
            }
            Kind::Quota(window) => window_of(cell, window, now).0,
            Kind::Rate { .. } | Kind::Concurrency => 0,
        }
    }

    /// Nanoseconds until nothing is consumed, if nothing else happens. O(1).
    #[must_use]
    pub fn reset_ns(&self, cell: &Cell, now: Now) -> u64 {
        match self.kind {
            Kind::Rate { .. } => {
                cell.level.saturating_sub(now.ns)
                    + u64::from(cell.level >= now.ns && cell.phase > 0)
            }
            Kind::Quota(window) => {
                window_of(cell, window, now).1.saturating_sub(now.wall_ns).max(0).unsigned_abs()
            }
            Kind::Concurrency => 0,
        }
    }

    /// Nanoseconds in which the capacity of a rate comes back; 0 for other kinds. O(1).
    #[must_use]
    pub fn refill_ns(&self) -> u64 {
        match self.kind {
            Kind::Rate { units, ns } => {
                let refill = (u128::from(self.capacity) * u128::from(ns)).div_ceil(units.into());
                u64::try_from(refill).unwrap_or(u64::MAX)
            }
            Kind::Quota(_) | Kind::Concurrency => 0,
        }
    }

    /// Whether a key that was never seen would stand the same.
    #[must_use]
    pub fn is_idle(&self, cell: &Cell, now: Now) -> bool {
        cell.held == 0 && self.used(cell, now) == 0
    }

    /// Makes the consumed amount `used`.
    pub(crate) fn set_used(&self, cell: &mut Cell, used: u64, now: Now) {
        (cell.level, cell.phase) = (0, 0);
        self.charge(cell, used, now);
    }

    #[cold]
    fn too_much(&self, cost: u64) -> Refusal {
        if cost > self.capacity { Refusal::Never } else { Refusal::Held }
    }
}

/// Nanoseconds until at most `room / ns` is consumed.
#[cold]
fn wait(room: u128, cell: &Cell, units: u64, now: u64) -> u64 {
    let phase = u128::from(cell.phase);
    let at = if room >= phase {
        let spare = (room - phase) / u128::from(units);
        cell.level.saturating_sub(u64::try_from(spare).unwrap_or(u64::MAX))
    } else {
        cell.level + 1
    };
    at.saturating_sub(now).max(1)
}

/// What the window that `now` is in has had, and when it ends.
///
/// A window that ends later than any window can has been left by a clock that was ahead and was
/// put right: what it has had stays, its end does not, or the key would wait for that time.
#[inline]
pub(crate) fn window_of(cell: &Cell, window: Window, now: Now) -> (u64, i64) {
    let end = cell.phase.cast_signed();
    if now.wall_ns >= end || cell.level == 0 {
        return (0, window.end(now.wall_ns));
    }
    let left = end.saturating_sub(now.wall_ns).unsigned_abs();
    if left > window.longest() {
        return (cell.level, window.end(now.wall_ns));
    }
    (cell.level, end)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
