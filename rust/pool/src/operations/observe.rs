//! Observation: mailboxes, bells, events, counts and the state of upstreams.

use std::sync::Arc;

use crate::event::Event;
use crate::pool::Pool;
use crate::stats::{Counts, UpstreamStats};
use crate::upstreams::health::State;

impl Pool {
    /// Whether the ids of upstreams changed since the member's last [`Pool::take_news`]. O(1).
    #[must_use]
    pub fn has_news(&self, member: u32) -> bool {
        self.members[member as usize].names_version != self.upstreams.names_version
    }

    /// Marks the ids of upstreams as known to the member; returns whether they had changed. O(1).
    pub fn take_news(&mut self, member: u32) -> bool {
        let names_version = &mut self.members[member as usize].names_version;
        std::mem::replace(names_version, self.upstreams.names_version)
            != self.upstreams.names_version
    }

    /// Whether a member's mailbox may have a result. O(1).
    #[must_use]
    pub fn has_mail(&self, member: u32) -> bool {
        !self.members[member as usize].mailbox.is_empty()
    }

    /// Whether a bell has to be rung. O(1).
    #[must_use]
    pub fn has_rings(&self) -> bool {
        !self.rings.is_empty()
    }

    /// The next bell to ring. O(1).
    pub fn take_ring(&mut self) -> Option<u32> {
        self.rings.pop()
    }

    /// The next event for a member. If `fits` returns false, the event stays the next. O(1).
    pub fn next_event(&mut self, member: u32, fits: impl FnOnce(&Event) -> bool) -> Option<Event> {
        let member = &mut self.members[member as usize];
        let (event, next) = self.events.next(member.event)?;
        if !fits(&event) {
            return None;
        }
        member.event = next;
        Some(event)
    }

    /// The counts since the pool was created. O(1).
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The leases in use by all members, the leases in use by one, and the number of waiters. O(1).
    #[must_use]
    pub fn in_use(&self, member: u32) -> (u32, u32, u32) {
        let own = self.members.get(member as usize).map_or(0, |member| member.leases);
        (self.leases.in_use(), own, self.queue.waiting())
    }

    /// The state of each upstream. O(upstreams).
    pub fn upstreams(&self) -> impl Iterator<Item = UpstreamStats> {
        self.upstreams.iter().map(|(index, upstream)| UpstreamStats {
            index,
            id: Arc::clone(&upstream.id),
            state: upstream.health.state(),
            ejected: upstream.health.is_ejected(),
            draining: upstream.draining,
            in_flight: upstream.in_flight,
            max_in_flight: upstream.settings.max_in_flight,
            limit: upstream.limit(self.settings.adaptive.as_ref()),
            weight: upstream.settings.weight,
            tier: upstream.settings.tier,
            granted: upstream.granted,
            failed: upstream.failed,
            failures_in_a_row: upstream.health.failures_in_a_row(),
            rests_for: match upstream.health.state() {
                State::Resting(until) => until.saturating_sub(self.now),
                _ => 0,
            },
        })
    }
}
