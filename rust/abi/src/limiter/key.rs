//! Keys of limiters apart from decisions: inspection, limits of their own, statistics and snapshots.

use crate::limiter::codec::{fault, key_of, key_or_none_of};
use crate::limiter::config::{amount, nanoseconds, plan};
use crate::limiter::opened;
use crate::seam::boundary::boundary;
use crate::seam::failure::{Failure, count};
use crate::seam::slice;
use crate::seam::status::SluiceStatus;
use sluice_limiter::{Kind, RestoreError, UNLIMITED, VERSION};

/// How many numbers `sluice_limiter_inspect` writes for a limit.
pub const SLUICE_LIMITER_STANDING: u32 = 6;
/// How many numbers `sluice_limiter_stats` writes.
pub const SLUICE_LIMITER_STATS: u32 = 6;

/// Indices of the numbers that `sluice_limiter_inspect` writes for each limit.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluiceStanding {
    /// The capacity in units, infinity if the limit admits everything.
    Capacity,
    /// What remains of it in units, infinity if the limit admits everything.
    Remaining,
    /// What is used, in units.
    Used,
    /// What reservations hold, in units.
    Outstanding,
    /// Milliseconds until nothing is used.
    ResetMs,
    /// Milliseconds in which the capacity of a rate comes back, 0 for other kinds.
    RefillMs,
}

const _: () = assert!(SLUICE_LIMITER_STANDING == SluiceStanding::RefillMs as u32 + 1);

/// Indices of the numbers that `sluice_limiter_stats` writes.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluiceLimiterStat {
    /// How many keys exist.
    Keys,
    /// How many keys can exist.
    MaxKeys,
    /// How many idle keys were evicted.
    Evicted,
    /// How many new keys found no slot.
    Refused,
    /// How many reservations are open. A reservation counts once for each of the limiter's keys in it.
    Reservations,
    /// How many reservations have expired, counted in the same way.
    Expired,
}

const _: () = assert!(SLUICE_LIMITER_STATS == SluiceLimiterStat::Expired as u32 + 1);

/// Writes the state of each limit of a key, `SLUICE_LIMITER_STANDING` numbers a limit, and returns how many
/// numbers there are. O(limits).
///
/// NaN as a key stands for a name without a key, whose state is that of a new key.
/// Fails with `INVALID_HANDLE` and `STALE_KEY`.
///
/// # Safety
/// `out` points to `out_cap` writable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_limiter_inspect(
    limiter: u32,
    key: f64,
    out: *mut f64,
    out_cap: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, &[0u8; 0]) }?;
        let standings = opened::with(limiter, |opened| {
            opened.limiter.inspect(key_or_none_of(key)?, opened.clock.now()).map_err(fault)
        })?;
        let rows = out.chunks_mut(SLUICE_LIMITER_STANDING as usize);
        for (row, standing) in rows.zip(&standings) {
            let units = |millionths: u64| millionths as f64 / 1e6;
            let (capacity, remaining) = if standing.capacity == UNLIMITED {
                (f64::INFINITY, f64::INFINITY)
            } else {
                (units(standing.capacity), units(standing.remaining))
            };
            let mut numbers = [0.0; SLUICE_LIMITER_STANDING as usize];
            for (field, number) in [
                (SluiceStanding::Capacity, capacity),
                (SluiceStanding::Remaining, remaining),
                (SluiceStanding::Used, units(standing.used)),
                (SluiceStanding::Outstanding, units(standing.held)),
                (SluiceStanding::ResetMs, standing.reset_ns as f64 / 1e6),
                (SluiceStanding::RefillMs, standing.refill_ns as f64 / 1e6),
            ] {
                numbers[field as usize] = number;
            }
            slice::write(&numbers, row);
        }
        count(standings.len() * SLUICE_LIMITER_STANDING as usize)
    })
}

/// Gives a key limits of its own: `SLUICE_LIMITER_LIMIT` numbers for each limit of the limiter, in the same order
/// and of the same kinds, units and, for quotas, periods. Without numbers, gives it the limiter's limits again.
/// O(limits).
///
/// Usage and reservations stay. Fails with `INVALID_HANDLE`, `STALE_KEY`, `INVALID_ARGUMENT`, and with
/// `TOO_MANY_LIMIT_SETS` if the limiter and its keys have 65,536 different sets of limits.
///
/// # Safety
/// `limits` points to `limits_len` readable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_limiter_set_limits(
    limiter: u32,
    key: f64,
    limits: *const f64,
    limits_len: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let numbers = unsafe { slice::input("limits", limits, limits_len) }?;
        opened::with(limiter, |opened| {
            let limiter = &opened.limiter;
            let own = limiter.limits();
            let other = if numbers.is_empty() {
                None
            } else {
                let other = plan(numbers, own.len(), limiter.units())?;
                let mut pairs = own.iter().zip(&*other);
                if !pairs.all(|(own, other)| own.unit == other.unit && own.is_like(other)) {
                    return Err(Failure::argument("a limit has another kind, unit or period"));
                }
                Some(other)
            };
            match limiter.set_limits(key_of(key)?, other, opened.clock.now()) {
                Ok(done) => done.map(|()| 0).map_err(fault),
                Err(_) => Err(Failure::new(
                    SluiceStatus::TooManyLimitSets,
                    "the limiter and its keys have 65536 different sets of limits",
                )),
            }
        })
    })
}

/// Lowers what remains of a limit of a key to at most `remaining` units, as an upstream reported. Never raises it.
/// O(1).
///
/// With `after_ms` above 0, which only a rate can have, `remaining` holds for that later moment, whatever
/// reservations end meanwhile. Before that moment, what remains is lower by what comes back until then. Fails with
/// `INVALID_HANDLE`, `STALE_KEY` and `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_limiter_tighten(
    limiter: u32,
    key: f64,
    limit: u32,
    remaining: f64,
    after_ms: f64,
) -> i32 {
    boundary(|| {
        opened::with(limiter, |opened| {
            let limiter = &opened.limiter;
            if limit as usize >= limiter.limits().len() {
                return Err(Failure::argument(format!("the limiter has no limit {limit}")));
            }
            let remaining = amount("remaining", remaining)?;
            let after_ns = if after_ms == 0.0 { 0 } else { nanoseconds("after", after_ms)? };
            let is_rate = matches!(limiter.limits()[limit as usize].kind, Kind::Rate { .. });
            if after_ns > 0 && !is_rate {
                return Err(Failure::argument(format!("limit {limit} is not a rate")));
            }
            let (limit, now) = (limit as usize, opened.clock.now());
            limiter.tighten(key_of(key)?, limit, remaining, after_ns, now).map_err(fault)?;
            Ok(0)
        })
    })
}

/// Forgets the usage of a key. Open reservations stay. O(limits).
/// Fails with `INVALID_HANDLE` and `STALE_KEY`.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_limiter_reset(limiter: u32, key: f64) -> i32 {
    boundary(|| {
        opened::with(limiter, |opened| {
            opened.limiter.reset(key_of(key)?, opened.clock.now()).map_err(fault)?;
            Ok(0)
        })
    })
}

/// Forgets a key and returns 1, or 0 if it is stale. Its reservations become void. O(1).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_limiter_forget(limiter: u32, key: f64) -> i32 {
    boundary(|| opened::with(limiter, |opened| Ok(opened.limiter.forget(key_of(key)?).into())))
}

/// Writes the numbers of `SLUICE_LIMITER_STAT_*`, and returns how many there are. O(1).
///
/// # Safety
/// `out` points to `out_cap` writable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_limiter_stats(limiter: u32, out: *mut f64, out_cap: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, &[0u8; 0]) }?;
        opened::with(limiter, |opened| {
            opened.limiter.book().expire(opened.clock.now());
            let stats = opened.limiter.stats();
            let mut numbers = [0.0; SLUICE_LIMITER_STATS as usize];
            for (stat, number) in [
                (SluiceLimiterStat::Keys, stats.keys.into()),
                (SluiceLimiterStat::MaxKeys, stats.max_keys.into()),
                (SluiceLimiterStat::Evicted, stats.evicted),
                (SluiceLimiterStat::Refused, stats.refused),
                (SluiceLimiterStat::Reservations, stats.open),
                (SluiceLimiterStat::Expired, stats.expired),
            ] {
                numbers[stat as usize] = number as f64;
            }
            slice::write(&numbers, out);
            count(numbers.len())
        })
    })
}

/// Writes all keys and their usage as bytes for `sluice_limiter_restore`, and returns the number of bytes.
/// Reservations are written as used in full. O(keys). Fails with `TOO_LARGE` and
/// `OUT_OF_MEMORY`.
///
/// # Safety
/// `out` points to `out_cap` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_limiter_snapshot(limiter: u32, out: *mut u8, out_cap: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, &[0u8; 0]) }?;
        opened::with(limiter, |opened| {
            let bytes = opened.limiter.snapshot(opened.clock.now());
            let bytes = bytes.map_err(|_| Failure::memory("the snapshot"))?;
            slice::write(&bytes, out);
            count(bytes.len())
        })
    })
}

/// Restores the keys of a snapshot. The time that has passed since is taken from the wall clock. O(keys).
///
/// Usage counts for the limit of the same name, unit, kind and, for quotas, period, even if its numbers or the start
/// of its windows have changed. Usage of other limits is dropped. Fails with `BAD_SNAPSHOT` if there is no such
/// limit at all, if the limiter has had keys already, or if the bytes are not a snapshot, and with `OUT_OF_MEMORY`.
/// A failure changes nothing.
///
/// # Safety
/// `bytes` points to `bytes_len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_limiter_restore(
    limiter: u32,
    bytes: *const u8,
    bytes_len: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let bytes = unsafe { slice::input("bytes", bytes, bytes_len) }?;
        opened::with(limiter, |opened| {
            opened.limiter.restore(bytes, opened.clock.now()).map_err(|damaged| {
                let what = match damaged {
                    RestoreError::Memory => return Failure::memory("the keys of the snapshot"),
                    RestoreError::Bytes => "the bytes are not a snapshot, or were changed".to_owned(),
                    RestoreError::Version(version) => {
                        format!("the snapshot has version {version}, not {VERSION}")
                    }
                    RestoreError::OtherLimits => {
                        "the snapshot is of a limiter with other limits: none has the name, unit and kind of \
                         one of this limiter's".to_owned()
                    }
                    RestoreError::NotEmpty => "the limiter has had keys already".to_owned(),
                    RestoreError::Full => "the snapshot has more keys, or sets of limits, than the limiter may have".to_owned(),
                };
                Failure::new(SluiceStatus::BadSnapshot, what)
            })?;
            Ok(0)
        })
    })
}
