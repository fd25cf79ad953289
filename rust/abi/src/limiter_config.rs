//! What a limiter is made of, as it crosses: numbers, and names beside them.

use sluice_limiter::{Config, Kind, Limit, MOST_KEYS, MOST_LIMITS, Plan, Span, Window};

use crate::status::Failure;

/// Numbers before the limits of a configuration: most keys, milliseconds that a reservation lives,
/// number of limits, number of units.
pub const SLUICE_LIMITER_HEADER: u32 = 4;
/// Numbers of a limit: kind, index of its unit, limit, period in milliseconds, burst, minutes east of
/// UTC. A quota's period is -1 for a week and -2 for a month; its burst does not count.
pub const SLUICE_LIMITER_LIMIT: u32 = 6;
/// A limit is a rate,
pub const SLUICE_LIMIT_RATE: u32 = 0;
/// a quota,
pub const SLUICE_LIMIT_QUOTA: u32 = 1;
/// or concurrency.
pub const SLUICE_LIMIT_CONCURRENCY: u32 = 2;

const LONGEST_MS: f64 = 366.0 * 86_400_000.0;

/// A configuration, and in words.
pub(crate) struct Described {
    pub(crate) config: Config,
    pub(crate) ttl_ns: u64,
    pub(crate) words: Vec<String>,
    /// For each limit, its name and its unit's, with a NUL between them.
    pub(crate) labels: Vec<String>,
}

/// A number of units in millionths: rounded, but never to nothing.
#[inline]
pub(crate) fn amount(name: &str, units: f64) -> Result<u64, Failure> {
    // As bits, doubles from 0 on are in order, and negative ones and those that are none above them.
    if units.to_bits() > 1e12f64.to_bits() {
        return if units == 0.0 { Ok(0) } else { Err(bad_amount(name, units)) };
    }
    // SAFETY: at most 1e18 and not negative. A checked cast costs as much as all the rest here.
    let millionths = unsafe { (units * 1e6 + 0.5).to_int_unchecked::<i64>() }.cast_unsigned();
    Ok(if millionths == 0 && units > 0.0 { 1 } else { millionths })
}

#[cold]
fn bad_amount(name: &str, units: f64) -> Failure {
    Failure::argument(format!("{name} is {units}, not from 0 to 1e12"))
}

/// Milliseconds in nanoseconds.
pub(crate) fn nanoseconds(name: &str, ms: f64) -> Result<u64, Failure> {
    if !(1e-6..=LONGEST_MS).contains(&ms) {
        return Err(Failure::argument(format!("{name} is {ms} ms, not up to 366 days")));
    }
    Ok((ms * 1e6).round() as u64)
}

/// Reads a configuration. `names` are those of the limits and then of the units.
pub(crate) fn describe(numbers: &[f64], names: &[&str]) -> Result<Described, Failure> {
    let (head, limits) = numbers
        .split_at_checked(SLUICE_LIMITER_HEADER as usize)
        .ok_or_else(|| Failure::argument("the configuration is cut short"))?;
    let [max_keys, ttl_ms, count, units] = [0, 1, 2, 3].map(|at| head[at]);
    if !(1.0..=f64::from(MOST_KEYS)).contains(&max_keys) {
        return Err(Failure::argument(format!("max_keys is {max_keys}, not 1 to {MOST_KEYS}")));
    }
    let (count, units) = (count as usize, units as usize);
    let in_range = |n: usize| (1..=MOST_LIMITS).contains(&n);
    if !in_range(count) || !in_range(units) || names.len() != count + units {
        return Err(Failure::argument("the configuration has not 1 to 16 limits with their names"));
    }
    if units > count {
        return Err(Failure::argument(format!("{count} limits cannot count {units} units")));
    }
    let limits = plan(limits, count, units)?;
    let mut words: Vec<String> = (limits.iter().zip(names))
        .map(|(limit, name)| format!("{name}: {}", in_words(limit, names[count + limit.unit])))
        .collect();
    let labels = (limits.iter().zip(names))
        .map(|(limit, name)| [name, names[count + limit.unit]].join("\0"))
        .collect();
    words.push(format!("maxKeys: {max_keys}"));
    words.push(format!("reservationTtlMs: {ttl_ms}"));
    let config = Config { limits, units, max_keys: max_keys as u32 };
    Ok(Described { config, ttl_ns: nanoseconds("reservation_ttl", ttl_ms)?, words, labels })
}

/// Reads `count` limits on some of `units` units.
pub(crate) fn plan(numbers: &[f64], count: usize, units: usize) -> Result<Plan, Failure> {
    let size = SLUICE_LIMITER_LIMIT as usize;
    if numbers.len() != size * count {
        return Err(Failure::argument(format!(
            "{} numbers describe {count} limits, not {}",
            numbers.len(),
            size * count
        )));
    }
    numbers.chunks_exact(size).map(|numbers| limit(numbers, units)).collect()
}

fn limit(numbers: &[f64], units: usize) -> Result<Limit, Failure> {
    let [kind, unit, most, ms, burst, offset] = [0, 1, 2, 3, 4, 5].map(|at| numbers[at]);
    if !(0.0..units as f64).contains(&unit) {
        return Err(Failure::argument(format!("a limit counts unit {unit} of {units}")));
    }
    let (unit, most) = (unit as usize, amount("limit", most)?.max(1));
    if kind == f64::from(SLUICE_LIMIT_RATE) {
        let burst = amount("burst", burst)?.max(1);
        let rate = Limit::rate(unit, most, nanoseconds("per", ms)?, burst);
        if !rate.is_in_range() {
            return Err(Failure::argument("a burst takes more than 36 years to come back"));
        }
        return Ok(rate);
    }
    if kind == f64::from(SLUICE_LIMIT_CONCURRENCY) {
        return Ok(Limit { kind: Kind::Concurrency, unit, capacity: most });
    }
    if kind != f64::from(SLUICE_LIMIT_QUOTA) || !(-1440.0..=1440.0).contains(&offset) {
        return Err(Failure::argument(format!("no limit has kind {kind} and offset {offset}")));
    }
    let span = if ms == -1.0 {
        Span::Week
    } else if ms == -2.0 {
        Span::Month
    } else {
        Span::Every(nanoseconds("per", ms)?)
    };
    let offset_ns = offset as i64 * 60_000_000_000;
    Ok(Limit { kind: Kind::Quota(Window { span, offset_ns }), unit, capacity: most })
}

fn in_words(limit: &Limit, unit: &str) -> String {
    let capacity = limit.capacity as f64 / 1e6;
    match limit.kind {
        Kind::Rate { units, ns } => {
            let a_minute = units as f64 * 6e4 / ns as f64;
            format!("a rate of {a_minute} {unit} a minute, burst {capacity}")
        }
        Kind::Concurrency => format!("{capacity} {unit} at a time"),
        Kind::Quota(window) => {
            let span = match window.span {
                Span::Every(ns) => format!("{} ms", ns as f64 / 1e6),
                Span::Week => "week".to_owned(),
                Span::Month => "month".to_owned(),
            };
            let offset = window.offset_ns / 60_000_000_000;
            format!("a quota of {capacity} {unit} each {span}, {offset} minutes east of UTC")
        }
    }
}
