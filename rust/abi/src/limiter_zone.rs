//! Time zones for the windows of quotas, handed over by who knows them.

use sluice_limiter::{BadZone, MOST_CHANGES, MOST_ZONES, Offsets, Zone};

use crate::boundary::boundary;
use crate::slice;
use crate::status::{Failure, count};

/// Names of time zones have some thirty bytes.
const LONGEST_NAME: usize = 255;

/// Returns the number of the time zone of a name, for the configuration of limits; 0 if nobody has added
/// it in this process. O(length).
///
/// # Safety
/// `name` points to `name_len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_zone_find(name: *const u8, name_len: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let name = unsafe { slice::text("name", name, name_len) }?;
        count(Zone::find(name).map_or(0, number_of))
    })
}

/// Adds a time zone for all of this process and returns its number; if there is one of that name, that
/// one stays. O(changes).
///
/// `offsets` has the offset before the first change, and two numbers for each change: when it is, in
/// seconds since 1970, and the offset from then on. Offsets are seconds east of UTC, at most 26 hours.
/// Fails with `INVALID_ARGUMENT` if changes are not in order or out of range, or if there are 1,024
/// zones.
///
/// # Safety
/// `name` points to `name_len` readable bytes, `offsets` to `offsets_len` readable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_zone_add(
    name: *const u8,
    name_len: u32,
    offsets: *const f64,
    offsets_len: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let name = unsafe { slice::text("name", name, name_len) }?;
        // SAFETY: the caller's contract.
        let numbers = unsafe { slice::input("offsets", offsets, offsets_len) }?;
        let bad = || Failure::argument("offsets are not those of a time zone");
        let nanoseconds = |&seconds: &f64| {
            // Some 290 years around 1970.
            let is_in_range = (-9.2e9..=9.2e9).contains(&seconds);
            is_in_range.then_some((seconds * 1e9) as i64).ok_or_else(bad)
        };
        let (first, pairs) = numbers.split_first().ok_or_else(bad)?;
        let (pairs, []) = pairs.as_chunks::<2>() else { return Err(bad()) };
        // Looked at first: as much is copied.
        if pairs.len() > MOST_CHANGES || name.len() > LONGEST_NAME {
            return Err(bad());
        }
        let change = |[since, offset]: &[f64; 2]| Ok((nanoseconds(since)?, nanoseconds(offset)?));
        let changes = pairs.iter().map(change).collect::<Result<_, _>>()?;
        let offsets = Offsets { name: name.to_owned(), first: nanoseconds(first)?, changes };
        let zone = Zone::add(offsets).map_err(|why| match why {
            BadZone::Offsets => bad(),
            BadZone::TooMany => {
                Failure::argument(format!("{MOST_ZONES} time zones are in use; use fewer"))
            }
        })?;
        count(number_of(zone))
    })
}

/// From 1 on: 0 is none.
fn number_of(zone: Zone) -> usize {
    zone.number() + 1
}
