//! The pool: members take leases, give them back, and wait.
//!
//! One invariant makes it fair: **whoever is in line is there because nothing is to be had.** Every
//! change that makes room ends in [`Pool::hand_over`], which serves the line until it is empty or
//! nothing is left; so an acquire that finds a free lease overtakes nobody, and no lease lies idle
//! while somebody waits.

use crate::event::Events;
use crate::heap::Heap;
use crate::lease::{Lease, Leases, SLOT_BITS};
use crate::line::{Line, Stand};
use crate::member::Member;
use crate::settings::{Outcome, Settings, UpstreamSettings};
use crate::upstream::Upstreams;
use crate::{
    Counts, Event, EventKind, HealthChange, LeaseId, Millis, NEVER, NONE, State, UpstreamStats,
    WaiterId,
};

/// What an acquire that may wait comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// A lease, at once.
    Lease(LeaseId),
    /// A place in line; the answer comes to the mailbox.
    Place(WaiterId),
}

/// What became of a place in line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was handed a lease.
    Lease(LeaseId),
    /// Its time ran out.
    TimedOut,
}

/// Why a call had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The line is full.
    QueueFull,
    /// The member is leaving.
    Leaving,
    /// The lease is not in use, or not this member's.
    StaleLease,
    /// The id of an upstream is taken.
    DuplicateUpstream,
    /// There are 4096 upstreams, or members, already.
    TooMany,
}

/// What of an upstream can be changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Setting {
    /// How many leases of it may be in use.
    MaxInFlight(u32),
    /// Its share of the load.
    Weight(f64),
    /// Its tier.
    Tier(u32),
    /// Whether it is given no new leases.
    Draining(bool),
}

/// Upstreams, leases, the line and the members.
#[derive(Clone, Debug)]
pub struct Pool {
    pub(crate) settings: Settings,
    pub(crate) upstreams: Upstreams,
    pub(crate) leases: Leases,
    pub(crate) line: Line,
    pub(crate) members: Vec<Member>,
    pub(crate) resting: Heap<(Millis, u32)>,
    /// Offers in the order they were made; some may be collected or revoked.
    pub(crate) offers: std::collections::VecDeque<(Millis, WaiterId)>,
    pub(crate) rings: Vec<u32>,
    pub(crate) events: Events,
    pub(crate) counts: Counts,
    /// The latest time that was told.
    pub(crate) now: Millis,
    /// Nothing is due before.
    pub(crate) next_due: Millis,
    /// The member whose call this is and who looks at its mailbox afterwards: no need to ring.
    pub(crate) caller: u32,
}

impl Pool {
    /// A pool without upstreams and members.
    #[must_use]
    pub fn new(mut settings: Settings) -> Self {
        settings.claim = settings.claim.min(settings.lease_ttl);
        Self {
            settings,
            upstreams: Upstreams::new(),
            leases: Leases::new(),
            line: Line::new(),
            members: Vec::new(),
            resting: Heap::new(),
            offers: std::collections::VecDeque::new(),
            rings: Vec::new(),
            events: Events::default(),
            counts: Counts::default(),
            now: 0,
            next_due: NEVER,
            caller: NONE,
        }
    }

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

    /// Takes a lease if one is to be had; never waits. O(log n).
    pub fn acquire(&mut self, member: u32, prefer: Option<u32>, now: Millis) -> Option<LeaseId> {
        self.turn(now, NONE);
        if self.members[member as usize].leaving {
            return None;
        }
        self.grant(member, prefer.unwrap_or(NONE))
    }

    /// Takes a lease, or a place in line until `deadline`. O(log n).
    ///
    /// # Errors
    /// [`Refusal::QueueFull`], [`Refusal::Leaving`].
    pub fn wait(
        &mut self,
        member: u32,
        prefer: Option<u32>,
        priority: i32,
        timeout: Millis,
        now: Millis,
    ) -> Result<Acquired, Refusal> {
        if let Some(lease) = self.acquire(member, prefer, now) {
            return Ok(Acquired::Lease(lease));
        }
        if self.members[member as usize].leaving {
            return Err(Refusal::Leaving);
        }
        self.rouse(member);
        if self.line.waiting() >= self.settings.queue_max || self.line.is_full() {
            self.counts.refused += 1;
            return Err(Refusal::QueueFull);
        }
        let now = self.now;
        let deadline = now.saturating_add(timeout);
        let aging = i64::try_from(self.settings.aging).unwrap_or(i64::MAX);
        let head_start = i64::from(priority).saturating_mul(aging);
        let who = (member, prefer.unwrap_or(NONE));
        let place = self.line.join(who, head_start, deadline, now);
        self.next_due = self.next_due.min(deadline);
        Ok(Acquired::Place(place))
    }

    /// Gives a place in line up; a lease that it was handed goes on to the next. Returns whether
    /// the place was still there. O(log n).
    pub fn cancel(&mut self, member: u32, place: WaiterId, now: Millis) -> bool {
        self.turn(now, member);
        let Some(slot) = self.line.find(place).filter(|&s| self.line.get(s).member == member)
        else {
            return false;
        };
        let stand = self.line.get(slot).stand;
        self.line.put(slot, Stand::Free);
        self.counts.cancelled += 1;
        if let Stand::Offered(lease, _) = stand {
            self.end(lease, Outcome::Unknown, 0);
            self.hand_over();
        }
        true
    }

    /// Gives a lease back and says how it went; `rest` is how long the upstream asked to be left
    /// alone (0: it did not). O(log n).
    ///
    /// # Errors
    /// [`Refusal::StaleLease`]; nothing changes then.
    pub fn release(
        &mut self,
        member: u32,
        lease: LeaseId,
        outcome: Outcome,
        rest: Millis,
        now: Millis,
    ) -> Result<(), Refusal> {
        self.turn(now, member);
        let slot = self.leases.find(lease, member).ok_or(Refusal::StaleLease)?;
        self.end(slot, outcome, rest);
        self.hand_over();
        Ok(())
    }

    /// Starts a lease's time anew. O(1).
    ///
    /// # Errors
    /// [`Refusal::StaleLease`].
    pub fn renew(&mut self, member: u32, lease: LeaseId, now: Millis) -> Result<(), Refusal> {
        self.turn(now, member);
        let slot = self.leases.find(lease, member).ok_or(Refusal::StaleLease)?;
        self.leases.renew(slot, self.now);
        Ok(())
    }

    /// The next answer in a member's mailbox. O(log n), amortised.
    pub fn collect(&mut self, member: u32, now: Millis) -> Option<(WaiterId, Answer)> {
        self.turn(now, member);
        self.rouse(member);
        while let Some(place) = self.members[member as usize].mailbox.pop_front() {
            let Some(slot) = self.line.find(place) else { continue };
            let answer = match self.line.get(slot).stand {
                Stand::Offered(lease, _) => {
                    // Its time begins when it is in somebody's hands.
                    self.leases.renew(lease, self.now);
                    Answer::Lease(self.leases.id(lease))
                }
                Stand::TimedOut => Answer::TimedOut,
                // Revoked meanwhile; it will be in the mailbox again.
                Stand::Waiting | Stand::Aside | Stand::Free => continue,
            };
            self.line.put(slot, Stand::Free);
            return Some((place, answer));
        }
        self.members[member as usize].rung = false;
        None
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
        let upstream = self.upstreams.get_mut(index);
        match setting {
            Setting::MaxInFlight(max) => {
                upstream.limit.resize(upstream.settings.max_in_flight, max);
                upstream.settings.max_in_flight = max;
            }
            Setting::Weight(weight) => upstream.settings.weight = weight,
            Setting::Tier(tier) => upstream.settings.tier = tier,
            Setting::Draining(draining) => upstream.draining = draining,
        }
        self.rank_again(index);
        self.hand_over();
    }

    /// The index of an upstream that is not removed. O(1).
    #[must_use]
    pub fn find_upstream(&self, id: &str) -> Option<u32> {
        self.upstreams.find(id)
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

    /// The member knows that ids changed. O(1).
    pub fn take_news(&mut self, member: u32) {
        self.members[member as usize].edition = self.upstreams.edition;
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
            self.events.push(EventKind::Reaped, NONE, leases, waiters);
        }
        self.hand_over();
    }

    /// The next event that a member was not told. O(1).
    pub fn next_event(&mut self, member: u32) -> Option<Event> {
        let member = &mut self.members[member as usize];
        let (event, next) = self.events.next(member.event)?;
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
            state: upstream.health.state(),
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

    /// A lease for `member`, if one is to be had.
    fn grant(&mut self, member: u32, prefer: u32) -> Option<LeaseId> {
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
        let (now, count) = (self.now, self.upstreams.len());
        let out = f64::from(self.upstreams.out);
        let upstream = self.upstreams.get_mut(index);
        if let Some(adaptive) = &self.settings.adaptive {
            let (in_flight, max) = (upstream.in_flight, upstream.settings.max_in_flight);
            let grants = (grant, self.counts.granted);
            upstream.limit.record(outcome, grants, in_flight, max, adaptive);
        }
        upstream.in_flight -= 1;
        if matches!(outcome, Outcome::Failed | Outcome::Overloaded) {
            upstream.failed += 1;
        }
        if upstream.removed {
            self.upstreams.reclaim(index);
            return;
        }
        let was_out = upstream.health.state() != State::Healthy;
        let health = &self.settings.health;
        let may_eject = out + 1.0 <= health.max_ejected * count as f64;
        let change = upstream.health.record(outcome, rest, probe, may_eject, health, now);
        let state = upstream.health.state();
        self.upstreams.out += u32::from(state != State::Healthy);
        self.upstreams.out -= u32::from(was_out);
        if let Some(change) = change {
            self.tell(index, state, change);
        }
        self.rank_again(index);
    }

    fn tell(&mut self, index: u32, state: State, change: HealthChange) {
        if let State::Resting(until) = state {
            self.resting.set(index, (until, index));
            self.next_due = self.next_due.min(until);
        }
        match change {
            HealthChange::Ejected(rest) => {
                self.counts.ejections += 1;
                self.events.push(EventKind::Ejected, index, rest, 0);
            }
            HealthChange::Cooling(rest) => self.events.push(EventKind::Cooling, index, rest, 0),
            HealthChange::Recovered => self.events.push(EventKind::Recovered, index, 0, 0),
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
            self.line.put(slot, Stand::Offered(held, self.now));
            self.offers.push_back((self.now, self.line.id(slot)));
            self.next_due = self.next_due.min(self.now.saturating_add(self.settings.claim));
            self.mail(slot);
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

    fn give_places_up(&mut self, member: u32) -> u64 {
        let slots = self.line.of(member);
        for &slot in &slots {
            let stand = self.line.get(slot).stand;
            self.line.put(slot, Stand::Free);
            if let Stand::Offered(lease, _) = stand {
                self.end(lease, Outcome::Unknown, 0);
            }
        }
        self.members[member as usize].mailbox.clear();
        slots.len() as u64
    }
}
