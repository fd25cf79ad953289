//! Leases of upstreams: acquired, renewed and released, one or many a call.

use sluice_pool::{Acquired, Outcome, UpstreamToken};

use crate::pool::chores::chores;
use crate::pool::codec::{lease_id, lease_number, waiter_number};
use crate::pool::registry::{self, refused};
use crate::seam::boundary::{boundary, boundary_f64};
use crate::seam::failure::{Failure, count};
use crate::seam::slice;

/// Outcome: the request succeeded.
pub const SLUICE_LEASE_OK: u32 = 0;
/// Outcome: unknown.
pub const SLUICE_LEASE_UNKNOWN: u32 = 1;
/// Outcome: the request failed.
pub const SLUICE_LEASE_FAILED: u32 = 2;
/// Outcome: the upstream was overloaded, or did not answer in time.
pub const SLUICE_LEASE_OVERLOADED: u32 = 3;

/// Acquires a lease and returns its id. If none is free, returns the id of a waiter, marked by `SLUICE_LEASE_WAITER`,
/// that waits for `timeout` milliseconds, or returns 0 if `timeout` is below 0. O(log n).
///
/// `prefer` is a token of `sluice_upstream_find`, or -1. Waiters of higher `priority` go first. Fails with
/// `QUEUE_FULL` and `POOL_CLOSED`.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_lease_acquire(pool: u32, prefer: i32, priority: i32, timeout: f64) -> f64 {
    boundary_f64(|| {
        let prefer = u32::try_from(prefer).ok().map(UpstreamToken);
        registry::with(pool, |shared, member, now| {
            if timeout >= 0.0 {
                let acquired =
                    shared.pool.wait(member, prefer, priority, timeout.ceil() as u64, now);
                return Ok(match acquired.map_err(refused)? {
                    Acquired::Lease(lease) => lease_number(shared, member, lease),
                    Acquired::Queued(waiter) => waiter_number(waiter),
                });
            }
            let lease = shared.pool.acquire(member, prefer, now);
            Ok(lease.map_or(0.0, |lease| lease_number(shared, member, lease)))
        })
    })
}

/// Acquires as many leases as are free, at most `out_cap`, without waiting, writes their ids, and returns how many
/// there are. `prefer` is as for `sluice_lease_acquire`. O(acquired * log n).
///
/// # Safety
/// `out` points to `out_cap` writable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_lease_acquire_batch(
    pool: u32,
    prefer: i32,
    out: *mut f64,
    out_cap: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, &[] as &[u8]) }?;
        let prefer = u32::try_from(prefer).ok().map(UpstreamToken);
        registry::with(pool, |shared, member, now| {
            let mut taken = 0;
            for number in out {
                let Some(lease) = shared.pool.acquire(member, prefer, now) else { break };
                *number = lease_number(shared, member, lease);
                taken += 1;
            }
            count(taken)
        })
    })
}

/// Releases a lease and returns a sum of `SLUICE_CHORE_*`. O(log n).
///
/// `outcome` is one of `SLUICE_LEASE_OK`, `_UNKNOWN`, `_FAILED` and `_OVERLOADED`. `rest` is for how many milliseconds
/// the upstream asked to get no requests, or 0. Fails with `STALE_LEASE`.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_lease_release(pool: u32, lease: f64, outcome: u32, rest: f64) -> i32 {
    boundary(|| {
        let outcome = match outcome {
            SLUICE_LEASE_OK => Outcome::Ok,
            SLUICE_LEASE_UNKNOWN => Outcome::Unknown,
            SLUICE_LEASE_FAILED => Outcome::Failed,
            SLUICE_LEASE_OVERLOADED => Outcome::Overloaded,
            _ => return Err(Failure::argument(format!("outcome is {outcome}, not 0 to 3"))),
        };
        registry::with(pool, |shared, member, now| {
            let released =
                shared.pool.release(member, lease_id(lease), outcome, rest.ceil() as u64, now);
            released.map_err(refused)?;
            Ok(chores(shared, member))
        })
    })
}

/// Releases leases whose requests succeeded, and returns how many were in use. Others change nothing.
/// O(`leases_len` * log n).
///
/// # Safety
/// `leases` points to `leases_len` readable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_lease_release_batch(
    pool: u32,
    leases: *const f64,
    leases_len: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let leases = unsafe { slice::input("leases", leases, leases_len) }?;
        registry::with(pool, |shared, member, now| {
            let held = leases.iter().filter(|&&lease| {
                shared.pool.release(member, lease_id(lease), Outcome::Ok, 0, now).is_ok()
            });
            count(held.count())
        })
    })
}

/// Restarts the lifetime of a lease and returns 0. O(1). Fails with `STALE_LEASE`.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_lease_renew(pool: u32, lease: f64) -> i32 {
    boundary(|| {
        registry::with(pool, |shared, member, now| {
            shared.pool.renew(member, lease_id(lease), now).map_err(refused)?;
            Ok(0)
        })
    })
}

/// Reports that the upstream has begun to answer successfully, and returns a sum of `SLUICE_CHORE_*`. If the lease is a
/// probe, the upstream has recovered. O(log n). Fails with `STALE_LEASE`.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_lease_confirm(pool: u32, lease: f64) -> i32 {
    boundary(|| {
        registry::with(pool, |shared, member, now| {
            shared.pool.confirm(member, lease_id(lease), now).map_err(refused)?;
            Ok(chores(shared, member))
        })
    })
}
