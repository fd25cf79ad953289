//! The calls of the simulation: they arrive, are decided, and end.

use sluice_limiter::shared::{Answer, Given, Source, Want};
use sluice_limiter::{Actual, UNIT};

use super::{Event, World};
use crate::process::{Open, Pending, name};
use crate::scenario::{MS, PLACES, SECOND, UNITS};

impl World {
    /// A call arrives at one of the processes.
    pub(super) fn arrive(&mut self) {
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

    pub(super) fn settle(&mut self, process: usize, number: u64) {
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

    pub(super) fn vacate(&mut self, key: usize, process: usize, places: u64) {
        if let Some(used) = self.places[key].get_mut(&process) {
            *used = used.saturating_sub(places);
        }
    }

    pub(super) fn collect(&mut self, process: usize, owner: u32, served: Option<u64>) {
        let mut answers = Vec::new();
        self.processes[process].shared.collect(owner, usize::MAX, &mut answers);
        for Answer { ticket, given, source } in answers {
            if let Some(call) = self.processes[process].waiting.remove(&ticket) {
                self.given(process, call, given, source, served);
            }
        }
    }
}
