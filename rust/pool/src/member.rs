//! Members of a pool: one for each Worker that has the pool open, with its mailbox.

use std::collections::VecDeque;

use crate::wait_queue::WaiterId;

/// One member.
#[derive(Clone, Debug, Default)]
pub(crate) struct Member {
    /// Whether this entry is in use.
    pub(crate) present: bool,
    /// The number of the member's bell, which [`crate::Pool::take_ring`] returns to have it woken.
    pub(crate) bell: u32,
    pub(crate) leases: u32,
    /// Leases that were handed over to it and not collected yet.
    pub(crate) offers: u32,
    /// Waiters whose result has not been collected.
    pub(crate) mailbox: VecDeque<WaiterId>,
    /// Whether its bell was rung since it last collected everything.
    pub(crate) rung: bool,
    /// Whether it is suspended: it left an offer uncollected for too long.
    pub(crate) suspended: bool,
    /// Whether it is given no new leases.
    pub(crate) leaving: bool,
    /// The version of the upstreams' names that it has.
    pub(crate) names_version: u64,
    /// The number of the next event that it reads.
    pub(crate) event: u64,
}
