//! Lives of limiters in the registry, through the functions of the ABI.

use super::registry::known;
use super::{
    sluice_limiter_close, sluice_limiter_key, sluice_limiter_leave, sluice_limiter_open,
    sluice_limiter_reserve_one, sluice_limiter_take,
};
use crate::clock::{
    SLUICE_CLOCK_BOOT, SLUICE_CLOCK_PRECISE, sluice_clock_advance, sluice_clock_close,
    sluice_clock_open,
};
use crate::limiter::key::{SLUICE_LIMITER_STATS, SluiceLimiterStat, sluice_limiter_stats};
use crate::limiter::parts::sluice_limiter_take_all;
use crate::process::thread::{SLUICE_THREAD_ALL, SLUICE_THREAD_SHARES, sluice_thread_enter};
use crate::seam::status::SluiceStatus;

const DAY: f64 = 86_400_000.0;

/// Opens a limiter with one rate of `limit` in `ms`.
fn open(name: &str, limit: f64, ms: f64, clock: u32) -> u32 {
    let text = format!("{name}\0rate\0requests");
    // 1,000 keys, reservations of one second, one limit and one unit. The limit is a rate.
    let config = [1e3, 1e3, 1.0, 1.0, 0.0, 0.0, limit, ms, limit, 0.0, 0.0, 0.0];
    let (text, length) = (text.as_ptr(), text.len() as u32);
    // SAFETY: pointers and lengths come from live values.
    let handle = unsafe { sluice_limiter_open(text, length, config.as_ptr(), 12, clock) };
    assert!(handle > 0, "{handle}");
    handle.cast_unsigned()
}

/// Takes one at the key `k`, and returns whether that was allowed.
fn take(limiter: u32) -> bool {
    // SAFETY: pointer and length come from a live value.
    let key = unsafe { sluice_limiter_key(limiter, b"k".as_ptr(), 1) };
    let code = sluice_limiter_take(limiter, key, 1.0, 0.0, 0.0, 0.0);
    assert!(key >= 0.0 && code >= 0.0, "{key}, {code}");
    code == 0.0
}

/// Runs `f` in a thread that ends.
fn elsewhere<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| scope.spawn(f).join().expect("no panic"))
}

#[test]
fn limiters_of_threads_that_ended_do_not_pile_up() {
    for thread in 0..200 {
        elsewhere(|| {
            for n in 0..100 {
                // Comes back in a microsecond.
                assert!(take(open(&format!("tenant {thread} {n}"), 1e3, 1.0, 0)));
            }
        });
    }
    // Those of the last thread or two are left, and more of those that other tests left meanwhile.
    assert!(known("tenant") < 500, "{}", known("tenant"));
}

#[test]
fn what_a_thread_that_ended_has_used_is_not_forgotten() {
    assert!(elsewhere(|| take(open("used", 1.0, DAY, 0))));
    let many = || {
        for n in 0..1_000 {
            open(&format!("beside {n}"), 1e3, 1.0, 0);
        }
    };
    elsewhere(many);
    assert!(!elsewhere(|| take(open("used", 1.0, DAY, 0))));
    // The same holds if another thread opens it meanwhile and closes the last handle.
    sluice_limiter_close(open("used", 1.0, DAY, 0));
    elsewhere(many);
    assert!(!elsewhere(|| take(open("used", 1.0, DAY, 0))));
}

#[test]
fn other_limits_take_over_what_was_used_of_those_that_are_the_same_kind() {
    elsewhere(|| {
        let three = open("changed", 3.0, DAY, 0);
        assert!(take(three) && take(three));
    });
    elsewhere(|| {
        let four = open("changed", 4.0, DAY, 0);
        assert!(take(four) && take(four) && !take(four), "two of four were used");
    });
    // Of other keys than these nothing is known, and a rate of less is full at once.
    elsewhere(|| assert!(!take(open("changed", 2.0, DAY, 0))));
}

#[test]
fn a_clock_of_its_own_takes_nothing_over() {
    elsewhere(|| assert!(take(open("other clock", 1.0, DAY, 0))));
    let clock = sluice_clock_open(0.0).cast_unsigned();
    elsewhere(|| assert!(take(open("other clock", 1.0, DAY, clock))));
    sluice_clock_close(clock);
}

/// Reserves one at the key `k`.
fn reserve(limiter: u32) {
    let mut costs = [1.0];
    // SAFETY: pointers and lengths come from live values.
    let code = unsafe {
        let key = sluice_limiter_key(limiter, b"k".as_ptr(), 1);
        sluice_limiter_reserve_one(limiter, key, costs.as_mut_ptr(), 1, DAY)
    };
    assert_eq!(code, 0.0);
}

/// How many reservations are open.
fn reserved(limiter: u32) -> f64 {
    let mut stats = [0.0; SLUICE_LIMITER_STATS as usize];
    // SAFETY: pointer and length come from a live value.
    let count = unsafe { sluice_limiter_stats(limiter, stats.as_mut_ptr(), SLUICE_LIMITER_STATS) };
    assert_eq!(count.cast_unsigned(), SLUICE_LIMITER_STATS);
    stats[SluiceLimiterStat::Reservations as usize]
}

#[test]
fn the_end_of_a_thread_settles_its_reservations_on_every_real_clock() {
    for clock in [SLUICE_CLOCK_PRECISE, SLUICE_CLOCK_BOOT] {
        let name = format!("reserved {clock}");
        let here = open(&name, 2.0, DAY, clock);
        elsewhere(|| {
            let there = open(&name, 2.0, DAY, clock);
            reserve(there);
            assert_eq!(reserved(there), 1.0);
            // No handle of the limiter is open in this thread when it ends.
            sluice_limiter_close(there);
        });
        assert_eq!(reserved(here), 0.0, "clock {clock}");
        assert!(take(here) && !take(here), "it is settled in full");
        sluice_limiter_close(here);
    }
}

#[test]
fn the_boot_clock_takes_nothing_over_from_others_and_decides_nothing_with_them() {
    elsewhere(|| assert!(take(open("to boot", 1.0, DAY, SLUICE_CLOCK_PRECISE))));
    elsewhere(|| {
        let boot = open("to boot", 1.0, DAY, SLUICE_CLOCK_BOOT);
        let precise = open("beside boot", 1.0, DAY, SLUICE_CLOCK_PRECISE);
        let part = |limiter: u32| {
            // SAFETY: pointer and length come from a live value.
            let key = unsafe { sluice_limiter_key(limiter, b"k".as_ptr(), 1) };
            [limiter.into(), key, 1.0]
        };
        let parts = [part(boot), part(precise)].concat();
        // SAFETY: pointer and length come from a live value.
        let code = unsafe { sluice_limiter_take_all(parts.as_ptr(), parts.len() as u32, 1) };
        assert_eq!(code, f64::from(SluiceStatus::DifferentClocks as i32));
        assert!(take(boot), "nothing is used");
    });
}

#[test]
fn a_program_that_begins_anew_has_other_limits_and_the_old_one_its_own() {
    elsewhere(|| {
        let old = open("anew", 1.0, DAY, 0);
        assert!(take(old));
        assert!(sluice_thread_enter(SLUICE_THREAD_SHARES) >= 0);
        let new = open("anew", 2.0, DAY, 0);
        assert!(take(new) && !take(new), "one of two was used");
        assert!(!take(old), "a handle of the earlier program still answers");
        assert_eq!(sluice_limiter_close(old), 0);
        assert_eq!(known("anew"), 1, "the old handle holds the name no more");
        assert!(sluice_thread_enter(SLUICE_THREAD_ALL) >= 0);
        let [again, other] = [(); 2].map(|()| open("anew", 2.0, DAY, 0));
        assert!(![old, new].contains(&again) && ![old, new].contains(&other));
        assert!(sluice_limiter_close(new) < 0 && !take(again));
    });
}

#[test]
fn a_limiter_that_all_have_closed_is_gone() {
    let [one, two] = [(); 2].map(|()| open("closed", 1.0, DAY, 0));
    assert!(take(one) && !take(two));
    sluice_limiter_close(one);
    assert_eq!(known("closed"), 1);
    sluice_limiter_close(two);
    assert_eq!(known("closed"), 0);
}

#[test]
fn a_limiter_whose_handle_was_left_keeps_its_counts() {
    for is_first in [true, false, false] {
        let handle = open("left", 1.0, DAY, 0);
        assert_eq!(take(handle), is_first);
        assert_eq!(sluice_limiter_leave(handle), 0);
        assert!(sluice_limiter_leave(handle) < 0, "it is closed");
    }
}

#[test]
fn a_limiter_that_gets_no_handle_is_not_kept() {
    elsewhere(|| {
        // As many as a thread can have.
        for _ in 0..1 << 20 {
            open("many handles", 1.0, DAY, 0);
        }
        let refused = std::panic::catch_unwind(|| open("one too many", 1.0, DAY, 0));
        assert!(refused.is_err() && known("one too many") == 0);
    });
}

#[test]
fn a_limiter_left_behind_goes_when_its_keys_are_idle_or_its_clock_is_gone() {
    let clock = sluice_clock_open(0.0).cast_unsigned();
    let others = |round: u32| {
        elsewhere(|| {
            for n in 0..1_000 {
                open(&format!("next {round} {n}"), 1e3, 1.0, 0);
            }
        });
    };
    assert!(elsewhere(|| take(open("virtual", 1.0, 1e3, clock))));
    sluice_clock_advance(clock, 999.0);
    others(1);
    assert_eq!(known("virtual"), 1, "it has used something still");
    sluice_clock_advance(clock, 1.0);
    others(2);
    assert_eq!(known("virtual"), 0);
    assert!(elsewhere(|| take(open("virtual", 1.0, 1e3, clock))));
    sluice_clock_close(clock);
    others(3);
    assert_eq!(known("virtual"), 0, "it cannot be opened any more");
}
