//! A discrete-event simulation: processes, a network and the reference store, in one virtual time.
//! A run is determined by its seed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};

use sluice_limiter::shared::store::Store;
use sluice_limiter::shared::{Answer, Chores, Given, Source, Want};
use sluice_limiter::{Actual, Key, UNIT};

use crate::checker::Log;
use crate::process::{ORIGIN_NS, Open, Pending, Process, name};
use crate::scenario::{MS, PLACES, SECOND, Scenario, UNITS};
use crate::support::Random;

/// How often the timer of a process ticks.
const BEAT_NS: u64 = 20 * MS;
const ROUND_TRIP_NS: u64 = MS;

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

    /// A call arrives at one of the processes.
    fn arrive(&mut self) {
        if self.now >= self.end {
            return;
        }
        // Bursts: twice as many calls in the first half of each second.
        let pause = 2 * SECOND / self.scenario.calls;
        let pause = if self.now % SECOND < SECOND / 2 { pause / 2 } else { pause };
        let at = self.now + 1 + self.random.below(pause);
        self.at(at, Event::Arrive);
        let process = self.random.below(self.processes.len() as u64) as usize;
        if self.now < self.processes[process].stalled_until {
            return;
        }
        // Key 0 is used most.
        let key = self.random.below(self.scenario.keys as u64 + 2) as usize;
        let key = if key >= self.scenario.keys { 0 } else { key };
        let dice = self.random.below(100);
        let tokens = (1 + self.random.below(40)) * UNIT;
        if dice < self.scenario.pairing && self.scenario.keys > 1 {
            let other = (key + 1) % self.scenario.keys;
            self.count += 1;
            let pair = Some(self.count);
            let costs = [UNIT, tokens, 0];
            let owner = self.some_owner(process);
            for key in [key, other] {
                let call =
                    Pending { key, costs, actual: costs, reserves: true, pair, since: self.now };
                self.call(process, owner, call);
            }
        } else if dice < self.scenario.pairing + self.scenario.reserving {
            let costs = [UNIT, tokens, UNIT];
            let used = match self.random.below(4) {
                0 => 0,
                1 => tokens,
                _ => self.random.below(tokens / UNIT + 1) * UNIT,
            };
            let actual = [if used == 0 { 0 } else { UNIT }, used, UNIT];
            let call = Pending { key, costs, actual, reserves: true, pair: None, since: self.now };
            let owner = self.some_owner(process);
            self.call(process, owner, call);
        } else {
            let costs = [UNIT, tokens, 0];
            let call =
                Pending { key, costs, actual: costs, reserves: false, pair: None, since: self.now };
            let owner = self.some_owner(process);
            self.call(process, owner, call);
        }
    }

    fn call(&mut self, process: usize, owner: u32, call: Pending) {
        self.counts.calls += 1;
        let it = &self.processes[process];
        let (now, key) = (it.now(self.now), it.key(call.key, self.now));
        let ttl_ns = 3_600 * SECOND;
        let (outcome, source) = if call.reserves {
            let decided =
                it.shared.reserve(key, &call.costs, owner, ttl_ns, now).expect("no fault");
            (decided.outcome.map(Given::Reserved), decided.source)
        } else {
            let decided = it.shared.take(key, &call.costs, now).expect("no fault");
            (decided.outcome.map(|()| Given::Taken), decided.source)
        };
        match outcome {
            Ok(given) => self.given(process, call, given, source, None),
            Err(denial) if denial.refusal == sluice_limiter::Refusal::Lease => {
                let want = if call.reserves { Want::Reserve { ttl_ns } } else { Want::Take };
                let ticket = it
                    .shared
                    .wait(key, name(call.key).as_bytes(), &call.costs, want, owner, now)
                    .expect("no fault");
                self.processes[process].waiting.insert(ticket, call);
                if !self.send(process, key, owner) {
                    self.collect(process, owner, None);
                }
            }
            Err(denial) => self.given(process, call, Given::Refused(denial), source, None),
        }
    }

    /// What was decided, where the call was made.
    fn given(
        &mut self,
        process: usize,
        call: Pending,
        given: Given,
        source: Source,
        served: Option<u64>,
    ) {
        let waited = self.now - call.since;
        if self.processes[process].stalled_until < call.since {
            self.counts.longest_wait_ns = self.counts.longest_wait_ns.max(waited);
        }
        match (&given, source) {
            (Given::Refused(_), _) => self.counts.refused += 1,
            (Given::Failed(fault), _) => panic!("{fault:?}"),
            (_, Source::Credit) => self.counts.credit += 1,
            (_, Source::Store) => self.counts.store += 1,
            (_, Source::Outage) => self.counts.outage += 1,
        }
        let life = self.processes[process].life;
        match given {
            Given::Taken => {
                // What the store charges is admitted when it says so, not when the answer comes.
                let at = if source == Source::Store { served.expect("served") } else { self.now };
                for unit in 0..UNITS {
                    self.by_start[call.key][unit].push(at, call.costs[unit]);
                    self.by_end[call.key][unit].push(at, call.costs[unit]);
                }
            }
            Given::Reserved(id) => {
                self.count += 1;
                let open = Open { id, call, number: self.count };
                if let Some(pair) = open.call.pair {
                    return self.pair(process, pair, Some(open));
                }
                for unit in 0..UNITS {
                    let actual = open.call.actual[unit].min(open.call.costs[unit]);
                    self.by_start[open.call.key][unit].push(self.now, actual);
                }
                self.occupy(open.call.key, process, open.call.costs[PLACES] / UNIT);
                let at = self.now + 10 * MS + self.random.below(1_500) * MS;
                self.at(at, Event::Settle { process, life, number: open.number });
                self.processes[process].open.push(open);
            }
            Given::Refused(_) => {
                if let Some(pair) = call.pair {
                    self.pair(process, pair, None);
                }
            }
            Given::Failed(_) => {}
        }
    }

    /// One half of a call at two keys has its answer. With both: all or nothing.
    fn pair(&mut self, process: usize, pair: u64, open: Option<Open>) {
        let halves = self.pairs.entry(pair).or_default();
        halves.push(open.map(|open| (process, open)));
        if halves.len() < 2 {
            return;
        }
        let halves = self.pairs.remove(&pair).unwrap_or_default();
        let all = halves.iter().all(Option::is_some);
        for (process, open) in halves.into_iter().flatten() {
            let it = &self.processes[process];
            let now = it.now(self.now);
            let actual = if all { Actual::Full } else { Actual::Nothing };
            it.shared.limiter().settle(open.id, actual, now).expect("open");
            if all {
                for unit in 0..UNITS {
                    self.by_start[open.call.key][unit].push(self.now, open.call.costs[unit]);
                    self.by_end[open.call.key][unit].push(self.now, open.call.costs[unit]);
                }
            }
        }
    }

    fn settle(&mut self, process: usize, number: u64) {
        let it = &mut self.processes[process];
        let Some(at) = it.open.iter().position(|open| open.number == number) else { return };
        let open = it.open.swap_remove(at);
        let now = it.now(self.now);
        let Pending { key, costs, actual, .. } = open.call;
        let settled = it.shared.limiter().settle(open.id, Actual::Costs(&actual), now);
        if settled.is_ok() {
            for unit in 0..UNITS {
                self.by_end[key][unit].push(self.now, actual[unit].min(costs[unit]));
            }
        }
        self.vacate(key, process, costs[PLACES] / UNIT);
    }

    fn occupy(&mut self, key: usize, process: usize, places: u64) {
        *self.places[key].entry(process).or_default() += places;
        let sum = self.places[key].values().sum();
        self.most_places[key] = self.most_places[key].max(sum);
    }

    fn vacate(&mut self, key: usize, process: usize, places: u64) {
        if let Some(used) = self.places[key].get_mut(&process) {
            *used = used.saturating_sub(places);
        }
    }

    fn after(
        &mut self,
        process: usize,
        key: Key,
        owner: u32,
        chores: &Chores,
        served: Option<u64>,
    ) {
        for &owner in &chores.owners {
            self.collect(process, owner, served);
        }
        if chores.send {
            self.send(process, key, owner);
        }
    }

    fn collect(&mut self, process: usize, owner: u32, served: Option<u64>) {
        let mut answers = Vec::new();
        self.processes[process].shared.collect(owner, usize::MAX, &mut answers);
        for Answer { ticket, given, source } in answers {
            if let Some(call) = self.processes[process].waiting.remove(&ticket) {
                self.given(process, call, given, source, served);
            }
        }
    }

    /// Makes the call of a key, if there is one. Returns whether there was.
    fn send(&mut self, process: usize, key: Key, owner: u32) -> bool {
        let it = &self.processes[process];
        let Some(call) = it.shared.send(key, owner, it.now(self.now)) else { return false };
        let (life, timeout) = (it.life, self.scenario.timeout_ns);
        let seq = call.seq;
        self.at(self.now + timeout, Event::Timeout { process, life, key, owner, seq });
        let text = String::from_utf8_lossy(&call.name).into_owned();
        let name = text.trim_start_matches("key").parse().expect("a key of ours");
        let serve = |args| Event::Serve { process, life, key, name, owner, args };
        if self.random.below(1_000) < self.scenario.faults.doubled {
            let at = self.now + self.random.below(3 * SECOND);
            self.at(at, serve(call.args.clone()));
        }
        if self.passes(process) {
            let at = self.now + self.delay();
            self.at(at, serve(call.args));
        }
        true
    }

    fn delay(&mut self) -> u64 {
        let usual = ROUND_TRIP_NS / 4 + self.random.below(ROUND_TRIP_NS / 2);
        if self.random.below(1_000) < self.scenario.faults.slow {
            return usual + self.random.below(3 * self.scenario.timeout_ns);
        }
        usual
    }

    /// Whether a message between a process and the store gets through now.
    fn passes(&mut self, process: usize) -> bool {
        let now = self.now;
        let within = |from: u64, until: u64| (from..until).contains(&now);
        let faults = &self.scenario.faults;
        let is_down = faults.down.is_some_and(|(from, until)| within(from, until));
        let is_cut =
            faults.cut.is_some_and(|(first, from, until)| process < first && within(from, until));
        !is_down && !is_cut && self.random.below(1_000) >= self.scenario.faults.lost
    }

    fn serve(&mut self, process: usize, life: u64, key: Key, at: usize, owner: u32, args: &str) {
        // A message that was under way when the store went down is lost.
        if self.scenario.faults.down.is_some_and(|(from, until)| (from..until).contains(&self.now))
        {
            return;
        }
        self.counts.served += 1;
        let now_us = (ORIGIN_NS + self.now) / 1_000;
        let text = self.store.run(&name(at), "epoch", args, now_us);
        let mut words = args.split(' ').skip(1);
        let caller = words.next().unwrap_or_default().to_owned();
        let seq = words.next().and_then(|seq| seq.parse().ok()).unwrap_or(0);
        self.served.entry((caller, seq)).or_insert(self.now);
        if self.passes(process) {
            let at = self.now + self.delay();
            self.at(at, Event::Reply { process, life, key, owner, text });
        }
    }

    /// Now and then, one of the faults of the scenario.
    fn fault(&mut self) {
        if self.now >= self.end {
            return;
        }
        let at = self.now + 200 * MS + self.random.below(SECOND);
        self.at(at, Event::Fault);
        let process = self.random.below(self.processes.len() as u64) as usize;
        let kind = self.random.below(4);
        let faults = self.scenario.faults.clone();
        let it = &mut self.processes[process];
        match kind {
            0 if faults.kills => {
                let life = it.life + 1;
                for places in &mut self.places {
                    places.remove(&process);
                }
                self.pairs
                    .retain(|_, halves| halves.iter().flatten().all(|half| half.0 != process));
                self.processes[process] = self.start(process, life);
            }
            1 if faults.stalls_ns > 0 => {
                it.stalled_until = self.now + self.random.below(faults.stalls_ns);
            }
            2 if faults.thread_ends && self.now >= it.stalled_until => {
                let at = self.random.below(it.owners.len() as u64) as usize;
                let owner = it.owners[at];
                it.owners[at] = owner + it.owners.len() as u32;
                let now = it.now(self.now);
                // What waits in that thread ends with it; its reservations are settled in full.
                it.shared.abandon(owner, now);
                it.book.abandon(owner, now);
                self.end_reservations_of(process, owner);
            }
            3 if faults.bad_clocks => {
                it.wall_off_ns +=
                    (self.random.below(120) * SECOND).cast_signed() - 60 * SECOND.cast_signed();
            }
            _ => {}
        }
    }

    fn end_reservations_of(&mut self, process: usize, owner: u32) {
        let open = std::mem::take(&mut self.processes[process].open);
        let (ended, rest): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|open| open.id.owner == owner);
        self.processes[process].open = rest;
        for open in ended {
            let Pending { key, costs, actual, .. } = open.call;
            for unit in 0..UNITS {
                self.by_end[key][unit].push(self.now, actual[unit].min(costs[unit]));
            }
            self.vacate(key, process, costs[PLACES] / UNIT);
        }
        // A half of a pair is settled in full as well: it was not admitted, but it is charged.
        self.pairs.retain(|_, halves| {
            halves.iter().flatten().all(|half| half.0 != process || half.1.id.owner != owner)
        });
    }
}
