//! Limit sets: a set that is being read is not overwritten.

use loom::sync::Arc;
use loom::thread;

use crate::limit_sets::LimitSets;
use crate::limits::limit::Limit;
use crate::sync::AtomicU64;
use crate::{lock, words};

/// Sets limits for the key of `words`, as `Limiter::set_limits` does; its state records their
/// capacity.
fn set(limit_sets: &LimitSets, words: &[AtomicU64], capacity: u64) {
    let number = limit_sets.acquire(vec![Limit::rate(0, 1, 1, capacity)].into()).expect("room");
    let before = {
        let mut slot = lock(words);
        let before = slot.limit_set();
        slot.set_limit_set(number);
        let mut state = slot.state(0);
        state.level = capacity;
        slot.set_state(0, state);
        before
    };
    limit_sets.release(before);
}

#[test]
fn a_locked_slot_keeps_its_limit_set_readable() {
    loom::model(|| {
        let limit_sets = Arc::new(LimitSets::new(vec![Limit::rate(0, 1, 1, 9)].into()));
        let (a, b) = (words(), words());
        set(&limit_sets, &a, 20);
        let (theirs, a2, b2) = (limit_sets.clone(), a.clone(), b.clone());
        // The number that `a` releases is reused next.
        let thread = thread::spawn(move || {
            set(&theirs, &a2, 30);
            set(&theirs, &b2, 40);
        });
        {
            let slot = lock(&a);
            let limit = limit_sets.prepared(slot.limit_set()).next().expect("one limit").definition;
            assert_eq!(limit.capacity, slot.state(0).level);
        }
        thread.join().expect("join");
        for (words, capacity) in [(&a, 30), (&b, 40)] {
            let slot = lock(words);
            let limit = limit_sets.prepared(slot.limit_set()).next().expect("one limit").definition;
            assert_eq!((limit.capacity, slot.state(0).level), (capacity, capacity));
        }
        assert_eq!(lock(&b).limit_set(), 1, "reused");
    });
}

#[test]
fn two_threads_that_change_one_key_leave_one_set_in_use() {
    loom::model(|| {
        let limit_sets = Arc::new(LimitSets::new(vec![Limit::rate(0, 1, 1, 9)].into()));
        let a = words();
        let (theirs, a2) = (limit_sets.clone(), a.clone());
        let thread = thread::spawn(move || set(&theirs, &a2, 20));
        set(&limit_sets, &a, 30);
        thread.join().expect("join");
        let slot = lock(&a);
        let limit = limit_sets.prepared(slot.limit_set()).next().expect("one limit").definition;
        assert_eq!(limit.capacity, slot.state(0).level);
        drop(slot);
        // Of the four sets that fit here, the defaults and that of `a` are in use.
        let of = |capacity| limit_sets.acquire(vec![Limit::rate(0, 1, 1, capacity)].into());
        assert!(of(40).is_ok() && of(50).is_ok() && of(60).is_err());
    });
}
