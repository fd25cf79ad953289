//! Partial takes: consumes as much as is available, up to the cost.

use crate::decision::Fault;
use crate::keys::key::Key;
use crate::limiter::{Limiter, MOST_LIMITS};
use crate::time::Now;

impl Limiter {
    /// Consumes each cost in full, or else the largest multiple of `step` that fits every limit of
    /// its unit. Writes what was consumed to `costs`. O(limits).
    ///
    /// # Errors
    /// A [`Fault`]; nothing is changed then.
    pub fn take_up_to(
        &self,
        key: Key,
        costs: &mut [u64],
        step: u64,
        now: Now,
    ) -> Result<(), Fault> {
        self.book.expire(now);
        if costs.len() != self.units {
            return Err(Fault::WrongCosts);
        }
        let mut slot = self.lock(key).ok_or(Fault::Stale(0))?;
        let now = now.at_least(slot.last_change());
        let mut room = [u64::MAX; MOST_LIMITS];
        for (index, limit) in self.limit_sets.get(slot.limit_set()).enumerate() {
            let room = &mut room[limit.unit];
            *room = limit.room(&slot.state(index), now).min(*room);
        }
        for (cost, room) in costs.iter_mut().zip(room) {
            if *cost > room {
                *cost = room - room % step.max(1);
            }
        }
        // If nothing is consumed, nothing changes, not even the time of the last change.
        if costs.iter().all(|&cost| cost == 0) {
            return Ok(());
        }
        for (index, limit) in self.limit_sets.get(slot.limit_set()).enumerate() {
            let mut state = slot.state(index);
            limit.charge(&mut state, costs[limit.unit], now);
            slot.set_state(index, state);
        }
        slot.set_last_change(now.ns);
        Ok(())
    }
}
