//! Leases: a slab with generations, and a doubly linked list through it in order of expiry.
//!
//! All leases of a pool have the same time to live, so the one that was renewed longest ago expires
//! next. The list keeps that order in O(1), where a heap would take O(log n) on every acquire and
//! release.

use crate::index::NONE;
use crate::time::Millis;

/// The id of a lease: 17 bits of slot, 12 bits of upstream, 22 bits of generation.
///
/// The generation of a slot grows with every use, so a late or forged id has another generation or
/// another upstream, and has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeaseId(pub u64);

pub(crate) const SLOT_BITS: u32 = 17;
/// The most leases of a pool.
pub(crate) const MAX_LEASES: u32 = 1 << SLOT_BITS;
pub(crate) const UPSTREAM_BITS: u32 = 12;
const GENERATIONS: u32 = 1 << 22;

impl LeaseId {
    /// The bits of an id.
    pub const BITS: u32 = 51;

    fn new(slot: u32, upstream: u32, generation: u32) -> Self {
        let generation = u64::from(generation) << (SLOT_BITS + UPSTREAM_BITS);
        Self(generation | u64::from(upstream) << SLOT_BITS | u64::from(slot))
    }

    fn slot(self) -> u32 {
        (self.0 & ((1 << SLOT_BITS) - 1)) as u32
    }

    /// The index of the upstream.
    #[must_use]
    pub fn upstream(self) -> u32 {
        (self.0 >> SLOT_BITS) as u32 & ((1 << UPSTREAM_BITS) - 1)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Lease {
    /// [`NONE`] while the slot is free.
    pub(crate) upstream: u32,
    pub(crate) member: u32,
    generation: u32,
    older: u32,
    newer: u32,
    pub(crate) probe: bool,
    /// Handed over to a waiter and not collected yet: the time to live has not begun.
    offered: bool,
    renewed: Millis,
    /// The number of this grant in the pool.
    pub(crate) grant: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Leases {
    slab: Vec<Lease>,
    free: Vec<u32>,
    oldest: u32,
    newest: u32,
}

impl Leases {
    pub(crate) const fn new() -> Self {
        Self { slab: Vec::new(), free: Vec::new(), oldest: NONE, newest: NONE }
    }

    pub(crate) fn in_use(&self) -> u32 {
        (self.slab.len() - self.free.len()) as u32
    }

    /// Allocates a lease. Amortized O(1).
    pub(crate) fn open(
        &mut self,
        (upstream, member): (u32, u32),
        probe: bool,
        grant: u64,
        now: Millis,
    ) -> LeaseId {
        let slot = self.free.pop().unwrap_or(self.slab.len() as u32);
        let generation = self.slab.get(slot as usize).map_or(0, |old| old.generation);
        // Never 0, so that no id is 0.
        let generation = generation % (GENERATIONS - 1) + 1;
        let lease = Lease {
            upstream,
            member,
            generation,
            older: NONE,
            newer: NONE,
            probe,
            offered: false,
            renewed: now,
            grant,
        };
        match self.slab.get_mut(slot as usize) {
            Some(entry) => *entry = lease,
            None => self.slab.push(lease),
        }
        self.link(slot);
        LeaseId::new(slot, upstream, generation)
    }

    /// The slot of a lease that `member` holds. A lease that was not collected yet is not found.
    /// O(1).
    pub(crate) fn find(&self, id: LeaseId, member: u32) -> Option<u32> {
        let slot = id.slot();
        let lease = self.slab.get(slot as usize)?;
        let live = lease.upstream != NONE
            && lease.member == member
            && !lease.offered
            && LeaseId::new(slot, lease.upstream, lease.generation) == id;
        live.then_some(slot)
    }

    pub(crate) fn id(&self, slot: u32) -> LeaseId {
        let lease = &self.slab[slot as usize];
        LeaseId::new(slot, lease.upstream, lease.generation)
    }

    /// O(1).
    pub(crate) fn close(&mut self, slot: u32) -> Lease {
        self.unlink(slot);
        self.free.push(slot);
        let lease = &mut self.slab[slot as usize];
        let closed = lease.clone();
        lease.upstream = NONE;
        closed
    }

    /// Marks a lease as offered: it waits to be collected. O(1).
    pub(crate) fn offer(&mut self, slot: u32) {
        self.slab[slot as usize].offered = true;
    }

    /// Marks a lease as collected, and starts its time to live. O(1).
    pub(crate) fn collect(&mut self, slot: u32, now: Millis) {
        self.slab[slot as usize].offered = false;
        self.renew(slot, now);
    }

    /// Restarts the lease's time to live. O(1).
    pub(crate) fn renew(&mut self, slot: u32, now: Millis) {
        self.unlink(slot);
        self.slab[slot as usize].renewed = now;
        self.link(slot);
    }

    /// Returns whether the lease was a probe, and clears the mark. O(1).
    pub(crate) fn take_probe(&mut self, slot: u32) -> bool {
        std::mem::take(&mut self.slab[slot as usize].probe)
    }

    /// The lease that was renewed longest ago, and when. O(1).
    pub(crate) fn oldest(&self) -> Option<(u32, Millis)> {
        self.slab.get(self.oldest as usize).map(|lease| (self.oldest, lease.renewed))
    }

    /// Whether the lease waits to be collected. O(1).
    pub(crate) fn is_offered(&self, slot: u32) -> bool {
        self.slab[slot as usize].offered
    }

    /// The slots of the leases of `member`. O(slots).
    pub(crate) fn held_by(&self, member: u32) -> Vec<u32> {
        let slots = 0..self.slab.len() as u32;
        slots
            .filter(|&slot| {
                let lease = &self.slab[slot as usize];
                lease.upstream != NONE && lease.member == member
            })
            .collect()
    }

    fn link(&mut self, slot: u32) {
        let newest = self.newest;
        self.slab[slot as usize].older = newest;
        self.slab[slot as usize].newer = NONE;
        match self.slab.get_mut(newest as usize) {
            Some(before) => before.newer = slot,
            None => self.oldest = slot,
        }
        self.newest = slot;
    }

    fn unlink(&mut self, slot: u32) {
        let Lease { older, newer, .. } = self.slab[slot as usize];
        match self.slab.get_mut(older as usize) {
            Some(before) => before.newer = newer,
            None => self.oldest = newer,
        }
        match self.slab.get_mut(newer as usize) {
            Some(after) => after.older = older,
            None => self.newest = older,
        }
    }
}
