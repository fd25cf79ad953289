//! What a run simulates: limits, load and faults.

use sluice_limiter::shared::{Mode, OnLoss, OnOutage};
use sluice_limiter::{Kind, Limit, QuotaWindow, Span, TimeZone, UNIT};

pub(crate) const MS: u64 = 1_000_000;
pub(crate) const SECOND: u64 = 1_000 * MS;
/// The unit of places; the others are requests (0) and tokens (1).
pub(crate) const PLACES: usize = 2;
pub(crate) const UNITS: usize = 3;

/// A run.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) processes: usize,
    pub(crate) keys: usize,
    pub(crate) limits: Vec<Limit>,
    pub(crate) mode: Mode,
    pub(crate) on_loss: OnLoss,
    pub(crate) on_outage: OnOutage,
    pub(crate) lease_ns: u64,
    pub(crate) timeout_ns: u64,
    /// Calls a second of all processes.
    pub(crate) calls: u64,
    /// Of 100 calls, how many reserve, and how many reserve at two keys.
    pub(crate) reserving: u64,
    pub(crate) pairing: u64,
    pub(crate) faults: Faults,
}

/// Faults of a run. Spans of time are true time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    /// Of 1,000 messages: lost, doubled (the copy comes up to 3 s later), and slow.
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) slow: u64,
    /// Processes die and start again.
    pub(crate) kills: bool,
    /// Processes stand still for up to this long; their clocks run on.
    pub(crate) stalls_ns: u64,
    /// Threads of processes end.
    pub(crate) thread_ends: bool,
    /// Wall clocks are wrong and step; the other clocks are up to 0.09 % slow or fast.
    pub(crate) bad_clocks: bool,
    /// The store is away in this span; at its end it may have lost its state.
    pub(crate) down: Option<(u64, u64)>,
    pub(crate) loses_state: bool,
    /// These first processes are cut off in this span.
    pub(crate) cut: Option<(usize, u64, u64)>,
}

impl Scenario {
    pub(crate) fn new(name: &'static str, limits: Vec<Limit>) -> Self {
        Self {
            name,
            processes: 3,
            keys: 3,
            limits,
            mode: Mode::Auto,
            on_loss: OnLoss::Fresh,
            on_outage: OnOutage::Closed,
            lease_ns: 2 * SECOND,
            timeout_ns: 100 * MS,
            calls: 600,
            reserving: 30,
            pairing: 10,
            faults: Faults::default(),
        }
    }
}

/// 100 requests a second, burst 100.
pub(crate) fn requests() -> Limit {
    Limit::rate(0, 100 * UNIT, SECOND, 100 * UNIT)
}

/// 1,000 tokens a second, burst 2,000.
pub(crate) fn tokens() -> Limit {
    Limit::rate(1, 1_000 * UNIT, SECOND, 2_000 * UNIT)
}

/// 3,000 tokens in five seconds.
pub(crate) fn quota() -> Limit {
    let window = QuotaWindow { span: Span::Every(5 * SECOND), time_zone: TimeZone::Offset(0) };
    Limit { kind: Kind::Quota(window), unit: 1, capacity: 3_000 * UNIT }
}

/// 12 places.
pub(crate) fn places() -> Limit {
    Limit { kind: Kind::Concurrency, unit: PLACES, capacity: 12 * UNIT }
}
