//! Demand of one key in this process: an exponentially weighted rate of what its calls cost, and
//! their mean cost.
//!
//! A call that credit decides is not seen here, to keep it short: what such calls have spent is
//! noted when it is reported. Calls that credit refuses are noted one by one.

use arrayvec::ArrayVec;

use crate::limiter::MOST_LIMITS;

/// The time constant of the rate, in nanoseconds: half a second.
const TAU_NS: f64 = 0.5e9;
/// The weight of the newest call in the mean cost.
const NEWEST: f64 = 0.1;

/// Rates and mean costs, one for each unit.
#[derive(Clone, Debug)]
pub(crate) struct Demand {
    at_ns: u64,
    units: ArrayVec<UnitDemand, MOST_LIMITS>,
}

#[derive(Clone, Copy, Debug, Default)]
struct UnitDemand {
    /// Millionths a nanosecond.
    rate: f64,
    /// Millionths.
    mean: f64,
}

impl Demand {
    pub(crate) fn new(units: usize, now_ns: u64) -> Self {
        Self { at_ns: now_ns, units: (0..units).map(|_| UnitDemand::default()).collect() }
    }

    /// Notes a call. O(units).
    pub(crate) fn note(&mut self, costs: &[u64], now_ns: u64) {
        self.decay(now_ns);
        for (unit, &cost) in self.units.iter_mut().zip(costs) {
            let cost = cost as f64;
            unit.rate += cost / TAU_NS;
            let is_first = unit.mean == 0.0;
            unit.mean += (cost - unit.mean) * if is_first { 1.0 } else { NEWEST };
        }
    }

    /// Notes what calls of one unit have cost in the last `ns`. O(1).
    pub(crate) fn note_spent(&mut self, unit: usize, amount: u64, ns: u64, now_ns: u64) {
        self.decay(now_ns);
        let Some(unit) = self.units.get_mut(unit) else { return };
        let ns = ns.max(1_000_000) as f64;
        unit.rate += amount as f64 / ns * -(-ns / TAU_NS).exp_m1();
    }

    /// What calls of a unit cost in `ns` at the present rate, if that is at least `calls` calls of
    /// mean cost; 0 if not. O(1).
    pub(crate) fn ahead(&self, unit: usize, ns: u64, calls: u32, now_ns: u64) -> u64 {
        let Some(unit) = self.units.get(unit) else { return 0 };
        let amount = unit.rate * decay(self.at_ns, now_ns) * ns as f64;
        if amount >= 1.0 && amount >= unit.mean * f64::from(calls) { amount as u64 } else { 0 }
    }

    fn decay(&mut self, now_ns: u64) {
        let factor = decay(self.at_ns, now_ns);
        self.at_ns = self.at_ns.max(now_ns);
        for unit in &mut self.units {
            unit.rate *= factor;
        }
    }
}

fn decay(since_ns: u64, now_ns: u64) -> f64 {
    (-(now_ns.saturating_sub(since_ns) as f64) / TAU_NS).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn a_steady_rate_is_found_whether_noted_by_call_or_by_report() {
        let (mut by_call, mut by_report) = (Demand::new(1, 0), Demand::new(1, 0));
        for ms in 1..=5000 {
            by_call.note(&[3], ms * MS);
            if ms % 500 == 0 {
                by_report.note_spent(0, 1500, 500 * MS, ms * MS);
            }
        }
        for demand in [by_call, by_report] {
            let ahead = demand.ahead(0, 250 * MS, 1, 5000 * MS);
            assert!((740..=760).contains(&ahead), "{ahead} instead of 750");
        }
    }

    #[test]
    fn few_calls_are_no_reason_to_ask_ahead() {
        let mut demand = Demand::new(2, 0);
        for call in 1..=20 {
            // Four calls a second.
            demand.note(&[1_000_000, 50], call * 250 * MS);
        }
        let now = 5000 * MS;
        assert_eq!(demand.ahead(0, 250 * MS, 3, now), 0);
        assert!(demand.ahead(0, 250 * MS, 1, now) >= 1_000_000);
        assert_eq!(demand.ahead(0, 250 * MS, 1, now + 10_000 * MS), 0, "it has decayed");
        assert_eq!(demand.ahead(7, 250 * MS, 1, now), 0, "no such unit");
    }
}
