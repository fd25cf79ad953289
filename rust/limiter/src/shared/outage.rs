//! Decisions while the store is out of reach: a leaky bucket for each limit, and the times to ask the
//! store again.

mod bucket;

use smallvec::SmallVec;

use crate::decision::Denial;
use crate::limits::credit::Credit;
use crate::limits::limit::Limit;
use crate::shared::account::Account;
use crate::time::Now;

use bucket::Bucket;
pub(crate) use bucket::Known;

/// How long to wait before the store is asked again, in nanoseconds.
const RETRY_NS: u64 = 200_000_000;
/// The longest such time, for keys that no caller uses.
const LONGEST_RETRY_NS: u64 = 5_000_000_000;

/// The outage of the store for one key.
#[derive(Clone, Debug)]
pub(crate) struct Outage {
    since_ns: u64,
    retry_ns: u64,
    pause_ns: u64,
    /// Whether the accounts are closed, see [`Account::close`].
    is_closed: bool,
    buckets: SmallVec<[Bucket; 2]>,
}

impl Outage {
    /// An outage that begins now. `server` is the store's time.
    pub(crate) fn new(
        limits: impl Iterator<Item = (Limit, Known)>,
        now: Now,
        server_ns: i64,
    ) -> Self {
        Self {
            since_ns: now.ns,
            retry_ns: now.ns.saturating_add(RETRY_NS),
            pause_ns: RETRY_NS,
            is_closed: false,
            buckets: limits
                .map(|(limit, known)| Bucket::new(limit, known, now.ns, server_ns))
                .collect(),
        }
    }

    pub(crate) fn since_ns(&self) -> u64 {
        self.since_ns
    }

    /// When to ask the store again.
    pub(crate) fn retry_ns(&self) -> u64 {
        self.retry_ns
    }

    /// Notes that the store was asked again; without use of the key, the next time is later.
    pub(crate) fn postpone(&mut self, is_used: bool, now_ns: u64) {
        self.pause_ns = if is_used { RETRY_NS } else { (2 * self.pause_ns).min(LONGEST_RETRY_NS) };
        self.retry_ns = now_ns.saturating_add(self.pause_ns);
    }

    /// Notes that the store did not answer.
    pub(crate) fn failed(&mut self, now_ns: u64) {
        self.retry_ns = now_ns.saturating_add(self.pause_ns);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Closes the account of a limit, or takes over what was spent since then. For all limits of a
    /// key, under the lock of its slot.
    pub(crate) fn observe(&mut self, limit: usize, account: &mut Account, credit: &mut Credit) {
        let bucket = &mut self.buckets[limit];
        if self.is_closed {
            bucket.observe(account, credit);
        } else {
            account.close(credit);
            bucket.cover(credit.held);
        }
    }

    /// Notes that all limits were passed to [`Outage::observe`].
    pub(crate) fn close(&mut self) {
        self.is_closed = true;
    }

    /// The limit that refuses for longest, if one does. `held` has what reservations hold of each
    /// limit. O(limits).
    pub(crate) fn check(
        &mut self,
        costs: &[u64],
        held: &[u64],
        now: Now,
        server_ns: i64,
    ) -> Option<Denial> {
        let mut worst: Option<Denial> = None;
        for (index, bucket) in self.buckets.iter_mut().enumerate() {
            bucket.advance(now.ns, server_ns);
            let (cost, held) = (costs[bucket.unit()], held.get(index).copied().unwrap_or(0));
            let retry_ns = self.retry_ns.saturating_sub(now.ns).max(1_000_000);
            let Some(refusal) = bucket.check(cost, held, retry_ns, server_ns) else { continue };
            if worst.is_none_or(|worst| worst.refusal < refusal) {
                worst = Some(Denial { limit: index, refusal });
            }
        }
        worst
    }

    /// Charges what [`Outage::check`] has admitted. O(limits).
    pub(crate) fn charge(&mut self, costs: &[u64]) {
        for bucket in &mut self.buckets {
            bucket.charge(costs[bucket.unit()]);
        }
    }

    /// Enters a reservation that [`Outage::check`] has admitted. The accounts are closed.
    pub(crate) fn lend(&mut self, limit: usize, cost: u64) {
        self.buckets[limit].lend(cost);
    }

    /// What is to be reported as debt of a limit, in millionths.
    pub(crate) fn debt(&mut self, limit: usize, now: Now, server_ns: i64) -> u64 {
        let bucket = &mut self.buckets[limit];
        bucket.advance(now.ns, server_ns);
        bucket.debt()
    }

    /// What was admitted of a limit in the outage, in millionths.
    pub(crate) fn admitted(&self, limit: usize) -> u64 {
        self.buckets[limit].admitted()
    }

    /// Whether nothing that it has admitted needs to be reported.
    pub(crate) fn is_empty(&mut self, now: Now, server_ns: i64) -> bool {
        (0..self.buckets.len()).all(|limit| self.debt(limit, now, server_ns) == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::limit::{Kind, Refusal, UNIT};
    use crate::shared::settings::OnOutage;

    const SECOND: u64 = 1_000_000_000;

    fn at(ns: u64) -> Now {
        Now { ns, wall_ns: ns.cast_signed() }
    }

    fn outage(limit: Limit, policy: OnOutage, fill: u64) -> Outage {
        let known = Known { capacity: limit.capacity, fill, processes: 4, policy };
        Outage::new([(limit, known)].into_iter(), at(0), 0)
    }

    fn take(outage: &mut Outage, cost: u64, ns: u64) -> Option<Refusal> {
        let denial = outage.check(&[cost * UNIT], &[0], at(ns), ns.cast_signed());
        if denial.is_none() {
            outage.charge(&[cost * UNIT]);
        }
        denial.map(|denial| denial.refusal)
    }

    #[test]
    fn a_share_of_a_rate_begins_full_and_refills_at_its_part() {
        // 8 a second, burst 8, for each of four: 2 a second, burst 2.
        let mut outage = outage(Limit::rate(0, 8 * UNIT, SECOND, 8 * UNIT), OnOutage::Share, 0);
        assert_eq!(take(&mut outage, 1, 0), Some(Refusal::Until(SECOND / 2)));
        assert_eq!(take(&mut outage, 1, SECOND / 2), None);
        assert!(take(&mut outage, 1, SECOND - 1).is_some());
        assert_eq!(take(&mut outage, 1, SECOND), None);
        // A cost above the share never fits in the outage: ask again.
        assert_eq!(take(&mut outage, 3, SECOND), Some(Refusal::Until(1_000_000)));
        assert_eq!(outage.admitted(0), 2 * UNIT);
        assert_eq!(outage.debt(0, at(SECOND), 0), 2 * UNIT);
        assert_eq!(outage.debt(0, at(2 * SECOND), 0), 0, "it has decayed");
    }

    #[test]
    fn the_debt_is_not_more_than_was_admitted() {
        let mut outage = outage(Limit::rate(0, 8 * UNIT, SECOND, 8 * UNIT), OnOutage::Share, 0);
        assert_eq!(outage.debt(0, at(0), 0), 0);
        assert_eq!(take(&mut outage, 1, SECOND / 2), None);
        assert_eq!(outage.debt(0, at(SECOND / 2), 0), UNIT);
    }

    #[test]
    fn closed_admits_nothing_and_open_everything() {
        let limit = Limit::rate(0, 8 * UNIT, SECOND, 8 * UNIT);
        let mut closed = outage(limit, OnOutage::Closed, 0);
        assert_eq!(take(&mut closed, 1, 60 * SECOND), Some(Refusal::Until(1_000_000)));
        assert_eq!(take(&mut closed, 0, 0), None, "nothing is asked of it");
        let mut open = outage(limit, OnOutage::Open, 0);
        assert!((0..100).all(|_| take(&mut open, 8, 0).is_none()));
    }

    #[test]
    fn a_share_of_a_quota_is_a_part_of_what_is_left_in_the_window() {
        use crate::limits::quota_window::{QuotaWindow, Span, TimeZone};
        let span = Span::Every(10 * SECOND);
        let window = QuotaWindow { span, time_zone: TimeZone::Offset(0) };
        let quota = Limit { kind: Kind::Quota(window), unit: 0, capacity: 100 * UNIT };
        let mut outage = outage(quota, OnOutage::Share, 60 * UNIT);
        assert_eq!(take(&mut outage, 10, 0), None);
        assert!(take(&mut outage, 1, 9 * SECOND).is_some());
        assert_eq!(outage.debt(0, at(9 * SECOND), 9 * SECOND.cast_signed()), 10 * UNIT);
        // A new window: a quarter of all.
        assert_eq!(take(&mut outage, 25, 10 * SECOND), None);
        assert!(take(&mut outage, 1, 10 * SECOND).is_some());
        assert_eq!(outage.debt(0, at(10 * SECOND), 10 * SECOND.cast_signed()), 25 * UNIT);
    }

    #[test]
    fn a_share_of_concurrency_bounds_what_is_held() {
        let limit = Limit { kind: Kind::Concurrency, unit: 0, capacity: 8 * UNIT };
        let mut outage = outage(limit, OnOutage::Share, 0);
        assert!(outage.check(&[UNIT], &[UNIT], at(0), 0).is_none());
        assert!(outage.check(&[UNIT], &[2 * UNIT], at(0), 0).is_some());
    }
}
