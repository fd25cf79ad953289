//! What a pool tells of itself.

use std::sync::Arc;

use crate::{Millis, State};

/// Counts since the pool began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Leases granted.
    pub granted: u64,
    /// Of those, to somebody in line.
    pub handed_over: u64,
    /// Waits that ended without a lease because time ran out.
    pub timed_out: u64,
    /// Acquires refused because the line was full.
    pub refused: u64,
    /// Places given up.
    pub cancelled: u64,
    /// Leases that outlived their time.
    pub expired: u64,
    /// Leases that a member left behind.
    pub reaped: u64,
    /// Ejections by failures.
    pub ejections: u64,
}

/// One upstream at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct UpstreamStats {
    /// Its index.
    pub index: u32,
    /// Its id.
    pub id: Arc<str>,
    /// What use it is in.
    pub state: State,
    /// Whether failures took it out of use.
    pub ejected: bool,
    /// Whether it is given no new leases.
    pub draining: bool,
    /// Leases in use.
    pub in_flight: u32,
    /// The most that may be.
    pub max_in_flight: u32,
    /// How many may be now.
    pub limit: u32,
    /// Its weight.
    pub weight: f64,
    /// Its tier.
    pub tier: u32,
    /// Leases granted.
    pub granted: u64,
    /// Failures told.
    pub failed: u64,
    /// Failures since the last success.
    pub failures_in_a_row: u32,
    /// How long it rests from now on.
    pub rests_for: Millis,
}
