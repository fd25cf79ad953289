//! What happens after the store has lost its state, or a part of it.

use sluice_limiter::shared::message::{LimitReport, SyncRequest};
use sluice_limiter::shared::store::Store;

use crate::client::{
    EPOCH, KEY, LEASE, SECOND, START, ask, concurrency, fills, granted, is_admitted, quota, rate,
    request, sync, takes,
};

fn limits() -> Vec<LimitReport> {
    vec![rate("r", 100, 10), quota("q", 100, START), concurrency("c", 10)]
}

/// A process that holds 20, 20 and 2, of which 15 and 15 are spent, and that reported 30 before. The
/// store has lost everything.
fn lost() -> (Store, SyncRequest) {
    let mut store = Store::new();
    let mut call = request("a", 1, limits());
    call.waiters = takes(&[&[0, 30, 0]]);
    let wants = [20, 20, 2];
    call.limits.iter_mut().zip(wants).for_each(|(limit, want)| limit.want = want);
    let reply = sync(&mut store, &call, START);
    assert_eq!(granted(&reply), wants);
    call.seq = 2;
    call.epoch = reply.epoch;
    call.waiters = Vec::new();
    for (limit, (spent, restore)) in call.limits.iter_mut().zip([(15, 0), (15, 30), (0, 1)]) {
        (limit.spent, limit.restore, limit.want, limit.bind) = (spent, restore, 0, 5);
    }
    call.limits[2].bind = 2;
    store.lose();
    (store, call)
}

#[test]
fn the_living_restore_what_they_know() {
    let (mut store, call) = lost();
    let reply = sync(&mut store, &call, START + SECOND);
    assert!(reply.is_lost);
    assert_eq!(reply.epoch, START + SECOND);
    assert_eq!(granted(&reply), [5, 5, 2]);
    assert_eq!(fills(&mut store, &limits(), START + SECOND), [20, 50, 2]);
}

#[test]
fn credit_of_before_the_loss_is_not_revived_after_its_lease() {
    let (mut store, call) = lost();
    let mut other = request("b", 1, limits());
    sync(&mut store, &other, START + SECOND);
    other.seq = 2;
    other.waiters = takes(&[&[100, 100, 10]]);
    other.waiters[0].is_reservation = true;
    assert_eq!(is_admitted(&sync(&mut store, &other, START + SECOND + LEASE)), [true]);
    let reply = sync(&mut store, &call, START + SECOND + LEASE);
    assert_eq!(granted(&reply), [0, 0, 1], "only the open place");
    assert_eq!(fills(&mut store, &limits(), START + SECOND + LEASE), [115, 145, 11]);
}

#[test]
fn an_old_copy_does_not_keep_the_real_report_from_being_charged() {
    let (mut store, call) = lost();
    let mut old = call.clone();
    old.seq = 1;
    old.limits.iter_mut().for_each(|limit| (limit.spent, limit.bind) = (0, 0));
    sync(&mut store, &old, START + SECOND);
    let reply = sync(&mut store, &call, START + SECOND);
    assert_eq!((granted(&reply), reply.limits[0].fill), (vec![5, 5, 2], 20));
    assert_eq!(reply.limits[1].fill, 50, "the sum was restored once");
}

#[test]
fn strict_buckets_are_full_and_stand_for_a_lease() {
    let (mut store, mut call) = lost();
    call.is_strict = true;
    let mut other = request("b", 1, limits());
    other.is_strict = true;
    other.limits.iter_mut().for_each(|limit| limit.want = 100);
    other.waiters = takes(&[&[1, 0, 0], &[0, 1, 0], &[0, 0, 1]]);
    let born = START + SECOND;
    for (seq, now) in [(1, born), (2, born + 1), (3, born + LEASE - 1)] {
        other.seq = seq;
        let reply = sync(&mut store, &other, now);
        assert_eq!(is_admitted(&reply), [false; 3], "{seq}");
        assert_eq!(granted(&reply), [0; 3], "{seq}");
    }
    // What is in flight elsewhere is bound meanwhile.
    let reply = sync(&mut store, &call, born + LEASE - 1);
    assert_eq!(granted(&reply), [5, 5, 2]);
    // Then the rate decays from full, and the others know what the living told.
    other.seq = 4;
    other.waiters = takes(&[&[0, 51, 0], &[0, 50, 0], &[0, 0, 8]]);
    other.limits.iter_mut().for_each(|limit| limit.want = 0);
    assert_eq!(is_admitted(&sync(&mut store, &other, born + LEASE)), [false, true, true]);
}

#[test]
fn who_leaves_first_after_a_loss_does_not_shorten_the_standing() {
    let (mut store, mut call) = lost();
    (call.is_strict, call.is_leaving) = (true, true);
    call.limits.iter_mut().for_each(|limit| (limit.spent, limit.bind) = (0, 0));
    sync(&mut store, &call, START + SECOND);
    let mut other = request("b", 1, limits());
    other.is_strict = true;
    other.waiters = takes(&[&[1, 0, 0]]);
    assert_eq!(is_admitted(&sync(&mut store, &other, START + SECOND + LEASE)), [false]);
    other.seq = 2;
    let later = START + SECOND + LEASE + SECOND;
    assert_eq!(is_admitted(&sync(&mut store, &other, later)), [true]);
}

#[test]
fn a_strict_key_that_is_seen_first_long_after_the_loss_has_decayed() {
    let mut store = Store::new();
    let mut call = request("a", 1, limits());
    call.is_strict = true;
    store.run("sluice:1:{7}:tenants:other", EPOCH, &call.encode(), START);
    call.waiters = takes(&[&[51, 0, 0], &[50, 100, 10]]);
    let reply = sync(&mut store, &call, START + LEASE + 5 * SECOND);
    assert_eq!(is_admitted(&reply), [false, true]);
}

#[test]
fn strict_buckets_of_an_epoch_in_the_future_stand_for_a_lease_only() {
    let mut store = Store::new();
    let mut call = request("a", 1, vec![rate("r", 100, 10)]);
    call.is_strict = true;
    store.run("sluice:1:{7}:tenants:other", EPOCH, &call.encode(), START + 3_600 * SECOND);
    call.waiters = takes(&[&[1]]);
    assert_eq!(is_admitted(&sync(&mut store, &call, START)), [false]);
    call.seq = 2;
    assert_eq!(is_admitted(&sync(&mut store, &call, START + LEASE)), [false]);
    call.seq = 3;
    assert_eq!(is_admitted(&sync(&mut store, &call, START + LEASE + SECOND)), [true]);
}

#[test]
fn a_look_makes_no_epoch_and_no_key() {
    let mut store = Store::new();
    let mut call = request("a", 1, limits());
    (call.is_peek, call.waiters) = (true, takes(&[&[100, 100, 10], &[100, 0, 0], &[101, 0, 0]]));
    let reply = sync(&mut store, &call, START);
    assert_eq!((is_admitted(&reply), reply.epoch), (vec![true, true, false], 0));
    assert_eq!(store, Store::new());
}

#[test]
fn an_older_state_after_a_failover_is_told_by_nothing_and_charges_what_it_knows() {
    let mut store = Store::new();
    let mut call = request("a", 1, limits());
    call.limits[0].want = 20;
    sync(&mut store, &call, START);
    let older = store.clone();
    call.seq = 2;
    (call.limits[0].spent, call.limits[0].bind, call.limits[0].want) = (20, 0, 30);
    sync(&mut store, &call, START);
    store = older;
    call.seq = 3;
    (call.limits[0].spent, call.limits[0].want) = (30, 0);
    let reply = sync(&mut store, &call, START);
    assert_eq!((reply.is_lost, reply.limits[0].fill), (false, 20));
    assert!(store.fields(KEY)["p.a"].ends_with(" 3 -"));
    assert!(matches!(
        ask(&mut store, &call, START),
        sluice_limiter::shared::message::Reply::Synced(_)
    ));
}
