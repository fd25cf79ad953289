//! Configurations of limiters: read from arrays of numbers by position, with the names apart.

use sluice_limiter::{
    Config, Kind, Limit, LimitSet, MOST_KEYS, MOST_LIMITS, QuotaWindow, Span, TimeZone, UNLIMITED,
    Zone,
};

use crate::limiter::fields::{
    SLUICE_LIMIT_CONCURRENCY, SLUICE_LIMIT_QUOTA, SLUICE_LIMIT_RATE, SLUICE_LIMITER_HEADER,
    SLUICE_LIMITER_LIMIT, SLUICE_MAX_AMOUNT, SLUICE_MAX_PERIOD_MS, SLUICE_MAX_UTC_OFFSET_MINUTES,
    SLUICE_MIN_AMOUNT, SLUICE_MIN_PERIOD_MS, SLUICE_WINDOW_DAY, SLUICE_WINDOW_MONTH,
    SLUICE_WINDOW_WEEK, SLUICE_WINDOW_YEAR, SluiceLimitField, SluiceLimiterHeader,
};
use crate::limiter::words::in_words;
use crate::seam::failure::Failure;

/// A configuration, and its options in words.
pub(crate) struct Described {
    pub(crate) config: Config,
    pub(crate) ttl_ns: u64,
    /// Those of the limits come first.
    pub(crate) words: Vec<String>,
    /// For each limit, its name and its unit's, with a NUL between them.
    pub(crate) labels: Vec<String>,
}

/// A number of units in millionths, rounded. Less than one millionth is refused, because rounding would make it
/// nothing or many times as much.
#[inline]
pub(crate) fn amount(name: &str, units: f64) -> Result<u64, Failure> {
    // The bits of doubles from 0 on are ordered as the numbers are, and those of negative numbers and NaN are greater.
    if units.to_bits() > SLUICE_MAX_AMOUNT.to_bits() {
        return if units == 0.0 { Ok(0) } else { Err(bad_amount(name, units)) };
    }
    // SAFETY: at most 1e18 and not negative. A checked cast costs as much as all the rest here.
    let millionths = unsafe { (units * 1e6 + 0.5).to_int_unchecked::<i64>() }.cast_unsigned();
    if millionths <= 1 && units != 0.0 && units < SLUICE_MIN_AMOUNT {
        return Err(bad_amount(name, units));
    }
    Ok(millionths)
}

/// The capacity of a limit in millionths, unlimited for infinity.
fn capacity(name: &str, units: f64) -> Result<u64, Failure> {
    if units == f64::INFINITY { Ok(UNLIMITED) } else { amount(name, units) }
}

#[cold]
fn bad_amount(name: &str, units: f64) -> Failure {
    Failure::argument(format!("{name} is {units}, not 0 or from 0.000001 to 1e12"))
}

/// Milliseconds in nanoseconds.
pub(crate) fn nanoseconds(name: &str, ms: f64) -> Result<u64, Failure> {
    if !(SLUICE_MIN_PERIOD_MS..=SLUICE_MAX_PERIOD_MS).contains(&ms) {
        return Err(Failure::argument(format!("{name} is {ms} ms, not up to 366 days")));
    }
    Ok((ms * 1e6).round() as u64)
}

/// Reads a configuration. `names` are those of the limits and then of the units.
pub(crate) fn describe(numbers: &[f64], names: &[&str]) -> Result<Described, Failure> {
    let (head, limits) = numbers
        .split_at_checked(SLUICE_LIMITER_HEADER as usize)
        .ok_or_else(|| Failure::argument("the configuration is cut short"))?;
    let head = |field: SluiceLimiterHeader| head[field as usize];
    let max_keys = head(SluiceLimiterHeader::MaxKeys);
    let ttl_ms = head(SluiceLimiterHeader::ReservationTtlMs);
    let (count, units) = (head(SluiceLimiterHeader::Limits), head(SluiceLimiterHeader::Units));
    if !(1.0..=f64::from(MOST_KEYS)).contains(&max_keys) {
        return Err(Failure::argument(format!("max_keys is {max_keys}, not 1 to {MOST_KEYS}")));
    }
    let (count, units) = (count as usize, units as usize);
    let in_range = |n: usize| (1..=MOST_LIMITS).contains(&n);
    if !in_range(count) || !in_range(units) || names.len() != count + units {
        return Err(Failure::argument(
            "the configuration must have 1 to 16 limits with their names",
        ));
    }
    if units > count {
        return Err(Failure::argument(format!("{count} limits cannot count {units} units")));
    }
    let limits = plan(limits, count, units)?;
    let mut words: Vec<String> = (limits.iter().zip(names))
        .zip(numbers[SLUICE_LIMITER_HEADER as usize..].chunks_exact(SLUICE_LIMITER_LIMIT as usize))
        .map(|((limit, name), numbers)| {
            format!("{name}: {}", in_words(limit, names[count + limit.unit], numbers))
        })
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
pub(crate) fn plan(numbers: &[f64], count: usize, units: usize) -> Result<LimitSet, Failure> {
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
    let [kind, unit, most, ms, burst] = [
        SluiceLimitField::Kind,
        SluiceLimitField::Unit,
        SluiceLimitField::Limit,
        SluiceLimitField::Period,
        SluiceLimitField::Burst,
    ]
    .map(|field| numbers[field as usize]);
    if !(0.0..units as f64).contains(&unit) {
        return Err(Failure::argument(format!("a limit counts unit {unit} of {units}")));
    }
    let (unit, most) = (unit as usize, capacity("limit", most)?);
    if kind == f64::from(SLUICE_LIMIT_RATE) {
        let rate = Limit::rate(unit, most, nanoseconds("per", ms)?, capacity("burst", burst)?);
        let comes_back = rate.capacity == 0 || most > 0;
        let is_bounded = !rate.is_unlimited() || most == UNLIMITED;
        if !comes_back || !is_bounded || !rate.is_in_range() {
            return Err(Failure::argument("a burst takes more than 36 years to come back"));
        }
        return Ok(rate);
    }
    if kind == f64::from(SLUICE_LIMIT_CONCURRENCY) {
        return Ok(Limit { kind: Kind::Concurrency, unit, capacity: most });
    }
    if kind != f64::from(SLUICE_LIMIT_QUOTA) {
        return Err(Failure::argument(format!("no limit has kind {kind}")));
    }
    Ok(Limit { kind: Kind::Quota(window(numbers)?), unit, capacity: most })
}

fn window(numbers: &[f64]) -> Result<QuotaWindow, Failure> {
    let [ms, start, minutes, zone] = [
        SluiceLimitField::Period,
        SluiceLimitField::WindowStart,
        SluiceLimitField::UtcOffset,
        SluiceLimitField::Zone,
    ]
    .map(|field| numbers[field as usize]);
    let bad = |what: &str, number: f64| Failure::argument(format!("{what} of a quota is {number}"));
    let day_of = |day: f64| {
        let is_day = (1.0..=31.0).contains(&day);
        is_day.then_some(day as u8).ok_or_else(|| bad("start", start))
    };
    let span = if ms == -f64::from(SLUICE_WINDOW_DAY) {
        Span::Day
    } else if ms == -f64::from(SLUICE_WINDOW_WEEK) {
        let is_day = (0.0..=6.0).contains(&start);
        Span::Week { first: is_day.then_some(start as u8).ok_or_else(|| bad("start", start))? }
    } else if ms == -f64::from(SLUICE_WINDOW_MONTH) {
        Span::Month { day: day_of(start)? }
    } else if ms == -f64::from(SLUICE_WINDOW_YEAR) {
        let month = (start / 100.0).floor();
        if !(1.0..=12.0).contains(&month) {
            return Err(bad("start", start));
        }
        Span::Year { month: month as u8, day: day_of(start % 100.0)? }
    } else {
        Span::Every(nanoseconds("per", ms)?)
    };
    let time_zone = if zone == 0.0 {
        if minutes.is_nan() || minutes.abs() > SLUICE_MAX_UTC_OFFSET_MINUTES.into() {
            return Err(bad("offset", minutes));
        }
        TimeZone::Offset(minutes as i64 * 60_000_000_000)
    } else {
        let number = (zone >= 1.0).then(|| zone as usize - 1).ok_or_else(|| bad("zone", zone))?;
        TimeZone::Zone(Zone::of(number).ok_or_else(|| bad("zone", zone))?)
    };
    Ok(QuotaWindow { span, time_zone })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(numbers: &[f64]) -> String {
        let all = [&[1000.0, 1000.0, 1.0, 1.0], numbers].concat();
        describe(&all, &["r", "requests"]).map_or_else(
            |failure| failure.message.into_owned(),
            |described| described.words[0].clone(),
        )
    }

    #[test]
    fn limits_are_described_as_they_were_given() {
        let rate = f64::from(SLUICE_LIMIT_RATE);
        let quota = f64::from(SLUICE_LIMIT_QUOTA);
        for (numbers, expected) in [
            ([rate, 0.0, 1.0, 36e5, 1.0, 0.0, 0.0, 0.0], "r: 1 requests per hour"),
            ([rate, 0.0, 600.0, 6e4, 60.0, 0.0, 0.0, 0.0], "r: 600 requests per minute, burst 60"),
            ([rate, 0.0, 0.1, 9e4, 0.1, 0.0, 0.0, 0.0], "r: 0.1 requests per 90s"),
            ([rate, 0.0, 5.0, 0.5, 5.0, 0.0, 0.0, 0.0], "r: 5 requests per 0.5ms"),
            (
                [quota, 0.0, 5.0, -1.0, 0.0, 0.0, 120.0, 0.0],
                "r: a quota of 5 requests per day, 120 minutes east of UTC",
            ),
            (
                [quota, 0.0, 5.0, -2.0, 0.0, 6.0, 0.0, 0.0],
                "r: a quota of 5 requests per week from Sunday",
            ),
            (
                [quota, 0.0, 5.0, -3.0, 0.0, 31.0, 0.0, 0.0],
                "r: a quota of 5 requests per month from day 31",
            ),
            (
                [quota, 0.0, 5.0, -4.0, 0.0, 406.0, 0.0, 0.0],
                "r: a quota of 5 requests per year from 04-06",
            ),
            ([2.0, 0.0, f64::INFINITY, 0.0, 0.0, 0.0, 0.0, 0.0], "r: Infinity requests at a time"),
            // Invalid limits are refused.
            (
                [rate, 0.0, 0.0, 1e3, 5.0, 0.0, 0.0, 0.0],
                "a burst takes more than 36 years to come back",
            ),
            (
                [rate, 0.0, 5.0, 1e3, f64::INFINITY, 0.0, 0.0, 0.0],
                "a burst takes more than 36 years to come back",
            ),
            ([quota, 0.0, 5.0, -2.0, 0.0, 7.0, 0.0, 0.0], "start of a quota is 7"),
            ([quota, 0.0, 5.0, -3.0, 0.0, 0.0, 0.0, 0.0], "start of a quota is 0"),
            ([quota, 0.0, 5.0, -4.0, 0.0, 1301.0, 0.0, 0.0], "start of a quota is 1301"),
            ([quota, 0.0, 5.0, -1.0, 0.0, 0.0, 0.0, 1025.0], "zone of a quota is 1025"),
            ([quota, 0.0, 5.0, -1.0, 0.0, 0.0, 0.0, -1.0], "zone of a quota is -1"),
            ([quota, 0.0, 5.0, -1.0, 0.0, 0.0, 0.0, f64::NAN], "zone of a quota is NaN"),
        ] {
            assert_eq!(words(&numbers), expected);
        }
    }

    #[test]
    fn an_amount_below_a_millionth_is_refused() {
        assert_eq!(amount("cost", 0.0).expect("none"), 0);
        assert_eq!(amount("cost", -0.0).expect("none"), 0);
        assert_eq!(amount("cost", 1e-6).expect("one"), 1);
        assert_eq!(amount("cost", 1.4e-6).expect("rounded"), 1);
        assert_eq!(amount("cost", 1e12).expect("the most"), 1_000_000_000_000_000_000);
        for bad in [9.9e-7, 5e-7, 1e-10, f64::MIN_POSITIVE, 5e-324, 1.1e12, -1.0, f64::NAN] {
            let message = amount("cost", bad).expect_err("refused").message;
            assert_eq!(message, format!("cost is {bad}, not 0 or from 0.000001 to 1e12"));
        }
    }
}
