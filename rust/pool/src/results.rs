//! Arguments and results of calls.

use crate::lease::LeaseId;
use crate::wait_queue::WaiterId;

/// The result of an acquire that may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// A lease.
    Lease(LeaseId),
    /// A place in the wait queue; the result goes to the mailbox.
    Queued(WaiterId),
}

/// The result of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitResult {
    /// A lease was handed over.
    Lease(LeaseId),
    /// The wait timed out.
    TimedOut,
}

/// Why a call was refused; it had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The wait queue is full.
    QueueFull,
    /// The member is leaving.
    Leaving,
    /// The lease is not in use, or belongs to another member.
    StaleLease,
    /// An upstream of this id exists.
    DuplicateUpstream,
    /// There are 4,096 upstreams, or members, already.
    TooMany,
}

/// A change of an upstream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum UpstreamChange {
    /// The most leases in use.
    MaxInFlight(u32),
    /// The share of the load.
    Weight(f64),
    /// The tier.
    Tier(u32),
    /// Whether it is given no new leases.
    Draining(bool),
}
