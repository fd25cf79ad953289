//! Taking what there is, where less than all is of use too.

use crate::keys::Key;
use crate::limiter::{Fault, Limiter, MOST_LIMITS};
use crate::time::Now;

impl Limiter {
    /// Consumes of each cost what there is: all of it, or else the largest multiple of `step` that fits
    /// every limit of its unit. Writes what was consumed to `costs`. O(limits).
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
        let now = now.at_least(slot.seen());
        let mut room = [u64::MAX; MOST_LIMITS];
        for (index, limit) in self.plans.get(slot.plan()).enumerate() {
            let room = &mut room[limit.unit];
            *room = limit.room(&slot.cell(index), now).min(*room);
        }
        for (cost, room) in costs.iter_mut().zip(room) {
            if *cost > room {
                *cost = room - room % step.max(1);
            }
        }
        // Nothing is nothing: not even the time of the last charge.
        if costs.iter().all(|&cost| cost == 0) {
            return Ok(());
        }
        for (index, limit) in self.plans.get(slot.plan()).enumerate() {
            let mut cell = slot.cell(index);
            limit.charge(&mut cell, costs[limit.unit], now);
            slot.set_cell(index, cell);
        }
        slot.set_seen(now.ns);
        Ok(())
    }
}
