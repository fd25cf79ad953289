//! GCRA with precomputed quotients: a limit prepared for deciding without divisions.
//!
//! A cost is converted to its increment, the time in which it is refilled. The cost conforms if the
//! TAT, advanced by the increment, is at most one full refill of the bucket ahead of now. Both
//! times are exact: whole nanoseconds and a numerator over the rate's `units`. A decision is an
//! addition and a comparison of such pairs. The only division left, that of a cost, is a
//! multiplication by the reciprocal and a correction (Granlund and Montgomery, "Division by
//! Invariant Integers using Multiplication", 1994). Calls of equal cost share it. A cost that does
//! not conform has to wait for the time by which the TAT would be too far ahead.
//!
//! [`Limit::check`] and [`Limit::charge`] compute the same in the plain way.

use crate::limits::limit::{Kind, Limit};
use crate::limits::refusal::Refusal;
use crate::limits::state::{Level, LimitState, window_of};
use crate::time::Now;

/// Words of a prepared limit.
pub(crate) const PREPARED_WORDS: usize = 8;

/// A limit with its precomputed values.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct PreparedLimit {
    pub(crate) definition: Limit,
    /// Rate: `2^64 / units`, rounded down and below 2^64.
    reciprocal: u64,
    /// Rate: the time in which an empty bucket is refilled. Concurrency: its capacity, as `ns`.
    refill: Interval,
}

/// An exact time interval: whole nanoseconds, and a numerator over the `units` of a rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Interval {
    ns: u64,
    fraction: u64,
}

/// The increment of a cost above the capacity: longer than any refill, and small enough to be added
/// to any debt.
const NEVER_FITS: Interval = Interval { ns: 1 << 62, fraction: 0 };

impl Interval {
    /// The difference to `other`, which is not greater, rounded up.
    #[inline(always)]
    fn exceeds_by(self, other: Self) -> u64 {
        self.ns - other.ns + u64::from(self.fraction > other.fraction)
    }

    /// How far the TAT is ahead of `now` once this increment is charged.
    #[inline(always)]
    fn added_to(self, state: LimitState, units: u64, now: u64) -> Self {
        let (behind, phase) =
            if state.level < now { (0, 0) } else { (state.level - now, state.phase) };
        let phase = phase + self.fraction;
        let more = phase >= units;
        Self {
            ns: behind + self.ns + u64::from(more),
            fraction: phase - if more { units } else { 0 },
        }
    }
}

/// The increment of a call's cost at a rate, computed once for many keys.
#[derive(Clone, Copy, Debug)]
pub struct PreparedCost {
    units: u64,
    refill: Interval,
    increment: Interval,
}

impl PreparedCost {
    /// The state after the charge, or why and until when the cost does not fit. Equal to
    /// [`PreparedLimit::admit`] and [`PreparedLimit::check`]. None if reservations hold something,
    /// or if the cost never fits.
    #[inline(always)]
    pub(crate) fn decide(self, state: LimitState, now: Now) -> Option<Result<Level, Refusal>> {
        let debt = self.increment.added_to(state, self.units, now.ns);
        if state.held != 0 || self.increment == NEVER_FITS {
            return None;
        }
        Some(if debt <= self.refill {
            Ok(Level { level: now.ns.saturating_add(debt.ns), phase: debt.fraction })
        } else {
            Err(Refusal::Until(debt.exceeds_by(self.refill)))
        })
    }
}

impl PreparedLimit {
    /// Encodes the prepared limit as words that can be stored atomically one by one.
    pub(crate) fn to_words(self) -> [u64; PREPARED_WORDS] {
        let [head, a, b, capacity] = self.definition.to_words();
        [head, a, b, capacity, self.reciprocal, self.refill.ns, self.refill.fraction, 0]
    }

    /// Decodes what [`PreparedLimit::to_words`] returned.
    #[inline]
    pub(crate) fn from_words(
        [head, a, b, capacity, reciprocal, ns, fraction, _]: [u64; PREPARED_WORDS],
    ) -> Self {
        let definition = Limit::from_words([head, a, b, capacity]);
        Self { definition, reciprocal, refill: Interval { ns, fraction } }
    }

    pub(crate) fn new(definition: Limit) -> Self {
        let Kind::Rate { units, ns } = definition.kind else {
            let is_concurrency = definition.kind == Kind::Concurrency;
            let ns = if is_concurrency { definition.capacity } else { 0 };
            return Self { definition, reciprocal: 0, refill: Interval { ns, fraction: 0 } };
        };
        let reciprocal = u64::try_from((1u128 << 64) / u128::from(units)).unwrap_or(u64::MAX);
        // An unlimited rate admits any debt.
        let never = Interval { ns: u64::MAX, fraction: 0 };
        let refill =
            if definition.is_unlimited() { never } else { divide(definition.capacity, ns, units) };
        Self { definition, reciprocal, refill }
    }

    /// The time in which `cost` is refilled. O(1).
    #[inline(always)]
    pub(crate) fn increment(&self, cost: u64) -> Interval {
        let Kind::Rate { units, ns } = self.definition.kind else { return Interval::default() };
        if cost > self.definition.capacity {
            return NEVER_FITS;
        }
        let Some(dividend) = cost.checked_mul(ns) else { return divide(cost, ns, units) };
        // The estimate is exact or one too small: its error is less than dividend / 2^64.
        let estimate = ((u128::from(dividend) * u128::from(self.reciprocal)) >> 64) as u64;
        let fraction = dividend - estimate * units;
        let more = fraction >= units;
        Interval {
            ns: estimate + u64::from(more),
            fraction: fraction - if more { units } else { 0 },
        }
    }

    /// The prepared cost, if this is a rate.
    #[inline(always)]
    pub(crate) fn prepare_cost(&self, cost: u64) -> Option<PreparedCost> {
        let Kind::Rate { units, .. } = self.definition.kind else { return None };
        Some(PreparedCost { units, refill: self.refill, increment: self.increment(cost) })
    }

    /// The state after charging `cost`, whose increment is `increment`, or none if it does not fit.
    /// Equal to [`Limit::check`] followed by [`Limit::charge`]. O(1).
    #[inline(always)]
    pub(crate) fn admit(
        &self,
        state: LimitState,
        cost: u64,
        increment: Interval,
        now: Now,
    ) -> Option<Level> {
        match self.definition.kind {
            Kind::Rate { units, ns } => {
                let debt = increment.added_to(state, units, now.ns);
                if debt > self.refill
                    || (state.held != 0 && !self.leaves_room_for(debt, state.held, units, ns))
                {
                    return None;
                }
                Some(Level { level: now.ns.saturating_add(debt.ns), phase: debt.fraction })
            }
            Kind::Quota(_) | Kind::Concurrency | Kind::Credit { .. } => {
                // Destructured, so that both branches return in registers: two words that are
                // stored one by one and loaded as one stall the processor (failed store
                // forwarding).
                let Level { level, phase } = self.admit_other(state, cost, now)?;
                Some(Level { level, phase })
            }
        }
    }

    /// Why and until when `cost` does not fit, if it does not. Equal to [`Limit::check`]. O(1).
    #[inline]
    pub(crate) fn check(&self, state: &LimitState, cost: u64, now: Now) -> Result<(), Refusal> {
        let wanted = state.held + cost;
        let Kind::Rate { units, .. } = self.definition.kind else {
            return self.definition.check(state, cost, now);
        };
        if wanted > self.definition.capacity {
            return self.definition.check(state, cost, now);
        }
        let debt = self.increment(wanted).added_to(*state, units, now.ns);
        if debt <= self.refill {
            return Ok(());
        }
        Err(Refusal::Until(debt.exceeds_by(self.refill)))
    }

    /// [`PreparedLimit::admit`] of all other kinds. Not inlined, to keep the path of
    /// rates short.
    #[inline(never)]
    fn admit_other(&self, state: LimitState, cost: u64, now: Now) -> Option<Level> {
        let same = Level { level: state.level, phase: state.phase };
        let wanted = state.held + cost;
        let Kind::Quota(window) = self.definition.kind else {
            // Concurrency is decided first, so that credit adds nothing to it.
            if wanted <= self.refill.ns {
                return Some(same);
            }
            return self.admit_by_credit(&state, cost, now);
        };
        let (used, end) = window_of(&state, window, now);
        if used.saturating_add(wanted) > self.definition.capacity && !self.definition.is_unlimited()
        {
            return None;
        }
        let charged = Level { level: used.saturating_add(cost), phase: end.cast_unsigned() };
        Some(if cost == 0 { same } else { charged })
    }

    /// [`PreparedLimit::admit`] of credit, and none for any other kind.
    #[inline(never)]
    fn admit_by_credit(&self, state: &LimitState, cost: u64, now: Now) -> Option<Level> {
        if self.definition.is_credit() { self.admit_credit(*state, cost, now) } else { None }
    }

    #[inline(never)]
    fn admit_credit(&self, mut state: LimitState, cost: u64, now: Now) -> Option<Level> {
        self.definition.check(&state, cost, now).ok()?;
        self.definition.charge(&mut state, cost, now);
        Some(Level { level: state.level, phase: state.phase })
    }

    /// Whether `debt` leaves room for what reservations hold.
    #[inline]
    fn leaves_room_for(&self, debt: Interval, held: u64, units: u64, ns: u64) -> bool {
        if self.definition.is_unlimited() {
            return true;
        }
        let Some(room) = self.definition.capacity.checked_sub(held) else { return false };
        u128::from(debt.ns) * u128::from(units) + u128::from(debt.fraction)
            <= u128::from(room) * u128::from(ns)
    }
}

/// `amount * ns / units` by 128-bit division.
#[cold]
fn divide(amount: u64, ns: u64, units: u64) -> Interval {
    let dividend = u128::from(amount) * u128::from(ns);
    let units = u128::from(units);
    Interval {
        ns: u64::try_from(dividend / units).unwrap_or(u64::MAX),
        fraction: (dividend % units) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::limit::MOST;
    use proptest::prelude::*;

    fn number(most: u64) -> impl Strategy<Value = u64> {
        (0..64u32, any::<u64>()).prop_map(move |(shift, n)| 1 + (n >> shift) % most)
    }

    proptest! {
        #[test]
        fn an_increment_is_the_exact_quotient(limit in number(MOST), ns in number(1 << 60), cost in number(MOST)) {
            let limit = PreparedLimit::new(Limit::rate(0, limit, ns, MOST));
            let Kind::Rate { units, ns } = limit.definition.kind else { unreachable!() };
            let (dividend, units) = (u128::from(cost) * u128::from(ns), u128::from(units));
            let increment = limit.increment(cost);
            prop_assert_eq!(u64::try_from(dividend / units).unwrap_or(u64::MAX), increment.ns);
            prop_assert_eq!(dividend % units, u128::from(increment.fraction));
        }

        #[test]
        fn admit_equals_check_then_charge(
            limit in number(1 << 40),
            ns in number(1 << 40),
            burst in number(1 << 30),
            cost in number(1 << 31),
            (level, phase, held) in (0..1u64 << 45, any::<u64>(), 0..3u64),
            now_ns in 0..1u64 << 45,
        ) {
            let limit = PreparedLimit::new(Limit::rate(0, limit, ns, burst));
            prop_assume!(limit.definition.is_in_range());
            let Kind::Rate { units, .. } = limit.definition.kind else { unreachable!() };
            let state = LimitState { level, phase: phase % units, held: held * burst / 4 };
            let now = Now { ns: now_ns, wall_ns: 0 };
            let admitted = limit.admit(state, cost, limit.increment(cost), now);
            let checked = limit.definition.check(&state, cost, now);
            prop_assert_eq!(admitted.is_some(), checked.is_ok());
            prop_assert_eq!(limit.check(&state, cost, now), checked);
            if let Some(decided) = limit.prepare_cost(cost).and_then(|prepare_cost| prepare_cost.decide(state, now)) {
                prop_assert_eq!(decided.as_ref().ok(), admitted.as_ref());
                prop_assert_eq!(decided.map(|_| ()), checked);
            } else {
                prop_assert!(state.held != 0 || cost > limit.definition.capacity);
            }
            if let Some(Level { level, phase }) = admitted {
                let mut charged = state;
                limit.definition.charge(&mut charged, cost, now);
                prop_assert_eq!(LimitState { level, phase, ..state }, charged);
            }
        }
    }
}
