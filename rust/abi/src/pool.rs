//! Pools of upstreams: opened by name, shared by all Workers.

use sluice_pool::{Adaptive, Event, EventKind, HealthSettings, Pool, Settings, State};

use crate::boundary::boundary;
use crate::clock::coarse_millis;
use crate::pools::{self, Shared, chores};
use crate::slice;
use crate::status::{Failure, SluiceStatus, count, quoted};
use crate::upstream::{check_id, settings as upstream_settings};

/// Numbers before those of the upstreams in the settings of `sluice_pool_open`.
pub const SLUICE_POOL_SETTINGS: u32 = 13;
/// Numbers of each upstream there: most in flight, weight, tier, bytes of its id.
pub const SLUICE_POOL_UPSTREAM_SETTINGS: u32 = 4;
/// The name of a pool is so many bytes at most.
pub const SLUICE_POOL_NAME: u32 = 1_048_576;
/// Numbers before those of the upstreams that `sluice_pool_stats` writes.
pub const SLUICE_POOL_STATS: u32 = 14;
/// Numbers of each upstream there: bytes of its id, state (0 healthy, 1 ejected, 2 on probation, 3 resting
/// because it asked to), draining, in flight, most in flight, limit, weight, tier, granted, failed, failures in a row, rest.
pub const SLUICE_POOL_UPSTREAM_STATS: u32 = 12;
/// Numbers of each event of `sluice_pool_events`: kind, bytes of the upstream's id, and two more.
pub const SLUICE_POOL_EVENT: u32 = 4;
/// Failures ejected an upstream, for so many milliseconds.
pub const SLUICE_EVENT_EJECTED: u32 = 1;
/// An upstream asked for rest, of so many milliseconds.
pub const SLUICE_EVENT_COOLING: u32 = 2;
/// An upstream is back: a probe succeeded, or a rest that it asked for is over.
pub const SLUICE_EVENT_RECOVERED: u32 = 3;
/// A lease outlived its time.
pub const SLUICE_EVENT_EXPIRED: u32 = 4;
/// A member left so many leases and so many places in line behind.
pub const SLUICE_EVENT_REAPED: u32 = 5;
/// So many events were forgotten before they were read.
pub const SLUICE_EVENT_MISSED: u32 = 6;

const _: () = assert!(SLUICE_EVENT_EJECTED == EventKind::Ejected as u32);
const _: () = assert!(SLUICE_EVENT_MISSED == EventKind::Missed as u32);

/// The settings by their names in TypeScript, in order.
const NAMES: [&str; SLUICE_POOL_SETTINGS as usize] = [
    "maxInFlight",
    "queue.max",
    "queue.agingMs",
    "leaseTtlMs",
    "claimMs",
    "health.failures",
    "health.failureRate",
    "health.minResults",
    "health.windowMs",
    "health.cooldownMs",
    "health.maxEjected",
    "adaptive.min",
    "adaptive.backoff",
];

/// Opens the pool `name` (UTF-8), or joins it if it is open, and returns a handle.
///
/// `settings` are `SLUICE_POOL_SETTINGS` numbers (most in flight, most waiting, ageing, lifetime of
/// a lease, time to collect one, failures in a row, failure rate, least results, window, cooldown,
/// largest share ejected, least adaptive limit or 0 for fixed ones, backoff) and
/// `SLUICE_POOL_UPSTREAM_SETTINGS` for each upstream; times are milliseconds. `ids` are the ids of
/// the upstreams one after the other. O(settings).
///
/// Any thread may use the handle; it lives until it is closed or the thread that opened it ends,
/// and then its leases come back and its places in line are given up. Fails with `POOL_MISMATCH` if
/// the pool was opened with other settings, `DUPLICATE_UPSTREAM`, `POOL_TOO_LARGE`, and
/// `TOO_MANY_HANDLES`.
///
/// # Safety
/// `name`, `settings` and `ids` point to as many readable elements as is said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_pool_open(
    name: *const u8,
    name_len: u32,
    settings: *const f64,
    settings_len: u32,
    ids: *const u8,
    ids_len: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let (name, settings, ids) = unsafe {
            (
                slice::text("name", name, name_len)?,
                slice::input("settings", settings, settings_len)?,
                slice::text("ids", ids, ids_len)?,
            )
        };
        if name.len() > SLUICE_POOL_NAME as usize {
            let length = name.len();
            return Err(Failure::argument(format!(
                "name is {length} bytes, more than {SLUICE_POOL_NAME}"
            )));
        }
        pools::open(
            name,
            |shared| match difference(shared, settings, ids) {
                None => Ok(()),
                Some(what) => Err(Failure::new(
                    SluiceStatus::PoolMismatch,
                    format!("pool {} is open with other options: {what}", quoted(name)),
                )),
            },
            || Ok((make(settings, ids)?, settings.to_vec(), ids.into())),
        )
    })
}

/// Closes a handle once its leases are back; returns how many are not. From the first call on it is
/// given no new ones, and its places in line are given up. Amortised O(1). The last handle takes
/// the pool along.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_pool_close(pool: u32) -> i32 {
    boundary(|| {
        let leases = pools::with(pool, |shared, member, now| Ok(shared.pool.leave(member, now)))?;
        if leases == 0 {
            pools::close(pool)?;
        }
        count(leases as usize)
    })
}

/// From now on this handle is given no new leases, except for who is in line already; returns how
/// many it has. O(1).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_pool_retire(pool: u32) -> i32 {
    boundary(|| pools::with(pool, |shared, member, _| count(shared.pool.retire(member) as usize)))
}

/// Sets how many leases may be in use over all upstreams; returns a sum of `SLUICE_CHORE_*`.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_pool_resize(pool: u32, max_in_flight: u32) -> i32 {
    boundary(|| {
        let max = upstream_settings(f64::from(max_in_flight), 1.0, 0.0)?.max_in_flight;
        pools::with(pool, |shared, member, now| {
            shared.pool.set_max_in_flight(max, now);
            Ok(chores(shared, member))
        })
    })
}

/// Writes `SLUICE_POOL_STATS` numbers (bytes of all ids, in flight, most in flight,
/// waiting, members, own in flight, granted, handed over, timed out, refused, cancelled, expired,
/// reaped, ejections) and `SLUICE_POOL_UPSTREAM_STATS` for each upstream; returns how many. `ids` are
/// the ids of the upstreams one after the other. What does not fit is left out. O(upstreams).
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
        pools::with(pool, |shared, member, now| {
            shared.pool.tick(now);
            let (numbers, text) = stats(&shared.pool, member);
            let fits = numbers.len().min(out.len());
            out[..fits].copy_from_slice(&numbers[..fits]);
            let fits = text.len().min(ids.len());
            ids[..fits].copy_from_slice(&text.as_bytes()[..fits]);
            count(numbers.len())
        })
    })
}

/// Writes the events that this handle was not told yet, as many as fit, and returns how many. `ids`
/// are the ids of their upstreams one after the other; those that are about none have 0 bytes there.
/// O(events).
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
        pools::with(pool, |shared, member, now| {
            shared.pool.tick(now);
            let mut told = 0;
            for place in out.chunks_exact_mut(SLUICE_POOL_EVENT as usize) {
                let room = ids.len();
                let fits =
                    |event: &Event| event.upstream.as_ref().is_none_or(|id| id.len() <= room);
                let Some(event) = shared.pool.next_event(member, fits) else { break };
                let id = event.upstream.as_deref().unwrap_or_default();
                let (here, rest) = std::mem::take(&mut ids).split_at_mut(id.len());
                here.copy_from_slice(id.as_bytes());
                ids = rest;
                place[0] = f64::from(event.kind as u32);
                place[1] = id.len() as f64;
                place[2] = event.value as f64;
                place[3] = event.other as f64;
                told += 1;
            }
            count(told)
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
    let mut numbers = vec![
        0.0,
        f64::from(in_flight),
        f64::from(pool.settings().max_in_flight),
        f64::from(waiting),
        pool.members() as f64,
        f64::from(own),
        counts.granted as f64,
        counts.handed_over as f64,
        counts.timed_out as f64,
        counts.refused as f64,
        counts.cancelled as f64,
        counts.expired as f64,
        counts.reaped as f64,
        counts.ejections as f64,
    ];
    let mut ids = String::new();
    for upstream in pool.upstreams() {
        ids.push_str(&upstream.id);
        let state = match upstream.state {
            State::Healthy => 0.0,
            State::Resting(_) if upstream.ejected => 1.0,
            State::Probation(_) => 2.0,
            State::Resting(_) => 3.0,
        };
        numbers.extend([
            upstream.id.len() as f64,
            state,
            f64::from(u8::from(upstream.draining)),
            f64::from(upstream.in_flight),
            f64::from(upstream.max_in_flight),
            f64::from(upstream.limit),
            upstream.weight,
            f64::from(upstream.tier),
            upstream.granted as f64,
            upstream.failed as f64,
            f64::from(upstream.failures_in_a_row),
            upstream.rests_for as f64,
        ]);
    }
    numbers[0] = ids.len() as f64;
    (numbers, ids)
}

fn make(numbers: &[f64], mut ids: &str) -> Result<Pool, Failure> {
    let head = SLUICE_POOL_SETTINGS as usize;
    let each = SLUICE_POOL_UPSTREAM_SETTINGS as usize;
    if numbers.len() < head || !(numbers.len() - head).is_multiple_of(each) {
        return Err(Failure::argument(format!("settings are {} numbers", numbers.len())));
    }
    if let Some(at) = numbers.iter().position(|n| n.is_nan() || *n < 0.0) {
        return Err(Failure::argument(format!("settings[{at}] is {}", numbers[at])));
    }
    let (whole, millis) = (|at: usize| numbers[at] as u32, |at: usize| numbers[at] as u64);
    let settings = Settings {
        max_in_flight: upstream_settings(numbers[0], 1.0, 0.0)?.max_in_flight,
        queue_max: whole(1),
        aging: millis(2),
        lease_ttl: millis(3).max(1),
        claim: millis(4),
        health: HealthSettings {
            failures: whole(5),
            failure_rate: numbers[6],
            min_results: whole(7),
            window: millis(8),
            cooldown: millis(9),
            max_ejected: numbers[10],
        },
        adaptive: (numbers[11] > 0.0).then(|| Adaptive { min: whole(11), backoff: numbers[12] }),
    };
    let mut pool = Pool::new(settings);
    for upstream in numbers[head..].chunks_exact(each) {
        let length = upstream[3] as usize;
        let Some((id, rest)) = ids.split_at_checked(length) else {
            return Err(Failure::argument("ids are shorter than settings say"));
        };
        ids = rest;
        check_id(id)?;
        let settings = upstream_settings(upstream[0], upstream[1], upstream[2])?;
        pool.add_upstream(id, settings, coarse_millis()).map_err(|refusal| {
            let failure = pools::refused(refusal);
            Failure::new(failure.status, format!("upstream {id:?}: {}", failure.message))
        })?;
    }
    if !ids.is_empty() {
        return Err(Failure::argument(format!(
            "ids are {} bytes longer than settings say",
            ids.len()
        )));
    }
    Ok(pool)
}

/// What differs from the options that a pool is open with.
fn difference(shared: &Shared, numbers: &[f64], ids: &str) -> Option<String> {
    let declared = &shared.declared;
    let head = NAMES.len().min(numbers.len()).min(declared.len());
    let differs = (0..head).find(|&at| numbers[at].to_bits() != declared[at].to_bits());
    if let Some(at) = differs {
        return Some(format!("{} is {} there and {} here", NAMES[at], declared[at], numbers[at]));
    }
    let same = numbers.len() == declared.len()
        && numbers.iter().zip(declared).all(|(a, b)| a.to_bits() == b.to_bits())
        && ids == &*shared.ids;
    (!same).then(|| "its upstreams are others".to_owned())
}
