//! Limiters: opened by name, and asked.
//!
//! # Codes
//!
//! A decision is one number: 0 if the call is allowed; below 0 a status; above 0, if it is refused,
//! `64 * microseconds + 16 * reason + limit + 1`, where `reason` is a `SLUICE_DENIED_*` constant and
//! `limit` the index of the limit that binds. Microseconds are rounded up and below 2^47.

use sluice_limiter::{Denial, Fault, Full, Key, MOST_LIMITS, Refusal, Verdict};

use crate::boundary::{boundary, boundary_f64};
use crate::clock::Clock;
use crate::limiter_config::{amount, describe};
use crate::opened;
use crate::reservation::id_of;
use crate::slice;
use crate::status::{Failure, SluiceStatus};

/// It will fit after the time that is told.
pub const SLUICE_DENIED_UNTIL: u32 = 0;
/// It will fit when reservations end; no time is told.
pub const SLUICE_DENIED_HELD: u32 = 1;
/// It costs more than the limit ever allows, with what a reservation holds already; no time is told.
pub const SLUICE_DENIED_NEVER: u32 = 2;
/// `sluice_limiter_take` takes this many costs; limiters of more units take parts.
pub const SLUICE_LIMITER_UNITS: u32 = 4;

/// The names of a limiter, its limits and its units are so many bytes together at most.
pub const SLUICE_LIMITER_NAMES: u32 = 1_048_576;

/// 64 times as much and what is added to it is an integer of a double.
const MOST_MICROSECONDS: u64 = (1 << 47) - 1;

/// Opens the limiter of a name, which is made if nobody has it open, and returns its handle. It is this
/// thread's alone. O(limits).
///
/// `text` is UTF-8: the name, the names of the limits and the names of the units, with a NUL between
/// them. `config` has `SLUICE_LIMITER_HEADER` numbers and `SLUICE_LIMITER_LIMIT` for each limit.
/// `clock` is a `SLUICE_CLOCK_*` constant or the handle of a virtual clock. The limiter lives until all
/// who opened it have closed it. A thread that ends does not close it, but its reservations are settled in
/// full: the limiter then stays until all its keys are idle, and goes when others are made after that.
/// Fails with `INVALID_ARGUMENT`, with `LIMITER_MISMATCH` if the limiter of that name has other
/// limits, with `NO_ENTROPY` and with `TOO_MANY_HANDLES`.
///
/// # Safety
/// `text` and `config` point to so many readable elements.
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
        let mut secret = [0; 16];
        getrandom::fill(&mut secret).map_err(|error| {
            Failure::new(SluiceStatus::NoEntropy, format!("no random bytes: {error}"))
        })?;
        opened::open(name, described, Clock::resolve(clock)?, secret)
    })
}

/// Refuses names that nobody means: they are copied and told in messages.
fn check_names(text: &str) -> Result<(), Failure> {
    if text.len() <= SLUICE_LIMITER_NAMES as usize {
        return Ok(());
    }
    Err(Failure::argument(format!(
        "names are {} bytes, more than {SLUICE_LIMITER_NAMES}",
        text.len()
    )))
}

/// Closes a handle of a limiter. What it has reserved stays reserved until it expires. O(1).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_limiter_close(limiter: u32) -> i32 {
    boundary(|| opened::close(limiter).map(|()| 0))
}

/// Closes a handle of a limiter as the end of its thread does: if nobody else has it open, it stays until
/// all its keys are idle, so that who opens it next finds its counts. O(1).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_limiter_leave(limiter: u32) -> i32 {
    boundary(|| opened::leave(limiter).map(|()| 0))
}

/// Returns the key of a name (any bytes), which is made if it is new: a number below 2^53. O(length).
///
/// A key stays until it is forgotten, or idle when another wants its place: then calls with it fail with
/// `STALE_KEY`. Fails with `TOO_MANY_KEYS` if all places are taken and none of the next 1,024 is idle,
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
                    format!("{most} keys are in use and none of those looked at is idle"),
                )
            })
        })
    })
}

/// Returns the key of a name as `sluice_limiter_key` does, and makes none: fails with `STALE_KEY` if there
/// is none. O(length).
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
/// Costs are those of the first four units; what the limiter does not count is not looked at. Fails with
/// `INVALID_HANDLE`, `STALE_KEY`, and `INVALID_ARGUMENT` if a cost is not 0 or from a millionth to 1e12,
/// or the limiter has more than four units.
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

/// Consumes of each cost what there is: all of it, or else the largest multiple of `step` that fits every
/// limit of its unit. Writes to `costs` what was consumed, and returns 1 if that is all that was asked
/// for, or 0. O(limits).
///
/// `costs` has one for each unit of the limiter. Fails with `INVALID_HANDLE`, `STALE_KEY`, and
/// `INVALID_ARGUMENT` if a cost or the step is no amount or the step is 0.
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
                // What was taken whole is told as it was asked for.
                if amount != asked {
                    *cost = amount as f64 / 1e6;
                }
            }
            Ok(i32::from(amounts == asked))
        })
    })
}

#[inline]
pub(crate) fn read_costs(amounts: &mut [u64], costs: &[f64]) -> Result<(), Failure> {
    for (amount_of, &cost) in amounts.iter_mut().zip(costs) {
        *amount_of = amount("cost", cost)?;
    }
    Ok(())
}

/// A verdict as one number.
#[inline]
pub(crate) fn code(verdict: Verdict) -> Result<f64, Failure> {
    match verdict {
        Ok(None) => Ok(0.0),
        Ok(Some(denial)) => Ok(code_of(denial)),
        Err(error) => Err(fault(error)),
    }
}

pub(crate) fn code_of(Denial { limit, refusal }: Denial) -> f64 {
    let (wait, reason) = match refusal {
        Refusal::Until(ns) => (ns.div_ceil(1000).min(MOST_MICROSECONDS), SLUICE_DENIED_UNTIL),
        Refusal::Held => (0, SLUICE_DENIED_HELD),
        Refusal::Never => (0, SLUICE_DENIED_NEVER),
    };
    (wait * 64 + u64::from(16 * reason) + limit as u64 + 1) as f64
}

/// What the ABI says of a fault.
#[cold]
pub(crate) fn fault(fault: Fault) -> Failure {
    match fault {
        Fault::Stale(part) => Failure::new(
            SluiceStatus::StaleKey,
            format!("the key of part {part} was forgotten, or was idle and gave its place away"),
        ),
        Fault::TooManyLimits => {
            Failure::argument(format!("a call decides about 1 to {MOST_LIMITS} limits"))
        }
        Fault::DifferentClocks => Failure::new(
            SluiceStatus::DifferentClocks,
            "the limiters go by different clocks, so nothing can be decided at one moment",
        ),
        Fault::TooManyReservations(part) => Failure::new(
            SluiceStatus::TooManyReservations,
            format!("the key of part {part} has 16777215 reservations open"),
        ),
        Fault::NotOpen => Failure::new(
            SluiceStatus::ReservationClosed,
            "the reservation was settled or cancelled, has expired, or is another thread's",
        ),
        Fault::WrongCosts => Failure::argument("costs has not one for each unit of each part"),
    }
}

/// The generation above the index: an integer below 2^53.
fn number_of_key(key: Key) -> f64 {
    (u64::from(key.generation) << 32 | u64::from(key.index)) as f64
}

/// A key that was a number. What is none is stale.
#[inline]
pub(crate) fn key_of(number: f64) -> Result<Key, Failure> {
    named(number).ok_or_else(|| fault(Fault::Stale(0)))
}

#[inline]
pub(crate) fn named(number: f64) -> Option<Key> {
    let (generation, index) = id_of(number)?;
    Some(Key { index, generation })
}

#[cold]
fn too_many_units() -> Failure {
    Failure::argument(format!("the limiter has more than {SLUICE_LIMITER_UNITS} units"))
}
