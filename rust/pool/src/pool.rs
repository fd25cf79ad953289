//! The pool: members take leases, give them back, and wait.
//!
//! One invariant makes it fair: **whoever is in line is there because nothing is to be had.** Every
//! change that makes room ends in [`Pool::hand_over`], which serves the line until it is empty or
//! nothing is left; so an acquire that finds a free lease overtakes nobody, and no lease lies idle
//! while somebody waits.

use crate::answer::{Acquired, Answer, Refusal};
use crate::event::Events;
use crate::heap::Heap;
use crate::lease::{Lease, Leases, SLOT_BITS};
use crate::line::{Line, Stand};
use crate::member::Member;
use crate::settings::{Outcome, Settings};
use crate::upstream::Upstreams;
use crate::{Counts, EventKind, HealthChange, LeaseId, Millis, NEVER, NONE, State, WaiterId};

/// Upstreams, leases, the line and the members.
#[derive(Clone, Debug)]
pub struct Pool {
    pub(crate) settings: Settings,
    pub(crate) upstreams: Upstreams,
    pub(crate) leases: Leases,
    pub(crate) line: Line,
    pub(crate) members: Vec<Member>,
    pub(crate) resting: Heap<(Millis, u32)>,
    /// Members who have offers to collect, by when they were last known to be awake.
    pub(crate) unclaimed: Heap<(Millis, u32)>,
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
            unclaimed: Heap::new(),
            rings: Vec::new(),
            events: Events::default(),
            counts: Counts::default(),
            now: 0,
            next_due: NEVER,
            caller: NONE,
        }
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
        if let Stand::Offered(lease) = stand {
            self.offer_gone(member);
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
                Stand::Offered(lease) => {
                    self.offer_gone(member);
                    if self.members[member as usize].offers > 0 {
                        self.expect_claim(member);
                    }
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
            self.line.put(slot, Stand::Offered(held));
            self.members[member as usize].offers += 1;
            if self.members[member as usize].offers == 1 {
                self.expect_claim(member);
            }
            self.mail(slot);
        }
    }

    /// A member has something to collect, and is awake as of now.
    fn expect_claim(&mut self, member: u32) {
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
