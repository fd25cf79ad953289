//! Waiters, and the mailboxes in which they find their answers.
//!
//! No native thread calls JavaScript. An answer that a call causes for a waiter (a lease, or the end of its time)
//! goes to the mailbox of the waiter's member. The member collects it at once if it made that call, otherwise when
//! its bell rings, and at the latest when it polls.

use sluice_pool::WaitResult;

use crate::pool::chores::{SLUICE_CHORE_BELL, SLUICE_CHORES, chores};
use crate::pool::codec::{lease_number, waiter_id, waiter_number};
use crate::pool::registry;
use crate::seam::boundary::boundary;
use crate::seam::slice;
use crate::seam::status::SluiceStatus;

/// How many numbers an answer of `sluice_waiter_collect` has.
pub const SLUICE_ANSWERS: u32 = 2;

/// Indices of the numbers of an answer.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluiceAnswer {
    /// The id of the waiter.
    Waiter,
    /// The id of its lease, or the status `ACQUIRE_TIMEOUT`.
    Lease,
}

const _: () = assert!(SLUICE_ANSWERS == SluiceAnswer::Lease as u32 + 1);

/// Writes the answers in the mailbox, as many as fit, `SLUICE_ANSWERS` numbers each. Returns `SLUICE_CHORES` times
/// their number, plus a sum of `SLUICE_CHORE_*`. O(answers * log n).
///
/// # Safety
/// `out` points to `out_cap` writable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_waiter_collect(pool: u32, out: *mut f64, out_cap: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, &[] as &[u8]) }?;
        registry::with(pool, |shared, member, now| {
            let mut answers = 0;
            for row in out.chunks_exact_mut(SLUICE_ANSWERS as usize).take(1 << 20) {
                let Some((waiter, answer)) = shared.pool.collect(member, now) else { break };
                row[SluiceAnswer::Waiter as usize] = waiter_number(waiter);
                row[SluiceAnswer::Lease as usize] = match answer {
                    WaitResult::Lease(lease) => lease_number(shared, member, lease),
                    WaitResult::TimedOut => f64::from(SluiceStatus::AcquireTimeout as i32),
                };
                answers += 1;
            }
            let wanted = !shared.wanted.is_empty() && shared.wanted.remove(&pool);
            let bell = if wanted { SLUICE_CHORE_BELL.cast_signed() } else { 0 };
            Ok(answers * SLUICE_CHORES.cast_signed() + (chores(shared, member) | bell))
        })
    })
}

/// Cancels a waiter, releases the lease that it may have been handed, and returns a sum of `SLUICE_CHORE_*`. Cancelling
/// a waiter that has its answer already changes nothing. O(log n).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_waiter_cancel(pool: u32, waiter: f64) -> i32 {
    boundary(|| {
        registry::with(pool, |shared, member, now| {
            shared.pool.cancel(member, waiter_id(waiter), now);
            Ok(chores(shared, member))
        })
    })
}
