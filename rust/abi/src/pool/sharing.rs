//! Pools that are shared with other processes: calls to the store, which JavaScript carries there, and their replies.

use sluice_pool::{Pool, SharedState};

use crate::limiter::shared::call::{SLUICE_LEAVE_ALWAYS, SLUICE_LEAVE_IF_LAST, give};
use crate::pool::chores::chores;
use crate::pool::registry::{self, Shared};
use crate::seam::boundary::boundary;
use crate::seam::failure::{Failure, count};
use crate::seam::slice;
use crate::seam::status::SluiceStatus;

/// The result of `sluice_pool_due` if no call will be due, whatever the time.
pub const SLUICE_POOL_NEVER_DUE: u32 = 2147483647;
/// The most bytes of a reply. A longer one fails its call.
const LONGEST_REPLY: usize = 1 << 20;
/// How many numbers `sluice_pool_sharing` writes before those of the upstreams.
pub const SLUICE_POOL_SHARED_STATS: u32 = 7;
/// How many numbers each upstream has there.
pub const SLUICE_POOL_UPSTREAM_SHARED_STATS: u32 = 3;

/// How the store stands to this process.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluicePoolSharedState {
    /// The process holds no permits, and none was refused for lack of an answer.
    Idle,
    /// The process holds permits that have not ended.
    Connected,
    /// The permits have ended, and the store does not answer.
    Out,
}

/// Indices of the statistics of sharing.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluicePoolSharedStat {
    /// A `SLUICE_POOL_SHARED_STATE_*` value.
    State,
    /// Since when calls fail, in milliseconds, or 0.
    FailingForMs,
    /// How many processes share the pool.
    Holders,
    /// The permits that all processes hold of all upstreams.
    Fleet,
    /// Calls made.
    Calls,
    /// Calls that failed.
    Failures,
    /// How often the store had lost its state.
    Losses,
}

const _: () = assert!(SLUICE_POOL_SHARED_STATS == SluicePoolSharedStat::Losses as u32 + 1);

/// Indices of the statistics of each upstream, in the order of `sluice_pool_stats`.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluicePoolUpstreamSharedStat {
    /// The permits of this process.
    Held,
    /// The permits of all processes.
    Fleet,
    /// How many processes have ejected it.
    Ejected,
}

const _: () =
    assert!(SLUICE_POOL_UPSTREAM_SHARED_STATS == SluicePoolUpstreamSharedStat::Ejected as u32 + 1);

/// Writes the call to the store that is due, and returns its length in bytes, or 0 if none is due. If it does not fit,
/// `sluice_shared_text` writes it again. O(upstreams * log upstreams).
///
/// A call is the arguments of the script of pools with a space between them; the second is the sequence number. The
/// call is under way then, until `sluice_pool_receive` or `sluice_pool_fail` ends it. `asked` callers did not get a
/// lease and do not wait for one. Fails with `NOT_SHARED`.
///
/// # Safety
/// `out` points to `out_cap` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_pool_send(
    pool: u32,
    asked: u32,
    out: *mut u8,
    out_cap: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, &[0u8; 0]) }?;
        with_shared(pool, |shared, process, _, now| match shared.call(process, asked, now) {
            Some(text) => give(text.into_bytes(), out),
            None => Ok(0),
        })
    })
}

/// Takes the reply to a call, and returns a sum of `SLUICE_CHORE_*`. Only a reply to the newest call has an effect.
/// O(reply + upstreams * log upstreams). Fails with `NOT_SHARED`.
///
/// # Safety
/// `reply` points to `reply_len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_pool_receive(pool: u32, reply: *const u8, reply_len: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let reply = unsafe { slice::text("reply", reply, reply_len) }?;
        let reply = if reply.len() > LONGEST_REPLY { "" } else { reply };
        with_shared(pool, |shared, _, _, now| {
            shared.receive(reply, now);
            Ok(())
        })?;
        registry::with(pool, |shared, member, _| Ok(chores(shared, member)))
    })
}

/// Ends the call with the sequence number `seq`, because the client failed or has not answered in time. Returns a sum
/// of `SLUICE_CHORE_*`. A reply that comes later is still good. O(upstreams * log upstreams). Fails with `NOT_SHARED`.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_pool_fail(pool: u32, seq: f64) -> i32 {
    boundary(|| {
        with_shared(pool, |shared, _, _, now| {
            shared.fail(seq as u64, now);
            Ok(())
        })?;
        registry::with(pool, |shared, member, _| Ok(chores(shared, member)))
    })
}

/// Returns in how many milliseconds the next call is due, or `SLUICE_POOL_NEVER_DUE`. `asked` is as for
/// `sluice_pool_send`. O(upstreams). Fails with `NOT_SHARED`.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_pool_due(pool: u32, asked: u32) -> i32 {
    boundary(|| {
        with_shared(pool, |shared, _, _, now| {
            shared.tick(now);
            let wait = shared.next_call(asked).saturating_sub(now);
            Ok(i32::try_from(wait).unwrap_or(SLUICE_POOL_NEVER_DUE.cast_signed()))
        })
    })
}

/// Writes a call that gives all permits back, and returns its length in bytes, or 0 if leases are in use or nothing is
/// held. `how` is `SLUICE_LEAVE_IF_LAST` or `SLUICE_LEAVE_ALWAYS`. O(upstreams * log upstreams). Fails with
/// `NOT_SHARED`.
///
/// # Safety
/// `out` points to `out_cap` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_pool_leave(pool: u32, how: u32, out: *mut u8, out_cap: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, &[0u8; 0]) }?;
        let is_always = match how {
            SLUICE_LEAVE_IF_LAST => false,
            SLUICE_LEAVE_ALWAYS => true,
            _ => return Err(Failure::argument(format!("how is {how}, not 0 or 1"))),
        };
        with_shared(pool, |shared, process, _, now| {
            if !is_always && shared.members() > 1 {
                return Ok(0);
            }
            match shared.leave_store(process, now) {
                Some(text) => give(text.into_bytes(), out),
                None => Ok(0),
            }
        })
    })
}

/// Writes `SLUICE_POOL_SHARED_STATS` numbers and `SLUICE_POOL_UPSTREAM_SHARED_STATS` for each upstream, and returns how
/// many there are. What does not fit is left out. O(upstreams). Fails with `NOT_SHARED`.
///
/// # Safety
/// `out` points to `out_cap` writable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_pool_sharing(pool: u32, out: *mut f64, out_cap: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, &[0u8; 0]) }?;
        with_shared(pool, |shared, _, _, now| {
            shared.tick(now);
            let numbers = stats(shared);
            slice::write(&numbers, out);
            count(numbers.len())
        })
    })
}

fn stats(pool: &Pool) -> Vec<f64> {
    let Some(stats) = pool.shared_stats() else { return Vec::new() };
    let state = match stats.state {
        SharedState::Idle => SluicePoolSharedState::Idle,
        SharedState::Connected => SluicePoolSharedState::Connected,
        SharedState::Out => SluicePoolSharedState::Out,
    };
    let mut numbers = vec![0.0; SLUICE_POOL_SHARED_STATS as usize];
    for (stat, number) in [
        (SluicePoolSharedStat::State, state as u64),
        (SluicePoolSharedStat::FailingForMs, stats.failing_for),
        (SluicePoolSharedStat::Holders, stats.holders.into()),
        (SluicePoolSharedStat::Fleet, stats.fleet.into()),
        (SluicePoolSharedStat::Calls, stats.calls),
        (SluicePoolSharedStat::Failures, stats.failures),
        (SluicePoolSharedStat::Losses, stats.losses),
    ] {
        numbers[stat as usize] = number as f64;
    }
    for upstream in &stats.upstreams {
        let mut row = [0.0; SLUICE_POOL_UPSTREAM_SHARED_STATS as usize];
        row[SluicePoolUpstreamSharedStat::Held as usize] = upstream.held.into();
        row[SluicePoolUpstreamSharedStat::Fleet as usize] = upstream.fleet.into();
        row[SluicePoolUpstreamSharedStat::Ejected as usize] = upstream.ejected.into();
        numbers.extend(row);
    }
    numbers
}

/// Calls `f` with a shared pool, the id of this process for the store, the member, and the time.
fn with_shared<R>(
    handle: u32,
    f: impl FnOnce(&mut Pool, &str, u32, u64) -> Result<R, Failure>,
) -> Result<R, Failure> {
    registry::with(handle, |shared, member, now| {
        let Shared { pool, process, .. } = shared;
        let Some(process) = process else {
            let why = "the pool is not shared with other processes";
            return Err(Failure::new(SluiceStatus::NotShared, why));
        };
        f(pool, process, member, now)
    })
}
