//! Credit of shared limits: when it covers a cost, what becomes of it, and which keys stay for it.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod support;

use std::sync::Arc;

use sluice_limiter::{
    Actual, Credit, Fault, Full, Key, Kind, Limiter, Now, Part, Refusal, RestoreError, UNIT,
    UNLIMITED, peek_all, take_all,
};
use support::{MINUTE, SECOND, at, concurrency, key, limiter, limiter_of, rate, reserve, take};

/// A shared rate and a shared limit on concurrency, both of 100 units.
fn shared() -> Arc<Limiter> {
    limiter(vec![rate(0, 100, SECOND, 100).as_credit(), concurrency(0, 100).as_credit()])
}

/// Gives each limit of `key` this credit.
fn grant(limiter: &Limiter, key: Key, units: i64, until_ns: u64, now: Now) {
    let balance = units * UNIT.cast_signed();
    let update = |_: usize, credit: &mut Credit| *credit = Credit { balance, until_ns, held: 0 };
    limiter.update_credit(key, now, update).expect("live");
}

/// Balance and held units of each limit.
fn credits(limiter: &Limiter, key: Key, now: Now) -> Vec<(i64, u64)> {
    let mut all = Vec::new();
    let read = |_: usize, credit: &mut Credit| {
        all.push((credit.balance / UNIT.cast_signed(), credit.held / UNIT));
    };
    limiter.update_credit(key, now, read).expect("live");
    all
}

#[test]
fn credit_is_spent_until_its_end() {
    let limiter = shared();
    let key = key(&limiter, "k");
    assert_eq!(take(&limiter, key, 1, at(0)), Some(Refusal::Lease));
    assert_eq!(take(&limiter, key, 0, at(0)), None);
    grant(&limiter, key, 10, SECOND, at(0));
    assert_eq!(take(&limiter, key, 4, at(SECOND - 1)), None);
    // A rate consumes credit, and concurrency does not.
    assert_eq!(credits(&limiter, key, at(SECOND - 1)), [(6, 0), (10, 0)]);
    assert_eq!(take(&limiter, key, 7, at(SECOND - 1)), Some(Refusal::Lease));
    assert_eq!(take(&limiter, key, 101, at(SECOND - 1)), Some(Refusal::Never));
    assert_eq!(take(&limiter, key, 6, at(SECOND)), Some(Refusal::Lease));
    assert_eq!(credits(&limiter, key, at(SECOND)), [(6, 0), (10, 0)]);
}

#[test]
fn a_clock_behind_that_of_the_last_change_does_not_revive_credit() {
    let limiter = shared();
    let key = key(&limiter, "k");
    grant(&limiter, key, 10, SECOND, at(0));
    credits(&limiter, key, at(SECOND));
    assert_eq!(take(&limiter, key, 1, at(SECOND - 1)), Some(Refusal::Lease));
}

#[test]
fn a_reservation_holds_credit_and_its_end_spends_it() {
    let limiter = shared();
    let key = key(&limiter, "k");
    grant(&limiter, key, 10, u64::MAX, at(0));
    let one = reserve(&limiter, key, 6, MINUTE, at(0)).expect("fits");
    assert_eq!(credits(&limiter, key, at(0)), [(10, 6), (10, 6)]);
    assert_eq!(take(&limiter, key, 5, at(0)), Some(Refusal::Lease));
    assert_eq!(limiter.top_up(one, &[4 * UNIT], at(0)), Ok(None));
    let denial = limiter.top_up(one, &[UNIT], at(0)).expect("open").expect("refused");
    assert_eq!(denial.refusal, Refusal::Lease);
    let denial = limiter.top_up(one, &[91 * UNIT], at(0)).expect("open").expect("refused");
    assert_eq!(denial.refusal, Refusal::Never);
    limiter.settle(one, Actual::Costs(&[3 * UNIT]), at(0)).expect("open");
    assert_eq!(credits(&limiter, key, at(0)), [(7, 0), (10, 0)]);
    // What expires is spent in full, and what is settled above the reserved amount is debt.
    reserve(&limiter, key, 2, MINUTE, at(0)).expect("fits");
    let other = reserve(&limiter, key, 5, 2 * MINUTE, at(0)).expect("fits");
    assert_eq!(credits(&limiter, key, at(MINUTE)), [(5, 5), (10, 5)]);
    limiter.settle(other, Actual::Costs(&[8 * UNIT]), at(MINUTE)).expect("open");
    assert_eq!(credits(&limiter, key, at(MINUTE)), [(-3, 0), (10, 0)]);
    assert_eq!(limiter.inspect(key, at(MINUTE)).expect("live")[0].used, 3 * UNIT);
}

#[test]
fn debt_saturates() {
    let limiter = shared();
    let key = key(&limiter, "k");
    let most = 1_000_000_000_000 * UNIT;
    for _ in 0..12 {
        let id = limiter.hold_granted(key, &[UNIT], 1, MINUTE, at(0), |_, _| {}).expect("room");
        limiter.settle(id, Actual::Costs(&[most]), at(0)).expect("open");
    }
    let mut debt = 0;
    let read = |index: usize, credit: &mut Credit| {
        if index == 0 {
            debt = credit.balance;
        }
    };
    limiter.update_credit(key, at(0), read).expect("live");
    assert_eq!(debt, -(1 << 62));
}

#[test]
fn a_granted_cost_is_held_in_the_step_that_grants_it() {
    let limiter = shared();
    let key = key(&limiter, "k");
    let costs = [30 * UNIT];
    let grant = |_: usize, credit: &mut Credit| {
        assert_eq!(credit.held, 0);
        *credit = Credit { balance: 30 * UNIT.cast_signed(), until_ns: SECOND, held: 9 };
    };
    let id = limiter.hold_granted(key, &costs, 1, MINUTE, at(0), grant).expect("room");
    assert_eq!(credits(&limiter, key, at(0)), [(30, 30), (30, 30)]);
    assert_eq!(take(&limiter, key, 1, at(0)), Some(Refusal::Lease));
    assert_eq!(limiter.stats().open, 1);
    // Nothing is left to spend, and still it is held: the store has admitted it.
    let none = |_: usize, credit: &mut Credit| assert_eq!(credit.held, 30 * UNIT);
    let other = limiter.hold_granted(key, &costs, 1, MINUTE, at(0), none).expect("room");
    assert_eq!(credits(&limiter, key, at(0)), [(30, 60), (30, 60)]);
    for id in [id, other] {
        limiter.settle(id, Actual::Nothing, at(0)).expect("open");
    }
    assert_eq!(credits(&limiter, key, at(0)), [(30, 0), (30, 0)]);
    let wrong = limiter.hold_granted(key, &[], 1, MINUTE, at(0), |_, _| panic!("called"));
    assert_eq!(wrong, Err(Fault::WrongCosts));
}

#[test]
fn what_granted_costs_hold_stays_in_range() {
    let all = Kind::Credit { is_consumed: true };
    let unlimited = sluice_limiter::Limit { kind: all, unit: 0, capacity: UNLIMITED };
    let limiter = limiter(vec![unlimited]);
    let key = key(&limiter, "k");
    let costs = [1_000_000_000_000 * UNIT];
    let hold = || limiter.hold_granted(key, &costs, 1, MINUTE, at(0), |_, _| {}).expect("room");
    let open: Vec<_> = (0..20).map(|_| hold()).collect();
    assert_eq!(limiter.inspect(key, at(0)).expect("live")[0].held, UNLIMITED);
    assert_eq!(take(&limiter, key, 1, at(0)), Some(Refusal::Held));
    for id in open {
        limiter.settle(id, Actual::Nothing, at(0)).expect("open");
    }
    assert_eq!(limiter.inspect(key, at(0)).expect("live")[0].held, 0);
    assert_eq!(take(&limiter, key, 1, at(0)), None);
}

#[test]
fn several_keys_are_decided_by_credit_together() {
    let limiter = shared();
    let (a, b) = (key(&limiter, "a"), key(&limiter, "b"));
    grant(&limiter, a, 10, SECOND, at(0));
    grant(&limiter, b, 5, SECOND, at(0));
    let parts = |costs| [a, b].map(|key| Part { limiter: &limiter, key, costs });
    let denial = take_all(&parts(&[6 * UNIT]), at(0)).expect("no fault").expect("refused");
    assert_eq!((denial.limit, denial.refusal), (2, Refusal::Lease));
    assert_eq!(credits(&limiter, a, at(0))[0], (10, 0));
    assert_eq!(take_all(&parts(&[5 * UNIT]), at(0)), Ok(None));
    assert_eq!(credits(&limiter, a, at(0))[0], (5, 0));
    assert_eq!(credits(&limiter, b, at(0))[0], (0, 0));
    // A refusal that asking the store cannot change wins.
    let denial = peek_all(
        &[
            Part { limiter: &limiter, key: b, costs: &[UNIT] },
            Part { limiter: &limiter, key: a, costs: &[101 * UNIT] },
        ],
        at(0),
    );
    assert_eq!(denial.expect("no fault").map(|denial| denial.refusal), Some(Refusal::Never));
}

#[test]
fn a_stale_key_gets_no_credit() {
    let limiter = shared();
    let old = key(&limiter, "k");
    assert!(limiter.forget(old));
    let new = key(&limiter, "k");
    for stale in [old, Key::NONE] {
        let update = limiter.update_credit(stale, at(0), |_, _| panic!("called"));
        assert_eq!(update, Err(Fault::Stale(0)));
        let held = limiter.hold_granted(stale, &[UNIT], 1, MINUTE, at(0), |_, _| panic!("called"));
        assert_eq!(held, Err(Fault::Stale(0)));
    }
    assert_eq!(credits(&limiter, new, at(0)), [(0, 0), (0, 0)]);
    assert_eq!(limiter.stats().open, 0);
}

#[test]
fn a_key_with_credit_or_debt_or_reservations_is_not_evicted() {
    let limits = vec![rate(0, 100, SECOND, 100).as_credit(), concurrency(0, 100).as_credit()];
    let limiter = limiter_of(limits, 3);
    let [credit, debt, held] = ["credit", "debt", "held"].map(|name| key(&limiter, name));
    // Credit that has ended must still be reported.
    grant(&limiter, credit, 10, SECOND, at(0));
    grant(&limiter, debt, -1, 0, at(0));
    let id = limiter.hold_granted(held, &[0], 1, u64::MAX, at(0), |_, _| {}).expect("room");
    let much_later = at(100 * MINUTE);
    assert_eq!(limiter.key(b"new", much_later), Err(Full::Keys));
    assert!(!limiter.wind_down(10, much_later));
    // An end of credit alone keeps no key.
    grant(&limiter, debt, 0, u64::MAX, much_later);
    assert!(limiter.key(b"new", much_later).is_ok());
    assert_eq!(limiter.find(b"debt"), None);
    grant(&limiter, credit, 0, 0, much_later);
    limiter.settle(id, Actual::Full, much_later).expect("open");
    assert!(limiter.wind_down(10, much_later));
}

#[test]
fn tightening_gives_up_credit_and_a_reset_keeps_it() {
    let limiter = shared();
    let key = key(&limiter, "k");
    grant(&limiter, key, 10, SECOND, at(0));
    limiter.tighten(key, 0, 20 * UNIT, 0, at(0)).expect("live");
    assert_eq!(credits(&limiter, key, at(0)), [(10, 0), (10, 0)]);
    limiter.tighten(key, 0, 4 * UNIT, 0, at(0)).expect("live");
    assert_eq!(credits(&limiter, key, at(0)), [(4, 0), (10, 0)]);
    limiter.reset(key, at(0)).expect("live");
    assert_eq!(credits(&limiter, key, at(0)), [(4, 0), (10, 0)]);
}

#[test]
fn a_snapshot_has_no_credit() {
    let limiter = shared();
    let taken = key(&limiter, "k");
    grant(&limiter, taken, 10, SECOND, at(0));
    assert_eq!(take(&limiter, taken, 1, at(0)), None);
    let snapshot = limiter.snapshot(at(0)).expect("memory");
    let next = shared();
    next.restore(&snapshot, at(0)).expect("of an equal limiter");
    assert_eq!((next.stats().keys, next.find(b"k")), (0, None));
    // What a limiter counted alone says nothing about a shared one.
    let alone = support::limiter(vec![rate(0, 100, SECOND, 100), concurrency(0, 100)]);
    let snapshot = alone.snapshot(at(0)).expect("memory");
    assert_eq!(next.restore(&snapshot, at(0)), Err(RestoreError::OtherLimits));
}
