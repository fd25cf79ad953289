//! Limiters that are shared with other processes through a store.
//!
//! A handle of such a limiter is one of a limiter too: takes, reservations and their ends spend the credit that this
//! process holds, and refuse by `SLUICE_DENIED_LEASE` where it does not suffice. The functions here ask the store. They
//! do no I/O: one makes the text of a call, which JavaScript carries to the store, and another reads the answer.

pub mod call;
pub(crate) mod config;
pub mod decide;
pub mod fields;
pub mod mail;
pub mod once;
pub mod stats;

use crate::clock::{Clock, SLUICE_CLOCK_COARSE, SLUICE_CLOCK_PRECISE};
use crate::limiter::opened;
use crate::limiter::shared::config::describe_shared;
use crate::limiter::{check_names, random};
use crate::seam::boundary::boundary;
use crate::seam::failure::Failure;
use crate::seam::slice;

/// Opens the shared limiter of a name as `sluice_limiter_open` opens one that is not shared. O(limits).
///
/// `text` has one more text at its end: the prefix of keys in the store. `config` has `SLUICE_SHARED_HEADER` numbers,
/// those of `sluice_limiter_open`, and for each limit a `SLUICE_OUTAGE_*` constant. `clock` is `SLUICE_CLOCK_BOOT` or
/// the handle of a virtual clock. Fails as `sluice_limiter_open` does.
///
/// # Safety
/// `text` points to `text_len` readable bytes, `config` to `config_len` readable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_shared_open(
    text: *const u8,
    text_len: u32,
    config: *const f64,
    config_len: u32,
    clock: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let text = unsafe { slice::text("text", text, text_len) }?;
        // SAFETY: the caller's contract.
        let config = unsafe { slice::input("config", config, config_len) }?;
        check_names(text)?;
        if clock == SLUICE_CLOCK_PRECISE || clock == SLUICE_CLOCK_COARSE {
            return Err(Failure::argument(
                "a shared limiter needs the boot clock or a virtual one",
            ));
        }
        let mut names = text.split('\0');
        let name = names.next().unwrap_or_default();
        let names = names.collect::<Vec<_>>();
        let (described, sharing) = describe_shared(config, &names, random()?)?;
        opened::open(name, described, Some(sharing), Clock::resolve(clock)?, random()?)
    })
}
