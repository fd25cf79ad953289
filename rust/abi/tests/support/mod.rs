//! What the tests of garbage share.
#![allow(dead_code, reason = "each of them uses a part")]

use sluice::library::sluice_library_last_error;

/// Added to a live handle or to the index of a reservation, it names a place that was never used: the
/// tests beside one, in the same process, have their own open in the places next to it.
pub(crate) const FAR: u32 = 0x4000;

pub(crate) fn last_error() -> String {
    let mut bytes = [0u8; 512];
    // SAFETY: pointer and capacity come from a live array.
    let length = unsafe { sluice_library_last_error(bytes.as_mut_ptr(), bytes.len() as u32) };
    String::from_utf8(bytes[..length as usize].to_vec()).expect("UTF-8")
}
