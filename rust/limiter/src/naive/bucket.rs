//! One limit of a key, the plain way.

use crate::limit::{FAR, Kind, Limit, Refusal};
use crate::time::Now;
use crate::upkeep::Standing;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    pub(super) limit: Limit,
    /// Rate: millionths times the rate's nanoseconds. Quota: millionths.
    pub(super) level: u128,
    /// When `level` was that.
    pub(super) at: u64,
    /// When a quota's window ends.
    pub(super) end: i64,
    pub(super) held: u64,
}

impl Bucket {
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
        }
    }

    pub(super) fn add(&mut self, cost: u64, now: Now) {
        let (level, parts) = self.level(now);
        if matches!(self.limit.kind, Kind::Concurrency) {
            return;
        }
        if let Kind::Quota(window) = self.limit.kind
            && cost > 0
            && level == 0
        {
            self.end = window.end(now.wall_ns);
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

    /// Fills a rate's bucket so far that `remaining` are left when `after_ns` have leaked out of it;
    /// whether it was not so full already.
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

    pub(super) fn fits(&self, cost: u64, now: Now) -> bool {
        let (level, parts) = self.level(now);
        let wanted = u128::from(self.held) + u128::from(cost);
        level + wanted * parts <= u128::from(self.limit.capacity) * parts
    }

    /// `own` is what the asking reservation holds of it: it cannot wait for its own end.
    pub(super) fn refusal(&self, cost: u64, own: u64, now: Now, then: Now) -> Option<Refusal> {
        if self.fits(cost, then) {
            return None;
        }
        if u128::from(own) + u128::from(cost) > u128::from(self.limit.capacity) {
            return Some(Refusal::Never);
        }
        if u128::from(self.held) + u128::from(cost) > u128::from(self.limit.capacity) {
            return Some(Refusal::Held);
        }
        if let Kind::Quota(window) = self.limit.kind {
            let end = if self.level(then).0 == 0 { window.end(then.wall_ns) } else { self.end };
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

    pub(super) fn standing(&self, now: Now) -> Standing {
        let (level, parts) = self.level(now);
        let used = level.div_ceil(parts) as u64;
        let capacity = self.limit.capacity;
        let reset_ns = match self.limit.kind {
            Kind::Rate { units, .. } => level.div_ceil(units.into()) as u64,
            Kind::Quota(window) => {
                let end = if level == 0 { window.end(now.wall_ns) } else { self.end };
                (end - now.wall_ns).unsigned_abs()
            }
            Kind::Concurrency => 0,
        };
        let remaining = capacity.saturating_sub(used.saturating_add(self.held));
        let refill_ns = match self.limit.kind {
            Kind::Rate { units, ns } => {
                (u128::from(capacity) * u128::from(ns)).div_ceil(units.into()) as u64
            }
            Kind::Quota(_) | Kind::Concurrency => 0,
        };
        Standing { capacity, remaining, used, held: self.held, reset_ns, refill_ns }
    }
}
