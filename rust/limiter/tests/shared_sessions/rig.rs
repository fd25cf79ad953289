//! Processes and a store in one virtual time.

use std::sync::Arc;

use sluice_limiter::shared::store::Store;
use sluice_limiter::shared::{
    Answer, Call, Chores, Given, Mode, OnLoss, OnOutage, Settings, SharedLimiter, Ticket, Want,
};
use sluice_limiter::{Book, Config, Key, Limit, Now, Refusal, UNIT};

use crate::support::{MS, SECOND};

/// The store's time at the start, in nanoseconds.
const ORIGIN: u64 = 1_704_067_200 * SECOND;
pub(crate) const LEASE: u64 = 2 * SECOND;
pub(crate) const TIMEOUT: u64 = 100 * MS;

pub(crate) struct Rig {
    pub(crate) store: Store,
    pub(crate) processes: Vec<SharedLimiter>,
    /// Nanoseconds since the start.
    pub(crate) ns: u64,
}

pub(crate) fn rig(count: usize, mode: Mode, on_outage: OnOutage, limits: &[Limit]) -> Rig {
    let process = |number| {
        let settings = Settings {
            mode,
            on_loss: OnLoss::Fresh,
            on_outage: vec![on_outage; limits.len()],
            processes: 2,
            lease_ns: LEASE,
            timeout_ns: TIMEOUT,
            process: format!("p{number}"),
            stamp: "s".into(),
            names: (0..limits.len()).map(|limit| format!("l{limit}")).collect(),
        };
        let units = limits.iter().map(|limit| limit.unit + 1).max().unwrap_or(0);
        let config = Config { limits: limits.into(), units, max_keys: 100 };
        SharedLimiter::new(config, settings, [1; 16], Arc::new(Book::new())).expect("shareable")
    };
    Rig { store: Store::new(), processes: (0..count).map(process).collect(), ns: 0 }
}

impl Rig {
    pub(crate) fn now(&self) -> Now {
        Now { ns: self.ns, wall_ns: (ORIGIN + self.ns).cast_signed() }
    }

    pub(crate) fn key(&self, process: usize) -> Key {
        self.processes[process].limiter().key(b"key", self.now()).expect("room")
    }

    /// Takes without waiting; the refusal, if any.
    pub(crate) fn take(&self, process: usize, cost: u64) -> Option<Refusal> {
        let costs = self.costs(process, cost);
        let decided = self.processes[process].take(self.key(process), &costs, self.now());
        decided.expect("no fault").outcome.err().map(|denial| denial.refusal)
    }

    pub(crate) fn costs(&self, process: usize, cost: u64) -> Vec<u64> {
        vec![cost * UNIT; self.processes[process].limiter().units()]
    }

    pub(crate) fn wait(&self, process: usize, cost: u64, want: Want, owner: u32) -> Ticket {
        let costs = self.costs(process, cost);
        let shared = &self.processes[process];
        shared.wait(self.key(process), b"key", &costs, want, owner, self.now()).expect("no fault")
    }

    pub(crate) fn send(&self, process: usize, owner: u32) -> Option<Call> {
        self.processes[process].send(self.key(process), owner, self.now())
    }

    pub(crate) fn serve(&mut self, call: &Call) -> String {
        self.store.run("key", "epoch", &call.args, (ORIGIN + self.ns) / 1_000)
    }

    pub(crate) fn receive(&self, process: usize, reply: &str) -> Chores {
        self.processes[process].receive(self.key(process), reply, self.now())
    }

    pub(crate) fn fail(&self, process: usize, call: &Call) -> Chores {
        self.processes[process].fail(self.key(process), call.seq, self.now())
    }

    pub(crate) fn answers(&self, process: usize, owner: u32) -> Vec<Answer> {
        let mut answers = Vec::new();
        self.processes[process].collect(owner, 100, &mut answers);
        answers
    }

    /// Makes the calls of a process until there are none. Returns how many there were.
    pub(crate) fn exchange(&mut self, process: usize) -> usize {
        let mut calls = 0;
        while let Some(call) = self.send(process, 1) {
            let reply = self.serve(&call);
            self.receive(process, &reply);
            calls += 1;
        }
        calls
    }

    /// Decides in whatever way it takes, without a delay; the refusal, if any.
    pub(crate) fn decide(&mut self, process: usize, cost: u64, want: Want) -> Given {
        let (key, costs, now) = (self.key(process), self.costs(process, cost), self.now());
        let shared = &self.processes[process];
        let given = match want {
            Want::Take => {
                shared.take(key, &costs, now).expect("no fault").outcome.map(|()| Given::Taken)
            }
            Want::Reserve { ttl_ns } => {
                let decided = shared.reserve(key, &costs, 1, ttl_ns, now).expect("no fault");
                decided.outcome.map(Given::Reserved)
            }
        };
        match given {
            Ok(given) => given,
            Err(denial) if denial.refusal == Refusal::Lease => {
                let ticket = self.wait(process, cost, want, 1);
                self.exchange(process);
                let answers = self.answers(process, 1);
                answers.iter().find(|answer| answer.ticket == ticket).expect("an answer").given
            }
            Err(denial) => Given::Refused(denial),
        }
    }

    /// What the store has of the first limit: consumed, and held.
    pub(crate) fn usage(&self) -> (u64, u64) {
        let fields = self.store.fields("key");
        let words: Vec<u64> =
            fields["l.l0"].split(' ').skip(1).map(|word| word.parse().expect("a number")).collect();
        (words[0] / UNIT, words[2] / UNIT)
    }
}
