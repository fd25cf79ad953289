//! The arithmetic of one limit in the reference store.

use std::cmp::Ordering;

use super::hash::{Hash, Usage};
use crate::shared::message::{LimitReport, MOST_QUANTA, SyncRequest, Wait, WireKind};

/// A limit while a request is served.
pub(super) struct Bucket {
    pub(super) name: String,
    pub(super) kind: WireKind,
    pub(super) capacity: Option<u64>,
    /// Until when nothing is granted, as the state was lost.
    pub(super) stands_until: Option<u64>,
    pub(super) level: u64,
    /// Rate: up to when it has decayed. Quota: the end of its window.
    pub(super) at: u64,
    /// What is lent to others.
    pub(super) others: u64,
    /// What is lent to the process.
    pub(super) mine: u64,
    /// What the store does not take back.
    pub(super) bound: u64,
    /// Whether somebody was refused by it in this call.
    pub(super) is_short: bool,
}

impl Bucket {
    /// The limit with what is consumed by now, and nothing lent.
    pub(super) fn new(
        report: &LimitReport,
        hash: &Hash,
        request: &SyncRequest,
        epoch: u64,
        now: u64,
    ) -> Self {
        let LimitReport { name, limit, bind, .. } = report;
        let (mut kind, mut capacity) = (limit.kind, limit.capacity);
        if let Some(&(set, a, b)) = hash.set.get(name) {
            capacity = set;
            if let WireKind::Rate { quanta, us } = &mut kind {
                (*quanta, *us) = (a, b);
            }
        }
        let is_strict = request.is_strict;
        let is_standing = is_strict && epoch <= now && now < epoch + request.lease_us;
        let mut bucket = Self {
            name: name.clone(),
            kind,
            capacity,
            stands_until: is_standing.then_some(epoch + request.lease_us),
            level: 0,
            at: now,
            others: 0,
            mine: 0,
            bound: *bind,
            is_short: false,
        };
        let usage = hash.usage.get(name);
        let is_like = usage.is_none_or(|usage| usage.kind == bucket.letter());
        if let Some(usage) = usage {
            (bucket.level, bucket.at) = (usage.level, usage.at);
        }
        match kind {
            WireKind::Rate { quanta, us } => {
                bucket.stands_until = None;
                if usage.is_none() && is_strict && !hash.is_synced {
                    bucket.level = capacity.unwrap_or(0);
                    bucket.at = epoch.min(now) + request.lease_us;
                }
                if bucket.level == 0 || !is_like || bucket.at > now + request.lease_us {
                    bucket.at = now;
                } else if now > bucket.at {
                    let steps = (now - bucket.at) / us;
                    bucket.at += steps * us;
                    bucket.level = bucket.level.saturating_sub(steps.saturating_mul(quanta));
                    // The rest of a step empties it if that is more than what is left. In doubles, as
                    // in the script.
                    let left = bucket.level as f64 * us as f64;
                    if left < quanta as f64 * (now - bucket.at) as f64 || bucket.level == 0 {
                        (bucket.level, bucket.at) = (0, now);
                    }
                }
            }
            WireKind::Quota { end_us, next_end_us, .. } => {
                let end = if now < end_us { end_us } else { next_end_us };
                if usage.is_some() && is_like && bucket.at < end {
                    bucket.level = 0;
                }
                bucket.at = end;
            }
            WireKind::Concurrency => (bucket.level, bucket.at) = (0, 0),
        }
        bucket
    }

    pub(super) fn letter(&self) -> char {
        match self.kind {
            WireKind::Rate { .. } => 'r',
            WireKind::Quota { .. } => 'q',
            WireKind::Concurrency => 'c',
        }
    }

    pub(super) fn usage(&self) -> Usage {
        Usage { kind: self.letter(), level: self.level, at: self.at }
    }

    pub(super) fn is_consumed(&self) -> bool {
        self.kind != WireKind::Concurrency
    }

    pub(super) fn charge(&mut self, amount: u64) {
        if self.is_consumed() {
            self.level = self.level.saturating_add(amount).min(MOST_QUANTA);
        }
    }

    /// What is consumed or lent.
    pub(super) fn fill(&self) -> u64 {
        self.level + self.others + self.mine
    }

    /// What the process holds and does not need.
    fn own(&self) -> u64 {
        self.mine.saturating_sub(self.bound)
    }

    /// Why a cost does not fit.
    pub(super) fn refusal(&self, cost: u64, is_reservation: bool, now: u64) -> Option<Wait> {
        let held = self.others + self.mine - self.own();
        let Some(capacity) = self.capacity else {
            // An unlimited limit lends no more than sums are exact for.
            return (is_reservation && cost > 0 && held + cost > MOST_QUANTA).then_some(Wait::Held);
        };
        if cost == 0 {
            return None;
        }
        if cost > capacity {
            return Some(Wait::Never);
        }
        if let Some(until) = self.stands_until {
            return Some(Wait::Us(until - now));
        }
        if self.level + held + cost <= capacity {
            return None;
        }
        if held + cost > capacity {
            return Some(Wait::Held);
        }
        Some(match self.kind {
            WireKind::Rate { .. } => Wait::Us(self.decay_us(capacity - held - cost, now)),
            WireKind::Quota { .. } | WireKind::Concurrency => Wait::Us(self.at - now),
        })
    }

    /// Microseconds until a rate's level is at most `level`, at most 2^52.
    fn decay_us(&self, level: u64, now: u64) -> u64 {
        let WireKind::Rate { quanta, us } = self.kind else { return 0 };
        let steps = self.level.saturating_sub(level).div_ceil(quanta);
        let us = i128::from(steps) * i128::from(us) + i128::from(self.at) - i128::from(now);
        us.clamp(0, MOST_QUANTA.into()) as u64
    }

    /// Charges or lends a cost that fits.
    pub(super) fn admit(&mut self, cost: u64, is_reservation: bool) {
        let own = self.own();
        if is_reservation {
            self.mine += cost.saturating_sub(own);
            self.bound += cost;
        } else if cost > 0 && self.is_consumed() {
            self.charge(cost);
            // What was free of the own credit pays for it.
            let over = self.capacity.map_or(0, |capacity| self.fill().saturating_sub(capacity));
            self.mine -= over.min(own);
        }
    }

    /// Sets what the process holds until its next call.
    pub(super) fn grant(&mut self, want: u64, holders: u64) {
        let least = self.mine.min(self.bound);
        // While a strict limit stands, nothing is free.
        let top = self.capacity.map(|it| if self.stands_until.is_some() { 0 } else { it });
        let most = match top {
            // What is lent above the capacity is taken back, unless it may be being spent.
            Some(top) if self.fill() > top => self.mine.saturating_sub(self.fill() - top),
            Some(top) => self.mine + (top - self.fill()) / (2 * holders),
            None => self.mine + MOST_QUANTA.saturating_sub(self.others + self.mine) / (2 * holders),
        };
        let most = want.max(self.bound).min(most);
        self.mine = if self.is_short { least } else { least.max(most) };
    }

    /// For how long its state matters.
    pub(super) fn life_us(&self, now: u64) -> u64 {
        match (self.kind, self.fill().cmp(&0)) {
            (WireKind::Quota { .. }, _) => self.at - now,
            (WireKind::Rate { quanta, us }, Ordering::Greater) => {
                let steps = i128::from(self.fill().div_ceil(quanta)) * i128::from(us);
                let us = steps + i128::from(self.at) - i128::from(now);
                us.clamp(0, MOST_QUANTA.into()) as u64
            }
            _ => 0,
        }
    }
}
