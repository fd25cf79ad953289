//! A limit made ready for deciding: what can be divided beforehand is.
//!
//! GCRA in its own terms: a cost is the time that it takes to come back, and it fits if the bucket
//! would then be full no later than a whole bucket takes. Both times are exact, whole nanoseconds and
//! a numerator over the rate's `units`, so to decide is to add and to compare pairs. The one division
//! left, that of a cost, is a multiplication by the reciprocal and a correction (Granlund and
//! Montgomery, "Division by Invariant Integers using Multiplication", 1994); calls that cost the same
//! share it. What does not fit has to wait for as long as the bucket would be full too late.
//!
//! [`Limit::check`] and [`Limit::charge`] say the same at greater length.

use crate::limit::{Cell, Kind, Level, Limit, Refusal, window_of};
use crate::time::Now;

/// Words of a rule.
pub(crate) const RULE: usize = 8;

/// A limit and what follows from it. One cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct Rule {
    pub(crate) limit: Limit,
    /// Of a rate: `2^64 / units`, rounded down and below 2^64.
    inverse: u64,
    /// Of a rate: what a whole bucket takes to come back.
    full: Price,
}

/// A time: whole nanoseconds, and a numerator over the `units` of a rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Price {
    ns: u64,
    rest: u64,
}

/// Longer than any bucket takes, with room for the debt that it is added to.
const NEVER: Price = Price { ns: 1 << 62, rest: 0 };

impl Price {
    /// How much more it is than `less`, which it is, rounded up.
    #[inline(always)]
    fn above(self, less: Self) -> u64 {
        self.ns - less.ns + u64::from(self.rest > less.rest)
    }

    /// The debt of a key that this is charged to.
    #[inline(always)]
    fn on_top_of(self, cell: Cell, units: u64, now: u64) -> Self {
        let (behind, phase) =
            if cell.level < now { (0, 0) } else { (cell.level - now, cell.phase) };
        let phase = phase + self.rest;
        let more = phase >= units;
        Self { ns: behind + self.ns + u64::from(more), rest: phase - if more { units } else { 0 } }
    }
}

/// A rate and what a call costs of it.
#[derive(Clone, Copy, Debug)]
pub struct Toll {
    units: u64,
    full: Price,
    price: Price,
}

impl Toll {
    /// How a key then stands, or why and until when the cost does not fit. As [`Rule::admit`] and
    /// [`Rule::check`]; nothing if something is held, or if the cost never fits.
    #[inline(always)]
    pub(crate) fn decide(self, cell: Cell, now: Now) -> Option<Result<Level, Refusal>> {
        let debt = self.price.on_top_of(cell, self.units, now.ns);
        if cell.held != 0 || self.price == NEVER {
            return None;
        }
        Some(if debt <= self.full {
            Ok(Level { level: now.ns.saturating_add(debt.ns), phase: debt.rest })
        } else {
            Err(Refusal::Until(debt.above(self.full)))
        })
    }
}

impl Rule {
    /// As words that are read one by one.
    pub(crate) fn to_words(self) -> [u64; RULE] {
        let [head, a, b, capacity] = self.limit.to_words();
        [head, a, b, capacity, self.inverse, self.full.ns, self.full.rest, 0]
    }

    /// The rule of words that [`Rule::to_words`] made.
    #[inline]
    pub(crate) fn from_words([head, a, b, capacity, inverse, ns, rest, _]: [u64; RULE]) -> Self {
        let limit = Limit::from_words([head, a, b, capacity]);
        Self { limit, inverse, full: Price { ns, rest } }
    }

    pub(crate) fn new(limit: Limit) -> Self {
        let Kind::Rate { units, ns } = limit.kind else {
            return Self { limit, inverse: 0, full: Price::default() };
        };
        let inverse = u64::try_from((1u128 << 64) / u128::from(units)).unwrap_or(u64::MAX);
        // What admits everything is never full.
        let never = Price { ns: u64::MAX, rest: 0 };
        let full = if limit.is_unlimited() { never } else { divide(limit.capacity, ns, units) };
        Self { limit, inverse, full }
    }

    /// What `cost` takes to come back. O(1).
    #[inline(always)]
    pub(crate) fn price(&self, cost: u64) -> Price {
        let Kind::Rate { units, ns } = self.limit.kind else { return Price::default() };
        if cost > self.limit.capacity {
            return NEVER;
        }
        let Some(dividend) = cost.checked_mul(ns) else { return divide(cost, ns, units) };
        // The estimate is right or one too small: it lacks less than dividend / 2^64.
        let estimate = ((u128::from(dividend) * u128::from(self.inverse)) >> 64) as u64;
        let rest = dividend - estimate * units;
        let more = rest >= units;
        Price { ns: estimate + u64::from(more), rest: rest - if more { units } else { 0 } }
    }

    /// What `cost` is to keys that nothing is held of, if it is a rate.
    #[inline(always)]
    pub(crate) fn toll(&self, cost: u64) -> Option<Toll> {
        let Kind::Rate { units, .. } = self.limit.kind else { return None };
        Some(Toll { units, full: self.full, price: self.price(cost) })
    }

    /// How a key stands that `cost`, which is `price`, was charged to; or nothing if it does not fit.
    /// As [`Limit::check`] and [`Limit::charge`] say, in one. O(1).
    #[inline(always)]
    pub(crate) fn admit(&self, cell: Cell, cost: u64, price: Price, now: Now) -> Option<Level> {
        match self.limit.kind {
            Kind::Rate { units, ns } => {
                let debt = price.on_top_of(cell, units, now.ns);
                if debt > self.full || (cell.held != 0 && !self.leaves(debt, cell.held, units, ns))
                {
                    return None;
                }
                Some(Level { level: now.ns.saturating_add(debt.ns), phase: debt.rest })
            }
            Kind::Quota(_) | Kind::Concurrency => {
                // Taken apart, so that both ways end in registers: two words that were stored one by one
                // and are loaded as one stall the processor.
                let Level { level, phase } = self.admit_other(cell, cost, now)?;
                Some(Level { level, phase })
            }
        }
    }

    /// Why and until when `cost` does not fit, if it does not. As [`Limit::check`]. O(1).
    #[inline]
    pub(crate) fn check(&self, cell: &Cell, cost: u64, now: Now) -> Result<(), Refusal> {
        let wanted = cell.held + cost;
        let Kind::Rate { units, .. } = self.limit.kind else {
            return self.limit.check(cell, cost, now);
        };
        if wanted > self.limit.capacity {
            return self.limit.check(cell, cost, now);
        }
        let debt = self.price(wanted).on_top_of(*cell, units, now.ns);
        if debt <= self.full {
            return Ok(());
        }
        Err(Refusal::Until(debt.above(self.full)))
    }

    /// [`Rule::admit`] of what is no rate; apart, to keep the way of rates short.
    #[inline(never)]
    fn admit_other(&self, cell: Cell, cost: u64, now: Now) -> Option<Level> {
        let same = Level { level: cell.level, phase: cell.phase };
        let wanted = cell.held + cost;
        let Kind::Quota(window) = self.limit.kind else {
            return (wanted <= self.limit.capacity).then_some(same);
        };
        let (used, end) = window_of(&cell, window, now);
        if used.saturating_add(wanted) > self.limit.capacity && !self.limit.is_unlimited() {
            return None;
        }
        let charged = Level { level: used.saturating_add(cost), phase: end.cast_unsigned() };
        Some(if cost == 0 { same } else { charged })
    }

    /// Whether `debt` leaves room for what is held.
    #[inline]
    fn leaves(&self, debt: Price, held: u64, units: u64, ns: u64) -> bool {
        if self.limit.is_unlimited() {
            return true;
        }
        let Some(room) = self.limit.capacity.checked_sub(held) else { return false };
        u128::from(debt.ns) * u128::from(units) + u128::from(debt.rest)
            <= u128::from(room) * u128::from(ns)
    }
}

/// `amount * ns / units`, the long way.
#[cold]
fn divide(amount: u64, ns: u64, units: u64) -> Price {
    let dividend = u128::from(amount) * u128::from(ns);
    let units = u128::from(units);
    Price {
        ns: u64::try_from(dividend / units).unwrap_or(u64::MAX),
        rest: (dividend % units) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::MOST;
    use proptest::prelude::*;

    fn number(most: u64) -> impl Strategy<Value = u64> {
        (0..64u32, any::<u64>()).prop_map(move |(shift, n)| 1 + (n >> shift) % most)
    }

    proptest! {
        #[test]
        fn a_price_is_the_quotient(limit in number(MOST), ns in number(1 << 60), cost in number(MOST)) {
            let rule = Rule::new(Limit::rate(0, limit, ns, MOST));
            let Kind::Rate { units, ns } = rule.limit.kind else { unreachable!() };
            let (dividend, units) = (u128::from(cost) * u128::from(ns), u128::from(units));
            let price = rule.price(cost);
            prop_assert_eq!(u64::try_from(dividend / units).unwrap_or(u64::MAX), price.ns);
            prop_assert_eq!(dividend % units, u128::from(price.rest));
        }

        #[test]
        fn to_admit_is_to_check_and_then_to_charge(
            limit in number(1 << 40),
            ns in number(1 << 40),
            burst in number(1 << 30),
            cost in number(1 << 31),
            (level, phase, held) in (0..1u64 << 45, any::<u64>(), 0..3u64),
            now_ns in 0..1u64 << 45,
        ) {
            let rule = Rule::new(Limit::rate(0, limit, ns, burst));
            prop_assume!(rule.limit.is_in_range());
            let Kind::Rate { units, .. } = rule.limit.kind else { unreachable!() };
            let cell = Cell { level, phase: phase % units, held: held * burst / 4 };
            let now = Now { ns: now_ns, wall_ns: 0 };
            let admitted = rule.admit(cell, cost, rule.price(cost), now);
            let checked = rule.limit.check(&cell, cost, now);
            prop_assert_eq!(admitted.is_some(), checked.is_ok());
            prop_assert_eq!(rule.check(&cell, cost, now), checked);
            if let Some(decided) = rule.toll(cost).and_then(|toll| toll.decide(cell, now)) {
                prop_assert_eq!(decided.as_ref().ok(), admitted.as_ref());
                prop_assert_eq!(decided.map(|_| ()), checked);
            } else {
                prop_assert!(cell.held != 0 || cost > rule.limit.capacity);
            }
            if let Some(Level { level, phase }) = admitted {
                let mut charged = cell;
                rule.limit.charge(&mut charged, cost, now);
                prop_assert_eq!(Cell { level, phase, ..cell }, charged);
            }
        }
    }
}
