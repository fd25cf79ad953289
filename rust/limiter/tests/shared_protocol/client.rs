//! A process that talks to the reference store directly, for tests of the protocol.

use sluice_limiter::shared::message::{
    LimitGrant, LimitReport, Reply, SyncReply, SyncRequest, Waiter, WaiterResult, WireKind,
    WireLimit,
};
use sluice_limiter::shared::store::Store;

pub(crate) const KEY: &str = "sluice:1:{7}:tenants:a";
pub(crate) const EPOCH: &str = "sluice:1:{7}:epoch";
pub(crate) const SECOND: u64 = 1_000_000;
pub(crate) const LEASE: u64 = 2 * SECOND;
/// When the tests begin, by the server.
pub(crate) const START: u64 = 1_800_000_000 * SECOND;

/// `quanta` a second, of which `capacity` fit.
pub(crate) fn rate(name: &str, capacity: u64, quanta: u64) -> LimitReport {
    report(name, WireKind::Rate { quanta, us: SECOND }, capacity)
}

/// `capacity` in windows of ten seconds.
pub(crate) fn quota(name: &str, capacity: u64, now: u64) -> LimitReport {
    let start_us = now - now % (10 * SECOND);
    let (end_us, next_end_us) = (start_us + 10 * SECOND, start_us + 20 * SECOND);
    report(name, WireKind::Quota { start_us, end_us, next_end_us }, capacity)
}

pub(crate) fn concurrency(name: &str, capacity: u64) -> LimitReport {
    report(name, WireKind::Concurrency, capacity)
}

fn report(name: &str, kind: WireKind, capacity: u64) -> LimitReport {
    let limit = WireLimit { kind, capacity: Some(capacity) };
    LimitReport { name: name.into(), limit, spent: 0, debt: 0, bind: 0, want: 0, restore: 0 }
}

/// Those who wait and are charged: one cost for each limit.
pub(crate) fn takes(costs: &[&[u64]]) -> Vec<Waiter> {
    let waiter = |costs: &&[u64]| Waiter { is_reservation: false, costs: costs.to_vec() };
    costs.iter().map(waiter).collect()
}

/// A request of a process.
pub(crate) fn request(process: &str, seq: u64, limits: Vec<LimitReport>) -> SyncRequest {
    SyncRequest {
        is_peek: false,
        process: process.into(),
        seq,
        lease_us: LEASE,
        is_leaving: false,
        epoch: 0,
        is_strict: false,
        config: "config".into(),
        limits,
        waiters: Vec::new(),
    }
}

/// Runs a request and decodes the reply.
pub(crate) fn ask(store: &mut Store, request: &SyncRequest, now: u64) -> Reply {
    let text = store.run(KEY, EPOCH, &request.encode(), now);
    Reply::decode(&text, request.limits.len(), request.waiters.len()).expect("a reply")
}

/// Runs a request that is served.
pub(crate) fn sync(store: &mut Store, request: &SyncRequest, now: u64) -> SyncReply {
    match ask(store, request, now) {
        Reply::Synced(reply) => reply,
        other => panic!("not served: {other:?}"),
    }
}

/// What is left of each limit: a process that holds nothing looks.
pub(crate) fn fills(store: &mut Store, limits: &[LimitReport], now: u64) -> Vec<u64> {
    let mut request = request("observer", 1, limits.to_vec());
    request.is_peek = true;
    sync(store, &request, now).limits.iter().map(|limit| limit.fill).collect()
}

pub(crate) fn granted(reply: &SyncReply) -> Vec<u64> {
    reply.limits.iter().map(|&LimitGrant { granted, .. }| granted).collect()
}

pub(crate) fn is_admitted(reply: &SyncReply) -> Vec<bool> {
    reply.results.iter().map(|&result| result == WaiterResult::Admitted).collect()
}
