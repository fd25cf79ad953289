//! Both pools under the same steps, compared after each step.

use sluice_pool::naive::{self, Naive};
use sluice_pool::{
    Acquired, LeaseId, Millis, Outcome, Pool, Settings, UpstreamChange, UpstreamSettings,
    UpstreamToken, WaitResult, WaiterId,
};

use crate::MEMBERS;
use crate::steps::Step;

/// Both pools, and what the members have according to the test.
pub(crate) struct Pair {
    pub(crate) fast: Pool,
    pub(crate) slow: Naive,
    pub(crate) now: Millis,
    /// Member, lease in the fast one, in the slow one.
    held: Vec<(usize, LeaseId, naive::Lease)>,
    waiters: Vec<(usize, WaiterId, naive::WaiterNumber)>,
    /// Leases that are not held any more.
    spent: Vec<(usize, LeaseId)>,
    /// Every upstream ever added: its name, its index in the fast pool, and its token there.
    upstreams: Vec<(String, u32, UpstreamToken)>,
    /// The most leases that may be in use.
    most: u32,
    /// How many leases were in use before the last step.
    total: u32,
}

impl Pair {
    pub(crate) fn new(settings: Settings, upstreams: Vec<UpstreamSettings>) -> Self {
        let mut pair = Self {
            fast: Pool::new(settings.clone()),
            slow: Naive::new(settings.clone()),
            most: settings.max_in_flight,
            total: 0,
            now: 0,
            held: Vec::new(),
            waiters: Vec::new(),
            spent: Vec::new(),
            upstreams: Vec::new(),
        };
        // One more member, which only reads events.
        for member in 0..=MEMBERS {
            assert_eq!(pair.fast.join(member as u32), Ok(member as u32));
        }
        for upstream in upstreams {
            pair.add(upstream);
        }
        pair
    }

    fn add(&mut self, settings: UpstreamSettings) {
        let id = format!("upstream {}", self.upstreams.len());
        let index = self.fast.add_upstream(&id, settings.clone(), self.now).expect("room");
        self.slow.add(settings, self.now);
        self.upstreams.push((id, index, self.fast.token(index)));
    }

    /// The fast pool reuses an index once it is free; the slow one never does.
    fn slow_of(&self, index: u32) -> usize {
        self.upstreams.iter().rposition(|upstream| upstream.1 == index).expect("it was added")
    }

    /// Also of removed upstreams, whose indices others may have.
    fn token(&self, prefer: Option<usize>) -> Option<UpstreamToken> {
        prefer.map(|index| self.upstreams[index].2)
    }

    fn keep(&mut self, member: usize, fast: LeaseId, slow: naive::Lease) {
        let index = self.slow_of(fast.upstream());
        assert_eq!(self.slow.upstream(slow), Some(index), "the same upstream");
        assert_eq!(self.fast.upstream_id(fast.upstream()), Some(&*self.upstreams[index].0));
        self.held.push((member, fast, slow));
    }

    fn upstream(&self, pick: usize) -> Option<usize> {
        let live = (0..self.upstreams.len()).filter(|&index| !self.slow.upstreams[index].removed);
        let live: Vec<usize> = live.collect();
        live.get(pick % live.len().max(1)).copied()
    }

    fn change(&mut self, index: usize, setting: UpstreamChange) {
        self.fast.change_upstream(self.upstreams[index].1, setting, self.now);
    }

    pub(crate) fn step(&mut self, step: Step) {
        let now = self.now;
        // Upstreams that do not exist yet cannot be preferred.
        let known = |prefer: Option<usize>| prefer.filter(|&index| index < self.upstreams.len());
        match step {
            Step::Try { member, prefer } => {
                let prefer = known(prefer);
                let fast = self.fast.acquire(member as u32, self.token(prefer), now);
                let slow = self.slow.acquire(member, prefer, now);
                assert_eq!(fast.is_some(), slow.is_some());
                if let (Some(fast), Some(slow)) = (fast, slow) {
                    self.keep(member, fast, slow);
                }
            }
            Step::Wait { member, prefer, priority, timeout } => {
                let prefer = known(prefer);
                let prefer_fast = self.token(prefer);
                let fast = self.fast.wait(member as u32, prefer_fast, priority, timeout, now);
                match (fast, self.slow.wait(member, prefer, priority, timeout, now)) {
                    (Ok(Acquired::Lease(fast)), Ok(slow)) => self.keep(member, fast, slow),
                    (Ok(Acquired::Queued(fast)), Err(Some(slow))) => {
                        self.waiters.push((member, fast, slow));
                    }
                    (Err(_), Err(None)) => {}
                    differ => panic!("{differ:?}"),
                }
            }
            Step::Cancel { pick } => {
                if self.waiters.is_empty() {
                    return;
                }
                let (member, fast, slow) = self.waiters.swap_remove(pick % self.waiters.len());
                assert!(
                    !self.fast.cancel(((member + 1) % MEMBERS) as u32, fast, now),
                    "another member's"
                );
                let done = self.fast.cancel(member as u32, fast, now);
                assert_eq!(done, self.slow.cancel(member, slow, now));
                assert!(!self.fast.cancel(member as u32, fast, now), "once");
            }
            Step::Release { pick, outcome, rest } => {
                if self.held.is_empty() {
                    return;
                }
                let (member, fast, slow) = self.held.swap_remove(pick % self.held.len());
                let done = self.fast.release(member as u32, fast, outcome, rest, now).is_ok();
                assert_eq!(done, self.slow.release(member, slow, outcome, rest, now));
                self.spent.push((member, fast));
            }
            Step::Renew { pick } => {
                if self.held.is_empty() {
                    return;
                }
                let (member, fast, slow) = self.held[pick % self.held.len()];
                let done = self.fast.renew(member as u32, fast, now).is_ok();
                assert_eq!(done, self.slow.renew(member, slow, now));
            }
            Step::Confirm { pick } => {
                if self.held.is_empty() {
                    return;
                }
                let (member, fast, slow) = self.held[pick % self.held.len()];
                let done = self.fast.confirm(member as u32, fast, now).is_ok();
                assert_eq!(done, self.slow.confirm(member, slow, now));
            }
            Step::Late { pick } => {
                if self.spent.is_empty() {
                    return;
                }
                let (member, lease) = self.spent[pick % self.spent.len()];
                assert!(self.fast.release(member as u32, lease, Outcome::Failed, 9, now).is_err());
                assert!(self.fast.renew(member as u32, lease, now).is_err());
                assert!(self.fast.confirm(member as u32, lease, now).is_err());
                self.slow.tick(now);
            }
            Step::Collect { member, most } => {
                for _ in 0..most {
                    if !self.collect(member) {
                        break;
                    }
                }
            }
            Step::Leave { member } => {
                self.fast.leave(member as u32, now);
                self.slow.leave(member, now);
                self.waiters.retain(|waiter| waiter.0 != member);
            }
            Step::Retire { member } => {
                assert_eq!(self.fast.retire(member as u32), self.slow.own(member));
                self.slow.retire(member);
            }
            Step::Resize { max } => {
                self.most = max;
                self.fast.set_max_in_flight(max, now);
                self.slow.set_max_in_flight(max, now);
            }
            Step::Kill { member } => {
                self.fast.reap(member as u32, now);
                self.slow.reap(member, now);
                self.waiters.retain(|waiter| waiter.0 != member);
                let dead = self.held.iter().filter(|held| held.0 == member);
                self.spent.extend(dead.map(|&(member, fast, _)| (member, fast)));
                self.held.retain(|held| held.0 != member);
                assert_eq!(self.fast.join(member as u32), Ok(member as u32));
            }
            Step::Pass { time } => self.now += time,
            Step::Cap { pick, max } => {
                let Some(index) = self.upstream(pick) else { return };
                self.change(index, UpstreamChange::MaxInFlight(max));
                self.slow.change(index, now, |u| u.settings.max_in_flight = max);
            }
            Step::Weigh { pick, weight, tier } => {
                let Some(index) = self.upstream(pick) else { return };
                let weight = f64::from(weight);
                self.change(index, UpstreamChange::Weight(weight));
                self.slow.change(index, now, |u| u.settings.weight = weight);
                self.change(index, UpstreamChange::Tier(tier));
                self.slow.change(index, now, |u| u.settings.tier = tier);
            }
            Step::Drain { pick, on } => {
                let Some(index) = self.upstream(pick) else { return };
                self.change(index, UpstreamChange::Draining(on));
                self.slow.change(index, now, |u| u.draining = on);
            }
            Step::Remove { pick } => {
                let Some(index) = self.upstream(pick) else { return };
                self.fast.remove_upstream(self.upstreams[index].1, now);
                self.slow.change(index, now, |u| u.removed = true);
            }
            Step::Add { settings } => self.add(settings),
        }
    }

    fn collect(&mut self, member: usize) -> bool {
        let fast = self.fast.collect(member as u32, self.now);
        match (fast, self.slow.collect(member, self.now)) {
            (None, None) => false,
            (Some((waiter, answer)), Some((slow_waiter, slow))) => {
                let known = self.waiters.iter().position(|p| p.0 == member && p.1 == waiter);
                let (_, _, expected) = self.waiters.swap_remove(known.expect("a waiter of ours"));
                assert_eq!(expected, slow_waiter, "the same waiter is served");
                match (answer, slow) {
                    (WaitResult::Lease(fast), Some(slow)) => self.keep(member, fast, slow),
                    (WaitResult::TimedOut, None) => {}
                    differ => panic!("{differ:?}"),
                }
                true
            }
            differ => panic!("{differ:?}"),
        }
    }

    pub(crate) fn check(&mut self) {
        let (total, _, waiting) = self.fast.in_use(0);
        assert_eq!((total, waiting as usize), (self.slow.in_use(), self.slow.waiting()));
        assert!(total <= self.most.max(self.total), "{total} in use of {}", self.most);
        self.total = total;
        assert_eq!(self.fast.counts(), self.slow.counts());
        self.check_events();
        let live = self.slow.upstreams.iter().filter(|upstream| !upstream.removed).count();
        assert_eq!(self.fast.upstreams().count(), live);
        for upstream in self.fast.upstreams() {
            let index = self.slow_of(upstream.index);
            let slow = &self.slow.upstreams[index];
            assert_eq!(*upstream.id, *self.upstreams[index].0);
            assert_eq!(self.fast.find_upstream(&upstream.id), Some(upstream.index));
            assert_eq!((upstream.granted, upstream.failed), (slow.granted, slow.failed));
            assert_eq!(upstream.rests_for, self.slow.rests_for(index));
            assert_eq!(upstream.in_flight, self.slow.in_flight(index), "in flight to {index}");
            assert_eq!(upstream.limit, self.slow.limit(index), "limit of {index}");
            assert_eq!(upstream.state, self.slow.state(index), "state of {index}");
            assert_eq!(upstream.ejected, self.slow.is_ejected(index), "ejection of {index}");
        }
        for member in 0..MEMBERS {
            assert_eq!(self.fast.in_use(member as u32).1, self.slow.own(member));
        }
    }

    /// Compares the events of both pools.
    fn check_events(&mut self) {
        for (kind, upstream, value, other) in self.slow.take_events() {
            let event = self.fast.next_event(MEMBERS as u32, |_| true).expect("it happened");
            let id = upstream.map(|index| &*self.upstreams[index].0);
            assert_eq!((event.kind, event.upstream.as_deref()), (kind, id));
            assert_eq!((event.value, event.other), (value, other));
        }
        assert_eq!(self.fast.next_event(MEMBERS as u32, |_| true), None, "it did not happen");
    }

    /// Releases everything, until each waiter is served or has timed out.
    pub(crate) fn wind_down(&mut self) {
        for member in 0..MEMBERS {
            while self.collect(member) {}
        }
        let mut rounds = 0;
        while !self.waiters.is_empty() || !self.held.is_empty() {
            for (member, fast, slow) in std::mem::take(&mut self.held) {
                let done = self.fast.release(member as u32, fast, Outcome::Ok, 0, self.now).is_ok();
                assert_eq!(done, self.slow.release(member, slow, Outcome::Ok, 0, self.now));
            }
            self.now += 50;
            for member in 0..MEMBERS {
                while self.collect(member) {}
            }
            self.check();
            let usable = self.fast.upstreams().any(|u| !u.draining);
            rounds += 1;
            assert!(rounds < 1000 || !usable, "starvation: {:?}", self.waiters);
            if rounds >= 1000 {
                break;
            }
        }
        if self.waiters.is_empty() {
            assert_eq!(self.fast.in_use(0), (0, 0, 0), "all leases are back");
        }
    }
}
