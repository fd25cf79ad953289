//! Observation of the reference pool.

use super::{Happening, Lease, Naive, WaiterState};
use crate::stats::Counts;
use crate::time::Millis;
use crate::upstreams::health::State;

impl Naive {
    /// The events since the last call.
    pub fn take_events(&mut self) -> Vec<Happening> {
        std::mem::take(&mut self.events)
    }

    /// The counts since the pool was created.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts { granted: self.granted, ..self.counts }
    }

    /// How long an upstream is still resting.
    #[must_use]
    pub fn rests_for(&self, index: usize) -> Millis {
        match self.state(index) {
            State::Resting(until) => until.saturating_sub(self.now),
            _ => 0,
        }
    }

    /// Leases that a member holds, or that were handed over to it.
    #[must_use]
    pub fn own(&self, member: usize) -> u32 {
        self.held.iter().filter(|held| held.member == member).count() as u32
    }

    /// Leases in use.
    #[must_use]
    pub fn in_use(&self) -> u32 {
        self.held.len() as u32
    }

    /// Leases of an upstream in use.
    #[must_use]
    pub fn in_flight(&self, index: usize) -> u32 {
        self.held.iter().filter(|held| held.upstream == index).count() as u32
    }

    /// The health of an upstream.
    #[must_use]
    pub fn state(&self, index: usize) -> State {
        self.upstreams[index].health.state()
    }

    /// Whether failures ejected an upstream.
    #[must_use]
    pub fn is_ejected(&self, index: usize) -> bool {
        self.upstreams[index].health.is_ejected()
    }

    /// The current limit of an upstream.
    #[must_use]
    pub fn limit(&self, index: usize) -> u32 {
        let upstream = &self.upstreams[index];
        let max = upstream.settings.max_in_flight;
        if self.settings.adaptive.is_some() { upstream.limit.get(max) } else { max }
    }

    /// The upstream of a lease.
    #[must_use]
    pub fn upstream(&self, lease: Lease) -> Option<usize> {
        self.held.iter().find(|held| held.lease == lease).map(|held| held.upstream)
    }

    /// The number of waiters.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiters
            .iter()
            .filter(|w| matches!(w.state, WaiterState::Waiting | WaiterState::Suspended))
            .count()
    }
}
