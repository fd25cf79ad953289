//! Places in line, and the answers that wait to be collected.
//!
//! No native thread calls JavaScript. What a call brings about for others (a lease handed over, a
//! wait that is out of time) lands in their mailbox, and they collect it: at once if it was their
//! own call, else when their bell is rung, and at the latest when they look by themselves.

use sluice_pool::{Answer, WaiterId};

use crate::boundary::boundary;
use crate::lease::{SLUICE_LEASE_WAITER, told};
use crate::pools::{self, chores};
use crate::slice;
use crate::status::SluiceStatus;

/// The mailbox has something in it: call `sluice_waiter_collect`.
pub const SLUICE_CHORE_MAIL: u32 = 1;
/// Others have: call `sluice_bell_next` until it is 0.
pub const SLUICE_CHORE_RING: u32 = 2;
/// Somebody asked for this member's bell, see `sluice_bell_want`.
pub const SLUICE_CHORE_BELL: u32 = 4;
/// What `sluice_waiter_collect` returns is so many times the answers, plus the chores.
pub const SLUICE_CHORES: u32 = 8;

/// Writes answers: pairs of a place and its lease, or of a place and `ACQUIRE_TIMEOUT` as a number;
/// returns `SLUICE_CHORES` times how many, plus a sum of `SLUICE_CHORE_*`. O(answers * log n).
///
/// # Safety
/// `out` points to `out_cap` writable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_waiter_collect(pool: u32, out: *mut f64, out_cap: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, &[] as &[u8]) }?;
        pools::with(pool, |shared, member, now| {
            let mut answers = 0;
            for pair in out.chunks_exact_mut(2).take(1 << 20) {
                let Some((place, answer)) = shared.pool.collect(member, now) else { break };
                pair[0] = place.0 as f64 + SLUICE_LEASE_WAITER;
                pair[1] = match answer {
                    Answer::Lease(lease) => told(shared, member, lease),
                    Answer::TimedOut => f64::from(SluiceStatus::AcquireTimeout as i32),
                };
                answers += 1;
            }
            let wanted = !shared.wanted.is_empty() && shared.wanted.remove(&pool);
            let bell = if wanted { SLUICE_CHORE_BELL.cast_signed() } else { 0 };
            Ok(answers * SLUICE_CHORES.cast_signed() + (chores(shared, member) | bell))
        })
    })
}

/// Gives a place in line up, with the lease that it may have been handed; returns a sum of
/// `SLUICE_CHORE_*`. A place that is no more changes nothing. O(log n).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_waiter_cancel(pool: u32, waiter: f64) -> i32 {
    boundary(|| {
        pools::with(pool, |shared, member, now| {
            shared.pool.cancel(member, id(waiter), now);
            Ok(chores(shared, member))
        })
    })
}

fn id(waiter: f64) -> WaiterId {
    let id = waiter - SLUICE_LEASE_WAITER;
    WaiterId(if id >= 0.0 && id.fract() == 0.0 { id as u64 } else { u64::MAX })
}
