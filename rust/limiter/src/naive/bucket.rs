//! The state of one limit of a key in the reference limiter: a token bucket with an explicit level.

use crate::limits::limit::{FAR, Kind, Limit};
use crate::limits::quota_window::QuotaWindow;
use crate::limits::refusal::Refusal;
use crate::operations::key_management::LimitStatus;
use crate::time::Now;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    pub(super) limit: Limit,
    /// Rate: millionths times the rate's nanoseconds. Quota: millionths.
    pub(super) level: u128,
    /// The time of `level`.
    pub(super) at: u64,
    /// When the quota's window ends.
    pub(super) end: i64,
    pub(super) held: u64,
    /// Credit: what may be spent and has not been, with what is held; below zero in debt.
    pub(super) balance: i128,
    /// When the credit ends.
    pub(super) until: u64,
}

impl Bucket {
    pub(super) fn new(limit: Limit) -> Self {
        Self { limit, level: 0, at: 0, end: i64::MIN, held: 0, balance: 0, until: 0 }
    }

    pub(super) fn is_credit(&self) -> bool {
        matches!(self.limit.kind, Kind::Credit { .. })
    }

    /// The level at `now`, and how many of its parts make a millionth.
    pub(super) fn level(&self, now: Now) -> (u128, u128) {
        match self.limit.kind {
            Kind::Rate { units, ns } => {
                let gone = u128::from(now.ns.saturating_sub(self.at)) * u128::from(units);
                (self.level.saturating_sub(gone), ns.into())
            }
            Kind::Quota(_) if now.wall_ns >= self.end => (0, 1),
            Kind::Quota(_) => (self.level, 1),
            Kind::Concurrency => (0, 1),
            Kind::Credit { .. } => ((-self.balance).max(0).unsigned_abs(), 1),
        }
    }

    /// When the counted window ends: the current one's end, if nothing was counted or if the clock
    /// was set back out of the counted one.
    fn end(&self, window: QuotaWindow, now: Now) -> i64 {
        let is_ahead = i128::from(self.end) - i128::from(now.wall_ns) > window.longest().into();
        if self.level(now).0 == 0 || is_ahead { window.end(now.wall_ns) } else { self.end }
    }

    pub(super) fn add(&mut self, cost: u64, now: Now) {
        let (level, parts) = self.level(now);
        // A cost of 0 changes nothing, even if another window has begun: the clock may be set back.
        if matches!(self.limit.kind, Kind::Concurrency) || cost == 0 {
            return;
        }
        if let Kind::Credit { is_consumed } = self.limit.kind {
            let spent = if is_consumed { cost.into() } else { 0 };
            self.balance = (self.balance - spent).max(-(1 << 62));
            return;
        }
        if let Kind::Quota(window) = self.limit.kind {
            self.end = self.end(window, now);
        }
        let level = level + u128::from(cost) * parts;
        self.level = match self.limit.kind {
            Kind::Rate { units, .. } => {
                let units = u128::from(units);
                (level / units).min(FAR.into()) * units + level % units
            }
            _ => level,
        };
        self.at = now.ns;
    }

    /// Fills a rate's bucket until `remaining` will be left after `after_ns` of leaking. Returns
    /// whether it was less full before.
    pub(super) fn pause(&mut self, remaining: u64, after_ns: u64, now: Now) -> bool {
        let Kind::Rate { units, ns } = self.limit.kind else { return false };
        let leak = u128::from(after_ns) * u128::from(units);
        let (level, parts) = self.level(now);
        let left = level.saturating_sub(leak).div_ceil(ns.into());
        let most = u128::from(self.limit.capacity.saturating_sub(remaining));
        if most <= left {
            return false;
        }
        (self.level, self.at) = (level.max(leak) + (most - left) * parts, now.ns);
        true
    }

    /// Changes to another limit with the same amount used. Parts of a millionth are rounded up.
    pub(super) fn become_like(&mut self, limit: Limit, now: Now) {
        let (level, parts) = self.level(now);
        self.limit = limit;
        self.level = 0;
        self.add(u64::try_from(level.div_ceil(parts)).unwrap_or(u64::MAX), now);
    }

    pub(super) fn fits(&self, cost: u64, now: Now) -> bool {
        let (level, parts) = self.level(now);
        let wanted = u128::from(self.held) + u128::from(cost);
        if self.limit.is_unlimited() {
            return wanted <= self.limit.capacity.into();
        }
        if self.is_credit() {
            let is_covered = now.ns < self.until && wanted.cast_signed() <= self.balance;
            return cost == 0 || (cost <= self.limit.capacity && is_covered);
        }
        level + wanted * parts <= u128::from(self.limit.capacity) * parts
    }

    /// `own` is what the calling reservation holds: it cannot wait for its own end.
    pub(super) fn refusal(&self, cost: u64, own: u64, now: Now, then: Now) -> Option<Refusal> {
        if self.fits(cost, then) {
            return None;
        }
        if u128::from(own) + u128::from(cost) > u128::from(self.limit.capacity) {
            return Some(Refusal::Never);
        }
        if self.is_credit() && !self.limit.is_unlimited() {
            return Some(Refusal::Lease);
        }
        if u128::from(self.held) + u128::from(cost) > u128::from(self.limit.capacity) {
            return Some(Refusal::Held);
        }
        if let Kind::Quota(window) = self.limit.kind {
            let end = self.end(window, then);
            return Some(Refusal::Until((end - then.wall_ns).unsigned_abs()));
        }
        // By bisection: the first nanosecond at which it fits.
        let (mut no, mut yes) = (0, 1);
        let at = |wait| Now { ns: then.ns + wait, ..then };
        while !self.fits(cost, at(yes)) {
            (no, yes) = (yes, yes * 2);
        }
        while yes - no > 1 {
            let middle = no + (yes - no) / 2;
            if self.fits(cost, at(middle)) { yes = middle } else { no = middle }
        }
        Some(Refusal::Until(yes + (then.ns - now.ns)))
    }

    pub(super) fn status(&self, now: Now) -> LimitStatus {
        let (level, parts) = self.level(now);
        let used = u64::try_from(level.div_ceil(parts)).unwrap_or(u64::MAX);
        let capacity = self.limit.capacity;
        let reset_ns = match self.limit.kind {
            Kind::Rate { units, .. } => level.div_ceil(units.into()) as u64,
            Kind::Quota(window) => {
                let end = self.end(window, now);
                (end - now.wall_ns).unsigned_abs()
            }
            Kind::Concurrency | Kind::Credit { .. } => 0,
        };
        let mut remaining = capacity.saturating_sub(used.saturating_add(self.held));
        if self.is_credit() {
            let free = if now.ns < self.until { self.balance - i128::from(self.held) } else { 0 };
            remaining = match self.limit.is_unlimited() {
                true => capacity.saturating_sub(self.held),
                false => free.clamp(0, capacity.into()) as u64,
            };
        }
        let refill_ns = match self.limit.kind {
            Kind::Rate { units, ns } => {
                (u128::from(capacity) * u128::from(ns)).div_ceil(units.into()) as u64
            }
            Kind::Quota(_) | Kind::Concurrency | Kind::Credit { .. } => 0,
        };
        LimitStatus { capacity, remaining, used, held: self.held, reset_ns, refill_ns }
    }
}
