//! Calls to the store: texts that JavaScript carries there, and the answers that it brings back.

use std::cell::RefCell;

use sluice_limiter::shared::SYNC_SCRIPT;

use crate::limiter::codec::{key_of, number_of_key};
use crate::limiter::opened;
use crate::limiter::shared::mail::{SLUICE_SHARED_CHORE_SEND, chores};
use crate::seam::boundary::boundary;
use crate::seam::failure::{Failure, count};
use crate::seam::slice;

/// Script of limiters: `sluice_shared_script` writes it.
pub const SLUICE_SCRIPT_LIMITER: u32 = 0;
/// Script of pools: `sluice_shared_script` writes it.
pub const SLUICE_SCRIPT_POOL: u32 = 1;
/// Leave: only if no other handle of the limiter is open.
pub const SLUICE_LEAVE_IF_LAST: u32 = 0;
/// Leave: also if other handles of the limiter are open.
pub const SLUICE_LEAVE_ALWAYS: u32 = 1;
/// Leave: as with `SLUICE_LEAVE_ALWAYS`, and the reservations of this thread are settled in full before, because the
/// process ends.
pub const SLUICE_LEAVE_END: u32 = 2;
/// How many numbers `sluice_shared_due` writes before the keys: the milliseconds until the next key is due.
pub const SLUICE_SHARED_DUE_HEADER: u32 = 1;

thread_local! {
    /// The last text that did not fit.
    static TEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes the call to the store that a key has to make now, and returns its length in bytes, or 0 if there is none.
/// If it does not fit, `sluice_shared_text` writes it again. O(limits + waiters).
///
/// A call is the arguments of the script with a space between them, a line feed, and the name of the key. The third
/// argument is the sequence number. The call is under way then, until `sluice_shared_receive` or `sluice_shared_fail`
/// ends it. Fails with `INVALID_HANDLE`, `NOT_SHARED` and `STALE_KEY`.
///
/// # Safety
/// `out` points to `out_cap` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_shared_send(
    limiter: u32,
    key: f64,
    out: *mut u8,
    out_cap: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, &[0u8; 0]) }?;
        opened::with_shared(limiter, |opened, shared| {
            let call = shared.send(key_of(key)?, opened.owner, opened.clock.now());
            let Some(call) = call else { return Ok(0) };
            let mut text = call.args.into_bytes();
            text.push(b'\n');
            text.extend_from_slice(&call.name);
            give(text, out)
        })
    })
}

/// Writes the text of this thread that did not fit last, and returns its length in bytes. O(length).
///
/// # Safety
/// `out` points to `out_cap` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_shared_text(out: *mut u8, out_cap: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, &[0u8; 0]) }?;
        TEXT.with_borrow_mut(|text| {
            slice::write(text, out);
            let length = text.len();
            if length <= out.len() {
                *text = Vec::new();
            }
            count(length)
        })
    })
}

/// Reads the answer to a call of a key, and returns a sum of `SLUICE_SHARED_CHORE_*`. An answer to another call than
/// the one under way changes nothing. O(limits + waiters). Fails with `INVALID_HANDLE`, `NOT_SHARED`, `STALE_KEY` and
/// `INVALID_UTF8`.
///
/// # Safety
/// `reply` points to `reply_len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_shared_receive(
    limiter: u32,
    key: f64,
    reply: *const u8,
    reply_len: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let reply = unsafe { slice::text("reply", reply, reply_len) }?;
        opened::with_shared(limiter, |opened, shared| {
            let done = shared.receive(key_of(key)?, reply, opened.clock.now());
            let send = if done.send { SLUICE_SHARED_CHORE_SEND.cast_signed() } else { 0 };
            Ok(chores(opened.owner, &done.owners) | send)
        })
    })
}

/// Ends the wait for the answer to call `seq` of a key: it took too long, or the client failed. Returns a sum of
/// `SLUICE_SHARED_CHORE_*`. An answer that comes later is still read. O(limits * waiters). Fails with
/// `INVALID_HANDLE`, `NOT_SHARED` and `STALE_KEY`.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_shared_fail(limiter: u32, key: f64, seq: f64) -> i32 {
    boundary(|| {
        opened::with_shared(limiter, |opened, shared| {
            let done = shared.fail(key_of(key)?, seq as u64, opened.clock.now());
            let send = if done.send { SLUICE_SHARED_CHORE_SEND.cast_signed() } else { 0 };
            Ok(chores(opened.owner, &done.owners) | send)
        })
    })
}

/// Writes the milliseconds until the next key needs a call (infinity if none will), and then the keys that need one
/// now, as many as fit. Returns how many numbers there are. O(keys). Fails with `INVALID_HANDLE` and `NOT_SHARED`.
///
/// # Safety
/// `out` points to `out_cap` writable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_shared_due(limiter: u32, out: *mut f64, out_cap: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, &[0u8; 0]) }?;
        let Some((next, keys)) = out.split_first_mut() else {
            return Err(Failure::argument("out has no room"));
        };
        opened::with_shared(limiter, |opened, shared| {
            let most = keys.len().min(1 << 16);
            let due = shared.due(most, opened.clock.now());
            *next = due.next_ns.map_or(f64::INFINITY, |ns| ns as f64 / 1e6);
            for (number, &key) in keys.iter_mut().zip(&due.keys) {
                *number = number_of_key(key);
            }
            count(due.keys.len() + SLUICE_SHARED_DUE_HEADER as usize)
        })
    })
}

/// Lets every key give its credit back with its next call, and returns 1, or 0 if it does not. A key with open
/// reservations of a concurrency limit keeps what they hold. Then
/// `sluice_shared_due` returns these keys. `how` is a `SLUICE_LEAVE_*` constant. O(keys). Fails with `INVALID_HANDLE`,
/// `INVALID_ARGUMENT` and `NOT_SHARED`.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_shared_leave(limiter: u32, how: u32) -> i32 {
    boundary(|| {
        opened::with_shared(limiter, |opened, shared| {
            let leaves = match how {
                SLUICE_LEAVE_IF_LAST => opened.is_only(),
                SLUICE_LEAVE_ALWAYS | SLUICE_LEAVE_END => true,
                _ => return Err(Failure::argument(format!("how is {how}, not 0 to 2"))),
            };
            let now = opened.clock.now();
            if how == SLUICE_LEAVE_END {
                opened.limiter.book().abandon(opened.owner, now);
            }
            if leaves {
                shared.leave(now);
            }
            Ok(leaves.into())
        })
    })
}

/// Writes a script that runs in the store, UTF-8, and returns its length in bytes. `which` is a `SLUICE_SCRIPT_*`
/// constant. O(length).
///
/// # Safety
/// `out` points to `out_cap` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_shared_script(which: u32, out: *mut u8, out_cap: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, &[0u8; 0]) }?;
        let script = match which {
            SLUICE_SCRIPT_LIMITER => SYNC_SCRIPT,
            SLUICE_SCRIPT_POOL => sluice_pool::shared::SCRIPT,
            _ => return Err(Failure::argument(format!("which is {which}, not 0 or 1"))),
        };
        slice::write(script.as_bytes(), out);
        count(script.len())
    })
}

/// Writes a text, or keeps it for `sluice_shared_text` if it does not fit, and returns its length.
pub(crate) fn give(text: Vec<u8>, out: &mut [u8]) -> Result<i32, Failure> {
    slice::write(&text, out);
    let length = count(text.len())?;
    if text.len() > out.len() {
        TEXT.set(text);
    }
    Ok(length)
}
