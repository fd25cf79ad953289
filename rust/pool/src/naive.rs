//! The reference pool: the oracle of the tests, with lists and linear searches. The same calls must
//! have the same results.
//!
//! [`Health`] and [`AdaptiveLimit`] are shared with the fast pool; they are plain already and have
//! tests of their own.

mod membership;
mod observe;
mod timers;

use crate::event::EventKind;
use crate::settings::{Outcome, Settings, UpstreamSettings};
use crate::stats::Counts;
use crate::time::Millis;
use crate::upstreams::adaptive_limit::AdaptiveLimit;
use crate::upstreams::health::Health;

/// Something that happened: its kind, the index of the upstream, and the two numbers of an event.
pub type Happening = (EventKind, Option<usize>, u64, u64);

/// A lease, by its own number.
pub type Lease = u64;
/// A waiter, by its own number.
pub type WaiterNumber = u64;

/// An upstream.
#[derive(Clone, Debug)]
pub struct NaiveUpstream {
    /// Its settings.
    pub settings: UpstreamSettings,
    health: Health,
    limit: AdaptiveLimit,
    /// Whether it is given no new leases.
    pub draining: bool,
    /// Whether it is removed.
    pub removed: bool,
    last_used: u64,
    /// Leases granted.
    pub granted: u64,
    /// Failures reported.
    pub failed: u64,
}

#[derive(Clone, Debug)]
struct Held {
    lease: Lease,
    upstream: usize,
    member: usize,
    renewed: Millis,
    /// Grows with every renewal, which orders renewals within a millisecond.
    renewal: u64,
    probe: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum WaiterState {
    Waiting,
    Suspended,
    Offered(Lease),
    TimedOut,
}

#[derive(Clone, Debug)]
struct Waiter {
    number: WaiterNumber,
    member: usize,
    prefer: Option<usize>,
    priority: i32,
    arrived: Millis,
    deadline: Millis,
    state: WaiterState,
    /// The number of the mail with its result.
    mailed: u64,
}

/// The reference pool.
#[derive(Clone, Debug)]
pub struct Naive {
    settings: Settings,
    /// The upstreams by index.
    pub upstreams: Vec<NaiveUpstream>,
    held: Vec<Held>,
    waiters: Vec<Waiter>,
    suspended: Vec<usize>,
    /// Members with uncollected offers, and when they were last known to be active.
    unclaimed: Vec<(Millis, usize)>,
    leaving: Vec<usize>,
    now: Millis,
    granted: u64,
    waiters_made: u64,
    mails: u64,
    renewals: u64,
    counts: Counts,
    events: Vec<Happening>,
}

impl Naive {
    /// A pool without upstreams.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let settings = Settings { claim: settings.claim.min(settings.lease_ttl), ..settings };
        Self {
            settings,
            upstreams: Vec::new(),
            held: Vec::new(),
            waiters: Vec::new(),
            suspended: Vec::new(),
            unclaimed: Vec::new(),
            leaving: Vec::new(),
            now: 0,
            granted: 0,
            waiters_made: 0,
            mails: 0,
            renewals: 0,
            counts: Counts::default(),
            events: Vec::new(),
        }
    }

    /// Adds an upstream after the others.
    pub fn add(&mut self, settings: UpstreamSettings, now: Millis) {
        self.tick(now);
        let limit = AdaptiveLimit::new(settings.max_in_flight);
        let health = Health::new();
        let (draining, removed, last_used) = (false, false, 0);
        self.upstreams.push(NaiveUpstream {
            settings,
            health,
            limit,
            draining,
            removed,
            last_used,
            granted: 0,
            failed: 0,
        });
        self.hand_over();
    }

    /// Changes an upstream.
    pub fn change(&mut self, index: usize, now: Millis, change: impl FnOnce(&mut NaiveUpstream)) {
        self.tick(now);
        let upstream = &mut self.upstreams[index];
        let before = upstream.settings.max_in_flight;
        change(upstream);
        upstream.limit.resize(before, upstream.settings.max_in_flight);
        self.hand_over();
    }

    /// Takes a lease if one is available.
    pub fn acquire(&mut self, member: usize, prefer: Option<usize>, now: Millis) -> Option<Lease> {
        self.tick(now);
        if self.leaving.contains(&member) { None } else { self.grant(member, prefer) }
    }

    /// Takes a lease (`Ok`), joins the queue (`Err(Some)`), or is refused (`Err(None)`).
    pub fn wait(
        &mut self,
        member: usize,
        prefer: Option<usize>,
        priority: i32,
        timeout: Millis,
        now: Millis,
    ) -> Result<Lease, Option<WaiterNumber>> {
        if let Some(lease) = self.acquire(member, prefer, now) {
            return Ok(lease);
        }
        if self.leaving.contains(&member) {
            return Err(None);
        }
        self.resume_member(member);
        if self.waiting() as u32 >= self.settings.queue_max {
            self.counts.refused += 1;
            return Err(None);
        }
        self.waiters_made += 1;
        self.waiters.push(Waiter {
            number: self.waiters_made,
            member,
            prefer,
            priority,
            arrived: self.now,
            deadline: self.now.saturating_add(timeout),
            state: WaiterState::Waiting,
            mailed: 0,
        });
        Err(Some(self.waiters_made))
    }

    /// Leaves the queue; returns whether the waiter existed.
    pub fn cancel(&mut self, member: usize, number: WaiterNumber, now: Millis) -> bool {
        self.tick(now);
        let find = |w: &Waiter| w.number == number && w.member == member;
        let Some(index) = self.waiters.iter().position(find) else { return false };
        self.counts.cancelled += 1;
        if let WaiterState::Offered(lease) = self.waiters.remove(index).state {
            if self.offers(member) == 0 {
                self.unclaimed.retain(|&(_, awake)| awake != member);
            }
            self.end(lease, Outcome::Unknown, 0);
            self.hand_over();
        }
        true
    }

    /// Returns a lease; returns whether it was held.
    pub fn release(
        &mut self,
        member: usize,
        lease: Lease,
        outcome: Outcome,
        rest: Millis,
        now: Millis,
    ) -> bool {
        self.tick(now);
        let live = self.holds(member, lease);
        if live {
            self.end(lease, outcome, rest);
            self.hand_over();
        }
        live
    }

    /// Restarts a lease's time to live; returns whether it was held.
    pub fn renew(&mut self, member: usize, lease: Lease, now: Millis) -> bool {
        self.tick(now);
        let live = self.holds(member, lease);
        if live {
            self.start_anew(lease);
        }
        live
    }

    fn start_anew(&mut self, lease: Lease) {
        self.renewals += 1;
        for held in self.held.iter_mut().filter(|held| held.lease == lease) {
            (held.renewed, held.renewal) = (self.now, self.renewals);
        }
    }

    /// Whether a member holds a lease and has collected it.
    fn holds(&self, member: usize, lease: Lease) -> bool {
        self.held.iter().any(|held| held.lease == lease && held.member == member)
            && !self.waiters.iter().any(|waiter| waiter.state == WaiterState::Offered(lease))
    }

    /// Reports that the upstream of a lease has begun to answer well; returns whether the lease was
    /// held.
    pub fn confirm(&mut self, member: usize, lease: Lease, now: Millis) -> bool {
        self.tick(now);
        if !self.holds(member, lease) {
            return false;
        }
        let find = |held: &&mut Held| held.lease == lease;
        let Some(held) = self.held.iter_mut().find(find) else { return false };
        let index = held.upstream;
        let upstream = &mut self.upstreams[index];
        if std::mem::take(&mut held.probe) && !upstream.removed && upstream.health.confirm() {
            self.events.push((EventKind::Recovered, Some(index), 0, 0));
            self.hand_over();
        }
        true
    }

    /// The next result: a waiter, and its lease unless it timed out.
    pub fn collect(&mut self, member: usize, now: Millis) -> Option<(WaiterNumber, Option<Lease>)> {
        self.tick(now);
        self.resume_member(member);
        let answered = |w: &&Waiter| {
            w.member == member && matches!(w.state, WaiterState::Offered(_) | WaiterState::TimedOut)
        };
        let next = self.waiters.iter().filter(answered).min_by_key(|w| w.mailed)?.clone();
        self.waiters.retain(|w| w.number != next.number);
        let WaiterState::Offered(lease) = next.state else { return Some((next.number, None)) };
        let now = self.now;
        self.unclaimed.retain(|&(_, awake)| awake != member);
        if self.offers(member) > 0 {
            self.unclaimed.push((now, member));
        }
        self.start_anew(lease);
        Some((next.number, Some(lease)))
    }
}
