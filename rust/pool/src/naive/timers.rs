//! Timers, selection, granting and hand-over of the reference pool.

use super::{Held, Lease, Naive, Waiter, WaiterState};
use crate::event::EventKind;
use crate::settings::Outcome;
use crate::time::Millis;
use crate::upstreams::health::{HealthChange, State};

impl Naive {
    /// Runs the timers that are due.
    pub fn tick(&mut self, now: Millis) {
        self.now = self.now.max(now);
        let now = self.now;
        let claim = self.settings.claim;
        while let Some(&(since, member)) = self.unclaimed.iter().min() {
            if since + claim > now {
                break;
            }
            self.unclaimed.retain(|&(_, awake)| awake != member);
            self.suspended.push(member);
            for index in 0..self.waiters.len() {
                let waiter = &mut self.waiters[index];
                if waiter.member != member || waiter.state == WaiterState::TimedOut {
                    continue;
                }
                if let WaiterState::Offered(lease) =
                    std::mem::replace(&mut waiter.state, WaiterState::Suspended)
                {
                    self.end(lease, Outcome::Unknown, 0);
                }
            }
        }
        // In the order of their deadlines, because mail is read in the order it is sent.
        let mut late: Vec<usize> = (0..self.waiters.len())
            .filter(|&i| {
                let waiter = &self.waiters[i];
                matches!(waiter.state, WaiterState::Waiting | WaiterState::Suspended)
                    && waiter.deadline <= now
            })
            .collect();
        late.sort_by_key(|&i| self.waiters[i].deadline);
        for index in late {
            self.mails += 1;
            self.counts.timed_out += 1;
            self.waiters[index].state = WaiterState::TimedOut;
            self.waiters[index].mailed = self.mails;
        }
        let ttl = self.settings.lease_ttl;
        let is_offer = |lease| self.waiters.iter().any(|w| w.state == WaiterState::Offered(lease));
        let expired = |h: &&Held| h.renewed.saturating_add(ttl) <= now && !is_offer(h.lease);
        let mut expired: Vec<Held> = self.held.iter().filter(expired).cloned().collect();
        expired.sort_by_key(|held| held.renewal);
        for Held { lease, upstream, .. } in expired {
            self.counts.expired += 1;
            self.events.push((EventKind::Expired, Some(upstream), 0, 0));
            self.end(lease, Outcome::Unknown, 0);
        }
        for upstream in &mut self.upstreams {
            if matches!(upstream.health.state(), State::Resting(until) if until <= now) {
                upstream.health.end_rest();
            }
        }
        self.hand_over();
    }

    pub(super) fn select(&self, prefer: Option<usize>) -> Option<usize> {
        let has_room = |&index: &usize| {
            let upstream = &self.upstreams[index];
            let closed = upstream.removed || upstream.draining || !upstream.health.is_available();
            !closed && self.in_flight(index) < self.limit(index)
        };
        if prefer.as_ref().is_some_and(|index| *index < self.upstreams.len() && has_room(index)) {
            return prefer;
        }
        (0..self.upstreams.len()).filter(has_room).min_by(|&a, &b| {
            let rank = |index: usize| {
                let upstream = &self.upstreams[index];
                let load = (f64::from(self.in_flight(index)) + 1.0) / upstream.settings.weight;
                (upstream.settings.tier, load, upstream.last_used)
            };
            rank(a).partial_cmp(&rank(b)).unwrap_or(std::cmp::Ordering::Equal)
        })
    }

    pub(super) fn grant(&mut self, member: usize, prefer: Option<usize>) -> Option<Lease> {
        if self.held.len() as u32 >= self.settings.max_in_flight {
            return None;
        }
        let index = self.select(prefer)?;
        self.granted += 1;
        self.renewals += 1;
        self.upstreams[index].granted += 1;
        let (lease, renewed) = (self.granted, self.now);
        self.upstreams[index].last_used = lease;
        let probe = self.upstreams[index].health.grant();
        let renewal = self.renewals;
        self.held.push(Held { lease, upstream: index, member, renewed, renewal, probe });
        Some(lease)
    }

    pub(super) fn end(&mut self, lease: Lease, outcome: Outcome, rest: Millis) {
        let Some(index) = self.held.iter().position(|held| held.lease == lease) else { return };
        let in_flight = self.in_flight(self.held[index].upstream);
        let held = self.held.remove(index);
        let present = self.upstreams.iter().filter(|u| !u.removed);
        let ejected = present.clone().filter(|u| u.health.is_ejected()).count();
        let serving = present.filter(|u| !u.draining).count();
        let share = ejected as f64 + 1.0 <= self.settings.health.max_ejected * serving as f64;
        let upstream = &mut self.upstreams[held.upstream];
        if let Some(adaptive) = &self.settings.adaptive {
            let max = upstream.settings.max_in_flight;
            // The fast pool numbers grants from 0.
            upstream.limit.record(
                outcome,
                (lease - 1, self.granted),
                in_flight,
                (max, max),
                adaptive,
            );
        }
        upstream.failed += u64::from(matches!(outcome, Outcome::Failed | Outcome::Overloaded));
        if upstream.removed {
            return;
        }
        let health = &self.settings.health;
        let change = upstream.health.record(outcome, rest, held.probe, share, health, self.now);
        let (kind, value) = match change {
            None => return,
            Some(HealthChange::Ejected(rest)) => (EventKind::Ejected, rest),
            Some(HealthChange::Cooling(rest)) => (EventKind::Cooling, rest),
            Some(HealthChange::Recovered) => (EventKind::Recovered, 0),
        };
        self.counts.ejections += u64::from(kind == EventKind::Ejected);
        self.events.push((kind, Some(held.upstream), value, 0));
    }

    pub(super) fn hand_over(&mut self) {
        loop {
            let aging = self.settings.aging as i64;
            let key = |w: &&Waiter| (w.arrived as i64 - i64::from(w.priority) * aging, w.number);
            let queue = self.waiters.iter().filter(|w| w.state == WaiterState::Waiting);
            let Some(first) = queue.min_by_key(key).cloned() else { return };
            let Some(lease) = self.grant(first.member, first.prefer) else { return };
            self.mails += 1;
            self.counts.handed_over += 1;
            let mailed = self.mails;
            if self.offers(first.member) == 0 {
                self.unclaimed.push((self.now, first.member));
            }
            for waiter in self.waiters.iter_mut().filter(|w| w.number == first.number) {
                waiter.state = WaiterState::Offered(lease);
                waiter.mailed = mailed;
            }
        }
    }

    pub(super) fn resume_member(&mut self, member: usize) {
        if !self.suspended.contains(&member) {
            return;
        }
        self.suspended.retain(|&suspended| suspended != member);
        for waiter in &mut self.waiters {
            if waiter.member == member && waiter.state == WaiterState::Suspended {
                waiter.state = WaiterState::Waiting;
            }
        }
        self.hand_over();
    }

    pub(super) fn offers(&self, member: usize) -> usize {
        let offered =
            |w: &&Waiter| w.member == member && matches!(w.state, WaiterState::Offered(_));
        self.waiters.iter().filter(offered).count()
    }
}
