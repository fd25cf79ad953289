//! Statistics and events of pools as they cross: arrays of numbers by position, with the ids apart.

use sluice_pool::{Event, EventKind, Pool, State};

use crate::pool::registry;
use crate::seam::boundary::boundary;
use crate::seam::failure::{Failure, count};
use crate::seam::slice;

/// How many numbers `sluice_pool_stats` writes before those of the upstreams.
pub const SLUICE_POOL_STATS: u32 = 14;
/// How many numbers each upstream has there.
pub const SLUICE_POOL_UPSTREAM_STATS: u32 = 12;
/// How many numbers each event of `sluice_pool_events` has.
pub const SLUICE_POOL_EVENT: u32 = 4;
/// Event: failures ejected an upstream. `VALUE` is for how many milliseconds.
pub const SLUICE_EVENT_EJECTED: u32 = 1;
/// Event: an upstream asked for rest. `VALUE` is for how many milliseconds.
pub const SLUICE_EVENT_COOLING: u32 = 2;
/// Event: an upstream is back, because a probe succeeded or the rest that it asked for is over.
pub const SLUICE_EVENT_RECOVERED: u32 = 3;
/// Event: a lease expired.
pub const SLUICE_EVENT_EXPIRED: u32 = 4;
/// Event: a member ended without closing. `VALUE` is how many leases it held, and `OTHER` how many waiters it had.
pub const SLUICE_EVENT_REAPED: u32 = 5;
/// Event: older events were dropped before they were read. `VALUE` is how many.
pub const SLUICE_EVENT_MISSED: u32 = 6;

const _: () = assert!(SLUICE_EVENT_EJECTED == EventKind::Ejected as u32);
const _: () = assert!(SLUICE_EVENT_COOLING == EventKind::Cooling as u32);
const _: () = assert!(SLUICE_EVENT_RECOVERED == EventKind::Recovered as u32);
const _: () = assert!(SLUICE_EVENT_EXPIRED == EventKind::Expired as u32);
const _: () = assert!(SLUICE_EVENT_REAPED == EventKind::Reaped as u32);
const _: () = assert!(SLUICE_EVENT_MISSED == EventKind::Missed as u32);

/// Indices of the statistics of a pool.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluicePoolStat {
    /// The length of all ids, in bytes.
    IdBytes,
    /// Leases in use, over all upstreams and members.
    InFlight,
    /// How many may be in use.
    MaxInFlight,
    /// Waiters of all members.
    Waiting,
    /// Members of the pool.
    Members,
    /// Leases in use that belong to this member.
    OwnInFlight,
    /// Leases granted since the pool was opened.
    Granted,
    /// Of those, leases granted to a waiter.
    HandedOver,
    /// Waits that ended because their time ran out.
    TimedOut,
    /// Acquires refused because the queue was full.
    Refused,
    /// Waits that were cancelled.
    Cancelled,
    /// Leases that expired.
    Expired,
    /// Leases that members held when they ended without closing.
    Reaped,
    /// Ejections by failures.
    Ejections,
}

const _: () = assert!(SLUICE_POOL_STATS == SluicePoolStat::Ejections as u32 + 1);

/// Indices of the statistics of each upstream.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluicePoolUpstreamStat {
    /// The length of its id, in bytes.
    IdBytes,
    /// A `SLUICE_UPSTREAM_STATE_*` value.
    State,
    /// Whether it gets no new leases, 0 or 1.
    Draining,
    /// Its leases in use.
    InFlight,
    /// How many may be in use.
    MaxInFlight,
    /// How many may be in use now, which is less with an adaptive limit.
    Limit,
    /// Its share of the load.
    Weight,
    /// Its tier.
    Tier,
    /// Leases granted since it was added.
    Granted,
    /// Failures reported since it was added.
    Failed,
    /// Failures since its last success.
    FailuresInARow,
    /// How long it rests from now on, in milliseconds.
    RestsForMs,
}

const _: () = assert!(SLUICE_POOL_UPSTREAM_STATS == SluicePoolUpstreamStat::RestsForMs as u32 + 1);

/// States of an upstream.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluiceUpstreamState {
    /// In use.
    Healthy,
    /// Taken out of use by failures.
    Ejected,
    /// Waiting for, or under, the lease that decides whether it is back.
    Probing,
    /// Resting because it asked to.
    Cooling,
}

/// Indices of the numbers of an event.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluicePoolEvent {
    /// The kind: a `SLUICE_EVENT_*` constant.
    Kind,
    /// The length of the upstream's id, in bytes.
    IdBytes,
    /// The first number of the event.
    Value,
    /// The second number of the event.
    Other,
}

const _: () = assert!(SLUICE_POOL_EVENT == SluicePoolEvent::Other as u32 + 1);

/// Writes `SLUICE_POOL_STATS` numbers and `SLUICE_POOL_UPSTREAM_STATS` for each upstream, and returns how many there
/// are. Writes the ids of the upstreams to `ids`, concatenated. What does not fit is left out. O(upstreams).
///
/// # Safety
/// `out` points to `out_cap` writable numbers and `ids` to `ids_cap` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_pool_stats(
    pool: u32,
    out: *mut f64,
    out_cap: u32,
    ids: *mut u8,
    ids_cap: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let (out, ids) = unsafe { outputs((out, out_cap), (ids, ids_cap)) }?;
        registry::with(pool, |shared, member, now| {
            shared.pool.tick(now);
            let (numbers, text) = stats(&shared.pool, member);
            slice::write(&numbers, out);
            slice::write(text.as_bytes(), ids);
            count(numbers.len())
        })
    })
}

/// Writes the events that this handle has not read yet, as many as fit, and returns how many they are. Writes the ids
/// of their upstreams to `ids`, concatenated. An event without an upstream has 0 bytes there. O(events).
///
/// # Safety
/// `out` points to `out_cap` writable numbers and `ids` to `ids_cap` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_pool_events(
    pool: u32,
    out: *mut f64,
    out_cap: u32,
    ids: *mut u8,
    ids_cap: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let (out, mut ids) = unsafe { outputs((out, out_cap), (ids, ids_cap)) }?;
        registry::with(pool, |shared, member, now| {
            shared.pool.tick(now);
            let mut events = 0;
            for row in out.chunks_exact_mut(SLUICE_POOL_EVENT as usize) {
                let room = ids.len();
                let fits =
                    |event: &Event| event.upstream.as_ref().is_none_or(|id| id.len() <= room);
                let Some(event) = shared.pool.next_event(member, fits) else { break };
                let id = event.upstream.as_deref().unwrap_or_default();
                let (here, rest) = std::mem::take(&mut ids).split_at_mut(id.len());
                here.copy_from_slice(id.as_bytes());
                ids = rest;
                row[SluicePoolEvent::Kind as usize] = f64::from(event.kind as u32);
                row[SluicePoolEvent::IdBytes as usize] = id.len() as f64;
                row[SluicePoolEvent::Value as usize] = event.value as f64;
                row[SluicePoolEvent::Other as usize] = event.other as f64;
                events += 1;
            }
            count(events)
        })
    })
}

/// Buffers for numbers and for ids.
///
/// # Safety
/// As [`slice::output`], for both.
unsafe fn outputs<'a>(
    (out, out_cap): (*mut f64, u32),
    (ids, ids_cap): (*mut u8, u32),
) -> Result<(&'a mut [f64], &'a mut [u8]), Failure> {
    // SAFETY: the caller's contract.
    let out = unsafe { slice::output("out", out, out_cap, &[] as &[u8]) }?;
    // SAFETY: the caller's contract; that the two do not overlap is checked.
    let ids = unsafe { slice::output("ids", ids, ids_cap, out) }?;
    Ok((out, ids))
}

/// The numbers of a pool, and the ids of its upstreams.
fn stats(pool: &Pool, member: u32) -> (Vec<f64>, String) {
    let counts = pool.counts();
    let (in_flight, own, waiting) = pool.in_use(member);
    let mut numbers = vec![0.0; SLUICE_POOL_STATS as usize];
    for (stat, number) in [
        (SluicePoolStat::InFlight, in_flight.into()),
        (SluicePoolStat::MaxInFlight, pool.settings().max_in_flight.into()),
        (SluicePoolStat::Waiting, waiting.into()),
        (SluicePoolStat::Members, pool.members() as u64),
        (SluicePoolStat::OwnInFlight, own.into()),
        (SluicePoolStat::Granted, counts.granted),
        (SluicePoolStat::HandedOver, counts.handed_over),
        (SluicePoolStat::TimedOut, counts.timed_out),
        (SluicePoolStat::Refused, counts.refused),
        (SluicePoolStat::Cancelled, counts.cancelled),
        (SluicePoolStat::Expired, counts.expired),
        (SluicePoolStat::Reaped, counts.reaped),
        (SluicePoolStat::Ejections, counts.ejections),
    ] {
        numbers[stat as usize] = number as f64;
    }
    let mut ids = String::new();
    for upstream in pool.upstreams() {
        ids.push_str(&upstream.id);
        let state = match upstream.state {
            State::Healthy => SluiceUpstreamState::Healthy,
            State::Resting(_) if upstream.ejected => SluiceUpstreamState::Ejected,
            State::Probation(_) => SluiceUpstreamState::Probing,
            State::Resting(_) => SluiceUpstreamState::Cooling,
        };
        let mut row = [0.0; SLUICE_POOL_UPSTREAM_STATS as usize];
        for (stat, number) in [
            (SluicePoolUpstreamStat::IdBytes, upstream.id.len() as f64),
            (SluicePoolUpstreamStat::State, f64::from(state as u32)),
            (SluicePoolUpstreamStat::Draining, f64::from(u8::from(upstream.draining))),
            (SluicePoolUpstreamStat::InFlight, f64::from(upstream.in_flight)),
            (SluicePoolUpstreamStat::MaxInFlight, f64::from(upstream.max_in_flight)),
            (SluicePoolUpstreamStat::Limit, f64::from(upstream.limit)),
            (SluicePoolUpstreamStat::Weight, upstream.weight),
            (SluicePoolUpstreamStat::Tier, f64::from(upstream.tier)),
            (SluicePoolUpstreamStat::Granted, upstream.granted as f64),
            (SluicePoolUpstreamStat::Failed, upstream.failed as f64),
            (SluicePoolUpstreamStat::FailuresInARow, f64::from(upstream.failures_in_a_row)),
            (SluicePoolUpstreamStat::RestsForMs, upstream.rests_for as f64),
        ] {
            row[stat as usize] = number;
        }
        numbers.extend(row);
    }
    numbers[SluicePoolStat::IdBytes as usize] = ids.len() as f64;
    (numbers, ids)
}
