//! Whether an upstream is fit for use: ejection, rest, probe, recovery.
//!
//! Envoy's outlier detection is the model (consecutive failures, an ejection time that grows, a
//! largest share ejected), with a half-open probe in place of its blind return.

use crate::{HealthSettings, Millis, Outcome};

/// The window moves in this many steps.
const STEPS: u64 = 10;
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
    /// A probe brought it back.
    Recovered,
}

/// The health of one upstream.
#[derive(Clone, Debug)]
pub struct Health {
    state: State,
    in_a_row: u32,
    /// Ejections since it was last well.
    ejections: u32,
    window: Window,
}

impl Health {
    /// A healthy one.
    #[must_use]
    pub fn new() -> Self {
        Self { state: State::Healthy, in_a_row: 0, ejections: 0, window: Window::default() }
    }

    /// What use the upstream is in.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
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
                let due = match self.state {
                    State::Healthy => may_eject && self.is_failing(settings, now),
                    State::Probation(_) => probe,
                    State::Resting(_) => false,
                };
                due.then(|| self.eject(settings, now))
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

/// Results within the last [`STEPS`] steps.
#[derive(Clone, Debug, Default)]
struct Window {
    /// (successes, failures) by step modulo [`STEPS`].
    steps: [(u32, u32); STEPS as usize],
    /// The latest step that was written.
    latest: u64,
}

impl Window {
    fn add(&mut self, now: Millis, window: Millis, ok: bool) {
        let step = self.turn(now, window);
        let (oks, failures) = &mut self.steps[step];
        let count = if ok { oks } else { failures };
        *count = count.saturating_add(1);
    }

    fn sums(&mut self, now: Millis, window: Millis) -> (u32, u32) {
        self.turn(now, window);
        self.steps.iter().fold((0, 0), |(ok, failed), step| {
            (ok + step.0.min(1 << 27), failed + step.1.min(1 << 27))
        })
    }

    /// Clears what is too old and returns the index of the step that it is now.
    fn turn(&mut self, now: Millis, window: Millis) -> usize {
        let step = now / (window / STEPS).max(1);
        for passed in (self.latest + 1..=step).rev().take(STEPS as usize) {
            self.steps[(passed % STEPS) as usize] = (0, 0);
        }
        self.latest = self.latest.max(step);
        (self.latest % STEPS) as usize
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
    fn a_rest_that_is_asked_for_is_never_shortened() {
        let mut health = Health::new();
        health.record(Outcome::Overloaded, 500, false, false, &SETTINGS, 0);
        health.record(Outcome::Overloaded, 100, false, false, &SETTINGS, 0);
        assert_eq!(health.state(), State::Resting(500));
    }

    proptest! {
        #[test]
        fn the_window_counts_what_a_list_would(
            window in 1u64..5000,
            steps in prop::collection::vec((0u64..2000, any::<bool>()), 1..200),
        ) {
            let mut fast = Window::default();
            let mut list = Vec::new();
            let mut now = 0;
            for (wait, ok) in steps {
                now += wait;
                fast.add(now, window, ok);
                let step = |at: u64| at / (window / STEPS).max(1);
                list.push((step(now), ok));
                let recent = list.iter().filter(|(at, _)| at + STEPS > step(now));
                let oks = recent.clone().filter(|(_, ok)| *ok).count();
                let failures = recent.count() - oks;
                prop_assert_eq!(fast.sums(now, window), (oks as u32, failures as u32));
            }
        }
    }
}
