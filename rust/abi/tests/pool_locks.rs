//! Stress tests of the locks of pools: threads in one pool with an independent count, and in two pools in opposite orders,
//! with every call that takes a lock.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use sluice::pool::bell::{sluice_bell_next, sluice_bell_want};
use sluice::pool::codec::SLUICE_LEASE_NEWS;
use sluice::pool::lease::{SLUICE_LEASE_OK, sluice_lease_acquire, sluice_lease_release};
use sluice::pool::stats::sluice_pool_stats;
use sluice::pool::upstream::{sluice_upstream_add, sluice_upstream_remove};
use sluice::pool::waiter::sluice_waiter_collect;
use sluice::pool::{sluice_pool_close, sluice_pool_open};

const THREADS: usize = 8;
const ROUNDS: usize = 300;

#[rustfmt::skip]
const SETTINGS: [f64; 17] = [
    3.0, 1000.0, 5000.0, 600_000.0, 1000.0, // most, line, ageing, lifetime, claim
    5.0, 0.5, 20.0, 10_000.0, 30_000.0, 0.5, // health
    0.0, 0.0, // not adaptive
    2.0, 1.0, 0.0, 1.0, // one upstream: most, weight, tier, bytes of its id
];

fn open(name: &str) -> u32 {
    open_with(name, &SETTINGS)
}

fn open_with(name: &str, settings: &[f64; 17]) -> u32 {
    // SAFETY: pointers and lengths come from live data.
    let handle = unsafe {
        let length = name.len() as u32;
        sluice_pool_open(name.as_ptr(), length, settings.as_ptr(), 17, b"a".as_ptr(), 1)
    };
    assert!(handle > 0, "{handle}");
    handle.cast_unsigned()
}

/// Everything that takes a lock, in the one pool and in the other by turns.
fn work(thread: usize) {
    for round in 0..ROUNDS {
        let names = ["p8, one", "p8, two"];
        let first = (thread + round) % 2;
        let pools = [open(names[first]), open(names[1 - first])];
        let leases = pools.map(|pool| sluice_lease_acquire(pool, -1, 0, 5.0));
        let id = format!("{thread}");
        let mut numbers = [0.0; 64];
        for (pool, lease) in pools.into_iter().zip(leases).rev() {
            // SAFETY: pointers and lengths come from live data.
            unsafe {
                sluice_upstream_add(pool, id.as_ptr(), id.len() as u32, 1.0, 1.0, 0.0);
                sluice_waiter_collect(pool, numbers.as_mut_ptr(), 64);
                sluice_pool_stats(pool, numbers.as_mut_ptr(), 64, std::ptr::null_mut(), 0);
                sluice_upstream_remove(pool, id.as_ptr(), id.len() as u32);
            }
            let bell = sluice_bell_next(pool);
            if bell > 0 {
                sluice_bell_want(bell.cast_unsigned());
            }
            sluice_lease_release(pool, lease % SLUICE_LEASE_NEWS, round as u32 % 4, 0.0);
        }
        for pool in pools {
            // Some are left with leases out: the end of the thread closes those.
            let left = sluice_pool_close(pool);
            assert!(left >= 0, "{left}");
        }
    }
}

/// P4: the total was checked first and acted on later, so that two could take the last one. Here more
/// threads than permits take them and count by hand how many hold one.
#[test]
fn p4_the_total_was_checked_and_then_acted_on() {
    let (now, highest, taken) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
    let rounds = 3000;
    // Three in total, and an upstream that would take more.
    let mut settings = SETTINGS;
    settings[13] = 100.0;
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (now, highest, taken, settings) = (&now, &highest, &taken, &settings);
            scope.spawn(move || {
                let pool = open_with("p4", settings);
                for round in 0..rounds {
                    let lease = sluice_lease_acquire(pool, -1, 0, -1.0);
                    if lease == 0.0 {
                        std::thread::yield_now();
                        continue;
                    }
                    highest.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    taken.fetch_add(1, Ordering::SeqCst);
                    if (thread + round) % 3 == 0 {
                        std::thread::yield_now();
                    }
                    now.fetch_sub(1, Ordering::SeqCst);
                    let id = lease % SLUICE_LEASE_NEWS;
                    assert!(sluice_lease_release(pool, id, SLUICE_LEASE_OK, 0.0) >= 0);
                }
                assert_eq!(sluice_pool_close(pool), 0);
            });
        }
    });
    assert!(taken.into_inner() > 1000);
    assert_eq!(highest.into_inner(), 3, "all permits were in use, and never more");
}

/// P8: a call took two locks in one order and another in the other, and both could wait for ever.
#[test]
fn p8_two_locks_were_taken_in_two_orders() {
    let (done, results) = channel();
    for thread in 0..THREADS {
        let done = done.clone();
        std::thread::spawn(move || {
            work(thread);
            done.send(thread).expect("the test waits");
        });
    }
    for _ in 0..THREADS {
        results.recv_timeout(Duration::from_secs(60)).expect("a thread is locked up, or failed");
    }
    // What all left behind is back, so the names are free: others come to a fresh pool.
    for name in ["p8, one", "p8, two"] {
        let pool = open(name);
        let mut numbers = [0.0; 64];
        // Those of threads that are just ending may be there still.
        for _ in 0..1000 {
            // SAFETY: pointer and length come from a live array.
            unsafe { sluice_pool_stats(pool, numbers.as_mut_ptr(), 64, std::ptr::null_mut(), 0) };
            if numbers[1] == 0.0 && numbers[4] == 1.0 {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(
            (numbers[1], numbers[3], numbers[4]),
            (0.0, 0.0, 1.0),
            "in flight, waiting, members"
        );
        assert_eq!(sluice_pool_close(pool), 0);
    }
}
