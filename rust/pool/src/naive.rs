//! The pool as one would write it first: lists, and a search for everything. It is the oracle of
//! the tests: the same calls must come to the same results.
//!
//! [`Health`] and [`Limit`] are shared with the fast one; they are plain already and have tests of
//! their own.

use crate::{Health, HealthChange, Limit, Millis, Outcome, Settings, State, UpstreamSettings};

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
}

#[derive(Clone, Debug)]
struct Held {
    lease: Lease,
    upstream: usize,
    member: usize,
    renewed: Millis,
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
        let live = self.held.iter().any(|held| held.lease == lease && held.member == member);
        if live {
            self.end(lease, outcome, rest);
            self.hand_over();
        }
        live
    }

    /// Starts a lease's time anew.
    pub fn renew(&mut self, member: usize, lease: Lease, now: Millis) -> bool {
        self.tick(now);
        let now = self.now;
        let found = self.held.iter_mut().find(|held| held.lease == lease && held.member == member);
        found.map(|held| held.renewed = now).is_some()
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
        for held in self.held.iter_mut().filter(|held| held.lease == lease) {
            held.renewed = now;
        }
        Some((next.place, Some(lease)))
    }

    /// A member leaves: its places are given up, its leases remain.
    pub fn leave(&mut self, member: usize, now: Millis) {
        self.tick(now);
        self.leaving.push(member);
        self.give_places_up(member);
        self.hand_over();
    }

    /// A member is gone, and another takes its place.
    pub fn reap(&mut self, member: usize, now: Millis) {
        self.tick(now);
        self.give_places_up(member);
        let leases: Vec<Lease> =
            self.held.iter().filter(|held| held.member == member).map(|held| held.lease).collect();
        for lease in leases {
            self.end(lease, Outcome::Unknown, 0);
        }
        self.leaving.retain(|&leaving| leaving != member);
        self.asleep.retain(|&asleep| asleep != member);
        self.hand_over();
    }

    /// Time passes.
    pub fn tick(&mut self, now: Millis) {
        self.now = self.now.max(now);
        let now = self.now;
        let claim = self.settings.claim;
        while let Some(&(since, member)) = self.unclaimed.iter().min() {
            if since + claim > now {
                break;
            }
            self.unclaimed.retain(|&(_, awake)| awake != member);
            self.asleep.push(member);
            for index in 0..self.waiters.len() {
                let waiter = &mut self.waiters[index];
                if waiter.member != member || waiter.at == At::TimedOut {
                    continue;
                }
                if let At::Offered(lease) = std::mem::replace(&mut waiter.at, At::Aside) {
                    self.end(lease, Outcome::Unknown, 0);
                }
            }
        }
        // In the order of their deadlines, as mail is read in the order it comes.
        let mut late: Vec<usize> = (0..self.waiters.len())
            .filter(|&i| {
                let waiter = &self.waiters[i];
                matches!(waiter.at, At::Line | At::Aside) && waiter.deadline <= now
            })
            .collect();
        late.sort_by_key(|&i| self.waiters[i].deadline);
        for index in late {
            self.mails += 1;
            self.waiters[index].at = At::TimedOut;
            self.waiters[index].mailed = self.mails;
        }
        let ttl = self.settings.lease_ttl;
        while let Some(held) = self.held.iter().find(|h| h.renewed.saturating_add(ttl) <= now) {
            self.end(held.lease, Outcome::Unknown, 0);
        }
        for upstream in &mut self.upstreams {
            if matches!(upstream.health.state(), State::Resting(until) if until <= now) {
                upstream.health.end_rest();
            }
        }
        self.hand_over();
    }

    /// Leases in use of an upstream.
    #[must_use]
    pub fn in_flight(&self, index: usize) -> u32 {
        self.held.iter().filter(|held| held.upstream == index).count() as u32
    }

    /// The health of an upstream.
    #[must_use]
    pub fn state(&self, index: usize) -> State {
        self.upstreams[index].health.state()
    }

    /// How many leases of an upstream may be in use now.
    #[must_use]
    pub fn limit(&self, index: usize) -> u32 {
        let upstream = &self.upstreams[index];
        let max = upstream.settings.max_in_flight;
        if self.settings.adaptive.is_some() { upstream.limit.get(max) } else { max }
    }

    /// The upstream of a lease.
    #[must_use]
    pub fn upstream(&self, lease: Lease) -> Option<usize> {
        self.held.iter().find(|held| held.lease == lease).map(|held| held.upstream)
    }

    /// Who waits.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiters.iter().filter(|w| matches!(w.at, At::Line | At::Aside)).count()
    }

    fn choose(&self, prefer: Option<usize>) -> Option<usize> {
        let has_room = |&index: &usize| {
            let upstream = &self.upstreams[index];
            let closed = upstream.removed || upstream.draining || !upstream.health.is_open();
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

    fn grant(&mut self, member: usize, prefer: Option<usize>) -> Option<Lease> {
        if self.held.len() as u32 >= self.settings.max_in_flight {
            return None;
        }
        let index = self.choose(prefer)?;
        self.granted += 1;
        let (lease, renewed) = (self.granted, self.now);
        self.upstreams[index].last_used = lease;
        let probe = self.upstreams[index].health.grant();
        self.held.push(Held { lease, upstream: index, member, renewed, probe });
        Some(lease)
    }

    fn end(&mut self, lease: Lease, outcome: Outcome, rest: Millis) -> Option<HealthChange> {
        let index = self.held.iter().position(|held| held.lease == lease)?;
        let in_flight = self.in_flight(self.held[index].upstream);
        let held = self.held.remove(index);
        let present = self.upstreams.iter().filter(|u| !u.removed);
        let out = present.clone().filter(|u| u.health.state() != State::Healthy).count();
        let share = (out as f64 + 1.0) <= self.settings.health.max_ejected * present.count() as f64;
        let upstream = &mut self.upstreams[held.upstream];
        if let Some(adaptive) = &self.settings.adaptive {
            let max = upstream.settings.max_in_flight;
            // Grants are numbered from 0 there.
            upstream.limit.record(outcome, (lease - 1, self.granted), in_flight, max, adaptive);
        }
        if upstream.removed {
            return None;
        }
        let health = &self.settings.health;
        upstream.health.record(outcome, rest, held.probe, share, health, self.now)
    }

    fn hand_over(&mut self) {
        loop {
            let aging = self.settings.aging as i64;
            let turn = |w: &&Waiter| (w.arrived as i64 - i64::from(w.priority) * aging, w.place);
            let line = self.waiters.iter().filter(|w| w.at == At::Line);
            let Some(first) = line.min_by_key(turn).cloned() else { return };
            let Some(lease) = self.grant(first.member, first.prefer) else { return };
            self.mails += 1;
            let mailed = self.mails;
            if self.offers(first.member) == 0 {
                self.unclaimed.push((self.now, first.member));
            }
            for waiter in self.waiters.iter_mut().filter(|w| w.place == first.place) {
                waiter.at = At::Offered(lease);
                waiter.mailed = mailed;
            }
        }
    }

    fn rouse(&mut self, member: usize) {
        if !self.asleep.contains(&member) {
            return;
        }
        self.asleep.retain(|&asleep| asleep != member);
        for waiter in &mut self.waiters {
            if waiter.member == member && waiter.at == At::Aside {
                waiter.at = At::Line;
            }
        }
        self.hand_over();
    }

    fn offers(&self, member: usize) -> usize {
        let offered = |w: &&Waiter| w.member == member && matches!(w.at, At::Offered(_));
        self.waiters.iter().filter(offered).count()
    }

    fn give_places_up(&mut self, member: usize) {
        self.unclaimed.retain(|&(_, awake)| awake != member);
        let (gone, rest) = self.waiters.drain(..).partition(|w: &Waiter| w.member == member);
        self.waiters = rest;
        for waiter in gone {
            if let At::Offered(lease) = waiter.at {
                self.end(lease, Outcome::Unknown, 0);
            }
        }
    }
}
