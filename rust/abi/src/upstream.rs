//! The upstreams of a pool, by id.

use sluice_pool::{Setting, UpstreamSettings};

use crate::boundary::boundary;
use crate::pools::{self, chores, refused};
use crate::slice;
use crate::status::{Failure, SluiceStatus, count, quoted};

/// How many leases of the upstream may be in use.
pub const SLUICE_UPSTREAM_MAX_IN_FLIGHT: u32 = 0;
/// Its share of the load.
pub const SLUICE_UPSTREAM_WEIGHT: u32 = 1;
/// Its tier.
pub const SLUICE_UPSTREAM_TIER: u32 = 2;
/// Whether it is given no new leases: 0 or 1.
pub const SLUICE_UPSTREAM_DRAINING: u32 = 3;
/// An id is so many bytes at most.
pub const SLUICE_UPSTREAM_ID: u32 = 255;
/// Added to the length of an id: since this handle asked last, an index came to mean another
/// upstream, so ids that were read before may be wrong.
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
        let settings = settings(max_in_flight, weight, tier)?;
        pools::with(pool, |shared, member, now| {
            shared.pool.add_upstream(id, settings, now).map_err(refused)?;
            Ok(chores(shared, member))
        })
    })
}

/// Takes an upstream out of the pool and returns 0; leases of it live on, and its id is free at
/// once. O(log n). Fails with `UNKNOWN_UPSTREAM`.
///
/// # Safety
/// `id` points to `id_len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_upstream_remove(pool: u32, id: *const u8, id_len: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let id = unsafe { slice::text("id", id, id_len) }?;
        pools::with(pool, |shared, _, now| {
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
                Setting::MaxInFlight(settings(value, 1.0, 0.0)?.max_in_flight)
            }
            SLUICE_UPSTREAM_WEIGHT => Setting::Weight(settings(1.0, value, 0.0)?.weight),
            SLUICE_UPSTREAM_TIER => Setting::Tier(settings(1.0, 1.0, value)?.tier),
            SLUICE_UPSTREAM_DRAINING => Setting::Draining(value != 0.0),
            _ => return Err(Failure::argument(format!("setting is {setting}, not 0 to 3"))),
        };
        pools::with(pool, |shared, member, now| {
            let index = shared.pool.find_upstream(id).ok_or_else(|| unknown(id))?;
            shared.pool.change_upstream(index, setting, now);
            Ok(chores(shared, member))
        })
    })
}

/// Returns a token that names an upstream where one can be preferred; one that is kept for longer
/// than the upstream is in the pool names nothing, also if its id is another's by then. O(1).
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
        pools::with(pool, |shared, _, _| {
            let index = shared.pool.find_upstream(id).ok_or_else(|| unknown(id))?;
            count(shared.pool.token(index).0 as usize)
        })
    })
}

/// Writes the id of an upstream, UTF-8 without a NUL, and returns its length in bytes, plus
/// `SLUICE_UPSTREAM_NEWS` if other ids changed. O(length).
///
/// An index keeps its meaning while leases of it are in use. Fails with `UNKNOWN_UPSTREAM`.
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
        pools::with(pool, |shared, member, _| {
            let id = shared.pool.upstream_id(index).ok_or_else(|| unknown(&format!("#{index}")))?;
            let (fits, length) = (id.len().min(out.len()), count(id.len())?);
            out[..fits].copy_from_slice(&id.as_bytes()[..fits]);
            // Only who is told forgets: there is no other call that takes the news.
            let news = shared.pool.take_news(member);
            Ok(length + if news { SLUICE_UPSTREAM_NEWS.cast_signed() } else { 0 })
        })
    })
}

/// Refuses an id that is too long.
pub(crate) fn check_id(id: &str) -> Result<(), Failure> {
    if id.len() <= SLUICE_UPSTREAM_ID as usize {
        return Ok(());
    }
    Err(Failure::argument(format!("id is {} bytes, more than {SLUICE_UPSTREAM_ID}", id.len())))
}

/// What is said of an upstream, checked.
pub(crate) fn settings(max: f64, weight: f64, tier: f64) -> Result<UpstreamSettings, Failure> {
    let whole = |name: &str, value: f64, least: f64, most: f64| {
        if value.fract() == 0.0 && (least..=most).contains(&value) {
            return Ok(value as u32);
        }
        Err(Failure::argument(format!(
            "{name} is {value}, not a whole number from {least} to {most}"
        )))
    };
    let max_in_flight = whole("maxInFlight", max, 1.0, f64::from(1 << 17))?;
    let tier = whole("tier", tier, 0.0, f64::from(u32::MAX - 1))?;
    if !(weight > 0.0 && weight.is_finite()) {
        return Err(Failure::argument(format!("weight is {weight}, not above 0")));
    }
    Ok(UpstreamSettings { max_in_flight, weight, tier })
}

fn unknown(id: &str) -> Failure {
    Failure::new(SluiceStatus::UnknownUpstream, format!("the pool has no upstream {}", quoted(id)))
}
