//! The library itself: its hash, its version, and what the last failure was.

use crate::abi_hash::ABI_HASH;
use crate::boundary::{boundary, silence_panics, with_last_error};
use crate::pin::pin;
use crate::slice;
use crate::status::{Outcome, count};

/// The hash of this ABI: 31 bits over every signature, status and constant.
///
/// Call it first and compare it with the hash you were compiled against; a different one means
/// that library and caller come from different versions. O(1).
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

/// Writes what the last failed call of this thread said, UTF-8 without a NUL, and returns its
/// length in bytes. Empty before the first failure. O(length).
///
/// # Safety
/// `out` points to `out_cap` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_library_last_error(out: *mut u8, out_cap: u32) -> i32 {
    boundary(|| {
        with_last_error(|message| {
            // SAFETY: the caller's contract.
            unsafe { write_text(message, out, out_cap) }
        })
    })
}

/// Writes the CPU features that the library found and uses, separated by spaces, UTF-8 without a
/// NUL, and returns their length in bytes. Empty on a CPU that takes the plain paths. O(1).
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

#[cfg(target_arch = "x86_64")]
fn cpu_features() -> String {
    let found = [
        ("sse4.2", is_x86_feature_detected!("sse4.2")),
        ("aes", is_x86_feature_detected!("aes")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("avx512bw", is_x86_feature_detected!("avx512bw")),
        ("avx512vbmi2", is_x86_feature_detected!("avx512vbmi2")),
    ];
    let names: Vec<&str> = found.into_iter().filter_map(|(n, has)| has.then_some(n)).collect();
    names.join(" ")
}

#[cfg(target_arch = "aarch64")]
fn cpu_features() -> String {
    "neon".to_owned()
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn cpu_features() -> String {
    String::new()
}

/// # Safety
/// `out` points to `out_cap` writable bytes.
unsafe fn write_text(text: &str, out: *mut u8, out_cap: u32) -> Outcome {
    // SAFETY: passed on from the caller.
    let out = unsafe { slice::output("out", out, out_cap, text.as_bytes()) }?;
    let fits = text.len().min(out.len());
    out[..fits].copy_from_slice(&text.as_bytes()[..fits]);
    count(text.len())
}
