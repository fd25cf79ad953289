//! Day and month arithmetic of the proleptic Gregorian calendar. Days are counted from 1970-01-01.
//!
//! The algorithms are those of Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".

/// The previous month.
pub(crate) fn before(year: i64, month: i64) -> (i64, i64) {
    if month == 1 { (year - 1, 12) } else { (year, month - 1) }
}

/// The given day of a month, or the month's last day if it is shorter.
pub(crate) fn day_in(year: i64, month: i64, day: u8) -> i64 {
    let first = first_of(year, month);
    let (after, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    (first + i64::from(day) - 1).min(first_of(after, next) - 1)
}

/// Year and month of a day.
pub(crate) fn month_of(day: i64) -> (i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year + era * 400 + i64::from(month <= 2), month)
}

/// The first day of a month.
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
            assert_eq!(day_in(year, month, 31), first_of(year, month) + length - 1);
            day += 1;
            if day > length {
                (day, month) = (1, month + 1);
            }
            if month > 12 {
                (month, year) = (1, year + 1);
            }
        }
    }
}
