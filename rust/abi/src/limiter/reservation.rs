//! Reservations: amounts that are held until the cost of a call is known, and then settled once.
//!
//! A reservation is named by a number below 2^53 (generation and index), together with any limiter that uses the
//! same clock. It belongs to the thread that made it, and only calls of that thread find it.

use sluice_limiter::{AS_RESERVED, Actual, Fault, MOST_LIMITS, ReservationId};

use crate::limiter::codec::{code, fault, id_of, read_costs};
use crate::limiter::config::{amount, nanoseconds};
use crate::limiter::opened;
use crate::seam::boundary::{boundary, boundary_f64};
use crate::seam::failure::Failure;
use crate::seam::slice;

/// Settle: charge the actual costs.
pub const SLUICE_SETTLE_ACTUAL: u32 = 0;
/// Settle: charge the full reserved amount.
pub const SLUICE_SETTLE_FULL: u32 = 1;
/// Settle: charge nothing.
pub const SLUICE_SETTLE_NOTHING: u32 = 2;

/// Ends a reservation. O(limits).
///
/// `how` is a `SLUICE_SETTLE_*` constant. With `SLUICE_SETTLE_ACTUAL`, `costs` has one number for each unit of each
/// part, in the order of the reservation. A cost below 0 stands for the reserved amount. A cost above the reserved
/// amount becomes debt. Fails with `RESERVATION_CLOSED` if the reservation was ended before, has expired, never
/// existed, or belongs to another thread. Fails with `INVALID_HANDLE` and `INVALID_ARGUMENT`. A failure changes
/// nothing.
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
            let mut amounts = [0; MOST_LIMITS];
            let actual = match how {
                SLUICE_SETTLE_ACTUAL => {
                    let amounts = amounts_of(costs, &mut amounts)?;
                    for (amount, &cost) in amounts.iter_mut().zip(costs) {
                        *amount = actual(cost)?;
                    }
                    Actual::Costs(amounts)
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

/// Extends a reservation to `ttl_ms` from now, or by the default of this limiter if that is 0. Never shortens it.
/// O(log reservations). Fails as `sluice_reservation_end` does.
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

/// Reserves more, all or nothing, and returns a code as `sluice_limiter_take_all` does. `costs` has one number for
/// each unit of each part. O(limits). Fails as `sluice_reservation_end` does, and with `STALE_KEY`.
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
        let mut amounts = [0; MOST_LIMITS];
        let amounts = amounts_of(costs, &mut amounts)?;
        read_costs(amounts, costs)?;
        opened::with(limiter, |opened| {
            let id = reservation_of(reservation, opened.owner)?;
            code(opened.limiter.top_up(id, amounts, opened.clock.now()))
        })
    })
}

/// Returns room for as many amounts as there are costs. A reservation has at most [`MOST_LIMITS`] limits, and each
/// of its parts counts at most as many units as it has limits.
fn amounts_of<'a>(
    costs: &[f64],
    amounts: &'a mut [u64; MOST_LIMITS],
) -> Result<&'a mut [u64], Failure> {
    amounts.get_mut(..costs.len()).ok_or_else(|| fault(Fault::WrongCosts))
}

fn actual(cost: f64) -> Result<u64, Failure> {
    if cost < 0.0 { Ok(AS_RESERVED) } else { amount("cost", cost) }
}

fn reservation_of(number: f64, owner: u32) -> Result<ReservationId, Failure> {
    let (generation, index) = id_of(number).ok_or_else(|| fault(Fault::NotOpen))?;
    Ok(ReservationId { index, generation, owner })
}
