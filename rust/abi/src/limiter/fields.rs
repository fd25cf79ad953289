//! Layout of limits and configurations as they cross: the index of each number, and its range.

use sluice_limiter::{MOST_KEYS, MOST_LIMITS};

/// How many numbers a configuration has before its limits.
pub const SLUICE_LIMITER_HEADER: u32 = 4;
/// How many numbers a limit has.
pub const SLUICE_LIMITER_LIMIT: u32 = 8;
/// Quota window: a day of the calendar.
pub const SLUICE_WINDOW_DAY: u32 = 1;
/// Quota window: a week of the calendar.
pub const SLUICE_WINDOW_WEEK: u32 = 2;
/// Quota window: a month of the calendar.
pub const SLUICE_WINDOW_MONTH: u32 = 3;
/// Quota window: a year of the calendar.
pub const SLUICE_WINDOW_YEAR: u32 = 4;
/// Limit kind: a rate.
pub const SLUICE_LIMIT_RATE: u32 = 0;
/// Limit kind: a quota.
pub const SLUICE_LIMIT_QUOTA: u32 = 1;
/// Limit kind: concurrency.
pub const SLUICE_LIMIT_CONCURRENCY: u32 = 2;
/// The most limits of a limiter, and of a call over several keys.
pub const SLUICE_MAX_LIMITS: u32 = 16;
/// The most keys of a limiter.
pub const SLUICE_MAX_KEYS: u32 = 1073741824;
/// The least amount of a unit other than 0: one millionth.
pub const SLUICE_MIN_AMOUNT: f64 = 1e-6;
/// The largest amount of a unit. Its millionths are an exact integer of 64 bits.
pub const SLUICE_MAX_AMOUNT: f64 = 1e12;
/// The shortest period, in milliseconds: one nanosecond.
pub const SLUICE_MIN_PERIOD_MS: f64 = 1e-6;
/// The longest period, in milliseconds: 366 days.
pub const SLUICE_MAX_PERIOD_MS: f64 = 31622400000.0;
/// The longest time in which a burst may come back, in milliseconds: 36 years.
pub const SLUICE_MAX_REFILL_MS: f64 = 1.15e12;
/// The largest distance of a quota's windows from UTC, in minutes.
pub const SLUICE_MAX_UTC_OFFSET_MINUTES: u32 = 1440;

const _: () = assert!(SLUICE_MAX_LIMITS as usize == MOST_LIMITS && SLUICE_MAX_KEYS == MOST_KEYS);

/// Indices of the numbers before the limits of a configuration.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluiceLimiterHeader {
    /// The most keys.
    MaxKeys,
    /// How long a reservation lives by default, in milliseconds.
    ReservationTtlMs,
    /// How many limits follow.
    Limits,
    /// How many units the limits count.
    Units,
}

const _: () = assert!(SLUICE_LIMITER_HEADER == SluiceLimiterHeader::Units as u32 + 1);

/// Indices of the numbers of a limit.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluiceLimitField {
    /// The kind: a `SLUICE_LIMIT_*` constant.
    Kind,
    /// The index of its unit.
    Unit,
    /// The limit in units, or infinity.
    Limit,
    /// The period in milliseconds, or a `SLUICE_WINDOW_*` constant with a minus sign.
    Period,
    /// The burst of a rate in units, or infinity.
    Burst,
    /// Where the windows of a quota begin: for weeks a day from 0 (Monday) to 6, for months a day from 1 to 31, and
    /// for years 100 times the month plus the day.
    WindowStart,
    /// The distance of a quota's windows from UTC, in minutes east.
    UtcOffset,
    /// The number of a time zone of `sluice_zone_find`, or 0 to use the offset from UTC.
    Zone,
}

const _: () = assert!(SLUICE_LIMITER_LIMIT == SluiceLimitField::Zone as u32 + 1);
