//! Time zones for the windows of quotas: tables of UTC offsets by name, which callers provide.

use sluice_limiter::{BadZone, MOST_CHANGES, MOST_ZONES, Offsets, Zone};

use crate::seam::boundary::boundary;
use crate::seam::failure::{Failure, count};
use crate::seam::slice;

/// The most bytes of a name. Names of time zones have about thirty.
const LONGEST_NAME: usize = 255;

/// How many numbers `sluice_zone_add` takes before the changes: the offset before the first change.
pub const SLUICE_ZONE_HEADER: u32 = 1;
/// How many numbers each change has.
pub const SLUICE_ZONE_CHANGE: u32 = 2;

/// Indices of the numbers of a change.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluiceZoneChange {
    /// The time of the change, in seconds since 1970.
    Since,
    /// The offset from then on, in seconds east of UTC.
    Offset,
}

const _: () = assert!(SLUICE_ZONE_CHANGE == SluiceZoneChange::Offset as u32 + 1);

/// Returns the number of a time zone, for the configuration of limits, or 0 if no zone of that name was added in
/// this process. O(length).
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

/// Adds a time zone to this process and returns its number. A zone of that name that exists already stays as it is.
/// O(changes).
///
/// `offsets` has the offset before the first change, and then two numbers for each change: its time in seconds since
/// 1970, and the offset from then on. Offsets are seconds east of UTC, at most 26 hours. Fails with
/// `INVALID_ARGUMENT` if changes are out of order or out of range, or if there are 1,024 zones.
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
            // About 290 years around 1970.
            let is_in_range = (-9.2e9..=9.2e9).contains(&seconds);
            is_in_range.then_some((seconds * 1e9) as i64).ok_or_else(bad)
        };
        let (first, pairs) = numbers.split_first().ok_or_else(bad)?;
        let (pairs, []) = pairs.as_chunks::<{ SLUICE_ZONE_CHANGE as usize }>() else {
            return Err(bad());
        };
        // Checked before anything is copied.
        if pairs.len() > MOST_CHANGES || name.len() > LONGEST_NAME {
            return Err(bad());
        }
        let change = |numbers: &[f64; SLUICE_ZONE_CHANGE as usize]| {
            let number = |field: SluiceZoneChange| nanoseconds(&numbers[field as usize]);
            let since = number(SluiceZoneChange::Since)?;
            Ok::<_, Failure>((since, number(SluiceZoneChange::Offset)?))
        };
        let changes = pairs.iter().map(change).collect::<Result<_, Failure>>()?;
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

/// Numbers begin at 1, because 0 stands for no zone.
fn number_of(zone: Zone) -> usize {
    zone.number() + 1
}
