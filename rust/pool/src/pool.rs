//! The pool: members take leases, give them back, and wait.
//!
//! One invariant makes it fair: **whoever is in line is there because nothing is to be had.** Every
//! change that makes room ends in [`Pool::hand_over`], which serves the line until it is empty or
//! nothing is left; so an acquire that finds a free lease overtakes nobody, and no lease lies idle
//! while somebody waits.

use crate::answer::{Acquired, Answer, Refusal};
use crate::event::Events;
use crate::heap::Heap;
use crate::lease::Leases;
use crate::line::{Line, Stand};
use crate::member::Member;
use crate::settings::{Outcome, Settings};
use crate::upstream::Upstreams;
use crate::{Counts, HealthChange, LeaseId, Millis, NEVER, NONE, UpstreamToken, WaiterId};

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
    pub fn acquire(
        &mut self,
        member: u32,
        prefer: Option<UpstreamToken>,
        now: Millis,
    ) -> Option<LeaseId> {
        self.turn(now, NONE);
        if self.members[member as usize].leaving {
            return None;
        }
        self.grant(member, prefer.unwrap_or(UpstreamToken::NONE))
    }

    /// Takes a lease, or a place in line until `deadline`. O(log n).
    ///
    /// # Errors
    /// [`Refusal::QueueFull`], [`Refusal::Leaving`].
    pub fn wait(
        &mut self,
        member: u32,
        prefer: Option<UpstreamToken>,
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
        let who = (member, prefer.unwrap_or(UpstreamToken::NONE));
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

    /// The upstream of a lease has begun to answer well. If the lease is the probe, that decides:
    /// a stream that goes on for minutes keeps nobody else waiting. O(log n).
    ///
    /// # Errors
    /// [`Refusal::StaleLease`].
    pub fn confirm(&mut self, member: u32, lease: LeaseId, now: Millis) -> Result<(), Refusal> {
        self.turn(now, member);
        let slot = self.leases.find(lease, member).ok_or(Refusal::StaleLease)?;
        if !self.leases.take_probe(slot) {
            return Ok(());
        }
        let index = lease.upstream();
        if self.upstreams.change(index, |upstream| !upstream.removed && upstream.health.confirm()) {
            self.tell(index, HealthChange::Recovered);
            self.rank_again(index);
            self.hand_over();
        }
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
                    self.leases.collect(lease, self.now);
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
}
