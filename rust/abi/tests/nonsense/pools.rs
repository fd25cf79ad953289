//! Pools that are opened and called with arbitrary numbers.

use sluice::pool::bell::{sluice_bell_next, sluice_bell_want};
use sluice::pool::codec::{SLUICE_LEASE_NEWS, SLUICE_LEASE_WAITER};
use sluice::pool::lease::{
    sluice_lease_acquire, sluice_lease_acquire_batch, sluice_lease_confirm, sluice_lease_release,
    sluice_lease_release_batch, sluice_lease_renew,
};
use sluice::pool::stats::{sluice_pool_events, sluice_pool_stats};
use sluice::pool::upstream::{sluice_upstream_add, sluice_upstream_change, sluice_upstream_remove};
use sluice::pool::waiter::{sluice_waiter_cancel, sluice_waiter_collect};
use sluice::pool::{sluice_pool_close, sluice_pool_open, sluice_pool_resize, sluice_pool_retire};

use crate::{Call, calm, picked};

/// A pool of two upstreams.
const SETTINGS: [f64; 21] = [
    3.0, 10.0, 5000.0, 50.0, 10.0, 5.0, 0.5, 20.0, 1e4, 3e4, 0.5, 0.0, 0.5, //
    2.0, 1.0, 0.0, 1.0, //
    1.0, 2.0, 1.0, 1.0,
];

fn pool(name: &str, call: &Call) -> i32 {
    let settings = call.spoil(&SETTINGS);
    // SAFETY: pointers and lengths come from live values.
    unsafe {
        sluice_pool_open(
            name.as_ptr(),
            name.len() as u32,
            settings.as_ptr(),
            settings.len() as u32,
            b"ab".as_ptr(),
            2,
        )
    }
}

/// The handles and ids of open pools.
#[derive(Default)]
pub(crate) struct Pools {
    pub(crate) handles: Vec<f64>,
    pub(crate) leases: Vec<f64>,
    waiters: Vec<f64>,
}

impl Pools {
    pub(crate) fn call(&mut self, call: &Call, at: usize) {
        let n = &call.numbers[..];
        let handle = picked(&self.handles, call) as u32;
        let (lease, waiter) = (picked(&self.leases, call), picked(&self.waiters, call));
        let id = [b"a", b"b", b"c"][call.pick % 3];
        let prefer = n[1] as i32;
        let (mut out, mut ids) = ([0.0f64; 64], [0u8; 9]);
        let room = (call.pick % 9) as u32;
        // SAFETY: pointers and lengths come from live values.
        unsafe {
            match call.which {
                0 | 1 => {
                    let opened = calm(pool(&format!("nonsense {}", at % 3), call), call);
                    if opened > 0 {
                        self.handles.push(f64::from(opened));
                    }
                }
                2..=7 => {
                    let timeout = [-1.0, 0.0, 5.0, n[3]][call.pick % 4];
                    let got =
                        calm(sluice_lease_acquire(handle, prefer, n[2] as i32, timeout), call);
                    if got >= SLUICE_LEASE_WAITER {
                        self.waiters.push(got);
                    } else if got > 0.0 {
                        self.leases.push(got % SLUICE_LEASE_NEWS);
                    }
                }
                8 => {
                    calm(sluice_lease_acquire_batch(handle, prefer, out.as_mut_ptr(), 3), call);
                }
                9..=13 => {
                    calm(sluice_lease_release(handle, lease, (call.pick % 5) as u32, n[1]), call);
                }
                14 => {
                    let leases = [lease, n[1], lease];
                    calm(sluice_lease_release_batch(handle, leases.as_ptr(), 3), call);
                }
                15 => {
                    calm(sluice_lease_renew(handle, lease), call);
                }
                16 => {
                    calm(sluice_lease_confirm(handle, lease), call);
                }
                17..=19 => {
                    calm(sluice_waiter_collect(handle, out.as_mut_ptr(), room), call);
                    self.leases.extend([out[1], out[3]].map(|n| n % SLUICE_LEASE_NEWS));
                }
                20 => {
                    calm(sluice_waiter_cancel(handle, waiter), call);
                }
                21 => {
                    calm(sluice_bell_next(handle), call);
                    calm(sluice_bell_want(handle), call);
                }
                22 => {
                    calm(sluice_pool_resize(handle, n[1] as u32), call);
                }
                23 => {
                    let ids = ids.as_mut_ptr();
                    calm(sluice_pool_stats(handle, out.as_mut_ptr(), 64, ids, room), call);
                }
                24 => {
                    let ids = ids.as_mut_ptr();
                    calm(sluice_pool_events(handle, out.as_mut_ptr(), 64, ids, room), call);
                }
                25 => {
                    calm(sluice_upstream_add(handle, id.as_ptr(), 1, n[1], n[2], n[3]), call);
                }
                26 => {
                    calm(sluice_upstream_remove(handle, id.as_ptr(), 1), call);
                }
                27 => {
                    let setting = (call.pick % 5) as u32;
                    calm(sluice_upstream_change(handle, id.as_ptr(), 1, setting, n[1]), call);
                }
                28 => {
                    calm(sluice_pool_retire(handle), call);
                }
                _ => {
                    calm(sluice_pool_close(handle), call);
                }
            }
        }
    }
}
