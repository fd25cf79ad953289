//! The registry of limiters: an ordered map by name with reference counts, shared by all threads.
//!
//! A limiter whose last handle is closed is removed at once. The end of a thread closes no handle, so a limiter that
//! it leaves stays, and the Worker that replaces it finds the counts. Such a limiter is removed once every key is
//! idle, because a new limiter would then decide the same. Creating a limiter examines two of those that were left,
//! and 1,024 keys of each. So a program that opens limiter after limiter in Worker after Worker keeps in memory those
//! that are open, those that still count, and at most about as many again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use sluice_limiter::shared::{NotShareable, SharedLimiter};
use sluice_limiter::{Config, Limiter, Now};

use crate::clock::{Clock, VirtualClock};
use crate::limiter::config::Described;
use crate::limiter::shared::config::Sharing;
use crate::seam::failure::{Failure, SluiceErrorDetail};
use crate::seam::status::SluiceStatus;

/// How many limiters that were left are examined when one is created.
const SWEEP: usize = 2;
/// How many keys of each are examined.
const KEYS: u32 = 1024;

static NAMES: Mutex<Names> =
    Mutex::new(Names { by_name: BTreeMap::new(), left_behind: VecDeque::new() });

struct Names {
    by_name: BTreeMap<String, Named>,
    /// Names of limiters without an open handle, in the order in which they are examined.
    left_behind: VecDeque<String>,
}

/// A limiter, and what it shares with other processes.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) limiter: Arc<Limiter>,
    pub(crate) shared: Option<Arc<SharedLimiter>>,
}

struct Named {
    held: Held,
    /// How many of its words are of limits.
    limits: usize,
    /// Its options in words. An open with other words fails.
    words: Vec<String>,
    time: Time,
    /// How many handles are open.
    holders: u32,
    /// Whether a thread with a handle of it has ended. Then closing the last handle does not remove it.
    is_kept: bool,
    /// Whether its name is in `left_behind`.
    is_listed: bool,
}

/// The clock of a limiter, without keeping a virtual clock alive.
enum Time {
    Real(Clock),
    /// A weak reference keeps the address in use, which is part of the limiter's words.
    Virtual(Weak<VirtualClock>),
}

/// The limiter of a name, with one more holder. It is created if there is none.
pub(crate) fn hold(
    name: &str,
    described: Described,
    sharing: Option<Sharing>,
    clock: &Clock,
    secret: [u8; 16],
) -> Result<Held, Failure> {
    let Described { config, ttl_ns: _, mut words, labels } = described;
    let limits = config.limits.len();
    words.extend(sharing.iter().flat_map(|sharing| sharing.words.iter().cloned()));
    words.push(format!("clock: {}", clock.name()));
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    // A limiter that only ended threads had open does not keep its options.
    let is_outdated = |named: &Named| named.holders == 0 && named.words != words;
    let outdated = match names.by_name.get(name).is_some_and(is_outdated) {
        true => names.by_name.remove(name),
        false => None,
    };
    if !names.by_name.contains_key(name) {
        names.sweep();
        let held = make(config, labels, sharing, clock, secret)?;
        if let Some(outdated) = outdated {
            outdated.hand_on(&held.limiter, clock);
        }
        let time = Time::of(clock);
        let (words, holders, is_kept, is_listed) = (words.clone(), 0, false, false);
        let named = Named { held, limits, words, time, holders, is_kept, is_listed };
        names.by_name.insert(name.to_owned(), named);
    }
    let Some(named) = names.by_name.get_mut(name) else {
        return Err(Failure::argument("the limiter is gone"));
    };
    if named.words != words {
        return Err(different(name, (&named.words, named.limits), (&words, limits)));
    }
    named.holders += 1;
    Ok(named.held.clone())
}

/// A new limiter, which shares what `sharing` says.
fn make(
    config: Config,
    labels: Vec<String>,
    sharing: Option<Sharing>,
    clock: &Clock,
    secret: [u8; 16],
) -> Result<Held, Failure> {
    let Some(sharing) = sharing else {
        let limiter = Limiter::new(config, secret, clock.book()).with_labels(labels);
        return Ok(Held { limiter: Arc::new(limiter), shared: None });
    };
    let shared = SharedLimiter::new(config, sharing.settings, secret, clock.book()).map_err(
        |NotShareable { limit }| {
            Failure::argument("a shared quota has windows of less than a second")
                .with(SluiceErrorDetail::LimitIndex, limit)
        },
    )?;
    Ok(Held { limiter: shared.limiter().clone(), shared: Some(Arc::new(shared)) })
}

/// How many handles of a held limiter are open.
pub(crate) fn holders(name: &str, limiter: &Arc<Limiter>) -> u32 {
    let names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let named = names.by_name.get(name);
    named.filter(|named| named.is(limiter)).map_or(0, |named| named.holders)
}

/// Releases a held limiter whose handle was closed.
pub(crate) fn close(name: &str, limiter: &Arc<Limiter>) {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner).release(name, limiter, false);
}

/// Releases a held limiter whose thread has ended.
pub(crate) fn leave(name: &str, limiter: &Arc<Limiter>) {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner).release(name, limiter, true);
}

impl Names {
    fn release(&mut self, name: &str, limiter: &Arc<Limiter>, keep: bool) {
        let Some(named) = self.by_name.get_mut(name) else { return };
        if !named.is(limiter) {
            return;
        }
        named.holders -= 1;
        named.is_kept |= keep;
        if named.holders > 0 {
            return;
        }
        if !named.is_kept {
            self.by_name.remove(name);
        } else if !named.is_listed {
            named.is_listed = true;
            self.left_behind.push_back(name.to_owned());
        }
    }

    /// Examines the next limiters that were left, and removes those whose counts no longer matter.
    fn sweep(&mut self) {
        for _ in 0..SWEEP.min(self.left_behind.len()) {
            let Some(name) = self.left_behind.pop_front() else { return };
            let Some(named) = self.by_name.get_mut(&name) else { continue };
            named.is_listed = false;
            if named.holders > 0 {
                continue;
            }
            if named.matters() {
                named.is_listed = true;
                self.left_behind.push_back(name);
            } else {
                self.by_name.remove(&name);
            }
        }
    }
}

impl Named {
    fn is(&self, limiter: &Arc<Limiter>) -> bool {
        Arc::ptr_eq(&self.held.limiter, limiter)
    }

    /// Copies the usage of keys to `limiter`, as a snapshot does for the next process: for limits of the same name,
    /// unit and kind. Copies nothing if there is no such limit, there are more keys than `limiter` may have, or there
    /// is no memory for a snapshot. O(keys).
    fn hand_on(&self, limiter: &Limiter, clock: &Clock) {
        let Some(now) = self.time.now().filter(|_| self.time.is_of(clock)) else { return };
        if let Ok(snapshot) = self.held.limiter.snapshot(now) {
            let _ = limiter.restore(&snapshot, now);
        }
    }

    /// Whether a new limiter might decide differently, as far as [`KEYS`] more keys show. What a shared limiter has
    /// used is known to the store.
    fn matters(&self) -> bool {
        if self.held.shared.is_some() {
            return false;
        }
        // Without its clock it cannot be opened.
        self.time.now().is_some_and(|now| !self.held.limiter.wind_down(KEYS, now))
    }
}

impl Time {
    fn of(clock: &Clock) -> Self {
        match clock {
            Clock::Virtual(clock) => Self::Virtual(Arc::downgrade(clock)),
            real => Self::Real(real.clone()),
        }
    }

    /// Whether `clock` shows the same time.
    fn is_of(&self, clock: &Clock) -> bool {
        match (self, clock) {
            (Self::Virtual(own), Clock::Virtual(clock)) => own.as_ptr() == Arc::as_ptr(clock),
            (Self::Real(Clock::Boot), Clock::Boot) => true,
            (Self::Real(Clock::Precise | Clock::Coarse), Clock::Precise | Clock::Coarse) => true,
            _ => false,
        }
    }

    fn now(&self) -> Option<Now> {
        match self {
            Self::Real(clock) => Some(clock.now()),
            Self::Virtual(clock) => clock.upgrade().map(|clock| Clock::Virtual(clock).now()),
        }
    }
}

/// The failure for options that differ: their words and ours, each with how many of them are of limits.
fn different(
    name: &str,
    (theirs, their_limits): (&[String], usize),
    (ours, our_limits): (&[String], usize),
) -> Failure {
    let index = theirs.iter().zip(ours).position(|(theirs, ours)| theirs != ours);
    let sorted = |words: &[String]| {
        let mut words = words.to_vec();
        words.sort_unstable();
        words
    };
    let what = if sorted(theirs) == sorted(ours) {
        "it has the same limits in another order, which counts".to_owned()
    } else if their_limits != our_limits {
        format!("it has {their_limits} limits, not {our_limits}")
    } else {
        index.map_or_else(
            || "it has other options".to_owned(),
            |at| format!("it has `{}`, not `{}`", theirs[at], ours[at]),
        )
    };
    let failure = Failure::new(
        SluiceStatus::LimiterMismatch,
        format!("a limiter named {name:?} is open with other options: {what}"),
    );
    match index.filter(|&at| at < their_limits.min(our_limits)) {
        Some(at) => failure.with(SluiceErrorDetail::LimitIndex, at),
        None => failure,
    }
}

/// How many limiters have a name that begins with `prefix`.
#[cfg(test)]
pub(crate) fn known(prefix: &str) -> usize {
    let names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    names.by_name.keys().filter(|name| name.starts_with(prefix)).count()
}
