//! What a run does, and the processes that do it.

use std::collections::BTreeMap;

use sluice_pool::{
    HealthSettings, LeaseId, Outage, Pool, Settings, SharedSettings, State, UpstreamSettings,
};

use crate::random::Random;

/// How long permits last, in milliseconds.
pub(crate) const LEASE: u64 = 2000;

/// What a run does.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) processes: usize,
    /// The permits of each upstream.
    pub(crate) caps: Vec<u32>,
    /// The permits of the pool.
    pub(crate) total: u32,
    /// Requests a second of each process.
    pub(crate) arrivals: Vec<f64>,
    /// The mean time of a request, in milliseconds.
    pub(crate) mean: f64,
    pub(crate) spare: bool,
    pub(crate) outage: Outage,
    pub(crate) strict: bool,
    /// Of 1000 messages, how many are lost, and how many come twice, the second one late.
    pub(crate) lost: u64,
    pub(crate) twice: u64,
    pub(crate) timeout: u64,
    /// Whether requests are aborted when their permits have ended.
    pub(crate) aborts: bool,
    /// Whether the network has phases in which messages take up to four seconds.
    pub(crate) is_slow: bool,
    /// Of 1000 requests, how many are answered with 429 and a rest, or fail.
    pub(crate) rests: u64,
    pub(crate) fails: u64,
}

/// A request in flight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flight {
    pub(crate) lease: LeaseId,
    pub(crate) ends: u64,
}

pub(crate) struct Process {
    pub(crate) pool: Pool,
    pub(crate) id: String,
    pub(crate) flights: Vec<Flight>,
    pub(crate) waiters: BTreeMap<u64, u64>,
    /// The clock of the process: the time of the world times a rate, and an offset.
    pub(crate) offset: u64,
    pub(crate) slow: bool,
    pub(crate) is_alive: bool,
    pub(crate) is_cut_off: bool,
    /// Whether requests arrive.
    pub(crate) is_busy: bool,
    pub(crate) losses: u64,
    /// When the timer of the process looks whether a call is due.
    pub(crate) looks_at: u64,
    pub(crate) granted: u64,
    pub(crate) timed_out: u64,
}

pub(crate) fn is_probing(process: &Process, upstream: usize) -> bool {
    let stats = process.pool.upstreams().nth(upstream);
    stats.is_some_and(|stats| stats.state == State::Probation(true))
}

pub(crate) fn process(plan: &Plan, index: usize, random: &mut Random) -> Process {
    let health = HealthSettings { cooldown: 1500, ..HealthSettings::default() };
    let settings = Settings { max_in_flight: plan.total, health, ..Settings::default() };
    let mut pool = Pool::new(settings);
    pool.share(SharedSettings {
        lease: LEASE,
        timeout: plan.timeout,
        processes: plan.processes as u32,
        outage: plan.outage,
        spare: plan.spare,
        strict: plan.strict,
    });
    let offset = 1_000_000 + random.below(1_000_000);
    for (i, &max_in_flight) in plan.caps.iter().enumerate() {
        let upstream = UpstreamSettings { max_in_flight, weight: 1.0, tier: 0 };
        assert!(pool.add_upstream(&format!("key {i}"), upstream, offset).is_ok());
    }
    assert_eq!(pool.join(1), Ok(0));
    Process {
        pool,
        id: format!("process{index}"),
        flights: Vec::new(),
        waiters: BTreeMap::new(),
        offset,
        slow: random.odds(1, 2),
        is_alive: true,
        is_cut_off: false,
        is_busy: true,
        losses: 0,
        looks_at: 0,
        granted: 0,
        timed_out: 0,
    }
}
