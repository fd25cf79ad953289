//! Fixed windows of quotas, in calendar units or of a fixed length: computes when the window of a
//! moment ends.
//!
//! A calendar window begins at local midnight of its first day. As in Unix time, there are no leap
//! seconds.

use crate::limits::calendar::{before, day_in, month_of};
use crate::limits::time_zone::Zone;

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;
/// A day of a time zone may be up to 25 hours longer than 24 hours, where the date line was moved.
const LONGER: i64 = 25 * 3_600 * SECOND;

/// The length of a window and where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Span {
    /// A fixed number of nanoseconds, aligned to 1970.
    Every(u64),
    /// A calendar day.
    Day,
    /// Seven calendar days.
    Week {
        /// The first day of the week, from 0 for Monday to 6.
        first: u8,
    },
    /// From one day of a month to the same day of the next month.
    Month {
        /// The day, from 1 to 31; in a shorter month, its last day.
        day: u8,
    },
    /// From one day of a year to the same day of the next year.
    Year {
        /// The month, from 1 to 12.
        month: u8,
        /// The day of the month, as in [`Span::Month`].
        day: u8,
    },
}

/// The local time by which calendar windows begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeZone {
    /// A fixed offset: local time is this many nanoseconds ahead of UTC.
    Offset(i64),
    /// A time zone with its changes of offset.
    Zone(Zone),
}

/// The window of a quota: its length and its time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QuotaWindow {
    /// The length of the window.
    pub span: Span,
    /// The time zone of its local midnight.
    pub time_zone: TimeZone,
}

impl Span {
    /// Whether its numbers are valid days and months.
    pub(crate) fn is_sound(self) -> bool {
        match self {
            Self::Every(ns) => ns > 0,
            Self::Day => true,
            Self::Week { first } => first < 7,
            Self::Month { day } => (1..=31).contains(&day),
            Self::Year { month, day } => (1..=12).contains(&month) && (1..=31).contains(&day),
        }
    }

    /// The first day of the window that contains `day`.
    fn first_day(self, day: i64) -> i64 {
        match self {
            Self::Every(_) | Self::Day => day,
            // 1970-01-01 was a Thursday, so Monday was three days before.
            Self::Week { first } => day - (day + 3 - i64::from(first)).rem_euclid(7),
            Self::Month { day: first } => {
                let (year, month) = month_of(day);
                let begins = day_in(year, month, first);
                let (year, month) = if begins <= day { (year, month) } else { before(year, month) };
                day_in(year, month, first)
            }
            Self::Year { month, day: first } => {
                let (year, _) = month_of(day);
                let begins = day_in(year, month.into(), first);
                day_in(year - i64::from(begins > day), month.into(), first)
            }
        }
    }

    /// The first day of the next window.
    fn next(self, first_day: i64) -> i64 {
        match self {
            Self::Every(_) | Self::Day => first_day + 1,
            Self::Week { .. } => first_day + 7,
            Self::Month { day } => {
                let (year, month) = month_of(first_day);
                let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
                day_in(year, month, day)
            }
            Self::Year { month, day } => day_in(month_of(first_day).0 + 1, month.into(), day),
        }
    }
}

impl TimeZone {
    fn offset_at(self, wall_ns: i64) -> i64 {
        match self {
            Self::Offset(ns) => ns,
            Self::Zone(zone) => zone.offsets().at(wall_ns),
        }
    }

    /// The moment when a local day begins.
    fn midnight(self, day: i64) -> i64 {
        let Some(local) = day.checked_mul(DAY) else {
            return if day < 0 { i64::MIN } else { i64::MAX };
        };
        match self {
            Self::Offset(ns) => local.saturating_sub(ns),
            Self::Zone(zone) => zone.offsets().instant(local),
        }
    }
}

impl QuotaWindow {
    /// When the window that contains `wall_ns` ends, exclusive. O(1), or O(log changes) in a time
    /// zone.
    ///
    /// This is the first beginning of a window after that moment. Where clocks are set back over
    /// midnight, a day that has begun does not end.
    #[must_use]
    pub fn end(&self, wall_ns: i64) -> i64 {
        let offset = self.time_zone.offset_at(wall_ns);
        let local = wall_ns.saturating_add(offset);
        if let Span::Every(ns) = self.span {
            let step = ns.clamp(1, i64::MAX as u64).cast_signed();
            return next_multiple(local, step).saturating_sub(offset);
        }
        let mut day = self.span.first_day(local.div_euclid(DAY));
        loop {
            let begins = self.time_zone.midnight(day);
            if begins > wall_ns || begins == i64::MAX {
                return begins;
            }
            day = self.span.next(day);
        }
    }

    /// An upper bound of the window's length, in nanoseconds.
    #[inline]
    #[must_use]
    pub fn longest(&self) -> u64 {
        let days = match self.span {
            Span::Every(ns) => return ns,
            Span::Day => 1,
            Span::Week { .. } => 7,
            Span::Month { .. } => 31,
            Span::Year { .. } => 366,
        };
        let longer = if let TimeZone::Zone(_) = self.time_zone { LONGER } else { 0 };
        (days * DAY + longer).unsigned_abs()
    }

    /// Whether an amount consumed in one window can count in the other: both are equally long, and
    /// may begin on other days or in other time zones.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        match (self.span, other.span) {
            (Span::Every(a), Span::Every(b)) => a == b,
            (a, b) => std::mem::discriminant(&a) == std::mem::discriminant(&b),
        }
    }
}

fn next_multiple(at: i64, step: i64) -> i64 {
    let end = (i128::from(at).div_euclid(i128::from(step)) + 1) * i128::from(step);
    i64::try_from(end).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::time_zone::Offsets;

    const MONTH: Span = Span::Month { day: 1 };
    const WEEK: Span = Span::Week { first: 0 };

    fn end(span: Span, offset_minutes: i64, wall_seconds: i64) -> i64 {
        let time_zone = TimeZone::Offset(offset_minutes * 60 * SECOND);
        QuotaWindow { span, time_zone }.end(wall_seconds * SECOND) / SECOND
    }

    /// A zone of offsets in minutes and changes in seconds.
    fn zone(name: &str, first: i64, changes: &[(i64, i64)]) -> TimeZone {
        let changes =
            changes.iter().map(|&(at, minutes)| (at * SECOND, minutes * 60 * SECOND)).collect();
        let offsets = Offsets { name: name.to_owned(), first: first * 60 * SECOND, changes };
        TimeZone::Zone(Zone::add(offsets).expect("room"))
    }

    #[test]
    fn windows_end_where_calendars_say() {
        let day = Span::Day;
        // From `date -u -d @…`: 2024-02-29 23:59:59 is 1709251199, 2026-11-24 10:50:38 1795517438.
        for day in [day, Span::Every(DAY.unsigned_abs())] {
            assert_eq!(end(day, 0, 1_709_251_199), 1_709_251_200);
            assert_eq!(end(day, 0, 1_709_251_200), 1_709_337_600);
            assert_eq!(end(day, 120, 1_709_251_199), 1_709_330_400);
            assert_eq!(end(day, -300, 1_709_251_199), 1_709_269_200);
        }
        assert_eq!(end(MONTH, 0, 1_709_251_199), 1_709_251_200);
        assert_eq!(end(MONTH, 0, 1_709_251_200), 1_711_929_600);
        assert_eq!(end(MONTH, 60, 1_709_251_199), 1_711_926_000);
        assert_eq!(end(MONTH, 0, 1_795_517_438), 1_796_083_200);
        // 2026-11-24 is a Tuesday; the next Monday is 2026-11-30, the next Sunday the day before.
        assert_eq!(end(WEEK, 0, 1_795_517_438), 1_795_996_800);
        assert_eq!(end(Span::Week { first: 6 }, 0, 1_795_517_438), 1_795_910_400);
        // A week from Tuesday to Tuesday that began on it ends in seven days.
        assert_eq!(end(Span::Week { first: 1 }, 0, 1_795_517_438), 1_796_083_200);
        assert_eq!(end(WEEK, 0, -1), 345_600);
        // 2024-01-31 to 2024-02-29, to 2024-03-31, to 2024-04-30.
        let billing = Span::Month { day: 31 };
        assert_eq!(end(billing, 0, 1_706_659_200), 1_709_164_800);
        assert_eq!(end(billing, 0, 1_709_164_800), 1_711_843_200);
        assert_eq!(end(billing, 0, 1_711_843_200), 1_714_435_200);
        // 2024-02-29 begins a year that ends 2025-02-28; one from 6 April began 2023 and ends 2024.
        assert_eq!(end(Span::Year { month: 2, day: 29 }, 0, 1_709_164_800), 1_740_700_800);
        assert_eq!(end(Span::Year { month: 4, day: 6 }, 0, 1_709_251_199), 1_712_361_600);
        assert_eq!(end(Span::Year { month: 1, day: 1 }, 0, 1_709_251_199), 1_735_689_600);
    }

    #[test]
    fn days_of_a_time_zone_have_their_real_lengths() {
        // Berlin 2024: +2 from 2024-03-31 01:00 UTC, +1 from 2024-10-27 01:00 UTC.
        let time_zone = zone("test/Berlin", 60, &[(1_711_846_800, 120), (1_729_990_800, 60)]);
        let day = QuotaWindow { span: Span::Day, time_zone };
        let hours = |midnight: i64| (day.end(midnight * SECOND) / SECOND - midnight) / 3600;
        assert_eq!(hours(1_711_753_200), 24, "30 March");
        assert_eq!(hours(1_711_839_600), 23, "31 March");
        assert_eq!(hours(1_729_893_600), 24, "26 October, that is +2");
        assert_eq!(hours(1_729_980_000), 25, "27 October");
        let month = QuotaWindow { span: MONTH, time_zone };
        // 1 March 00:00 +1 to 1 April 00:00 +2.
        assert_eq!(month.end(1_709_247_600 * SECOND) / SECOND, 1_711_922_400);
    }

    #[test]
    fn clocks_that_are_set_back_over_midnight_do_not_end_a_day_twice() {
        // As in St. John's: at 00:01 on the 8th the clock goes back to 23:01 on the 7th.
        let midnight = 7 * 86_400;
        let time_zone = zone("test/St_Johns", 0, &[(midnight + 60, -60)]);
        let window = QuotaWindow { span: Span::Day, time_zone };
        let end = |at: i64| window.end(at * SECOND) / SECOND;
        assert_eq!(end(midnight - 1), midnight);
        // From here on it is the 8th, even while clocks show the 7th again.
        for at in [midnight, midnight + 59, midnight + 60, midnight + 3599, midnight + 3600] {
            assert_eq!(end(at), midnight + 86_400 + 3_600, "{at}");
        }
    }

    #[test]
    fn a_midnight_or_a_day_that_clocks_jump_over_begins_where_they_jump() {
        let jump = 5 * 86_400;
        let time_zone = zone("test/Sao_Paulo", 0, &[(jump, 60)]);
        let window = QuotaWindow { span: Span::Day, time_zone };
        assert_eq!(window.end((jump - 1) * SECOND) / SECOND, jump);
        assert_eq!(window.end(jump * SECOND) / SECOND, jump + 23 * 3600);
        // Samoa had no 30 December 2011.
        let time_zone = zone("test/Apia", -600, &[(jump, 840)]);
        let window = QuotaWindow { span: Span::Day, time_zone };
        assert_eq!(window.end((jump - 1) * SECOND) / SECOND, jump);
        assert!(window.end(jump * SECOND) > jump * SECOND);
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let year = Span::Year { month: 12, day: 31 };
        let zone = zone("test/far", -26 * 60, &[(-9_223_372_036, 26 * 60), (9_223_372_036, 0)]);
        for span in [Span::Every(1), Span::Every(u64::MAX), Span::Day, WEEK, MONTH, year] {
            for time_zone in [TimeZone::Offset(DAY), TimeZone::Offset(-DAY), zone] {
                for wall_ns in [i64::MIN, -1, 0, i64::MAX] {
                    let _ = QuotaWindow { span, time_zone }.end(wall_ns);
                }
            }
        }
    }
}
