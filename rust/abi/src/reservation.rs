//! Reservations: ended once, by whoever knows what the call has cost.
//!
//! They are named by a number below 2^53 (generation and index), together with any limiter that goes by
//! the same clock. A reservation is the thread's that made it: nobody else's calls find it.

use sluice_limiter::{AS_RESERVED, Actual, Fault, MOST_LIMITS, ReservationId};

use crate::boundary::{boundary, boundary_f64};
use crate::limiter::{code, fault};
use crate::limiter_config::{amount, nanoseconds};
use crate::opened;
use crate::slice;
use crate::status::Failure;

/// Charge what the call has cost,
pub const SLUICE_SETTLE_ACTUAL: u32 = 0;
/// what was reserved,
pub const SLUICE_SETTLE_FULL: u32 = 1;
/// or nothing.
pub const SLUICE_SETTLE_NOTHING: u32 = 2;

/// Ends a reservation. O(limits).
///
/// `how` is a `SLUICE_SETTLE_*` constant. With `SLUICE_SETTLE_ACTUAL`, `costs` has one for each unit of
/// each part, as they were reserved; below 0 means as reserved. More than was reserved becomes debt.
/// Fails with `RESERVATION_CLOSED` if it was ended before, has expired, never was or was made by another
/// thread, with `INVALID_HANDLE` and `INVALID_ARGUMENT`; nothing is changed then.
///
/// # Safety
/// `costs` points to `costs_len` readable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_reservation_end(
    limiter: u32,
    reservation: f64,
    how: u32,
    costs: *const f64,
    costs_len: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let costs = unsafe { slice::input("costs", costs, costs_len) }?;
        opened::with(limiter, |opened| {
            let id = reservation_of(reservation, opened.owner)?;
            let amounts: Vec<u64>;
            let actual = match how {
                SLUICE_SETTLE_ACTUAL => {
                    check_costs(costs)?;
                    amounts = costs.iter().map(|&cost| actual(cost)).collect::<Result<_, _>>()?;
                    Actual::Costs(&amounts)
                }
                SLUICE_SETTLE_FULL => Actual::Full,
                SLUICE_SETTLE_NOTHING => Actual::Nothing,
                _ => return Err(Failure::argument(format!("how is {how}, not 0 to 2"))),
            };
            opened.limiter.settle(id, actual, opened.clock.now()).map_err(fault)?;
            Ok(0)
        })
    })
}

/// Lets a reservation live for `ttl_ms` from now on, or as long as this limiter says if that is 0; never
/// shorter than it would have lived. O(log reservations). Fails as `sluice_reservation_end` does.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_reservation_renew(limiter: u32, reservation: f64, ttl_ms: f64) -> i32 {
    boundary(|| {
        opened::with(limiter, |opened| {
            let id = reservation_of(reservation, opened.owner)?;
            let ttl_ns = if ttl_ms == 0.0 { opened.ttl_ns } else { nanoseconds("ttl", ttl_ms)? };
            opened.limiter.renew(id, ttl_ns, opened.clock.now()).map_err(fault)?;
            Ok(0)
        })
    })
}

/// Reserves more, all or nothing, and returns a code as `sluice_limiter_take_all` does; `costs` has one
/// for each unit of each part. O(limits). Fails as `sluice_reservation_end` does, and with `STALE_KEY`.
///
/// # Safety
/// `costs` points to `costs_len` readable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_reservation_top_up(
    limiter: u32,
    reservation: f64,
    costs: *const f64,
    costs_len: u32,
) -> f64 {
    boundary_f64(|| {
        // SAFETY: the caller's contract.
        let costs = unsafe { slice::input("costs", costs, costs_len) }?;
        check_costs(costs)?;
        let costs: Vec<u64> =
            costs.iter().map(|&cost| amount("cost", cost)).collect::<Result<_, _>>()?;
        opened::with(limiter, |opened| {
            let id = reservation_of(reservation, opened.owner)?;
            code(opened.limiter.top_up(id, &costs, opened.clock.now()))
        })
    })
}

/// A reservation has at most as many parts as limits, and each counts at most as many units.
fn check_costs(costs: &[f64]) -> Result<(), Failure> {
    if costs.len() <= MOST_LIMITS { Ok(()) } else { Err(fault(Fault::WrongCosts)) }
}

fn actual(cost: f64) -> Result<u64, Failure> {
    if cost < 0.0 { Ok(AS_RESERVED) } else { amount("cost", cost) }
}

fn reservation_of(number: f64, owner: u32) -> Result<ReservationId, Failure> {
    let (generation, index) = id_of(number).ok_or_else(|| fault(Fault::NotOpen))?;
    Ok(ReservationId { index, generation, owner })
}

pub(crate) fn number_of(id: ReservationId) -> f64 {
    (u64::from(id.generation) << 32 | u64::from(id.index)) as f64
}

/// Generation and index, if `number` is an integer from 0 to 2^53.
#[inline]
pub(crate) fn id_of(number: f64) -> Option<(u32, u32)> {
    // As bits, doubles from 0 on are in order, and negative ones and those that are none above them.
    if number.to_bits() >= 9_007_199_254_740_992f64.to_bits() {
        return None;
    }
    // SAFETY: from 0 to below 2^53. A checked cast costs as much as all the rest here.
    let word = unsafe { number.to_int_unchecked::<i64>() };
    ((word as f64).to_bits() == number.to_bits()).then_some(((word >> 32) as u32, word as u32))
}
