//! The pool as one would write it first: lists, and a search for everything. It is the oracle of
//! the tests: the same calls must come to the same results.
//!
//! [`Health`] and [`Limit`] are shared with the fast one; they are plain already and have tests of
//! their own.

mod tell;
mod turn;

pub use tell::Happening;

use crate::{Counts, EventKind, Health, Limit, Millis, Outcome, Settings, UpstreamSettings};

/// A lease, by its own number.
pub type Lease = u64;
/// A place in line, by its own number.
pub type Place = u64;

/// An upstream.
#[derive(Clone, Debug)]
pub struct NaiveUpstream {
    /// What was said of it.
    pub settings: UpstreamSettings,
    health: Health,
    limit: Limit,
    /// Whether it is given no new leases.
    pub draining: bool,
    /// Whether it is gone.
    pub removed: bool,
    last_used: u64,
    /// Leases granted.
    pub granted: u64,
    /// Failures told.
    pub failed: u64,
}

#[derive(Clone, Debug)]
struct Held {
    lease: Lease,
    upstream: usize,
    member: usize,
    renewed: Millis,
    /// Grows with every renewal, so that there is an order within a millisecond.
    renewal: u64,
    probe: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Line,
    Aside,
    Offered(Lease),
    TimedOut,
}

#[derive(Clone, Debug)]
struct Waiter {
    place: Place,
    member: usize,
    prefer: Option<usize>,
    priority: i32,
    arrived: Millis,
    deadline: Millis,
    at: At,
    /// When its answer was mailed.
    mailed: u64,
}

/// The whole of it.
#[derive(Clone, Debug)]
pub struct Naive {
    settings: Settings,
    /// The upstreams by index.
    pub upstreams: Vec<NaiveUpstream>,
    held: Vec<Held>,
    waiters: Vec<Waiter>,
    asleep: Vec<usize>,
    /// When the members were last known to be awake who have offers to collect.
    unclaimed: Vec<(Millis, usize)>,
    leaving: Vec<usize>,
    now: Millis,
    granted: u64,
    places: u64,
    mails: u64,
    renewals: u64,
    counts: Counts,
    events: Vec<Happening>,
}

impl Naive {
    /// One without upstreams.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let settings = Settings { claim: settings.claim.min(settings.lease_ttl), ..settings };
        Self {
            settings,
            upstreams: Vec::new(),
            held: Vec::new(),
            waiters: Vec::new(),
            asleep: Vec::new(),
            unclaimed: Vec::new(),
            leaving: Vec::new(),
            now: 0,
            granted: 0,
            places: 0,
            mails: 0,
            renewals: 0,
            counts: Counts::default(),
            events: Vec::new(),
        }
    }

    /// Adds an upstream behind the others.
    pub fn add(&mut self, settings: UpstreamSettings, now: Millis) {
        self.tick(now);
        let limit = Limit::new(settings.max_in_flight);
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

    /// A lease of which upstream, if any.
    pub fn acquire(&mut self, member: usize, prefer: Option<usize>, now: Millis) -> Option<Lease> {
        self.tick(now);
        if self.leaving.contains(&member) { None } else { self.grant(member, prefer) }
    }

    /// A lease (`Ok`) or a place (`Err(Some)`), or neither.
    pub fn wait(
        &mut self,
        member: usize,
        prefer: Option<usize>,
        priority: i32,
        timeout: Millis,
        now: Millis,
    ) -> Result<Lease, Option<Place>> {
        if let Some(lease) = self.acquire(member, prefer, now) {
            return Ok(lease);
        }
        if self.leaving.contains(&member) {
            return Err(None);
        }
        self.rouse(member);
        if self.waiting() as u32 >= self.settings.queue_max {
            self.counts.refused += 1;
            return Err(None);
        }
        self.places += 1;
        self.waiters.push(Waiter {
            place: self.places,
            member,
            prefer,
            priority,
            arrived: self.now,
            deadline: self.now.saturating_add(timeout),
            at: At::Line,
            mailed: 0,
        });
        Err(Some(self.places))
    }

    /// Gives a place up.
    pub fn cancel(&mut self, member: usize, place: Place, now: Millis) -> bool {
        self.tick(now);
        let find = |w: &Waiter| w.place == place && w.member == member;
        let Some(index) = self.waiters.iter().position(find) else { return false };
        self.counts.cancelled += 1;
        if let At::Offered(lease) = self.waiters.remove(index).at {
            if self.offers(member) == 0 {
                self.unclaimed.retain(|&(_, awake)| awake != member);
            }
            self.end(lease, Outcome::Unknown, 0);
            self.hand_over();
        }
        true
    }

    /// Gives a lease back.
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

    /// Starts a lease's time anew.
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

    /// Whether a member has collected a lease and not given it back.
    fn holds(&self, member: usize, lease: Lease) -> bool {
        self.held.iter().any(|held| held.lease == lease && held.member == member)
            && !self.waiters.iter().any(|waiter| waiter.at == At::Offered(lease))
    }

    /// The upstream of a lease has begun to answer well.
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

    /// The next answer: a place, and its lease unless it timed out.
    pub fn collect(&mut self, member: usize, now: Millis) -> Option<(Place, Option<Lease>)> {
        self.tick(now);
        self.rouse(member);
        let answered =
            |w: &&Waiter| w.member == member && matches!(w.at, At::Offered(_) | At::TimedOut);
        let next = self.waiters.iter().filter(answered).min_by_key(|w| w.mailed)?.clone();
        self.waiters.retain(|w| w.place != next.place);
        let At::Offered(lease) = next.at else { return Some((next.place, None)) };
        let now = self.now;
        self.unclaimed.retain(|&(_, awake)| awake != member);
        if self.offers(member) > 0 {
            self.unclaimed.push((now, member));
        }
        self.start_anew(lease);
        Some((next.place, Some(lease)))
    }

    /// A member leaves: its places are given up, its leases remain.
    pub fn leave(&mut self, member: usize, now: Millis) {
        self.tick(now);
        self.leaving.push(member);
        self.give_places_up(member);
        self.hand_over();
    }

    /// No new leases for a member; its places remain.
    pub fn retire(&mut self, member: usize) {
        self.leaving.push(member);
    }

    /// Another total.
    pub fn set_max_in_flight(&mut self, max: u32, now: Millis) {
        self.tick(now);
        self.settings.max_in_flight = max;
        self.hand_over();
    }

    /// A member is gone, and another takes its place.
    pub fn reap(&mut self, member: usize, now: Millis) {
        self.tick(now);
        let places = self.give_places_up(member);
        let leases: Vec<Lease> =
            self.held.iter().filter(|held| held.member == member).map(|held| held.lease).collect();
        let left = leases.len() as u64;
        self.counts.reaped += left;
        for lease in leases {
            self.end(lease, Outcome::Unknown, 0);
        }
        if left + places > 0 {
            self.events.push((EventKind::Reaped, None, left, places));
        }
        self.leaving.retain(|&leaving| leaving != member);
        self.asleep.retain(|&asleep| asleep != member);
        self.hand_over();
    }
}
