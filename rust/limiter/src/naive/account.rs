//! The state of one key in the reference limiter.

use super::bucket::Bucket;
use crate::time::Now;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    /// A unique number, by which a key that was forgotten differs from its successor.
    pub(super) number: usize,
    pub(super) seen: u64,
    pub(super) buckets: Vec<Bucket>,
}

impl Account {
    pub(super) fn touch(&mut self, now: Now) -> Now {
        self.seen = self.seen.max(now.ns);
        Now { ns: self.seen, ..now }
    }

    pub(super) fn hold(&mut self, costs: &[u64]) -> Vec<u64> {
        let hold = |bucket: &mut Bucket| {
            let cost = costs[bucket.limit.unit];
            bucket.held += cost;
            cost
        };
        self.buckets.iter_mut().map(hold).collect()
    }
}
