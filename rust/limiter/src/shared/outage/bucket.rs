//! The leaky bucket of one limit in an outage, with a part of the limit's rate and capacity.
//!
//! The bucket of a rate begins full: until the outage began, the store may have admitted the whole
//! burst. What the bucket has admitted is reported at the return, less what has decayed, since the
//! store's level would have decayed as well.

use crate::limits::credit::Credit;
use crate::limits::limit::{Kind, Limit, Refusal, UNLIMITED};
use crate::shared::account::Account;
use crate::shared::settings::OnOutage;

/// A limit as far as it is known when an outage begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// The capacity in effect.
    pub(crate) capacity: u64,
    /// What was consumed or lent at the last answer.
    pub(crate) fill: u64,
    /// How many processes share the limit.
    pub(crate) processes: u64,
    /// What is admitted in the outage.
    pub(crate) policy: OnOutage,
}

/// What one limit admits in an outage.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    policy: OnOutage,
    limit: Limit,
    /// Millionths, as are the next two.
    capacity: f64,
    level: f64,
    /// All that was admitted.
    admitted: f64,
    /// Millionths a nanosecond.
    rate: f64,
    at_ns: u64,
    /// Quotas: when the window ends, and the capacity in the next one.
    window_end_ns: i64,
    next_capacity: f64,
    /// What open reservations of the outage hold, and what those from before hold.
    lent: u64,
    covered: u64,
}

impl Bucket {
    pub(super) fn new(limit: Limit, known: Known, now_ns: u64, server_ns: i64) -> Self {
        let Known { capacity, fill, processes, policy } = known;
        let processes = processes.max(1) as f64;
        let share = |amount: u64| {
            if capacity == UNLIMITED { f64::INFINITY } else { amount as f64 / processes }
        };
        let mut bucket = Self {
            policy,
            limit,
            capacity: share(capacity),
            level: 0.0,
            admitted: 0.0,
            rate: 0.0,
            at_ns: now_ns,
            window_end_ns: i64::MAX,
            next_capacity: share(capacity),
            lent: 0,
            covered: 0,
        };
        match limit.kind {
            Kind::Rate { units, ns } => {
                // A limit that was set at run time has another capacity, and is taken to have
                // another rate in proportion.
                let factor = if limit.is_unlimited() || limit.capacity == 0 {
                    1.0
                } else {
                    capacity as f64 / limit.capacity as f64
                };
                bucket.rate = units as f64 / ns as f64 / processes * factor;
                bucket.level = if capacity == UNLIMITED { 0.0 } else { bucket.capacity };
            }
            Kind::Quota(window) => {
                bucket.capacity = share(capacity.saturating_sub(fill));
                bucket.window_end_ns = window.end(server_ns);
            }
            Kind::Concurrency | Kind::Credit { .. } => {}
        }
        bucket
    }

    pub(super) fn unit(&self) -> usize {
        self.limit.unit
    }

    /// All that was admitted, in millionths.
    pub(super) fn admitted(&self) -> u64 {
        self.admitted as u64
    }

    /// What is to be reported as debt now, in millionths.
    pub(super) fn debt(&self) -> u64 {
        self.level.min(self.admitted).ceil() as u64
    }

    /// Charges an admitted cost.
    pub(super) fn charge(&mut self, cost: u64) {
        if !matches!(self.limit.kind, Kind::Concurrency) {
            self.level += cost as f64;
            self.admitted += cost as f64;
        }
    }

    /// Enters an admitted reservation.
    pub(super) fn lend(&mut self, cost: u64) {
        self.lent = self.lent.saturating_add(cost);
        self.admitted += cost as f64;
    }

    /// Notes what reservations from before the outage hold.
    pub(super) fn cover(&mut self, held: u64) {
        self.covered = held;
    }

    /// Lets time pass.
    pub(super) fn advance(&mut self, now_ns: u64, server_ns: i64) {
        let passed = now_ns.saturating_sub(self.at_ns) as f64;
        self.at_ns = self.at_ns.max(now_ns);
        self.level = (self.level - passed * self.rate).max(0.0);
        if let Kind::Quota(window) = self.limit.kind
            && server_ns >= self.window_end_ns
        {
            self.window_end_ns = window.end(server_ns);
            (self.capacity, self.level, self.admitted) = (self.next_capacity, 0.0, 0.0);
        }
    }

    pub(super) fn check(
        &self,
        cost: u64,
        held: u64,
        retry_ns: u64,
        server_ns: i64,
    ) -> Option<Refusal> {
        if cost == 0 || self.policy == OnOutage::Open {
            return None;
        }
        let retry = Refusal::Until(retry_ns);
        if self.policy == OnOutage::Closed {
            return Some(retry);
        }
        let cost = cost as f64;
        let lack = match self.limit.kind {
            Kind::Concurrency => held as f64 + cost - self.capacity,
            _ => self.level + self.lent as f64 + cost - self.capacity,
        };
        if lack <= 0.0 {
            return None;
        }
        Some(match self.limit.kind {
            Kind::Rate { .. } if lack <= self.level => {
                Refusal::Until(((lack / self.rate).ceil() as u64).max(1))
            }
            Kind::Quota(_) => {
                let left = self.window_end_ns.saturating_sub(server_ns).max(1).unsigned_abs();
                Refusal::Until(left.min(retry_ns))
            }
            _ => retry,
        })
    }

    /// Takes over what was spent since the last time: first by reservations of the outage, then by
    /// those from before, whose amounts the store has lent or charged.
    pub(super) fn observe(&mut self, account: &mut Account, credit: &mut Credit) {
        let ended = self.lent.saturating_add(self.covered).saturating_sub(credit.held);
        let spent = account.spent_since_closed(credit);
        let lent = ended.min(self.lent);
        self.lent -= lent;
        self.covered -= (ended - lent).min(self.covered);
        let of_outage = spent.min(lent);
        self.level += of_outage as f64;
        account.note_unreported(spent - of_outage);
    }
}
