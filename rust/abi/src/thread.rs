//! Threads that outlive their program: runtimes load a program anew in the same thread when a file of it
//! changes, or for the next file of tests.
//!
//! Nothing of the ABI ends then, so the next program says so when it begins, and what the earlier one
//! left is given back as when a thread ends (`owner.rs`, `opened.rs`).

use crate::boundary::boundary;
use crate::status::Failure;
use crate::{opened, owner};

/// There was no program before, or it goes on beside this one: nothing is given back.
pub const SLUICE_THREAD_NOTHING: u32 = 0;
/// The earlier program may still finish what it has begun: only what others may wait for is given back,
/// which are its members of pools and its reservations. Its limiters can still be asked, and count as
/// closed.
pub const SLUICE_THREAD_SHARES: u32 = 1;
/// The earlier program is gone: all handles of this thread are closed.
pub const SLUICE_THREAD_ALL: u32 = 2;

/// Gives back what an earlier program left in this thread, and returns a number that this copy of the
/// library has alone in the process: two copies share nothing. O(handles of this thread).
///
/// `what` is a `SLUICE_THREAD_*` constant. Other threads lose nothing.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_thread_enter(what: u32) -> i32 {
    boundary(|| {
        match what {
            SLUICE_THREAD_NOTHING => {}
            SLUICE_THREAD_SHARES | SLUICE_THREAD_ALL => {
                owner::give_back(what == SLUICE_THREAD_SHARES);
                opened::give_back(what == SLUICE_THREAD_SHARES);
            }
            _ => return Err(Failure::argument(format!("what is {what}, not 0 to 2"))),
        }
        Ok(image())
    })
}

/// Where this copy is in memory, in pages: 31 bits of it, which two copies share only if they are a
/// multiple of 8 TB apart.
fn image() -> i32 {
    const PAGE_BITS: u32 = 12;
    static HERE: u8 = 0;
    let page = std::ptr::from_ref(&HERE).addr() >> PAGE_BITS;
    (page as u32 & (u32::MAX >> 1)).cast_signed()
}
