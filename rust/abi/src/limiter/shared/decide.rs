//! Decisions that may ask the store. A call's request is an array of numbers, at the indices `SLUICE_SHARED_REQUEST_*`.

use sluice_limiter::shared::{Source, Want};
use sluice_limiter::{Denial, MOST_LIMITS};

use crate::limiter::codec::{fault, key_of, number_of, read_costs, shared_code_of};
use crate::limiter::config::nanoseconds;
use crate::limiter::opened::{self, Opened};
use crate::limiter::shared::mail::chores;
use crate::seam::boundary::{boundary, boundary_f64};
use crate::seam::failure::Failure;
use crate::seam::slice;

/// Added to a code that allows a call: a call to the store is worthwhile now.
pub const SLUICE_SHARED_CALL: f64 = 0.25;
/// Added to a code that allows a call: the rules for an outage allow it.
pub const SLUICE_SHARED_BY_OUTAGE: f64 = 0.5;

/// Indices of the numbers of a request.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluiceSharedRequest {
    /// 1 to reserve, 0 to take. A reservation that is made has its number here then.
    Reserve,
    /// The life of the reservation in milliseconds, or 0 for the default of the limiter.
    TtlMs,
    /// The first cost. There is one for each unit of the limiter.
    Costs,
}

/// Decides without waiting, after the credit of a key did not suffice: from credit that is not yet in the slot, from
/// an answer of the store that still holds, or by the rules for an outage. Returns a code. O(limits).
///
/// A code below 1 allows the call, and is a sum of `SLUICE_SHARED_CALL` and `SLUICE_SHARED_BY_OUTAGE`. With
/// `SLUICE_DENIED_LEASE` the store has to be asked: see `sluice_shared_wait`. Fails as `sluice_limiter_reserve_one`
/// does, and with `NOT_SHARED`.
///
/// # Safety
/// `request` points to `request_len` readable and writable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_shared_take(
    limiter: u32,
    key: f64,
    request: *mut f64,
    request_len: u32,
) -> f64 {
    boundary_f64(|| {
        // SAFETY: the caller's contract.
        let request = unsafe { slice::output("request", request, request_len, &[0u8; 0]) }?;
        opened::with_shared(limiter, |opened, shared| {
            let mut amounts = [0; MOST_LIMITS];
            let (costs, want) = read(opened, request, &mut amounts)?;
            let (key, now) = (key_of(key)?, opened.clock.now());
            let (denied, source, needs_call) = match want {
                Want::Take => {
                    let decided = shared.take(key, costs, now).map_err(fault)?;
                    (decided.outcome.err(), decided.source, decided.needs_call)
                }
                Want::Reserve { ttl_ns } => {
                    let decided =
                        shared.reserve(key, costs, opened.owner, ttl_ns, now).map_err(fault)?;
                    if let Ok(id) = decided.outcome {
                        request[SluiceSharedRequest::Reserve as usize] = number_of(id);
                    }
                    (decided.outcome.err(), decided.source, decided.needs_call)
                }
            };
            Ok(code(denied, source, needs_call))
        })
    })
}

/// Lets a decision of a key wait for the store, and returns its ticket, a number above 0. Its answer comes to the
/// mailbox of this thread, perhaps at once: see `sluice_shared_collect`. Call `sluice_shared_send` next. O(limits).
///
/// `name` is the name of the key. Fails as `sluice_shared_take` does.
///
/// # Safety
/// `name` points to `name_len` readable bytes, `request` to `request_len` readable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_shared_wait(
    limiter: u32,
    key: f64,
    name: *const u8,
    name_len: u32,
    request: *const f64,
    request_len: u32,
) -> f64 {
    boundary_f64(|| {
        // SAFETY: the caller's contract.
        let name = unsafe { slice::input("name", name, name_len) }?;
        // SAFETY: the caller's contract.
        let request = unsafe { slice::input("request", request, request_len) }?;
        opened::with_shared(limiter, |opened, shared| {
            let mut amounts = [0; MOST_LIMITS];
            let (costs, want) = read(opened, request, &mut amounts)?;
            let (key, now) = (key_of(key)?, opened.clock.now());
            let ticket = shared.wait(key, name, costs, want, opened.owner, now).map_err(fault)?;
            Ok(ticket as f64)
        })
    })
}

/// Notes that a key wants credit, so that the next call of `sluice_shared_send` asks for it ahead. `name` is the name
/// of the key. `costs` has one number for each unit, of a call that `sluice_shared_take` has not seen, or none. O(1).
/// Fails with `INVALID_HANDLE`, `INVALID_ARGUMENT`, `NOT_SHARED` and `STALE_KEY`.
///
/// # Safety
/// `name` points to `name_len` readable bytes, `costs` to `costs_len` readable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_shared_touch(
    limiter: u32,
    key: f64,
    name: *const u8,
    name_len: u32,
    costs: *const f64,
    costs_len: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let name = unsafe { slice::input("name", name, name_len) }?;
        // SAFETY: the caller's contract.
        let costs = unsafe { slice::input("costs", costs, costs_len) }?;
        opened::with_shared(limiter, |opened, shared| {
            let mut amounts = [0; MOST_LIMITS];
            let amounts = amounts
                .get_mut(..costs.len())
                .ok_or_else(|| Failure::argument("there are more costs than units"))?;
            read_costs(amounts, costs)?;
            let key = key_of(key)?;
            shared.touch(key, name, amounts, opened.clock.now()).map_err(fault)?;
            Ok(0)
        })
    })
}

/// Ends the wait of a ticket, and returns 1 if it was still waiting, or 0. A reservation that it may have been given is
/// cancelled. O(waiters). Fails with `INVALID_HANDLE` and `NOT_SHARED`.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_shared_cancel(limiter: u32, ticket: f64) -> i32 {
    boundary(|| {
        opened::with_shared(limiter, |opened, shared| {
            Ok(shared.cancel(ticket_of(ticket)?, opened.clock.now()).into())
        })
    })
}

/// Decides a ticket that still waits by the rules for an outage, because its caller does not wait any longer, and
/// returns a sum of `SLUICE_SHARED_CHORE_*`. O(waiters). Fails with `INVALID_HANDLE` and `NOT_SHARED`.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_shared_expire(limiter: u32, ticket: f64) -> i32 {
    boundary(|| {
        opened::with_shared(limiter, |opened, shared| {
            let is_answered = shared.expire(ticket_of(ticket)?, opened.clock.now());
            let owners = is_answered.then_some(opened.owner);
            Ok(chores(opened.owner, owners.as_slice()))
        })
    })
}

/// Reads a request: its costs as millionths, and what it wants.
fn read<'a>(
    opened: &Opened,
    request: &[f64],
    amounts: &'a mut [u64; MOST_LIMITS],
) -> Result<(&'a [u64], Want), Failure> {
    let amounts = &mut amounts[..opened.limiter.units()];
    let (head, costs) = request
        .split_at_checked(SluiceSharedRequest::Costs as usize)
        .filter(|(_, costs)| costs.len() == amounts.len())
        .ok_or_else(|| Failure::argument("a request must have one cost for each unit"))?;
    read_costs(amounts, costs)?;
    let ttl_ms = head[SluiceSharedRequest::TtlMs as usize];
    let ttl_ns = if ttl_ms == 0.0 { opened.ttl_ns } else { nanoseconds("ttl", ttl_ms)? };
    let wants = head[SluiceSharedRequest::Reserve as usize];
    Ok((amounts, if wants == 0.0 { Want::Take } else { Want::Reserve { ttl_ns } }))
}

fn ticket_of(number: f64) -> Result<u64, Failure> {
    if (1.0..9_007_199_254_740_992.0).contains(&number) {
        return Ok(number as u64);
    }
    Err(Failure::argument(format!("no ticket is {number}")))
}

/// A decision that did not wait, as one number.
fn code(denied: Option<Denial>, source: Source, needs_call: bool) -> f64 {
    match denied {
        Some(denial) => shared_code_of(denial, source),
        None => {
            let call = if needs_call { SLUICE_SHARED_CALL } else { 0.0 };
            call + if source == Source::Outage { SLUICE_SHARED_BY_OUTAGE } else { 0.0 }
        }
    }
}
