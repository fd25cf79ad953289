//! Calls on one limiter that has fewer slots than there are keys.

use sluice::limiter::batch::sluice_limiter_take_batch;
use sluice::limiter::key::{
    sluice_limiter_forget, sluice_limiter_inspect, sluice_limiter_reset, sluice_limiter_set_limits,
    sluice_limiter_snapshot, sluice_limiter_stats, sluice_limiter_tighten,
};
use sluice::limiter::parts::{sluice_limiter_reserve, sluice_limiter_take_all};
use sluice::limiter::reservation::{sluice_reservation_end, sluice_reservation_top_up};
use sluice::limiter::{
    sluice_limiter_close, sluice_limiter_key, sluice_limiter_open, sluice_limiter_reserve_one,
    sluice_limiter_take,
};

use crate::{Numbers, real, whole};

const TEXT: &str = "stress\0rpm\0live\0requests\0calls";
/// Four slots, a rate and a concurrency.
const CONFIG: [f64; 20] = [
    4.0, 50.0, 2.0, 2.0, // keys, life of reservations, limits, units
    0.0, 0.0, 1e6, 1e3, 1e6, 0.0, 0.0, 0.0, //
    2.0, 1.0, 1e6, 0.0, 0.0, 0.0, 0.0, 0.0,
];
const OTHER: [f64; 16] =
    [0.0, 0.0, 2e6, 1e3, 1e6, 0.0, 0.0, 0.0, 2.0, 1.0, 1e6, 0.0, 0.0, 0.0, 0.0, 0.0];
const KEYS: usize = 12;

pub(crate) fn run(numbers: &mut Numbers, steps: u64) {
    let mut keys = [0f64; KEYS];
    let mut reserved = Vec::new();
    let mut out = [0f64; 64];
    let costs = [1.0, 1.0];
    // SAFETY: pointers, lengths and capacities come from live arrays.
    unsafe {
        let (text, length) = (TEXT.as_ptr(), TEXT.len() as u32);
        let opened = whole(sluice_limiter_open(text, length, CONFIG.as_ptr(), 20, 0));
        assert!(opened > 0, "{opened}");
        let limiter = opened.cast_unsigned();
        for _ in 0..steps {
            let at = numbers.below(KEYS as u64) as usize;
            let key = keys[at];
            match numbers.below(12) {
                0 | 1 => {
                    let name = [b'k', at as u8];
                    keys[at] = real(sluice_limiter_key(limiter, name.as_ptr(), 2));
                }
                2 => {
                    let cost = numbers.below(3) as f64;
                    real(sluice_limiter_take(limiter, key, cost, 0.0, 0.0, 0.0));
                }
                3 => {
                    let (names, to) = (keys.as_ptr(), out.as_mut_ptr());
                    let many = KEYS as u32;
                    whole(sluice_limiter_take_batch(limiter, names, many, costs.as_ptr(), 2, to));
                }
                4 => {
                    let other = keys[numbers.below(KEYS as u64) as usize];
                    let handle = f64::from(limiter);
                    let mut parts = [handle, key, 1.0, 1.0, handle, other, 1.0, 1.0];
                    let length = [4, 8][numbers.below(2) as usize];
                    let ttl = [0.0, 2.0][numbers.below(2) as usize];
                    let mut one = [1.0, 1.0];
                    let to = one.as_mut_ptr();
                    if numbers.below(2) == 0 {
                        if real(sluice_limiter_reserve_one(limiter, key, to, 2, ttl)) == 0.0 {
                            reserved.push(one[0]);
                        }
                    } else if real(sluice_limiter_reserve(parts.as_mut_ptr(), length, ttl)) == 0.0 {
                        reserved.push(parts[0]);
                    }
                }
                5 => {
                    if let Some(id) = reserved.pop() {
                        let how = numbers.below(3) as u32;
                        whole(sluice_reservation_end(limiter, id, how, costs.as_ptr(), 2));
                    }
                }
                6 => {
                    if let Some(&id) = reserved.last() {
                        real(sluice_reservation_top_up(limiter, id, costs.as_ptr(), 2));
                    }
                }
                7 => {
                    whole(sluice_limiter_inspect(limiter, key, out.as_mut_ptr(), 64));
                    whole(sluice_limiter_stats(limiter, out.as_mut_ptr(), 64));
                }
                8 => {
                    let length = [16, 0, 0][numbers.below(3) as usize];
                    whole(sluice_limiter_set_limits(limiter, key, OTHER.as_ptr(), length));
                }
                9 => {
                    whole(sluice_limiter_tighten(limiter, key, 0, 1e6, 0.0));
                }
                10 if numbers.below(4) == 0 => {
                    whole(sluice_limiter_forget(limiter, key));
                }
                10 => {
                    whole(sluice_limiter_reset(limiter, key));
                }
                _ => {
                    let part = [f64::from(limiter), key, 1.0, 0.0];
                    real(sluice_limiter_take_all(part.as_ptr(), 4, numbers.below(2) as u32));
                    if numbers.below(50) == 0 {
                        let mut bytes = [0; 4096];
                        whole(sluice_limiter_snapshot(limiter, bytes.as_mut_ptr(), 4096));
                    }
                }
            }
        }
        // Else the thread's end closes it.
        if numbers.below(3) == 0 {
            whole(sluice_limiter_close(limiter));
        }
    }
}
