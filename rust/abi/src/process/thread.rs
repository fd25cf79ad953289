//! Reloading: threads that outlive their program, because a runtime loads it again in the same thread when a
//! file changes, or for the next file of tests.
//!
//! No destructor runs then. So the next program calls the library when it begins, and what the earlier program
//! left is released as at the end of a thread (`seam/owner.rs`, `limiter/opened.rs`).

use crate::limiter::opened;
use crate::seam::boundary::boundary;
use crate::seam::failure::Failure;
use crate::seam::owner;

/// There was no program before, or it goes on beside this one. Nothing is released.
pub const SLUICE_THREAD_NOTHING: u32 = 0;
/// The earlier program may still finish what it has begun. Only its pool members and its reservations are
/// released, because others may wait for them. Its limiters count as closed, and still answer.
pub const SLUICE_THREAD_SHARES: u32 = 1;
/// The earlier program is gone. All handles of this thread are closed.
pub const SLUICE_THREAD_ALL: u32 = 2;

/// Releases what an earlier program left in this thread, and returns a number that identifies this copy of the
/// library in the process. Two copies share no state. O(handles of this thread).
///
/// `what` is a `SLUICE_THREAD_*` constant. Other threads are not affected.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_thread_enter(what: u32) -> i32 {
    boundary(|| {
        match what {
            SLUICE_THREAD_NOTHING => {}
            SLUICE_THREAD_SHARES | SLUICE_THREAD_ALL => {
                owner::release_all(what == SLUICE_THREAD_SHARES);
                opened::release_all(what == SLUICE_THREAD_SHARES);
            }
            _ => return Err(Failure::argument(format!("what is {what}, not 0 to 2"))),
        }
        Ok(image())
    })
}

/// The address of this copy in memory, in pages. It has 31 bits, so two copies have the same only if they are a
/// multiple of 8 TB apart.
fn image() -> i32 {
    const PAGE_BITS: u32 = 12;
    static HERE: u8 = 0;
    let page = std::ptr::from_ref(&HERE).addr() >> PAGE_BITS;
    (page as u32 & (u32::MAX >> 1)).cast_signed()
}
