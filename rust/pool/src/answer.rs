//! What calls come to, and what they can ask for.

use crate::{LeaseId, WaiterId};

/// What an acquire that may wait comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// A lease, at once.
    Lease(LeaseId),
    /// A place in line; the answer comes to the mailbox.
    Place(WaiterId),
}

/// What became of a place in line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was handed a lease.
    Lease(LeaseId),
    /// Its time ran out.
    TimedOut,
}

/// Why a call had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The line is full.
    QueueFull,
    /// The member is leaving.
    Leaving,
    /// The lease is not in use, or not this member's.
    StaleLease,
    /// The id of an upstream is taken.
    DuplicateUpstream,
    /// There are 4096 upstreams, or members, already.
    TooMany,
}

/// What of an upstream can be changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Setting {
    /// How many leases of it may be in use.
    MaxInFlight(u32),
    /// Its share of the load.
    Weight(f64),
    /// Its tier.
    Tier(u32),
    /// Whether it is given no new leases.
    Draining(bool),
}
