//! Many calls as of one moment: the price of a cost is found once, and slots are not locked one by one
//! if nobody else is there.

use arrayvec::ArrayVec;

use crate::alone::Solitude;
use crate::keys::Key;
use crate::limiter::{Denial, Fault, Limiter, MOST_LIMITS, Verdict};
use crate::rule::Toll;
use crate::slot::Slot;
use crate::time::Now;

/// Calls on keys of one limiter; others wait for it, so it should be short.
pub struct Batch<'a> {
    limiter: &'a Limiter,
    now: Now,
    alone: Option<Solitude<'a>>,
    costs: ArrayVec<u64, MOST_LIMITS>,
}

impl Limiter {
    /// What `cost` is for [`Batch::take_plain`], if the limiter has but one limit and that is a rate.
    #[inline(always)]
    pub fn toll(&self, cost: u64) -> Option<Toll> {
        match self.plans.own() {
            [rule] => rule.toll(cost),
            _ => None,
        }
    }

    /// Begins a batch, of calls that cost what [`Batch::set_costs`] says.
    #[must_use]
    pub fn batch(&self, now: Now) -> Batch<'_> {
        self.book.expire(now);
        let alone = self.slots.alone().begin();
        Batch { limiter: self, now, alone, costs: ArrayVec::new() }
    }
}

impl Batch<'_> {
    /// Says what the calls of [`Batch::take`] cost: one for each unit, in millionths. O(units).
    #[inline]
    pub fn set_costs(&mut self, costs: &[u64]) {
        self.costs = costs.iter().copied().take(MOST_LIMITS).collect();
    }

    /// [`Limiter::take`] for one key after the other as long as all is plain: the key has the limiter's
    /// own limit and no reservations, and the cost can fit. Tells `each` the verdicts, and returns of how
    /// many; the next, if there is one, is for [`Batch::take`].
    #[inline(always)]
    pub fn take_plain(
        &self,
        calls: impl Iterator<Item = Option<(Key, Toll)>>,
        mut each: impl FnMut(usize, Option<Denial>),
    ) -> usize {
        if self.alone.is_none() {
            return 0;
        }
        let slots = &self.limiter.slots;
        let mut taken = 0;
        for call in calls {
            if let Some((Key { index, generation }, toll)) = call
                && let Some(words) = slots.get(index)
                && let Some(mut slot) = Slot::unlocked(words)
                && slot.is_plain(generation)
                && let Some(verdict) = slot.pay(toll, self.now)
            {
                each(taken, verdict);
                taken += 1;
            } else {
                break;
            }
        }
        taken
    }

    /// [`Limiter::take`].
    #[inline(never)]
    pub fn take(&mut self, key: Key) -> Verdict {
        let Self { limiter, now, .. } = *self;
        if self.alone.is_some() {
            let words = limiter.slots.get(key.index).ok_or(Fault::Stale(0))?;
            if let Some(mut slot) = Slot::unlocked(words) {
                return limiter.take_from(&mut slot, key, &self.costs, now);
            }
            // Its holder may be waiting for the end of this.
            self.alone = None;
        }
        let mut slot = limiter.slots.lock(key.index).ok_or(Fault::Stale(0))?;
        limiter.take_from(&mut slot, key, &self.costs, now)
    }
}
