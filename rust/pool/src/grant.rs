//! How a lease comes to somebody and how it goes: the choice, the hand-over to the line, the mail.

use std::sync::Arc;

use crate::lease::{Lease, SLOT_BITS};
use crate::line::Stand;
use crate::{EventKind, HealthChange, LeaseId, Millis, Outcome, Pool, State, UpstreamToken};

impl Pool {
    /// A lease for `member`, if one is to be had.
    pub(crate) fn grant(&mut self, member: u32, prefer: UpstreamToken) -> Option<LeaseId> {
        let most = self.settings.max_in_flight.min(1 << SLOT_BITS);
        if self.leases.in_use() >= most {
            return None;
        }
        let index = self.upstreams.choose(prefer)?;
        let grant = self.counts.granted;
        self.counts.granted += 1;
        let probe = self.upstreams.grant(index, grant + 1, self.settings.adaptive.as_ref());
        self.members[member as usize].leases += 1;
        self.next_due = self.next_due.min(self.now.saturating_add(self.settings.lease_ttl));
        Some(self.leases.open((index, member), probe, grant, self.now))
    }

    /// A lease ends, whoever ends it.
    pub(crate) fn end(&mut self, slot: u32, outcome: Outcome, rest: Millis) {
        let Lease { upstream: index, member, probe, grant, .. } = self.leases.close(slot);
        self.members[member as usize].leases -= 1;
        let (now, settings, next) = (self.now, &self.settings, self.counts.granted);
        let may_eject = self.upstreams.may_eject(settings.health.max_ejected);
        let change = self.upstreams.change(index, |upstream| {
            if let Some(adaptive) = &settings.adaptive {
                let (in_flight, max) = (upstream.in_flight, upstream.settings.max_in_flight);
                upstream.limit.record(outcome, (grant, next), in_flight, max, adaptive);
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
            self.tell(index, change);
        }
        self.rank_again(index);
    }

    pub(crate) fn tell(&mut self, index: u32, change: HealthChange) {
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

    /// Serves the line until it is empty or nothing is left.
    pub(crate) fn hand_over(&mut self) {
        while let Some(slot) = self.line.first() {
            let waiter = self.line.get(slot);
            let (member, prefer) = (waiter.member, waiter.prefer);
            let Some(lease) = self.grant(member, prefer) else { return };
            // A lease that was just granted is there.
            let Some(held) = self.leases.find(lease, member) else { return };
            self.counts.handed_over += 1;
            self.leases.offer(held);
            self.line.put(slot, Stand::Offered(held));
            self.members[member as usize].offers += 1;
            if self.members[member as usize].offers == 1 {
                self.expect_claim(member);
            }
            self.mail(slot);
        }
    }

    /// A member has something to collect, and is awake as of now.
    pub(crate) fn expect_claim(&mut self, member: u32) {
        self.unclaimed.set(member, (self.now, member));
        self.next_due = self.next_due.min(self.now.saturating_add(self.settings.claim));
    }

    /// An offer to a member was collected, revoked or given up.
    pub(crate) fn offer_gone(&mut self, member: u32) {
        self.members[member as usize].offers -= 1;
        if self.members[member as usize].offers == 0 {
            self.unclaimed.remove(member);
        }
    }

    /// Puts the answer of a place into its member's mailbox.
    pub(crate) fn mail(&mut self, slot: u32) {
        let place = self.line.id(slot);
        let index = self.line.get(slot).member;
        let member = &mut self.members[index as usize];
        member.mailbox.push_back(place);
        if !member.rung && index != self.caller {
            member.rung = true;
            self.rings.push(member.bell);
        }
    }

    pub(crate) fn rank_again(&mut self, index: u32) {
        self.upstreams.rank_again(index, self.settings.adaptive.as_ref());
    }
}
