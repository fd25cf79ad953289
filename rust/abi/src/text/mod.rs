//! Texts without a tokenizer: transcoding from what JavaScript engines store, and offsets of safe cuts.

pub mod cut;
pub(crate) mod transcode;

use crate::seam::boundary::boundary;
use crate::seam::failure::{Failure, count};
use crate::seam::slice;
use crate::text::transcode::MOST_BYTES;

/// Writes Latin-1 text as UTF-8, and returns its length in bytes. O(length).
///
/// Fails with `INVALID_ARGUMENT` if `out` has no room for three bytes a unit.
///
/// # Safety
/// `units` points to `units_len` readable bytes, `out` to `out_cap` writable ones.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_text_from_latin1(
    units: *const u8,
    units_len: u32,
    out: *mut u8,
    out_cap: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let units = unsafe { slice::input("units", units, units_len) }?;
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, units) }?;
        check_room(units.len(), out)?;
        count(transcode::latin1(units, out))
    })
}

/// Writes little-endian UTF-16 text as UTF-8, and returns its length in bytes. A lone surrogate becomes U+FFFD.
/// O(length).
///
/// `units_len` is in bytes, and `units` need not be aligned. Fails with `INVALID_ARGUMENT` if `units_len` is odd
/// or `out` has no room for three bytes a unit.
///
/// # Safety
/// `units` points to `units_len` readable bytes, `out` to `out_cap` writable ones.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_text_from_utf16(
    units: *const u8,
    units_len: u32,
    out: *mut u8,
    out_cap: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let units = unsafe { slice::input("units", units, units_len) }?;
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, units) }?;
        let (units, []) = units.as_chunks() else {
            return Err(Failure::argument(format!(
                "units_len is {units_len} bytes, not a whole number of units"
            )));
        };
        check_room(units.len(), out)?;
        count(transcode::utf16(units, out))
    })
}

fn check_room(units: usize, out: &[u8]) -> Result<(), Failure> {
    let needed = MOST_BYTES * units;
    if out.len() >= needed {
        return Ok(());
    }
    Err(Failure::argument(format!(
        "out_cap is {}, less than {needed} for {units} units",
        out.len()
    )))
}
