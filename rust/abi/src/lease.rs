//! Leases: taken, renewed and given back.

use sluice_pool::{Acquired, LeaseId, Outcome, UpstreamToken};

use crate::boundary::{boundary, boundary_f64};
use crate::pools::{self, Shared, chores, refused};
use crate::slice;
use crate::status::{Failure, count};

/// Added to a lease's id: there is something to see to, see `sluice_waiter_collect`, or the ids of
/// upstreams changed. It is no part of the id.
pub const SLUICE_LEASE_NEWS: f64 = 2251799813685248.0;
/// Added to the id of a place in line, where a lease could be.
pub const SLUICE_LEASE_WAITER: f64 = 4503599627370496.0;
/// An id shifted right by so many bits, modulo `SLUICE_LEASE_UPSTREAMS`, is the upstream's index.
pub const SLUICE_LEASE_UPSTREAM_SHIFT: u32 = 17;
/// So many upstreams can be told apart.
pub const SLUICE_LEASE_UPSTREAMS: u32 = 4096;
/// The request went well.
pub const SLUICE_LEASE_OK: u32 = 0;
/// Nothing is known of how the request went.
pub const SLUICE_LEASE_UNKNOWN: u32 = 1;
/// The request failed.
pub const SLUICE_LEASE_FAILED: u32 = 2;
/// The upstream was overloaded, or did not answer in time.
pub const SLUICE_LEASE_OVERLOADED: u32 = 3;

/// Takes a lease and returns its id; if none is free, returns a place in line, marked by
/// `SLUICE_LEASE_WAITER`, that waits for `timeout` milliseconds, or 0 if `timeout` is below 0.
/// O(log n).
///
/// `prefer` is a token of `sluice_upstream_find`, or -1; who has more `priority` goes first. Fails with
/// `QUEUE_FULL` and `POOL_CLOSED`.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_lease_acquire(pool: u32, prefer: i32, priority: i32, timeout: f64) -> f64 {
    boundary_f64(|| {
        let prefer = u32::try_from(prefer).ok().map(UpstreamToken);
        pools::with(pool, |shared, member, now| {
            if timeout >= 0.0 {
                let acquired =
                    shared.pool.wait(member, prefer, priority, timeout.ceil() as u64, now);
                return Ok(match acquired.map_err(refused)? {
                    Acquired::Lease(lease) => told(shared, member, lease),
                    Acquired::Place(place) => place.0 as f64 + SLUICE_LEASE_WAITER,
                });
            }
            let lease = shared.pool.acquire(member, prefer, now);
            Ok(lease.map_or(0.0, |lease| told(shared, member, lease)))
        })
    })
}

/// Takes as many leases as are free, `out_cap` at most, without waiting, writes their ids and
/// returns how many they are. `prefer` as for `sluice_lease_acquire`. O(taken * log n).
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
        pools::with(pool, |shared, member, now| {
            let mut taken = 0;
            for place in out {
                let Some(lease) = shared.pool.acquire(member, prefer, now) else { break };
                *place = told(shared, member, lease);
                taken += 1;
            }
            count(taken)
        })
    })
}

/// Gives a lease back and returns a sum of `SLUICE_CHORE_*`. O(log n).
///
/// `outcome` is one of `SLUICE_LEASE_OK`, `_UNKNOWN`, `_FAILED` and `_OVERLOADED`; `rest` is for how
/// many milliseconds the upstream asked to be left alone, 0 if it did not. Fails with `STALE_LEASE`.
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
        pools::with(pool, |shared, member, now| {
            let released = shared.pool.release(member, id(lease), outcome, rest.ceil() as u64, now);
            released.map_err(refused)?;
            Ok(chores(shared, member))
        })
    })
}

/// Gives leases back whose requests went well and returns how many were in use; those that were
/// not change nothing. O(`leases_len` * log n).
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
        pools::with(pool, |shared, member, now| {
            let held = leases.iter().filter(|&&lease| {
                shared.pool.release(member, id(lease), Outcome::Ok, 0, now).is_ok()
            });
            count(held.count())
        })
    })
}

/// Starts a lease's time anew and returns 0. O(1). Fails with `STALE_LEASE`.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_lease_renew(pool: u32, lease: f64) -> i32 {
    boundary(|| {
        pools::with(pool, |shared, member, now| {
            shared.pool.renew(member, id(lease), now).map_err(refused)?;
            Ok(0)
        })
    })
}

/// Says that the upstream has begun to answer well, and returns a sum of `SLUICE_CHORE_*`: if the
/// lease is a probe, that decides it. O(log n). Fails with `STALE_LEASE`.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_lease_confirm(pool: u32, lease: f64) -> i32 {
    boundary(|| {
        pools::with(pool, |shared, member, now| {
            shared.pool.confirm(member, id(lease), now).map_err(refused)?;
            Ok(chores(shared, member))
        })
    })
}

fn id(lease: f64) -> LeaseId {
    // What is no whole number of 51 bits is nobody's id: 0 is none.
    let whole = (0.0..SLUICE_LEASE_NEWS).contains(&lease) && lease.fract() == 0.0;
    LeaseId(if whole { lease as u64 } else { 0 })
}

/// A lease's id, marked if there is something to see to.
pub(crate) fn told(shared: &Shared, member: u32, lease: LeaseId) -> f64 {
    let pool = &shared.pool;
    let news = pool.has_news(member) || pool.has_mail(member) || pool.has_rings();
    lease.0 as f64 + if news { SLUICE_LEASE_NEWS } else { 0.0 }
}
