//! Credit: what is granted, spent, held and given back adds up in any order.
//!
//! One process has a rate of 9 units at most as credit. Amounts are millionths.

use std::sync::Arc;

use loom::thread;

use crate::decision::Verdict;
use crate::keys::key::Key;
use crate::limiter::{Config, Limiter};
use crate::limits::credit::Credit;
use crate::limits::limit::Limit;
use crate::reservations::reservation::Actual;
use crate::time::Now;

const OWNER: u32 = 0;
const LATER: u64 = u64::MAX;

fn at(ns: u64) -> Now {
    Now { ns, wall_ns: 0 }
}

/// A limiter, and a key with `balance` that can be spent before `until_ns`.
fn granted(balance: i64, until_ns: u64) -> (Arc<Limiter>, Key) {
    let limits = Box::new([Limit::rate(0, 1, 1, 9).as_credit()]);
    let config = Config { limits, units: 1, max_keys: 1 };
    let limiter = Arc::new(Limiter::new(config, [7; 16], Arc::default()));
    let key = limiter.key(b"k", at(0)).expect("room");
    grant(&limiter, key, balance, until_ns);
    (limiter, key)
}

/// Adds to the balance, as the receipt of an answer does.
fn grant(limiter: &Limiter, key: Key, more: i64, until_ns: u64) {
    let add = |_: usize, credit: &mut Credit| {
        credit.balance += more;
        credit.until_ns = until_ns;
    };
    limiter.update_credit(key, at(0), add).expect("live");
}

/// Gives back what nothing is held of, as the sending of a report does, and returns how much.
fn give_back(limiter: &Limiter, key: Key, now: Now) -> i64 {
    let mut given = 0;
    let keep = |_: usize, credit: &mut Credit| {
        let held = credit.held.cast_signed();
        given = (credit.balance - held).max(0);
        credit.balance -= given;
    };
    limiter.update_credit(key, now, keep).expect("live");
    given
}

fn credit_of(limiter: &Limiter, key: Key) -> Credit {
    let mut found = Credit::default();
    limiter.update_credit(key, at(0), |_, credit| found = *credit).expect("live");
    found
}

/// Takes `cost`, and returns how much was taken.
fn take(limiter: &Limiter, key: Key, cost: u64, now: Now) -> i64 {
    let verdict: Verdict = limiter.take(key, &[cost], now);
    if verdict.expect("live").is_none() { cost.cast_signed() } else { 0 }
}

/// Explores every interleaving with at most `preemptions` preemptions.
fn explore(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 10_000;
    builder.check(model);
}

#[test]
fn a_grant_that_arrives_while_others_spend_is_not_lost() {
    explore(3, || {
        let (limiter, key) = granted(2, LATER);
        let theirs = limiter.clone();
        let spender =
            thread::spawn(move || take(&theirs, key, 2, at(1)) + take(&theirs, key, 2, at(1)));
        grant(&limiter, key, 3, LATER);
        let mine = take(&limiter, key, 2, at(1));
        let spent = mine + spender.join().expect("join");
        assert!(spent == 4, "{spent} of 5 in costs of 2");
        assert_eq!(credit_of(&limiter, key).balance, 1);
    });
}

#[test]
fn what_is_given_back_is_not_spent() {
    explore(2, || {
        let (limiter, key) = granted(1, LATER);
        let id = limiter
            .hold_granted(key, &[2], OWNER, LATER, at(0), |_, credit| credit.balance += 2)
            .expect("room");
        // One settles what was reserved and more, one takes, and one reports.
        let (a, b) = (limiter.clone(), limiter.clone());
        let settler = thread::spawn(move || {
            a.settle(id, Actual::Costs(&[4]), at(1)).expect("open");
        });
        let spender = thread::spawn(move || take(&b, key, 1, at(1)));
        let given = give_back(&limiter, key, at(1));
        settler.join().expect("join");
        let taken = spender.join().expect("join");
        assert!(given + taken <= 1, "{given} given back and {taken} taken of 1");
        let credit = credit_of(&limiter, key);
        assert_eq!((credit.balance, credit.held), (3 - given - taken - 4, 0));
    });
}

#[test]
fn what_the_store_granted_to_a_reservation_is_nobody_elses() {
    explore(3, || {
        let (limiter, key) = granted(0, LATER);
        let theirs = limiter.clone();
        let spender =
            thread::spawn(move || take(&theirs, key, 1, at(1)) + give_back(&theirs, key, at(1)));
        limiter
            .hold_granted(key, &[2], OWNER, LATER, at(1), |_, credit| credit.balance += 2)
            .expect("room");
        assert_eq!(spender.join().expect("join"), 0);
        let credit = credit_of(&limiter, key);
        assert_eq!((credit.balance, credit.held), (2, 2));
    });
}

#[test]
fn at_the_end_of_a_lease_credit_is_spent_or_given_back_and_never_both() {
    explore(3, || {
        let (limiter, key) = granted(2, 10);
        let theirs = limiter.clone();
        // Its clock was read just before the end.
        let spender = thread::spawn(move || take(&theirs, key, 2, at(9)));
        let given = give_back(&limiter, key, at(10));
        let taken = spender.join().expect("join");
        assert_eq!(given + taken, 2);
    });
}

#[test]
fn a_reservation_that_expires_while_it_is_settled_is_spent_once() {
    explore(3, || {
        let (limiter, key) = granted(3, LATER);
        let id = limiter.reserve(key, &[2], OWNER, 10, at(0)).expect("live").expect("fits");
        let theirs = limiter.clone();
        let settler = thread::spawn(move || {
            let actual = Actual::Costs(&[1]);
            if theirs.settle(id, actual, at(9)).is_ok() { 1 } else { 2 }
        });
        // Notices that it has expired, unless it was settled.
        let given = give_back(&limiter, key, at(10));
        let spent = settler.join().expect("join");
        let credit = credit_of(&limiter, key);
        assert_eq!((credit.balance, credit.held), (3 - given - spent, 0));
        assert!(credit.balance >= 0, "{given} given back and {spent} spent of 3");
    });
}
