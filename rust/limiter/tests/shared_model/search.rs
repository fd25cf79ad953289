//! Breadth-first search over all states, in a hash table with open addressing of indices into the list
//! of packed states. The first violation is the one with the shortest trace.

use super::bits::{canonical, unpack};
use super::heal::heal;
use super::state::State;
use super::steps::{Next, Step, successors};
use super::world::World;

pub(crate) struct Outcome {
    pub(crate) states: usize,
    /// All states were seen.
    pub(crate) is_complete: bool,
    /// The most that was admitted and not yet decayed, or in flight.
    pub(crate) worst: u8,
    /// The shortest trace to a state over the bound.
    pub(crate) violation: Option<String>,
}

struct Seen {
    states: Vec<u128>,
    parents: Vec<u32>,
    table: Vec<u32>,
}

impl Seen {
    const EMPTY: u32 = u32::MAX;

    fn new() -> Seen {
        Seen { states: Vec::new(), parents: Vec::new(), table: vec![Seen::EMPTY; 1 << 16] }
    }

    fn place(&self, word: u128) -> usize {
        let folded = (word as u64) ^ ((word >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (folded ^ (folded >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mask = self.table.len() - 1;
        let mut at = (mixed ^ (mixed >> 32)) as usize & mask;
        while self.table[at] != Seen::EMPTY && self.states[self.table[at] as usize] != word {
            at = (at + 1) & mask;
        }
        at
    }

    /// Whether the state was new.
    fn insert(&mut self, word: u128, parent: u32) -> bool {
        let at = self.place(word);
        if self.table[at] != Seen::EMPTY {
            return false;
        }
        self.table[at] = self.states.len() as u32;
        self.states.push(word);
        self.parents.push(parent);
        if self.states.len() * 3 > self.table.len() * 2 {
            self.table = vec![Seen::EMPTY; self.table.len() * 2];
            for index in 0..self.states.len() {
                let at = self.place(self.states[index]);
                self.table[at] = index as u32;
            }
        }
        true
    }
}

/// How far to search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Search<'a> {
    /// The most states.
    pub(crate) most: usize,
    /// Goes on after a state over the bound, to find the worst of all.
    pub(crate) is_worst: bool,
    /// Checks from each state what must hold when the network heals.
    pub(crate) heals: bool,
    /// Steps to the state where the search starts.
    pub(crate) start: &'a [Step],
}

/// Searches until all states are seen, or one is over the bound.
pub(crate) fn search(world: &World, search: Search) -> Outcome {
    let Search { most, is_worst, heals, start } = search;
    let mut seen = Seen::new();
    let mut next = Next::new();
    let mut outcome = Outcome { states: 0, is_complete: true, worst: 0, violation: None };
    let first = follow(world, start);
    seen.insert(canonical(&first, world), 0);
    let mut index = 0;
    'all: while index < seen.states.len() {
        let state = unpack(seen.states[index], world);
        if heals && let Err(why) = heal(&state, world) {
            outcome.violation = Some(format!("{}: {why}", trace(&seen, index, world, first)));
            break;
        }
        successors(&state, world, &mut next);
        for (_, to) in &next {
            if !seen.insert(canonical(to, world), index as u32) {
                continue;
            }
            let load = to.load(world);
            outcome.worst = outcome.worst.max(load);
            if load > world.bound && outcome.violation.is_none() {
                outcome.violation = Some(trace(&seen, seen.states.len() - 1, world, first));
                if !is_worst {
                    break 'all;
                }
            }
        }
        index += 1;
        if seen.states.len() > most {
            outcome.is_complete = false;
            break;
        }
    }
    outcome.states = seen.states.len();
    outcome
}

/// The state after some steps from the first one.
fn follow(world: &World, steps: &[Step]) -> State {
    let mut state = State::first(world);
    let mut next = Next::new();
    for step in steps {
        successors(&state, world, &mut next);
        let found = next.iter().find(|(it, _)| it == step);
        state = found.expect("the step is possible").1;
    }
    state
}

/// Walks from the first state again and names the steps, with the same names of processes all along.
fn trace(seen: &Seen, end: usize, world: &World, first: State) -> String {
    let mut path = vec![];
    let mut index = end;
    while index != 0 {
        path.push(seen.states[index]);
        index = seen.parents[index] as usize;
    }
    let mut state = first;
    let mut next = Next::new();
    let mut names: Vec<String> = vec![];
    for word in path.into_iter().rev() {
        successors(&state, world, &mut next);
        let step = next.iter().find(|(_, to)| canonical(to, world) == word);
        let (step, to) = step.expect("each state follows from its parent");
        names.push(step.to_string());
        state = *to;
    }
    names.join(" > ")
}
