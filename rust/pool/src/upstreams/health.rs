//! Health of an upstream: outlier ejection as in Envoy, with the half-open probe of a circuit
//! breaker.
//!
//! Envoy's outlier detection is the model: consecutive failures, an ejection time that grows, a
//! largest share ejected. A half-open probe replaces its unconditional return.
//!
//! An upstream can be taken out of use in two ways, which are kept apart. Failures *eject*: this is
//! the pool's own guess, so it is bounded by a share of the upstreams, and only a successful probe
//! ends it. A `Retry-After` asks for *rest*: this is the upstream's own word, so it is always
//! granted and does not count towards the share. After a rest, one lease goes first, to see whether
//! the upstream asks again; any other result makes the upstream healthy, and counts as usual.

use crate::settings::{HealthSettings, Outcome};
use crate::time::Millis;
use crate::upstreams::result_window::ResultWindow;

/// The longest ejection, as a multiple of the first.
const LONGEST: u64 = 10;
/// Ends of one rest that several processes were told differ by this much at most, in milliseconds.
const TOLERANCE: Millis = 20;

/// The state of an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// In use.
    Healthy,
    /// Not in use until the given time.
    Resting(Millis),
    /// Half-open: one lease, the probe, decides. True while the probe is in use.
    Probation(bool),
}

/// A change of health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthChange {
    /// Failures ejected the upstream for this long.
    Ejected(Millis),
    /// The upstream asked for a rest of this length.
    Cooling(Millis),
    /// It is healthy again: a probe succeeded, or a rest that it asked for is over.
    Recovered,
}

/// The health of one upstream.
#[derive(Clone, Debug)]
pub struct Health {
    state: State,
    /// Whether failures ejected it, and no probe has succeeded since.
    ejected: bool,
    in_a_row: u32,
    /// Ejections since it was last healthy.
    ejections: u32,
    window: ResultWindow,
}

impl Health {
    /// A healthy upstream.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: State::Healthy,
            ejected: false,
            in_a_row: 0,
            ejections: 0,
            window: ResultWindow::default(),
        }
    }

    /// The state.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether failures ejected it and no probe has succeeded since. The largest share counts these
    /// upstreams, and not those that asked for rest.
    #[must_use]
    pub fn is_ejected(&self) -> bool {
        self.ejected
    }

    /// Consecutive failures.
    #[must_use]
    pub fn failures_in_a_row(&self) -> u32 {
        self.in_a_row
    }

    /// Whether health allows a lease to be granted.
    #[must_use]
    pub fn is_available(&self) -> bool {
        matches!(self.state, State::Healthy | State::Probation(false))
    }

    /// Records a grant; returns whether the lease is the probe.
    pub(crate) fn grant(&mut self) -> bool {
        let probe = self.state == State::Probation(false);
        if probe {
            self.state = State::Probation(true);
        }
        probe
    }

    /// Ends the rest: the next lease is a probe.
    pub fn end_rest(&mut self) {
        self.state = State::Probation(false);
    }

    /// Rests until a time that another process was told, unless it rests longer already. Returns
    /// whether that is news: small extensions are not.
    pub(crate) fn rest_until(&mut self, until: Millis) -> Option<bool> {
        let already = match self.state {
            State::Resting(already) => already,
            _ => 0,
        };
        if until <= already {
            return None;
        }
        self.state = State::Resting(until);
        Some(until - already > TOLERANCE)
    }

    /// Another process has found that the upstream answers well after the rest that it asked for.
    /// What this process has ejected itself, it probes itself. Returns whether that ends a probation.
    pub(crate) fn recover(&mut self) -> bool {
        let awaited = self.state == State::Probation(false) && !self.ejected;
        if awaited {
            *self = Self::new();
        }
        awaited
    }

    /// Records that the probe was answered well, before its lease is back. Returns whether a probe
    /// was expected.
    pub(crate) fn confirm(&mut self) -> bool {
        let awaited = self.state == State::Probation(true);
        if awaited {
            *self = Self::new();
        }
        awaited
    }

    /// Records the result of a lease. `probe` is whether it was granted as the probe, `may_eject`
    /// whether the share allows one more ejection, `rest` the rest that the upstream asked for (0:
    /// none).
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

    fn run_lease(health: &mut Health, outcome: Outcome, now: Millis) -> Option<HealthChange> {
        let probe = health.grant();
        health.record(outcome, 0, probe, true, &SETTINGS, now)
    }

    #[test]
    fn failures_in_a_row_eject_and_a_probe_decides() {
        let mut health = Health::new();
        assert_eq!(run_lease(&mut health, Outcome::Failed, 0), None);
        assert_eq!(run_lease(&mut health, Outcome::Ok, 0), None);
        assert_eq!(run_lease(&mut health, Outcome::Failed, 1), None);
        let ejected =
            (0..2).map(|_| run_lease(&mut health, Outcome::Failed, 2)).find(Option::is_some);
        assert_eq!(ejected, Some(Some(HealthChange::Ejected(100))));
        assert!(!health.is_available());
        health.end_rest();
        assert_eq!(run_lease(&mut health, Outcome::Failed, 102), Some(HealthChange::Ejected(200)));
        health.end_rest();
        assert_eq!(run_lease(&mut health, Outcome::Unknown, 302), None);
        assert!(health.is_available(), "a probe without a result leaves the door open for another");
        assert_eq!(run_lease(&mut health, Outcome::Ok, 303), Some(HealthChange::Recovered));
        assert_eq!(health.state(), State::Healthy);
    }

    #[test]
    fn one_probe_at_a_time_and_old_leases_decide_nothing() {
        let mut health = Health::new();
        health.end_rest();
        assert!(health.grant());
        assert!(!health.is_available());
        assert_eq!(health.record(Outcome::Failed, 0, false, true, &SETTINGS, 0), None);
        assert_eq!(health.record(Outcome::Ok, 0, false, true, &SETTINGS, 0), None);
        assert_eq!(health.state(), State::Probation(true));
    }

    #[test]
    fn after_a_requested_rest_one_probe_goes_first_and_counts_as_usual() {
        let mut health = Health::new();
        let cooling = health.record(Outcome::Overloaded, 500, false, true, &SETTINGS, 0);
        assert_eq!((cooling, health.is_ejected()), (Some(HealthChange::Cooling(500)), false));
        health.end_rest();
        assert!(health.grant() && !health.is_available(), "one at a time");
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
    fn an_ejection_lasts_until_a_probe_succeeds_whatever_rest_is_requested() {
        let mut health = Health::new();
        for _ in 0..3 {
            run_lease(&mut health, Outcome::Failed, 0);
        }
        assert!(health.is_ejected());
        health.end_rest();
        assert!(health.grant());
        health.record(Outcome::Overloaded, 50, true, false, &SETTINGS, 100);
        health.end_rest();
        assert!(health.is_ejected());
        assert_eq!(run_lease(&mut health, Outcome::Failed, 150), Some(HealthChange::Ejected(200)));
        health.end_rest();
        assert!(health.grant() && health.confirm(), "an answer will do");
        assert!(!health.is_ejected() && !health.confirm());
        assert_eq!(health.record(Outcome::Failed, 0, true, true, &SETTINGS, 400), None);
    }

    #[test]
    fn a_requested_rest_is_never_shortened() {
        let mut health = Health::new();
        health.record(Outcome::Overloaded, 500, false, false, &SETTINGS, 0);
        health.record(Outcome::Overloaded, 100, false, false, &SETTINGS, 0);
        assert_eq!(health.state(), State::Resting(500));
    }
}
