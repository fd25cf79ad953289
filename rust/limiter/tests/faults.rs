//! Faults of other limiters, each as a test that sluice does not have it.
//!
//! The names in brackets are the issues in which users reported them. `ledger.rs` has L1 to L9.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use sluice_limiter::{
    Actual, Config, Fault, Limit, Limiter, Now, Part, Refusal, ReservationId, Span, UNIT,
    reserve_all,
};
use support::{
    MINUTE, MONTH, MS, SECOND, at, concurrency, key, limiter, limiter_of, quota, rate, reserve,
    take,
};

#[test]
fn a_refund_of_what_was_refilled_admits_nothing() {
    // Everything is reserved; the bucket would refill during the call, so a second call would be
    // admitted. A refund of the first would then admit a third.
    let limiter = limiter(vec![rate(0, 100, MINUTE, 100)]);
    let key = key(&limiter, "k");
    let first = reserve(&limiter, key, 100, u64::MAX, at(0)).expect("fits");
    assert!(take(&limiter, key, 1, at(MINUTE)).is_some(), "what is open does not decay");
    limiter.settle(first, Actual::Costs(&[0]), at(MINUTE)).expect("open");
    assert!(take(&limiter, key, 100, at(MINUTE)).is_none());
    assert!(take(&limiter, key, 1, at(MINUTE)).is_some());
}

#[test]
fn five_at_once_cannot_spend_the_amount_for_one() {
    // [litellm#18730: 663 tokens on a limit of 100; litellm#35422: reserving nothing]
    let limiter = limiter(vec![rate(0, 100, MINUTE, 100)]);
    let key = key(&limiter, "k");
    let open = (0..5).filter_map(|_| reserve(&limiter, key, 60, MINUTE, at(0))).count();
    assert_eq!(open, 1);
}

#[test]
fn an_under_estimate_becomes_debt_and_is_waited_for() {
    let limiter = limiter(vec![rate(0, 100, SECOND, 100)]);
    let key = key(&limiter, "k");
    let id = reserve(&limiter, key, 10, MINUTE, at(0)).expect("fits");
    limiter.settle(id, Actual::Costs(&[300 * UNIT]), at(0)).expect("open");
    assert_eq!(take(&limiter, key, 1, at(0)), Some(Refusal::Until(2_010 * MS)));
    assert_eq!(limiter.inspect(key, at(0)).expect("live")[0].used, 300 * UNIT);
    assert!(take(&limiter, key, 0, at(0)).is_some(), "nothing at all is let through in debt");
    assert!(take(&limiter, key, 1, at(2_010 * MS)).is_none());
}

#[test]
fn a_reservation_ends_once() {
    let limiter = limiter(vec![concurrency(0, 2)]);
    let key = key(&limiter, "k");
    let id = reserve(&limiter, key, 1, MINUTE, at(0)).expect("fits");
    reserve(&limiter, key, 1, MINUTE, at(0)).expect("fits");
    assert_eq!(limiter.settle(id, Actual::Full, at(1)), Ok(()));
    let forged = ReservationId { index: 1 << 30, generation: 0, owner: id.owner };
    let next = ReservationId { generation: id.generation + 2, ..id };
    let open = reserve(&limiter, key, 0, MINUTE, at(0)).expect("fits");
    let others = ReservationId { owner: open.owner + 16, ..open };
    for bad in [id, forged, next, others] {
        for actual in [Actual::Full, Actual::Nothing, Actual::Costs(&[0])] {
            assert_eq!(limiter.settle(bad, actual, at(1)), Err(Fault::NotOpen));
        }
        assert_eq!(limiter.top_up(bad, &[UNIT], at(1)), Err(Fault::NotOpen));
    }
    assert!(reserve(&limiter, key, 1, MINUTE, at(1)).is_some());
    assert!(reserve(&limiter, key, 1, MINUTE, at(1)).is_none(), "nothing was released twice");
}

#[test]
fn concurrency_that_is_not_released_is_free_after_expiry() {
    // [litellm#20256, #1477, #28160: max-parallel counters that never come down]
    let limiter = limiter(vec![concurrency(0, 1), rate(1, 10, SECOND, 10)]);
    let key = key(&limiter, "k");
    let id = reserve(&limiter, key, 1, 5 * SECOND, at(0)).expect("fits");
    assert!(reserve(&limiter, key, 1, SECOND, at(5 * SECOND - 1)).is_none());
    assert!(reserve(&limiter, key, 1, SECOND, at(5 * SECOND)).is_some());
    assert_eq!(limiter.settle(id, Actual::Nothing, at(5 * SECOND)), Err(Fault::NotOpen));
    // It was charged in full as of its expiry: its request may have been sent.
    assert_eq!(limiter.inspect(key, at(5 * SECOND)).expect("live")[1].used, UNIT);
    assert_eq!((limiter.book().expired(), limiter.stats().expired), (1, 1));
}

#[test]
fn expiries_are_charged_as_of_their_own_times_whenever_they_are_noticed() {
    let limiter = limiter(vec![rate(0, 1, SECOND, 10)]);
    let key = key(&limiter, "k");
    let costs = [5 * UNIT];
    for (owner, seconds) in [(1, 5), (2, 2)] {
        let part = Part { limiter: &limiter, key, costs: &costs };
        reserve_all(&[part], owner, seconds * SECOND, at(0)).expect("no fault").expect("fits");
    }
    // 5 at 2 s, of which 2 are left at 5 s, and then 5 more.
    assert_eq!(limiter.inspect(key, at(5 * SECOND)).expect("live")[0].used, 7 * UNIT);
}

#[test]
fn reservations_of_a_dead_owner_end_and_no_others() {
    let limiter = limiter(vec![concurrency(0, 4)]);
    let key = key(&limiter, "k");
    let costs = [UNIT];
    let of = |owner| {
        let part = Part { limiter: &limiter, key, costs: &costs };
        reserve_all(&[part], owner, MINUTE, at(0)).expect("no fault").expect("fits")
    };
    // Owners 1 and 17 share a shard.
    let (_, mine, _) = (of(1), of(17), of(1));
    limiter.book().abandon(1, at(1));
    assert_eq!(limiter.inspect(key, at(1)).expect("live")[0].held, UNIT);
    assert_eq!(limiter.settle(mine, Actual::Nothing, at(1)), Ok(()));
}

#[test]
fn clocks_that_jump_neither_pin_a_key_nor_let_more_through() {
    // [governor#299; upstash: a key pinned for 115 days]
    let day = Span::Every(86_400 * SECOND);
    let limiter = limiter(vec![rate(0, 10, SECOND, 10), quota(0, day, 1_000)]);
    let key = key(&limiter, "k");
    for ns in [10 * SECOND, 3 * SECOND, 0, 9 * SECOND] {
        let _ = take(&limiter, key, 10, at(ns));
    }
    assert_eq!(limiter.inspect(key, at(0)).expect("live")[0].used, 10 * UNIT, "time stood still");
    // The wall clock is a year ahead, and is put right.
    let ahead = Now { ns: 20 * SECOND, wall_ns: 31_536_000 * SECOND.cast_signed() };
    assert!(take(&limiter, key, 1, ahead).is_none());
    let back = at(21 * SECOND);
    assert!(take(&limiter, key, 10, back).is_none());
    let reset = limiter.inspect(key, back).expect("live")[1].reset_ns;
    assert!(reset <= 86_400 * SECOND, "{reset}");
    for ns in [u64::MAX, u64::MAX - 1, 0] {
        let _ = take(&limiter, key, 1, Now { ns, wall_ns: i64::MAX });
        let _ = take(&limiter, key, 1, Now { ns, wall_ns: i64::MIN });
    }
}

#[test]
fn costs_of_any_size_are_counted_exactly_or_refused() {
    let most = sluice_limiter::MOST;
    let limits =
        vec![Limit::rate(0, most, 1, most), Limit::rate(0, most, 366 * 86_400 * SECOND, most)];
    let limiter = limiter(limits);
    let key = key(&limiter, "k");
    assert_eq!(limiter.take(key, &[most], at(0)), Ok(None));
    let denial = limiter.take(key, &[UNIT], at(0)).expect("no fault").expect("full");
    assert!(matches!(denial, sluice_limiter::Denial { limit: 1, refusal: Refusal::Until(_) }));
    let tenth = limiter_of(vec![Limit::rate(0, UNIT, SECOND, UNIT)], 9);
    let key = tenth.key(b"k", at(0)).expect("room");
    let admitted = (0..20).filter(|_| tenth.take(key, &[UNIT / 10], at(0)) == Ok(None)).count();
    assert_eq!(admitted, 10, "ten tenths are one");
}

#[test]
fn threads_that_reserve_over_crossed_keys_neither_lock_up_nor_leak() {
    let book = Arc::default();
    let limiters = [(); 2].map(|()| {
        let limits = vec![concurrency(0, 2), rate(0, 1_000_000, SECOND, 1_000_000)].into();
        Arc::new(Limiter::new(Config { limits, units: 1, max_keys: 9 }, [0; 16], Arc::clone(&book)))
    });
    let keys = [0, 1].map(|l: usize| ["a", "b"].map(|name| key(&limiters[l], name)));
    thread::scope(|scope| {
        for owner in 0..4u32 {
            let (limiters, keys) = (&limiters, &keys);
            scope.spawn(move || {
                for round in 0..3_000u32 {
                    let order: [u32; 4] =
                        std::array::from_fn(|n| (round + owner * n as u32 + n as u32) % 4);
                    let costs = [UNIT];
                    let parts = order.map(|n| Part {
                        limiter: &limiters[(n / 2) as usize],
                        key: keys[(n / 2) as usize][(n % 2) as usize],
                        costs: &costs,
                    });
                    let now = at(u64::from(round));
                    if let Ok(id) = reserve_all(&parts, owner, MINUTE, now).expect("no fault") {
                        let distinct = limiters[0].top_up(id, &[0; 9], now);
                        assert!(distinct.is_err(), "four keys at most");
                        limiters[(round % 2) as usize].settle(id, Actual::Full, now).expect("open");
                    }
                }
            });
        }
    });
    for (limiter, keys) in limiters.iter().zip(keys) {
        for key in keys {
            assert_eq!(limiter.inspect(key, at(1)).expect("live")[0].held, 0);
        }
        assert_eq!(limiter.stats().open, 0);
    }
}

#[test]
fn forgetting_a_key_voids_what_is_reserved_for_it() {
    let limiter = limiter(vec![concurrency(0, 1)]);
    let old = key(&limiter, "k");
    let id = reserve(&limiter, old, 1, MINUTE, at(0)).expect("fits");
    assert!(limiter.forget(old) && !limiter.forget(old));
    let new = key(&limiter, "k");
    assert!(reserve(&limiter, new, 1, MINUTE, at(0)).is_some());
    assert_eq!(limiter.settle(id, Actual::Full, at(0)), Ok(()));
    assert_eq!(limiter.inspect(new, at(0)).expect("live")[0].held, UNIT, "the new one's");
    assert_eq!(limiter.stats().open, 1);
}

#[test]
fn expiries_that_race_with_settling_end_each_reservation_once() {
    let limiter = limiter(vec![concurrency(0, 50), quota(1, MONTH, 1_000_000_000)]);
    let keys = ["a", "b"].map(|name| key(&limiter, name));
    let clock = AtomicU64::new(0);
    let settled = AtomicU64::new(0);
    let reserved = AtomicU64::new(0);
    thread::scope(|scope| {
        for owner in 0..4 {
            let (limiter, clock, settled, reserved) = (&limiter, &clock, &settled, &reserved);
            scope.spawn(move || {
                let mut open = Vec::new();
                for round in 0..5_000usize {
                    let now = at(clock.fetch_add(1, Ordering::Relaxed));
                    let costs = [UNIT, UNIT];
                    let parts = keys.map(|key| Part { limiter, key, costs: &costs });
                    if let Ok(id) = reserve_all(&parts, owner, 20, now).expect("no fault") {
                        reserved.fetch_add(1, Ordering::Relaxed);
                        open.push(id);
                    }
                    if round % 3 == 0 && open.len() > 2 {
                        let id = open.remove(round % open.len());
                        // Nothing is charged if it is in time; an expired one was charged 1.
                        match limiter.settle(id, Actual::Costs(&[0; 4]), now) {
                            Ok(()) => settled.fetch_add(1, Ordering::Relaxed),
                            Err(fault) => u64::from(fault != Fault::NotOpen),
                        };
                    }
                }
            });
        }
    });
    let end = at(1_000_000);
    for key in keys {
        let statuses = limiter.inspect(key, end).expect("live");
        assert_eq!((statuses[0].held, statuses[1].held), (0, 0));
        let charged = reserved.load(Ordering::Relaxed) - settled.load(Ordering::Relaxed);
        assert_eq!(statuses[1].used, charged * UNIT);
    }
    assert_eq!(limiter.stats().open, 0);
    assert!(settled.into_inner() > 0 && limiter.book().expired() > 0);
}
