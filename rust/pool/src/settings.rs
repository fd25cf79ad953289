//! What a pool is made of.

use crate::Millis;

/// The numbers of a pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How many leases may be in use over all upstreams.
    pub max_in_flight: u32,
    /// How many may wait.
    pub queue_max: u32,
    /// How much later an arrival one step of priority makes up for.
    pub aging: Millis,
    /// How long a lease lives without being renewed.
    pub lease_ttl: Millis,
    /// How long a lease that was handed over waits to be collected before others get it.
    pub claim: Millis,
    /// When an upstream is taken out of use.
    pub health: HealthSettings,
    /// How limits move, if they do.
    pub adaptive: Option<Adaptive>,
}

/// When an upstream is taken out of use and when it comes back.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthSettings {
    /// This many failures in a row eject; 0 never does.
    pub failures: u32,
    /// This share of failures within the window ejects.
    pub failure_rate: f64,
    /// A rate is made of at least so many results.
    pub min_results: u32,
    /// The window of the rate.
    pub window: Millis,
    /// How long an ejection lasts the first time.
    pub cooldown: Millis,
    /// The largest share of the upstreams that failures may eject.
    pub max_ejected: f64,
}

/// How an adaptive limit moves.
#[derive(Clone, Debug, PartialEq)]
pub struct Adaptive {
    /// The lowest limit.
    pub min: u32,
    /// What the limit is multiplied by on overload.
    pub backoff: f64,
}

/// What is said of an upstream when it is added.
#[derive(Clone, Debug, PartialEq)]
pub struct UpstreamSettings {
    /// How many leases of it may be in use.
    pub max_in_flight: u32,
    /// Its share of the load; above 0.
    pub weight: f64,
    /// A higher tier is used only when no lower one has room.
    pub tier: u32,
}

/// How a request went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The upstream did its part.
    Ok,
    /// Nothing is known of it; it changes nothing.
    Unknown,
    /// The upstream failed.
    Failed,
    /// The upstream had too much to do, or did not answer in time.
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
