//! Settings of a pool and its upstreams, with their defaults.

use crate::time::Millis;

/// The settings of a pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The most leases in use over all upstreams.
    pub max_in_flight: u32,
    /// The most waiters.
    pub queue_max: u32,
    /// The head start that one step of priority is worth.
    pub aging: Millis,
    /// The time to live of a lease that is not renewed.
    pub lease_ttl: Millis,
    /// How long a lease that was handed over waits to be collected before others get it.
    pub claim: Millis,
    /// When an upstream is ejected.
    pub health: HealthSettings,
    /// How adaptive limits change; none if limits are fixed.
    pub adaptive: Option<Adaptive>,
}

/// When an upstream is ejected, and when it is used again.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthSettings {
    /// This many consecutive failures eject; 0 disables this.
    pub failures: u32,
    /// This share of failures in the window ejects.
    pub failure_rate: f64,
    /// The least number of results in the window for a failure rate.
    pub min_results: u32,
    /// The length of the window.
    pub window: Millis,
    /// How long the first ejection lasts.
    pub cooldown: Millis,
    /// The largest share of the upstreams that may be ejected by failures.
    pub max_ejected: f64,
}

/// How an adaptive limit changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Adaptive {
    /// The lowest limit.
    pub min: u32,
    /// The factor of the multiplicative decrease.
    pub backoff: f64,
}

/// The settings of an upstream.
#[derive(Clone, Debug, PartialEq)]
pub struct UpstreamSettings {
    /// The most leases in use.
    pub max_in_flight: u32,
    /// The share of the load; above 0.
    pub weight: f64,
    /// The tier. A higher tier is used only when no lower one has room.
    pub tier: u32,
}

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The upstream succeeded.
    Ok,
    /// The outcome is not known; health and limits do not change.
    Unknown,
    /// The upstream failed.
    Failed,
    /// The upstream was overloaded, or timed out.
    Overloaded,
}

impl Default for HealthSettings {
    fn default() -> Self {
        Self {
            failures: 5,
            failure_rate: 0.5,
            min_results: 20,
            window: 10_000,
            cooldown: 30_000,
            max_ejected: 0.5,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_in_flight: 1 << 17,
            queue_max: 1000,
            aging: 5000,
            lease_ttl: 600_000,
            claim: 1000,
            health: HealthSettings::default(),
            adaptive: None,
        }
    }
}
