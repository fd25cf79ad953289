//! The windows of quotas: when the one that a moment is in ends.
//!
//! Days of the proleptic Gregorian calendar by the algorithms of Howard Hinnant, "chrono-Compatible
//! Low-Level Date Algorithms". Leap seconds do not exist here, as in Unix time.

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

/// How long a window is and where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Span {
    /// So many nanoseconds, counted from 1970 on.
    Every(u64),
    /// Seven days from Monday on.
    Week,
    /// A month of the calendar.
    Month,
}

/// A span, in a place `offset_ns` east of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// The span.
    pub span: Span,
    /// How far local time is ahead of UTC.
    pub offset_ns: i64,
}

impl Window {
    /// When the window that `wall_ns` is in ends, exclusive. O(1).
    #[must_use]
    pub fn end(&self, wall_ns: i64) -> i64 {
        let local = wall_ns.saturating_add(self.offset_ns);
        let end = match self.span {
            Span::Every(ns) => next_multiple(local, ns.clamp(1, i64::MAX as u64).cast_signed(), 0),
            // 1970 began on a Thursday, so Monday was three days before.
            Span::Week => next_multiple(local, 7 * DAY, -3 * DAY),
            Span::Month => end_of_month(local),
        };
        end.saturating_sub(self.offset_ns)
    }

    /// No window of this kind is longer.
    #[inline]
    #[must_use]
    pub fn longest(&self) -> u64 {
        match self.span {
            Span::Every(ns) => ns,
            Span::Week => 7 * DAY.unsigned_abs(),
            Span::Month => 31 * DAY.unsigned_abs(),
        }
    }
}

fn next_multiple(at: i64, step: i64, origin: i64) -> i64 {
    let passed = (i128::from(at) - i128::from(origin)).div_euclid(i128::from(step)) + 1;
    let end = passed * i128::from(step) + i128::from(origin);
    i64::try_from(end).unwrap_or(i64::MAX)
}

fn end_of_month(at: i64) -> i64 {
    let (year, month) = month_of(at.div_euclid(DAY));
    let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    first_of(year, month).saturating_mul(DAY)
}

/// Year and month of a day counted from 1970-01-01.
fn month_of(day: i64) -> (i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year + era * 400 + i64::from(month <= 2), month)
}

/// The first day of a month, counted from 1970-01-01.
fn first_of(year: i64, month: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * from_march + 2) / 5;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(span: Span, offset_minutes: i64, wall_seconds: i64) -> i64 {
        Window { span, offset_ns: offset_minutes * 60 * SECOND }.end(wall_seconds * SECOND) / SECOND
    }

    #[test]
    fn windows_end_where_calendars_say() {
        let day = Span::Every(DAY.unsigned_abs());
        // From `date -u -d @…`: 2024-02-29 23:59:59 is 1709251199, 2026-11-24 10:50:38 1795517438.
        assert_eq!(end(day, 0, 1_709_251_199), 1_709_251_200);
        assert_eq!(end(day, 0, 1_709_251_200), 1_709_337_600);
        assert_eq!(end(day, 120, 1_709_251_199), 1_709_330_400);
        assert_eq!(end(day, -300, 1_709_251_199), 1_709_269_200);
        assert_eq!(end(Span::Month, 0, 1_709_251_199), 1_709_251_200);
        assert_eq!(end(Span::Month, 0, 1_709_251_200), 1_711_929_600);
        assert_eq!(end(Span::Month, 60, 1_709_251_199), 1_711_926_000);
        assert_eq!(end(Span::Month, 0, 1_795_517_438), 1_796_083_200);
        // That is a Tuesday; the next Monday is 2026-11-30.
        assert_eq!(end(Span::Week, 0, 1_795_517_438), 1_795_996_800);
        assert_eq!(end(Span::Week, 0, -1), 345_600);
    }

    #[test]
    fn every_day_of_800_years_is_in_the_month_that_counting_says() {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for at in 0..800 * 365 {
            assert_eq!(month_of(at), (year, month), "{at}");
            if day == 1 {
                assert_eq!(first_of(year, month), at);
            }
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                2 => 28 + i64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > length {
                (day, month) = (1, month + 1);
            }
            if month > 12 {
                (month, year) = (1, year + 1);
            }
        }
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        for span in [Span::Every(1), Span::Every(u64::MAX), Span::Week, Span::Month] {
            for wall_ns in [i64::MIN, -1, 0, i64::MAX] {
                let _ = Window { span, offset_ns: DAY }.end(wall_ns);
            }
        }
    }
}
