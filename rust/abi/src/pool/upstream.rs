//! Upstreams of a pool: added, changed, removed and found by id.

use sluice_pool::UpstreamChange;

use crate::pool::chores::chores;
use crate::pool::registry::{self, refused};
use crate::pool::settings::{check_id, upstream_settings};
use crate::seam::boundary::boundary;
use crate::seam::failure::{Failure, count, quoted};
use crate::seam::slice;
use crate::seam::status::SluiceStatus;

/// Setting: how many leases of the upstream may be in use.
pub const SLUICE_UPSTREAM_MAX_IN_FLIGHT: u32 = 0;
/// Setting: the upstream's share of the load.
pub const SLUICE_UPSTREAM_WEIGHT: u32 = 1;
/// Setting: the upstream's tier.
pub const SLUICE_UPSTREAM_TIER: u32 = 2;
/// Setting: whether the upstream gets no new leases, 0 or 1.
pub const SLUICE_UPSTREAM_DRAINING: u32 = 3;
/// Added to the length of an id if an index has come to mean another upstream since this handle's last call, so
/// that ids that were read before may be wrong.
pub const SLUICE_UPSTREAM_NEWS: u32 = 256;

/// Adds an upstream and returns a sum of `SLUICE_CHORE_*`. O(log n).
///
/// Fails with `DUPLICATE_UPSTREAM` and `POOL_TOO_LARGE`.
///
/// # Safety
/// `id` points to `id_len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_upstream_add(
    pool: u32,
    id: *const u8,
    id_len: u32,
    max_in_flight: f64,
    weight: f64,
    tier: f64,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let id = unsafe { slice::text("id", id, id_len) }?;
        check_id(id)?;
        let settings = upstream_settings(max_in_flight, weight, tier)?;
        registry::with(pool, |shared, member, now| {
            shared.pool.add_upstream(id, settings, now).map_err(refused)?;
            Ok(chores(shared, member))
        })
    })
}

/// Removes an upstream from the pool and returns 0. Its leases live on, and its id is free at once. O(log n). Fails with `UNKNOWN_UPSTREAM`.
///
/// # Safety
/// `id` points to `id_len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_upstream_remove(pool: u32, id: *const u8, id_len: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let id = unsafe { slice::text("id", id, id_len) }?;
        registry::with(pool, |shared, _, now| {
            let index = shared.pool.find_upstream(id).ok_or_else(|| unknown(id))?;
            shared.pool.remove_upstream(index, now);
            Ok(0)
        })
    })
}

/// Changes one of the `SLUICE_UPSTREAM_*` settings and returns a sum of `SLUICE_CHORE_*`. O(log n).
///
/// Fails with `UNKNOWN_UPSTREAM`.
///
/// # Safety
/// `id` points to `id_len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_upstream_change(
    pool: u32,
    id: *const u8,
    id_len: u32,
    setting: u32,
    value: f64,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let id = unsafe { slice::text("id", id, id_len) }?;
        let setting = match setting {
            SLUICE_UPSTREAM_MAX_IN_FLIGHT => {
                UpstreamChange::MaxInFlight(upstream_settings(value, 1.0, 0.0)?.max_in_flight)
            }
            SLUICE_UPSTREAM_WEIGHT => {
                UpstreamChange::Weight(upstream_settings(1.0, value, 0.0)?.weight)
            }
            SLUICE_UPSTREAM_TIER => UpstreamChange::Tier(upstream_settings(1.0, 1.0, value)?.tier),
            SLUICE_UPSTREAM_DRAINING => UpstreamChange::Draining(value != 0.0),
            _ => return Err(Failure::argument(format!("setting is {setting}, not 0 to 3"))),
        };
        registry::with(pool, |shared, member, now| {
            let index = shared.pool.find_upstream(id).ok_or_else(|| unknown(id))?;
            shared.pool.change_upstream(index, setting, now);
            Ok(chores(shared, member))
        })
    })
}

/// Returns a token that names an upstream in `sluice_lease_acquire`. Once the upstream is removed, the token names
/// nothing, even if another upstream has the same id by then. O(1).
///
/// Fails with `UNKNOWN_UPSTREAM`.
///
/// # Safety
/// `id` points to `id_len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_upstream_find(pool: u32, id: *const u8, id_len: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let id = unsafe { slice::text("id", id, id_len) }?;
        registry::with(pool, |shared, _, _| {
            let index = shared.pool.find_upstream(id).ok_or_else(|| unknown(id))?;
            count(shared.pool.token(index).0 as usize)
        })
    })
}

/// Writes the id of an upstream, UTF-8 without a NUL, and returns its length in bytes, plus
/// `SLUICE_UPSTREAM_NEWS` if other ids changed. O(length).
///
/// An index keeps its meaning while leases of its upstream are in use. Fails with `UNKNOWN_UPSTREAM`.
///
/// # Safety
/// `out` points to `out_cap` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_upstream_id(
    pool: u32,
    index: u32,
    out: *mut u8,
    out_cap: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, &[] as &[u8]) }?;
        registry::with(pool, |shared, member, _| {
            let id = shared.pool.upstream_id(index).ok_or_else(|| unknown(&format!("#{index}")))?;
            let length = count(id.len())?;
            slice::write(id.as_bytes(), out);
            // Only this call reports the news, so only this call clears it.
            let news = shared.pool.take_news(member);
            Ok(length + if news { SLUICE_UPSTREAM_NEWS.cast_signed() } else { 0 })
        })
    })
}

fn unknown(id: &str) -> Failure {
    Failure::new(SluiceStatus::UnknownUpstream, format!("the pool has no upstream {}", quoted(id)))
}
