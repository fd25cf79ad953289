//! The windows of quotas: when the one that a moment is in ends.
//!
//! A window of the calendar begins at midnight of its first day, wherever that is. Leap seconds do not exist
//! here, as in Unix time.

use crate::calendar::{before, day_in, month_of};
use crate::zone::Zone;

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;
/// The most that a day of a time zone was ever longer than 24 hours: the date line was moved.
const LONGER: i64 = 25 * 3_600 * SECOND;

/// How long a window is and where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Span {
    /// So many nanoseconds, counted from 1970 on.
    Every(u64),
    /// A day of the calendar.
    Day,
    /// Seven days.
    Week {
        /// The day it begins on, from 0 for Monday to 6.
        first: u8,
    },
    /// From one day of a month to the same day of the next.
    Month {
        /// That day, from 1 to 31; where a month has no such day, its last.
        day: u8,
    },
    /// From one day of a year to the same day of the next.
    Year {
        /// The month of that day, from 1 to 12.
        month: u8,
        /// The day in that month, as of [`Span::Month`].
        day: u8,
    },
}

/// Where it is midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Local time is always so many nanoseconds ahead of UTC.
    Offset(i64),
    /// In this time zone.
    Zone(Zone),
}

/// A span, somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// The span.
    pub span: Span,
    /// The place.
    pub place: Place,
}

impl Span {
    /// Whether its numbers are days that there are.
    pub(crate) fn is_sound(self) -> bool {
        match self {
            Self::Every(ns) => ns > 0,
            Self::Day => true,
            Self::Week { first } => first < 7,
            Self::Month { day } => (1..=31).contains(&day),
            Self::Year { month, day } => (1..=12).contains(&month) && (1..=31).contains(&day),
        }
    }

    /// The first day of the window that a day is in. Days are counted from 1970-01-01.
    fn first_day(self, day: i64) -> i64 {
        match self {
            Self::Every(_) | Self::Day => day,
            // 1970 began on a Thursday, so Monday was three days before.
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

    /// The first day of the window after the one that begins on a day.
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

impl Place {
    fn offset_at(self, wall_ns: i64) -> i64 {
        match self {
            Self::Offset(ns) => ns,
            Self::Zone(zone) => zone.offsets().at(wall_ns),
        }
    }

    /// When a day begins.
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

impl Window {
    /// When the window that `wall_ns` is in ends, exclusive. O(1), O(log changes) in a time zone.
    ///
    /// The first beginning of a window after that moment: where clocks are set back over midnight, a day
    /// that has begun does not end.
    #[must_use]
    pub fn end(&self, wall_ns: i64) -> i64 {
        let offset = self.place.offset_at(wall_ns);
        let local = wall_ns.saturating_add(offset);
        if let Span::Every(ns) = self.span {
            let step = ns.clamp(1, i64::MAX as u64).cast_signed();
            return next_multiple(local, step).saturating_sub(offset);
        }
        let mut day = self.span.first_day(local.div_euclid(DAY));
        loop {
            let begins = self.place.midnight(day);
            if begins > wall_ns || begins == i64::MAX {
                return begins;
            }
            day = self.span.next(day);
        }
    }

    /// No window of this kind is longer.
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
        let longer = if let Place::Zone(_) = self.place { LONGER } else { 0 };
        (days * DAY + longer).unsigned_abs()
    }

    /// Whether what was used in one of these can be used in one of the others: they are equally long, and
    /// begin on other days or elsewhere.
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
    use crate::zone::Offsets;

    const MONTH: Span = Span::Month { day: 1 };
    const WEEK: Span = Span::Week { first: 0 };

    fn end(span: Span, offset_minutes: i64, wall_seconds: i64) -> i64 {
        let place = Place::Offset(offset_minutes * 60 * SECOND);
        Window { span, place }.end(wall_seconds * SECOND) / SECOND
    }

    /// A zone of offsets in minutes and of changes in seconds.
    fn zone(name: &str, first: i64, changes: &[(i64, i64)]) -> Place {
        let changes =
            changes.iter().map(|&(at, minutes)| (at * SECOND, minutes * 60 * SECOND)).collect();
        let offsets = Offsets { name: name.to_owned(), first: first * 60 * SECOND, changes };
        Place::Zone(Zone::add(offsets).expect("room"))
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
        // That is a Tuesday; the next Monday is 2026-11-30, the next Sunday the day before.
        assert_eq!(end(WEEK, 0, 1_795_517_438), 1_795_996_800);
        assert_eq!(end(Span::Week { first: 6 }, 0, 1_795_517_438), 1_795_910_400);
        // And a Tuesday's week that began on it ends in seven days.
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
    fn days_of_a_time_zone_are_as_long_as_they_are() {
        // Berlin 2024: +2 from 2024-03-31 01:00 UTC, +1 from 2024-10-27 01:00 UTC.
        let place = zone("test/Berlin", 60, &[(1_711_846_800, 120), (1_729_990_800, 60)]);
        let day = Window { span: Span::Day, place };
        let hours = |midnight: i64| (day.end(midnight * SECOND) / SECOND - midnight) / 3600;
        assert_eq!(hours(1_711_753_200), 24, "30 March");
        assert_eq!(hours(1_711_839_600), 23, "31 March");
        assert_eq!(hours(1_729_893_600), 24, "26 October, that is +2");
        assert_eq!(hours(1_729_980_000), 25, "27 October");
        let month = Window { span: MONTH, place };
        // 1 March 00:00 +1 to 1 April 00:00 +2.
        assert_eq!(month.end(1_709_247_600 * SECOND) / SECOND, 1_711_922_400);
    }

    #[test]
    fn clocks_that_are_set_back_over_midnight_do_not_end_a_day_twice() {
        // As St. John's had it: at 00:01 on the 8th the clock goes back to 23:01 on the 7th.
        let midnight = 7 * 86_400;
        let place = zone("test/St_Johns", 0, &[(midnight + 60, -60)]);
        let window = Window { span: Span::Day, place };
        let end = |at: i64| window.end(at * SECOND) / SECOND;
        assert_eq!(end(midnight - 1), midnight);
        // From here on it is the 8th, also while clocks show the 7th again.
        for at in [midnight, midnight + 59, midnight + 60, midnight + 3599, midnight + 3600] {
            assert_eq!(end(at), midnight + 86_400 + 3_600, "{at}");
        }
    }

    #[test]
    fn a_midnight_or_a_day_that_clocks_jump_over_begins_where_they_jump() {
        let jump = 5 * 86_400;
        let place = zone("test/Sao_Paulo", 0, &[(jump, 60)]);
        let window = Window { span: Span::Day, place };
        assert_eq!(window.end((jump - 1) * SECOND) / SECOND, jump);
        assert_eq!(window.end(jump * SECOND) / SECOND, jump + 23 * 3600);
        // Samoa had no 30 December 2011.
        let place = zone("test/Apia", -600, &[(jump, 840)]);
        let window = Window { span: Span::Day, place };
        assert_eq!(window.end((jump - 1) * SECOND) / SECOND, jump);
        assert!(window.end(jump * SECOND) > jump * SECOND);
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let year = Span::Year { month: 12, day: 31 };
        let zone = zone("test/far", -26 * 60, &[(-9_223_372_036, 26 * 60), (9_223_372_036, 0)]);
        for span in [Span::Every(1), Span::Every(u64::MAX), Span::Day, WEEK, MONTH, year] {
            for place in [Place::Offset(DAY), Place::Offset(-DAY), zone] {
                for wall_ns in [i64::MIN, -1, 0, i64::MAX] {
                    let _ = Window { span, place }.end(wall_ns);
                }
            }
        }
    }
}
