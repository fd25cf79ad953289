//! Credit: a balance with an end. It is the part of a shared limit that this process may spend
//! without asking the store.
//!
//! The store counts credit as held by the process until the process reports what it spent, so the
//! sum over all processes stays within the limit. In a slot, `level` is the balance as the bits of an
//! `i64`, `phase` the end, and `held` what open reservations hold, as for every other kind. The
//! balance includes what reservations hold. It is below zero if more was spent than granted.

use crate::limits::state::{Level, LimitState};
use crate::time::Now;

/// The greatest debt: sums and differences of two balances stay in range.
const MOST_DEBT: i64 = 1 << 62;

/// The credit of a key towards one limit; amounts are in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Credit {
    /// What may still be spent, including what open reservations hold; below zero in debt.
    pub balance: i64,
    /// The nanosecond of the limiter's clock from which nothing more may be spent.
    pub until_ns: u64,
    /// The amount that open reservations hold.
    pub held: u64,
}

impl Credit {
    /// The credit that a state encodes.
    #[inline]
    pub(crate) fn of(state: &LimitState) -> Self {
        let LimitState { level, phase, held } = *state;
        Self { balance: level.cast_signed(), until_ns: phase, held }
    }

    /// The largest cost that fits now. O(1).
    #[inline]
    pub(crate) fn free(self, now: Now) -> u64 {
        if now.ns >= self.until_ns {
            return 0;
        }
        u64::try_from(self.balance).unwrap_or(0).saturating_sub(self.held)
    }

    /// The debt, or 0.
    #[inline]
    pub(crate) fn debt(self) -> u64 {
        self.balance.min(0).unsigned_abs()
    }

    /// Spends `cost`, even if the credit has ended or is less. Debt saturates at 2^62.
    #[inline]
    pub(crate) fn spend(&mut self, cost: u64) {
        let cost = i64::try_from(cost).unwrap_or(i64::MAX);
        self.balance = self.balance.saturating_sub(cost).max(-MOST_DEBT);
    }

    /// Spends `cost` of the credit that a state encodes. Not inlined, to keep
    /// the path of other kinds short.
    #[inline(never)]
    pub(crate) fn charge(state: &mut LimitState, cost: u64) {
        let mut credit = Self::of(state);
        credit.spend(cost);
        state.level = credit.balance.cast_unsigned();
    }

    /// The words that encode it, except for what is held.
    #[inline]
    pub(crate) fn level(self) -> Level {
        Level { level: self.balance.cast_unsigned(), phase: self.until_ns }
    }
}
