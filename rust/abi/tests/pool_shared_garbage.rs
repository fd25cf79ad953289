//! Tests of pools that are shared with other processes, with invalid arguments: settings, calls and replies that are
//! none fail with a status or a failed call, and change nothing else.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

use std::ptr::{null, null_mut};

use sluice::limiter::shared::call::{SLUICE_SCRIPT_POOL, sluice_shared_script, sluice_shared_text};
use sluice::pool::lease::sluice_lease_acquire;
use sluice::pool::sharing::{
    SLUICE_POOL_NEVER_DUE, sluice_pool_due, sluice_pool_fail, sluice_pool_leave,
    sluice_pool_receive, sluice_pool_send, sluice_pool_sharing,
};
use sluice::pool::{sluice_pool_close, sluice_pool_open};
use sluice::seam::status::SluiceStatus as Status;

/// The settings of a pool with one upstream, and those of its sharing.
const SETTINGS: [f64; 24] = [
    100.0, 10.0, 5000.0, 60_000.0, 1000.0, 5.0, 0.5, 20.0, 10_000.0, 30_000.0, 0.5, 0.0,
    0.0, // pool
    2.0, 1.0, 0.0, 1.0, // upstream
    2000.0, 100.0, 2.0, 0.0, 1.0, 0.0, 7.0, // sharing
];
const NEVER: i32 = SLUICE_POOL_NEVER_DUE.cast_signed();

fn open(name: &str, settings: &[f64]) -> i32 {
    let (at, length) = (name.as_ptr(), name.len() as u32);
    // SAFETY: pointers and lengths come from live slices.
    unsafe {
        sluice_pool_open(at, length, settings.as_ptr(), settings.len() as u32, b"a".as_ptr(), 1)
    }
}

fn shared(name: &str) -> u32 {
    let pool = open(name, &SETTINGS);
    assert!(pool > 0, "{pool}");
    pool.cast_unsigned()
}

/// The call that is due, if one is.
fn send(pool: u32, asked: u32) -> Option<String> {
    let mut out = [0; 256];
    // SAFETY: pointer and capacity come from a live array.
    let length = unsafe { sluice_pool_send(pool, asked, out.as_mut_ptr(), 256) };
    assert!(length >= 0, "{length}");
    let text = String::from_utf8(out[..length as usize].to_vec()).expect("text");
    (length > 0).then_some(text)
}

fn receive(pool: u32, reply: &[u8]) -> i32 {
    // SAFETY: pointer and length come from a live slice.
    unsafe { sluice_pool_receive(pool, reply.as_ptr(), reply.len() as u32) }
}

fn stats(pool: u32) -> [f64; 10] {
    let mut out = [0.0; 10];
    // SAFETY: pointer and capacity come from a live array.
    assert_eq!(unsafe { sluice_pool_sharing(pool, out.as_mut_ptr(), 10) }, 10);
    out
}

#[test]
fn settings_that_make_no_shared_pool() {
    let bad = Status::InvalidArgument as i32;
    for (at, value) in [
        (17, 0.0),
        (17, f64::NAN),
        (17, 1e12),
        (18, 0.0),
        (19, 0.0),
        (19, f64::INFINITY),
        (20, 3.0),
        (20, 0.5),
        (20, -1.0),
    ] {
        let mut settings = SETTINGS;
        settings[at] = value;
        assert_eq!(open("none", &settings), bad, "settings[{at}] = {value}");
    }
    assert_eq!(open("none", &SETTINGS[..19]), bad);
    let pool = shared("some");
    let mut other = SETTINGS;
    other[23] = 8.0;
    let mismatch = Status::PoolMismatch as i32;
    assert_eq!(open("some", &other), mismatch, "another prefix");
    assert_eq!(open("some", &SETTINGS[..17]), mismatch, "not shared");
    assert_eq!(sluice_pool_close(pool), 0);
}

#[test]
fn pools_that_are_not_shared_and_handles_that_are_none() {
    let pool = open("alone", &SETTINGS[..17]).cast_unsigned();
    for (handle, status) in [(pool, Status::NotShared), (0, Status::InvalidHandle)] {
        let bad = status as i32;
        // SAFETY: nothing is written to an output without room, nor read from an empty input.
        unsafe {
            assert_eq!(sluice_pool_send(handle, 0, null_mut(), 0), bad);
            assert_eq!(sluice_pool_receive(handle, null(), 0), bad);
            assert_eq!(sluice_pool_leave(handle, 0, null_mut(), 0), bad);
            assert_eq!(sluice_pool_sharing(handle, null_mut(), 0), bad);
        }
        assert_eq!(sluice_pool_fail(handle, 1.0), bad);
        assert_eq!(sluice_pool_due(handle, 0), bad);
    }
    assert_eq!(sluice_pool_close(pool), 0);
}

#[test]
fn pointers_and_numbers_that_are_none() {
    let pool = shared("pointers");
    let bad = Status::InvalidArgument as i32;
    // SAFETY: nulls are refused before they are read.
    unsafe {
        assert_eq!(sluice_pool_send(pool, 1, null_mut(), 8), bad);
        assert_eq!(sluice_pool_receive(pool, null(), 8), bad);
        assert_eq!(sluice_pool_leave(pool, 0, null_mut(), 8), bad);
        assert_eq!(sluice_pool_leave(pool, 2, null_mut(), 0), bad);
        assert_eq!(sluice_pool_sharing(pool, null_mut(), 8), bad);
        assert_eq!(sluice_pool_sharing(pool, null_mut(), 0), 10, "how much room it takes");
    }
    assert_eq!(receive(pool, &[0xFF]), Status::InvalidUtf8 as i32);
    for seq in [f64::NAN, -1.0, f64::INFINITY, 0.5, 99.0] {
        assert_eq!(sluice_pool_fail(pool, seq), 0, "{seq}");
    }
    assert_eq!(sluice_pool_due(pool, 0), NEVER, "nothing is in use");
    assert_eq!(sluice_pool_due(pool, 1), 0);
    assert_eq!(send(pool, 0), None);
    let call = send(pool, u32::MAX).expect("a call");
    assert!(call.split(' ').nth(1) == Some("1") && send(pool, 1).is_none(), "one at a time");
    assert_eq!(stats(pool)[4..6], [1.0, 0.0]);
    assert_eq!(sluice_pool_fail(pool, 1.0), 0);
    assert_eq!(sluice_pool_fail(pool, 1.0), 0);
    assert_eq!(stats(pool)[4..6], [1.0, 1.0], "it fails once");
    assert_eq!(sluice_pool_close(pool), 0);
}

#[test]
fn a_call_that_does_not_fit_is_written_again() {
    let pool = shared("room");
    let mut out = [0; 128];
    // SAFETY: pointers and capacities come from a live array.
    unsafe {
        let length = sluice_pool_send(pool, 1, out.as_mut_ptr(), 3);
        assert!((30..128).contains(&length), "{length}");
        assert_eq!(sluice_shared_text(out.as_mut_ptr(), 128), length);
        assert!(out[..length as usize].ends_with(b" a 2 0 0 0 1 2 0 0 0"), "{out:?}");
        let script = sluice_shared_script(SLUICE_SCRIPT_POOL, out.as_mut_ptr(), 12);
        assert!(script > 1000 && out.starts_with(b"-- One call "));
    }
    assert_eq!(sluice_pool_close(pool), 0);
}

#[test]
fn replies_that_are_none_fail_their_call() {
    for (i, reply) in [
        &b""[..],
        b"ok",
        b"ok 1",
        b"ok 1 5 5 0 1 1 100 0",
        b"ok 1 5 5 0 1 1 100 0 1 2 1 0 0",
        b"ok 1 5 5 0 1 1 100 0 1 2 1 0 0 0 1 2 1 0 0 0",
        b"ok 1 5 5 0 1 1 100 0 1 2 1 0 0 9",
        b"ok 1 5 5 0 1 1 100 0 99999999999 2 1 0 0 0",
        b"ok 1 5 5 0 1 1 100 0 -1 2 1 0 0 0",
        b"old 1",
        &[b' '; 1 << 21],
    ]
    .into_iter()
    .enumerate()
    {
        let pool = shared(&format!("reply {i}"));
        assert!(send(pool, 1).is_some());
        assert_eq!(receive(pool, reply), 0);
        let [state, _failing_for_ms, rest @ ..] = stats(pool);
        assert_eq!((state, &rest[..4]), (0.0, &[0.0, 0.0, 1.0, 1.0][..]), "reply {i}");
        assert_eq!(sluice_pool_close(pool), 0);
    }
    let pool = shared("reply");
    assert!(send(pool, 1).is_some());
    for other in [&b"ok 2 5 5 0 1 1 100 0 1 2 1 0 0 0"[..], b"old 0", b"old 2"] {
        assert_eq!(receive(pool, other), 0);
        assert_eq!(stats(pool)[5], 0.0, "it is for another call");
    }
    // Huge numbers, and then no more: the process has permits for all that its own limit allows.
    let most =
        b"ok 1 18446744073709551615 1 1 4294967295 9 9 0 4294967295 9 9 9 18446744073709551615 2";
    assert_eq!(receive(pool, most), 0);
    assert_eq!(stats(pool)[0], 1.0);
    assert_eq!(sluice_lease_acquire(pool, -1, 0, -1.0), 0.0, "it rests for ever");
    assert_eq!(sluice_pool_close(pool), 0);
}
