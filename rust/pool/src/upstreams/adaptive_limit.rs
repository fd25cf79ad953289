//! AIMD concurrency limit of one upstream: additive increase, multiplicative decrease (Chiu and
//! Jain 1989; like TCP in RFC 5681, the default halves).
//!
//! The limit falls only on explicit overload (429, 529) or a timeout, never because an answer took
//! long: a long answer of a language model is not a slow one. Requests that were in flight together
//! cause one decrease: those that were granted before the last decrease cause no other. The limit
//! grows by one a round, and only while at least half of it is in use.

use crate::settings::{Adaptive, Outcome};

/// The adaptive limit of one upstream.
#[derive(Clone, Debug)]
pub struct AdaptiveLimit {
    now: f64,
    /// Only leases from this grant on may decrease the limit.
    cut_at: u64,
}

impl AdaptiveLimit {
    /// Starts at the configured limit.
    #[must_use]
    pub fn new(max: u32) -> Self {
        Self { now: f64::from(max), cut_at: 0 }
    }

    /// The current limit of leases in use.
    #[must_use]
    pub fn get(&self, max: u32) -> u32 {
        (self.now as u32).clamp(1, max.max(1)).min(max)
    }

    /// Changes the configured limit. A limit that was at the old one follows it.
    pub fn resize(&mut self, from: u32, to: u32) {
        let at_most = self.now >= f64::from(from);
        self.now = if at_most { f64::from(to) } else { self.now.min(f64::from(to)) };
    }

    /// Records the result of the `grant`-th lease. `next` is the number of the next grant;
    /// `in_flight` still counts this lease. `ceiling` is what this process may use of `max`: a
    /// decrease starts there, because a limit above it has no effect.
    pub fn record(
        &mut self,
        outcome: Outcome,
        (grant, next): (u64, u64),
        in_flight: u32,
        (ceiling, max): (u32, u32),
        settings: &Adaptive,
    ) {
        match outcome {
            Outcome::Overloaded if grant >= self.cut_at => {
                let from = self.now.min(f64::from(ceiling.max(in_flight)));
                self.now = (from * settings.backoff).max(f64::from(settings.min.min(max)));
                self.cut_at = next;
            }
            Outcome::Ok if f64::from(in_flight) * 2.0 >= self.now => {
                self.now = (self.now + 1.0 / self.now.max(1.0)).min(f64::from(max));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: Adaptive = Adaptive { min: 2, backoff: 0.5 };

    #[test]
    fn overload_halves_once_a_flight_down_to_the_minimum() {
        let mut limit = AdaptiveLimit::new(64);
        for grant in 0..10 {
            limit.record(Outcome::Overloaded, (grant, 10), 10, (64, 64), &HALF);
        }
        assert_eq!(limit.get(64), 32, "ten at once are one overload");
        for grant in 10..20 {
            limit.record(Outcome::Overloaded, (grant, grant + 1), 10, (64, 64), &HALF);
        }
        assert_eq!(limit.get(64), 2);
    }

    #[test]
    fn it_grows_by_one_a_round_and_only_when_used() {
        let mut limit = AdaptiveLimit::new(64);
        limit.record(Outcome::Overloaded, (0, 1), 64, (64, 64), &HALF);
        for _ in 0..1000 {
            limit.record(Outcome::Ok, (1, 1), 15, (64, 64), &HALF);
        }
        assert_eq!(limit.get(64), 32, "less than half in use");
        for _ in 0..33 {
            limit.record(Outcome::Ok, (1, 1), 32, (64, 64), &HALF);
        }
        assert_eq!(limit.get(64), 33);
        for _ in 0..100_000 {
            limit.record(Outcome::Ok, (1, 1), 64, (64, 64), &HALF);
        }
        assert_eq!(limit.get(64), 64, "never above the most");
    }

    #[test]
    fn failures_that_are_no_overload_change_nothing() {
        let mut limit = AdaptiveLimit::new(8);
        limit.record(Outcome::Failed, (0, 1), 8, (8, 8), &HALF);
        limit.record(Outcome::Unknown, (0, 1), 8, (8, 8), &HALF);
        assert_eq!(limit.get(8), 8);
        limit.resize(8, 20);
        assert_eq!(limit.get(20), 20);
        limit.resize(20, 3);
        assert_eq!(limit.get(3), 3);
    }
}
