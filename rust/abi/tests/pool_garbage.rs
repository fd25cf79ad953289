//! Tests of pools with invalid arguments: wrong handles, ids, numbers and pointers fail with a status and change
//! nothing.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

use std::ptr::{null, null_mut};

use sluice::pool::bell::{sluice_bell_next, sluice_bell_want};
use sluice::pool::chores::{SLUICE_CHORE_MAIL, SLUICE_CHORES};
use sluice::pool::codec::{
    SLUICE_LEASE_NEWS, SLUICE_LEASE_UPSTREAM_SHIFT, SLUICE_LEASE_WAITER, SLUICE_MAX_UPSTREAMS,
};
use sluice::pool::lease::{
    SLUICE_LEASE_FAILED, SLUICE_LEASE_OK, sluice_lease_acquire, sluice_lease_acquire_batch,
    sluice_lease_confirm, sluice_lease_release, sluice_lease_release_batch, sluice_lease_renew,
};
use sluice::pool::stats::{sluice_pool_events, sluice_pool_stats};
use sluice::pool::upstream::{
    SLUICE_UPSTREAM_NEWS, sluice_upstream_add, sluice_upstream_change, sluice_upstream_find,
    sluice_upstream_id, sluice_upstream_remove,
};
use sluice::pool::waiter::{sluice_waiter_cancel, sluice_waiter_collect};
use sluice::pool::{sluice_pool_close, sluice_pool_open, sluice_pool_resize, sluice_pool_retire};
use sluice::seam::status::SluiceStatus as Status;

const SETTINGS: [f64; 17] = [
    100.0, 10.0, 5000.0, 60_000.0, 1000.0, 5.0, 0.5, 20.0, 10_000.0, 30_000.0, 0.5, 0.0,
    0.0, // pool
    2.0, 1.0, 0.0, 1.0, // upstream
];

const NEWS: i32 = SLUICE_UPSTREAM_NEWS.cast_signed();

fn open(name: &str, settings: &[f64], ids: &str) -> i32 {
    // SAFETY: pointers and lengths come from live slices.
    unsafe {
        sluice_pool_open(
            name.as_ptr(),
            name.len() as u32,
            settings.as_ptr(),
            settings.len() as u32,
            ids.as_ptr(),
            ids.len() as u32,
        )
    }
}

fn pool(name: &str) -> u32 {
    let handle = open(name, &SETTINGS, "a");
    assert!(handle > 0, "{handle}");
    handle.cast_unsigned()
}

fn stats(pool: u32) -> [f64; 26] {
    let (mut numbers, mut id) = ([0.0; 26], [0u8; 3]);
    // SAFETY: pointers and capacities come from live arrays.
    let count = unsafe { sluice_pool_stats(pool, numbers.as_mut_ptr(), 26, id.as_mut_ptr(), 3) };
    assert_eq!((numbers[0], numbers[14], id), (1.0, 1.0, [b'a', 0, 0]));
    assert_eq!(count, 26);
    numbers
}

fn collect(pool: u32) -> (i32, [f64; 4]) {
    let mut answers = [0.0; 4];
    // SAFETY: pointer and capacity come from a live array.
    (unsafe { sluice_waiter_collect(pool, answers.as_mut_ptr(), 4) }, answers)
}

#[test]
fn handles_that_are_none() {
    let live = pool("handles");
    let closed = pool("handles");
    assert_eq!(sluice_pool_close(closed), 0);
    let bad = Status::InvalidHandle as i32;
    for handle in [0, closed, live ^ 0x10000, 0x8000_0001, u32::MAX] {
        assert_eq!(sluice_lease_acquire(handle, -1, 0, -1.0), f64::from(bad));
        assert_eq!(sluice_lease_acquire(handle, -1, 0, 5.0), f64::from(bad));
        assert_eq!(sluice_lease_release(handle, 1.0, SLUICE_LEASE_OK, 0.0), bad);
        assert_eq!(sluice_lease_renew(handle, 1.0), bad);
        assert_eq!(sluice_waiter_cancel(handle, SLUICE_LEASE_WAITER), bad);
        assert_eq!(collect(handle).0, bad);
        assert_eq!(sluice_bell_next(handle), bad);
        assert_eq!(sluice_bell_want(handle), bad);
        assert_eq!(sluice_pool_resize(handle, 5), bad);
        assert_eq!(sluice_pool_retire(handle), bad);
        assert_eq!(sluice_pool_close(handle), bad);
    }
    assert_eq!(sluice_pool_close(live), 0);
}

#[test]
fn ids_that_are_no_leases() {
    let pool = pool("ids");
    let lease = sluice_lease_acquire(pool, -1, 0, -1.0);
    assert!(lease > 0.0);
    let stale = Status::StaleLease as i32;
    let id = lease % SLUICE_LEASE_NEWS;
    for forged in [
        0.0,
        -1.0,
        0.5,
        id + 0.5,
        id + 1.0,
        id + 131_072.0,
        -id,
        id + SLUICE_LEASE_NEWS,
        SLUICE_LEASE_WAITER,
        f64::MAX,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ] {
        assert_eq!(sluice_lease_release(pool, forged, SLUICE_LEASE_OK, 0.0), stale, "{forged}");
        assert_eq!(sluice_lease_renew(pool, forged), stale);
        assert_eq!(sluice_lease_confirm(pool, forged), stale);
        assert!(sluice_waiter_cancel(pool, forged) >= 0, "a waiter that does not exist");
    }
    let wrong = sluice_lease_release(pool, id, 4, 0.0);
    assert_eq!(wrong, Status::InvalidArgument as i32);
    for rest in [f64::NAN, -5.0] {
        let other = sluice_lease_acquire(pool, -1, 0, -1.0) % SLUICE_LEASE_NEWS;
        assert!(sluice_lease_release(pool, other, 2, rest) >= 0, "no rest is asked for");
    }
    assert_eq!(stats(pool)[1], 1.0, "nothing changed");
    let leases = [id, id, 7.0];
    // SAFETY: pointer and length come from a live array.
    assert_eq!(unsafe { sluice_lease_release_batch(pool, leases.as_ptr(), 3) }, 1, "once");
    assert_eq!(sluice_pool_close(pool), 0);
}

#[test]
fn settings_that_make_no_pool() {
    let bad = Status::InvalidArgument as i32;
    assert_eq!(open("none", &[], ""), bad);
    assert_eq!(open("none", &SETTINGS[..12], ""), bad);
    assert_eq!(open("none", &SETTINGS[..15], "a"), bad);
    assert_eq!(open("none", &SETTINGS, ""), bad, "ids are too short");
    for (at, value) in
        [(0, 0.0), (0, 1e9), (3, -1.0), (9, f64::NAN), (13, 0.5), (14, 0.0), (15, -1.0)]
    {
        let mut settings = SETTINGS;
        settings[at] = value;
        assert_eq!(open("none", &settings, "a"), bad, "settings[{at}] = {value}");
    }
    let twice = [&SETTINGS[..], &SETTINGS[13..]].concat();
    assert_eq!(open("none", &twice, "aa"), Status::DuplicateUpstream as i32);
    let live = pool("some");
    let mut other = SETTINGS;
    other[1] = 11.0;
    assert_eq!(open("some", &other, "a"), Status::PoolMismatch as i32);
    assert_eq!(open("some", &SETTINGS, "b"), Status::PoolMismatch as i32);
    assert_eq!(open("some", &SETTINGS[..13], ""), Status::PoolMismatch as i32);
    assert_eq!(sluice_pool_close(live), 0);
    let reopened = open("some", &other, "a");
    assert!(reopened > 0, "the last one took the pool along");
    assert_eq!(sluice_pool_close(reopened.cast_unsigned()), 0);
}

#[test]
fn pointers_and_upstreams_that_are_none() {
    let pool = pool("pointers");
    let bad = Status::InvalidArgument as i32;
    let id = "a";
    let (at, len) = (id.as_ptr(), id.len() as u32);
    // SAFETY: nulls and misaligned pointers are refused before they are read; the rest is live.
    unsafe {
        assert_eq!(sluice_pool_open(null(), 4, SETTINGS.as_ptr(), 17, at, 1), bad);
        assert_eq!(sluice_pool_open(at, 1, null(), 17, at, 1), bad);
        assert_eq!(sluice_lease_acquire_batch(pool, -1, null_mut(), 3), bad);
        assert_eq!(sluice_lease_release_batch(pool, null(), 3), bad);
        assert_eq!(sluice_waiter_collect(pool, null_mut(), 4), bad);
        let (crooked, mut out) = (null_mut::<f64>().wrapping_byte_add(1), [0.0; 8]);
        let (numbers, inside) = (out.as_mut_ptr(), out.as_mut_ptr().cast::<u8>().add(9));
        assert_eq!(sluice_pool_stats(pool, null_mut(), 4, null_mut(), 0), bad);
        assert_eq!(sluice_pool_stats(pool, numbers, 8, null_mut(), 1), bad);
        assert_eq!(sluice_pool_stats(pool, numbers, 8, inside, 4), bad, "they overlap");
        assert_eq!(sluice_pool_stats(pool, null_mut(), 0, null_mut(), 0), 26, "how much room");
        assert_eq!(sluice_pool_events(pool, crooked, 4, null_mut(), 0), bad);
        assert_eq!(sluice_pool_events(pool, numbers, 8, null_mut(), 1), bad);
        assert_eq!(sluice_pool_events(pool, numbers, 8, inside, 4), bad);
        assert_eq!(sluice_pool_events(pool, numbers, 8, null_mut(), 0), 0);
        assert_eq!(sluice_upstream_id(pool, 0, null_mut(), 4), bad);
        assert_eq!(sluice_upstream_id(pool, 0, null_mut(), 0), 1 + NEWS, "how much room it takes");
        assert_eq!(sluice_upstream_add(pool, null(), 3, 1.0, 1.0, 0.0), bad);
        let long = [b'x'; 256];
        assert_eq!(sluice_upstream_add(pool, long.as_ptr(), 256, 1.0, 1.0, 0.0), bad);
        assert_eq!(sluice_upstream_add(pool, long.as_ptr(), 255, 1.0, 1.0, 0.0), 0);
        assert_eq!(sluice_upstream_id(pool, 1, null_mut(), 0), 255 + NEWS);
        assert_eq!(sluice_upstream_id(pool, 1, null_mut(), 0), 255, "reported once");
        assert_eq!(sluice_upstream_remove(pool, long.as_ptr(), 255), 0);
        assert_eq!(sluice_upstream_id(pool, 1, null_mut(), 0), Status::UnknownUpstream as i32);
        let invalid = [0xFFu8];
        let status = sluice_upstream_add(pool, invalid.as_ptr(), 1, 1.0, 1.0, 0.0);
        assert_eq!(status, Status::InvalidUtf8 as i32);
        for (max, weight, tier) in
            [(0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (1.0, f64::INFINITY, 0.0), (1.0, 1.0, 0.5)]
        {
            assert_eq!(sluice_upstream_add(pool, at, len, max, weight, tier), bad);
        }
        let duplicate = sluice_upstream_add(pool, at, len, 1.0, 1.0, 0.0);
        assert_eq!(duplicate, Status::DuplicateUpstream as i32);
        let unknown = Status::UnknownUpstream as i32;
        assert_eq!(sluice_upstream_remove(pool, "b".as_ptr(), 1), unknown);
        assert_eq!(sluice_upstream_find(pool, "b".as_ptr(), 1), unknown);
        assert_eq!(sluice_upstream_change(pool, "b".as_ptr(), 1, 0, 1.0), unknown);
        assert_eq!(sluice_upstream_id(pool, 4095, null_mut(), 0), unknown);
        assert_eq!(sluice_upstream_id(pool, u32::MAX, null_mut(), 0), unknown);
        assert_eq!(sluice_upstream_change(pool, at, len, 4, 1.0), bad);
        assert_eq!(sluice_upstream_change(pool, at, len, 0, f64::NAN), bad);
    }
    for prefer in [i32::MIN, -2, 1, 4096, i32::MAX] {
        let lease = sluice_lease_acquire(pool, prefer, i32::MAX, -1.0) % SLUICE_LEASE_NEWS;
        assert!(lease > 0.0, "a preference for nothing is none");
        assert!(sluice_lease_release(pool, lease, SLUICE_LEASE_OK, 0.0) >= 0);
    }
    assert_eq!(sluice_pool_close(pool), 0);
}

#[test]
fn events_come_with_the_id_that_they_are_about_and_wait_for_room() {
    let pool = pool("events");
    let events = |room: u32| {
        let (mut numbers, mut ids) = ([0.0; 8], [0u8; 4]);
        let (out, text) = (numbers.as_mut_ptr(), ids.as_mut_ptr());
        // SAFETY: pointers and capacities come from live arrays.
        (unsafe { sluice_pool_events(pool, out, 8, text, room) }, numbers, ids)
    };
    for id in ["a", "bc"] {
        let lease = sluice_lease_acquire(pool, -1, 0, -1.0) % SLUICE_LEASE_NEWS;
        assert!(sluice_lease_release(pool, lease, SLUICE_LEASE_FAILED, 50.0) >= 0);
        // SAFETY: pointers and lengths come from live text.
        unsafe {
            assert_eq!(sluice_upstream_remove(pool, id.as_ptr(), id.len() as u32), 0);
            assert!(sluice_upstream_add(pool, b"bc".as_ptr(), 2, 1.0, 1.0, 0.0) >= 0);
        }
    }
    assert_eq!(events(0).0, 0);
    let (read, numbers, ids) = events(2);
    assert_eq!((read, ids), (1, *b"a\0\0\0"), "the index names another upstream by now");
    assert_eq!(numbers[..4], [2.0, 1.0, 50.0, 0.0]);
    let (read, numbers, ids) = events(4);
    assert_eq!((read, ids), (1, *b"bc\0\0"));
    assert_eq!(numbers[..4], [2.0, 2.0, 50.0, 0.0]);
    assert_eq!(events(4).0, 0);
    assert_eq!(sluice_pool_close(pool), 0);
}

#[test]
fn a_token_names_one_upstream_and_none_that_comes_after_it() {
    let pool = pool("tokens");
    // SAFETY: pointers and lengths come from live text.
    let find = || unsafe { sluice_upstream_find(pool, b"a".as_ptr(), 1) };
    let old = find();
    // SAFETY: as above.
    unsafe {
        assert_eq!(sluice_upstream_add(pool, b"b".as_ptr(), 1, 9.0, 1.0, 0.0), 0);
        assert_eq!(sluice_upstream_remove(pool, b"a".as_ptr(), 1), 0);
        assert_eq!(sluice_upstream_add(pool, b"a".as_ptr(), 1, 9.0, 1.0, 1.0), 0);
    }
    assert_ne!(find(), old, "another of that name");
    let upstream = |prefer: i32| {
        let lease = sluice_lease_acquire(pool, prefer, 0, -1.0) % SLUICE_LEASE_NEWS;
        (lease as u64 >> SLUICE_LEASE_UPSTREAM_SHIFT) as u32 % SLUICE_MAX_UPSTREAMS
    };
    assert_eq!((upstream(find()), upstream(old), upstream(-1)), (0, 1, 1));
    // Whatever is made up names nothing, or an upstream that is there.
    for forged in [0, 1, i32::MAX, i32::MIN, old ^ 1, find() ^ (1 << 12), find() ^ (1 << 30)] {
        assert!(upstream(forged) < 2, "{forged}");
    }
}

#[test]
fn a_thread_that_ends_gives_back_what_it_held_and_where_it_stood() {
    let pool = self::pool("threads");
    let theirs = std::thread::spawn(|| {
        let pool = self::pool("threads");
        assert!(sluice_lease_acquire(pool, -1, 0, -1.0) > 0.0);
        assert!(sluice_lease_acquire(pool, -1, 0, -1.0) > 0.0);
        assert!(sluice_lease_acquire(pool, -1, 0, 1e6) >= SLUICE_LEASE_WAITER);
        pool
    });
    let theirs = theirs.join().expect("join");
    assert_eq!(sluice_lease_renew(theirs, 1.0), Status::InvalidHandle as i32);
    let numbers = stats(pool);
    assert_eq!((numbers[1], numbers[3], numbers[4], numbers[12]), (0.0, 0.0, 1.0, 2.0));
    assert_eq!(sluice_pool_close(pool), 0);
}

#[test]
fn a_lease_is_handed_over_and_collected_once() {
    let (mine, theirs) = (pool("hand over"), pool("hand over"));
    let held: Vec<f64> = (0..2).map(|_| sluice_lease_acquire(mine, -1, 0, -1.0)).collect();
    let waiter = sluice_lease_acquire(theirs, -1, 0, f64::INFINITY);
    assert!(waiter >= SLUICE_LEASE_WAITER);
    let id = held[0] % SLUICE_LEASE_NEWS;
    let chores = sluice_lease_release(mine, id, SLUICE_LEASE_OK, 0.0);
    assert_eq!(chores, 2, "another member has mail");
    assert_eq!(sluice_bell_next(mine), theirs.cast_signed());
    assert_eq!(sluice_bell_next(mine), 0);
    let (answers, [served, lease, ..]) = collect(theirs);
    assert_eq!(answers / SLUICE_CHORES.cast_signed(), 1);
    assert_eq!(served, waiter);
    assert_eq!(collect(theirs).0 / SLUICE_CHORES.cast_signed(), 0);
    // Closing waits for leases, and refuses new ones meanwhile.
    assert_eq!(sluice_pool_close(theirs), 1);
    let refused = sluice_lease_acquire(theirs, -1, 0, 5.0);
    assert_eq!(refused, f64::from(Status::PoolClosed as i32));
    assert!(sluice_lease_release(theirs, lease % SLUICE_LEASE_NEWS, SLUICE_LEASE_OK, 0.0) >= 0);
    assert_eq!(sluice_pool_close(theirs), 0);
    let own = sluice_lease_acquire(mine, -1, 0, -1.0);
    let full = sluice_lease_acquire(mine, -1, 0, 1e6);
    assert!(own < SLUICE_LEASE_WAITER && full >= SLUICE_LEASE_WAITER);
    let chores = sluice_lease_release(mine, own % SLUICE_LEASE_NEWS, SLUICE_LEASE_OK, 0.0);
    assert_eq!(chores.cast_unsigned(), SLUICE_CHORE_MAIL, "its own: no bell");
}
