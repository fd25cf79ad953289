//! Bells: whom a member has to wake, and how it gets to know them.
//!
//! A bell is named by the handle of the member that it belongs to. What it is made of (shared
//! memory that its owner sleeps on) is JavaScript's own and unknown here.

use crate::boundary::boundary;
use crate::pools;

/// Takes the next bell to ring and returns its name, or 0. O(1).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_bell_next(pool: u32) -> i32 {
    boundary(|| {
        pools::with(pool, |shared, _, _| Ok(shared.pool.take_ring().map_or(0, u32::cast_signed)))
    })
}

/// Asks the owner of a bell to show it; it sees that when it collects. O(1).
///
/// Fails with `INVALID_HANDLE` if the owner is gone.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_bell_want(bell: u32) -> i32 {
    boundary(|| {
        pools::with(bell, |shared, _, _| {
            shared.wanted.insert(bell);
            Ok(0)
        })
    })
}
