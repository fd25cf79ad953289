//! Tests of limiters with invalid arguments: wrong handles, keys, costs, reservations, clocks and pointers fail with a
//! status and change nothing.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod support;

use std::ptr::{null, null_mut};

use sluice::clock::{
    SLUICE_CLOCK_COARSE, sluice_clock_advance, sluice_clock_close, sluice_clock_open,
};
use sluice::limiter::batch::sluice_limiter_take_batch;
use sluice::limiter::key::{
    sluice_limiter_forget, sluice_limiter_inspect, sluice_limiter_reset, sluice_limiter_restore,
    sluice_limiter_set_limits, sluice_limiter_snapshot, sluice_limiter_stats,
    sluice_limiter_tighten,
};
use sluice::limiter::parts::{sluice_limiter_reserve, sluice_limiter_take_all};
use sluice::limiter::reservation::{
    sluice_reservation_end, sluice_reservation_renew, sluice_reservation_top_up,
};
use sluice::limiter::zone::{sluice_zone_add, sluice_zone_find};
use sluice::limiter::{
    sluice_limiter_close, sluice_limiter_key, sluice_limiter_open, sluice_limiter_reserve_one,
    sluice_limiter_take, sluice_limiter_take_up_to,
};
use sluice::seam::status::SluiceStatus as Status;
use support::{FAR, last_error};

/// One rate of 5 a minute and a concurrency of one.
const LIMITER: [f64; 20] = [
    100.0, 1e3, 2.0, 2.0, // keys, life of reservations, limits, units
    0.0, 0.0, 5.0, 6e4, 5.0, 0.0, 0.0, 0.0, //
    2.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];

fn open_limiter(text: &str, config: &[f64], clock: u32) -> i32 {
    let (text, length) = (text.as_ptr(), text.len() as u32);
    // SAFETY: pointers and lengths come from live values.
    unsafe { sluice_limiter_open(text, length, config.as_ptr(), config.len() as u32, clock) }
}

fn names(name: &str) -> String {
    [name, "rpm", "live", "requests", "concurrent"].join("\0")
}

fn limiter(name: &str) -> u32 {
    let handle = open_limiter(&names(name), &LIMITER, SLUICE_CLOCK_COARSE);
    assert!(handle > 0, "{}", last_error());
    handle.cast_unsigned()
}

fn key(limiter: u32, name: &[u8]) -> f64 {
    // SAFETY: pointer and length come from a live slice.
    unsafe { sluice_limiter_key(limiter, name.as_ptr(), name.len() as u32) }
}

fn take(limiter: u32, key: f64, requests: f64) -> f64 {
    sluice_limiter_take(limiter, key, requests, 0.0, f64::NAN, f64::NAN)
}

#[test]
fn limiters_that_contradict_themselves() {
    let refused = Status::InvalidArgument as i32;
    for at in 0..LIMITER.len() {
        for number in [f64::NAN, f64::NEG_INFINITY, -1.0, 1e300, 17.0] {
            let mut config = LIMITER;
            config[at] = number;
            // A number that means nothing there, or something else: opened, or refused.
            let handle = open_limiter(&names(&format!("garbage {at} {number}")), &config, 1);
            assert!(handle > 0 || handle == refused, "{at} {number}: {}", last_error());
        }
    }
    for length in 0..LIMITER.len() {
        assert_eq!(open_limiter(&names("x"), &LIMITER[..length], 1), refused);
    }
    assert_eq!(open_limiter("x", &LIMITER, 1), refused);
    assert_eq!(open_limiter("x\0a\0b\0c\0d\0e", &LIMITER, 1), refused);
    assert_eq!(open_limiter(&names("x"), &LIMITER, 77), Status::InvalidHandle as i32);
    // SAFETY: null and invalid UTF-8 are refused before they are used.
    unsafe {
        assert_eq!(sluice_limiter_open(null(), 1, LIMITER.as_ptr(), 20, 1), refused);
        assert_eq!(sluice_limiter_open(b"x".as_ptr(), 1, null(), 20, 1), refused);
        let invalid = sluice_limiter_open(b"\xff".as_ptr(), 1, LIMITER.as_ptr(), 20, 1);
        assert_eq!(invalid, Status::InvalidUtf8 as i32);
    }
    limiter("same");
    let mut other = LIMITER;
    other[6] = 6.0;
    assert_eq!(open_limiter(&names("same"), &other, 1), Status::LimiterMismatch as i32);
    assert!(last_error().contains("rpm: 5 requests per minute"), "{}", last_error());
}

#[test]
fn limiter_handles_are_the_threads_own() {
    let mine = limiter("threads");
    let k = key(mine, b"k");
    let invalid = f64::from(Status::InvalidHandle as i32);
    std::thread::spawn(move || {
        assert_eq!(take(mine, k, 1.0), invalid);
        let theirs = limiter("threads");
        assert_eq!(take(theirs, k, 1.0), 0.0, "keys are shared");
    })
    .join()
    .expect("join");
    for handle in [0, 1, mine ^ 0x10000, mine + 1, mine + FAR, u32::MAX] {
        assert_eq!(take(handle, k, 1.0), invalid, "{handle:#x}");
        assert_eq!(key(handle, b"k"), invalid);
        assert_eq!(sluice_limiter_close(handle), Status::InvalidHandle as i32);
    }
    assert_eq!(take(mine, k, 4.0), 0.0);
    assert_eq!(sluice_limiter_close(mine), 0);
    assert_eq!(take(mine, k, 1.0), invalid);
}

#[test]
fn keys_costs_and_parts_that_are_none() {
    let handle = limiter("parts");
    let k = key(handle, b"k");
    let (stale, refused) = (f64::from(Status::StaleKey as i32), Status::InvalidArgument as i32);
    for bad in [f64::NAN, f64::INFINITY, -1.0, 0.5, k + 1.0, k + 4_294_967_296.0, 1e300] {
        assert_eq!(take(handle, bad, 1.0), stale, "{bad}");
        // SAFETY: no pointer is used.
        unsafe {
            let inspected = sluice_limiter_inspect(handle, bad, null_mut(), 0);
            // A name without a key can be looked at.
            let looked = if bad.is_nan() { 12.0 } else { stale };
            assert_eq!(f64::from(inspected), looked);
            let mut costs = [1.0, 1.0];
            let reserved = sluice_limiter_reserve_one(handle, bad, costs.as_mut_ptr(), 2, 0.0);
            assert_eq!((reserved, costs), (stale, [1.0, 1.0]));
            let mut parts = [f64::from(handle), bad, 1.0, 1.0];
            let peeked = sluice_limiter_take_all(parts.as_ptr(), 4, 0);
            assert_eq!(peeked, if bad.is_nan() { 0.0 } else { stale });
            assert_eq!(sluice_limiter_take_all(parts.as_ptr(), 4, 1), stale);
            assert_eq!(sluice_limiter_reserve(parts.as_mut_ptr(), 4, 0.0), stale);
            let set = sluice_limiter_set_limits(handle, bad, null(), 0);
            assert_eq!(f64::from(set), stale);
        }
        assert_eq!(f64::from(sluice_limiter_tighten(handle, bad, 0, 1.0, 0.0)), stale);
        assert_eq!(f64::from(sluice_limiter_reset(handle, bad)), stale);
        assert!(sluice_limiter_forget(handle, bad) <= 0);
    }
    for cost in [f64::NAN, f64::INFINITY, -1.0, 1.1e12] {
        assert_eq!(take(handle, k, cost), f64::from(refused), "{cost}");
        let mut costs = [cost, 1.0];
        // SAFETY: pointer and length come from a live array.
        let reserved = unsafe { sluice_limiter_reserve_one(handle, k, costs.as_mut_ptr(), 2, 0.0) };
        assert_eq!(reserved, f64::from(refused), "{cost}");
        assert_eq!(sluice_limiter_tighten(handle, k, 0, cost, 0.0), refused);
    }
    assert_eq!(sluice_limiter_tighten(handle, k, 2, 0.0, 0.0), refused);
    for after in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
        assert_eq!(sluice_limiter_tighten(handle, k, 0, 1.0, after), refused, "{after}");
    }
    assert_eq!(sluice_limiter_tighten(handle, k, 1, 0.0, 1.0), refused, "concurrency");
    let whole = [f64::from(handle), k, 1.0, 1.0];
    for length in [0u32, 1, 2, 3] {
        // SAFETY: pointer and length come from a live array.
        let code = unsafe { sluice_limiter_take_all(whole.as_ptr(), length, 1) };
        assert_eq!(code, f64::from(refused), "{length}");
    }
    let many = whole.repeat(9);
    // SAFETY: pointer and length come from a live vector.
    let code = unsafe { sluice_limiter_take_all(many.as_ptr(), 36, 1) };
    assert_eq!(code, f64::from(refused));
    let (keys, mut out) = ([k, f64::NAN], [9.0; 2]);
    // SAFETY: pointers and lengths come from live arrays; what overlaps is refused.
    unsafe {
        let costs = [1.0, 0.0, -1.0];
        let batch = |costs_len, out| {
            sluice_limiter_take_batch(handle, keys.as_ptr(), 2, costs.as_ptr(), costs_len, out)
        };
        assert_eq!(batch(3, out.as_mut_ptr()), refused);
        assert_eq!(batch(2, keys.as_ptr().cast_mut()), refused);
        assert_eq!(batch(2, costs.as_ptr().cast_mut()), refused);
        assert_eq!(batch(2, out.as_mut_ptr()), 1);
    }
    assert_eq!(out, [0.0, stale]);
}

#[test]
fn reservations_that_are_not_open_and_snapshots_that_are_none() {
    let handle = limiter("reservations");
    let k = key(handle, b"k");
    let mut parts = [f64::from(handle), k, 1.0, 1.0];
    let end = |id: f64, how: u32, costs: &[f64]| {
        let (costs, length) = (costs.as_ptr(), costs.len() as u32);
        // SAFETY: pointer and length come from a live slice.
        unsafe { sluice_reservation_end(handle, id, how, costs, length) }
    };
    // SAFETY: pointer and length come from a live array.
    let code = unsafe { sluice_limiter_reserve(parts.as_mut_ptr(), 4, 0.0) };
    assert_eq!(code, 0.0, "{}", last_error());
    let id = parts[0];
    assert_eq!(end(id, 3, &[]), Status::InvalidArgument as i32);
    assert_eq!(end(id, 0, &[1.0]), Status::InvalidArgument as i32);
    assert_eq!(end(id, 0, &[1.0, f64::NAN]), Status::InvalidArgument as i32);
    for bad in [id + f64::from(FAR), id + 4_294_967_296.0, -1.0, 0.5, f64::NAN] {
        assert_eq!(end(bad, 1, &[]), Status::ReservationClosed as i32, "{bad}");
    }
    // SAFETY: pointers and lengths come from live values; null is not used with length 0.
    unsafe {
        let more = [5.0, 0.0];
        assert!(sluice_reservation_top_up(handle, id, more.as_ptr(), 2) > 0.0, "it is denied");
        let wrong = sluice_reservation_top_up(handle, id, null(), 0);
        assert_eq!(wrong, f64::from(Status::InvalidArgument as i32));
    }
    assert_eq!(end(id, 0, &[1.0, -1.0]), 0);
    assert_eq!(end(id, 2, &[]), Status::ReservationClosed as i32);
    let mut numbers = [0.0; 8];
    let mut bytes = [0u8; 512];
    // SAFETY: pointers and capacities come from live arrays.
    unsafe {
        assert_eq!(sluice_limiter_stats(handle, numbers.as_mut_ptr(), 8), 6);
        let length = sluice_limiter_snapshot(handle, bytes.as_mut_ptr(), 512);
        assert!(length > 0 && length < 512);
        let restore = sluice_limiter_restore(handle, bytes.as_ptr(), length.cast_unsigned());
        assert_eq!(restore, Status::BadSnapshot as i32);
        let restore = sluice_limiter_restore(handle, null(), 0);
        assert_eq!(restore, Status::BadSnapshot as i32);
        // As many of something else: a limiter with the same numbers and no name in common, and one whose
        // units are in another order.
        for (others, fits) in [
            (["rpm", "live", "tokens", "connections"], false),
            (["a", "b", "requests", "concurrent"], false),
            (["live", "rpm", "requests", "concurrent"], false),
            (["rpm", "other", "requests", "concurrent"], true),
        ] {
            let text = format!("snapshots of others {others:?}\0{}", others.join("\0"));
            let other = open_limiter(&text, &LIMITER, SLUICE_CLOCK_COARSE).cast_unsigned();
            for cut in [1, 7, 8] {
                let cut = length.cast_unsigned() - cut;
                let restore = sluice_limiter_restore(other, bytes.as_ptr(), cut);
                assert_eq!(restore, Status::BadSnapshot as i32);
            }
            let restore = sluice_limiter_restore(other, bytes.as_ptr(), length.cast_unsigned());
            assert_eq!(restore == 0, fits, "{others:?} {}", last_error());
            if !fits {
                assert_eq!(restore, Status::BadSnapshot as i32);
                assert!(last_error().contains("other limits"), "{}", last_error());
            }
        }
    }
    assert_eq!(numbers[4], 0.0, "nothing is open");
}

#[test]
fn reservations_of_another_thread_cannot_be_ended_by_guessing_their_numbers() {
    let mine = limiter("guessed");
    let k = key(mine, b"k");
    let mut parts = [f64::from(mine), k, 1.0, 1.0];
    // SAFETY: pointer and length come from a live array.
    let code = unsafe { sluice_limiter_reserve(parts.as_mut_ptr(), 4, 60_000.0) };
    assert_eq!(code, 0.0, "{}", last_error());
    let id = parts[0];
    let closed = Status::ReservationClosed as i32;
    std::thread::spawn(move || {
        let theirs = limiter("guessed");
        let costs = [0.0, 0.0];
        // SAFETY: pointers and lengths come from live arrays; null is not used with length 0.
        unsafe {
            for how in [0, 1, 2] {
                let length = if how == 0 { 2 } else { 0 };
                let ended = sluice_reservation_end(theirs, id, how, costs.as_ptr(), length);
                assert_eq!(ended, closed, "{how}");
            }
            let topped = sluice_reservation_top_up(theirs, id, costs.as_ptr(), 2);
            assert_eq!(topped, f64::from(closed));
        }
    })
    .join()
    .expect("join");
    // SAFETY: pointers and lengths come from live arrays; null is not used with length 0.
    unsafe {
        assert_eq!(sluice_reservation_top_up(mine, id, [1.0, 0.0].as_ptr(), 2), 0.0);
        assert_eq!(sluice_reservation_end(mine, id, 2, null(), 0), 0);
        assert_eq!(sluice_reservation_end(mine, id, 2, null(), 0), closed);
    }
}

#[test]
fn clocks_that_are_none_and_times_that_never_come() {
    for wall in [f64::NAN, f64::INFINITY, 1e13] {
        assert_eq!(sluice_clock_open(wall), Status::InvalidArgument as i32);
    }
    let clock = sluice_clock_open(-1e12).cast_unsigned();
    for ms in [f64::NAN, -1.0, f64::INFINITY] {
        assert_eq!(sluice_clock_advance(clock, ms), Status::InvalidArgument as i32);
    }
    let handle = open_limiter(&names("virtual"), &LIMITER, clock).cast_unsigned();
    let k = key(handle, b"k");
    assert_eq!(take(handle, k, 5.0), 0.0);
    assert!(take(handle, k, 1.0) > 0.0);
    // A hundred years a step, until 64 bits of nanoseconds run out and beyond.
    for _ in 0..12 {
        assert_eq!(sluice_clock_advance(clock, 3.2e12), 0);
        let code = take(handle, key(handle, b"k"), 5.0);
        assert!(code >= 0.0, "{code} {}", last_error());
    }
    assert_eq!(sluice_clock_close(clock), 0);
    assert_eq!(sluice_clock_close(clock), Status::InvalidHandle as i32);
    assert!(take(handle, k, 1.0) != f64::from(Status::InvalidHandle as i32), "the limiter has it");
}

#[test]
fn what_a_thread_reserved_is_settled_when_it_ends_also_of_a_limiter_it_has_closed() {
    let mine = limiter("left behind");
    let k = key(mine, b"k");
    let outstanding = || {
        let mut numbers = [0.0; 12];
        // SAFETY: pointer and capacity come from a live array.
        let count = unsafe { sluice_limiter_inspect(mine, k, numbers.as_mut_ptr(), 12) };
        assert_eq!(count, 12);
        (numbers[2] + numbers[3], numbers[9])
    };
    for closes in [false, true] {
        let (reserved, ended) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let theirs = limiter("left behind");
                let mut parts = [f64::from(theirs), k, 1.0, 1.0];
                // SAFETY: pointer and length come from a live array.
                let code = unsafe { sluice_limiter_reserve(parts.as_mut_ptr(), 4, 60_000.0) };
                assert_eq!(code, 0.0, "{}", last_error());
                if closes {
                    assert_eq!(sluice_limiter_close(theirs), 0);
                }
                reserved.wait();
                ended.wait();
            });
            reserved.wait();
            assert_eq!(outstanding().1, 1.0, "the concurrency is in use");
            ended.wait();
            worker.join().expect("join");
        });
        let (charged, held) = outstanding();
        assert_eq!(held, 0.0, "closed: {closes}");
        assert!(charged > 0.9, "{charged}");
    }
}

#[test]
fn a_reservation_of_one_key_is_one_of_parts() {
    let handle = limiter("one key");
    let k = key(handle, b"k");
    let refused = f64::from(Status::InvalidArgument as i32);
    let state = || {
        let mut numbers = [0.0; 12];
        // SAFETY: pointer and capacity come from a live array.
        assert_eq!(unsafe { sluice_limiter_inspect(handle, k, numbers.as_mut_ptr(), 12) }, 12);
        (numbers[3], numbers[9])
    };
    // SAFETY: pointers and lengths come from live arrays; null is not used with length 0.
    unsafe {
        let mut costs = [2.0, 1.0, 7.0];
        let at = costs.as_mut_ptr();
        for length in [0, 1, 3] {
            assert_eq!(sluice_limiter_reserve_one(handle, k, at, length, 0.0), refused);
        }
        for ttl in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(sluice_limiter_reserve_one(handle, k, at, 2, ttl), refused, "{ttl}");
        }
        assert_eq!(sluice_limiter_reserve_one(handle, k, null_mut(), 2, 0.0), refused);
        assert_eq!((state(), costs), ((0.0, 0.0), [2.0, 1.0, 7.0]));
        assert_eq!(sluice_limiter_reserve_one(handle, k, at, 2, 0.0), 0.0, "{}", last_error());
        assert_eq!(state(), (2.0, 1.0));
        let id = costs[0];
        // The second place is denied by both in the same words.
        let (mut again, mut parts) = ([0.0, 1.0], [f64::from(handle), k, 0.0, 1.0]);
        let denied = sluice_limiter_reserve_one(handle, k, again.as_mut_ptr(), 2, 0.0);
        assert!(denied > 0.0 && again == [0.0, 1.0]);
        assert_eq!(sluice_limiter_reserve(parts.as_mut_ptr(), 4, 0.0), denied);
        let actual = [3.0, -1.0];
        assert_eq!(sluice_reservation_end(handle, id, 0, actual.as_ptr(), 2), 0);
        assert_eq!(state(), (0.0, 0.0));
    }
}

#[test]
fn what_there_is_of_what_is_no_amount() {
    let handle = limiter("up to");
    let k = key(handle, b"k");
    let up_to = |key: f64, mut costs: [f64; 2], length: u32, step: f64| {
        // SAFETY: pointer and length come from a live array.
        let code =
            unsafe { sluice_limiter_take_up_to(handle, key, costs.as_mut_ptr(), length, step) };
        (code, costs)
    };
    let refused = Status::InvalidArgument as i32;
    for bad in [f64::NAN, -1.0, 1e-7, 1.1e12, f64::INFINITY] {
        assert_eq!(up_to(k, [bad, 0.0], 2, 1.0).0, refused, "{bad}");
        assert_eq!(up_to(k, [1.0, 0.0], 2, bad).0, refused, "{bad}");
    }
    assert_eq!(up_to(k, [1.0, 0.0], 2, 0.0).0, refused);
    assert_eq!(up_to(k, [1.0, 0.0], 1, 1.0).0, refused);
    assert_eq!(up_to(k + 0.5, [1.0, 0.0], 2, 1.0).0, Status::StaleKey as i32);
    assert_eq!(up_to(k, [3.5, 0.0], 2, 1.0), (1, [3.5, 0.0]));
    assert_eq!(up_to(k, [3.5, 0.0], 2, 1.0), (0, [1.0, 0.0]));
}

#[test]
fn zones_that_are_none_and_reservations_that_are_renewed_too_late() {
    let add = |name: &str, offsets: &[f64]| {
        let (length, count) = (name.len() as u32, offsets.len() as u32);
        // SAFETY: pointers and lengths come from live values.
        unsafe { sluice_zone_add(name.as_ptr(), length, offsets.as_ptr(), count) }
    };
    // SAFETY: pointer and length come from a live value.
    let find = |name: &str| unsafe { sluice_zone_find(name.as_ptr(), name.len() as u32) };
    let refused = Status::InvalidArgument as i32;
    let day = 86_400.0;
    for bad in [
        &[][..],
        &[0.0, 1.0],
        &[f64::NAN],
        &[2.0 * day],
        &[0.0, 5.0, f64::INFINITY],
        &[0.0, 5.0, 60.0, 5.0, 0.0],
        &[0.0, 9.3e9, 0.0],
    ] {
        assert_eq!(add("garbage/none", bad), refused, "{bad:?}");
    }
    assert_eq!(find("garbage/none"), 0);
    let number = add("garbage/one", &[3600.0, 0.0, 7200.0]);
    assert!(number > 0);
    assert_eq!((find("garbage/one"), add("garbage/one", &[0.0])), (number, number));
    let mut config = LIMITER;
    config[4..12].copy_from_slice(&[1.0, 0.0, 5.0, -1.0, 0.0, 0.0, 0.0, f64::from(number)]);
    assert!(open_limiter(&names("zoned"), &config, 1) > 0, "{}", last_error());
    config[11] = 1024.0;
    assert_eq!(open_limiter(&names("zoned elsewhere"), &config, 1), refused);

    let handle = limiter("renewed");
    let mut parts = [f64::from(handle), key(handle, b"k"), 1.0, 1.0];
    // SAFETY: pointer and length come from a live array.
    assert_eq!(unsafe { sluice_limiter_reserve(parts.as_mut_ptr(), 4, 0.0) }, 0.0);
    for bad in [f64::NAN, -1.0, f64::INFINITY, 1e300] {
        assert_eq!(sluice_reservation_renew(handle, parts[0], bad), refused);
    }
    assert_eq!(sluice_reservation_renew(handle, parts[0], 1e3), 0);
    let closed = Status::ReservationClosed as i32;
    assert_eq!(sluice_reservation_renew(handle, parts[0] + 0.5, 0.0), closed);
    // SAFETY: there are no costs.
    assert_eq!(unsafe { sluice_reservation_end(handle, parts[0], 1, null(), 0) }, 0);
    assert_eq!(sluice_reservation_renew(handle, parts[0], 0.0), closed);
}
