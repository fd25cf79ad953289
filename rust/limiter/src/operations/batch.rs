//! Batches: many decisions at one moment, with costs prepared once and, in exclusive mode, without
//! a lock per slot.

use arrayvec::ArrayVec;

use crate::decision::{Denial, Fault, Verdict};
use crate::keys::key::Key;
use crate::limiter::{Limiter, MOST_LIMITS};
use crate::limits::prepared_limit::PreparedCost;
use crate::slots::exclusive_mode::ExclusiveGuard;
use crate::slots::slot::Slot;
use crate::time::Now;

/// Decisions on keys of one limiter. Other threads may have to wait for it, so it should be short.
pub struct Batch<'a> {
    limiter: &'a Limiter,
    now: Now,
    exclusive: Option<ExclusiveGuard<'a>>,
    costs: ArrayVec<u64, MOST_LIMITS>,
}

impl Limiter {
    /// Prepares `cost` for [`Batch::take_fast`], if the limiter's only limit is a rate.
    #[inline(always)]
    pub fn prepare_cost(&self, cost: u64) -> Option<PreparedCost> {
        match self.limit_sets.defaults() {
            [limit] => limit.prepare_cost(cost),
            _ => None,
        }
    }

    /// Begins a batch. [`Batch::set_costs`] sets the costs of its calls.
    #[must_use]
    pub fn batch(&self, now: Now) -> Batch<'_> {
        self.book.expire(now);
        let exclusive = self.slots.exclusive_mode().try_enter();
        Batch { limiter: self, now, exclusive, costs: ArrayVec::new() }
    }
}

impl Batch<'_> {
    /// Sets the costs of the next calls of [`Batch::take`]: one for each unit, in millionths.
    /// O(units).
    #[inline]
    pub fn set_costs(&mut self, costs: &[u64]) {
        self.costs = costs.iter().copied().take(MOST_LIMITS).collect();
    }

    /// [`Limiter::take`] for one key after another, as long as the fast path applies: exclusive
    /// mode is active, the key has the limiter's default limits and no reservations, and the cost
    /// does not exceed the capacity.
    ///
    /// Passes the position and the verdict of each call to `each`, and returns the number of calls
    /// decided. The next call, if there is one, needs [`Batch::take`].
    #[inline(always)]
    pub fn take_fast(
        &self,
        calls: impl Iterator<Item = Option<(Key, PreparedCost)>>,
        mut each: impl FnMut(usize, Option<Denial>),
    ) -> usize {
        if self.exclusive.is_none() {
            return 0;
        }
        let slots = &self.limiter.slots;
        let mut taken = 0;
        for call in calls {
            if let Some((Key { index, generation }, prepared)) = call
                && let Some(words) = slots.get(index)
                && let Some(mut slot) = Slot::unlocked(words)
                && slot.has_default_limits(generation)
                && let Some(verdict) = slot.take_prepared(prepared, self.now)
            {
                each(taken, verdict);
                taken += 1;
            } else {
                break;
            }
        }
        taken
    }

    /// [`Limiter::take`] as part of the batch.
    #[inline(never)]
    pub fn take(&mut self, key: Key) -> Verdict {
        let Self { limiter, now, .. } = *self;
        if self.exclusive.is_some() {
            let words = limiter.slots.get(key.index).ok_or(Fault::Stale(0))?;
            if let Some(mut slot) = Slot::unlocked(words) {
                return limiter.take_from(&mut slot, key, &self.costs, now);
            }
            // Leaves exclusive mode: the slot's holder may be waiting for its end.
            self.exclusive = None;
        }
        let mut slot = limiter.slots.lock(key.index).ok_or(Fault::Stale(0))?;
        limiter.take_from(&mut slot, key, &self.costs, now)
    }
}
