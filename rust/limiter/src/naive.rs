//! The reference limiter: the oracle of the tests, on one thread, with maps and vectors.
//!
//! A rate is a textbook token bucket whose level decays when it is read, as a fraction over the
//! rate's own denominator; it does not use the TAT. A refusal is found by trying every limit, and a
//! wait by bisection. It shares with the fast limiter what a limit *is* and where windows end, and
//! none of the arithmetic.

mod account;
mod bucket;
mod reservations;

use std::collections::HashMap;

use self::account::Account;
use self::bucket::Bucket;
use crate::decision::Denial;
use crate::limits::credit::Credit;
use crate::limits::limit::Limit;
use crate::operations::key_management::LimitStatus;
use crate::time::Now;

/// A key: a limiter's number and a name.
pub type NaiveKey = (usize, &'static str);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Reservation {
    owner: u32,
    expires: u64,
    open: bool,
    /// Key and what is held of each limit.
    held: Vec<(NaiveKey, Vec<u64>)>,
    /// The number of each key's account.
    accounts: Vec<usize>,
}

/// Limiters that share a clock, with all their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naive {
    limit_sets: Vec<Vec<Limit>>,
    accounts: HashMap<NaiveKey, Account>,
    reservations: Vec<Reservation>,
    made: usize,
}

impl Naive {
    /// Limiters with these default limits.
    #[must_use]
    pub fn new(limit_sets: Vec<Vec<Limit>>) -> Self {
        Self { limit_sets, accounts: HashMap::new(), reservations: Vec::new(), made: 0 }
    }

    /// Decides, and consumes if allowed and `consume` is true.
    pub fn take(
        &mut self,
        parts: &[(NaiveKey, &[u64])],
        consume: bool,
        now: Now,
    ) -> Option<Denial> {
        self.expire(now);
        let parts = self.distinct(parts);
        let denial = self.check(&parts, &[], now);
        if denial.is_none() && consume {
            for (key, costs) in parts.iter().flatten() {
                let account = self.account(*key);
                let now = account.touch(now);
                for bucket in &mut account.buckets {
                    bucket.add(costs[bucket.limit.unit], now);
                }
            }
        }
        denial
    }

    /// Consumes each cost in full, or else the largest multiple of `step` that fits. Returns what
    /// was consumed.
    pub fn take_up_to(&mut self, key: NaiveKey, costs: &[u64], step: u64, now: Now) -> Vec<u64> {
        self.expire(now);
        let account = self.account(key);
        let then = Now { ns: now.ns.max(account.seen), ..now };
        let most = |unit: usize, cost: u64| {
            let fits = |cost| {
                let mut own = account.buckets.iter().filter(|bucket| bucket.limit.unit == unit);
                own.all(|bucket| bucket.fits(cost, then))
            };
            if fits(cost) {
                return cost;
            }
            // By bisection; in debt, not even 0 fits.
            let (mut yes, mut no) = (0, cost / step + 1);
            while no - yes > 1 {
                let middle = yes + (no - yes) / 2;
                if fits(middle * step) { yes = middle } else { no = middle }
            }
            yes * step
        };
        let taken: Vec<u64> =
            costs.iter().enumerate().map(|(unit, &cost)| most(unit, cost)).collect();
        if taken.iter().any(|&cost| cost > 0) {
            let now = account.touch(now);
            for bucket in &mut account.buckets {
                bucket.add(taken[bucket.limit.unit], now);
            }
        }
        taken
    }

    /// Removes a key; what is reserved for it is void.
    pub fn forget(&mut self, key: NaiveKey) {
        self.accounts.remove(&key);
    }

    /// Sets other limits of the same kinds and units for a key, or the defaults.
    pub fn set_limits(&mut self, key: NaiveKey, limits: Option<&[Limit]>, now: Now) {
        self.expire(now);
        let own = self.limit_sets[key.0].clone();
        let account = self.account(key);
        let then = Now { ns: now.ns.max(account.seen), ..now };
        for (bucket, limit) in account.buckets.iter_mut().zip(limits.unwrap_or(&own)) {
            if bucket.limit.kind != limit.kind {
                bucket.become_like(*limit, then);
                account.seen = then.ns;
            }
            bucket.limit = *limit;
        }
    }

    /// The status of a key towards each limit.
    pub fn inspect(&mut self, key: NaiveKey, now: Now) -> Vec<LimitStatus> {
        self.expire(now);
        let account = self.account(key);
        let now = Now { ns: now.ns.max(account.seen), ..now };
        account.buckets.iter().map(|bucket| bucket.status(now)).collect()
    }

    /// Leaves at most `remaining`; after `after_ns` if that is not 0, for a rate only.
    pub fn tighten(
        &mut self,
        key: NaiveKey,
        index: usize,
        remaining: u64,
        after_ns: u64,
        now: Now,
    ) {
        self.expire(now);
        let account = self.account(key);
        let then = Now { ns: now.ns.max(account.seen), ..now };
        if account.buckets[index].limit.is_unlimited() {
            return;
        }
        if after_ns > 0 {
            if account.buckets[index].pause(remaining, after_ns, then) {
                account.touch(now);
            }
            return;
        }
        let status = account.buckets[index].status(then);
        let free = match account.buckets[index].is_credit() {
            true => status.remaining,
            false => status.capacity.saturating_sub(status.held).saturating_sub(status.used),
        };
        if free > remaining {
            account.touch(now);
            account.buckets[index].add(free - remaining, then);
        }
    }

    /// Passes the credit of each shared limit to `f`, and keeps the balance and the end.
    pub fn update_credit(
        &mut self,
        key: NaiveKey,
        now: Now,
        mut f: impl FnMut(usize, &mut Credit),
    ) {
        self.expire(now);
        let account = self.account(key);
        account.touch(now);
        let buckets = account.buckets.iter_mut().enumerate();
        for (index, bucket) in buckets.filter(|(_, bucket)| bucket.is_credit()) {
            let (balance, until_ns) = (bucket.balance as i64, bucket.until);
            let mut credit = Credit { balance, until_ns, held: bucket.held };
            f(index, &mut credit);
            (bucket.balance, bucket.until) = (credit.balance.into(), credit.until_ns);
        }
    }

    /// Resets what was consumed of limits that are not shared.
    pub fn reset(&mut self, key: NaiveKey, now: Now) {
        self.expire(now);
        for bucket in &mut self.account(key).buckets {
            bucket.level = 0;
        }
    }

    fn account(&mut self, key: NaiveKey) -> &mut Account {
        let (limits, made) = (&self.limit_sets[key.0], &mut self.made);
        *made += 1;
        self.accounts.entry(key).or_insert_with(|| Account {
            number: *made,
            seen: 0,
            buckets: limits.iter().map(|&limit| Bucket::new(limit)).collect(),
        })
    }

    /// The parts, with none for those whose key was named before.
    fn distinct<'a>(&self, parts: &[(NaiveKey, &'a [u64])]) -> Vec<Option<(NaiveKey, &'a [u64])>> {
        (0..parts.len())
            .map(|at| (!parts[..at].iter().any(|part| part.0 == parts[at].0)).then_some(parts[at]))
            .collect()
    }

    /// `held` is what the reservation holds that `parts` are added to, if any.
    fn check(
        &mut self,
        parts: &[Option<(NaiveKey, &[u64])>],
        held: &[(NaiveKey, Vec<u64>)],
        now: Now,
    ) -> Option<Denial> {
        let mut denials = Vec::new();
        let mut before = 0;
        for part in parts {
            if let Some((key, costs)) = part {
                let account = self.account(*key);
                let then = Now { ns: now.ns.max(account.seen), ..now };
                for (index, bucket) in account.buckets.iter().enumerate() {
                    let own =
                        held.iter().find(|held| held.0 == *key).map_or(0, |held| held.1[index]);
                    let refusal = bucket.refusal(costs[bucket.limit.unit], own, now, then);
                    denials
                        .extend(refusal.map(|refusal| Denial { limit: before + index, refusal }));
                }
                before += account.buckets.len();
            } else {
                // All limiters of a test have equally many limits.
                before += self.limit_sets[0].len();
            }
        }
        denials.into_iter().rev().max_by_key(|denial| denial.refusal)
    }
}
