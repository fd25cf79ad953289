//! The limiters that this thread has open.
//!
//! A limiter is found by name (`limiter_names.rs`) and shared by all threads; the handle of one is this
//! thread's own. So a call on a handle needs no lock and no count that threads share, and what the thread
//! leaves behind is known when it ends: its reservations are settled in full.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sluice_limiter::{Limiter, Now};

use crate::clock::Clock;
use crate::limiter_config::Described;
use crate::limiter_names;
use crate::status::{Failure, SluiceStatus};

/// An open limiter.
pub(crate) struct Opened {
    pub(crate) limiter: Arc<Limiter>,
    pub(crate) clock: Clock,
    pub(crate) ttl_ns: u64,
    pub(crate) owner: u32,
    name: String,
    /// Whether the limiter's name counts it as a holder: not if it outlived its program.
    is_holder: bool,
}

/// A handle is 31 bits: a place below 2^20, and above it a generation of 11 bits.
const PLACES: u32 = (1 << 20) - 1;
const GENERATION: u32 = 20;
const GENERATIONS: u32 = (1 << 11) - 1;

static OWNERS: AtomicU32 = AtomicU32::new(1);

thread_local! {
    static OPEN: RefCell<Open> = RefCell::new(Open::new());
}

/// The limiters of a thread.
pub(crate) struct Open {
    owner: u32,
    /// The handle that was given out last, and what it names if it is open.
    places: Vec<(u32, Option<Opened>)>,
    /// Places whose handle was closed.
    free: Vec<usize>,
}

/// Opens the limiter of that name, which is made if there is none.
pub(crate) fn open(
    name: &str,
    described: Described,
    clock: Clock,
    secret: [u8; 16],
) -> Result<i32, Failure> {
    let ttl_ns = described.ttl_ns;
    let limiter = limiter_names::hold(name, described, &clock, secret)?;
    let opened = OPEN.with_borrow_mut(|open| {
        let (limiter, name) = (limiter.clone(), name.to_owned());
        open.add(Opened { limiter, clock, ttl_ns, owner: open.owner, name, is_holder: true })
    });
    // Without a handle nobody could ever close it.
    opened.inspect_err(|_| limiter_names::close(name, &limiter))
}

/// Closes a handle of this thread.
pub(crate) fn close(handle: u32) -> Result<(), Failure> {
    let opened = OPEN.with_borrow_mut(|open| open.remove(handle))?;
    if opened.is_holder {
        limiter_names::close(&opened.name, &opened.limiter);
    }
    Ok(())
}

/// Closes a handle of this thread as the thread's end would: the counts stay.
pub(crate) fn leave(handle: u32) -> Result<(), Failure> {
    let opened = OPEN.with_borrow_mut(|open| open.remove(handle))?;
    if opened.is_holder {
        limiter_names::leave(&opened.name, &opened.limiter);
    }
    Ok(())
}

/// Leaves all limiters of this thread, as when it ends. With `keeps_handles` the open ones can still be
/// asked: for what an earlier program of this thread has not finished yet.
pub(crate) fn give_back(keeps_handles: bool) {
    OPEN.with_borrow_mut(|open| {
        open.leave();
        open.owner = OWNERS.fetch_add(1, Ordering::Relaxed);
        let owner = open.owner;
        for (at, (_, place)) in open.places.iter_mut().enumerate() {
            match place {
                Some(opened) if keeps_handles => opened.owner = owner,
                Some(_) => {
                    // The handle that was given out last stays known, so none comes twice.
                    *place = None;
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

/// Calls `f` with all limiters that this thread has open, by handle.
#[inline]
pub(crate) fn with_all<R>(f: impl FnOnce(&Open) -> Result<R, Failure>) -> Result<R, Failure> {
    OPEN.with_borrow(f)
}

impl Open {
    fn new() -> Self {
        let owner = OWNERS.fetch_add(1, Ordering::Relaxed);
        Self { owner, places: Vec::new(), free: Vec::new() }
    }

    /// Generations begin at another number in each thread, so that one's handles are not another's.
    fn add(&mut self, opened: Opened) -> Result<i32, Failure> {
        let at = self.free.pop().unwrap_or_else(|| {
            let generation = self.owner.wrapping_mul(7919) & GENERATIONS;
            self.places.push((generation << GENERATION, None));
            self.places.len() - 1
        });
        if at > PLACES as usize {
            self.places.pop();
            return Err(Failure::new(
                SluiceStatus::TooManyHandles,
                "1048576 limiters are open; close some",
            ));
        }
        let (handle, place) = &mut self.places[at];
        let generation = (*handle >> GENERATION & GENERATIONS) % GENERATIONS + 1;
        *handle = generation << GENERATION | at as u32;
        *place = Some(opened);
        Ok(handle.cast_signed())
    }

    /// The limiter of `handle`.
    #[inline]
    pub(crate) fn get(&self, handle: u32) -> Result<&Opened, Failure> {
        match self.places.get((handle & PLACES) as usize) {
            Some((open, Some(opened))) if *open == handle => Ok(opened),
            _ => Err(invalid(handle)),
        }
    }

    fn remove(&mut self, handle: u32) -> Result<Opened, Failure> {
        self.get(handle)?;
        let at = (handle & PLACES) as usize;
        let opened = self.places[at].1.take().ok_or_else(|| invalid(handle))?;
        self.free.push(at);
        Ok(opened)
    }

    /// Settles what this thread has reserved, and gives up what it holds.
    fn leave(&mut self) {
        if !self.places.is_empty() {
            // Also of limiters that this thread has closed. On a virtual clock only of open ones: the
            // book goes with its clock.
            let clock = Clock::Coarse;
            clock.book().abandon(self.owner, clock.now());
        }
        for (_, place) in &mut self.places {
            let Some(opened) = place else { continue };
            let now: Now = opened.clock.now();
            opened.limiter.book().abandon(opened.owner, now);
            if std::mem::take(&mut opened.is_holder) {
                limiter_names::leave(&opened.name, &opened.limiter);
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
