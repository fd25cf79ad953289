//! Credit of shared limits: read and replaced under the lock of a key's slot.
//!
//! Spending credit needs nothing of this: a take, a reservation and its end treat credit as they
//! treat every other kind of limit. This is what the protocol with the store needs beside them.

use std::sync::Arc;

use crate::decision::Fault;
use crate::keys::key::Key;
use crate::limiter::{Limiter, MOST_LIMITS};
use crate::limits::credit::Credit;
use crate::limits::limit::UNLIMITED;
use crate::reservations::book::ReservationId;
use crate::slots::slot::Slot;
use crate::time::Now;

impl Limiter {
    /// Passes the credit of each shared limit of `key` to `f` with the limit's index, and stores what
    /// `f` makes of it. `held` is only read. All limits change in one step. O(limits).
    ///
    /// `f` runs under the slot's lock: it must only compute.
    ///
    /// # Errors
    /// [`Fault::Stale`]; `f` is not called then.
    pub fn update_credit(
        &self,
        key: Key,
        now: Now,
        f: impl FnMut(usize, &mut Credit),
    ) -> Result<(), Fault> {
        self.book.expire(now);
        let mut slot = self.lock(key).ok_or(Fault::Stale(0))?;
        self.update(&mut slot, now, f);
        Ok(())
    }

    /// [`Limiter::update_credit`], and in the same step reserves `costs` without asking the limits:
    /// the store has admitted them. Reservations hold at most 2^63 in all.
    /// O(limits).
    ///
    /// # Errors
    /// A [`Fault`]; `f` is not called then.
    pub fn hold_granted(
        self: &Arc<Self>,
        key: Key,
        costs: &[u64],
        owner: u32,
        ttl_ns: u64,
        now: Now,
        f: impl FnMut(usize, &mut Credit),
    ) -> Result<ReservationId, Fault> {
        self.book.expire(now);
        if costs.len() != self.units {
            return Err(Fault::WrongCosts);
        }
        let mut slot = self.lock(key).ok_or(Fault::Stale(0))?;
        if !slot.can_reserve() {
            return Err(Fault::TooManyReservations(0));
        }
        self.update(&mut slot, now, f);
        let mut held = [0; MOST_LIMITS];
        let held = &mut held[..self.units];
        held.copy_from_slice(costs);
        for (limit, state) in self.limits().iter().zip(slot.states()) {
            // No limit has checked the sum.
            held[limit.unit] = held[limit.unit].min(UNLIMITED.saturating_sub(state.held));
        }
        let part = self.hold_part(&mut slot, key, held, now);
        drop(slot);
        Ok(self.add_reservation(part, owner, ttl_ns, now))
    }

    /// Keeps `key` from being evicted until [`Limiter::unpin`].
    ///
    /// # Errors
    /// [`Fault::Stale`].
    pub(crate) fn pin(&self, key: Key) -> Result<(), Fault> {
        self.lock(key).ok_or(Fault::Stale(0))?.set_pinned(true);
        Ok(())
    }

    /// Lets `key` be evicted when it is idle. Credit that no reservation holds is dropped.
    pub(crate) fn unpin(&self, key: Key, now: Now) {
        let Some(mut slot) = self.lock(key) else { return };
        slot.set_pinned(false);
        self.update(&mut slot, now, |_, credit| {
            if credit.held == 0 {
                credit.balance = 0;
            }
        });
    }

    fn update(&self, slot: &mut Slot<'_>, now: Now, mut f: impl FnMut(usize, &mut Credit)) {
        for (index, limit) in self.limits().iter().enumerate() {
            if limit.is_credit() {
                let mut credit = Credit::of(&slot.state(index));
                f(index, &mut credit);
                slot.set_level(index, credit.level());
            }
        }
        slot.set_last_change(now.at_least(slot.last_change()).ns);
    }
}
