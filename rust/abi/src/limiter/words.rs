//! Limits in words, for messages and for comparing the options of two opens.

use sluice_limiter::{Kind, Limit, Span, TimeZone};

use crate::limiter::fields::SluiceLimitField;

/// A limit in words, with the numbers as they were given.
pub(crate) fn in_words(limit: &Limit, unit: &str, numbers: &[f64]) -> String {
    let ms = numbers[SluiceLimitField::Period as usize];
    let [most, burst] = [SluiceLimitField::Limit, SluiceLimitField::Burst];
    let [most, burst] = [most, burst].map(|field| match numbers[field as usize] {
        f64::INFINITY => "Infinity".to_owned(),
        units => units.to_string(),
    });
    let window = match limit.kind {
        Kind::Credit { .. } => return format!("credit of at most {most} {unit}"),
        Kind::Concurrency => return format!("{most} {unit} at a time"),
        Kind::Rate { .. } if burst == most => return format!("{most} {unit} per {}", period(ms)),
        Kind::Rate { .. } => return format!("{most} {unit} per {}, burst {burst}", period(ms)),
        Kind::Quota(window) => window,
    };
    let span = match window.span {
        Span::Every(_) => period(ms),
        Span::Day => "day".to_owned(),
        Span::Week { first: 0 } => "week".to_owned(),
        Span::Week { first } => {
            let days = ["Tues", "Wednes", "Thurs", "Fri", "Satur", "Sun"];
            format!("week from {}day", days.get(usize::from(first) - 1).unwrap_or(&""))
        }
        Span::Month { day: 1 } => "month".to_owned(),
        Span::Month { day } => format!("month from day {day}"),
        Span::Year { month: 1, day: 1 } => "year".to_owned(),
        Span::Year { month, day } => format!("year from {month:02}-{day:02}"),
    };
    let zone = match window.time_zone {
        TimeZone::Offset(0) => String::new(),
        TimeZone::Offset(ns) => format!(", {} minutes east of UTC", ns / 60_000_000_000),
        TimeZone::Zone(zone) => format!(", in {}", zone.offsets().name),
    };
    format!("a quota of {most} {unit} per {span}{zone}")
}

/// Milliseconds, in the largest unit that makes a whole number of them.
fn period(ms: f64) -> String {
    let units =
        [(864e5, "day", "d"), (36e5, "hour", "h"), (6e4, "minute", "m"), (1e3, "second", "s")];
    for (length, word, letter) in units {
        if ms == length {
            return word.to_owned();
        }
        if ms % length == 0.0 {
            return format!("{}{letter}", ms / length);
        }
    }
    format!("{ms}ms")
}
