//! The schedule of a session: whether it has a call to make, when it needs attention next, and whether
//! it is over.

use crate::shared::core::Core;
use crate::shared::session::{LimitSession, Session};
use crate::time::Now;

/// Refills are at least this far apart, in nanoseconds.
const PACE_NS: u64 = 10_000_000;

impl Session {
    /// Whether there is something to ask or to report now, beside a call under way. O(limits).
    pub(crate) fn has_reason(&self, core: &Core, now: Now) -> bool {
        if self.flight.is_some() {
            return false;
        }
        !self.line.is_empty()
            || self.is_leaving
            || self.limits.iter().any(|limit| limit.account.has_outage_debt())
            || self.renew_ns.is_some_and(|at| now.ns >= at)
            || (now.ns >= self.last_call_ns.saturating_add(PACE_NS)
                && self.has_use_for_refill(core, now))
    }

    /// Whether credit has run short, and it pays to ask for it ahead.
    fn has_use_for_refill(&self, core: &Core, now: Now) -> bool {
        self.wants_refill && (0..self.limits.len()).any(|limit| self.ahead(core, limit, now) > 0)
    }

    /// Whether there is a call to make now: a new one, or that under way again. O(limits).
    pub(crate) fn is_due(&self, core: &Core, now: Now) -> bool {
        if self.flight.is_some() {
            now.ns >= self.deadline_ns(core, now)
        } else {
            self.has_reason(core, now)
        }
    }

    /// How much credit the process would like to have of a limit beside its reservations.
    pub(crate) fn ahead(&self, core: &Core, limit: usize, now: Now) -> u64 {
        let Some(calls) = core.calls_ahead() else { return 0 };
        let unit = core.limits[limit].definition.unit;
        let ahead = self.demand.ahead(unit, core.ahead_ns(), calls, now.ns);
        ahead.min(self.limits[limit].capacity)
    }

    /// Whether the session has nothing left to do, so that it can be dropped. O(limits).
    pub(crate) fn is_over(&mut self, core: &Core, now: Now) -> bool {
        let is_cached =
            |limit: &LimitSession| limit.refusal.is_some_and(|refusal| now.ns < refusal.until_ns);
        if !self.line.is_empty()
            || self.is_leaving
            || now.ns < self.last_used_ns.saturating_add(core.settings.lease_ns)
            || self.limits.iter().any(is_cached)
        {
            return false;
        }
        let Self { limits, outage, flight, key, has_left, until_ns, renew_ns, .. } = self;
        let (mut is_settled, mut owes) = (true, false);
        let credit = core.limiter.update_credit(*key, now, |limit, credit| {
            let account = &limits[limit].account;
            is_settled &= if *has_left || outage.is_some() {
                credit.held == 0
            } else {
                account.is_settled(credit)
            };
            // More than was charged at the goodbye.
            owes |= *has_left && account.spent(credit) > account.granted();
            // Nothing of a call without an answer may be lost, except credit: it is charged when
            // its lease ends.
            is_settled &= outage.is_none() || account.owes_nothing(credit);
        });
        if credit.is_err() {
            return true;
        }
        if is_settled && owes && flight.is_none() {
            *renew_ns = Some(now.ns);
            return false;
        }
        let server_ns = core.server_ns(self.clock, now);
        is_settled
            && match outage {
                None => flight.is_none(),
                Some(outage) => now.ns >= *until_ns && outage.is_empty(now, server_ns),
            }
    }

    /// Computes when the key needs attention next, not before `least_ns`.
    pub(crate) fn schedule(&mut self, core: &Core, least_ns: u64, now: Now) {
        let deadline_ns = self.deadline_ns(core, now).max(least_ns);
        let before = self.deadline_ns.replace(deadline_ns);
        core.deadlines.replace(self.key, before, self.deadline_ns);
    }

    fn deadline_ns(&self, core: &Core, now: Now) -> u64 {
        if let Some(flight) = &self.flight {
            return match &self.outage {
                _ if flight.is_orphan => now.ns,
                Some(outage) => outage.retry_ns(),
                // Its owner counts the timeout. If the owner is gone, another makes the call.
                None => flight.sent_ns.saturating_add(2 * core.settings.timeout_ns),
            };
        }
        if self.has_reason(core, now) {
            return now.ns;
        }
        let idle = self.last_used_ns.saturating_add(core.settings.lease_ns);
        let cached = self.limits.iter().filter_map(|limit| Some(limit.refusal?.until_ns)).max();
        let mut deadline = self.renew_ns.unwrap_or(idle.max(cached.unwrap_or(0)));
        if self.has_use_for_refill(core, now) {
            deadline = deadline.min(self.last_call_ns.saturating_add(PACE_NS));
        }
        deadline
    }
}
