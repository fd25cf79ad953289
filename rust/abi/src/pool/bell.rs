//! Bells: wake-ups of members that have mail.
//!
//! A bell is named by the handle of its member. The shared memory that the member sleeps on belongs to JavaScript and
//! is unknown here.

use crate::pool::registry;
use crate::seam::boundary::boundary;

/// Removes the next bell to ring and returns its name, or 0 if there is none. O(1).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_bell_next(pool: u32) -> i32 {
    boundary(|| {
        registry::with(pool, |shared, _, _| Ok(shared.pool.take_ring().map_or(0, u32::cast_signed)))
    })
}

/// Asks the owner of a bell to share it. The owner finds the request when it collects. O(1).
///
/// Fails with `INVALID_HANDLE` if the owner has ended.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_bell_want(bell: u32) -> i32 {
    boundary(|| {
        registry::with(bell, |shared, _, _| {
            shared.wanted.insert(bell);
            Ok(0)
        })
    })
}
