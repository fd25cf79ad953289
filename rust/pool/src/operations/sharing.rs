//! A shared pool: its limits are what this process holds permits for.
//!
//! Everything else, above all the wait queue, stays as it is. When permits come or go, the limits change, and
//! waiters are served as after any other change.

use crate::lease::MAX_LEASES;
use crate::pool::Pool;
use crate::shared::session::{Permit, Session};
use crate::shared::settings::SharedSettings;
use crate::stats::{SharedState, SharedStats, SharedUpstream};
use crate::time::Millis;
use crate::upstreams::health::{HealthChange, State};

impl Pool {
    /// Shares the limits with other processes from now on. This process holds no permits yet, and gets some
    /// with its first call. O(upstreams).
    pub fn share(&mut self, settings: SharedSettings) {
        self.session = Some(Box::new(Session::new(settings)));
        self.update_all_ceilings();
    }

    /// Whether the limits are shared with other processes. O(1).
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.session.is_some()
    }

    /// The state of the sharing, if the pool is shared. O(upstreams).
    #[must_use]
    pub fn shared_stats(&self) -> Option<SharedStats> {
        let session = self.session.as_ref()?;
        let upstreams = self.upstreams.iter().map(|(index, _)| {
            let permit = session.permits.get(index as usize).unwrap_or(&Permit::NONE);
            SharedUpstream { held: permit.held, fleet: permit.fleet, ejected: permit.ejected }
        });
        Some(SharedStats {
            state: match session.has_ended {
                false => SharedState::Connected,
                true if session.is_out => SharedState::Out,
                true => SharedState::Idle,
            },
            failing_for: session.failing.map_or(0, |since| self.now.saturating_sub(since)),
            holders: session.holders,
            fleet: session.fleet,
            calls: session.calls,
            failures: session.failures,
            losses: session.losses,
            upstreams: upstreams.collect(),
        })
    }

    /// Starts with a new upstream. No effect unless the pool is shared. O(1).
    pub(crate) fn share_upstream(&mut self, index: u32) {
        if let Some(session) = &mut self.session {
            *session.permit(index) = Permit::NONE;
            self.update_ceiling(index);
        }
    }

    /// Notes a change of health that others should know. O(1).
    pub(crate) fn share_health_change(&mut self, index: u32, change: HealthChange) {
        let Some(session) = &mut self.session else { return };
        session.is_dirty = true;
        if let HealthChange::Cooling(rest) = change {
            let until = self.now.saturating_add(rest);
            let permit = session.permit(index);
            permit.rest = permit.rest.max(Some(until));
        }
        self.update_ceiling(index);
    }

    /// Updates the limit of an upstream after a change of its settings, health or permits. The caller updates
    /// its rank. O(1).
    pub(crate) fn update_ceiling(&mut self, index: u32) {
        let Some(session) = &mut self.session else { return };
        let upstream = self.upstreams.get(index);
        let is_in_probation = matches!(upstream.health.state(), State::Probation(_));
        let max = upstream.settings.max_in_flight;
        // One process probes, so the others have to know who.
        if is_in_probation && !session.permit(index).has_probe {
            session.is_dirty |= upstream.ceiling > 0;
        }
        let permit = session.permit(index);
        let ceiling = match (permit.has_probe, permit.held.min(permit.goal)) {
            _ if session.is_out => session.own_part(max, self.now),
            _ if session.has_ended => 0,
            (false, _) if is_in_probation => 0,
            (_, held) => held.min(max),
        };
        self.upstreams.change(index, |upstream| upstream.ceiling = ceiling);
    }

    /// Updates the limit of the pool. O(1).
    pub(crate) fn update_total_ceiling(&mut self) {
        let max = self.settings.max_in_flight;
        let most = match &self.session {
            Some(session) => session.own_part(max, self.now).min(session.goal),
            None => max,
        };
        self.ceiling = most.min(MAX_LEASES);
    }

    /// Updates all limits. The caller hands over. O(upstreams * log upstreams).
    pub(crate) fn update_all_ceilings(&mut self) {
        self.update_total_ceiling();
        let all: Vec<u32> = self.upstreams.iter().map(|(index, _)| index).collect();
        for index in all {
            self.update_ceiling(index);
            self.update_rank(index);
        }
    }

    /// When the permits end, or when an outage begins after that. O(1).
    pub(crate) fn shared_timer(&self) -> Option<Millis> {
        let session = self.session.as_ref()?;
        if session.has_ended { session.out_at() } else { Some(session.until) }
    }

    /// Gives up the permits if their lease has ended, and follows the rule of an outage if it is one. O(1), or
    /// O(upstreams * log upstreams) then.
    pub(crate) fn run_shared_timer(&mut self) {
        if self.shared_timer().is_none_or(|at| at > self.now) {
            return;
        }
        self.end_permits();
        let Some(session) = &mut self.session else { return };
        if session.out_at().is_some_and(|at| at <= self.now) {
            session.is_out = true;
            self.update_all_ceilings();
        }
    }

    /// Gives up all permits. O(upstreams * log upstreams).
    pub(crate) fn end_permits(&mut self) {
        let Some(session) = &mut self.session else { return };
        session.has_ended = true;
        session.goal = u32::MAX;
        for permit in &mut session.permits {
            (permit.held, permit.goal, permit.has_probe) = (0, u32::MAX, false);
        }
        self.update_all_ceilings();
    }
}
