//! Calls about clocks, limiters, their keys and reservations.

use arbitrary::Arbitrary;
use sluice::clock::{sluice_clock_advance, sluice_clock_close, sluice_clock_open};
use sluice::limiter::{
    sluice_limiter_close, sluice_limiter_find, sluice_limiter_key, sluice_limiter_leave,
    sluice_limiter_open, sluice_limiter_reserve_one, sluice_limiter_take, sluice_limiter_take_up_to,
};
use sluice::limiter::batch::sluice_limiter_take_batch;
use sluice::limiter::key::{
    sluice_limiter_forget, sluice_limiter_inspect, sluice_limiter_reset, sluice_limiter_restore,
    sluice_limiter_set_limits, sluice_limiter_snapshot, sluice_limiter_stats,
    sluice_limiter_tighten,
};
use sluice::limiter::parts::{sluice_limiter_reserve, sluice_limiter_take_all};
use sluice::limiter::zone::{sluice_zone_add, sluice_zone_find};
use sluice::limiter::reservation::{
    sluice_reservation_end, sluice_reservation_renew, sluice_reservation_top_up,
};

use crate::state::{Handle, Number, State, checked, room};

type Part = (Handle, Number, Vec<Number>);

#[derive(Arbitrary, Debug)]
pub(crate) enum Call<'a> {
    ClockOpen(Number),
    ClockAdvance(Handle, Number),
    ClockClose(Handle),
    Open(u8, Vec<Number>, Handle),
    /// With a configuration that is one: rate, quota or concurrency, one to five keys.
    OpenGood(u8, u8, Handle),
    Close(Handle),
    Leave(Handle),
    TakeUpTo(Handle, Number, Vec<Number>, Number),
    Renew(Handle, Number, Number),
    ZoneFind(&'a [u8]),
    ZoneAdd(&'a [u8], Vec<Number>),
    Key(Handle, &'a [u8]),
    Find(Handle, &'a [u8]),
    Take(Handle, Number, [Number; 4]),
    TakeBatch(Handle, Vec<Number>, Vec<Number>),
    TakeAll(Vec<Part>, u8),
    Reserve(Vec<Part>, Number),
    ReserveOne(Handle, Number, Vec<Number>, Number),
    End(Handle, Number, u8, Vec<Number>),
    TopUp(Handle, Number, Vec<Number>),
    Inspect(Handle, Number, u8),
    SetLimits(Handle, Number, Vec<Number>),
    Tighten(Handle, Number, u8, Number, Number),
    Reset(Handle, Number),
    Forget(Handle, Number),
    Stats(Handle, u8),
    Snapshot(Handle, u16),
    Restore(Handle, &'a [u8]),
    /// What a snapshot wrote, with a byte of it changed or not.
    RestoreOwn(Handle, u16, u8),
}

/// The numbers of at most six parts.
fn parts(state: &State, parts: &[Part]) -> Vec<f64> {
    let numbers = |(handle, key, costs): &Part| {
        let mut part = vec![state.handle(*handle).into(), state.number(*key)];
        part.extend(state.numbers(costs));
        part
    };
    parts.iter().take(6).flat_map(numbers).collect()
}

fn good(kind: u8, keys: u8) -> [f64; 16] {
    let header = [f64::from(1 + keys % 5), 100.0, 2.0, 2.0];
    let first = [f64::from(kind % 3), 0.0, 5.0, 1000.0, 3.0, 0.0];
    let second = [f64::from((kind >> 2) % 3), 1.0, 7.0, 60_000.0, 7.0, 60.0];
    let mut config = [0.0; 16];
    for (to, from) in config.iter_mut().zip(header.into_iter().chain(first).chain(second)) {
        *to = from;
    }
    config
}

impl Call<'_> {
    pub(crate) fn run(&self, state: &mut State) {
        let length = |bytes: &[u8]| bytes.len() as u32;
        // SAFETY: pointers, lengths and capacities come from live buffers, all of them.
        unsafe {
            match *self {
                Self::ClockOpen(time) => state.opened(sluice_clock_open(state.number(time))),
                Self::ClockAdvance(clock, by) => {
                    checked(sluice_clock_advance(state.handle(clock), state.number(by)));
                }
                Self::ClockClose(clock) => {
                    checked(sluice_clock_close(state.handle(clock)));
                }
                Self::Open(name, ref config, clock) => {
                    let text = format!("any {}\0a\0b\0u\0v", name % 4);
                    open(state, &text, &state.numbers(config), state.handle(clock));
                }
                Self::OpenGood(name, kind, clock) => {
                    let text = format!("good {name}\0a\0b\0u\0v");
                    let clock = if kind > 128 { state.handle(clock) } else { (kind & 1).into() };
                    open(state, &text, &good(kind, name), clock);
                }
                Self::Close(limiter) => {
                    checked(sluice_limiter_close(state.handle(limiter)));
                }
                Self::Leave(limiter) => {
                    checked(sluice_limiter_leave(state.handle(limiter)));
                }
                Self::TakeUpTo(limiter, key, ref costs, step) => {
                    let (mut costs, key) = (state.numbers(costs), state.number(key));
                    let (at, many) = (costs.as_mut_ptr(), costs.len() as u32);
                    let (limiter, step) = (state.handle(limiter), state.number(step));
                    checked(sluice_limiter_take_up_to(limiter, key, at, many, step));
                }
                Self::Renew(limiter, id, ttl) => {
                    let (limiter, id) = (state.handle(limiter), state.number(id));
                    checked(sluice_reservation_renew(limiter, id, state.number(ttl)));
                }
                Self::ZoneFind(name) => {
                    checked(sluice_zone_find(name.as_ptr(), length(name)));
                }
                Self::ZoneAdd(name, ref offsets) => {
                    let offsets = state.numbers(offsets);
                    let (at, many) = (offsets.as_ptr(), offsets.len() as u32);
                    checked(sluice_zone_add(name.as_ptr(), length(name), at, many));
                }
                Self::Key(limiter, name) => {
                    let limiter = state.handle(limiter);
                    state.given(sluice_limiter_key(limiter, name.as_ptr(), length(name)));
                }
                Self::Find(limiter, name) => {
                    let limiter = state.handle(limiter);
                    state.given(sluice_limiter_find(limiter, name.as_ptr(), length(name)));
                }
                Self::Take(limiter, key, costs) => {
                    let (limiter, key) = (state.handle(limiter), state.number(key));
                    let [a, b, c, d] = costs.map(|cost| state.number(cost));
                    state.given(sluice_limiter_take(limiter, key, a, b, c, d));
                }
                Self::TakeBatch(limiter, ref keys, ref costs) => {
                    let (keys, costs) = (state.numbers(keys), state.numbers(costs));
                    let mut out = room::<f64>(keys.len());
                    checked(sluice_limiter_take_batch(
                        state.handle(limiter),
                        keys.as_ptr(),
                        keys.len() as u32,
                        costs.as_ptr(),
                        costs.len() as u32,
                        out.as_mut_ptr(),
                    ));
                }
                Self::TakeAll(ref list, consume) => {
                    let parts = parts(state, list);
                    let (at, many) = (parts.as_ptr(), parts.len() as u32);
                    state.given(sluice_limiter_take_all(at, many, (consume & 1).into()));
                }
                Self::Reserve(ref list, ttl) => {
                    let (mut parts, ttl) = (parts(state, list), state.number(ttl));
                    let (at, many) = (parts.as_mut_ptr(), parts.len() as u32);
                    if state.given(sluice_limiter_reserve(at, many, ttl)) == 0.0 {
                        state.keep(parts[0]);
                    }
                }
                Self::ReserveOne(limiter, key, ref costs, ttl) => {
                    let (mut costs, key) = (state.numbers(costs), state.number(key));
                    let (at, many) = (costs.as_mut_ptr(), costs.len() as u32);
                    let (limiter, ttl) = (state.handle(limiter), state.number(ttl));
                    if state.given(sluice_limiter_reserve_one(limiter, key, at, many, ttl)) == 0.0 {
                        state.keep(costs[0]);
                    }
                }
                Self::End(limiter, id, how, ref costs) => {
                    let (costs, id) = (state.numbers(costs), state.number(id));
                    let (at, many) = (costs.as_ptr(), costs.len() as u32);
                    let limiter = state.handle(limiter);
                    checked(sluice_reservation_end(limiter, id, (how % 4).into(), at, many));
                }
                Self::TopUp(limiter, id, ref costs) => {
                    let (costs, id) = (state.numbers(costs), state.number(id));
                    let (at, many) = (costs.as_ptr(), costs.len() as u32);
                    let limiter = state.handle(limiter);
                    state.given(sluice_reservation_top_up(limiter, id, at, many));
                }
                Self::Tighten(limiter, key, limit, remaining, reset) => {
                    checked(sluice_limiter_tighten(
                        state.handle(limiter),
                        state.number(key),
                        limit.into(),
                        state.number(remaining),
                        state.number(reset),
                    ));
                }
                Self::SetLimits(limiter, key, ref limits) => {
                    let (limits, key) = (state.numbers(limits), state.number(key));
                    let (at, many) = (limits.as_ptr(), limits.len() as u32);
                    checked(sluice_limiter_set_limits(state.handle(limiter), key, at, many));
                }
                Self::Reset(limiter, key) => {
                    checked(sluice_limiter_reset(state.handle(limiter), state.number(key)));
                }
                Self::Forget(limiter, key) => {
                    checked(sluice_limiter_forget(state.handle(limiter), state.number(key)));
                }
                Self::Inspect(limiter, key, capacity) => {
                    let (mut out, key) = (room(capacity), state.number(key));
                    let (at, cap) = (out.as_mut_ptr(), out.len() as u32);
                    checked(sluice_limiter_inspect(state.handle(limiter), key, at, cap));
                }
                Self::Stats(limiter, capacity) => {
                    let mut out = room(capacity);
                    let (at, cap) = (out.as_mut_ptr(), out.len() as u32);
                    if checked(sluice_limiter_stats(state.handle(limiter), at, cap)) > 0
                        && let [keys, most, ..] = out[..]
                    {
                        assert!(keys <= most, "{keys} keys of {most}");
                    }
                }
                Self::Snapshot(limiter, capacity) => {
                    let mut out = room(capacity);
                    let (at, cap) = (out.as_mut_ptr(), length(&out));
                    let size = checked(sluice_limiter_snapshot(state.handle(limiter), at, cap));
                    if (1..=i32::from(capacity)).contains(&size) {
                        out.truncate(size as usize);
                        state.snapshot = out;
                    }
                }
                Self::Restore(limiter, bytes) => {
                    let limiter = state.handle(limiter);
                    checked(sluice_limiter_restore(limiter, bytes.as_ptr(), length(bytes)));
                }
                Self::RestoreOwn(limiter, at, change) => {
                    let mut bytes = state.snapshot.clone();
                    let at = usize::from(at) % bytes.len().max(1);
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= change;
                    }
                    let limiter = state.handle(limiter);
                    checked(sluice_limiter_restore(limiter, bytes.as_ptr(), length(&bytes)));
                }
            }
        }
    }
}

fn open(state: &mut State, text: &str, config: &[f64], clock: u32) {
    let (numbers, count) = (config.as_ptr(), config.len() as u32);
    // SAFETY: pointers and lengths come from live slices.
    let opened =
        unsafe { sluice_limiter_open(text.as_ptr(), text.len() as u32, numbers, count, clock) };
    state.opened(opened);
}
