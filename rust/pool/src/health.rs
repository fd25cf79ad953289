//! Whether an upstream is fit for use: ejection, rest, probe, recovery.
//!
//! Envoy's outlier detection is the model (consecutive failures, an ejection time that grows, a
//! largest share ejected), with a half-open probe in place of its blind return.
//!
//! There are two ways out of use, and they are kept apart. Failures *eject*: that is the pool's own
//! guess, so it is bounded by a share of the upstreams, and only a probe that succeeds ends it. A
//! `Retry-After` asks for *rest*: that is the upstream's own word, so it is always granted and takes
//! nothing of the share. After it one lease goes first, to see whether the upstream says so again;
//! any other answer brings it back, and counts as any other.

use crate::window::Window;
use crate::{HealthSettings, Millis, Outcome};

/// A rest grows up to so many times the first.
const LONGEST: u64 = 10;

/// What use an upstream is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// In use.
    Healthy,
    /// Not in use until then.
    Resting(Millis),
    /// Open for one lease, whose result decides; true while that one is in use.
    Probation(bool),
}

/// What a result changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthChange {
    /// Failures ejected the upstream for that long.
    Ejected(Millis),
    /// The upstream asked for that long a rest.
    Cooling(Millis),
    /// It is back in use: a probe succeeded, or a rest that it asked for is over.
    Recovered,
}

/// The health of one upstream.
#[derive(Clone, Debug)]
pub struct Health {
    state: State,
    /// Whether failures took it out of use, and no probe has succeeded since.
    ejected: bool,
    in_a_row: u32,
    /// Ejections since it was last well.
    ejections: u32,
    window: Window,
}

impl Health {
    /// A healthy one.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: State::Healthy,
            ejected: false,
            in_a_row: 0,
            ejections: 0,
            window: Window::default(),
        }
    }

    /// What use the upstream is in.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether failures took it out of use, from the ejection until a probe succeeds: this is what
    /// the largest share counts, and no rest that was asked for.
    #[must_use]
    pub fn is_ejected(&self) -> bool {
        self.ejected
    }

    /// Failures since the last success.
    #[must_use]
    pub fn failures_in_a_row(&self) -> u32 {
        self.in_a_row
    }

    /// Whether a lease may be granted, room aside.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Healthy | State::Probation(false))
    }

    /// A lease is granted; returns whether it is the probe.
    pub(crate) fn grant(&mut self) -> bool {
        let probe = self.state == State::Probation(false);
        if probe {
            self.state = State::Probation(true);
        }
        probe
    }

    /// The rest is over: the next lease is a probe.
    pub fn end_rest(&mut self) {
        self.state = State::Probation(false);
    }

    /// The probe is answered well, though its lease is not back yet. Returns whether it was waited
    /// for.
    pub(crate) fn confirm(&mut self) -> bool {
        let awaited = self.state == State::Probation(true);
        if awaited {
            *self = Self::new();
        }
        awaited
    }

    /// A lease came back. `probe` says that it was the one, `may_eject` that the share allows one
    /// more to be ejected, `rest` what the upstream asked for (0 nothing).
    pub fn record(
        &mut self,
        outcome: Outcome,
        rest: Millis,
        probe: bool,
        may_eject: bool,
        settings: &HealthSettings,
        now: Millis,
    ) -> Option<HealthChange> {
        let probe = probe && self.state == State::Probation(true);
        if probe {
            self.state = State::Probation(false);
        }
        match outcome {
            Outcome::Unknown => None,
            Outcome::Ok => {
                self.in_a_row = 0;
                self.window.add(now, settings.window, true);
                probe.then(|| {
                    *self = Self::new();
                    HealthChange::Recovered
                })
            }
            Outcome::Failed | Outcome::Overloaded => {
                self.in_a_row = self.in_a_row.saturating_add(1);
                self.window.add(now, settings.window, false);
                if rest > 0 {
                    return Some(self.cool(rest, now));
                }
                if probe && self.ejected {
                    return Some(self.eject(settings, now));
                }
                if probe {
                    self.state = State::Healthy;
                }
                if self.state == State::Healthy && may_eject && self.is_failing(settings, now) {
                    return Some(self.eject(settings, now));
                }
                probe.then_some(HealthChange::Recovered)
            }
        }
    }

    fn is_failing(&mut self, settings: &HealthSettings, now: Millis) -> bool {
        let in_a_row = settings.failures > 0 && self.in_a_row >= settings.failures;
        let (ok, failed) = self.window.sums(now, settings.window);
        let results = ok + failed;
        in_a_row
            || (results >= settings.min_results
                && f64::from(failed) >= settings.failure_rate * f64::from(results))
    }

    fn eject(&mut self, settings: &HealthSettings, now: Millis) -> HealthChange {
        let times = (1 << self.ejections.min(10)).min(LONGEST);
        let rest = settings.cooldown.saturating_mul(times);
        self.ejections = self.ejections.saturating_add(1);
        self.ejected = true;
        self.state = State::Resting(now.saturating_add(rest));
        HealthChange::Ejected(rest)
    }

    fn cool(&mut self, rest: Millis, now: Millis) -> HealthChange {
        let until = now.saturating_add(rest);
        self.state = match self.state {
            State::Resting(already) => State::Resting(already.max(until)),
            _ => State::Resting(until),
        };
        HealthChange::Cooling(rest)
    }
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: HealthSettings = HealthSettings {
        failures: 3,
        failure_rate: 0.5,
        min_results: 4,
        window: 1000,
        cooldown: 100,
        max_ejected: 1.0,
    };

    fn told(health: &mut Health, outcome: Outcome, now: Millis) -> Option<HealthChange> {
        let probe = health.grant();
        health.record(outcome, 0, probe, true, &SETTINGS, now)
    }

    #[test]
    fn failures_in_a_row_eject_and_a_probe_decides() {
        let mut health = Health::new();
        assert_eq!(told(&mut health, Outcome::Failed, 0), None);
        assert_eq!(told(&mut health, Outcome::Ok, 0), None);
        assert_eq!(told(&mut health, Outcome::Failed, 1), None);
        let ejected = (0..2).map(|_| told(&mut health, Outcome::Failed, 2)).find(Option::is_some);
        assert_eq!(ejected, Some(Some(HealthChange::Ejected(100))));
        assert!(!health.is_open());
        health.end_rest();
        assert_eq!(told(&mut health, Outcome::Failed, 102), Some(HealthChange::Ejected(200)));
        health.end_rest();
        assert_eq!(told(&mut health, Outcome::Unknown, 302), None);
        assert!(health.is_open(), "a probe without a result leaves the door open for another");
        assert_eq!(told(&mut health, Outcome::Ok, 303), Some(HealthChange::Recovered));
        assert_eq!(health.state(), State::Healthy);
    }

    #[test]
    fn one_probe_at_a_time_and_old_leases_decide_nothing() {
        let mut health = Health::new();
        health.end_rest();
        assert!(health.grant());
        assert!(!health.is_open());
        assert_eq!(health.record(Outcome::Failed, 0, false, true, &SETTINGS, 0), None);
        assert_eq!(health.record(Outcome::Ok, 0, false, true, &SETTINGS, 0), None);
        assert_eq!(health.state(), State::Probation(true));
    }

    #[test]
    fn after_a_rest_that_was_asked_for_one_goes_first_and_counts_as_any_other() {
        let mut health = Health::new();
        let cooling = health.record(Outcome::Overloaded, 500, false, true, &SETTINGS, 0);
        assert_eq!((cooling, health.is_ejected()), (Some(HealthChange::Cooling(500)), false));
        health.end_rest();
        assert!(health.grant() && !health.is_open(), "one at a time");
        let again = health.record(Outcome::Overloaded, 100, true, true, &SETTINGS, 500);
        assert_eq!((again, health.is_ejected()), (Some(HealthChange::Cooling(100)), false));
        health.end_rest();
        // The third failure in a row ejects, if the share allows it, and else it is in use.
        for may_eject in [false, true] {
            let mut health = health.clone();
            assert!(health.grant());
            let change = health.record(Outcome::Failed, 0, true, may_eject, &SETTINGS, 600);
            assert_eq!(health.is_ejected(), may_eject);
            let back = HealthChange::Recovered;
            assert_eq!(change, Some(if may_eject { HealthChange::Ejected(100) } else { back }));
        }
    }

    #[test]
    fn an_ejection_lasts_until_a_probe_succeeds_whatever_rest_is_asked_for() {
        let mut health = Health::new();
        for _ in 0..3 {
            told(&mut health, Outcome::Failed, 0);
        }
        assert!(health.is_ejected());
        health.end_rest();
        assert!(health.grant());
        health.record(Outcome::Overloaded, 50, true, false, &SETTINGS, 100);
        health.end_rest();
        assert!(health.is_ejected());
        assert_eq!(told(&mut health, Outcome::Failed, 150), Some(HealthChange::Ejected(200)));
        health.end_rest();
        assert!(health.grant() && health.confirm(), "an answer will do");
        assert!(!health.is_ejected() && !health.confirm());
        assert_eq!(health.record(Outcome::Failed, 0, true, true, &SETTINGS, 400), None);
    }

    #[test]
    fn a_rest_that_is_asked_for_is_never_shortened() {
        let mut health = Health::new();
        health.record(Outcome::Overloaded, 500, false, false, &SETTINGS, 0);
        health.record(Outcome::Overloaded, 100, false, false, &SETTINGS, 0);
        assert_eq!(health.state(), State::Resting(500));
    }
}
