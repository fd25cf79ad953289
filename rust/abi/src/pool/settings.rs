//! Settings of pools and upstreams as they cross: arrays of numbers by position, with the ids apart.

use sluice_pool::{Adaptive, HealthSettings, Pool, Settings, UpstreamSettings};

use crate::clock::coarse_millis;
use crate::pool::registry::{Shared, refused};
use crate::seam::failure::Failure;

/// How many numbers the settings of `sluice_pool_open` have before those of the upstreams.
pub const SLUICE_POOL_SETTINGS: u32 = 13;
/// How many numbers each upstream has there.
pub const SLUICE_POOL_UPSTREAM_SETTINGS: u32 = 4;
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

/// Makes a pool of the numbers and ids of `sluice_pool_open`.
pub(crate) fn make(numbers: &[f64], mut ids: &str) -> Result<Pool, Failure> {
    let head = SLUICE_POOL_SETTINGS as usize;
    let each = SLUICE_POOL_UPSTREAM_SETTINGS as usize;
    if numbers.len() < head || !(numbers.len() - head).is_multiple_of(each) {
        return Err(Failure::argument(format!("settings are {} numbers", numbers.len())));
    }
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
    for upstream in numbers[head..].chunks_exact(each) {
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
        pool.add_upstream(id, settings, coarse_millis()).map_err(|refusal| {
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
    let same = numbers.len() == declared.len()
        && numbers.iter().zip(declared).all(|(a, b)| a.to_bits() == b.to_bits())
        && ids == &*shared.ids;
    (!same).then(|| "its upstreams are others".to_owned())
}
