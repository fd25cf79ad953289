//! What befalls the processes of the simulation: kills, stalls, threads that end and clocks that step.

use sluice_limiter::UNIT;

use super::{Event, World};
use crate::process::Pending;
use crate::scenario::{MS, PLACES, SECOND, UNITS};

impl World {
    /// Now and then, one of the faults of the scenario.
    pub(super) fn fault(&mut self) {
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
