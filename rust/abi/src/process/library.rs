//! The identity of the library (ABI hash, version, CPU features) and the last error of the calling thread.

use crate::process::abi_hash::ABI_HASH;
use crate::process::pin::pin;
use crate::seam::boundary::{boundary, silence_panics, with_last_error};
use crate::seam::failure::{Outcome, count};
use crate::seam::slice;
use crate::text::transcode;

/// Returns the hash of this ABI: 31 bits over every signature, status and constant.
///
/// Call it first and compare it with the hash that you were compiled against. A different hash means that
/// library and caller come from different versions. O(1).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_library_abi_hash() -> i32 {
    boundary(|| {
        silence_panics();
        pin();
        Ok(ABI_HASH)
    })
}

/// Writes the version of the library, UTF-8 without a NUL, and returns its length in bytes. O(1).
///
/// # Safety
/// `out` points to `out_cap` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_library_version(out: *mut u8, out_cap: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        unsafe { write_text(env!("CARGO_PKG_VERSION"), out, out_cap) }
    })
}

/// Writes the message of the last failed call of this thread, UTF-8 without a NUL, and returns its length in
/// bytes. Empty before the first failure. O(length).
///
/// Positions are not part of the message: see `sluice_library_last_error_detail`.
///
/// # Safety
/// `out` points to `out_cap` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_library_last_error(out: *mut u8, out_cap: u32) -> i32 {
    boundary(|| {
        with_last_error(|message, _| {
            // SAFETY: the caller's contract.
            unsafe { write_text(message, out, out_cap) }
        })
    })
}

/// Writes the numbers of the last failed call of this thread, by `SLUICE_ERROR_DETAIL_*`, and returns how many
/// there are. A number that does not apply is NaN. O(1).
///
/// # Safety
/// `out` points to `out_cap` writable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_library_last_error_detail(out: *mut f64, out_cap: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, &[0u8; 0]) }?;
        let numbers = with_last_error(|_, numbers| numbers);
        slice::write(&numbers, out);
        count(numbers.len())
    })
}

/// Writes the CPU features that the library detected and uses, separated by spaces, UTF-8 without a NUL, and
/// returns their length in bytes. Empty on a CPU for which only the portable code is used. O(1).
///
/// # Safety
/// `out` points to `out_cap` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_library_cpu_features(out: *mut u8, out_cap: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        unsafe { write_text(&cpu_features(), out, out_cap) }
    })
}

/// The features that the kernels of the tokenizer and of the transcoding use on this processor.
fn cpu_features() -> String {
    let features = [sluice_tokenizer::cpu_features(), transcode::cpu_features()];
    features.into_iter().filter(|names| !names.is_empty()).collect::<Vec<_>>().join(" ")
}

/// # Safety
/// `out` points to `out_cap` writable bytes.
unsafe fn write_text(text: &str, out: *mut u8, out_cap: u32) -> Outcome {
    // SAFETY: passed on from the caller.
    let out = unsafe { slice::output("out", out, out_cap, text.as_bytes()) }?;
    slice::write(text.as_bytes(), out);
    count(text.len())
}
