//! Calls to the store that are no part of a key's line: looking, setting limits, resetting. The functions write the
//! arguments of the script with a space between them, as those of `sluice_shared_send`, and `sluice_shared_told` reads
//! the answer.

use sluice_limiter::MOST_LIMITS;
use sluice_limiter::shared::{NotShareable, Source, Told};

use crate::limiter::codec::{fault, key_of, read_costs, shared_code_of};
use crate::limiter::config::plan;
use crate::limiter::opened;
use crate::limiter::shared::call::give;
use crate::seam::boundary::{boundary, boundary_f64};
use crate::seam::failure::{Failure, SluiceErrorDetail};
use crate::seam::slice;

/// The answer of the store was about its clock only: make the call anew.
pub const SLUICE_SHARED_AGAIN: f64 = 0.125;

/// Writes a call that decides about costs of a key and charges nothing, and returns its length in bytes. If it does not
/// fit, `sluice_shared_text` writes it again. `costs` has one number for each unit. O(limits). Fails with
/// `INVALID_HANDLE`, `INVALID_ARGUMENT`, `NOT_SHARED` and `STALE_KEY`.
///
/// # Safety
/// `costs` points to `costs_len` readable numbers, `out` to `out_cap` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_shared_peek(
    limiter: u32,
    key: f64,
    costs: *const f64,
    costs_len: u32,
    out: *mut u8,
    out_cap: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let costs = unsafe { slice::input("costs", costs, costs_len) }?;
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, costs) }?;
        opened::with_shared(limiter, |opened, shared| {
            let mut amounts = [0; MOST_LIMITS];
            let amounts = amounts
                .get_mut(..costs.len())
                .ok_or_else(|| Failure::argument("there are more costs than units"))?;
            read_costs(amounts, costs)?;
            let call =
                shared.peek_call(key_of(key)?, amounts, opened.clock.now()).map_err(fault)?;
            give(call.into_bytes(), out)
        })
    })
}

/// Writes a call that sets the limits of a key for all processes, and returns its length in bytes. If it does not fit,
/// `sluice_shared_text` writes it again. `limits` is as for `sluice_limiter_set_limits`; without numbers, the key has
/// the limiter's own limits again. O(limits). Fails with `INVALID_HANDLE`, `INVALID_ARGUMENT` and `NOT_SHARED`.
///
/// # Safety
/// `limits` points to `limits_len` readable numbers, `out` to `out_cap` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_shared_limits(
    limiter: u32,
    limits: *const f64,
    limits_len: u32,
    out: *mut u8,
    out_cap: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let numbers = unsafe { slice::input("limits", limits, limits_len) }?;
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, numbers) }?;
        opened::with_shared(limiter, |opened, shared| {
            let own = shared.definitions();
            let other = match numbers {
                [] => None,
                numbers => Some(plan(numbers, own.len(), opened.limiter.units())?),
            };
            if let Some(other) = &other {
                let mut pairs = own.iter().zip(other.iter());
                if !pairs.all(|(own, other)| own.unit == other.unit && own.is_like(other)) {
                    return Err(Failure::argument("a limit has another kind, unit or period"));
                }
            }
            let call = shared.limits_call(other.as_deref(), opened.clock.now());
            let call = call.map_err(|NotShareable { limit }| {
                Failure::argument("a limit is too large for the amounts of the key in the store")
                    .with(SluiceErrorDetail::LimitIndex, limit)
            })?;
            give(call.into_bytes(), out)
        })
    })
}

/// Writes a call that forgets what was used of a key, and returns its length in bytes. If it does not fit,
/// `sluice_shared_text` writes it again. O(1). Fails with `INVALID_HANDLE` and `NOT_SHARED`.
///
/// # Safety
/// `out` points to `out_cap` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_shared_reset(limiter: u32, out: *mut u8, out_cap: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, &[0u8; 0]) }?;
        opened::with_shared(limiter, |_, shared| give(shared.reset_call().into_bytes(), out))
    })
}

/// Reads the answer to one of these calls about a key, and returns a code, or `SLUICE_SHARED_AGAIN`. O(limits). Fails
/// with `INVALID_HANDLE`, `NOT_SHARED`, `STALE_KEY`, and with `INVALID_ARGUMENT` if it is no answer.
///
/// # Safety
/// `reply` points to `reply_len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_shared_told(
    limiter: u32,
    key: f64,
    reply: *const u8,
    reply_len: u32,
) -> f64 {
    boundary_f64(|| {
        // SAFETY: the caller's contract.
        let reply = unsafe { slice::text("reply", reply, reply_len) }?;
        opened::with_shared(limiter, |opened, shared| {
            match shared.told(key_of(key)?, reply, opened.clock.now()) {
                Told::Decided(Ok(())) => Ok(0.0),
                Told::Decided(Err(denial)) => Ok(shared_code_of(denial, Source::Store)),
                Told::Again => Ok(SLUICE_SHARED_AGAIN),
                Told::Bad => Err(Failure::argument("the store gave no answer of the script")),
            }
        })
    })
}
