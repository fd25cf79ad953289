//! Handles of limiters: opened by name, then asked for decisions about one key. Decisions are codes, see
//! [`codec`].

pub mod batch;
pub mod codec;
mod config;
pub mod fields;
pub mod key;
pub(crate) mod opened;
pub mod parts;
mod registry;
pub mod reservation;
pub mod shared;
#[cfg(test)]
mod tests;
mod words;
pub mod zone;

use sluice_limiter::{Fault, Full, MOST_LIMITS};

use crate::clock::Clock;
use crate::limiter::codec::{code, code_of, fault, key_of, number_of, number_of_key, read_costs};
use crate::limiter::config::{amount, describe, nanoseconds};
use crate::seam::boundary::{boundary, boundary_f64};
use crate::seam::failure::Failure;
use crate::seam::slice;
use crate::seam::status::SluiceStatus;

/// How many costs `sluice_limiter_take` takes. Limiters of more units use `sluice_limiter_take_all`.
pub const SLUICE_LIMITER_UNITS: u32 = 4;

/// The most bytes that the names of a limiter, of its limits and of its units have together.
pub const SLUICE_MAX_LIMITER_NAMES_BYTES: u32 = 1_048_576;

/// Opens the limiter of a name, which is created if no handle of it is open, and returns a handle that only this
/// thread can use. O(limits).
///
/// `text` is UTF-8: the name, the names of the limits and the names of the units, with a NUL between them.
/// `config` has `SLUICE_LIMITER_HEADER` numbers and `SLUICE_LIMITER_LIMIT` for each limit. `clock` is a
/// `SLUICE_CLOCK_*` constant or the handle of a virtual clock. The limiter lives until every handle of it is
/// closed. The end of a thread does not close its handles, but settles its reservations in full. The limiter then
/// stays until all its keys are idle, and is removed when other limiters are created after that. Fails with `INVALID_ARGUMENT`, with `LIMITER_MISMATCH` if the limiter of that name has other
/// limits, with `NO_ENTROPY` and with `TOO_MANY_HANDLES`.
///
/// # Safety
/// `text` points to `text_len` readable bytes, `config` to `config_len` readable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_limiter_open(
    text: *const u8,
    text_len: u32,
    config: *const f64,
    config_len: u32,
    clock: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let text = unsafe { slice::text("text", text, text_len) }?;
        // SAFETY: the caller's contract.
        let config = unsafe { slice::input("config", config, config_len) }?;
        check_names(text)?;
        let mut names = text.split('\0');
        let name = names.next().unwrap_or_default();
        let described = describe(config, &names.collect::<Vec<_>>())?;
        opened::open(name, described, None, Clock::resolve(clock)?, random()?)
    })
}

/// Random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::new(SluiceStatus::NoEntropy, format!("no random bytes: {error}"))
    })?;
    Ok(bytes)
}

/// Bounds the length of names, because they are copied and are part of messages.
fn check_names(text: &str) -> Result<(), Failure> {
    if text.len() <= SLUICE_MAX_LIMITER_NAMES_BYTES as usize {
        return Ok(());
    }
    Err(Failure::argument(format!(
        "names are {} bytes, more than {SLUICE_MAX_LIMITER_NAMES_BYTES}",
        text.len()
    )))
}

/// Closes a handle of a limiter. Its reservations stay until they expire. O(1).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_limiter_close(limiter: u32) -> i32 {
    boundary(|| opened::close(limiter).map(|()| 0))
}

/// Closes a handle of a limiter as the end of its thread does. If no other handle is open, the limiter stays until
/// all its keys are idle, so that its counts are there when it is opened again. O(1).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_limiter_leave(limiter: u32) -> i32 {
    boundary(|| opened::leave(limiter).map(|()| 0))
}

/// Returns the key of a name (any bytes), a number below 2^53. The key is created if the name is new. O(length).
///
/// A key stays until it is forgotten, or is idle when another key needs its slot. Then calls with it fail with
/// `STALE_KEY`. Fails with `TOO_MANY_KEYS` if all slots are in use and none of the next 1,024 holds an idle key,
/// and with `OUT_OF_MEMORY`.
///
/// # Safety
/// `name` points to `name_len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_limiter_key(limiter: u32, name: *const u8, name_len: u32) -> f64 {
    boundary_f64(|| {
        // SAFETY: the caller's contract.
        let name = unsafe { slice::input("name", name, name_len) }?;
        opened::with(limiter, |opened| {
            let key = opened.limiter.key(name, opened.clock.now());
            key.map(number_of_key).map_err(|full| {
                if full == Full::Memory {
                    return Failure::memory("another key");
                }
                let most = opened.limiter.stats().max_keys;
                Failure::new(
                    SluiceStatus::TooManyKeys,
                    format!("{most} keys are in use, and none of those examined is idle"),
                )
            })
        })
    })
}

/// Returns the key of a name as `sluice_limiter_key` does, but creates none: fails with `STALE_KEY` if the name has
/// no key. O(length).
///
/// # Safety
/// `name` points to `name_len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_limiter_find(limiter: u32, name: *const u8, name_len: u32) -> f64 {
    boundary_f64(|| {
        // SAFETY: the caller's contract.
        let name = unsafe { slice::input("name", name, name_len) }?;
        opened::with(limiter, |opened| {
            let key = opened.limiter.find(name).ok_or_else(|| fault(Fault::Stale(0)))?;
            Ok(number_of_key(key))
        })
    })
}

/// Decides and consumes at one key, and returns a code. O(limits).
///
/// The costs are those of the first four units, and costs of units that the limiter lacks are ignored. Fails with
/// `INVALID_HANDLE`, `STALE_KEY`, and `INVALID_ARGUMENT` if a cost is neither 0 nor from `SLUICE_MIN_AMOUNT` to
/// `SLUICE_MAX_AMOUNT`, or the limiter has more than four units.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_limiter_take(
    limiter: u32,
    key: f64,
    cost0: f64,
    cost1: f64,
    cost2: f64,
    cost3: f64,
) -> f64 {
    boundary_f64(|| {
        opened::with(limiter, |opened| {
            let mut costs = [0; SLUICE_LIMITER_UNITS as usize];
            let units = opened.limiter.units();
            for (cost, given) in costs.iter_mut().zip([cost0, cost1, cost2, cost3]).take(units) {
                *cost = amount("cost", given)?;
            }
            let costs = costs.get(..units).ok_or_else(too_many_units)?;
            code(opened.limiter.take(key_of(key)?, costs, opened.clock.now()))
        })
    })
}

/// Reserves at one key, and returns a code. If the code is 0, writes the number of the reservation to `costs[0]`.
/// The reservation lives `ttl_ms`, or the default of the limiter if that is 0, and then is settled in full.
/// O(limits).
///
/// `costs` has one number for each unit of the limiter. Fails as `sluice_limiter_take` does, and with
/// `TOO_MANY_RESERVATIONS`.
///
/// # Safety
/// `costs` points to `costs_len` readable and writable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_limiter_reserve_one(
    limiter: u32,
    key: f64,
    costs: *mut f64,
    costs_len: u32,
    ttl_ms: f64,
) -> f64 {
    boundary_f64(|| {
        // SAFETY: the caller's contract.
        let costs = unsafe { slice::output("costs", costs, costs_len, &[0u8; 0]) }?;
        opened::with(limiter, |opened| {
            let mut amounts = [0; MOST_LIMITS];
            let amounts = &mut amounts[..opened.limiter.units()];
            if costs.len() != amounts.len() {
                return Err(fault(Fault::WrongCosts));
            }
            read_costs(amounts, costs)?;
            let ttl_ns = if ttl_ms == 0.0 { opened.ttl_ns } else { nanoseconds("ttl", ttl_ms)? };
            let (key, now) = (key_of(key)?, opened.clock.now());
            match opened.limiter.reserve(key, amounts, opened.owner, ttl_ns, now).map_err(fault)? {
                Ok(id) => {
                    costs[0] = number_of(id);
                    Ok(0.0)
                }
                Err(denial) => Ok(code_of(denial)),
            }
        })
    })
}

/// Consumes as much of each cost as is available: all of it, or else the largest multiple of `step` that fits every
/// limit of its unit. Writes the consumed amounts to `costs`, and returns 1 if they are all that was requested, or
/// 0. O(limits).
///
/// `costs` has one number for each unit of the limiter. Fails with `INVALID_HANDLE`, `STALE_KEY`, and
/// `INVALID_ARGUMENT` if a cost or the step is not a valid amount, or the step is 0.
///
/// # Safety
/// `costs` points to `costs_len` readable and writable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_limiter_take_up_to(
    limiter: u32,
    key: f64,
    costs: *mut f64,
    costs_len: u32,
    step: f64,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let costs = unsafe { slice::output("costs", costs, costs_len, &[0u8; 0]) }?;
        opened::with(limiter, |opened| {
            if costs.len() != opened.limiter.units() {
                return Err(fault(Fault::WrongCosts));
            }
            let mut amounts = [0; MOST_LIMITS];
            let amounts = &mut amounts[..costs.len()];
            read_costs(amounts, costs)?;
            let step = amount("step", step)?;
            if step == 0 {
                return Err(Failure::argument("step is 0"));
            }
            let asked = amounts.to_vec();
            let taken = opened.limiter.take_up_to(key_of(key)?, amounts, step, opened.clock.now());
            taken.map_err(fault)?;
            for ((cost, &amount), &asked) in costs.iter_mut().zip(&*amounts).zip(&asked) {
                // An amount that was taken whole stays as it was given, without rounding.
                if amount != asked {
                    *cost = amount as f64 / 1e6;
                }
            }
            Ok(i32::from(amounts == asked))
        })
    })
}

#[cold]
fn too_many_units() -> Failure {
    Failure::argument(format!("the limiter has more than {SLUICE_LIMITER_UNITS} units"))
}
