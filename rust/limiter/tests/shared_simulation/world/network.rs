//! The network and the store of the simulation: messages that are lost, slow, doubled and reordered.

use sluice_limiter::Key;
use sluice_limiter::shared::Chores;

use super::{Event, World};
use crate::process::{ORIGIN_NS, name};
use crate::scenario::{MS, SECOND};

const ROUND_TRIP_NS: u64 = MS;

impl World {
    /// Makes the call of a key, if there is one. Returns whether there was.
    pub(super) fn send(&mut self, process: usize, key: Key, owner: u32) -> bool {
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

    pub(super) fn serve(
        &mut self,
        process: usize,
        life: u64,
        key: Key,
        at: usize,
        owner: u32,
        args: &str,
    ) {
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

    pub(super) fn after(
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
}
