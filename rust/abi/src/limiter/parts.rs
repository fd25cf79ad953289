//! Atomic decisions over several keys of several limiters.
//!
//! A call takes *parts*. A part is the limiter's handle, the key, and one cost for each of the limiter's units, at
//! the indices `SLUICE_PART_*`. Costs are in units, either 0 or at least a millionth, and are rounded to millionths.
//! Codes are those of `codec.rs`.

use arrayvec::ArrayVec;
use sluice_limiter::{Fault, Key, MOST_LIMITS, Now, Part, peek_all, reserve_all, take_all};

use crate::limiter::codec::{code, fault, key_of, key_or_none_of, number_of, read_costs};
use crate::limiter::config::nanoseconds;
use crate::limiter::opened::{self, Opened};
use crate::seam::boundary::boundary_f64;
use crate::seam::failure::Failure;
use crate::seam::slice;

/// Indices of the numbers of a part, as `sluice_limiter_take_all` and `sluice_limiter_reserve` read them.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluicePart {
    /// The handle of the limiter.
    Limiter,
    /// The key.
    Key,
    /// The first cost. One for each unit of the limiter follows.
    Costs,
}

/// Decides about parts, all or nothing, and returns a code. The index of the limit in the code counts the limits of
/// all parts. `consume` is 1, or 0 to consume nothing. O(limits).
///
/// If nothing is consumed, NaN as a key stands for a name without a key, which is decided as a new key.
/// A key that occurs twice is charged once. Fails as `sluice_limiter_take` does, with
/// `DIFFERENT_CLOCKS`, and with `INVALID_ARGUMENT` if there is no part, or more than `SLUICE_MAX_LIMITS`.
///
/// # Safety
/// `parts` points to `parts_len` readable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_limiter_take_all(
    parts: *const f64,
    parts_len: u32,
    consume: u32,
) -> f64 {
    boundary_f64(|| {
        // SAFETY: the caller's contract.
        let numbers = unsafe { slice::input("parts", parts, parts_len) }?;
        if consume == 0 {
            with_parts(numbers, key_or_none_of, |_, parts, now| code(peek_all(parts, now)))
        } else {
            with_parts(numbers, key_of, |_, parts, now| code(take_all(parts, now)))
        }
    })
}

/// Reserves at parts, all or nothing, and returns a code. If the code is 0, writes the number of the reservation to
/// `parts[0]`. The reservation lives `ttl_ms`, or the default of the first limiter if that is 0, and then is settled
/// in full. O(limits).
///
/// Fails as `sluice_limiter_take_all` does, and with `TOO_MANY_RESERVATIONS`.
///
/// # Safety
/// `parts` points to `parts_len` readable and writable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_limiter_reserve(
    parts: *mut f64,
    parts_len: u32,
    ttl_ms: f64,
) -> f64 {
    boundary_f64(|| {
        // SAFETY: the caller's contract.
        let numbers = unsafe { slice::output("parts", parts, parts_len, &[0u8; 0]) }?;
        let reserved = with_parts(numbers, key_of, |first, parts, now| {
            let ttl_ns = if ttl_ms == 0.0 { first.ttl_ns } else { nanoseconds("ttl", ttl_ms)? };
            reserve_all(parts, first.owner, ttl_ns, now).map_err(fault)
        })?;
        match reserved {
            Ok(id) => {
                numbers[0] = number_of(id);
                Ok(0.0)
            }
            Err(denial) => code(Ok(Some(denial))),
        }
    })
}

/// Reads parts, and calls `f` with them, the first limiter and the time.
#[inline]
fn with_parts<R>(
    numbers: &[f64],
    key_of: impl Fn(f64) -> Result<Key, Failure>,
    f: impl FnOnce(&Opened, &[Part<'_>], Now) -> Result<R, Failure>,
) -> Result<R, Failure> {
    opened::with_all(|open| {
        // As a limiter counts no more units than it has limits, there are no more costs than limits.
        let mut amounts = [0; MOST_LIMITS];
        let mut free = &mut amounts[..];
        let mut parts: ArrayVec<Part<'_>, MOST_LIMITS> = ArrayVec::new();
        let mut first = None;
        let mut rest = numbers;
        while let [handle, key, costs @ ..] = rest {
            let opened = open.get(*handle as u32)?;
            let units = opened.limiter.units();
            let (costs, others) = costs.split_at_checked(units).ok_or_else(cut_short)?;
            rest = others;
            let (amounts, others) =
                free.split_at_mut_checked(units).ok_or_else(|| fault(Fault::TooManyLimits))?;
            free = others;
            read_costs(amounts, costs)?;
            let part = Part { limiter: &opened.limiter, key: key_of(*key)?, costs: amounts };
            parts.try_push(part).map_err(|_| fault(Fault::TooManyLimits))?;
            first.get_or_insert(opened);
        }
        let Some(first) = first else { return Err(Failure::argument("there is no part")) };
        if !rest.is_empty() {
            return Err(cut_short());
        }
        f(first, &parts, first.clock.now())
    })
}

#[cold]
fn cut_short() -> Failure {
    Failure::argument("the parts are cut short")
}
