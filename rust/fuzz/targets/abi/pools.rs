//! Calls about pools, their upstreams, leases, waiters and bells, and about the library.

use arbitrary::Arbitrary;
use sluice::pool::codec::SLUICE_LEASE_NEWS;
use sluice::pool::stats::{sluice_pool_events, sluice_pool_stats};
use sluice::pool::chores::SLUICE_CHORES;
use sluice::pool::bell::{sluice_bell_next, sluice_bell_want};
use sluice::pool::sharing::{
    sluice_pool_due, sluice_pool_fail, sluice_pool_leave, sluice_pool_receive, sluice_pool_send,
    sluice_pool_sharing,
};
use sluice::pool::lease::{sluice_lease_acquire, sluice_lease_acquire_batch, sluice_lease_confirm, sluice_lease_release, sluice_lease_release_batch, sluice_lease_renew};
use sluice::process::library::{
    sluice_library_cpu_features, sluice_library_last_error,
    sluice_library_last_error_detail, sluice_library_version,
};
use sluice::pool::{sluice_pool_close, sluice_pool_open, sluice_pool_resize, sluice_pool_retire};
use sluice::process::thread::sluice_thread_enter;
use sluice::pool::upstream::{
    sluice_upstream_add, sluice_upstream_change, sluice_upstream_find, sluice_upstream_id,
    sluice_upstream_remove,
};
use sluice::pool::waiter::{sluice_waiter_cancel, sluice_waiter_collect};

use crate::state::{Handle, Number, State, checked, room};

#[derive(Arbitrary, Debug)]
pub(crate) enum Call<'a> {
    Open(&'a [u8], Vec<Number>, &'a [u8]),
    /// With settings that are some: two upstreams, adaptive limits or fixed ones.
    OpenGood(u8, [Number; 3]),
    /// As above, shared with other processes.
    OpenShared(u8, [Number; 3], [Number; 2]),
    Send(Handle, u32, u8),
    Receive(Handle, &'a [u8]),
    /// A reply to the newest call of a pool with some upstreams in it.
    Reply(Handle, u8, Vec<u32>),
    Fail(Handle, Number),
    Due(Handle, u32),
    Leave(Handle, u8, u8),
    Sharing(Handle, u8),
    Close(Handle),
    Retire(Handle),
    Resize(Handle, u32),
    Stats(Handle, u8, u8),
    Events(Handle, u8, u8),
    Acquire(Handle, i32, i32, Number),
    AcquireBatch(Handle, i32, u8),
    Release(Handle, Number, u8, Number),
    ReleaseBatch(Handle, Vec<Number>),
    Renew(Handle, Number),
    Confirm(Handle, Number),
    Collect(Handle, u8),
    Cancel(Handle, Number),
    BellNext(Handle),
    BellWant(Handle),
    UpstreamAdd(Handle, &'a [u8], [Number; 3]),
    UpstreamRemove(Handle, &'a [u8]),
    UpstreamChange(Handle, &'a [u8], u8, Number),
    UpstreamFind(Handle, &'a [u8]),
    UpstreamId(Handle, u32, u8),
    Library(u8, u8),
    /// Another program begins in this thread.
    Enter(u8),
}

fn good(pool: u8, [aging, ttl, cooldown]: [f64; 3]) -> [f64; 21] {
    let adaptive = f64::from(pool & 1);
    [
        4.0, 8.0, aging, ttl, 5.0, 3.0, 0.5, 5.0, 100.0, cooldown, 0.5, adaptive,
        0.5, // the pool
        2.0, 1.0, 0.0, 1.0, // the upstream "a"
        2.0, 2.0, 1.0, 1.0, // the upstream "b"
    ]
}

impl Call<'_> {
    pub(crate) fn run(&self, state: &mut State) {
        let length = |bytes: &[u8]| bytes.len() as u32;
        // SAFETY: pointers, lengths and capacities come from live buffers, all of them.
        unsafe {
            match *self {
                Self::Open(name, ref settings, ids) => {
                    open(state, name, &state.numbers(settings), ids);
                }
                Self::OpenGood(name, numbers) => {
                    let settings = good(name, numbers.map(|number| state.number(number)));
                    open(state, &[b'g', name & 3], &settings, b"ab");
                }
                Self::OpenShared(name, numbers, [lease, timeout]) => {
                    let settings = good(name, numbers.map(|number| state.number(number)));
                    let (lease, timeout) = (state.number(lease), state.number(timeout));
                    let sharing = [lease, timeout, 2.0, f64::from(name % 3), 1.0, 0.0, 0.0];
                    open(state, &[b's', name & 3], &[&settings[..], &sharing].concat(), b"ab");
                }
                Self::Send(pool, asked, capacity) => {
                    let mut out: Vec<u8> = room(capacity);
                    let (at, cap) = (out.as_mut_ptr(), length(&out));
                    checked(sluice_pool_send(state.handle(pool), asked, at, cap));
                }
                Self::Receive(pool, reply) => {
                    let (at, count) = (reply.as_ptr(), length(reply));
                    checked(sluice_pool_receive(state.handle(pool), at, count));
                }
                Self::Reply(pool, seq, ref numbers) => {
                    let mut reply = format!("ok {seq}");
                    for number in numbers {
                        reply.push_str(&format!(" {number}"));
                    }
                    let (at, count) = (reply.as_ptr(), reply.len() as u32);
                    checked(sluice_pool_receive(state.handle(pool), at, count));
                }
                Self::Fail(pool, seq) => {
                    let seq = state.number(seq);
                    checked(sluice_pool_fail(state.handle(pool), seq));
                }
                Self::Due(pool, asked) => {
                    checked(sluice_pool_due(state.handle(pool), asked));
                }
                Self::Leave(pool, how, capacity) => {
                    let mut out: Vec<u8> = room(capacity);
                    let (at, cap) = (out.as_mut_ptr(), length(&out));
                    checked(sluice_pool_leave(state.handle(pool), (how % 3).into(), at, cap));
                }
                Self::Sharing(pool, capacity) => {
                    let mut out = room(capacity);
                    let (at, cap) = (out.as_mut_ptr(), out.len() as u32);
                    checked(sluice_pool_sharing(state.handle(pool), at, cap));
                }
                Self::Close(pool) => {
                    checked(sluice_pool_close(state.handle(pool)));
                }
                Self::Retire(pool) => {
                    checked(sluice_pool_retire(state.handle(pool)));
                }
                Self::Resize(pool, most) => {
                    checked(sluice_pool_resize(state.handle(pool), most));
                }
                Self::Stats(pool, numbers, ids) | Self::Events(pool, numbers, ids) => {
                    let read = if matches!(self, Self::Stats(..)) {
                        sluice_pool_stats
                    } else {
                        sluice_pool_events
                    };
                    let (mut out, mut text) = (room(numbers), room(ids));
                    let (at, cap) = (out.as_mut_ptr(), out.len() as u32);
                    checked(read(state.handle(pool), at, cap, text.as_mut_ptr(), length(&text)));
                }
                Self::Acquire(pool, prefer, priority, timeout) => {
                    let (pool, timeout) = (state.handle(pool), state.number(timeout));
                    let lease = sluice_lease_acquire(pool, prefer, priority, timeout);
                    if state.given(lease) > 0.0 {
                        state.keep(lease % SLUICE_LEASE_NEWS);
                    }
                }
                Self::AcquireBatch(pool, prefer, capacity) => {
                    let mut out = room(capacity);
                    let (at, cap) = (out.as_mut_ptr(), out.len() as u32);
                    let pool = state.handle(pool);
                    if checked(sluice_lease_acquire_batch(pool, prefer, at, cap)) > 0 {
                        state.keep(out[0] % SLUICE_LEASE_NEWS);
                    }
                }
                Self::Release(pool, lease, outcome, rest) => {
                    let (lease, rest) = (state.number(lease), state.number(rest));
                    let pool = state.handle(pool);
                    checked(sluice_lease_release(pool, lease, (outcome % 5).into(), rest));
                }
                Self::ReleaseBatch(pool, ref leases) => {
                    let leases = state.numbers(leases);
                    let (at, many) = (leases.as_ptr(), leases.len() as u32);
                    checked(sluice_lease_release_batch(state.handle(pool), at, many));
                }
                Self::Renew(pool, lease) => {
                    checked(sluice_lease_renew(state.handle(pool), state.number(lease)));
                }
                Self::Confirm(pool, lease) => {
                    checked(sluice_lease_confirm(state.handle(pool), state.number(lease)));
                }
                Self::Collect(pool, capacity) => {
                    let mut out = room(capacity);
                    let (at, cap) = (out.as_mut_ptr(), out.len() as u32);
                    let collected = checked(sluice_waiter_collect(state.handle(pool), at, cap));
                    if collected >= SLUICE_CHORES.cast_signed() && out[1] > 0.0 {
                        state.keep(out[1] % SLUICE_LEASE_NEWS);
                    }
                }
                Self::Cancel(pool, waiter) => {
                    checked(sluice_waiter_cancel(state.handle(pool), state.number(waiter)));
                }
                Self::BellNext(pool) => {
                    checked(sluice_bell_next(state.handle(pool)));
                }
                Self::BellWant(pool) => {
                    checked(sluice_bell_want(state.handle(pool)));
                }
                Self::UpstreamAdd(pool, id, numbers) => {
                    let [most, weight, tier] = numbers.map(|number| state.number(number));
                    let (pool, size) = (state.handle(pool), length(id));
                    checked(sluice_upstream_add(pool, id.as_ptr(), size, most, weight, tier));
                }
                Self::UpstreamRemove(pool, id) => {
                    let pool = state.handle(pool);
                    checked(sluice_upstream_remove(pool, id.as_ptr(), length(id)));
                }
                Self::UpstreamChange(pool, id, setting, value) => {
                    let (pool, value) = (state.handle(pool), state.number(value));
                    let (size, setting) = (length(id), u32::from(setting % 5));
                    checked(sluice_upstream_change(pool, id.as_ptr(), size, setting, value));
                }
                Self::UpstreamFind(pool, id) => {
                    let pool = state.handle(pool);
                    checked(sluice_upstream_find(pool, id.as_ptr(), length(id)));
                }
                Self::UpstreamId(pool, index, capacity) => {
                    let mut out = room(capacity);
                    let (at, cap) = (out.as_mut_ptr(), length(&out));
                    checked(sluice_upstream_id(state.handle(pool), index, at, cap));
                }
                Self::Enter(what) => {
                    checked(sluice_thread_enter((what % 4).into()));
                }
                Self::Library(which, capacity) => {
                    let mut out = room(capacity);
                    let read = [
                        sluice_library_last_error,
                        sluice_library_version,
                        sluice_library_cpu_features,
                    ][usize::from(which) % 3];
                    checked(read(out.as_mut_ptr(), length(&out)));
                    let mut numbers = vec![0.0; usize::from(which % 8)];
                    let (at, capacity) = (numbers.as_mut_ptr(), numbers.len() as u32);
                    checked(sluice_library_last_error_detail(at, capacity));
                }
            }
        }
    }
}

fn open(state: &mut State, name: &[u8], settings: &[f64], ids: &[u8]) {
    let (numbers, count) = (settings.as_ptr(), settings.len() as u32);
    let (name_len, ids_len) = (name.len() as u32, ids.len() as u32);
    // SAFETY: pointers and lengths come from live slices.
    let opened =
        unsafe { sluice_pool_open(name.as_ptr(), name_len, numbers, count, ids.as_ptr(), ids_len) };
    state.opened(opened);
}
