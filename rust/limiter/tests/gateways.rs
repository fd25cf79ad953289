//! Faults that users of gateways and other limiters have met, each as a test that sluice does not
//! have it.
//!
//! The names in brackets are issues and projects. `faults.rs` has more, and `ledger.rs` has L1 to
//! L9.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod support;

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use sluice_limiter::{Actual, Part, Refusal, Span, UNIT, reserve_all, take_all};
use support::{
    MINUTE, MONTH, SECOND, at, concurrency, key, limiter, limiter_of, quota, rate, reserve, take,
};

const DAY: u64 = 86_400 * SECOND;

#[test]
fn reserving_nothing_admits_no_more_in_the_long_run() {
    // [litellm#35422: 156 to 213 % were served where costs were counted only afterwards]
    let limiter = limiter(vec![rate(0, 100, MINUTE, 100)]);
    let key = key(&limiter, "k");
    let mut served = 0;
    for second in 0..600 {
        let now = at(second * SECOND);
        if let Some(id) = reserve(&limiter, key, 0, MINUTE, now) {
            limiter.settle(id, Actual::Costs(&[60 * UNIT]), now).expect("open");
            served += 60;
        }
    }
    // Burst and rate, and what the last call cost beyond its reservation.
    assert!((1_000..=100 + 1_000 + 60).contains(&served), "{served}");
}

#[test]
fn a_small_limit_admits_what_fits_and_nothing_is_reserved_by_default() {
    // [litellm#29191, #29193: about 1,024 were reserved by default, so a limit of 100 refused
    // everything]
    let limiter = limiter(vec![rate(0, 100, MINUTE, 100), rate(1, 1, MINUTE, 1)]);
    let key = key(&limiter, "k");
    let part = |costs| [Part { limiter: &limiter, key, costs }];
    assert!(reserve_all(&part(&[0, UNIT]), 0, MINUTE, at(0)).expect("no fault").is_ok());
    let status = limiter.inspect(key, at(0)).expect("live");
    assert_eq!((status[0].held, status[1].held), (0, UNIT));
    assert!(reserve_all(&part(&[100 * UNIT, 0]), 0, MINUTE, at(0)).expect("no fault").is_ok());
}

#[test]
fn a_window_begins_empty_whatever_the_last_one_had() {
    // [litellm#24677]
    let limiter = limiter(vec![quota(0, Span::Every(60 * SECOND), 10)]);
    let key = key(&limiter, "k");
    for window in 0..5 {
        let start = window * MINUTE;
        assert_eq!(take(&limiter, key, 10, at(start + 59 * SECOND)), None);
        assert_eq!(take(&limiter, key, 1, at(start + MINUTE - 1)), Some(Refusal::Until(1)));
    }
}

#[test]
fn a_reservation_settled_in_the_next_window_is_charged_to_that_window() {
    let limiter = limiter(vec![quota(0, Span::Every(DAY), 100)]);
    let key = key(&limiter, "k");
    let id = reserve(&limiter, key, 60, DAY, at(DAY - SECOND)).expect("fits");
    assert_eq!(take(&limiter, key, 40, at(DAY - SECOND)), None);
    // The held amount counts in the new window too, in which nothing is used yet.
    assert_eq!(take(&limiter, key, 41, at(DAY)), Some(Refusal::Held));
    limiter.settle(id, Actual::Costs(&[50 * UNIT]), at(DAY + SECOND)).expect("open");
    let status = limiter.inspect(key, at(DAY + SECOND)).expect("live")[0];
    assert_eq!((status.used, status.held), (50 * UNIT, 0));
    assert_eq!(status.reset_ns, DAY - SECOND);
    assert_eq!(take(&limiter, key, 50, at(DAY + SECOND)), None);
}

#[test]
fn workers_share_a_concurrency_limit() {
    // [litellm#16011: each worker had the whole limit]
    let limiter = limiter(vec![concurrency(0, 3)]);
    let key = key(&limiter, "k");
    let (open, most) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for owner in 0..4u32 {
            let (limiter, open, most) = (&limiter, &open, &most);
            scope.spawn(move || {
                for _ in 0..20_000 {
                    let part = Part { limiter, key, costs: &[UNIT] };
                    let reserved = reserve_all(&[part], owner, MINUTE, at(0)).expect("no fault");
                    let Ok(id) = reserved else { continue };
                    most.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    open.fetch_sub(1, Ordering::SeqCst);
                    limiter.settle(id, Actual::Nothing, at(0)).expect("open");
                }
            });
        }
    });
    assert!((1..=3).contains(&most.into_inner()));
    assert_eq!(limiter.inspect(key, at(0)).expect("live")[0].held, 0);
}

#[test]
fn settling_returns_exactly_what_was_held_whatever_happened_meanwhile() {
    // [litellm#36459, #36541: rolled back by an amount, into another window, or twice]
    let limiter = limiter(vec![quota(0, Span::Every(MINUTE), 100), rate(0, 100, MINUTE, 100)]);
    let key = key(&limiter, "k");
    let id = reserve(&limiter, key, 80, 10 * MINUTE, at(0)).expect("fits");
    assert_eq!(take(&limiter, key, 20, at(0)), None);
    // In between: other limits, another window, a reset, and another call.
    let other = vec![quota(0, Span::Every(MINUTE), 90), rate(0, 10, MINUTE, 90)].into();
    limiter.set_limits(key, Some(other), at(1)).expect("room").expect("live");
    limiter.reset(key, at(MINUTE)).expect("live");
    assert_eq!(take(&limiter, key, 10, at(MINUTE)), None);
    limiter.settle(id, Actual::Nothing, at(MINUTE)).expect("open");
    assert!(limiter.settle(id, Actual::Nothing, at(MINUTE)).is_err());
    let statuses = limiter.inspect(key, at(MINUTE)).expect("live");
    for status in statuses {
        assert_eq!((status.used, status.held), (10 * UNIT, 0));
    }
}

#[test]
fn a_refusal_by_a_later_part_is_never_visible_to_others() {
    // [litellm#36541: counters were incremented, and decremented again once a later one refused]
    let limits = || vec![rate(0, 1, DAY, 10), concurrency(1, 1)];
    let (free, full) = (limiter(limits()), "full");
    let (a, b) = (key(&free, "a"), key(&free, full));
    let holds = [Part { limiter: &free, key: b, costs: &[0, UNIT] }];
    reserve_all(&holds, 0, DAY, at(0)).expect("no fault").expect("fits");
    let refused = AtomicU64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            let costs = [10 * UNIT, UNIT];
            let parts = [a, b].map(|key| Part { limiter: &free, key, costs: &costs });
            for _ in 0..20_000 {
                let denied = take_all(&parts, at(0)).expect("no fault").is_some();
                refused.fetch_add(denied.into(), Ordering::Relaxed);
            }
        });
        for _ in 0..20_000 {
            assert_eq!(free.peek(a, &[10 * UNIT, 0], at(0)), Ok(None), "nothing is taken");
        }
    });
    assert_eq!(refused.into_inner(), 20_000);
}

#[test]
fn a_cost_that_is_too_large_is_refused_and_takes_nothing() {
    // [Portkey: an oversized request that is refused drains the bucket]
    let limiter = limiter(vec![rate(0, 100, MINUTE, 100), quota(0, MONTH, 1_000)]);
    let key = key(&limiter, "k");
    for cost in [101, 1_001, 1_000_000] {
        assert_eq!(take(&limiter, key, cost, at(0)), Some(Refusal::Never));
        assert_eq!(reserve(&limiter, key, cost, MINUTE, at(0)), None);
    }
    assert_eq!(take(&limiter, key, 100, at(0)), None);
}

#[test]
fn a_bucket_that_leaks_gives_the_rate_and_not_twice_that() {
    // [Gubernator#77, #87, #118: twice the limit by its leaky bucket]
    let limiter = limiter(vec![rate(0, 10, SECOND, 10)]);
    let key = key(&limiter, "k");
    let admitted = |from: u64, to: u64| {
        (from..to).filter(|ms| take(&limiter, key, 1, at(ms * 1_000_000)).is_none()).count()
    };
    // After an idle time the burst once, then the rate.
    assert_eq!(admitted(0, 1_000), 10 + 9);
    for second in 1..60 {
        assert_eq!(admitted(second * 1_000, (second + 1) * 1_000), 10, "{second}");
    }
}

#[test]
fn the_amount_of_a_window_is_kept_until_it_ends_even_if_unused() {
    // [token-throttle: state that expires before its window silently resets the limit]
    let limiter = limiter_of(vec![quota(0, MONTH, 100)], 4);
    let spent = key(&limiter, "spent");
    assert_eq!(take(&limiter, spent, 100, at(0)), None);
    // 30 days in which other keys come and go, and every slot is needed.
    for minute in 1..30 * 24 * 60 {
        let now = at(minute * MINUTE);
        limiter.key(&minute.to_le_bytes(), now).expect("idle ones make room");
    }
    assert_eq!(take(&limiter, spent, 1, at(30 * DAY)), Some(Refusal::Until(DAY)));
    assert_eq!(take(&limiter, spent, 100, at(31 * DAY)), None);
}
