//! The spin lock of a slot, and exclusive mode.

use loom::thread;

use crate::slots::slot::Slot;
use crate::slots::slot_array::SlotArray;
use crate::{add, keys, lock, words};

#[test]
fn the_lock_excludes_and_publishes() {
    loom::model(|| {
        let words = words();
        let theirs = words.clone();
        let thread = thread::spawn(move || add(&mut lock(&theirs)));
        add(&mut lock(&words));
        thread.join().expect("join");
        assert_eq!(lock(&words).state(0).level, 2);
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
            assert_eq!(a.state(0).level, b.state(0).level);
            add(&mut a);
            add(&mut b);
        }
        thread.join().expect("join");
        assert_eq!(lock(&a).state(0).level, 2);
    });
}

/// Adds as a batch does: in exclusive mode if possible, otherwise with a lock.
fn add_as_batch(slots: &SlotArray) {
    let exclusive = slots.exclusive_mode().try_enter();
    if exclusive.is_some()
        && let Some(mut slot) = Slot::unlocked(slots.get(0).expect("made"))
    {
        add(&mut slot);
        return;
    }
    drop(exclusive);
    add(&mut slots.lock(0).expect("made"));
}

#[test]
fn exclusive_mode_and_locks_exclude_each_other() {
    loom::model(|| {
        let shared = keys(2);
        let theirs = shared.clone();
        let thread = thread::spawn(move || add(&mut theirs.1.lock(0).expect("made")));
        add_as_batch(&shared.1);
        thread.join().expect("join");
        assert_eq!(shared.1.lock(0).expect("made").state(0).level, 2);
    });
}

#[test]
fn two_threads_that_enter_exclusive_mode_exclude_each_other() {
    loom::model(|| {
        let shared = keys(2);
        let theirs = shared.clone();
        let thread = thread::spawn(move || add_as_batch(&theirs.1));
        add_as_batch(&shared.1);
        thread.join().expect("join");
        assert_eq!(shared.1.lock(0).expect("made").state(0).level, 2);
    });
}

#[test]
fn a_batch_does_not_wait_for_a_thread_that_waits_for_it() {
    loom::model(|| {
        let shared = keys(2);
        let theirs = shared.clone();
        let thread = thread::spawn(move || {
            let mut first = theirs.1.lock(0).expect("made");
            add(&mut theirs.1.lock(1).expect("made"));
            add(&mut first);
        });
        add_as_batch(&shared.1);
        thread.join().expect("join");
        assert_eq!(shared.1.lock(0).expect("made").state(0).level, 2);
        assert_eq!(shared.1.lock(1).expect("made").state(0).level, 1);
    });
}

#[test]
fn a_vacated_slot_is_stale_to_a_thread_that_waited() {
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
            if slot.is_current(0) {
                assert_eq!(slot.hash(), 1);
                add(&mut slot);
            } else {
                assert_eq!((slot.hash(), slot.state(0).level), (2, 0));
            }
        }
        thread.join().expect("join");
        assert_eq!(lock(&words).state(0).level, 0);
    });
}
