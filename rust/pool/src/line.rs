//! The waiting line: first come, first served within a priority, and no priority starves another.
//!
//! A step of priority is worth a fixed time: who has it is served as if it had come that much
//! earlier. Everybody ages alike, so the order of two waiters never changes while they wait, and
//! one heap over `(arrival - priority * aging, number)` is priority, ageing and order of arrival at
//! once. A second heap has the deadlines, so that who has given up is never in the way.

use crate::heap::Heap;
use crate::{Millis, NEVER, UpstreamToken};

/// Names a place in line: 17 bits of slot, 34 bits of generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WaiterId(pub u64);

const SLOT_BITS: u32 = 17;
/// More than so many places are never in use; see [`crate::Pool::wait`].
pub(crate) const PLACES: usize = 1 << SLOT_BITS;

/// Whose turn it is: the least comes first.
type Turn = (i64, u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stand {
    Free,
    /// In line.
    Waiting,
    /// Set aside: its member did not collect what it was handed.
    Aside,
    /// The lease in that slot is its own.
    Offered(u32),
    /// Its time ran out.
    TimedOut,
}

impl Stand {
    fn is_in_line(self) -> bool {
        matches!(self, Self::Waiting | Self::Aside)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Waiter {
    pub(crate) member: u32,
    pub(crate) prefer: UpstreamToken,
    pub(crate) stand: Stand,
    deadline: Millis,
    turn: Turn,
    generation: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Line {
    slab: Vec<Waiter>,
    free: Vec<u32>,
    turns: Heap<Turn>,
    deadlines: Heap<(Millis, u64)>,
    waiting: u32,
    arrivals: u64,
}

impl Line {
    pub(crate) const fn new() -> Self {
        Self {
            slab: Vec::new(),
            free: Vec::new(),
            turns: Heap::new(),
            deadlines: Heap::new(),
            waiting: 0,
            arrivals: 0,
        }
    }

    /// Who waits, those set aside included.
    pub(crate) fn waiting(&self) -> u32 {
        self.waiting
    }

    /// Whether there is no place for another, whatever the settings allow.
    pub(crate) fn is_full(&self) -> bool {
        self.free.is_empty() && self.slab.len() == PLACES
    }

    /// Takes a place. `head_start` is what the priority is worth. O(log n).
    pub(crate) fn join(
        &mut self,
        (member, prefer): (u32, UpstreamToken),
        head_start: i64,
        deadline: Millis,
        now: Millis,
    ) -> WaiterId {
        let slot = self.free.pop().unwrap_or(self.slab.len() as u32);
        let generation = self.slab.get(slot as usize).map_or(0, |old| old.generation) + 1;
        self.arrivals += 1;
        let arrival = i64::try_from(now).unwrap_or(i64::MAX);
        let turn = (arrival.saturating_sub(head_start), self.arrivals);
        let waiter = Waiter { member, prefer, stand: Stand::Free, deadline, turn, generation };
        match self.slab.get_mut(slot as usize) {
            Some(place) => *place = waiter,
            None => self.slab.push(waiter),
        }
        self.put(slot, Stand::Waiting);
        WaiterId(generation << SLOT_BITS | u64::from(slot))
    }

    /// Whose turn it is. O(1).
    pub(crate) fn first(&self) -> Option<u32> {
        self.turns.first().map(|(_, slot)| slot)
    }

    /// The next deadline and whose it is. O(1).
    pub(crate) fn next_deadline(&self) -> Option<(Millis, u32)> {
        self.deadlines.first().map(|((deadline, _), slot)| (deadline, slot))
    }

    pub(crate) fn get(&self, slot: u32) -> &Waiter {
        &self.slab[slot as usize]
    }

    pub(crate) fn id(&self, slot: u32) -> WaiterId {
        WaiterId(self.slab[slot as usize].generation << SLOT_BITS | u64::from(slot))
    }

    /// The slot of a place that `id` names still. O(1).
    pub(crate) fn find(&self, id: WaiterId) -> Option<u32> {
        let slot = (id.0 & (PLACES as u64 - 1)) as u32;
        let waiter = self.slab.get(slot as usize)?;
        (waiter.stand != Stand::Free && self.id(slot) == id).then_some(slot)
    }

    /// Gives a place another stand; [`Stand::Free`] gives the place up. O(log n).
    pub(crate) fn put(&mut self, slot: u32, stand: Stand) {
        let waiter = &mut self.slab[slot as usize];
        let before = std::mem::replace(&mut waiter.stand, stand);
        let (turn, deadline) = (waiter.turn, waiter.deadline);
        self.waiting += u32::from(stand.is_in_line());
        self.waiting -= u32::from(before.is_in_line());
        if stand == Stand::Waiting {
            self.turns.set(slot, turn);
        } else {
            self.turns.remove(slot);
        }
        if stand.is_in_line() && deadline != NEVER {
            self.deadlines.set(slot, (deadline, turn.1));
        } else {
            self.deadlines.remove(slot);
        }
        if stand == Stand::Free {
            self.free.push(slot);
        }
    }

    /// The places of `member` that are taken. O(places).
    pub(crate) fn of(&self, member: u32) -> Vec<u32> {
        let slots = 0..self.slab.len() as u32;
        slots
            .filter(|&slot| {
                let waiter = &self.slab[slot as usize];
                waiter.stand != Stand::Free && waiter.member == member
            })
            .collect()
    }
}
