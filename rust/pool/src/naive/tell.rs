//! What the naive pool tells of itself.

use super::{At, Lease, Naive};
use crate::{Counts, EventKind, Millis, State};

/// Something that happened: what, to the upstream of which index, and the two numbers of an event.
pub type Happening = (EventKind, Option<usize>, u64, u64);

impl Naive {
    /// What happened since it was asked last.
    pub fn take_events(&mut self) -> Vec<Happening> {
        std::mem::take(&mut self.events)
    }

    /// What happened so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts { granted: self.granted, ..self.counts }
    }

    /// How long an upstream rests from now on.
    #[must_use]
    pub fn rests_for(&self, index: usize) -> Millis {
        match self.state(index) {
            State::Resting(until) => until.saturating_sub(self.now),
            _ => 0,
        }
    }

    /// Leases that a member holds, or was handed.
    #[must_use]
    pub fn own(&self, member: usize) -> u32 {
        self.held.iter().filter(|held| held.member == member).count() as u32
    }

    /// Leases in use.
    #[must_use]
    pub fn in_use(&self) -> u32 {
        self.held.len() as u32
    }

    /// Leases in use of an upstream.
    #[must_use]
    pub fn in_flight(&self, index: usize) -> u32 {
        self.held.iter().filter(|held| held.upstream == index).count() as u32
    }

    /// The health of an upstream.
    #[must_use]
    pub fn state(&self, index: usize) -> State {
        self.upstreams[index].health.state()
    }

    /// Whether failures took an upstream out of use.
    #[must_use]
    pub fn is_ejected(&self, index: usize) -> bool {
        self.upstreams[index].health.is_ejected()
    }

    /// How many leases of an upstream may be in use now.
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

    /// Who waits.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiters.iter().filter(|w| matches!(w.at, At::Line | At::Aside)).count()
    }
}
