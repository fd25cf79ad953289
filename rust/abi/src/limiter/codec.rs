//! How decisions, keys and reservations cross: each is one number.
//!
//! # Codes
//!
//! A decision is 0 if the call is allowed, below 0 a status, and above 0 if the call is refused:
//! `SLUICE_CODE_US * microseconds + SLUICE_CODE_REASON * reason + limit + 1`, where `reason` is a
//! `SLUICE_DENIED_*` constant and `limit` is the index of the limit that binds. Microseconds are rounded up
//! and below 2^46, so that a code is an integer that a double holds exactly.

use sluice_limiter::shared::Source;
use sluice_limiter::{Denial, Fault, Key, MOST_LIMITS, Refusal, ReservationId, Verdict};

use crate::limiter::config::amount;
use crate::seam::failure::{Failure, SluiceErrorDetail};
use crate::seam::status::SluiceStatus;

/// The call will fit after the time in the code.
pub const SLUICE_DENIED_UNTIL: u32 = 0;
/// The call will fit when reservations end. The code has no time.
pub const SLUICE_DENIED_HELD: u32 = 1;
/// The call costs more than the limit ever allows, with what a reservation holds already. The code has no time.
pub const SLUICE_DENIED_NEVER: u32 = 2;
/// The limit is shared, and the credit at hand does not cover the call: the store has to be asked. The code has no
/// time.
pub const SLUICE_DENIED_LEASE: u32 = 3;
/// The limit is shared, and while its store is out it admits no more. The code has a time if one is known.
pub const SLUICE_DENIED_OUTAGE: u32 = 4;
/// Factor of the reason in the code of a refusal: codes of one reason have room for 16 limits.
pub const SLUICE_CODE_REASON: u32 = 16;
/// Factor of the microseconds in the code of a refusal.
pub const SLUICE_CODE_US: u32 = 128;

const _: () = assert!(SLUICE_CODE_REASON as usize == MOST_LIMITS);
const _: () = assert!(SLUICE_CODE_US > SLUICE_CODE_REASON * (SLUICE_DENIED_OUTAGE + 1));
// A refusal with a time is the most frequent one, and its code needs no reason.
const _: () = assert!(SLUICE_DENIED_UNTIL == 0);

/// The largest number of microseconds whose code is an integer of a double.
const MOST_MICROSECONDS: u64 = (1 << 46) - 1;

/// Reads costs as millionths, as many as there are in both.
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

/// The code of a refusal.
pub(crate) fn code_of(Denial { limit, refusal }: Denial) -> f64 {
    let reason = match refusal {
        Refusal::Until(ns) => {
            let wait = ns.div_ceil(1000).min(MOST_MICROSECONDS);
            return (wait * u64::from(SLUICE_CODE_US) + limit as u64 + 1) as f64;
        }
        Refusal::Held => SLUICE_DENIED_HELD,
        Refusal::Never => SLUICE_DENIED_NEVER,
        Refusal::Lease => SLUICE_DENIED_LEASE,
    };
    (u64::from(SLUICE_CODE_REASON * reason) + limit as u64 + 1) as f64
}

/// The code of a refusal of a shared limit. Those of an outage have a reason of their own, which tells the source.
pub(crate) fn shared_code_of(denial: Denial, source: Source) -> f64 {
    let wait = match denial.refusal {
        _ if source != Source::Outage => return code_of(denial),
        Refusal::Never => return code_of(denial),
        Refusal::Until(ns) => ns.div_ceil(1000).min(MOST_MICROSECONDS),
        Refusal::Held | Refusal::Lease => 0,
    };
    let low = u64::from(SLUICE_CODE_REASON * SLUICE_DENIED_OUTAGE) + denial.limit as u64 + 1;
    (wait * u64::from(SLUICE_CODE_US) + low) as f64
}

/// The status and the message of a fault.
#[cold]
pub(crate) fn fault(fault: Fault) -> Failure {
    match fault {
        Fault::Stale(part) => Failure::new(
            SluiceStatus::StaleKey,
            format!("the key of part {part} was forgotten, or was idle and evicted"),
        )
        .with(SluiceErrorDetail::PartIndex, part),
        Fault::TooManyLimits => {
            Failure::argument(format!("a call decides about 1 to {MOST_LIMITS} limits"))
        }
        Fault::DifferentClocks => Failure::new(
            SluiceStatus::DifferentClocks,
            "the limiters use different clocks, so no single moment exists for the decision",
        ),
        Fault::TooManyReservations(part) => Failure::new(
            SluiceStatus::TooManyReservations,
            format!("the key of part {part} has 16777215 open reservations"),
        )
        .with(SluiceErrorDetail::PartIndex, part),
        Fault::NotOpen => Failure::new(
            SluiceStatus::ReservationClosed,
            "the reservation was settled or cancelled, has expired, or is another thread's",
        ),
        Fault::WrongCosts => {
            Failure::argument("costs must have one number for each unit of each part")
        }
    }
}

/// A key's generation above its index: an integer below 2^53.
pub(crate) fn number_of_key(key: Key) -> f64 {
    (u64::from(key.generation) << 32 | u64::from(key.index)) as f64
}

/// The key of a number. A number that is not a key's fails with `STALE_KEY`.
#[inline]
pub(crate) fn key_of(number: f64) -> Result<Key, Failure> {
    named(number).ok_or_else(|| fault(Fault::Stale(0)))
}

/// The key of a number, for calls that only look: NaN stands for a name that has no key yet.
#[inline]
pub(crate) fn key_or_none_of(number: f64) -> Result<Key, Failure> {
    if number.is_nan() { Ok(Key::NONE) } else { key_of(number) }
}

/// The key of a number, if it can be one.
#[inline]
pub(crate) fn named(number: f64) -> Option<Key> {
    let (generation, index) = id_of(number)?;
    Some(Key { index, generation })
}

/// A reservation's generation above its index: an integer below 2^53.
pub(crate) fn number_of(id: ReservationId) -> f64 {
    (u64::from(id.generation) << 32 | u64::from(id.index)) as f64
}

/// Generation and index, if `number` is an integer from 0 to below 2^53.
#[inline]
pub(crate) fn id_of(number: f64) -> Option<(u32, u32)> {
    // The bits of doubles from 0 on are ordered as the numbers are, and those of negative numbers and NaN are greater.
    if number.to_bits() >= 9_007_199_254_740_992f64.to_bits() {
        return None;
    }
    // SAFETY: from 0 to below 2^53. A checked cast costs as much as all the rest here.
    let word = unsafe { number.to_int_unchecked::<i64>() };
    ((word as f64).to_bits() == number.to_bits()).then_some(((word >> 32) as u32, word as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The microseconds, the reason and the limit of a code, as TypeScript reads it.
    fn parts(code: f64) -> (f64, f64, f64) {
        let (us, low) = (f64::from(SLUICE_CODE_US), code - 1.0);
        let (reason, below) = (low % us / f64::from(SLUICE_CODE_REASON), low % us);
        ((code / us).floor(), reason.floor(), below % f64::from(SLUICE_CODE_REASON))
    }

    #[test]
    fn a_code_has_the_time_the_reason_and_the_limit_of_a_refusal() {
        let most = MOST_MICROSECONDS as f64;
        for (refusal, us, reason) in [
            (Refusal::Lease, 0.0, SLUICE_DENIED_LEASE),
            (Refusal::Until(1), 1.0, SLUICE_DENIED_UNTIL),
            (Refusal::Until(86_400_000_000_000), 86_400_000_000.0, SLUICE_DENIED_UNTIL),
            (Refusal::Until(u64::MAX), most, SLUICE_DENIED_UNTIL),
            (Refusal::Held, 0.0, SLUICE_DENIED_HELD),
            (Refusal::Never, 0.0, SLUICE_DENIED_NEVER),
        ] {
            for limit in 0..MOST_LIMITS {
                let code = code_of(Denial { limit, refusal });
                assert_eq!(parts(code), (us, reason.into(), limit as f64), "{refusal:?}");
                assert!(code >= 1.0 && code + 1.0 != code, "{code} is exact");
            }
        }
    }
}
