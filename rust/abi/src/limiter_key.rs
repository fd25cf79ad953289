//! What can be asked of a limiter or done to its keys beside deciding.

use crate::boundary::boundary;
use crate::limiter::{fault, key_of};
use crate::limiter_config::{amount, nanoseconds, plan};
use crate::opened;
use crate::slice;
use crate::status::{Failure, SluiceStatus, count};
use sluice_limiter::{Damaged, Kind, UNLIMITED, VERSION};

/// Numbers that `sluice_limiter_inspect` writes for a limit.
pub const SLUICE_LIMITER_STANDING: u32 = 6;
/// How many numbers `sluice_limiter_stats` writes.
pub const SLUICE_LIMITER_STATS: u32 = 6;

/// Writes how a key stands towards each limit: capacity, remaining, used, outstanding (in units; the first
/// two are infinity of a limit that admits everything),
/// milliseconds until nothing is used, and milliseconds in which a rate's capacity comes back (0 for
/// other kinds); returns how many numbers that is. O(limits).
///
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
            opened.limiter.inspect(key_of(key)?, opened.clock.now()).map_err(fault)
        })?;
        let numbers = standings.iter().flat_map(|standing| {
            let units = |millionths: u64| millionths as f64 / 1e6;
            let (capacity, remaining) = if standing.capacity == UNLIMITED {
                (f64::INFINITY, f64::INFINITY)
            } else {
                (units(standing.capacity), units(standing.remaining))
            };
            let (used, held) = (units(standing.used), units(standing.held));
            let [reset, refill] = [standing.reset_ns, standing.refill_ns].map(|ns| ns as f64 / 1e6);
            [capacity, remaining, used, held, reset, refill]
        });
        for (slot, number) in out.iter_mut().zip(numbers) {
            *slot = number;
        }
        count(standings.len() * SLUICE_LIMITER_STANDING as usize)
    })
}

/// Gives a key other limits, `SLUICE_LIMITER_LIMIT` numbers for each of the limiter's in their order, of
/// the same kinds and units, and of quotas periods; or the limiter's own again if there is none. O(limits).
///
/// What is used and reserved stays. Fails with `INVALID_HANDLE`, `STALE_KEY`, `INVALID_ARGUMENT`, and
/// with `TOO_MANY_LIMIT_SETS` if the limiter and its keys have 65,536 different sets now.
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
                    "the limiter and its keys have 65536 different sets of limits now",
                )),
            }
        })
    })
}

/// Sees to it that at most `remaining` units are left of a limit of a key, as an upstream said; never
/// loosens. O(1). With `after_ms` above 0, that no more is left then, whatever reservations end meanwhile;
/// of a rate only. Before then it is less by what comes back until then. Fails with `INVALID_HANDLE`, `STALE_KEY` and
/// `INVALID_ARGUMENT`.
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
                return Err(Failure::argument(format!("limit {limit} is no rate")));
            }
            let (limit, now) = (limit as usize, opened.clock.now());
            limiter.tighten(key_of(key)?, limit, remaining, after_ns, now).map_err(fault)?;
            Ok(0)
        })
    })
}

/// Forgets what a key has used; open reservations stay. O(limits).
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

/// Forgets a key and returns 1, or 0 if it is stale. What is reserved for it is void. O(1).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_limiter_forget(limiter: u32, key: f64) -> i32 {
    boundary(|| opened::with(limiter, |opened| Ok(opened.limiter.forget(key_of(key)?).into())))
}

/// Writes how many keys there are, how many there can be, how many idle ones gave their place away, how
/// many new ones found none, how many reservations are open, and how many have expired (both counted once
/// for each of the limiter's keys in them); returns how many numbers that is. O(1).
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
            let numbers = [
                stats.keys.into(),
                stats.max_keys.into(),
                stats.evicted,
                stats.refused,
                stats.open,
                stats.expired,
            ];
            for (slot, number) in out.iter_mut().zip(numbers) {
                *slot = number as f64;
            }
            count(numbers.len())
        })
    })
}

/// Writes all keys and what they have used as bytes that `sluice_limiter_restore` takes, and returns
/// their number. Reservations are written as used in full. O(keys). Fails with `TOO_LARGE` and
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
            let fits = bytes.len().min(out.len());
            out[..fits].copy_from_slice(&bytes[..fits]);
            count(bytes.len())
        })
    })
}

/// Takes over the keys of a snapshot; time that went by meanwhile is taken from the wall clock. O(keys).
///
/// What was used counts for the limit that has the same name, unit and kind (and period, of a quota),
/// also if its numbers are others now, or a quota's windows begin elsewhere; what was used of others is dropped. Fails with `BAD_SNAPSHOT` if
/// there is no such limit at all, if the limiter has had keys already, or if the bytes are not a
/// snapshot, and with `OUT_OF_MEMORY`; nothing is changed then.
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
                    Damaged::Memory => return Failure::memory("the keys of the snapshot"),
                    Damaged::Bytes => "the bytes are not a snapshot, or were changed".to_owned(),
                    Damaged::Version(version) => {
                        format!("the snapshot has version {version}, not {VERSION}")
                    }
                    Damaged::OtherLimits => {
                        "the snapshot is of a limiter with other limits: none has the name, unit and kind of \
                         one of this limiter's".to_owned()
                    }
                    Damaged::NotEmpty => "the limiter has had keys already".to_owned(),
                    Damaged::Full => "the snapshot has more keys, or sets of limits, than the limiter may".to_owned(),
                };
                Failure::new(SluiceStatus::BadSnapshot, what)
            })?;
            Ok(0)
        })
    })
}
