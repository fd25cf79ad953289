//! L1 to L9: recorded faults of the limiter that sluice replaces, each as a test that sluice does
//! not have it.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use sluice_limiter::{
    AS_RESERVED, Actual, Config, Fault, Full, Limiter, Part, Refusal, Span, UNIT, reserve_all,
    take_all,
};
use support::{
    MINUTE, MONTH, MS, SECOND, at, concurrency, key, limiter, limiter_of, quota, rate, reserve,
    take,
};

#[test]
fn l1_a_sustained_rate_is_the_limit_and_not_half_of_it() {
    let limiter = limiter(vec![rate(0, 60, MINUTE, 60)]);
    let key = key(&limiter, "k");
    // Every 100 ms for an hour: the closed form is burst + rate * time.
    let admitted =
        (0..36_000).filter(|n| take(&limiter, key, 1, at(n * 100 * MS)).is_none()).count();
    assert_eq!(admitted, 60 + 3_599);
}

#[test]
fn l2_many_threads_on_one_key_are_admitted_exactly_as_often_as_it_allows() {
    let limiter = limiter(vec![rate(0, 1, MINUTE, 5_000), quota(0, MONTH, 10_000)]);
    let key = key(&limiter, "k");
    let admitted = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..3_000 {
                    if take(&limiter, key, 1, at(1)).is_none() {
                        admitted.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(admitted.into_inner(), 5_000);
}

#[test]
fn l3_polling_every_millisecond_for_an_hour_loses_no_fraction() {
    // 7 in 3 seconds: a unit every 428,571,428.57… ns.
    let limiter = limiter(vec![rate(0, 7, 3 * SECOND, 1)]);
    let key = key(&limiter, "k");
    let mut admitted = 0u64;
    for ms in 0..3_600_000 {
        admitted += u64::from(take(&limiter, key, 1, at(ms * MS)).is_none());
    }
    // Each admission waits for the next millisecond, and so is late by up to 1 ms; by no more.
    let most = 3_600 * 7 / 3;
    assert!((most * 428 / 429..=most + 1).contains(&admitted), "{admitted}");
    // At the exact moments, no admission is late.
    let mut now = at(4_000 * SECOND);
    let start = now.ns;
    for _ in 0..7_000 {
        while let Some(refusal) = take(&limiter, key, 1, now) {
            let Refusal::Until(wait) = refusal else { panic!("{refusal:?}") };
            assert!(take(&limiter, key, 1, at(now.ns + wait - 1)).is_some());
            now = at(now.ns + wait);
        }
    }
    assert!((2_999 * SECOND..=3_000 * SECOND).contains(&(now.ns - start)), "{}", now.ns - start);
}

#[test]
fn l4_a_refusal_by_one_limit_spends_none_of_the_others() {
    // [litellm#39309, rate-limiter-flexible#286, upstash#156, LiteLLM v3's increments]
    let limits = vec![rate(0, 10, SECOND, 10), quota(1, MONTH, 5), concurrency(2, 1)];
    let (one, two) = (limiter(limits.clone()), limiter(limits));
    let two = Arc::new(Limiter::new(
        Config { limits: two.limits().into(), units: 3, max_keys: 9 },
        [1; 16],
        one.book().clone(),
    ));
    let (a, b) = (key(&one, "a"), key(&two, "b"));
    let fits = [UNIT, UNIT, UNIT];
    let refused = [fits, [0, 0, UNIT], [11 * UNIT, 0, 0], [0, 6 * UNIT, 0]];
    let parts = |costs| {
        [Part { limiter: &one, key: a, costs }, Part { limiter: &two, key: b, costs: &fits }]
    };
    assert!(reserve_all(&[parts(&fits)[1]], 0, MINUTE, at(5)).expect("no fault").is_ok());
    let before = (
        one.inspect(a, at(9)),
        two.inspect(b, at(9)),
        one.snapshot(at(9)).expect("room"),
        two.snapshot(at(9)).expect("room"),
    );
    for costs in &refused {
        assert!(take_all(&parts(costs), at(9)).expect("no fault").is_some());
        assert!(reserve_all(&parts(costs), 0, MINUTE, at(9)).expect("no fault").is_err());
    }
    let after = (
        one.inspect(a, at(9)),
        two.inspect(b, at(9)),
        one.snapshot(at(9)).expect("room"),
        two.snapshot(at(9)).expect("room"),
    );
    assert_eq!(before, after, "byte for byte");
}

#[test]
fn l5_retry_after_is_when_it_fits_and_not_a_constant() {
    let limiter = limiter(vec![rate(0, 3, SECOND, 5), quota(0, Span::Every(10 * SECOND), 12)]);
    let key = key(&limiter, "k");
    let mut now = at(1);
    let mut waits = Vec::new();
    for _ in 0..40 {
        if let Some(Refusal::Until(wait)) = take(&limiter, key, 2, now) {
            assert!(take(&limiter, key, 2, at(now.ns + wait - 1)).is_some());
            now = at(now.ns + wait);
            assert!(take(&limiter, key, 2, now).is_none());
            waits.push(wait);
        }
    }
    waits.sort_unstable();
    waits.dedup();
    assert!(waits.len() > 2, "{waits:?}");
}

#[test]
fn l6_what_is_configured_is_what_is_enforced_for_each_key() {
    let limiter = limiter(vec![rate(0, 60, MINUTE, 60)]);
    let (plain, special) = (key(&limiter, "plain"), key(&limiter, "special"));
    let other = vec![rate(0, 5, MINUTE, 5)].into_boxed_slice();
    limiter.set_limits(special, Some(other), at(0)).expect("room").expect("live");
    let admitted = |key| (0..100).filter(|_| take(&limiter, key, 1, at(0)).is_none()).count();
    assert_eq!((admitted(plain), admitted(special)), (60, 5));
    limiter.set_limits(special, None, at(0)).expect("room").expect("live");
    assert_eq!(admitted(special), 55, "what was used stays used");
}

#[test]
fn l7_unknown_keys_do_not_fill_the_memory() {
    let limiter = limiter_of(vec![rate(0, 1, SECOND, 1)], 1_000);
    for n in 0..100_000u64 {
        let now = at(n * 2 * MS);
        let key = limiter.key(&n.to_le_bytes(), now).expect("500 are busy, 500 idle");
        assert!(take(&limiter, key, 1, now).is_none());
    }
    let stats = limiter.stats();
    assert!(stats.keys <= 1_000 && stats.evicted >= 99_000 && stats.refused == 0, "{stats:?}");
}

#[test]
fn l7_a_key_that_is_not_idle_is_never_evicted() {
    let limiter = limiter_of(vec![rate(0, 1, SECOND, 1), concurrency(0, 1)], 2);
    let (used, held) = (key(&limiter, "used"), key(&limiter, "held"));
    assert!(take(&limiter, used, 1, at(0)).is_none());
    let id = reserve(&limiter, held, 1, MINUTE, at(0)).expect("fits");
    assert_eq!(limiter.key(b"new", at(0)), Err(Full::Keys));
    assert_eq!(limiter.stats().refused, 1);
    let later = at(2 * SECOND);
    let new = limiter.key(b"new", later).expect("`used` is idle by now");
    assert_eq!(limiter.take(used, &[UNIT], later), Err(Fault::Stale(0)));
    assert!(take(&limiter, new, 1, later).is_none());
    limiter.settle(id, Actual::Nothing, later).expect("its key was not evicted");
}

#[test]
fn l8_first_use_by_many_threads_makes_one_key() {
    for round in 0..200u64 {
        let limiter = limiter(vec![rate(0, 1, MINUTE, 8)]);
        let admitted = AtomicU64::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let key = limiter.key(&round.to_le_bytes(), at(0)).expect("room");
                    for _ in 0..4 {
                        if take(&limiter, key, 1, at(0)).is_none() {
                            admitted.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!((admitted.into_inner(), limiter.stats().keys), (8, 1));
    }
}

#[test]
fn l9_requests_tokens_and_concurrency_are_limited_together() {
    let limits = vec![rate(0, 60, MINUTE, 60), rate(1, 100, MINUTE, 100), concurrency(2, 2)];
    let limiter = limiter(limits);
    let key = key(&limiter, "k");
    let reserve = |tokens| {
        let costs = [UNIT, tokens * UNIT, UNIT];
        reserve_all(&[Part { limiter: &limiter, key, costs: &costs }], 0, MINUTE, at(0))
            .expect("no fault")
            .map_err(|denial| (denial.limit, denial.refusal))
    };
    let first = reserve(80).expect("fits");
    assert_eq!(reserve(101), Err((1, Refusal::Never)));
    assert_eq!(reserve(30), Err((1, Refusal::Held)));
    reserve(20).expect("fits");
    assert_eq!(reserve(0), Err((2, Refusal::Held)));
    limiter
        .settle(first, Actual::Costs(&[AS_RESERVED, 10 * UNIT, AS_RESERVED]), at(0))
        .expect("open");
    reserve(70).expect("fits");
}
