//! Ids of leases and waiters as they cross: each is an integer that a double holds exactly.
//!
//! The id of a lease has 51 bits, of which some are the index of its upstream. A bit above them is a flag, and the
//! bit above that distinguishes waiters from leases.

use sluice_pool::{LeaseId, WaiterId};

use crate::pool::registry::Shared;

/// Added to the id of a lease if there is a chore, see `sluice_waiter_collect`, or the ids of upstreams changed. It is
/// not part of the id.
pub const SLUICE_LEASE_NEWS: f64 = 2251799813685248.0;
/// Added to the id of a waiter, which a call can return instead of a lease.
pub const SLUICE_LEASE_WAITER: f64 = 4503599627370496.0;
/// The id of a lease shifted right by this many bits, modulo `SLUICE_MAX_UPSTREAMS`, is the index of its upstream.
pub const SLUICE_LEASE_UPSTREAM_SHIFT: u32 = 17;
/// The most upstreams of a pool.
pub const SLUICE_MAX_UPSTREAMS: u32 = 4096;

/// The id of a lease, and the flag if there are news for the member.
pub(crate) fn lease_number(shared: &Shared, member: u32, lease: LeaseId) -> f64 {
    let pool = &shared.pool;
    let news = pool.has_news(member) || pool.has_mail(member) || pool.has_rings();
    lease.0 as f64 + if news { SLUICE_LEASE_NEWS } else { 0.0 }
}

/// The lease of a number. A number that is not a lease's becomes 0, which no lease has.
pub(crate) fn lease_id(number: f64) -> LeaseId {
    let is_id = (0.0..SLUICE_LEASE_NEWS).contains(&number) && number.fract() == 0.0;
    LeaseId(if is_id { number as u64 } else { 0 })
}

/// The number of a waiter.
pub(crate) fn waiter_number(waiter: WaiterId) -> f64 {
    waiter.0 as f64 + SLUICE_LEASE_WAITER
}

/// The waiter of a number. A number that is not a waiter's becomes the largest, which no waiter has.
pub(crate) fn waiter_id(number: f64) -> WaiterId {
    let id = number - SLUICE_LEASE_WAITER;
    WaiterId(if id >= 0.0 && id.fract() == 0.0 { id as u64 } else { u64::MAX })
}
