//! Who takes part in a pool: one member for each Worker that has it open.

use std::collections::VecDeque;

use crate::WaiterId;

/// One member.
#[derive(Clone, Debug, Default)]
pub(crate) struct Member {
    /// Whether somebody is behind it; a place without one is free.
    pub(crate) present: bool,
    /// The name that [`crate::Pool::take_ring`] calls it by.
    pub(crate) bell: u32,
    pub(crate) leases: u32,
    /// Leases it was handed and did not collect yet.
    pub(crate) offers: u32,
    /// Places whose answer waits to be collected.
    pub(crate) mailbox: VecDeque<WaiterId>,
    /// Whether its bell was rung since it collected.
    pub(crate) rung: bool,
    /// Whether it left an offer lying for too long.
    pub(crate) asleep: bool,
    /// Takes no new leases.
    pub(crate) leaving: bool,
    /// The edition of the upstreams' names that it has.
    pub(crate) edition: u64,
    /// The next event that it was not told.
    pub(crate) event: u64,
}
