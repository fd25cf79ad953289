//! Creation and eviction of keys: map entries and slots stay consistent.

use loom::thread;

use crate::keys::key_table::{KeyTable, TableFull};
use crate::slots::slot::Slot;
use crate::slots::slot_array::SlotArray;
use crate::{add, keys};

fn idle(slot: &Slot<'_>) -> bool {
    slot.state(0).level == 0
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
fn an_idle_key_is_charged_or_evicted_and_never_both() {
    loom::model(|| {
        let shared = keys(1);
        let (keys, slots) = &*shared;
        let old = keys.intern(slots, 5, 0, |slot, _| idle(slot)).expect("room");
        let theirs = shared.clone();
        // Another name wants the only slot, whose key is idle.
        let thread = thread::spawn(move || {
            let (keys, slots) = &*theirs;
            keys.intern(slots, 6, 0, |slot, _| idle(slot)).ok()
        });
        let charged = {
            let mut slot = slots.lock(old.index).expect("made");
            let mine = slot.is_current(old.generation);
            if mine {
                add(&mut slot);
            }
            mine
        };
        let new = thread.join().expect("join");
        // Either the charge came first and the key stayed, or the key was evicted and the charge
        // found it stale: no other key is charged.
        assert_eq!(charged, new.is_none());
        let slot = slots.lock(old.index).expect("made");
        assert_eq!(slot.state(0).level, u64::from(charged));
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

/// A thread in a race for few slots.
#[derive(Clone, Copy)]
enum Step {
    /// Creates the key of a name, and evicts any other key for it.
    Intern(u128),
    /// Forgets the key that existed at the start.
    Forget,
}

/// Explores every interleaving of `steps`, each a thread, with at most `preemptions` preemptions.
/// There are `max` slots, one of which has the name 5 at the start. No key belongs to two names,
/// and no slot is lost or duplicated.
fn race(max: u32, preemptions: usize, steps: &'static [Step]) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.max_branches = 10_000;
    model.check(move || {
        let shared = keys(max);
        let old = shared.0.intern(&shared.1, 5, 0, |_, _| false).expect("room");
        let run = move |step, (keys, slots): &(KeyTable, SlotArray)| match step {
            Step::Intern(hash) => {
                let key = keys.intern(slots, hash, 0, |_, TableFull(full)| full);
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
fn two_names_that_want_one_slot_never_share_it() {
    race(1, 4, &[Step::Intern(6), Step::Intern(7)]);
}

#[test]
fn a_name_created_twice_during_an_eviction_has_one_slot() {
    race(2, 3, &[Step::Intern(6), Step::Intern(6), Step::Intern(7)]);
}

#[test]
fn a_name_created_twice_while_it_is_forgotten_has_one_slot() {
    race(2, 3, &[Step::Intern(5), Step::Intern(5), Step::Forget]);
}

#[test]
fn a_name_that_is_forgotten_and_evicted_at_once_frees_its_slot_once() {
    race(1, 2, &[Step::Intern(6), Step::Intern(7), Step::Forget]);
}
