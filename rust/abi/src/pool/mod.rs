//! Handles of pools: opened by name and shared by all Workers, each of which is a member.

pub mod bell;
pub mod chores;
pub mod codec;
pub mod lease;
mod registry;
pub mod settings;
pub mod sharing;
pub mod stats;
pub mod upstream;
pub mod waiter;

use crate::pool::chores::chores;
use crate::pool::settings::{difference, make, upstream_settings};
use crate::seam::boundary::boundary;
use crate::seam::failure::{Failure, count, quoted};
use crate::seam::slice;
use crate::seam::status::SluiceStatus;

/// The most bytes of the name of a pool.
pub const SLUICE_MAX_POOL_NAME_BYTES: u32 = 1_048_576;

/// Opens the pool `name` (UTF-8), or joins it if it is open, and returns a handle.
///
/// `settings` has `SLUICE_POOL_SETTINGS` numbers, `SLUICE_POOL_UPSTREAM_SETTINGS` for each upstream, and
/// `SLUICE_POOL_SHARED_SETTINGS` if the pool is shared with other processes. `ids` has the ids of the upstreams,
/// concatenated. O(settings).
///
/// Any thread may use the handle. It lives until it is closed or the thread that opened it ends. Then its leases
/// are released and its waiters are cancelled. Fails with `POOL_MISMATCH` if the pool is open with other settings,
/// and with `DUPLICATE_UPSTREAM`, `POOL_TOO_LARGE` and `TOO_MANY_HANDLES`.
///
/// # Safety
/// `name`, `settings` and `ids` point to `name_len`, `settings_len` and `ids_len` readable elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_pool_open(
    name: *const u8,
    name_len: u32,
    settings: *const f64,
    settings_len: u32,
    ids: *const u8,
    ids_len: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let (name, settings, ids) = unsafe {
            (
                slice::text("name", name, name_len)?,
                slice::input("settings", settings, settings_len)?,
                slice::text("ids", ids, ids_len)?,
            )
        };
        if name.len() > SLUICE_MAX_POOL_NAME_BYTES as usize {
            let length = name.len();
            return Err(Failure::argument(format!(
                "name is {length} bytes, more than {SLUICE_MAX_POOL_NAME_BYTES}"
            )));
        }
        registry::open(
            name,
            |shared| match difference(shared, settings, ids) {
                None => Ok(()),
                Some(what) => Err(Failure::new(
                    SluiceStatus::PoolMismatch,
                    format!("pool {} is open with other options: {what}", quoted(name)),
                )),
            },
            || Ok((make(settings, ids)?, settings.to_vec(), ids.into())),
        )
    })
}

/// Closes a handle once all its leases are released, and returns how many are not. From the first call on, the
/// handle gets no new leases, and its waiters are cancelled. Closing the last handle of a pool removes the pool.
/// Amortised O(1).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_pool_close(pool: u32) -> i32 {
    boundary(|| {
        let leases =
            registry::with(pool, |shared, member, now| Ok(shared.pool.leave(member, now)))?;
        if leases == 0 {
            registry::close(pool)?;
        }
        count(leases as usize)
    })
}

/// Stops new acquires of this handle, and returns how many leases it holds. Its waiters keep waiting. O(1).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_pool_retire(pool: u32) -> i32 {
    boundary(|| {
        registry::with(pool, |shared, member, _| count(shared.pool.retire(member) as usize))
    })
}

/// Sets how many leases may be in use over all upstreams, and returns a sum of `SLUICE_CHORE_*`. O(log n).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_pool_resize(pool: u32, max_in_flight: u32) -> i32 {
    boundary(|| {
        let max = upstream_settings(f64::from(max_in_flight), 1.0, 0.0)?.max_in_flight;
        registry::with(pool, |shared, member, now| {
            shared.pool.set_max_in_flight(max, now);
            Ok(chores(shared, member))
        })
    })
}
