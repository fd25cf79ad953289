//! Membership of the reference pool, and its total limit.

use super::{Lease, Naive, Waiter, WaiterState};
use crate::event::EventKind;
use crate::settings::Outcome;
use crate::time::Millis;

impl Naive {
    /// Gives a member no new leases, and cancels its waiters; its leases remain.
    pub fn leave(&mut self, member: usize, now: Millis) {
        self.tick(now);
        self.leaving.push(member);
        self.cancel_waiters(member);
        self.hand_over();
    }

    /// Gives a member no new leases; its waiters remain.
    pub fn retire(&mut self, member: usize) {
        self.leaving.push(member);
    }

    /// Sets the most leases in use.
    pub fn set_max_in_flight(&mut self, max: u32, now: Millis) {
        self.tick(now);
        self.settings.max_in_flight = max;
        self.hand_over();
    }

    /// Removes a member; another takes its index.
    pub fn reap(&mut self, member: usize, now: Millis) {
        self.tick(now);
        let waiters = self.cancel_waiters(member);
        let leases: Vec<Lease> =
            self.held.iter().filter(|held| held.member == member).map(|held| held.lease).collect();
        let left = leases.len() as u64;
        self.counts.reaped += left;
        for lease in leases {
            self.end(lease, Outcome::Unknown, 0);
        }
        if left + waiters > 0 {
            self.events.push((EventKind::Reaped, None, left, waiters));
        }
        self.leaving.retain(|&leaving| leaving != member);
        self.suspended.retain(|&suspended| suspended != member);
        self.hand_over();
    }

    fn cancel_waiters(&mut self, member: usize) -> u64 {
        self.unclaimed.retain(|&(_, awake)| awake != member);
        let (gone, rest): (Vec<Waiter>, Vec<Waiter>) =
            self.waiters.drain(..).partition(|w| w.member == member);
        self.waiters = rest;
        let waiters = gone.len() as u64;
        for waiter in gone {
            if let WaiterState::Offered(lease) = waiter.state {
                self.end(lease, Outcome::Unknown, 0);
            }
        }
        waiters
    }
}
