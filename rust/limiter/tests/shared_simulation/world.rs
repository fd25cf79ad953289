//! A discrete-event simulation: processes, a network and the reference store, in one virtual time.
//! A run is determined by its seed.

mod calls;
mod faults;
mod network;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};

use sluice_limiter::Key;
use sluice_limiter::shared::store::Store;
use sluice_limiter::shared::{Given, Want};

use crate::checker::Log;
use crate::process::{ORIGIN_NS, Open, Process, name};
use crate::scenario::{MS, SECOND, Scenario, UNITS};
use crate::support::Random;

/// How often the timer of a process ticks.
const BEAT_NS: u64 = 20 * MS;

#[derive(Debug)]
enum Event {
    Arrive,
    Serve { process: usize, life: u64, key: Key, name: usize, owner: u32, args: String },
    Reply { process: usize, life: u64, key: Key, owner: u32, text: String },
    Timeout { process: usize, life: u64, key: Key, owner: u32, seq: u64 },
    Beat { process: usize, life: u64 },
    Settle { process: usize, life: u64, number: u64 },
    Fault,
    Lose,
}

pub(crate) struct World {
    scenario: Scenario,
    random: Random,
    now: u64,
    /// No calls arrive after this.
    end: u64,
    count: u64,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    events: HashMap<u64, Event>,
    pub(crate) processes: Vec<Process>,
    pub(crate) store: Store,
    /// When the store has served a call first.
    served: HashMap<(String, u64), u64>,
    pairs: HashMap<u64, Vec<Option<(usize, Open)>>>,
    /// For each key and unit: by the time of reservation, and by that of the end.
    pub(crate) by_start: Vec<[Log; UNITS]>,
    pub(crate) by_end: Vec<[Log; UNITS]>,
    /// For each key: places in use by each process, and the most ever.
    places: Vec<BTreeMap<usize, u64>>,
    pub(crate) most_places: Vec<u64>,
    pub(crate) counts: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) calls: u64,
    pub(crate) credit: u64,
    pub(crate) store: u64,
    pub(crate) outage: u64,
    pub(crate) refused: u64,
    pub(crate) served: u64,
    pub(crate) longest_wait_ns: u64,
}

impl World {
    pub(crate) fn new(scenario: Scenario, seed: u64, end: u64) -> Self {
        let mut random = Random::new(seed);
        for _ in 0..10 {
            random.below(2);
        }
        let keys = scenario.keys;
        let mut world = Self {
            scenario,
            random,
            now: 0,
            end,
            count: 0,
            queue: BinaryHeap::new(),
            events: HashMap::new(),
            processes: Vec::new(),
            store: Store::new(),
            served: HashMap::new(),
            pairs: HashMap::new(),
            by_start: vec![Default::default(); keys],
            by_end: vec![Default::default(); keys],
            places: vec![BTreeMap::new(); keys],
            most_places: vec![0; keys],
            counts: Counts::default(),
        };
        for number in 0..world.scenario.processes {
            let process = world.start(number, 0);
            world.processes.push(process);
        }
        world.at(0, Event::Arrive);
        world.at(SECOND, Event::Fault);
        if let Some((_, until)) = world.scenario.faults.down
            && world.scenario.faults.loses_state
        {
            world.at(until, Event::Lose);
        }
        world
    }

    fn start(&mut self, number: usize, life: u64) -> Process {
        let (mut drift, mut wall) = (0, 0);
        if self.scenario.faults.bad_clocks {
            drift = self.random.below(1_800).cast_signed() - 900;
            wall = (self.random.below(7_200) * SECOND).cast_signed() - 3_600 * SECOND.cast_signed();
        }
        let at = self.now + self.random.below(BEAT_NS);
        self.at(at, Event::Beat { process: number, life });
        Process::start(&self.scenario, number, life, drift, wall)
    }

    fn at(&mut self, at: u64, event: Event) {
        self.count += 1;
        self.queue.push(Reverse((at, self.count)));
        self.events.insert(self.count, event);
    }

    /// The time of the last event.
    pub(crate) fn end_ns(&self) -> u64 {
        self.now
    }

    /// Lets a process ask for a little of a key, and returns what the store has of it then.
    pub(crate) fn call_once(&mut self, key: usize) -> BTreeMap<String, String> {
        let (it, text) = (&self.processes[0], name(key));
        let (now, handle) = (it.now(self.now), it.key(key, self.now));
        let costs = [1; UNITS];
        let asked = it.shared.take(handle, &costs, now).expect("no fault").outcome;
        assert!(asked.is_err(), "no credit is left");
        it.shared.wait(handle, text.as_bytes(), &costs, Want::Take, 0, now).expect("no fault");
        let mut reply = String::new();
        // The first answer may be about the clock.
        while let Some(call) = it.shared.send(handle, 0, now) {
            let now_us = (ORIGIN_NS + self.now) / 1_000;
            reply = self.store.run(&text, "epoch", &call.args, now_us);
            it.shared.receive(handle, &reply, now);
        }
        let mut answers = Vec::new();
        it.shared.collect(0, 9, &mut answers);
        assert_eq!(answers.first().map(|answer| answer.given), Some(Given::Taken), "{reply}");
        self.store.fields(&text)
    }

    /// Runs to the end, and on until all is quiet.
    pub(crate) fn run(&mut self) {
        let quiet = self.end + 4 * self.scenario.lease_ns + 20 * SECOND;
        while let Some(Reverse((at, number))) = self.queue.pop() {
            if at > quiet {
                return;
            }
            self.now = at;
            if let Some(event) = self.events.remove(&number) {
                self.handle(event);
            }
        }
    }

    fn handle(&mut self, event: Event) {
        let (process, life) = match event {
            Event::Arrive => return self.arrive(),
            Event::Fault => return self.fault(),
            Event::Lose => return self.store.lose(),
            Event::Serve { process, life, key, name, owner, args } => {
                return self.serve(process, life, key, name, owner, &args);
            }
            Event::Reply { process, life, .. }
            | Event::Timeout { process, life, .. }
            | Event::Beat { process, life }
            | Event::Settle { process, life, .. } => (process, life),
        };
        let it = &self.processes[process];
        if it.life != life {
            return;
        }
        if self.now < it.stalled_until {
            let at = it.stalled_until;
            return self.at(at, event);
        }
        match event {
            Event::Reply { key, owner, text, .. } if it.owners.contains(&owner) => {
                let chores = it.shared.receive(key, &text, it.now(self.now));
                let seq = text.split(' ').nth(1).and_then(|seq| seq.parse().ok());
                let served = seq.and_then(|seq| {
                    self.served.get(&(it.shared.settings().process.clone(), seq)).copied()
                });
                self.after(process, key, owner, &chores, served);
            }
            Event::Timeout { key, owner, seq, .. } if it.owners.contains(&owner) => {
                let chores = it.shared.fail(key, seq, it.now(self.now));
                self.after(process, key, owner, &chores, None);
            }
            Event::Beat { .. } => {
                let due = it.shared.due(usize::MAX, it.now(self.now));
                let owner = self.some_owner(process);
                for key in due.keys {
                    self.send(process, key, owner);
                }
                self.at(self.now + BEAT_NS, Event::Beat { process, life });
            }
            Event::Settle { number, .. } => self.settle(process, number),
            _ => {}
        }
    }

    fn some_owner(&mut self, process: usize) -> u32 {
        let owners = &self.processes[process].owners;
        owners[self.random.below(owners.len() as u64) as usize]
    }
}
