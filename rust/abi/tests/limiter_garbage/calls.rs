//! A small limiter, and calls of the ABI that take a slice instead of a pointer and a length.

use sluice::clock::SLUICE_CLOCK_COARSE;
use sluice::limiter::{sluice_limiter_key, sluice_limiter_open, sluice_limiter_take};

use crate::support::last_error;

/// One rate of 5 a minute and a concurrency of one.
pub(crate) const LIMITER: [f64; 20] = [
    100.0, 1e3, 2.0, 2.0, // keys, life of reservations, limits, units
    0.0, 0.0, 5.0, 6e4, 5.0, 0.0, 0.0, 0.0, //
    2.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];

pub(crate) fn open_limiter(text: &str, config: &[f64], clock: u32) -> i32 {
    let (text, length) = (text.as_ptr(), text.len() as u32);
    // SAFETY: pointers and lengths come from live values.
    unsafe { sluice_limiter_open(text, length, config.as_ptr(), config.len() as u32, clock) }
}

pub(crate) fn names(name: &str) -> String {
    [name, "rpm", "live", "requests", "concurrent"].join("\0")
}

pub(crate) fn limiter(name: &str) -> u32 {
    let handle = open_limiter(&names(name), &LIMITER, SLUICE_CLOCK_COARSE);
    assert!(handle > 0, "{}", last_error());
    handle.cast_unsigned()
}

pub(crate) fn key(limiter: u32, name: &[u8]) -> f64 {
    // SAFETY: pointer and length come from a live slice.
    unsafe { sluice_limiter_key(limiter, name.as_ptr(), name.len() as u32) }
}

pub(crate) fn take(limiter: u32, key: f64, requests: f64) -> f64 {
    sluice_limiter_take(limiter, key, requests, 0.0, f64::NAN, f64::NAN)
}
