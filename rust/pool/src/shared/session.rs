//! The state of this process with the store: the lease of its permits, the call under way, and what it holds
//! of each upstream.

use crate::shared::message::ProbeReport;
use crate::shared::settings::SharedSettings;
use crate::time::{Millis, NEVER};
use crate::upstreams::token::UpstreamToken;

/// How long to wait before the next call when the store had no permit for a waiter, or a probe is under way.
pub(crate) const AGAIN: Millis = 20;
/// How long to collect changes that are worth a call.
pub(crate) const COLLECT: Millis = 10;
/// How long to wait after a failed call.
pub(crate) const RETRY: Millis = 200;
/// The lease ends for this process so much earlier than for the store: two ticks of the clock and more,
/// and a thousandth of the lease for clocks of different speed.
const MARGIN: Millis = 10;

/// What this process holds of one upstream, and what it knows of the others.
#[derive(Clone, Debug)]
pub(crate) struct Permit {
    /// The permits that it may use.
    pub(crate) held: u32,
    /// The permits that it should use, because others need some.
    pub(crate) goal: u32,
    /// The permits that all processes hold.
    pub(crate) fleet: u32,
    /// How many processes have ejected the upstream.
    pub(crate) ejected: u32,
    /// Whether the probe is this process's.
    pub(crate) has_probe: bool,
    /// The end of a rest that the upstream asked for, until the store knows it.
    pub(crate) rest: Option<Millis>,
    /// The leases granted until the last call.
    pub(crate) granted: u64,
    /// The last call before which leases were granted.
    pub(crate) used: Option<Millis>,
}

impl Permit {
    pub(crate) const NONE: Self = Self {
        held: 0,
        goal: u32::MAX,
        fleet: 0,
        ejected: 0,
        has_probe: false,
        rest: None,
        granted: 0,
        used: None,
    };
}

/// One upstream of the call under way.
#[derive(Clone, Debug)]
pub(crate) struct SentRow {
    /// None if it was removed already.
    pub(crate) upstream: Option<UpstreamToken>,
    /// Requests in flight to removed upstreams of the same id, which share its permits.
    pub(crate) removed: u32,
    /// Requests in flight, of those too.
    pub(crate) used: u32,
    pub(crate) rest: Option<Millis>,
    pub(crate) probe: ProbeReport,
}

/// The newest call.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) seq: u64,
    pub(crate) at: Millis,
    pub(crate) rows: Vec<SentRow>,
    /// Whether it counts as failed; a late reply is still good.
    pub(crate) has_failed: bool,
}

/// The session of this process.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) settings: SharedSettings,
    pub(crate) seq: u64,
    pub(crate) sent: Option<Sent>,
    /// When the last call was made.
    pub(crate) called: Option<Millis>,
    /// When the permits end.
    pub(crate) until: Millis,
    /// Whether that end has been applied.
    pub(crate) has_ended: bool,
    /// Since when calls fail.
    pub(crate) failing: Option<Millis>,
    pub(crate) retry_at: Millis,
    /// Whether the permits have ended and the store does not answer.
    pub(crate) is_out: bool,
    /// Until when the rule of an outage goes on after it: others may not have reported yet.
    pub(crate) settling_until: Millis,
    /// Whether there is something that others should know soon.
    pub(crate) is_dirty: bool,
    /// Whether the last reply left waiters without a permit.
    pub(crate) is_short: bool,
    pub(crate) epoch: u64,
    pub(crate) holders: u32,
    /// The permits of all upstreams that all processes hold, and that this one should use.
    pub(crate) fleet: u32,
    pub(crate) goal: u32,
    /// By index of the upstream.
    pub(crate) permits: Vec<Permit>,
    pub(crate) calls: u64,
    pub(crate) failures: u64,
    pub(crate) losses: u64,
}

impl Session {
    pub(crate) fn new(settings: SharedSettings) -> Self {
        Self {
            settings,
            seq: 0,
            sent: None,
            called: None,
            until: 0,
            has_ended: true,
            failing: None,
            retry_at: 0,
            is_out: false,
            settling_until: 0,
            is_dirty: false,
            is_short: false,
            epoch: 0,
            holders: 0,
            fleet: 0,
            goal: u32::MAX,
            permits: Vec::new(),
            calls: 0,
            failures: 0,
            losses: 0,
        }
    }

    /// What is held of an upstream. O(1).
    pub(crate) fn permit(&mut self, index: u32) -> &mut Permit {
        let index = index as usize;
        if self.permits.len() <= index {
            self.permits.resize(index + 1, Permit::NONE);
        }
        &mut self.permits[index]
    }

    /// When the lease ends of a call that was first sent at `at`.
    pub(crate) fn end_of(&self, at: Millis) -> Millis {
        let lease = self.settings.lease;
        at.saturating_add(lease - (lease / 1000).saturating_add(MARGIN).min(lease))
    }

    /// When the process is on its own, if it has no permits and the store does not answer: one lost message
    /// is no outage.
    pub(crate) fn out_at(&self) -> Option<Millis> {
        let since = self.failing.filter(|_| self.has_ended && !self.is_out)?;
        Some(since.saturating_add(self.settings.lease / 2))
    }

    /// The permits that this process may have of a cap. O(1).
    pub(crate) fn own_part(&self, cap: u32, now: Millis) -> u32 {
        if self.is_out || now < self.settling_until {
            return self.settings.outage_permits(cap, self.holders);
        }
        cap
    }

    /// The call under way has failed, or another was not answered in time.
    pub(crate) fn fail(&mut self, now: Millis) {
        if let Some(sent) = self.sent.as_mut().filter(|sent| !sent.has_failed) {
            sent.has_failed = true;
            self.failures += 1;
            self.failing.get_or_insert(now);
            self.retry_at = now.saturating_add(RETRY.min(self.settings.lease / 3).max(1));
        }
    }

    /// Whether a call is under way.
    pub(crate) fn is_calling(&self) -> bool {
        self.sent.as_ref().is_some_and(|sent| !sent.has_failed)
    }

    /// The earliest time of the next call. `wants` is whether a waiter could use a permit, `has_idle` whether
    /// a permit should go back, `is_in_use` whether the permits are to last.
    pub(crate) fn next_call(&self, wants: bool, has_idle: bool, is_in_use: bool) -> Millis {
        if let Some(sent) = self.sent.as_ref().filter(|sent| !sent.has_failed) {
            return sent.at.saturating_add(self.settings.timeout);
        }
        let pauses = [
            (wants, if self.is_short { AGAIN } else { 0 }),
            (has_idle || self.is_dirty, COLLECT),
            (self.permits.iter().any(|permit| permit.has_probe), AGAIN),
            (is_in_use, self.settings.lease / 3),
        ];
        let Some(pause) = pauses.into_iter().filter(|(is, _)| *is).map(|(_, pause)| pause).min()
        else {
            return NEVER;
        };
        match self.failing {
            Some(_) => self.retry_at,
            None => self.called.map_or(0, |called| called.saturating_add(pause)),
        }
    }
}
