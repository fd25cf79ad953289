//! The pool: members acquire and release leases, and wait for them in a queue.
//!
//! One invariant makes it fair: **a waiter is in the queue only while no lease is available.**
//! Every change that makes room ends in [`Pool::hand_over`], which serves the queue until it is
//! empty or no lease is available. So an acquire that finds a lease overtakes no waiter, and no
//! lease is idle while a caller waits.

use crate::event::EventLog;
use crate::index::NONE;
use crate::indexed_heap::IndexedHeap;
use crate::lease::{LeaseId, Leases, MAX_LEASES};
use crate::member::Member;
use crate::results::{Acquired, Refusal, WaitResult};
use crate::settings::{Outcome, Settings};
use crate::shared::session::Session;
use crate::stats::Counts;
use crate::time::{Millis, NEVER};
use crate::upstreams::health::HealthChange;
use crate::upstreams::token::UpstreamToken;
use crate::upstreams::upstream::Upstreams;
use crate::wait_queue::{WaitQueue, WaiterId, WaiterState};

/// Upstreams, leases, the wait queue and the members.
#[derive(Clone, Debug)]
pub struct Pool {
    pub(crate) settings: Settings,
    /// The most leases in use in this process.
    pub(crate) ceiling: u32,
    /// Set if other processes share the limits.
    pub(crate) session: Option<Box<Session>>,
    pub(crate) upstreams: Upstreams,
    pub(crate) leases: Leases,
    pub(crate) queue: WaitQueue,
    pub(crate) members: Vec<Member>,
    pub(crate) resting: IndexedHeap<(Millis, u32)>,
    /// Members with uncollected offers, by the time when they were last known to be active.
    pub(crate) unclaimed: IndexedHeap<(Millis, u32)>,
    pub(crate) rings: Vec<u32>,
    pub(crate) events: EventLog,
    pub(crate) counts: Counts,
    /// The latest time of a call.
    pub(crate) now: Millis,
    /// No timer is due before this time.
    pub(crate) next_due: Millis,
    /// The member that makes the current call and collects its mail afterwards: its bell need not
    /// be rung.
    pub(crate) caller: u32,
}

impl Pool {
    /// A pool without upstreams and members.
    #[must_use]
    pub fn new(mut settings: Settings) -> Self {
        settings.claim = settings.claim.min(settings.lease_ttl);
        Self {
            ceiling: settings.max_in_flight.min(MAX_LEASES),
            session: None,
            settings,
            upstreams: Upstreams::new(),
            leases: Leases::new(),
            queue: WaitQueue::new(),
            members: Vec::new(),
            resting: IndexedHeap::new(),
            unclaimed: IndexedHeap::new(),
            rings: Vec::new(),
            events: EventLog::default(),
            counts: Counts::default(),
            now: 0,
            next_due: NEVER,
            caller: NONE,
        }
    }

    /// Takes a lease if one is available; never waits. O(log n).
    pub fn acquire(
        &mut self,
        member: u32,
        prefer: Option<UpstreamToken>,
        now: Millis,
    ) -> Option<LeaseId> {
        self.advance(now, NONE);
        if self.members[member as usize].leaving {
            return None;
        }
        self.grant(member, prefer.unwrap_or(UpstreamToken::NONE))
    }

    /// Takes a lease, or joins the wait queue for at most `timeout`. O(log n).
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
        self.resume_member(member);
        if self.queue.waiting() >= self.settings.queue_max || self.queue.is_full() {
            self.counts.refused += 1;
            return Err(Refusal::QueueFull);
        }
        let now = self.now;
        let deadline = now.saturating_add(timeout);
        let aging = i64::try_from(self.settings.aging).unwrap_or(i64::MAX);
        let head_start = i64::from(priority).saturating_mul(aging);
        let who = (member, prefer.unwrap_or(UpstreamToken::NONE));
        let waiter_id = self.queue.enqueue(who, head_start, deadline, now);
        self.next_due = self.next_due.min(deadline);
        Ok(Acquired::Queued(waiter_id))
    }

    /// Leaves the wait queue. A lease that was handed over goes to the next waiter. Returns whether
    /// the waiter existed. O(log n).
    pub fn cancel(&mut self, member: u32, waiter_id: WaiterId, now: Millis) -> bool {
        self.advance(now, member);
        let Some(slot) = self.queue.find(waiter_id).filter(|&s| self.queue.get(s).member == member)
        else {
            return false;
        };
        let state = self.queue.get(slot).state;
        self.queue.set_state(slot, WaiterState::Free);
        self.counts.cancelled += 1;
        if let WaiterState::Offered(lease) = state {
            self.offer_ended(member);
            self.end(lease, Outcome::Unknown, 0);
            self.hand_over();
        }
        true
    }

    /// Returns a lease with the request's outcome. `rest` is how long the upstream asked not to be
    /// used (0: it did not ask). O(log n).
    ///
    /// # Errors
    /// [`Refusal::StaleLease`]; nothing is changed then.
    pub fn release(
        &mut self,
        member: u32,
        lease: LeaseId,
        outcome: Outcome,
        rest: Millis,
        now: Millis,
    ) -> Result<(), Refusal> {
        self.advance(now, member);
        let slot = self.leases.find(lease, member).ok_or(Refusal::StaleLease)?;
        self.end(slot, outcome, rest);
        self.hand_over();
        Ok(())
    }

    /// Restarts a lease's time to live. O(1).
    ///
    /// # Errors
    /// [`Refusal::StaleLease`].
    pub fn renew(&mut self, member: u32, lease: LeaseId, now: Millis) -> Result<(), Refusal> {
        self.advance(now, member);
        let slot = self.leases.find(lease, member).ok_or(Refusal::StaleLease)?;
        self.leases.renew(slot, self.now);
        Ok(())
    }

    /// Reports that the upstream of a lease has begun to answer well. If the lease is the probe,
    /// the upstream is healthy from now on: a stream of minutes does not keep other callers
    /// waiting. O(log n).
    ///
    /// # Errors
    /// [`Refusal::StaleLease`].
    pub fn confirm(&mut self, member: u32, lease: LeaseId, now: Millis) -> Result<(), Refusal> {
        self.advance(now, member);
        let slot = self.leases.find(lease, member).ok_or(Refusal::StaleLease)?;
        if !self.leases.take_probe(slot) {
            return Ok(());
        }
        let index = lease.upstream();
        if self.upstreams.change(index, |upstream| !upstream.removed && upstream.health.confirm()) {
            self.share_health_change(index, HealthChange::Recovered);
            self.publish_health_change(index, HealthChange::Recovered);
            self.update_rank(index);
            self.hand_over();
        }
        Ok(())
    }

    /// The next result in a member's mailbox. Amortized O(log n).
    pub fn collect(&mut self, member: u32, now: Millis) -> Option<(WaiterId, WaitResult)> {
        self.advance(now, member);
        self.resume_member(member);
        while let Some(waiter_id) = self.members[member as usize].mailbox.pop_front() {
            let Some(slot) = self.queue.find(waiter_id) else { continue };
            let answer = match self.queue.get(slot).state {
                WaiterState::Offered(lease) => {
                    self.offer_ended(member);
                    if self.members[member as usize].offers > 0 {
                        self.start_claim_timer(member);
                    }
                    self.leases.collect(lease, self.now);
                    WaitResult::Lease(self.leases.id(lease))
                }
                WaiterState::TimedOut => WaitResult::TimedOut,
                // The offer was revoked meanwhile; the waiter will be in the mailbox again.
                WaiterState::Waiting | WaiterState::Suspended | WaiterState::Free => continue,
            };
            self.queue.set_state(slot, WaiterState::Free);
            return Some((waiter_id, answer));
        }
        self.members[member as usize].rung = false;
        None
    }
}
