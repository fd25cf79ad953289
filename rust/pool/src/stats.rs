//! Statistics of a pool and its upstreams.

use std::sync::Arc;

use crate::time::Millis;
use crate::upstreams::health::State;

/// Counts since the pool was created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Leases granted.
    pub granted: u64,
    /// Of those, handed over to waiters.
    pub handed_over: u64,
    /// Waits that timed out.
    pub timed_out: u64,
    /// Acquires that were refused because the queue was full.
    pub refused: u64,
    /// Waits that were cancelled.
    pub cancelled: u64,
    /// Leases that expired.
    pub expired: u64,
    /// Leases of members that were removed.
    pub reaped: u64,
    /// Ejections by failures.
    pub ejections: u64,
}

/// The state of one upstream.
#[derive(Clone, Debug, PartialEq)]
pub struct UpstreamStats {
    /// Its index.
    pub index: u32,
    /// Its id.
    pub id: Arc<str>,
    /// Its health.
    pub state: State,
    /// Whether failures ejected it.
    pub ejected: bool,
    /// Whether it is given no new leases.
    pub draining: bool,
    /// Leases in use.
    pub in_flight: u32,
    /// The configured limit of leases in use.
    pub max_in_flight: u32,
    /// The current limit of leases in use.
    pub limit: u32,
    /// Its weight.
    pub weight: f64,
    /// Its tier.
    pub tier: u32,
    /// Leases granted.
    pub granted: u64,
    /// Failures reported.
    pub failed: u64,
    /// Consecutive failures.
    pub failures_in_a_row: u32,
    /// How long it is still resting.
    pub rests_for: Millis,
}

/// Whether the store answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SharedState {
    /// The process holds no permits, and has not missed any.
    Idle,
    /// The process holds permits that have not ended.
    Connected,
    /// The permits have ended and the store does not answer.
    Out,
}

/// The state of a pool that is shared with other processes.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedStats {
    /// Whether the store answers.
    pub state: SharedState,
    /// Since when calls fail, or 0.
    pub failing_for: Millis,
    /// The processes that take part.
    pub holders: u32,
    /// The permits that all processes hold of all upstreams.
    pub fleet: u32,
    /// Calls made.
    pub calls: u64,
    /// Calls that failed.
    pub failures: u64,
    /// How often the store had lost its state.
    pub losses: u64,
    /// The upstreams, in the order of [`crate::Pool::upstreams`].
    pub upstreams: Vec<SharedUpstream>,
}

/// The permits of one upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedUpstream {
    /// Held by this process.
    pub held: u32,
    /// Held by all processes, as of the last reply.
    pub fleet: u32,
    /// How many processes have ejected it, as of the last reply.
    pub ejected: u32,
}
