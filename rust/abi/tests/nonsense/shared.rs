//! Shared limiters with arbitrary numbers, and a store whose answers are of the right form and otherwise arbitrary.

use sluice::clock::sluice_clock_advance;
use sluice::limiter::reservation::{
    SLUICE_SETTLE_ACTUAL, sluice_reservation_end, sluice_reservation_top_up,
};
use sluice::limiter::shared::call::{
    sluice_shared_due, sluice_shared_fail, sluice_shared_leave, sluice_shared_receive,
    sluice_shared_send,
};
use sluice::limiter::shared::decide::{
    sluice_shared_cancel, sluice_shared_expire, sluice_shared_take, sluice_shared_touch,
    sluice_shared_wait,
};
use sluice::limiter::shared::mail::{
    SLUICE_SHARED_ANSWERS, SLUICE_SHARED_CHORES, SluiceSharedAnswer, sluice_shared_collect,
    sluice_shared_ring, sluice_shared_want,
};
use sluice::limiter::shared::once::{
    sluice_shared_limits, sluice_shared_peek, sluice_shared_reset, sluice_shared_told,
};
use sluice::limiter::shared::sluice_shared_open;
use sluice::limiter::shared::stats::{sluice_shared_inspect, sluice_shared_stats};
use sluice::limiter::{sluice_limiter_close, sluice_limiter_key, sluice_limiter_take};

use crate::{Call, calm, picked};

/// A rate, a quota and concurrency, on two units, between the shared settings and the rules for an outage.
const CONFIG: [f64; 36] = [
    1.0, 0.0, 2.0, 200.0, 50.0, // mode, strictness, processes, lease, timeout
    100.0, 1e3, 3.0, 2.0, // keys, life of reservations, limits, units
    0.0, 0.0, 5.0, 6e4, 5.0, 0.0, 0.0, 0.0, //
    1.0, 1.0, 1e3, -3.0, 0.0, 31.0, 0.0, 0.0, //
    2.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, //
    0.0, 1.0, 2.0, // share, closed, open
];
const LIMITS: usize = 3;

fn limiter(name: &str, clock: u32, call: &Call) -> i32 {
    let text = [name, "r", "q", "c", "a", "b", "prefix"].join("\0");
    let config = call.spoil(&CONFIG);
    let (text, text_len) = (text.as_ptr(), text.len() as u32);
    // SAFETY: pointers and lengths come from live values.
    unsafe { sluice_shared_open(text, text_len, config.as_ptr(), config.len() as u32, clock) }
}

/// An answer to a call of `waiters`, with arbitrary amounts.
fn answer(call: &Call, seq: &str, waiters: usize) -> String {
    let numbers = &call.numbers;
    let number = |at: usize| numbers[at % numbers.len()].abs().min(9e15) as u64;
    match call.pick % 16 {
        0 => return format!("clock {seq} {}", number(1)),
        1 => return format!("old {seq}"),
        2 => return format!("done {seq} {}", number(2)),
        3 => return "ok".to_owned(),
        4 => return format!("{:?}", call.numbers),
        _ => {}
    }
    let mut text = format!("ok {seq} {} {} {} {}", number(0), number(1), call.pick & 1, number(2));
    text += &format!(" {} {}", (call.pick >> 1) & 1, number(3));
    for limit in 0..LIMITS {
        let [grant, fill, capacity, left] = [4, 5, 6, 7].map(|at| number(at + 4 * limit));
        text += &format!(" {grant} {fill} {capacity} {left}");
    }
    for waiter in 0..waiters {
        text += &match call.pick >> (waiter % 8) & 3 {
            0 | 1 => " 0".to_owned(),
            2 => format!(" {}:{}", waiter % LIMITS, number(waiter)),
            _ => format!(" {}:-{}", waiter % LIMITS, 1 + waiter % 2),
        };
    }
    text
}

/// The handles and ids of open shared limiters.
#[derive(Default)]
pub(crate) struct Shared {
    clock: u32,
    pub(crate) handles: Vec<f64>,
    keys: Vec<f64>,
    tickets: Vec<f64>,
    reservations: Vec<f64>,
    /// The key, the sequence number and the number of waiters of calls without an answer.
    flights: Vec<(f64, String, usize)>,
}

impl Shared {
    pub(crate) fn new(clock: u32) -> Self {
        Self { clock, ..Self::default() }
    }

    pub(crate) fn call(&mut self, call: &Call, at: usize) {
        let n = &call.numbers[..];
        let handle = picked(&self.handles, call) as u32;
        let key = picked(&self.keys, call);
        let ticket = picked(&self.tickets, call);
        let reservation = picked(&self.reservations, call);
        let mut request = [n[0], [0.0, n[1]][call.pick % 2], n[2], n[3], 0.0];
        let length = [4, 4, 4, 4, 3, 5][call.pick % 6];
        let mut out = [0.0f64; 64];
        let mut bytes = vec![0u8; 1 << 12];
        let room = bytes.len() as u32;
        let name = (call.pick % 7).to_le_bytes();
        // SAFETY: pointers and lengths come from live values.
        unsafe {
            match call.which {
                0 | 1 => {
                    let opened = calm(limiter(&format!("shared {at}"), self.clock, call), call);
                    if opened > 0 {
                        self.handles.push(f64::from(opened));
                    }
                }
                2 | 3 => {
                    let key = calm(sluice_limiter_key(handle, name.as_ptr(), 8), call);
                    if key > 0.0 {
                        self.keys.push(key);
                    }
                }
                4 => {
                    calm(sluice_limiter_take(handle, key, n[1], n[2], f64::NAN, f64::NAN), call);
                }
                5 | 6 => {
                    let request = request.as_mut_ptr();
                    calm(sluice_shared_take(handle, key, request, length), call);
                }
                7..=9 => {
                    let (name, request) = (name.as_ptr(), request.as_ptr());
                    let ticket = sluice_shared_wait(handle, key, name, 8, request, length);
                    if calm(ticket, call) > 0.0 {
                        self.tickets.push(ticket);
                    }
                }
                10 => {
                    let (costs, count) = (n.as_ptr(), length % 5);
                    calm(sluice_shared_touch(handle, key, name.as_ptr(), 8, costs, count), call);
                }
                11..=13 => {
                    let sent = sluice_shared_send(handle, key, bytes.as_mut_ptr(), room);
                    if (1..=room.cast_signed()).contains(&calm(sent, call)) {
                        let text = String::from_utf8_lossy(&bytes[..sent as usize]).into_owned();
                        let words: Vec<&str> = text.split([' ', '\n']).collect();
                        let waiters = words.get(9).and_then(|word| word.parse().ok());
                        self.flights.push((key, words[2].to_owned(), waiters.unwrap_or(0)));
                    }
                }
                14..=17 => {
                    let flights = self.flights.len().max(1);
                    if let Some((key, seq, waiters)) = self.flights.get(call.pick / 7 % flights) {
                        let text = answer(call, seq, *waiters);
                        let (reply, reply_len) = (text.as_ptr(), text.len() as u32);
                        calm(sluice_shared_receive(handle, *key, reply, reply_len), call);
                    }
                }
                18 => {
                    let flights = self.flights.len().max(1);
                    if let Some((key, seq, _)) = self.flights.get(call.pick / 7 % flights) {
                        calm(sluice_shared_fail(handle, *key, seq.parse().unwrap_or(n[1])), call);
                    }
                }
                19 | 20 => {
                    let collected = sluice_shared_collect(handle, out.as_mut_ptr(), 64);
                    let rows =
                        calm(collected, call).max(0) as usize / SLUICE_SHARED_CHORES as usize;
                    for row in out.chunks(SLUICE_SHARED_ANSWERS as usize).take(rows) {
                        let number = row[SluiceSharedAnswer::Reservation as usize];
                        if number > 0.0 {
                            self.reservations.push(number);
                        }
                    }
                }
                21 => {
                    calm(sluice_shared_cancel(handle, ticket), call);
                }
                22 => {
                    calm(sluice_shared_expire(handle, ticket), call);
                }
                23 => {
                    calm(sluice_shared_due(handle, out.as_mut_ptr(), call.pick as u32 % 9), call);
                }
                24 => {
                    calm(sluice_shared_leave(handle, call.pick as u32 % 3), call);
                }
                25 => {
                    let (at, cap) = (out.as_mut_ptr(), call.pick as u32 % 64);
                    calm(sluice_shared_stats(handle, at, cap), call);
                    calm(sluice_shared_inspect(handle, key, at, cap), call);
                }
                26 => {
                    let (costs, count) = (n.as_ptr(), length % 4);
                    let at = bytes.as_mut_ptr();
                    calm(sluice_shared_peek(handle, key, costs, count, at, room), call);
                    calm(sluice_shared_reset(handle, at, room), call);
                    let limits = call.spoil(&CONFIG[9..33]);
                    let count = [0, 24, 24, 23][call.pick % 4];
                    calm(sluice_shared_limits(handle, limits.as_ptr(), count, at, room), call);
                    let text = answer(call, "7", 1);
                    calm(sluice_shared_told(handle, key, text.as_ptr(), text.len() as u32), call);
                }
                27 => {
                    calm(sluice_shared_want(call.pick as u32), call);
                    calm(sluice_shared_ring(), call);
                }
                28 => {
                    let how = SLUICE_SETTLE_ACTUAL;
                    calm(sluice_reservation_end(handle, reservation, how, n.as_ptr(), 2), call);
                }
                29 => {
                    calm(sluice_reservation_top_up(handle, reservation, n.as_ptr(), 2), call);
                }
                30 if call.pick.is_multiple_of(8) => {
                    calm(sluice_limiter_close(handle), call);
                }
                _ => {
                    let by = [0.1, 5.0, 60.0, n[1]][call.pick % 4];
                    calm(sluice_clock_advance(self.clock, by), call);
                }
            }
        }
    }
}
