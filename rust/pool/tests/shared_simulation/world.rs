//! The simulated world: processes with pools, a store, a network between them, and the upstreams' own count
//! of what is in flight. One step is a millisecond.

use std::collections::BTreeMap;

use sluice_pool::shared::store::Store;
use sluice_pool::{Acquired, Outcome, SharedState, WaitResult, WaiterId};

use crate::network::Message;
use crate::process::{Flight, LEASE, Plan, Process, is_probing, process};
use crate::random::Random;

/// How long a waiter waits.
const PATIENCE: u64 = 5000;

pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) now: u64,
    pub(crate) processes: Vec<Process>,
    pub(crate) store: Store,
    pub(crate) is_store_up: bool,
    pub(crate) network: BTreeMap<(u64, u64), (usize, Message)>,
    pub(crate) sent: u64,
    pub(crate) random: Random,
    /// The rests that upstreams have asked for: from when on all must obey, and until when.
    pub(crate) rests: Vec<(usize, u64, u64)>,
    pub(crate) calls: u64,
    pub(crate) probes: u64,
    /// The most requests in flight, by upstream, and of all.
    pub(crate) peaks: Vec<u32>,
    pub(crate) peak: u32,
    /// The sum over time of what was in flight.
    pub(crate) area: u64,
    /// Whether the caps, the rests and the probes have to be kept.
    pub(crate) is_strict: bool,
}

impl World {
    pub(crate) fn new(plan: Plan, seed: u64) -> Self {
        let mut random = Random(seed);
        let processes = (0..plan.processes).map(|i| process(&plan, i, &mut random)).collect();
        Self {
            now: 0,
            processes,
            store: Store::default(),
            is_store_up: true,
            network: BTreeMap::new(),
            sent: 0,
            random,
            rests: Vec::new(),
            calls: 0,
            probes: 0,
            peaks: vec![0; plan.caps.len()],
            peak: 0,
            area: 0,
            is_strict: true,
            plan,
        }
    }

    pub(crate) fn run(&mut self, millis: u64) {
        for _ in 0..millis {
            self.step();
        }
    }

    /// Kills a process: its requests end with it.
    pub(crate) fn kill(&mut self, index: usize) {
        self.processes[index].is_alive = false;
        self.processes[index].flights.clear();
    }

    pub(crate) fn in_flight(&self, upstream: usize) -> u32 {
        let flights = self.processes.iter().flat_map(|process| &process.flights);
        flights.filter(|flight| flight.lease.upstream() as usize == upstream).count() as u32
    }

    pub(crate) fn in_flight_of(&self, process: usize) -> usize {
        self.processes[process].flights.len()
    }

    pub(crate) fn all_in_flight(&self) -> u32 {
        self.processes.iter().map(|process| process.flights.len() as u32).sum()
    }

    pub(crate) fn waiting(&self) -> usize {
        self.processes.iter().filter(|p| p.is_alive).map(|process| process.waiters.len()).sum()
    }

    /// The permits of each upstream that the store counts.
    pub(crate) fn held(&self) -> Vec<i64> {
        let names = (0..self.plan.caps.len()).map(|i| format!("key%20{i}"));
        names.map(|name| self.store.held_at(&name, self.server_time())).collect()
    }

    pub(crate) fn server_time(&self) -> i64 {
        1_700_000_000_000_000 + self.now as i64 * 1000
    }

    fn step(&mut self) {
        self.now += 1;
        while let Some(entry) = self.network.first_entry().filter(|e| e.key().0 <= self.now) {
            let (index, message) = entry.remove();
            self.deliver(index, message);
        }
        for index in 0..self.processes.len() {
            if self.processes[index].is_alive {
                self.work(index);
                if self.processes[index].looks_at <= self.now {
                    self.call(index, 0);
                }
                if self.plan.aborts {
                    self.abort(index);
                }
            }
        }
        self.check();
    }

    /// Ends the requests of a process whose permits have ended.
    fn abort(&mut self, index: usize) {
        let now = self.time(index);
        let process = &mut self.processes[index];
        let state = process.pool.shared_stats().map(|stats| stats.state);
        if state == Some(SharedState::Connected) {
            return;
        }
        for flight in std::mem::take(&mut process.flights) {
            let released = process.pool.release(0, flight.lease, Outcome::Unknown, 0, now);
            assert_eq!(released, Ok(()));
        }
    }

    pub(crate) fn time(&self, index: usize) -> u64 {
        let process = &self.processes[index];
        let passed = if process.slow { self.now - self.now / 2000 } else { self.now };
        process.offset + passed
    }

    fn work(&mut self, index: usize) {
        let now = self.time(index);
        let world = self.now;
        let mut over: Vec<Flight> = Vec::new();
        self.processes[index].flights.retain(|flight| {
            if flight.ends <= world {
                over.push(*flight);
            }
            flight.ends > world
        });
        for flight in over {
            self.finish(index, flight, now);
        }
        while let Some((waiter, result)) = self.processes[index].pool.collect(0, now) {
            assert!(self.processes[index].waiters.remove(&waiter.0).is_some());
            match result {
                WaitResult::Lease(lease) => self.begin(index, lease),
                WaitResult::TimedOut => self.processes[index].timed_out += 1,
            }
        }
        let chance = self.plan.arrivals[index] / 1000.0;
        if self.processes[index].is_busy && self.random.unit() < chance {
            self.arrive(index, now);
        }
    }

    fn arrive(&mut self, index: usize, now: u64) {
        if self.random.odds(1, 20) {
            match self.processes[index].pool.acquire(0, None, now) {
                Some(lease) => self.begin(index, lease),
                None => self.call(index, 1),
            }
            return;
        }
        match self.processes[index].pool.wait(0, None, 0, PATIENCE, now) {
            Ok(Acquired::Lease(lease)) => self.begin(index, lease),
            Ok(Acquired::Queued(WaiterId(waiter))) => {
                self.processes[index].waiters.insert(waiter, self.now);
                self.call(index, 0);
            }
            Err(_) => {}
        }
    }

    fn begin(&mut self, index: usize, lease: sluice_pool::LeaseId) {
        let upstream = lease.upstream() as usize;
        let (now, margin) = (self.now, 30);
        if self.is_strict {
            for &(rests, from, until) in &self.rests {
                let is_obeyed = rests != upstream || now < from || now + margin >= until;
                assert!(
                    is_obeyed,
                    "{now}: process {index} uses {upstream}, which rests {from}..{until}"
                );
            }
        }
        self.probes += u64::from(is_probing(&self.processes[index], upstream));
        let length = 1 + (self.random.unit() * 2.0 * self.plan.mean) as u64;
        let process = &mut self.processes[index];
        process.granted += 1;
        process.flights.push(Flight { lease, ends: now + length });
    }

    fn finish(&mut self, index: usize, flight: Flight, now: u64) {
        let upstream = flight.lease.upstream() as usize;
        let dice = self.random.below(1000);
        let (outcome, rest) = match dice {
            _ if dice < self.plan.rests => (Outcome::Overloaded, 1000 + self.random.below(4000)),
            _ if dice < self.plan.rests + self.plan.fails => (Outcome::Failed, 0),
            _ => (Outcome::Ok, 0),
        };
        if rest > 0 && !self.processes[index].is_cut_off {
            // A call of this process, and then one of each other.
            let late = LEASE / 3 + 400;
            self.rests.push((upstream, self.now + late, self.now + rest));
        }
        let released = self.processes[index].pool.release(0, flight.lease, outcome, rest, now);
        assert_eq!(released, Ok(()));
        if outcome != Outcome::Ok {
            self.call(index, 0);
        }
    }

    fn check(&mut self) {
        let all = self.all_in_flight();
        self.area += u64::from(all);
        self.peak = self.peak.max(all);
        for upstream in 0..self.plan.caps.len() {
            let in_flight = self.in_flight(upstream);
            self.peaks[upstream] = self.peaks[upstream].max(in_flight);
            let alive = self.processes.iter().filter(|process| process.is_alive);
            let probing = alive.filter(|process| is_probing(process, upstream)).count();
            if self.is_strict {
                let (now, cap) = (self.now, self.plan.caps[upstream]);
                assert!(in_flight <= cap, "{now}: {in_flight} of {cap} in flight to {upstream}");
                assert!(probing <= 1, "{now}: {probing} processes probe {upstream}");
            }
        }
        assert!(!self.is_strict || all <= self.plan.total, "{}: {all} in flight", self.now);
    }
}
