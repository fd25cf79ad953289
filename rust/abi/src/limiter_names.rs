//! The registry of limiters: an ordered map by name, shared by all threads.
//!
//! A limiter stays as long as its counts matter. If all who opened it have closed it, it goes at once. A
//! thread that ends has closed nothing, so what it leaves behind stays: the Worker that is started in its
//! place finds its counts. It goes when nothing of it matters any more, that is when every key is idle and
//! a new limiter would decide the same. That is looked for when a limiter is made, two of those left behind
//! at a time, and of each 1,024 keys: so a program that opens limiter after limiter in Worker after Worker
//! has in memory those that are open, those that still count, and at most about as many again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use sluice_limiter::{Limiter, Now};

use crate::clock::{Clock, VirtualClock};
use crate::limiter_config::Described;
use crate::status::{Failure, SluiceStatus};

/// Limiters left behind that are looked at when one is made,
const SWEEP: usize = 2;
/// and keys of each.
const KEYS: u32 = 1024;

static NAMES: Mutex<Names> =
    Mutex::new(Names { by_name: BTreeMap::new(), left_behind: VecDeque::new() });

struct Names {
    by_name: BTreeMap<String, Named>,
    /// Names of limiters that nobody has open, in the order in which they are looked at.
    left_behind: VecDeque<String>,
}

struct Named {
    limiter: Arc<Limiter>,
    /// What it is made of; who opens it must say the same.
    words: Vec<String>,
    time: Time,
    /// How many handles are open.
    holders: u32,
    /// Whether a thread ended that had it open: then the last to close it does not end it.
    is_kept: bool,
    /// Whether its name is in the list of those left behind.
    is_listed: bool,
}

/// The clock of a limiter, which a virtual clock's end is not to wait for.
enum Time {
    Real(Clock),
    /// While this is here no other clock has its address, which is in the limiter's words.
    Virtual(Weak<VirtualClock>),
}

/// The limiter of a name, with one more holder; made if there is none.
pub(crate) fn hold(
    name: &str,
    described: Described,
    clock: &Clock,
    secret: [u8; 16],
) -> Result<Arc<Limiter>, Failure> {
    let Described { config, ttl_ns: _, mut words, labels } = described;
    words.push(format!("clock: {}", clock.name()));
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    // Left behind by threads that ended: nobody needs its limits any more.
    let is_outdated = |named: &Named| named.holders == 0 && named.words != words;
    let outdated = match names.by_name.get(name).is_some_and(is_outdated) {
        true => names.by_name.remove(name),
        false => None,
    };
    if !names.by_name.contains_key(name) {
        names.sweep();
    }
    let named = names.by_name.entry(name.to_owned()).or_insert_with(|| Named {
        limiter: {
            let limiter = Limiter::new(config, secret, clock.book()).with_labels(labels);
            if let Some(outdated) = outdated {
                outdated.hand_on(&limiter, clock);
            }
            Arc::new(limiter)
        },
        words: words.clone(),
        time: Time::of(clock),
        holders: 0,
        is_kept: false,
        is_listed: false,
    });
    if named.words != words {
        return Err(different(name, &named.words, &words));
    }
    named.holders += 1;
    Ok(named.limiter.clone())
}

/// Gives a limiter up that was held: its handle was closed.
pub(crate) fn close(name: &str, limiter: &Arc<Limiter>) {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner).give_up(name, limiter, false);
}

/// Gives a limiter up that was held: the thread of its handle has ended.
pub(crate) fn leave(name: &str, limiter: &Arc<Limiter>) {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner).give_up(name, limiter, true);
}

impl Names {
    fn give_up(&mut self, name: &str, limiter: &Arc<Limiter>, keep: bool) {
        let Some(named) = self.by_name.get_mut(name) else { return };
        if !Arc::ptr_eq(&named.limiter, limiter) {
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

    /// Ends those of the next limiters left behind that do not matter any more.
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
    /// Hands on what keys have used, as a snapshot does to the next process: of limits that have the name,
    /// unit and kind that they had. Nothing if no limit does, or there are more keys than
    /// may be or than there is memory to write down. O(keys).
    fn hand_on(&self, limiter: &Limiter, clock: &Clock) {
        let Some(now) = self.time.now().filter(|_| self.time.is_of(clock)) else { return };
        if let Ok(snapshot) = self.limiter.snapshot(now) {
            let _ = limiter.restore(&snapshot, now);
        }
    }

    /// Whether a new limiter might decide otherwise, for all that is known of [`KEYS`] keys more.
    fn matters(&self) -> bool {
        // Without its clock nobody can open it.
        self.time.now().is_some_and(|now| !self.limiter.wind_down(KEYS, now))
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
            (Self::Real(_), Clock::Precise | Clock::Coarse) => true,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{sluice_clock_advance, sluice_clock_close, sluice_clock_open};
    use crate::limiter::{
        sluice_limiter_close, sluice_limiter_key, sluice_limiter_leave, sluice_limiter_open,
        sluice_limiter_take,
    };

    use crate::thread::{SLUICE_THREAD_ALL, SLUICE_THREAD_SHARES, sluice_thread_enter};

    const DAY: f64 = 86_400_000.0;

    /// Opens a limiter with one rate of `limit` in `ms`.
    fn open(name: &str, limit: f64, ms: f64, clock: u32) -> u32 {
        let text = format!("{name}\0rate\0requests");
        // 1,000 keys, reservations live a second, one limit, one unit; a rate.
        let config = [1e3, 1e3, 1.0, 1.0, 0.0, 0.0, limit, ms, limit, 0.0, 0.0, 0.0];
        let (text, length) = (text.as_ptr(), text.len() as u32);
        // SAFETY: pointers and lengths come from live values.
        let handle = unsafe { sluice_limiter_open(text, length, config.as_ptr(), 12, clock) };
        assert!(handle > 0, "{handle}");
        handle.cast_unsigned()
    }

    /// Whether one more is allowed for the key `k`.
    fn take(limiter: u32) -> bool {
        // SAFETY: pointer and length come from a live value.
        let key = unsafe { sluice_limiter_key(limiter, b"k".as_ptr(), 1) };
        let code = sluice_limiter_take(limiter, key, 1.0, 0.0, 0.0, 0.0);
        assert!(key >= 0.0 && code >= 0.0, "{key}, {code}");
        code == 0.0
    }

    /// How many limiters there are whose name begins so; the other tests have theirs.
    fn known(prefix: &str) -> usize {
        let names = NAMES.lock().expect("no panic");
        names.by_name.keys().filter(|name| name.starts_with(prefix)).count()
    }

    /// In a thread that ends.
    fn elsewhere<R: Send>(f: impl FnOnce() -> R + Send) -> R {
        std::thread::scope(|scope| scope.spawn(f).join().expect("no panic"))
    }

    #[test]
    fn limiters_of_threads_that_ended_do_not_pile_up() {
        for thread in 0..200 {
            elsewhere(|| {
                for n in 0..100 {
                    // Comes back in a microsecond.
                    assert!(take(open(&format!("tenant {thread} {n}"), 1e3, 1.0, 0)));
                }
            });
        }
        // Those of the last thread or two; of others that the tests beside left behind, some more.
        assert!(known("tenant") < 500, "{}", known("tenant"));
    }

    #[test]
    fn what_a_thread_that_ended_has_used_is_not_forgotten() {
        assert!(elsewhere(|| take(open("used", 1.0, DAY, 0))));
        let many = || {
            for n in 0..1_000 {
                open(&format!("beside {n}"), 1e3, 1.0, 0);
            }
        };
        elsewhere(many);
        assert!(!elsewhere(|| take(open("used", 1.0, DAY, 0))));
        // Nor if another looks in, and closes it while nobody else has it open.
        sluice_limiter_close(open("used", 1.0, DAY, 0));
        elsewhere(many);
        assert!(!elsewhere(|| take(open("used", 1.0, DAY, 0))));
    }

    #[test]
    fn other_limits_take_over_what_was_used_of_those_that_are_the_same_kind() {
        elsewhere(|| {
            let three = open("changed", 3.0, DAY, 0);
            assert!(take(three) && take(three));
        });
        elsewhere(|| {
            let four = open("changed", 4.0, DAY, 0);
            assert!(take(four) && take(four) && !take(four), "two of four were used");
        });
        // Of other keys than these nothing is known, and a rate of less is full at once.
        elsewhere(|| assert!(!take(open("changed", 2.0, DAY, 0))));
    }

    #[test]
    fn a_clock_of_its_own_takes_nothing_over() {
        elsewhere(|| assert!(take(open("other clock", 1.0, DAY, 0))));
        let clock = sluice_clock_open(0.0).cast_unsigned();
        elsewhere(|| assert!(take(open("other clock", 1.0, DAY, clock))));
        sluice_clock_close(clock);
    }

    #[test]
    fn a_program_that_begins_anew_has_other_limits_and_the_old_one_its_own() {
        elsewhere(|| {
            let old = open("anew", 1.0, DAY, 0);
            assert!(take(old));
            assert!(sluice_thread_enter(SLUICE_THREAD_SHARES) >= 0);
            let new = open("anew", 2.0, DAY, 0);
            assert!(take(new) && !take(new), "one of two was used");
            assert!(!take(old), "what is not finished yet is asked as before");
            assert_eq!(sluice_limiter_close(old), 0);
            assert_eq!(known("anew"), 1, "the old handle holds the name no more");
            assert!(sluice_thread_enter(SLUICE_THREAD_ALL) >= 0);
            let [again, other] = [(); 2].map(|()| open("anew", 2.0, DAY, 0));
            assert!(![old, new].contains(&again) && ![old, new].contains(&other));
            assert!(sluice_limiter_close(new) < 0 && !take(again));
        });
    }

    #[test]
    fn a_limiter_that_all_have_closed_is_gone() {
        let [one, two] = [(); 2].map(|()| open("closed", 1.0, DAY, 0));
        assert!(take(one) && !take(two));
        sluice_limiter_close(one);
        assert_eq!(known("closed"), 1);
        sluice_limiter_close(two);
        assert_eq!(known("closed"), 0);
    }

    #[test]
    fn a_limiter_whose_handle_was_left_keeps_its_counts() {
        for is_first in [true, false, false] {
            let handle = open("left", 1.0, DAY, 0);
            assert_eq!(take(handle), is_first);
            assert_eq!(sluice_limiter_leave(handle), 0);
            assert!(sluice_limiter_leave(handle) < 0, "it is closed");
        }
    }

    #[test]
    fn a_limiter_that_gets_no_handle_is_not_kept() {
        elsewhere(|| {
            // As many as a thread can have.
            for _ in 0..1 << 20 {
                open("many handles", 1.0, DAY, 0);
            }
            let refused = std::panic::catch_unwind(|| open("one too many", 1.0, DAY, 0));
            assert!(refused.is_err() && known("one too many") == 0);
        });
    }

    #[test]
    fn a_limiter_left_behind_goes_when_its_keys_are_idle_or_its_clock_is_gone() {
        let clock = sluice_clock_open(0.0).cast_unsigned();
        let others = |round: u32| {
            elsewhere(|| {
                for n in 0..1_000 {
                    open(&format!("next {round} {n}"), 1e3, 1.0, 0);
                }
            });
        };
        assert!(elsewhere(|| take(open("virtual", 1.0, 1e3, clock))));
        sluice_clock_advance(clock, 999.0);
        others(1);
        assert_eq!(known("virtual"), 1, "it has used something still");
        sluice_clock_advance(clock, 1.0);
        others(2);
        assert_eq!(known("virtual"), 0);
        assert!(elsewhere(|| take(open("virtual", 1.0, 1e3, clock))));
        sluice_clock_close(clock);
        others(3);
        assert_eq!(known("virtual"), 0, "nobody can open it any more");
    }
}
