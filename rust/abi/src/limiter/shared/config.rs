//! Settings of limiters that are shared with other processes: read from arrays of numbers by position.

use sluice_limiter::MOST_LIMITS;
use sluice_limiter::shared::{Mode, OnLoss, OnOutage, Settings};

use crate::limiter::config::{Described, describe, nanoseconds};
use crate::limiter::fields::{SLUICE_LIMITER_HEADER, SLUICE_LIMITER_LIMIT, SluiceLimiterHeader};
use crate::limiter::shared::fields::{
    SLUICE_MAX_LEASE_MS, SLUICE_MAX_PROCESSES, SLUICE_MAX_TIMEOUT_MS, SLUICE_MIN_LEASE_MS,
    SLUICE_MIN_TIMEOUT_MS, SLUICE_OUTAGE_CLOSED, SLUICE_OUTAGE_OPEN, SLUICE_OUTAGE_SHARE,
    SLUICE_SHARED_AUTO, SLUICE_SHARED_EXACT, SLUICE_SHARED_HEADER, SLUICE_SHARED_LEASED,
    SluiceSharedHeader,
};
use crate::seam::failure::Failure;

/// What a limiter shares with other processes, and these options in words.
pub(crate) struct Sharing {
    pub(crate) settings: Settings,
    pub(crate) words: Vec<String>,
}

/// Reads a configuration: the header, the limiter's own, and an outage rule for each limit. `names` are those of the
/// limits, then of the units, and last the prefix of keys in the store. `random` is different at each start.
pub(crate) fn describe_shared(
    numbers: &[f64],
    names: &[&str],
    random: [u8; 8],
) -> Result<(Described, Sharing), Failure> {
    let cut_short = || Failure::argument("the shared configuration is cut short");
    let (head, rest) =
        numbers.split_at_checked(SLUICE_SHARED_HEADER as usize).ok_or_else(cut_short)?;
    let (prefix, names) = names.split_last().ok_or_else(cut_short)?;
    let limits = rest.get(SluiceLimiterHeader::Limits as usize).ok_or_else(cut_short)?;
    // Whether it is a number of limits is checked with the limiter's own configuration.
    let limits = (*limits as usize).min(MOST_LIMITS);
    let own = SLUICE_LIMITER_HEADER as usize + SLUICE_LIMITER_LIMIT as usize * limits;
    let (own, outages) = rest.split_at_checked(own).ok_or_else(cut_short)?;
    let described = describe(own, names)?;
    let count = described.config.limits.len();
    if outages.len() != count {
        return Err(cut_short());
    }
    let on_outage = outages.iter().map(|&rule| on_outage(rule)).collect::<Result<Vec<_>, _>>()?;
    let names: Vec<String> = names[..count].iter().map(|&name| name.to_owned()).collect();
    let head = |field: SluiceSharedHeader| head[field as usize];
    let processes = head(SluiceSharedHeader::Processes);
    if !(1.0..=f64::from(SLUICE_MAX_PROCESSES)).contains(&processes) {
        return Err(Failure::argument(format!(
            "processes is {processes}, not 1 to {SLUICE_MAX_PROCESSES}"
        )));
    }
    let lease_ms = bounded(
        "lease",
        head(SluiceSharedHeader::LeaseMs),
        SLUICE_MIN_LEASE_MS,
        SLUICE_MAX_LEASE_MS,
    )?;
    let timeout_ms = bounded(
        "timeout",
        head(SluiceSharedHeader::TimeoutMs),
        SLUICE_MIN_TIMEOUT_MS,
        SLUICE_MAX_TIMEOUT_MS,
    )?;
    let mode = mode(head(SluiceSharedHeader::Mode))?;
    let is_strict = head(SluiceSharedHeader::IsStrict) != 0.0;
    let on_loss = if is_strict { OnLoss::Strict } else { OnLoss::Fresh };
    let mut words = vec![
        format!("prefix: {prefix}"),
        format!("mode: {mode:?}"),
        format!("onLoss: {on_loss:?}"),
        format!("processes: {processes}"),
        format!("leaseMs: {lease_ms}"),
        format!("timeoutMs: {timeout_ms}"),
    ];
    let rules = names.iter().zip(&on_outage);
    words.extend(rules.map(|(name, rule)| format!("onOutage of {name}: {rule:?}")));
    // What all processes must agree on.
    let agreed = [&described.words[..count], &[format!("{lease_ms} {on_loss:?}")]].concat();
    let settings = Settings {
        mode,
        on_loss,
        on_outage,
        processes: processes as u32,
        lease_ns: nanoseconds("lease", lease_ms)?,
        timeout_ns: nanoseconds("timeout", timeout_ms)?,
        process: format!("{:016x}", u64::from_le_bytes(random)),
        stamp: format!("{:016x}", fnv1a(agreed.join("\0").as_bytes())),
        names,
    };
    Ok((described, Sharing { settings, words }))
}

fn mode(number: f64) -> Result<Mode, Failure> {
    let modes = [
        (SLUICE_SHARED_EXACT, Mode::Exact),
        (SLUICE_SHARED_AUTO, Mode::Auto),
        (SLUICE_SHARED_LEASED, Mode::Leased),
    ];
    of("mode", number, &modes)
}

fn on_outage(number: f64) -> Result<OnOutage, Failure> {
    let rules = [
        (SLUICE_OUTAGE_SHARE, OnOutage::Share),
        (SLUICE_OUTAGE_CLOSED, OnOutage::Closed),
        (SLUICE_OUTAGE_OPEN, OnOutage::Open),
    ];
    of("an outage rule", number, &rules)
}

fn of<T: Copy>(name: &str, number: f64, all: &[(u32, T)]) -> Result<T, Failure> {
    all.iter()
        .find(|&&(constant, _)| f64::from(constant) == number)
        .map(|&(_, value)| value)
        .ok_or_else(|| Failure::argument(format!("{name} is {number}")))
}

fn bounded(name: &str, ms: f64, least: f64, most: f64) -> Result<f64, Failure> {
    if (least..=most).contains(&ms) {
        return Ok(ms);
    }
    Err(Failure::argument(format!("{name} is {ms} ms, not {least} to {most}")))
}

/// The 64-bit FNV-1a hash.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
