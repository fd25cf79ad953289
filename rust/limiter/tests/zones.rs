//! Windows in time zones, compared with those that jiff computes from the IANA database.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan as _};
use proptest::prelude::*;
use sluice_limiter::{Offsets, QuotaWindow, Span, TimeZone as WindowZone, Zone};

const FROM: i64 = 0;
/// 2100.
const TO: i64 = 4_102_444_800;
const SECOND: i64 = 1_000_000_000;

/// The offsets of a zone as a runtime provides them.
fn offsets(name: &str, zone: &TimeZone) -> Offsets {
    let start = Timestamp::from_second(FROM).expect("in range");
    let ns = |seconds: i32| i64::from(seconds) * SECOND;
    let changes = zone
        .following(start)
        .take_while(|change| change.timestamp().as_second() < TO)
        .map(|change| (change.timestamp().as_second() * SECOND, ns(change.offset().seconds())));
    Offsets {
        name: name.to_owned(),
        first: ns(zone.to_offset(start).seconds()),
        changes: changes.collect(),
    }
}

/// The first day after `t` that begins a window of `span`, by searching the days around `t`.
fn expected(zone: &TimeZone, span: Span, t: Timestamp) -> Timestamp {
    let date = zone.to_datetime(t).date();
    let is_first = |day: Date| match span {
        Span::Every(_) | Span::Day => true,
        Span::Week { first } => day.weekday().to_monday_zero_offset() == first as i8,
        Span::Month { day: first } => day.day() == (first as i8).min(day.days_in_month()),
        Span::Year { month, day: first } => {
            day.month() == month as i8 && day.day() == (first as i8).min(day.days_in_month())
        }
    };
    (0..)
        .map(|days| date.checked_add(days.days()).expect("in range"))
        .filter(|&day| is_first(day))
        .map(|day| {
            day.to_zoned_datetime(zone.clone())
                .expect("a day")
                .start_of_day()
                .expect("a day")
                .timestamp()
        })
        .find(|&begins| begins > t)
        .expect("there is a next one")
}

fn spans() -> impl Strategy<Value = Span> {
    prop_oneof![
        3 => Just(Span::Day),
        1 => (0..7u8).prop_map(|first| Span::Week { first }),
        1 => (1..=31u8).prop_map(|day| Span::Month { day }),
        1 => (1..=12u8, 1..=31u8).prop_map(|(month, day)| Span::Year { month, day }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8_000, ..ProptestConfig::default() })]

    #[test]
    fn windows_of_all_zones_end_where_jiff_says(
        (which, near) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        (any_time, around) in (0..(TO - 367 * 86_400), -90_000..90_000i64),
        is_near in any::<bool>(),
        span in spans(),
    ) {
        let database = TimeZoneDatabase::bundled();
        let names: Vec<String> = database.available().map(|name| name.to_string()).collect();
        let name = &names[which.index(names.len())];
        let zone = database.get(name).expect("it is available");
        let offsets = offsets(name, &zone);
        let seconds = if is_near && !offsets.changes.is_empty() {
            // Around a change of offset, where errors are likely.
            let change = near.get(&offsets.changes).0 / SECOND;
            (change + around).clamp(0, TO - 367 * 86_400)
        } else {
            any_time
        };
        let t = Timestamp::from_second(seconds).expect("in range");
        let window = QuotaWindow { span, time_zone: WindowZone::Zone(Zone::add(offsets).expect("room")) };
        let end = window.end(seconds * SECOND) / SECOND;
        prop_assert_eq!(end, expected(&zone, span, t).as_second(), "{} {:?} {}", name, span, t);
        prop_assert!((end - seconds) as u64 * SECOND as u64 <= window.longest(), "{name} {span:?} {t}");
    }
}
