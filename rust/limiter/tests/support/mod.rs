//! Helpers to create limiters and to call them.
#![allow(dead_code, reason = "each test uses some of it")]
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

use std::sync::Arc;
use std::time::Duration;

use sluice_limiter::{
    Config, Key, Kind, Limit, Limiter, Now, Part, QuotaWindow, Refusal, ReservationId, Span,
    TimeZone, UNIT, reserve_all,
};

pub(crate) const MS: u64 = 1_000_000;
pub(crate) const SECOND: u64 = 1_000 * MS;
pub(crate) const MINUTE: u64 = 60 * SECOND;

pub(crate) fn at(ns: u64) -> Now {
    Now { ns, wall_ns: ns.cast_signed() }
}

pub(crate) fn limiter_of(limits: Vec<Limit>, max_keys: u32) -> Arc<Limiter> {
    let units = limits.iter().map(|limit| limit.unit + 1).max().unwrap_or(0);
    let config = Config { limits: limits.into(), units, max_keys };
    Arc::new(Limiter::new(config, [3; 16], Arc::default()))
}

pub(crate) fn limiter(limits: Vec<Limit>) -> Arc<Limiter> {
    limiter_of(limits, 1000)
}

pub(crate) fn rate(unit: usize, units: u64, ns: u64, burst: u64) -> Limit {
    Limit::rate(unit, units * UNIT, ns, burst * UNIT)
}

pub(crate) fn concurrency(unit: usize, units: u64) -> Limit {
    Limit { kind: Kind::Concurrency, unit, capacity: units * UNIT }
}

pub(crate) const MONTH: Span = Span::Month { day: 1 };

pub(crate) fn quota(unit: usize, span: Span, units: u64) -> Limit {
    let window = QuotaWindow { span, time_zone: TimeZone::Offset(0) };
    Limit { kind: Kind::Quota(window), unit, capacity: units * UNIT }
}

pub(crate) fn key(limiter: &Limiter, name: &str) -> Key {
    limiter.key(name.as_bytes(), at(0)).expect("room")
}

pub(crate) fn take(limiter: &Limiter, key: Key, cost: u64, now: Now) -> Option<Refusal> {
    let costs = vec![cost * UNIT; limiter.units()];
    limiter.take(key, &costs, now).expect("no fault").map(|denial| denial.refusal)
}

pub(crate) fn reserve(
    limiter: &Arc<Limiter>,
    key: Key,
    cost: u64,
    ttl: u64,
    now: Now,
) -> Option<ReservationId> {
    let costs = vec![cost * UNIT; limiter.units()];
    reserve_all(&[Part { limiter, key, costs: &costs }], 1, ttl, now).expect("no fault").ok()
}

/// How long a stress test runs.
pub(crate) fn stress_time() -> Duration {
    let seconds = std::env::var("SLUICE_STRESS_SECONDS");
    Duration::from_secs(seconds.map_or(2, |seconds| seconds.parse().expect("a number of seconds")))
}

/// Xorshift (Marsaglia 2003): random enough to mix calls.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `most`.
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % most
    }
}
