//! Mailboxes of threads that wait for a store, and the bells that wake them.
//!
//! Any thread may carry a call to the store, for those who wait in others too. Their answers go to mailboxes. No native
//! thread calls JavaScript: a thread collects its own mail, and rings the bells of the others. The shared memory that a
//! thread sleeps on belongs to JavaScript and is unknown here.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use sluice_limiter::shared::{Answer, Given, Source};

use crate::limiter::codec::{fault, number_of, shared_code_of};
use crate::limiter::opened;
use crate::seam::boundary::boundary;
use crate::seam::slice;

/// Chore: the mailbox of this thread is not empty. Call `sluice_shared_collect`.
pub const SLUICE_SHARED_CHORE_MAIL: u32 = 1;
/// Chore: mailboxes of other threads are not empty. Call `sluice_shared_ring` until it returns 0.
pub const SLUICE_SHARED_CHORE_RING: u32 = 2;
/// Chore: another thread asked for the bell of this one. See `sluice_shared_want`.
pub const SLUICE_SHARED_CHORE_BELL: u32 = 4;
/// Chore: the key has another call to make. Call `sluice_shared_send`.
pub const SLUICE_SHARED_CHORE_SEND: u32 = 8;
/// Factor of the number of rows or numbers in a result that has chores too. The chores are the rest.
pub const SLUICE_SHARED_CHORES: u32 = 16;

/// The source of a decision: what this process holds.
pub const SLUICE_SOURCE_CREDIT: u32 = 0;
/// The source of a decision: an answer of the store.
pub const SLUICE_SOURCE_STORE: u32 = 1;
/// The source of a decision: the rules for an outage.
pub const SLUICE_SOURCE_OUTAGE: u32 = 2;

/// How many numbers an answer of `sluice_shared_collect` has.
pub const SLUICE_SHARED_ANSWERS: u32 = 4;

/// Indices of the numbers of an answer.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluiceSharedAnswer {
    /// The ticket.
    Ticket,
    /// 0 if the call is allowed, below 0 a status, and above 0 the code of a refusal.
    Code,
    /// The number of the reservation that was made, or 0.
    Reservation,
    /// A `SLUICE_SOURCE_*` constant.
    Source,
}

const _: () = assert!(SLUICE_SHARED_ANSWERS == SluiceSharedAnswer::Source as u32 + 1);

/// The threads whose bell another one has asked for, by owner. Those of threads that have ended stay until there are
/// [`MOST_WANTED`].
static WANTED: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());
/// How many there are. It is read without the lock.
static WANTED_COUNT: AtomicUsize = AtomicUsize::new(0);
const MOST_WANTED: usize = 4096;

thread_local! {
    /// The owners whose bells this thread has to ring.
    static RINGS: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

/// The chores after a call of `owner` that filled the mailboxes of `owners`.
pub(crate) fn chores(owner: u32, owners: &[u32]) -> i32 {
    let mut chores = 0;
    for &other in owners {
        if other == owner {
            chores |= SLUICE_SHARED_CHORE_MAIL;
        } else {
            RINGS.with_borrow_mut(|rings| rings.push(other));
            chores |= SLUICE_SHARED_CHORE_RING;
        }
    }
    chores.cast_signed()
}

/// Writes the answers in the mailbox of this thread, as many as fit, `SLUICE_SHARED_ANSWERS` numbers each. Returns
/// `SLUICE_SHARED_CHORES` times their number, plus a sum of `SLUICE_SHARED_CHORE_*`. O(answers). Fails with
/// `INVALID_HANDLE` and `NOT_SHARED`.
///
/// # Safety
/// `out` points to `out_cap` writable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_shared_collect(limiter: u32, out: *mut f64, out_cap: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, &[0u8; 0]) }?;
        opened::with_shared(limiter, |opened, shared| {
            let rows = out.as_chunks_mut::<{ SLUICE_SHARED_ANSWERS as usize }>().0;
            let most = rows.len().min(1 << 16);
            let mut answers = Vec::with_capacity(most.min(64));
            shared.collect(opened.owner, most, &mut answers);
            for (row, answer) in rows.iter_mut().zip(&answers) {
                *row = numbers_of(answer);
            }
            let is_full = !answers.is_empty() && answers.len() == most;
            let mail = if is_full { SLUICE_SHARED_CHORE_MAIL } else { 0 };
            let bell = if is_wanted(opened.owner) { SLUICE_SHARED_CHORE_BELL } else { 0 };
            let rows = answers.len() as i32 * SLUICE_SHARED_CHORES.cast_signed();
            Ok(rows + (mail | bell).cast_signed())
        })
    })
}

/// Returns the name of the bell of this thread, a number above 0. O(1). Fails with `INVALID_HANDLE`.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_shared_bell(limiter: u32) -> i32 {
    boundary(|| opened::with(limiter, |opened| Ok(opened.owner.cast_signed())))
}

/// Removes the next bell that this thread has to ring and returns its name, or 0 if there is none. O(1).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_shared_ring() -> i32 {
    boundary(|| Ok(RINGS.with_borrow_mut(Vec::pop).map_or(0, u32::cast_signed)))
}

/// Asks the owner of a bell to share it. The owner finds the request when it collects. O(log bells).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_shared_want(bell: u32) -> i32 {
    boundary(|| {
        let mut wanted = WANTED.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted.len() >= MOST_WANTED {
            wanted.clear();
        }
        wanted.insert(bell);
        WANTED_COUNT.store(wanted.len(), Ordering::Release);
        Ok(0)
    })
}

/// Whether another thread asked for the bell of `owner` since the last call.
fn is_wanted(owner: u32) -> bool {
    if WANTED_COUNT.load(Ordering::Acquire) == 0 {
        return false;
    }
    let mut wanted = WANTED.lock().unwrap_or_else(PoisonError::into_inner);
    let is_wanted = wanted.remove(&owner);
    WANTED_COUNT.store(wanted.len(), Ordering::Release);
    is_wanted
}

fn numbers_of(answer: &Answer) -> [f64; SLUICE_SHARED_ANSWERS as usize] {
    let source = match answer.source {
        Source::Credit => SLUICE_SOURCE_CREDIT,
        Source::Store => SLUICE_SOURCE_STORE,
        Source::Outage => SLUICE_SOURCE_OUTAGE,
    };
    let (code, reservation) = match answer.given {
        Given::Taken => (0.0, 0.0),
        Given::Reserved(id) => (0.0, number_of(id)),
        Given::Refused(denial) => (shared_code_of(denial, answer.source), 0.0),
        Given::Failed(why) => (f64::from(fault(why).status as i32), 0.0),
    };
    let mut numbers = [0.0; SLUICE_SHARED_ANSWERS as usize];
    for (field, number) in [
        (SluiceSharedAnswer::Ticket, answer.ticket as f64),
        (SluiceSharedAnswer::Code, code),
        (SluiceSharedAnswer::Reservation, reservation),
        (SluiceSharedAnswer::Source, source.into()),
    ] {
        numbers[field as usize] = number;
    }
    numbers
}
