//! Limiters, their keys, and takes.

use std::ptr::{null, null_mut};

use sluice::limiter::batch::sluice_limiter_take_batch;
use sluice::limiter::key::{
    sluice_limiter_forget, sluice_limiter_inspect, sluice_limiter_reset, sluice_limiter_set_limits,
    sluice_limiter_tighten,
};
use sluice::limiter::parts::{sluice_limiter_reserve, sluice_limiter_take_all};
use sluice::limiter::{
    sluice_limiter_close, sluice_limiter_open, sluice_limiter_reserve_one,
    sluice_limiter_take_up_to,
};
use sluice::seam::status::SluiceStatus as Status;

use crate::calls::{LIMITER, key, limiter, names, open_limiter, take};
use crate::support::{FAR, last_error};

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
