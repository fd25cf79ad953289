//! Recorded faults of the pool that sluice replaces, and of other pools: each is a test here, named
//! after the fault.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod descent;
mod health;
mod ledger;

use sluice_pool::{Acquired, LeaseId, Millis, Pool, Settings, UpstreamSettings, WaiterId};

fn upstream(max_in_flight: u32) -> UpstreamSettings {
    UpstreamSettings { max_in_flight, weight: 1.0, tier: 0 }
}

/// A pool of two members with upstreams of these caps.
fn pool(caps: &[u32], settings: Settings) -> Pool {
    let mut pool = Pool::new(settings);
    for (i, &cap) in caps.iter().enumerate() {
        pool.add_upstream(&format!("upstream {i}"), upstream(cap), 0).expect("room");
    }
    assert_eq!((pool.join(10), pool.join(11)), (Ok(0), Ok(1)));
    pool
}

fn lease(pool: &mut Pool, now: Millis) -> LeaseId {
    pool.acquire(0, None, now).expect("a free lease")
}

fn enqueue(pool: &mut Pool, member: u32, timeout: Millis, now: Millis) -> WaiterId {
    match pool.wait(member, None, 0, timeout, now) {
        Ok(Acquired::Queued(waiter)) => waiter,
        other => panic!("{other:?}"),
    }
}

fn in_flight(pool: &Pool) -> u32 {
    pool.in_use(0).0
}
