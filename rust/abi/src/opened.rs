//! The limiters that this thread has open.
//!
//! A limiter is found by name and shared by all threads; the handle of one is this thread's own. So a
//! call on a handle needs no lock and no count that threads share, and what the thread leaves behind is
//! known when it ends: its reservations are settled in full. The limiter itself stays, so that a Worker
//! that is started anew finds its counts; it goes when all who opened it have closed it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sluice_limiter::{Limiter, Now};

use crate::clock::Clock;
use crate::limiter_config::Described;
use crate::status::{Failure, SluiceStatus};

/// An open limiter.
pub(crate) struct Opened {
    pub(crate) limiter: Arc<Limiter>,
    pub(crate) clock: Clock,
    pub(crate) ttl_ns: u64,
    pub(crate) owner: u32,
    name: String,
}

/// A handle is 31 bits: a place below 2^20, and above it a generation of 11 bits.
const PLACES: u32 = (1 << 20) - 1;
const GENERATION: u32 = 20;
const GENERATIONS: u32 = (1 << 11) - 1;

struct Named {
    limiter: Arc<Limiter>,
    words: Vec<String>,
    holders: u32,
}

static NAMES: Mutex<Option<HashMap<String, Named>>> = Mutex::new(None);
static OWNERS: AtomicU32 = AtomicU32::new(1);

thread_local! {
    static OPEN: RefCell<Open> = RefCell::new(Open::new());
}

/// The limiters of a thread.
pub(crate) struct Open {
    owner: u32,
    /// The handle that was given out last, and what it names if it is open.
    places: Vec<(u32, Option<Opened>)>,
}

/// Opens the limiter of that name, which is made if there is none.
pub(crate) fn open(
    name: &str,
    described: Described,
    clock: Clock,
    secret: [u8; 16],
) -> Result<i32, Failure> {
    let Described { config, ttl_ns, mut words, labels } = described;
    words.push(format!("clock: {}", clock.name()));
    let limiter = {
        let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        let names = names.get_or_insert_default();
        // Left behind by threads that ended: nobody needs its limits any more.
        if names.get(name).is_some_and(|named| named.holders == 0 && named.words != words) {
            names.remove(name);
        }
        let named = names.entry(name.to_owned()).or_insert_with(|| Named {
            limiter: Arc::new(Limiter::new(config, secret, clock.book()).with_labels(labels)),
            words: words.clone(),
            holders: 0,
        });
        if named.words != words {
            return Err(different(name, &named.words, &words));
        }
        named.holders += 1;
        named.limiter.clone()
    };
    OPEN.with_borrow_mut(|open| {
        let opened = Opened { limiter, clock, ttl_ns, owner: open.owner, name: name.to_owned() };
        open.add(opened)
    })
}

/// Closes a handle of this thread.
pub(crate) fn close(handle: u32) -> Result<(), Failure> {
    let opened = OPEN.with_borrow_mut(|open| open.remove(handle))?;
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let names = names.get_or_insert_default();
    if let Some(named) = names.get_mut(&opened.name)
        && Arc::ptr_eq(&named.limiter, &opened.limiter)
    {
        named.holders -= 1;
        if named.holders == 0 {
            names.remove(&opened.name);
        }
    }
    Ok(())
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
        Self { owner: OWNERS.fetch_add(1, Ordering::Relaxed), places: Vec::new() }
    }

    /// Generations begin at another number in each thread, so that one's handles are not another's.
    fn add(&mut self, opened: Opened) -> Result<i32, Failure> {
        let at = self.places.iter().position(|(_, place)| place.is_none());
        let at = at.unwrap_or_else(|| {
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
        self.places[(handle & PLACES) as usize].1.take().ok_or_else(|| invalid(handle))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.places.is_empty() {
            // Also of limiters that this thread has closed. On a virtual clock only of open ones: the
            // book goes with its clock.
            let clock = Clock::Coarse;
            clock.book().abandon(self.owner, clock.now());
        }
        for (_, place) in &mut self.places {
            let Some(opened) = place.take() else { continue };
            let now: Now = opened.clock.now();
            opened.limiter.book().abandon(opened.owner, now);
            let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(named) = names.get_or_insert_default().get_mut(&opened.name)
                && Arc::ptr_eq(&named.limiter, &opened.limiter)
            {
                // Not removed at 0: whoever comes in its place is to find its counts.
                named.holders -= 1;
            }
        }
    }
}

#[cold]
fn invalid(handle: u32) -> Failure {
    Failure::new(
        SluiceStatus::InvalidHandle,
        format!("limiter handle {handle:#x} was never opened by this thread or is closed"),
    )
}

fn different(name: &str, theirs: &[String], ours: &[String]) -> Failure {
    let differs = theirs.iter().zip(ours).find(|(theirs, ours)| theirs != ours);
    let sorted = |words: &[String]| {
        let mut words = words.to_vec();
        words.sort_unstable();
        words
    };
    let what = if sorted(theirs) == sorted(ours) {
        "it has the same limits in another order, which counts".to_owned()
    } else {
        differs.map_or_else(
            || format!("it has {} limits, not {}", theirs.len() - 3, ours.len() - 3),
            |(theirs, ours)| format!("it has `{theirs}`, not `{ours}`"),
        )
    };
    Failure::new(
        SluiceStatus::LimiterMismatch,
        format!("a limiter named {name:?} is open with other options: {what}"),
    )
}
