//! Calls on one pool, sometimes with a handle of another thread.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use sluice::pool::bell::{sluice_bell_next, sluice_bell_want};
use sluice::pool::chores::SLUICE_CHORES;
use sluice::pool::codec::{SLUICE_LEASE_NEWS, SLUICE_LEASE_WAITER};
use sluice::pool::lease::{sluice_lease_acquire, sluice_lease_release, sluice_lease_release_batch};
use sluice::pool::stats::{sluice_pool_events, sluice_pool_stats};
use sluice::pool::upstream::{sluice_upstream_add, sluice_upstream_change, sluice_upstream_remove};
use sluice::pool::waiter::{sluice_waiter_cancel, sluice_waiter_collect};
use sluice::pool::{sluice_pool_close, sluice_pool_open};

use crate::{Numbers, real, whole};

/// Six leases and a line of twenty, short times, and the upstreams "a" and "b".
const SETTINGS: [f64; 21] = [
    6.0, 20.0, 50.0, 30.0, 5.0, 3.0, 0.5, 5.0, 100.0, 5.0, 0.5, 1.0, 0.5, //
    2.0, 1.0, 0.0, 1.0, //
    2.0, 2.0, 0.0, 1.0,
];

static OTHERS: [AtomicU32; 8] = [const { AtomicU32::new(0) }; 8];

pub(crate) fn run(numbers: &mut Numbers, steps: u64) {
    let (mut leases, mut waiters): (Vec<f64>, Vec<f64>) = Default::default();
    let (mut out, mut ids) = ([0f64; 128], [0u8; 600]);
    // SAFETY: pointers, lengths and capacities come from live arrays.
    unsafe {
        let opened =
            whole(sluice_pool_open(b"p".as_ptr(), 1, SETTINGS.as_ptr(), 21, b"ab".as_ptr(), 2));
        if opened <= 0 {
            return;
        }
        OTHERS[numbers.below(8) as usize].store(opened.cast_unsigned(), Relaxed);
        for _ in 0..steps {
            let pool = match numbers.below(10) {
                0 => OTHERS[numbers.below(8) as usize].load(Relaxed),
                _ => opened.cast_unsigned(),
            };
            match numbers.below(12) {
                0..=2 => {
                    let (prefer, priority) = (numbers.below(3) as i32 - 1, numbers.below(3) as i32);
                    let timeout = numbers.below(6) as f64 - 1.0;
                    let lease = real(sluice_lease_acquire(pool, prefer, priority, timeout));
                    if lease >= SLUICE_LEASE_WAITER {
                        waiters.push(lease);
                    } else if lease > 0.0 {
                        leases.push(lease % SLUICE_LEASE_NEWS);
                    }
                }
                3..=5 => {
                    if let Some(lease) = leases.pop() {
                        let (outcome, rest) = (numbers.below(4) as u32, numbers.below(2) as f64);
                        whole(sluice_lease_release(pool, lease, outcome, rest));
                    }
                }
                6 => {
                    if let Some(waiter) = waiters.pop() {
                        whole(sluice_waiter_cancel(pool, waiter));
                    }
                }
                7 => {
                    let collected = whole(sluice_waiter_collect(pool, out.as_mut_ptr(), 64));
                    let answers = (collected.max(0) as u32 / SLUICE_CHORES) as usize;
                    let handed = out.chunks(2).take(answers).map(|pair| pair[1]);
                    leases.extend(handed.filter(|&id| id > 0.0).map(|id| id % SLUICE_LEASE_NEWS));
                }
                8 => {
                    let bell = whole(sluice_bell_next(pool));
                    if bell > 0 {
                        whole(sluice_bell_want(bell.cast_unsigned()));
                    }
                }
                9 => {
                    let (to, text) = (out.as_mut_ptr(), ids.as_mut_ptr());
                    whole(sluice_pool_stats(pool, to, 128, text, 600));
                    whole(sluice_pool_events(pool, to, 64, text, 600));
                }
                10 => change(numbers, pool),
                _ => {
                    let (ids, many) = (leases.as_ptr(), leases.len() as u32);
                    whole(sluice_lease_release_batch(pool, ids, many));
                    leases.clear();
                    if numbers.below(20) == 0 {
                        whole(sluice_pool_close(pool));
                    }
                }
            }
        }
    }
}

fn change(numbers: &mut Numbers, pool: u32) {
    let (a, c) = (b"a".as_ptr(), b"c".as_ptr());
    // SAFETY: pointers and lengths come from live literals.
    unsafe {
        whole(match numbers.below(4) {
            0 => sluice_upstream_add(pool, c, 1, 2.0, 1.0, 1.0),
            1 => sluice_upstream_remove(pool, c, 1),
            2 => sluice_upstream_change(pool, a, 1, numbers.below(4) as u32, 1.0),
            _ => sluice_upstream_change(pool, a, 1, 3, 0.0),
        });
    }
}
