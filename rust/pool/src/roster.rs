//! Who takes part in a pool and what it is made of, at run time; and what it tells of itself.

use std::sync::Arc;

use crate::answer::{Refusal, Setting};
use crate::line::Stand;
use crate::member::Member;
use crate::pool::Pool;
use crate::settings::{Outcome, Settings, UpstreamSettings};
use crate::{Counts, Event, EventKind, Millis, NONE, State, UpstreamStats, UpstreamToken};

impl Pool {
    /// A new member, whose bell is called `bell`. O(members).
    pub fn join(&mut self, bell: u32) -> Result<u32, Refusal> {
        let free = self.members.iter().position(|member| !member.present);
        let index = free.unwrap_or(self.members.len());
        if index == 1 << 12 {
            return Err(Refusal::TooMany);
        }
        let member = Member { present: true, bell, event: self.events.end(), ..Member::default() };
        match self.members.get_mut(index) {
            Some(place) => *place = member,
            None => self.members.push(member),
        }
        Ok(index as u32)
    }

    /// The name that [`Pool::take_ring`] calls a member by. O(1).
    pub fn set_bell(&mut self, member: u32, bell: u32) {
        self.members[member as usize].bell = bell;
    }

    /// How many members there are. O(members).
    #[must_use]
    pub fn members(&self) -> usize {
        self.members.iter().filter(|member| member.present).count()
    }

    /// No new leases for a member, and its places in line are given up; it keeps its leases.
    /// Returns how many those are. O(places).
    pub fn leave(&mut self, member: u32, now: Millis) -> u32 {
        self.turn(now, NONE);
        self.members[member as usize].leaving = true;
        self.give_places_up(member);
        self.hand_over();
        self.members[member as usize].leases
    }

    /// No new leases for a member; who is in line stays there. O(1).
    pub fn retire(&mut self, member: u32) -> u32 {
        self.members[member as usize].leaving = true;
        self.members[member as usize].leases
    }

    /// A member is gone: its leases come back, and its places are given up. O(leases + places).
    pub fn reap(&mut self, member: u32, now: Millis) {
        self.turn(now, NONE);
        let waiters = self.give_places_up(member);
        let leases = self.leases.of(member);
        for &slot in &leases {
            self.end(slot, Outcome::Unknown, 0);
        }
        let leases = leases.len() as u64;
        self.counts.reaped += leases;
        self.members[member as usize] = Member::default();
        if leases + waiters > 0 {
            self.events.push(EventKind::Reaped, None, leases, waiters);
        }
        self.hand_over();
    }

    /// Adds an upstream. O(log n).
    ///
    /// # Errors
    /// [`Refusal::DuplicateUpstream`], [`Refusal::TooMany`].
    pub fn add_upstream(
        &mut self,
        id: &str,
        settings: UpstreamSettings,
        now: Millis,
    ) -> Result<u32, Refusal> {
        self.turn(now, NONE);
        if self.upstreams.find(id).is_some() {
            return Err(Refusal::DuplicateUpstream);
        }
        let index = self.upstreams.add(id, settings).ok_or(Refusal::TooMany)?;
        self.rank_again(index);
        self.hand_over();
        Ok(index)
    }

    /// Takes an upstream out; leases of it live on. O(log n).
    pub fn remove_upstream(&mut self, index: u32, now: Millis) {
        self.turn(now, NONE);
        self.resting.remove(index);
        self.upstreams.remove(index);
    }

    /// Changes an upstream. O(log n).
    pub fn change_upstream(&mut self, index: u32, setting: Setting, now: Millis) {
        self.turn(now, NONE);
        self.upstreams.change(index, |upstream| match setting {
            Setting::MaxInFlight(max) => {
                upstream.limit.resize(upstream.settings.max_in_flight, max);
                upstream.settings.max_in_flight = max;
            }
            Setting::Weight(weight) => upstream.settings.weight = weight,
            Setting::Tier(tier) => upstream.settings.tier = tier,
            Setting::Draining(draining) => upstream.draining = draining,
        });
        self.rank_again(index);
        self.hand_over();
    }

    /// The index of an upstream that is not removed. O(1).
    #[must_use]
    pub fn find_upstream(&self, id: &str) -> Option<u32> {
        self.upstreams.find(id)
    }

    /// What names an upstream that is preferred, as long as it is in the pool. O(1).
    #[must_use]
    pub fn token(&self, index: u32) -> UpstreamToken {
        self.upstreams.token(index)
    }

    /// The id of an upstream, also of a removed one while leases of it are in use. O(1).
    #[must_use]
    pub fn upstream_id(&self, index: u32) -> Option<&str> {
        self.upstreams.named(index).map(|upstream| &*upstream.id)
    }

    /// Whether the ids of upstreams changed since the member asked last. O(1).
    #[must_use]
    pub fn has_news(&self, member: u32) -> bool {
        self.members[member as usize].edition != self.upstreams.edition
    }

    /// The member knows that ids changed; returns whether they did. O(1).
    pub fn take_news(&mut self, member: u32) -> bool {
        let edition = &mut self.members[member as usize].edition;
        std::mem::replace(edition, self.upstreams.edition) != self.upstreams.edition
    }

    /// Whether a member's mailbox has something in it, perhaps. O(1).
    #[must_use]
    pub fn has_mail(&self, member: u32) -> bool {
        !self.members[member as usize].mailbox.is_empty()
    }

    /// Whether somebody is to be rung. O(1).
    #[must_use]
    pub fn has_rings(&self) -> bool {
        !self.rings.is_empty()
    }

    /// The next bell to ring. O(1).
    pub fn take_ring(&mut self) -> Option<u32> {
        self.rings.pop()
    }

    /// The next event that a member was not told, unless `fits` refuses it: then it is the next again. O(1).
    pub fn next_event(&mut self, member: u32, fits: impl FnOnce(&Event) -> bool) -> Option<Event> {
        let member = &mut self.members[member as usize];
        let (event, next) = self.events.next(member.event)?;
        if !fits(&event) {
            return None;
        }
        member.event = next;
        Some(event)
    }

    /// What happened so far. O(1).
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Leases in use, of all members and of one, and who waits. O(1).
    #[must_use]
    pub fn in_use(&self, member: u32) -> (u32, u32, u32) {
        let own = self.members.get(member as usize).map_or(0, |member| member.leases);
        (self.leases.in_use(), own, self.line.waiting())
    }

    /// The settings as they are now.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Another total. O(handed over).
    pub fn set_max_in_flight(&mut self, max: u32, now: Millis) {
        self.turn(now, NONE);
        self.settings.max_in_flight = max;
        self.hand_over();
    }

    /// The upstreams one by one. O(upstreams).
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

    fn give_places_up(&mut self, member: u32) -> u64 {
        let slots = self.line.of(member);
        for &slot in &slots {
            let stand = self.line.get(slot).stand;
            self.line.put(slot, Stand::Free);
            if let Stand::Offered(lease) = stand {
                self.offer_gone(member);
                self.end(lease, Outcome::Unknown, 0);
            }
        }
        self.members[member as usize].mailbox.clear();
        slots.len() as u64
    }
}
