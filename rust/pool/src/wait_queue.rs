//! The wait queue: an indexed heap that serves first come, first served within a priority, and
//! starves no priority.
//!
//! A step of priority is worth a fixed time: a waiter with higher priority is served as if it had
//! arrived that much earlier. All waiters age alike, so the order of two waiters never changes
//! while they wait. One heap over `(arrival - priority * aging, number)` therefore implements
//! priority, aging and order of arrival at once. A second heap has the deadlines, so waiters that
//! time out or cancel never block the queue.

use crate::indexed_heap::IndexedHeap;
use crate::time::{Millis, NEVER};
use crate::upstreams::token::UpstreamToken;

/// The id of a waiter: 17 bits of slot, 34 bits of generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WaiterId(pub u64);

const SLOT_BITS: u32 = 17;
/// The most waiters; see [`crate::Pool::wait`].
pub(crate) const MAX_WAITERS: usize = 1 << SLOT_BITS;

/// The order of waiters: the least key is served first.
type QueueKey = (i64, u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaiterState {
    Free,
    /// In the queue.
    Waiting,
    /// In the queue but not served: its member did not collect an offer.
    Suspended,
    /// The lease in this slot was handed over to it.
    Offered(u32),
    /// It timed out.
    TimedOut,
}

impl WaiterState {
    fn is_waiting(self) -> bool {
        matches!(self, Self::Waiting | Self::Suspended)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Waiter {
    pub(crate) member: u32,
    pub(crate) prefer: UpstreamToken,
    pub(crate) state: WaiterState,
    deadline: Millis,
    key: QueueKey,
    generation: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct WaitQueue {
    slab: Vec<Waiter>,
    free: Vec<u32>,
    by_key: IndexedHeap<QueueKey>,
    by_deadline: IndexedHeap<(Millis, u64)>,
    waiting: u32,
    arrivals: u64,
}

impl WaitQueue {
    pub(crate) const fn new() -> Self {
        Self {
            slab: Vec::new(),
            free: Vec::new(),
            by_key: IndexedHeap::new(),
            by_deadline: IndexedHeap::new(),
            waiting: 0,
            arrivals: 0,
        }
    }

    /// The number of waiters, including suspended ones.
    pub(crate) fn waiting(&self) -> u32 {
        self.waiting
    }

    /// Whether the slab has no room for another waiter, whatever the settings allow.
    pub(crate) fn is_full(&self) -> bool {
        self.free.is_empty() && self.slab.len() == MAX_WAITERS
    }

    /// Adds a waiter. `head_start` is the time that its priority is worth. O(log n).
    pub(crate) fn enqueue(
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
        let key = (arrival.saturating_sub(head_start), self.arrivals);
        let waiter = Waiter { member, prefer, state: WaiterState::Free, deadline, key, generation };
        match self.slab.get_mut(slot as usize) {
            Some(entry) => *entry = waiter,
            None => self.slab.push(waiter),
        }
        self.set_state(slot, WaiterState::Waiting);
        WaiterId(generation << SLOT_BITS | u64::from(slot))
    }

    /// The waiter that is served next. O(1).
    pub(crate) fn first(&self) -> Option<u32> {
        self.by_key.first().map(|(_, slot)| slot)
    }

    /// The next deadline, and its waiter. O(1).
    pub(crate) fn next_deadline(&self) -> Option<(Millis, u32)> {
        self.by_deadline.first().map(|((deadline, _), slot)| (deadline, slot))
    }

    pub(crate) fn get(&self, slot: u32) -> &Waiter {
        &self.slab[slot as usize]
    }

    pub(crate) fn id(&self, slot: u32) -> WaiterId {
        WaiterId(self.slab[slot as usize].generation << SLOT_BITS | u64::from(slot))
    }

    /// The slot of the waiter `id`, if it exists. O(1).
    pub(crate) fn find(&self, id: WaiterId) -> Option<u32> {
        let slot = (id.0 & (MAX_WAITERS as u64 - 1)) as u32;
        let waiter = self.slab.get(slot as usize)?;
        (waiter.state != WaiterState::Free && self.id(slot) == id).then_some(slot)
    }

    /// Changes the state of a waiter; [`WaiterState::Free`] removes it. O(log n).
    pub(crate) fn set_state(&mut self, slot: u32, state: WaiterState) {
        let waiter = &mut self.slab[slot as usize];
        let before = std::mem::replace(&mut waiter.state, state);
        let (key, deadline) = (waiter.key, waiter.deadline);
        self.waiting += u32::from(state.is_waiting());
        self.waiting -= u32::from(before.is_waiting());
        if state == WaiterState::Waiting {
            self.by_key.set(slot, key);
        } else {
            self.by_key.remove(slot);
        }
        if state.is_waiting() && deadline != NEVER {
            self.by_deadline.set(slot, (deadline, key.1));
        } else {
            self.by_deadline.remove(slot);
        }
        if state == WaiterState::Free {
            self.free.push(slot);
        }
    }

    /// The slots of the waiters of `member`. O(slots).
    pub(crate) fn slots_of(&self, member: u32) -> Vec<u32> {
        let slots = 0..self.slab.len() as u32;
        slots
            .filter(|&slot| {
                let waiter = &self.slab[slot as usize];
                waiter.state != WaiterState::Free && waiter.member == member
            })
            .collect()
    }
}
