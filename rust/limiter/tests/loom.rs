//! The lock of a slot and the way from names to slots under every interleaving (loom): the crate's own
//! files, compiled here with loom's atomics. In place of the map of names stands a plain map behind one of
//! loom's locks.
#![allow(dead_code, unreachable_pub, reason = "files of the crate, of which some is used here")]
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod sync {
    pub(crate) use loom::hint::spin_loop;
    pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering};
    pub(crate) use loom::sync::{Mutex, MutexGuard};
    pub(crate) use loom::thread::yield_now;

    /// Stands for the order of `SeqCst` operations, which loom takes for `AcqRel`.
    pub(crate) fn fence() {
        loom::sync::atomic::fence(Ordering::SeqCst);
    }

    /// To look at a lock once more changes nothing: whatever can follow is also explored from where the
    /// waiter looked less often. Without this, two waiters could go on looking in turns for ever.
    pub(crate) fn sleep(_: std::time::Duration) {
        loom::skip_branch();
        yield_now();
    }

    pub(crate) const SPINS: u32 = 1;
    pub(crate) const YIELDS: u32 = 1;
    pub(crate) const FIRST: usize = 2;
    pub(crate) const SWEEP: u32 = 0;
    pub(crate) const SEARCH: u32 = 2;
    pub(crate) const SHARDS: u32 = 2;
    pub(crate) const PLANS: usize = 4;
    pub(crate) const PLANS_AT_ONCE: usize = 4;

    pub(crate) fn zeroed(words: usize) -> Option<Box<[AtomicU64]>> {
        Some((0..words).map(|_| AtomicU64::new(0)).collect())
    }
}

#[path = "../src/alone.rs"]
mod alone;
#[path = "../src/backoff.rs"]
mod backoff;
#[path = "../src/book.rs"]
mod book;
#[path = "../src/calendar.rs"]
mod calendar;
#[path = "../src/keys.rs"]
mod keys;
#[path = "../src/limit.rs"]
mod limit;
#[path = "../src/places.rs"]
mod places;
#[path = "../src/plan.rs"]
mod plan;
#[path = "../src/rule.rs"]
mod rule;
#[path = "../src/slot.rs"]
mod slot;
#[path = "../src/slots.rs"]
mod slots;
#[path = "../src/time.rs"]
mod time;
#[path = "../src/window.rs"]
mod window;
#[path = "../src/words.rs"]
mod words;
#[path = "../src/zone.rs"]
mod zone;

/// The twin of `src/names.rs`: an entry is locked by locking all.
mod names {
    use std::collections::BTreeMap;
    use std::sync::PoisonError;

    use loom::sync::{Mutex, MutexGuard};

    #[derive(Default)]
    pub(crate) struct Names(Mutex<BTreeMap<u128, u32>>);

    impl Names {
        pub(crate) fn get(&self, hash: u128) -> Option<u32> {
            self.lock().get(&hash).copied()
        }

        pub(crate) fn update<R>(
            &self,
            hash: u128,
            f: impl FnOnce(Option<u32>) -> (Option<u32>, R),
        ) -> R {
            let mut names = self.lock();
            let (index, result) = f(names.get(&hash).copied());
            if let Some(index) = index {
                names.insert(hash, index);
            }
            result
        }

        pub(crate) fn remove(&self, hash: u128, index: u32) {
            let mut names = self.lock();
            if names.get(&hash) == Some(&index) {
                names.remove(&hash);
            }
        }

        pub(crate) fn len(&self) -> usize {
            self.lock().len()
        }

        fn lock(&self) -> MutexGuard<'_, BTreeMap<u128, u32>> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}

/// In place of the crate's: what reservations hold of it is not looked at here.
mod limiter {
    pub(crate) struct Limiter;
}

use book::{Book, Held};
use keys::{Keys, Pressed};
use limit::Limit;
use loom::sync::Arc;
use loom::thread;
use plan::Plans;
use slot::{CELL, Guard, HEAD, Slot, Words};
use slots::Slots;
use sync::AtomicU64;
use time::Now;

fn words() -> Arc<Vec<AtomicU64>> {
    Arc::new((0..HEAD + CELL).map(|_| AtomicU64::new(0)).collect())
}

fn lock(words: &[AtomicU64]) -> Guard<'_> {
    Guard::lock(Words::new(words).expect("enough words"))
}

fn add(slot: &mut Slot<'_>) {
    let mut cell = slot.cell(0);
    cell.level += 1;
    slot.set_cell(0, cell);
}

#[test]
fn the_lock_excludes_and_publishes() {
    loom::model(|| {
        let words = words();
        let theirs = words.clone();
        let thread = thread::spawn(move || add(&mut lock(&theirs)));
        add(&mut lock(&words));
        thread.join().expect("join");
        assert_eq!(lock(&words).cell(0).level, 2);
    });
}

#[test]
fn two_locks_in_order_never_wait_for_each_other_and_change_together() {
    loom::model(|| {
        let (a, b) = (words(), words());
        let (a2, b2) = (a.clone(), b.clone());
        let thread = thread::spawn(move || {
            let (mut a, mut b) = (lock(&a2), lock(&b2));
            add(&mut a);
            add(&mut b);
        });
        {
            let (mut a, mut b) = (lock(&a), lock(&b));
            assert_eq!(a.cell(0).level, b.cell(0).level);
            add(&mut a);
            add(&mut b);
        }
        thread.join().expect("join");
        assert_eq!(lock(&a).cell(0).level, 2);
    });
}

/// Adds as a batch does: without the lock if nobody else is there.
fn add_alone(slots: &Slots) {
    let alone = slots.alone().begin();
    if alone.is_some()
        && let Some(mut slot) = Slot::unlocked(slots.get(0).expect("made"))
    {
        add(&mut slot);
        return;
    }
    drop(alone);
    add(&mut slots.lock(0).expect("made"));
}

#[test]
fn who_is_alone_and_who_locks_exclude_each_other() {
    loom::model(|| {
        let shared = keys(2);
        let theirs = shared.clone();
        let thread = thread::spawn(move || add(&mut theirs.1.lock(0).expect("made")));
        add_alone(&shared.1);
        thread.join().expect("join");
        assert_eq!(shared.1.lock(0).expect("made").cell(0).level, 2);
    });
}

#[test]
fn two_who_would_be_alone_exclude_each_other() {
    loom::model(|| {
        let shared = keys(2);
        let theirs = shared.clone();
        let thread = thread::spawn(move || add_alone(&theirs.1));
        add_alone(&shared.1);
        thread.join().expect("join");
        assert_eq!(shared.1.lock(0).expect("made").cell(0).level, 2);
    });
}

#[test]
fn who_holds_one_lock_and_waits_for_another_is_not_waited_for() {
    loom::model(|| {
        let shared = keys(2);
        let theirs = shared.clone();
        let thread = thread::spawn(move || {
            let mut first = theirs.1.lock(0).expect("made");
            add(&mut theirs.1.lock(1).expect("made"));
            add(&mut first);
        });
        add_alone(&shared.1);
        thread.join().expect("join");
        assert_eq!(shared.1.lock(0).expect("made").cell(0).level, 2);
        assert_eq!(shared.1.lock(1).expect("made").cell(0).level, 1);
    });
}

#[test]
fn a_vacated_slot_is_stale_to_whoever_waited() {
    loom::model(|| {
        let words = words();
        lock(&words).occupy(1);
        let theirs = words.clone();
        let thread = thread::spawn(move || {
            let mut slot = lock(&theirs);
            slot.vacate();
            slot.occupy(2);
        });
        {
            let mut slot = lock(&words);
            if slot.is(0) {
                assert_eq!(slot.hash(), 1);
                add(&mut slot);
            } else {
                assert_eq!((slot.hash(), slot.cell(0).level), (2, 0));
            }
        }
        thread.join().expect("join");
        assert_eq!(lock(&words).cell(0).level, 0);
    });
}

fn idle(slot: &Slot<'_>) -> bool {
    slot.cell(0).level == 0
}

/// Names and slots for `max` keys.
fn keys(max: u32) -> Arc<(Keys, Slots)> {
    let slots = Slots::new(1);
    // Now: loom does not see that a `OnceLock` publishes.
    slots.make(0).expect("room");
    Arc::new((Keys::new([7; 16], max), slots))
}

#[test]
fn two_first_uses_of_a_name_find_one_slot() {
    loom::model(|| {
        let shared = keys(2);
        let theirs = shared.clone();
        let thread = thread::spawn(move || {
            let (keys, slots) = &*theirs;
            keys.intern(slots, 5, 0, |_, _| false).expect("room")
        });
        let (keys, slots) = &*shared;
        let mine = keys.intern(slots, 5, 0, |_, _| false).expect("room");
        assert_eq!(thread.join().expect("join"), mine);
        assert_eq!(keys.live(), 1);
    });
}

#[test]
fn an_idle_key_that_is_evicted_is_charged_afresh_or_not_at_all() {
    loom::model(|| {
        let shared = keys(1);
        let (keys, slots) = &*shared;
        let old = keys.intern(slots, 5, 0, |slot, _| idle(slot)).expect("room");
        let theirs = shared.clone();
        // Another name wants the only place, which is idle.
        let thread = thread::spawn(move || {
            let (keys, slots) = &*theirs;
            keys.intern(slots, 6, 0, |slot, _| idle(slot)).ok()
        });
        let charged = {
            let mut slot = slots.lock(old.index).expect("made");
            let mine = slot.is(old.generation);
            if mine {
                add(&mut slot);
            }
            mine
        };
        let new = thread.join().expect("join");
        // Either the charge came first and the key stayed, or the place was given away and the charge
        // found that out: never a charge on somebody else's account.
        assert_eq!(charged, new.is_none());
        let slot = slots.lock(old.index).expect("made");
        assert_eq!(slot.cell(0).level, u64::from(charged));
        assert_eq!(slot.hash(), if charged { 5 } else { 6 });
        assert_eq!(keys.live(), 1);
    });
}

#[test]
fn a_name_that_comes_back_while_it_is_evicted_has_one_slot() {
    loom::model(|| {
        let shared = keys(2);
        let (keys, slots) = &*shared;
        let old = keys.intern(slots, 5, 0, |_, _| false).expect("room");
        let theirs = shared.clone();
        let thread = thread::spawn(move || {
            let (keys, slots) = &*theirs;
            keys.evict(slots, old, |_| true)
        });
        let mine = keys.intern(slots, 5, 0, |_, _| false).expect("room");
        assert!(thread.join().expect("join"));
        let after = keys.intern(slots, 5, 0, |_, _| false).expect("room");
        assert!(mine == old || mine == after);
        assert_ne!(after, old);
        assert_eq!(keys.live(), 1);
    });
}

/// Who takes part in a race for few places.
#[derive(Clone, Copy)]
enum Step {
    /// Wants the key of a name, and gives any other away for it.
    Intern(u128),
    /// Forgets the key that the race began with.
    Forget,
}

/// Every interleaving of `steps` with at most `preemptions` of them preempted, each step a thread, on `max`
/// places of which name 5 has one: no key is that of two names, and no place is lost or there twice.
fn race(max: u32, preemptions: usize, steps: &'static [Step]) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.max_branches = 10_000;
    model.check(move || {
        let shared = keys(max);
        let old = shared.0.intern(&shared.1, 5, 0, |_, _| false).expect("room");
        let run = move |step, (keys, slots): &(Keys, Slots)| match step {
            Step::Intern(hash) => {
                let key = keys.intern(slots, hash, 0, |_, Pressed(pressed)| pressed);
                key.ok().map(|key| (key, hash))
            }
            Step::Forget => {
                keys.evict(slots, old, |_| true);
                None
            }
        };
        let threads: Vec<_> = (steps[1..].iter())
            .map(|&step| {
                let theirs = shared.clone();
                thread::spawn(move || run(step, &theirs))
            })
            .collect();
        let mut tenants = vec![(old, 5)];
        tenants.extend(run(steps[0], &shared));
        tenants.extend(threads.into_iter().filter_map(|thread| thread.join().expect("join")));
        for (a, name) in &tenants {
            for (b, other) in &tenants {
                assert!(a != b || name == other, "{a:?} is the key of {name} and of {other}");
            }
        }
        let (keys, slots) = &*shared;
        if let Err(wrong) = keys.audit(slots) {
            panic!("{wrong}");
        }
    });
}

#[test]
fn two_names_that_want_one_place_never_share_it() {
    race(1, 4, &[Step::Intern(6), Step::Intern(7)]);
}

#[test]
fn a_name_that_two_ask_for_while_a_third_evicts_has_one_place() {
    race(2, 3, &[Step::Intern(6), Step::Intern(6), Step::Intern(7)]);
}

#[test]
fn a_name_that_two_ask_for_while_it_is_forgotten_has_one_place() {
    race(2, 3, &[Step::Intern(5), Step::Intern(5), Step::Forget]);
}

#[test]
fn a_name_that_is_forgotten_while_others_evict_it_gives_its_place_back_once() {
    race(1, 2, &[Step::Intern(6), Step::Intern(7), Step::Forget]);
}

/// Gives the key of `words` limits of its own, as `Limiter::set_limits` does; its cell says which.
fn set(plans: &Plans, words: &[AtomicU64], capacity: u64) {
    let number = plans.count(vec![Limit::rate(0, 1, 1, capacity)].into()).expect("room");
    let before = {
        let mut slot = lock(words);
        let before = slot.plan();
        slot.set_plan(number);
        let mut cell = slot.cell(0);
        cell.level = capacity;
        slot.set_cell(0, cell);
        before
    };
    plans.give_back(before);
}

#[test]
fn whoever_has_a_slot_locked_reads_its_limits_and_no_others() {
    loom::model(|| {
        let plans = Arc::new(Plans::new(vec![Limit::rate(0, 1, 1, 9)].into()));
        let (a, b) = (words(), words());
        set(&plans, &a, 20);
        let (theirs, a2, b2) = (plans.clone(), a.clone(), b.clone());
        // The number that `a` gives up is the next that is given out.
        let thread = thread::spawn(move || {
            set(&theirs, &a2, 30);
            set(&theirs, &b2, 40);
        });
        {
            let slot = lock(&a);
            let limit = plans.others(slot.plan()).next().expect("one limit").limit;
            assert_eq!(limit.capacity, slot.cell(0).level);
        }
        thread.join().expect("join");
        for (words, capacity) in [(&a, 30), (&b, 40)] {
            let slot = lock(words);
            let limit = plans.others(slot.plan()).next().expect("one limit").limit;
            assert_eq!((limit.capacity, slot.cell(0).level), (capacity, capacity));
        }
        assert_eq!(lock(&b).plan(), 1, "given out again");
    });
}

#[test]
fn two_who_change_one_key_leave_one_set_in_use() {
    loom::model(|| {
        let plans = Arc::new(Plans::new(vec![Limit::rate(0, 1, 1, 9)].into()));
        let a = words();
        let (theirs, a2) = (plans.clone(), a.clone());
        let thread = thread::spawn(move || set(&theirs, &a2, 20));
        set(&plans, &a, 30);
        thread.join().expect("join");
        let slot = lock(&a);
        let limit = plans.others(slot.plan()).next().expect("one limit").limit;
        assert_eq!(limit.capacity, slot.cell(0).level);
        drop(slot);
        // Of the four that fit here, the limiter's own and that of `a` are taken.
        let of = |capacity| plans.count(vec![Limit::rate(0, 1, 1, capacity)].into());
        assert!(of(40).is_ok() && of(50).is_ok() && of(60).is_err());
    });
}

impl Held {
    fn settle_in_full(self, _now: Now) {}
    fn expire(self, _now: Now) {}
}

fn at(ns: u64) -> Now {
    Now { ns, wall_ns: 0 }
}

/// A reservation of `owner`, which chooses its shard.
fn held(owner: u32, expires: u64) -> Held {
    Held { owner, expires, parts: book::HeldParts::new() }
}

#[test]
fn no_expiry_is_lost_while_others_are_noticed() {
    loom::model(|| {
        let book = Arc::new(Book::new());
        book.add(held(0, 10));
        let theirs = book.clone();
        let adder = thread::spawn(move || {
            theirs.add(held(1, 15));
            theirs.add(held(0, 20));
        });
        // Notices the first, and puts `due` back and forward while the others come.
        book.expire(at(12));
        adder.join().expect("join");
        assert_eq!(book.expired(), 1);
        // One load tells each of them that something is due.
        book.expire(at(15));
        assert_eq!(book.expired(), 2);
        book.expire(at(20));
        assert_eq!(book.expired(), 3);
    });
}
