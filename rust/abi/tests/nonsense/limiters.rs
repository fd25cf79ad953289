//! Limiters that are opened and called with arbitrary numbers.

use sluice::clock::sluice_clock_advance;
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
    sluice_limiter_close, sluice_limiter_key, sluice_limiter_leave, sluice_limiter_open,
    sluice_limiter_take, sluice_limiter_take_up_to,
};

use crate::{Call, calm, picked};

/// A rate, a quota and concurrency, on two units.
const CONFIG: [f64; 28] = [
    100.0, 1e3, 3.0, 2.0, // keys, life of reservations, limits, units
    0.0, 0.0, 5.0, 6e4, 5.0, 0.0, 0.0, 0.0, //
    1.0, 1.0, 1e3, -3.0, 0.0, 31.0, 0.0, 1.0, //
    2.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];

fn limiter(name: &str, clock: u32, call: &Call) -> i32 {
    let text = [name, "r", "q", "c", "a", "b"].join("\0");
    let config = call.spoil(&CONFIG);
    let (text, text_len) = (text.as_ptr(), text.len() as u32);
    // SAFETY: pointers and lengths come from live values.
    unsafe { sluice_limiter_open(text, text_len, config.as_ptr(), config.len() as u32, clock) }
}

/// The handles and ids of open limiters.
#[derive(Default)]
pub(crate) struct Limiters {
    clock: u32,
    pub(crate) handles: Vec<f64>,
    keys: Vec<f64>,
    reservations: Vec<f64>,
    snapshot: Vec<u8>,
}

impl Limiters {
    pub(crate) fn new(clock: u32) -> Self {
        Self { clock, ..Self::default() }
    }

    pub(crate) fn call(&mut self, call: &Call, at: usize) {
        let n = &call.numbers[..];
        let handle = picked(&self.handles, call) as u32;
        let key = picked(&self.keys, call);
        let reservation = picked(&self.reservations, call);
        let length = (call.pick % 6) as u32;
        let mut parts = [f64::from(handle), key, n[1], n[2], f64::from(handle), key, n[3], n[4]];
        let parts_len = [4, 8, 8, 3, 0, 7][call.pick % 6];
        let mut out = [0.0f64; 40];
        // SAFETY: pointers and lengths come from live values.
        unsafe {
            match call.which {
                0 | 1 => {
                    let opened = calm(limiter(&format!("nonsense {at}"), self.clock, call), call);
                    if opened > 0 {
                        self.handles.push(f64::from(opened));
                    }
                }
                2..=4 => {
                    let name = (call.pick % 50).to_le_bytes();
                    let key = calm(sluice_limiter_key(handle, name.as_ptr(), 8), call);
                    if key > 0.0 {
                        self.keys.push(key);
                    }
                }
                5..=8 => {
                    calm(sluice_limiter_take(handle, key, n[1], n[2], f64::NAN, f64::NAN), call);
                }
                9 => {
                    let keys = [key, n[1], key, key];
                    let answer = sluice_limiter_take_batch(
                        handle,
                        keys.as_ptr(),
                        4,
                        n.as_ptr(),
                        [0, 2, 8, 7][call.pick % 4],
                        out.as_mut_ptr(),
                    );
                    calm(answer, call);
                }
                10 | 11 => {
                    calm(sluice_limiter_take_all(parts.as_ptr(), parts_len, length % 2), call);
                }
                12..=14 => {
                    let ttl = [0.0, n[5]][call.pick % 2];
                    if calm(sluice_limiter_reserve(parts.as_mut_ptr(), parts_len, ttl), call) == 0.0
                    {
                        self.reservations.push(parts[0]);
                    }
                }
                15..=17 => {
                    let how = length % 4;
                    calm(
                        sluice_reservation_end(handle, reservation, how, n.as_ptr(), length),
                        call,
                    );
                }
                18 => {
                    calm(sluice_reservation_top_up(handle, reservation, n.as_ptr(), length), call);
                }
                19 => {
                    calm(
                        sluice_limiter_tighten(
                            handle,
                            key,
                            length,
                            n[1],
                            [0.0, n[2]][call.pick % 2],
                        ),
                        call,
                    );
                }
                20 => {
                    let limits_len = [0, 24, 24, 24, 23, 8][length as usize];
                    let limits = call.spoil(&CONFIG[4..]);
                    let limits = limits.as_ptr();
                    calm(sluice_limiter_set_limits(handle, key, limits, limits_len), call);
                }
                21 => {
                    calm(sluice_limiter_inspect(handle, key, out.as_mut_ptr(), 40), call);
                }
                22 => {
                    calm(sluice_limiter_reset(handle, key), call);
                }
                23 => {
                    calm(sluice_limiter_forget(handle, key), call);
                }
                24 => {
                    calm(sluice_limiter_stats(handle, out.as_mut_ptr(), 40), call);
                }
                25 => {
                    let mut bytes = vec![0; 1 << 13];
                    let room = bytes.len() as u32;
                    let length =
                        calm(sluice_limiter_snapshot(handle, bytes.as_mut_ptr(), room), call);
                    if (1..=1 << 13).contains(&length) {
                        bytes.truncate(length as usize);
                        self.snapshot = bytes;
                    }
                }
                26 => {
                    let mut bytes = self.snapshot.clone();
                    if let Some(byte) = bytes.get_mut(call.pick / 7 % self.snapshot.len().max(1)) {
                        *byte ^= u8::from(call.pick.is_multiple_of(7)) * 64;
                    }
                    calm(sluice_limiter_restore(handle, bytes.as_ptr(), bytes.len() as u32), call);
                }
                27 if call.pick.is_multiple_of(2) => {
                    calm(sluice_limiter_close(handle), call);
                }
                27 => {
                    calm(sluice_limiter_leave(handle), call);
                }
                28 => {
                    out[..2].copy_from_slice(&[1.0, n[1]]);
                    let costs = out.as_mut_ptr();
                    calm(sluice_limiter_take_up_to(handle, key, costs, length, n[3]), call);
                }
                29 => {
                    calm(sluice_reservation_renew(handle, reservation, n[1]), call);
                }
                30 => {
                    let name = format!("nonsense/{}", call.pick % 50);
                    let (name, name_len) = (name.as_ptr(), name.len() as u32);
                    calm(sluice_zone_find(name, name_len), call);
                    let offsets = call.spoil(&[3600.0, 0.0, 7200.0, 1e9, 3600.0]);
                    calm(sluice_zone_add(name, name_len, offsets.as_ptr(), length), call);
                }
                _ => {
                    calm(sluice_clock_advance(self.clock, n[1]), call);
                }
            }
        }
    }
}
