//! Settings of pools and upstreams as they cross: arrays of numbers by position, with the ids apart.

use sluice_pool::{
    Adaptive, HealthSettings, Outage, Pool, Settings, SharedSettings, UpstreamSettings,
};

use crate::clock::{boot_millis, coarse_millis};
use crate::limiter::shared::fields::{
    SLUICE_OUTAGE_CLOSED, SLUICE_OUTAGE_OPEN, SLUICE_OUTAGE_SHARE,
};
use crate::pool::registry::{Shared, refused};
use crate::seam::failure::Failure;

/// How many numbers the settings of `sluice_pool_open` have before those of the upstreams.
pub const SLUICE_POOL_SETTINGS: u32 = 13;
/// How many numbers each upstream has there.
pub const SLUICE_POOL_UPSTREAM_SETTINGS: u32 = 4;
/// How many numbers come after those if the pool is shared with other processes.
pub const SLUICE_POOL_SHARED_SETTINGS: u32 = 7;
/// The most leases of a pool or of an upstream that may be in use.
pub const SLUICE_MAX_IN_FLIGHT: u32 = 131072;
/// The most bytes of the id of an upstream.
pub const SLUICE_MAX_UPSTREAM_ID_BYTES: u32 = 255;

/// Indices of the settings of a pool.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluicePoolSetting {
    /// How many leases may be in use over all upstreams.
    MaxInFlight,
    /// How many callers may wait.
    QueueMax,
    /// After how long a waiter's priority rises by one, in milliseconds.
    QueueAgingMs,
    /// How long a lease lives without being renewed, in milliseconds.
    LeaseTtlMs,
    /// How long a lease that was handed over may wait to be collected, in milliseconds.
    ClaimMs,
    /// How many failures in a row eject an upstream, or 0.
    HealthFailures,
    /// The share of failures that ejects an upstream.
    HealthFailureRate,
    /// The least number of results in the window for that share to count.
    HealthMinResults,
    /// The length of that window, in milliseconds.
    HealthWindowMs,
    /// How long an ejected upstream rests at first, in milliseconds.
    HealthCooldownMs,
    /// The largest share of upstreams that may be ejected.
    HealthMaxEjected,
    /// The least adaptive limit of an upstream, or 0 for fixed limits.
    AdaptiveMin,
    /// The factor by which an overload lowers an adaptive limit.
    AdaptiveBackoff,
}

const _: () = assert!(SLUICE_POOL_SETTINGS == SluicePoolSetting::AdaptiveBackoff as u32 + 1);

/// Indices of the settings of a pool that is shared with other processes.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluicePoolSharedSetting {
    /// How long permits last without a call to the store, in milliseconds.
    LeaseMs,
    /// How long a reply may take, in milliseconds.
    TimeoutMs,
    /// How many processes share the pool at least.
    Processes,
    /// What happens while the store does not answer: a `SLUICE_OUTAGE_*` constant.
    Outage,
    /// Whether idle permits are held while the pool is in use, 0 or 1.
    Spare,
    /// Whether nothing is granted for one lease time after the store lost its state, 0 or 1.
    Strict,
    /// A hash of what the names of keys begin with.
    Prefix,
}

const _: () = assert!(SLUICE_POOL_SHARED_SETTINGS == SluicePoolSharedSetting::Prefix as u32 + 1);

/// Indices of the settings of each upstream.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluicePoolUpstreamSetting {
    /// How many of its leases may be in use.
    MaxInFlight,
    /// Its share of the load.
    Weight,
    /// Its tier.
    Tier,
    /// The length of its id, in bytes.
    IdBytes,
}

const _: () =
    assert!(SLUICE_POOL_UPSTREAM_SETTINGS == SluicePoolUpstreamSetting::IdBytes as u32 + 1);

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

/// Splits the settings of `sluice_pool_open` after those of the pool: of its upstreams, and of its sharing.
fn split(numbers: &[f64]) -> Option<(&[f64], Option<&[f64]>)> {
    let rest = numbers.get(SLUICE_POOL_SETTINGS as usize..)?;
    let each = SLUICE_POOL_UPSTREAM_SETTINGS as usize;
    if rest.len().is_multiple_of(each) {
        return Some((rest, None));
    }
    let upstreams = rest.len().checked_sub(SLUICE_POOL_SHARED_SETTINGS as usize)?;
    let (upstreams, shared) = rest.split_at(upstreams);
    upstreams.len().is_multiple_of(each).then_some((upstreams, Some(shared)))
}

/// Reads the settings of sharing.
fn shared_settings(numbers: &[f64]) -> Result<SharedSettings, Failure> {
    let number = |field: SluicePoolSharedSetting| numbers[field as usize];
    let within = |name: &str, field, least: f64, most: f64| {
        let value = number(field);
        if (least..=most).contains(&value) {
            return Ok(value as u64);
        }
        Err(Failure::argument(format!("shared.{name} is {value}, not {least} to {most}")))
    };
    let outages = [
        (SLUICE_OUTAGE_SHARE, Outage::Share),
        (SLUICE_OUTAGE_CLOSED, Outage::Closed),
        (SLUICE_OUTAGE_OPEN, Outage::Open),
    ];
    let rule = number(SluicePoolSharedSetting::Outage);
    let outage = outages.into_iter().find(|&(constant, _)| f64::from(constant) == rule);
    Ok(SharedSettings {
        lease: within("leaseMs", SluicePoolSharedSetting::LeaseMs, 20.0, 3.6e6)?,
        timeout: within("timeoutMs", SluicePoolSharedSetting::TimeoutMs, 1.0, 60_000.0)?,
        processes: within("processes", SluicePoolSharedSetting::Processes, 1.0, 1e6)? as u32,
        outage: outage
            .map(|(_, outage)| outage)
            .ok_or_else(|| Failure::argument(format!("shared.onOutage is {rule}, not 0 to 2")))?,
        spare: number(SluicePoolSharedSetting::Spare) != 0.0,
        strict: number(SluicePoolSharedSetting::Strict) != 0.0,
    })
}

/// Makes a pool of the numbers and ids of `sluice_pool_open`.
pub(crate) fn make(numbers: &[f64], mut ids: &str) -> Result<Pool, Failure> {
    let Some((upstreams, shared)) = split(numbers) else {
        return Err(Failure::argument(format!("settings are {} numbers", numbers.len())));
    };
    if let Some(at) = numbers.iter().position(|n| n.is_nan() || *n < 0.0) {
        return Err(Failure::argument(format!("settings[{at}] is {}", numbers[at])));
    }
    let number = |field: SluicePoolSetting| numbers[field as usize];
    let whole = |field| number(field) as u32;
    let millis = |field| number(field) as u64;
    let max_in_flight = number(SluicePoolSetting::MaxInFlight);
    let settings = Settings {
        max_in_flight: upstream_settings(max_in_flight, 1.0, 0.0)?.max_in_flight,
        queue_max: whole(SluicePoolSetting::QueueMax),
        aging: millis(SluicePoolSetting::QueueAgingMs),
        lease_ttl: millis(SluicePoolSetting::LeaseTtlMs).max(1),
        claim: millis(SluicePoolSetting::ClaimMs),
        health: HealthSettings {
            failures: whole(SluicePoolSetting::HealthFailures),
            failure_rate: number(SluicePoolSetting::HealthFailureRate),
            min_results: whole(SluicePoolSetting::HealthMinResults),
            window: millis(SluicePoolSetting::HealthWindowMs),
            cooldown: millis(SluicePoolSetting::HealthCooldownMs),
            max_ejected: number(SluicePoolSetting::HealthMaxEjected),
        },
        adaptive: (number(SluicePoolSetting::AdaptiveMin) > 0.0).then(|| Adaptive {
            min: whole(SluicePoolSetting::AdaptiveMin),
            backoff: number(SluicePoolSetting::AdaptiveBackoff),
        }),
    };
    let mut pool = Pool::new(settings);
    if let Some(shared) = shared {
        pool.share(shared_settings(shared)?);
    }
    let now = if pool.is_shared() { boot_millis() } else { coarse_millis() };
    for upstream in upstreams.chunks_exact(SLUICE_POOL_UPSTREAM_SETTINGS as usize) {
        let number = |field: SluicePoolUpstreamSetting| upstream[field as usize];
        let length = number(SluicePoolUpstreamSetting::IdBytes) as usize;
        let Some((id, rest)) = ids.split_at_checked(length) else {
            return Err(Failure::argument("ids are shorter than settings say"));
        };
        ids = rest;
        check_id(id)?;
        let settings = upstream_settings(
            number(SluicePoolUpstreamSetting::MaxInFlight),
            number(SluicePoolUpstreamSetting::Weight),
            number(SluicePoolUpstreamSetting::Tier),
        )?;
        pool.add_upstream(id, settings, now).map_err(|refusal| {
            let failure = refused(refusal);
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

/// Bounds the length of an id.
pub(crate) fn check_id(id: &str) -> Result<(), Failure> {
    if id.len() <= SLUICE_MAX_UPSTREAM_ID_BYTES as usize {
        return Ok(());
    }
    Err(Failure::argument(format!(
        "id is {} bytes, more than {SLUICE_MAX_UPSTREAM_ID_BYTES}",
        id.len()
    )))
}

/// Checks the settings of an upstream.
pub(crate) fn upstream_settings(
    max: f64,
    weight: f64,
    tier: f64,
) -> Result<UpstreamSettings, Failure> {
    let whole = |name: &str, value: f64, least: f64, most: f64| {
        if value.fract() == 0.0 && (least..=most).contains(&value) {
            return Ok(value as u32);
        }
        Err(Failure::argument(format!(
            "{name} is {value}, not a whole number from {least} to {most}"
        )))
    };
    let max_in_flight = whole("maxInFlight", max, 1.0, SLUICE_MAX_IN_FLIGHT.into())?;
    let tier = whole("tier", tier, 0.0, f64::from(u32::MAX - 1))?;
    if !(weight > 0.0 && weight.is_finite()) {
        return Err(Failure::argument(format!("weight is {weight}, not above 0")));
    }
    Ok(UpstreamSettings { max_in_flight, weight, tier })
}

/// What differs from the options that a pool is open with, for a message.
pub(crate) fn difference(shared: &Shared, numbers: &[f64], ids: &str) -> Option<String> {
    let declared = &shared.declared;
    let head = NAMES.len().min(numbers.len()).min(declared.len());
    let differs = (0..head).find(|&at| numbers[at].to_bits() != declared[at].to_bits());
    if let Some(at) = differs {
        return Some(format!("{} is {} there and {} here", NAMES[at], declared[at], numbers[at]));
    }
    let sharing = |numbers| split(numbers).and_then(|(_, shared)| shared);
    let bits = |numbers: &[f64]| numbers.iter().map(|n| n.to_bits()).collect::<Vec<u64>>();
    if sharing(numbers).map(bits) != sharing(declared).map(bits) {
        return Some("it is shared in another way".to_owned());
    }
    let same = numbers.len() == declared.len()
        && numbers.iter().zip(declared).all(|(a, b)| a.to_bits() == b.to_bits())
        && ids == &*shared.ids;
    (!same).then(|| "its upstreams are others".to_owned())
}
