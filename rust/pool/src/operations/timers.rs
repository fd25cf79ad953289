//! Lazy timers: leases expire, waits time out, rests end, and uncollected offers are revoked.
//!
//! No timer runs by itself. Every call first runs the timers that are due, which is one comparison
//! if none is; and a member that waits calls every few milliseconds.

use std::sync::Arc;

use crate::event::EventKind;
use crate::index::NONE;
use crate::pool::Pool;
use crate::settings::Outcome;
use crate::time::{Millis, NEVER};
use crate::wait_queue::WaiterState;

impl Pool {
    /// Runs the timers that are due. If the clock steps back, time stands still. O(1) if none is
    /// due, else O(log n) for each.
    pub fn tick(&mut self, now: Millis) {
        self.advance(now, NONE);
    }

    #[inline]
    pub(crate) fn advance(&mut self, now: Millis, caller: u32) {
        self.caller = caller;
        self.now = self.now.max(now);
        if self.now >= self.next_due {
            self.run_due_timers();
        }
    }

    #[cold]
    fn run_due_timers(&mut self) {
        let now = self.now;
        // First, so that suspended waiters can time out.
        self.revoke_unclaimed();
        self.run_shared_timer();
        // Before leases are handed over: waiters that have timed out are not served.
        while let Some((_, slot)) = self.queue.next_deadline().filter(|&(at, _)| at <= now) {
            self.counts.timed_out += 1;
            self.queue.set_state(slot, WaiterState::TimedOut);
            self.post(slot);
        }
        let ttl = self.settings.lease_ttl;
        while let Some((slot, renewed)) = self.leases.oldest() {
            if renewed.saturating_add(ttl) > now {
                break;
            }
            if self.leases.is_offered(slot) {
                // It is not collected yet. How long it may wait is limited by `claim`, which
                // restarts while its member collects other offers. This loop ends: `claim` is at
                // most `lease_ttl`, so where times saturate no offer was left above.
                self.leases.renew(slot, now);
            } else {
                self.expire(slot);
            }
        }
        while let Some(((_, _), index)) = self.resting.first().filter(|&((at, _), _)| at <= now) {
            self.resting.remove(index);
            self.upstreams.change(index, |upstream| upstream.health.end_rest());
            self.update_ceiling(index);
            self.update_rank(index);
        }
        self.hand_over();
        let due = [
            self.queue.next_deadline().map(|(at, _)| at),
            self.leases.oldest().map(|(_, renewed)| renewed.saturating_add(ttl)),
            self.resting.first().map(|((at, _), _)| at),
            self.unclaimed.first().map(|((since, _), _)| since.saturating_add(self.settings.claim)),
            self.shared_timer(),
        ];
        self.next_due = due.into_iter().flatten().min().unwrap_or(NEVER);
    }

    /// Takes back a lease that expired. The outcome of its request is unknown.
    fn expire(&mut self, slot: u32) {
        let upstream = self.upstreams.get(self.leases.id(slot).upstream());
        self.counts.expired += 1;
        self.events.push(EventKind::Expired, Some(Arc::clone(&upstream.id)), 0, 0);
        self.end(slot, Outcome::Unknown, 0);
    }

    fn revoke_unclaimed(&mut self) {
        while let Some(((since, _), member)) = self.unclaimed.first() {
            if since.saturating_add(self.settings.claim) > self.now {
                return;
            }
            self.suspend_member(member);
        }
    }

    /// Suspends a member that does not collect its offers, because it is busy or hangs. Its waiters
    /// keep their order and their deadlines, and its offers go to other waiters. O(waiters).
    fn suspend_member(&mut self, member: u32) {
        self.members[member as usize].suspended = true;
        for slot in self.queue.slots_of(member) {
            match self.queue.get(slot).state {
                WaiterState::Offered(lease) => {
                    self.queue.set_state(slot, WaiterState::Suspended);
                    self.offer_ended(member);
                    self.end(lease, Outcome::Unknown, 0);
                }
                WaiterState::Waiting => self.queue.set_state(slot, WaiterState::Suspended),
                WaiterState::Suspended | WaiterState::TimedOut | WaiterState::Free => {}
            }
        }
        let queue = &self.queue;
        self.members[member as usize].mailbox.retain(|&waiter_id| {
            queue.find(waiter_id).is_some_and(|slot| queue.get(slot).state == WaiterState::TimedOut)
        });
    }

    /// Resumes a suspended member that calls again: its waiters are served again, in their order.
    /// O(1) unless it was suspended.
    pub(crate) fn resume_member(&mut self, member: u32) {
        if !std::mem::take(&mut self.members[member as usize].suspended) {
            return;
        }
        for slot in self.queue.slots_of(member) {
            if self.queue.get(slot).state == WaiterState::Suspended {
                self.queue.set_state(slot, WaiterState::Waiting);
            }
        }
        self.hand_over();
    }
}
