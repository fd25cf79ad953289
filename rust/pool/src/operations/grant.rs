//! Granting leases, ending them, and handing them over to waiters.

use std::sync::Arc;

use crate::event::EventKind;
use crate::lease::{Lease, LeaseId};
use crate::pool::Pool;
use crate::settings::Outcome;
use crate::time::Millis;
use crate::upstreams::health::{HealthChange, State};
use crate::upstreams::token::UpstreamToken;
use crate::wait_queue::WaiterState;

impl Pool {
    /// Grants a lease to `member`, if one is available.
    pub(crate) fn grant(&mut self, member: u32, prefer: UpstreamToken) -> Option<LeaseId> {
        if self.leases.in_use() >= self.ceiling {
            return None;
        }
        let index = self.upstreams.select(prefer)?;
        let grant = self.counts.granted;
        self.counts.granted += 1;
        let probe = self.upstreams.grant(index, grant + 1, self.settings.adaptive.as_ref());
        self.members[member as usize].leases += 1;
        self.next_due = self.next_due.min(self.now.saturating_add(self.settings.lease_ttl));
        Some(self.leases.open((index, member), probe, grant, self.now))
    }

    /// Ends a lease, for any reason.
    pub(crate) fn end(&mut self, slot: u32, outcome: Outcome, rest: Millis) {
        let Lease { upstream: index, member, probe, grant, .. } = self.leases.close(slot);
        self.members[member as usize].leases -= 1;
        let (now, settings, next) = (self.now, &self.settings, self.counts.granted);
        let may_eject = self.upstreams.may_eject(settings.health.max_ejected);
        let change = self.upstreams.change(index, |upstream| {
            if let Some(adaptive) = &settings.adaptive {
                let most = (upstream.ceiling, upstream.settings.max_in_flight);
                upstream.limit.record(outcome, (grant, next), upstream.in_flight, most, adaptive);
            }
            upstream.in_flight -= 1;
            upstream.failed += u64::from(matches!(outcome, Outcome::Failed | Outcome::Overloaded));
            if upstream.removed {
                return None;
            }
            upstream.health.record(outcome, rest, probe, may_eject, &settings.health, now)
        });
        self.upstreams.reclaim(index);
        if let Some(change) = change {
            self.share_health_change(index, change);
            self.publish_health_change(index, change);
        }
        self.update_rank(index);
    }

    pub(crate) fn publish_health_change(&mut self, index: u32, change: HealthChange) {
        if let State::Resting(until) = self.upstreams.get(index).health.state() {
            self.resting.set(index, (until, index));
            self.next_due = self.next_due.min(until);
        }
        let id = Some(Arc::clone(&self.upstreams.get(index).id));
        match change {
            HealthChange::Ejected(rest) => {
                self.counts.ejections += 1;
                self.events.push(EventKind::Ejected, id, rest, 0);
            }
            HealthChange::Cooling(rest) => self.events.push(EventKind::Cooling, id, rest, 0),
            HealthChange::Recovered => self.events.push(EventKind::Recovered, id, 0, 0),
        }
    }

    /// Serves the queue until it is empty or no lease is available.
    pub(crate) fn hand_over(&mut self) {
        while let Some(slot) = self.queue.first() {
            let waiter = self.queue.get(slot);
            let (member, prefer) = (waiter.member, waiter.prefer);
            let Some(lease) = self.grant(member, prefer) else { return };
            // A lease that was just granted is found.
            let Some(held) = self.leases.find(lease, member) else { return };
            self.counts.handed_over += 1;
            self.leases.offer(held);
            self.queue.set_state(slot, WaiterState::Offered(held));
            self.members[member as usize].offers += 1;
            if self.members[member as usize].offers == 1 {
                self.start_claim_timer(member);
            }
            self.post(slot);
        }
    }

    /// Starts the time in which a member has to collect its offers.
    pub(crate) fn start_claim_timer(&mut self, member: u32) {
        self.unclaimed.set(member, (self.now, member));
        self.next_due = self.next_due.min(self.now.saturating_add(self.settings.claim));
    }

    /// Counts an offer of a member that was collected, revoked or cancelled.
    pub(crate) fn offer_ended(&mut self, member: u32) {
        self.members[member as usize].offers -= 1;
        if self.members[member as usize].offers == 0 {
            self.unclaimed.remove(member);
        }
    }

    /// Posts the result of a waiter to its member's mailbox, and rings its bell unless it is the
    /// caller.
    pub(crate) fn post(&mut self, slot: u32) {
        let waiter_id = self.queue.id(slot);
        let index = self.queue.get(slot).member;
        let member = &mut self.members[index as usize];
        member.mailbox.push_back(waiter_id);
        if !member.rung && index != self.caller {
            member.rung = true;
            self.rings.push(member.bell);
        }
    }

    pub(crate) fn update_rank(&mut self, index: u32) {
        self.upstreams.update_rank(index, self.settings.adaptive.as_ref());
    }
}
