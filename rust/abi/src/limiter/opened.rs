//! The open limiters of a thread: a thread-local generational index.
//!
//! A limiter is found by name (`registry.rs`) and shared by all threads, but a handle belongs to one thread. So a
//! call on a handle needs no lock and no counter that threads share, and all reservations of a thread are known
//! when it ends, and are settled in full.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sluice_limiter::shared::SharedLimiter;
use sluice_limiter::{Limiter, Now};

use crate::clock::Clock;
use crate::limiter::config::Described;
use crate::limiter::registry::{self, Held};
use crate::limiter::shared::config::Sharing;
use crate::seam::failure::{Failure, quoted};
use crate::seam::status::SluiceStatus;

/// An open limiter.
pub(crate) struct Opened {
    pub(crate) limiter: Arc<Limiter>,
    /// What the limiter shares with other processes, if it does.
    pub(crate) shared: Option<Arc<SharedLimiter>>,
    pub(crate) clock: Clock,
    pub(crate) ttl_ns: u64,
    pub(crate) owner: u32,
    name: String,
    /// Whether the registry counts this handle as a holder, which it does not if the handle outlived its program.
    is_holder: bool,
}

/// A handle has 31 bits: a slot of 20 bits, and above it a generation of 11 bits.
const SLOTS: u32 = (1 << 20) - 1;
const GENERATION: u32 = 20;
const GENERATIONS: u32 = (1 << 11) - 1;

static OWNERS: AtomicU32 = AtomicU32::new(1);

thread_local! {
    static OPEN: RefCell<Open> = RefCell::new(Open::new());
}

/// The limiters of a thread.
pub(crate) struct Open {
    owner: u32,
    /// For each slot the last handle, and its limiter if it is open.
    slots: Vec<(u32, Option<Opened>)>,
    /// Slots whose handle was closed.
    free: Vec<usize>,
}

/// Opens the limiter of that name, which is created if there is none.
pub(crate) fn open(
    name: &str,
    described: Described,
    sharing: Option<Sharing>,
    clock: Clock,
    secret: [u8; 16],
) -> Result<i32, Failure> {
    let ttl_ns = described.ttl_ns;
    let Held { limiter, shared } = registry::hold(name, described, sharing, &clock, secret)?;
    let opened = OPEN.with_borrow_mut(|open| {
        let (limiter, name, owner) = (limiter.clone(), name.to_owned(), open.owner);
        open.add(Opened { limiter, shared, clock, ttl_ns, owner, name, is_holder: true })
    });
    // Without a handle it could never be closed.
    opened.inspect_err(|_| registry::close(name, &limiter))
}

/// Closes a handle of this thread.
pub(crate) fn close(handle: u32) -> Result<(), Failure> {
    let opened = OPEN.with_borrow_mut(|open| open.remove(handle))?;
    part(&opened);
    if opened.is_holder {
        registry::close(&opened.name, &opened.limiter);
    }
    Ok(())
}

/// Closes a handle of this thread as the end of the thread would: the counts stay.
pub(crate) fn leave(handle: u32) -> Result<(), Failure> {
    let opened = OPEN.with_borrow_mut(|open| open.remove(handle))?;
    part(&opened);
    if opened.is_holder {
        registry::leave(&opened.name, &opened.limiter);
    }
    Ok(())
}

/// Ends the waiting of a handle that was removed. Its mailbox is the thread's, which may have opened the
/// limiter again.
fn part(opened: &Opened) {
    let Some(shared) = &opened.shared else { return };
    let is_open = |(_, slot): &(u32, Option<Opened>)| {
        slot.as_ref().is_some_and(|other| Arc::ptr_eq(&other.limiter, &opened.limiter))
    };
    if OPEN.with_borrow(|open| open.slots.iter().any(is_open)) {
        shared.orphan(opened.owner, opened.clock.now());
    } else {
        opened.abandon();
    }
}

/// Leaves all limiters of this thread, as its end would. With `keeps_handles` the open ones still answer, for what
/// an earlier program of this thread has not finished yet.
pub(crate) fn release_all(keeps_handles: bool) {
    OPEN.with_borrow_mut(|open| {
        open.leave();
        open.owner = OWNERS.fetch_add(1, Ordering::Relaxed);
        let owner = open.owner;
        for (at, (_, slot)) in open.slots.iter_mut().enumerate() {
            match slot {
                Some(opened) if keeps_handles => opened.owner = owner,
                Some(_) => {
                    // The last handle stays in the slot, so that the next one differs.
                    *slot = None;
                    open.free.push(at);
                }
                None => {}
            }
        }
    });
}

/// Calls `f` with the limiter of `handle`. O(1), no lock.
#[inline]
pub(crate) fn with<R>(
    handle: u32,
    f: impl FnOnce(&Opened) -> Result<R, Failure>,
) -> Result<R, Failure> {
    OPEN.with_borrow(|open| f(open.get(handle)?))
}

/// Calls `f` with the limiter of `handle`, which must be one that is shared with other processes.
#[inline]
pub(crate) fn with_shared<R>(
    handle: u32,
    f: impl FnOnce(&Opened, &SharedLimiter) -> Result<R, Failure>,
) -> Result<R, Failure> {
    with(handle, |opened| match &opened.shared {
        Some(shared) => f(opened, shared),
        None => Err(Failure::new(
            SluiceStatus::NotShared,
            format!("the limiter {} is not shared with other processes", quoted(&opened.name)),
        )),
    })
}

/// Calls `f` with all limiters that this thread has open, by handle.
#[inline]
pub(crate) fn with_all<R>(f: impl FnOnce(&Open) -> Result<R, Failure>) -> Result<R, Failure> {
    OPEN.with_borrow(f)
}

impl Opened {
    /// Whether no other handle of any thread is open.
    pub(crate) fn is_only(&self) -> bool {
        self.is_holder && registry::holders(&self.name, &self.limiter) == 1
    }

    /// Ends the waiting of this thread for a store.
    fn abandon(&self) {
        if let Some(shared) = &self.shared {
            shared.abandon(self.owner, self.clock.now());
        }
    }
}

impl Open {
    fn new() -> Self {
        let owner = OWNERS.fetch_add(1, Ordering::Relaxed);
        Self { owner, slots: Vec::new(), free: Vec::new() }
    }

    /// Generations begin at a different number in each thread, so that threads have different handles.
    fn add(&mut self, opened: Opened) -> Result<i32, Failure> {
        let at = self.free.pop().unwrap_or_else(|| {
            let generation = self.owner.wrapping_mul(7919) & GENERATIONS;
            self.slots.push((generation << GENERATION, None));
            self.slots.len() - 1
        });
        if at > SLOTS as usize {
            self.slots.pop();
            return Err(Failure::new(
                SluiceStatus::TooManyHandles,
                "1048576 limiters are open; close some",
            ));
        }
        let (handle, slot) = &mut self.slots[at];
        let generation = (*handle >> GENERATION & GENERATIONS) % GENERATIONS + 1;
        *handle = generation << GENERATION | at as u32;
        *slot = Some(opened);
        Ok(handle.cast_signed())
    }

    /// The limiter of `handle`.
    #[inline]
    pub(crate) fn get(&self, handle: u32) -> Result<&Opened, Failure> {
        match self.slots.get((handle & SLOTS) as usize) {
            Some((open, Some(opened))) if *open == handle => Ok(opened),
            _ => Err(invalid(handle)),
        }
    }

    fn remove(&mut self, handle: u32) -> Result<Opened, Failure> {
        self.get(handle)?;
        let at = (handle & SLOTS) as usize;
        let opened = self.slots[at].1.take().ok_or_else(|| invalid(handle))?;
        self.free.push(at);
        Ok(opened)
    }

    /// Settles the reservations of this thread in full, and releases its limiters.
    fn leave(&mut self) {
        if !self.slots.is_empty() {
            // This includes reservations at limiters that this thread has closed, but on a virtual clock only those
            // at open ones, because the book is dropped with its clock.
            for clock in [Clock::Coarse, Clock::Boot] {
                clock.book().abandon(self.owner, clock.now());
            }
        }
        for (_, slot) in &mut self.slots {
            let Some(opened) = slot else { continue };
            let now: Now = opened.clock.now();
            opened.limiter.book().abandon(opened.owner, now);
            opened.abandon();
            if std::mem::take(&mut opened.is_holder) {
                registry::leave(&opened.name, &opened.limiter);
            }
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cold]
fn invalid(handle: u32) -> Failure {
    Failure::new(
        SluiceStatus::InvalidHandle,
        format!("limiter handle {handle:#x} was never opened by this thread or is closed"),
    )
}
