//! Helpers of the tests with invalid arguments.
#![allow(dead_code, reason = "each of them uses a part")]

use sluice::process::library::{sluice_library_last_error, sluice_library_last_error_detail};
use sluice::seam::failure::SluiceErrorDetail;

/// Added to a live handle or to the index of a reservation, it names a slot that was never used. Tests that run in
/// the same process use the slots next to it.
pub(crate) const FAR: u32 = 0x4000;

pub(crate) fn last_error() -> String {
    let mut bytes = [0u8; 512];
    // SAFETY: pointer and capacity come from a live array.
    let length = unsafe { sluice_library_last_error(bytes.as_mut_ptr(), bytes.len() as u32) };
    String::from_utf8(bytes[..length as usize].to_vec()).expect("UTF-8")
}

/// A number of the last error, or none if it does not apply.
pub(crate) fn detail(detail: SluiceErrorDetail) -> Option<u32> {
    let mut numbers = [0.0; 6];
    // SAFETY: pointer and capacity come from a live array.
    let written = unsafe { sluice_library_last_error_detail(numbers.as_mut_ptr(), 6) };
    assert_eq!(written, 6);
    let number = numbers[detail as usize];
    (!number.is_nan()).then_some(number as u32)
}
