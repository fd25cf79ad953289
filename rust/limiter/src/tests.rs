//! Tests of private items. (`tests/loom` also compiles `slots` and other modules.)

use std::sync::Arc;

use crate::decision::Fault;
use crate::limiter::{Config, Limiter};
use crate::limits::limit::{Limit, UNIT};
use crate::limits::prepared_limit::PreparedLimit;
use crate::multi_key::Part;
use crate::reservations::book::{Book, Held, HeldParts, NotOpen};
use crate::reservations::reservation::{Actual, reserve_all};
use crate::slots::slot_array::SlotArray;
use crate::time::Now;

#[test]
fn reservations_beyond_the_count_of_a_key_are_refused() {
    let limits = Box::new([Limit::rate(0, UNIT, 1, 100 * UNIT)]);
    let config = Config { limits, units: 1, max_keys: 2 };
    let limiter = Arc::new(Limiter::new(config, [0; 16], Arc::default()));
    let now = Now { ns: 0, wall_ns: 0 };
    let [full, other] = [b"a", b"b"].map(|name| limiter.key(name, now).expect("room"));
    // Pretends that this many are open: to open them would take gigabytes.
    limiter.lock(full).expect("live").set_open_reservations((1 << 24) - 2);
    let reserve = |keys: &[_]| {
        let part = |&key| Part { limiter: &limiter, key, costs: &[UNIT] };
        reserve_all(&keys.iter().map(part).collect::<Vec<_>>(), 0, 1_000, now)
    };
    let last = reserve(&[full]).expect("room for one").expect("fits");
    let before = (limiter.inspect(full, now), limiter.inspect(other, now), limiter.stats());
    assert_eq!(reserve(&[full]), Err(Fault::TooManyReservations(0)));
    assert_eq!(reserve(&[other, full]), Err(Fault::TooManyReservations(1)));
    let after = (limiter.inspect(full, now), limiter.inspect(other, now), limiter.stats());
    assert_eq!(before, after);
    limiter.settle(last, Actual::Nothing, now).expect("open");
    assert!(reserve(&[other, full]).is_ok());
}

#[test]
fn every_index_has_its_own_address_and_keeps_it() {
    let slots = SlotArray::new(5);
    assert!(slots.get(0).is_none());
    let first = slots.ensure(0).expect("room").head.as_ptr();
    assert!(first.align_offset(8) == 0 && slots.get(63).is_some());
    assert_eq!(first.cast::<u8>().align_offset(64), 0);
    let mut seen = std::collections::HashSet::new();
    for index in 0..10_000 {
        assert!(seen.insert(slots.ensure(index).expect("room").head.as_ptr()));
    }
    assert_eq!(slots.get(0).expect("there").head.as_ptr(), first);
    assert!(slots.ensure(u32::MAX).is_none());
}

#[test]
fn slots_and_limits_have_their_sizes() {
    for (limits, bytes) in [(1, 64), (2, 80), (3, 112), (4, 128), (16, 416)] {
        let slots = SlotArray::new(limits);
        let [a, b] = [0, 1].map(|at| slots.ensure(at).expect("room").head.as_ptr() as usize);
        assert_eq!(b - a, bytes, "{limits} limits");
    }
    assert_eq!(size_of::<PreparedLimit>(), 128);
}

#[test]
fn a_granted_cost_beyond_the_count_of_a_key_changes_nothing() {
    let limits = Box::new([Limit::rate(0, UNIT, 1, 100 * UNIT).as_credit()]);
    let config = Config { limits, units: 1, max_keys: 2 };
    let limiter = Arc::new(Limiter::new(config, [0; 16], Arc::default()));
    let now = Now { ns: 0, wall_ns: 0 };
    let key = limiter.key(b"a", now).expect("room");
    limiter.lock(key).expect("live").set_open_reservations((1 << 24) - 1);
    let before = (limiter.inspect(key, now), limiter.stats());
    let held = limiter.hold_granted(key, &[UNIT], 0, 1_000, now, |_, _| panic!("called"));
    assert_eq!(held, Err(Fault::TooManyReservations(0)));
    assert_eq!(before, (limiter.inspect(key, now), limiter.stats()));
}

/// As seen by a thread that calls while another is about to settle the expired reservation.
#[test]
fn an_expired_reservation_cannot_be_ended_even_before_it_is_noticed() {
    let at = |ns| Now { ns, wall_ns: 0 };
    let book = Book::new();
    let id = book.add(Held { owner: 3, expires: 100, parts: HeldParts::new() });
    assert!(book.shard(id.index).get(id, at(99)).is_ok());
    assert!(book.shard(id.index).get(id, at(100)).is_err());
    let remove = |ns| book.remove(id, at(ns), |_| Ok::<_, NotOpen>(()));
    assert!(remove(100).is_err());
    book.expire(at(100));
    assert_eq!(book.expired(), 1);
    assert!(remove(0).is_err());
}

/// A real-time thread that only yields would keep the holder from running.
#[cfg(target_os = "linux")]
#[test]
fn a_long_wait_uses_hardly_any_processor_time() {
    use std::time::Duration;

    let slots = SlotArray::new(1);
    slots.ensure(0).expect("room");
    let wait = || {
        let used = || rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        let before = used();
        drop(slots.lock(0));
        Duration::try_from(used() - before).expect("time goes forward")
    };
    std::thread::scope(|scope| {
        let held = slots.lock(0);
        let waiter = scope.spawn(wait);
        std::thread::sleep(Duration::from_millis(200));
        drop(held);
        let used = waiter.join().expect("no panic");
        assert!(used < Duration::from_millis(20), "{used:?} for a lock");

        let exclusive = slots.exclusive_mode().try_enter();
        assert!(exclusive.is_some());
        let waiter = scope.spawn(wait);
        std::thread::sleep(Duration::from_millis(200));
        drop(exclusive);
        let used = waiter.join().expect("no panic");
        assert!(used < Duration::from_millis(20), "{used:?} for a batch");
    });
}
