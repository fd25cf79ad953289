//! The slow and obvious limiter that tests hold the fast one against.
//!
//! One thread, maps and vectors. A rate is a bucket whose level is kept as a fraction over the rate's own
//! denominator and decays when it is looked at: the textbook's token bucket, and not the time at which
//! it will be full. A refusal is found by trying every limit. It shares with the fast one what a limit
//! *is* and where windows end, and none of the arithmetic.

mod account;
mod bucket;

use std::collections::HashMap;

use self::account::Account;
use self::bucket::Bucket;
use crate::limit::Limit;
use crate::limiter::{Denial, Fault, Verdict};
use crate::time::Now;
use crate::upkeep::Standing;

/// A limiter's number and a name.
pub type Place = (usize, &'static str);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Reservation {
    owner: u32,
    expires: u64,
    open: bool,
    /// Place and what is held of each limit.
    held: Vec<(Place, Vec<u64>)>,
    /// The account at each place.
    accounts: Vec<usize>,
}

/// Limiters that share a clock, with all their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naive {
    plans: Vec<Vec<Limit>>,
    accounts: HashMap<Place, Account>,
    reservations: Vec<Reservation>,
    made: usize,
}

impl Naive {
    /// Limiters with these limits.
    #[must_use]
    pub fn new(plans: Vec<Vec<Limit>>) -> Self {
        Self { plans, accounts: HashMap::new(), reservations: Vec::new(), made: 0 }
    }

    /// Decides, and consumes if `consume` says so.
    pub fn take(&mut self, parts: &[(Place, &[u64])], consume: bool, now: Now) -> Option<Denial> {
        self.expire(now);
        let parts = self.distinct(parts);
        let denial = self.check(&parts, &[], now);
        if denial.is_none() && consume {
            for (place, costs) in parts.iter().flatten() {
                let account = self.account(*place);
                let now = account.touch(now);
                for bucket in &mut account.buckets {
                    bucket.add(costs[bucket.limit.unit], now);
                }
            }
        }
        denial
    }

    /// Consumes of each cost what fits: all, or the most that is a multiple of `step`. Returns that.
    pub fn take_up_to(&mut self, place: Place, costs: &[u64], step: u64, now: Now) -> Vec<u64> {
        self.expire(now);
        let account = self.account(place);
        let then = Now { ns: now.ns.max(account.seen), ..now };
        let most = |unit: usize, cost: u64| {
            let fits = |cost| {
                let mut own = account.buckets.iter().filter(|bucket| bucket.limit.unit == unit);
                own.all(|bucket| bucket.fits(cost, then))
            };
            if fits(cost) {
                return cost;
            }
            // By bisection; not even nothing fits where there is debt.
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

    /// Renews a reservation; whether it was open.
    pub fn renew(&mut self, number: usize, ttl_ns: u64, now: Now) -> bool {
        self.expire(now);
        match self.reservations.get_mut(number).filter(|reservation| reservation.open) {
            Some(open) => {
                open.expires = open.expires.max(now.ns.saturating_add(ttl_ns));
                true
            }
            None => false,
        }
    }

    /// Reserves, and returns the reservation's number.
    ///
    /// # Errors
    /// What refuses.
    pub fn reserve(
        &mut self,
        parts: &[(Place, &[u64])],
        owner: u32,
        ttl_ns: u64,
        now: Now,
    ) -> Result<usize, Denial> {
        self.expire(now);
        let parts = self.distinct(parts);
        if let Some(denial) = self.check(&parts, &[], now) {
            return Err(denial);
        }
        let (mut held, mut accounts) = (Vec::new(), Vec::new());
        for (place, costs) in parts.iter().flatten() {
            let account = self.account(*place);
            account.touch(now);
            held.push((*place, account.hold(costs)));
            accounts.push(account.number);
        }
        self.reservations.push(Reservation {
            owner,
            expires: now.ns.saturating_add(ttl_ns),
            open: true,
            held,
            accounts,
        });
        Ok(self.reservations.len() - 1)
    }

    /// Adds to a reservation. `costs` has one list for each distinct part.
    ///
    /// # Errors
    /// It is not open, or the key of a part was forgotten.
    pub fn top_up(&mut self, number: usize, costs: &[&[u64]], now: Now) -> Verdict {
        self.expire(now);
        let open = self.reservations.get(number).filter(|r| r.open);
        let reservation = open.ok_or(Fault::NotOpen)?.clone();
        // Parts are looked at in order, and the first that settles it does.
        let gone = (reservation.held.iter().zip(&reservation.accounts))
            .position(|((place, _), number)| self.account(*place).number != *number);
        if let Some(part) = gone {
            return Err(Fault::Stale(part));
        }
        let parts: Vec<Option<(Place, &[u64])>> = reservation
            .held
            .iter()
            .zip(costs)
            .map(|((place, _), costs)| Some((*place, *costs)))
            .collect();
        let denial = self.check(&parts, &reservation.held, now);
        if denial.is_none() {
            for (index, (place, costs)) in parts.into_iter().flatten().enumerate() {
                let account = self.account(place);
                account.touch(now);
                let more = account.hold(costs);
                let kept = &mut self.reservations[number].held[index].1;
                kept.iter_mut().zip(more).for_each(|(kept, more)| *kept += more);
            }
        }
        Ok(denial)
    }

    /// Ends a reservation; whether it was open. `actual` says what a limit is charged of what was held:
    /// by index of part and limit.
    pub fn settle(
        &mut self,
        number: usize,
        actual: impl Fn(usize, &Limit, u64) -> u64,
        now: Now,
    ) -> bool {
        self.expire(now);
        let open = self.reservations.get(number).is_some_and(|reservation| reservation.open);
        if open {
            self.end(number, actual, now);
        }
        open
    }

    /// Settles in full all that `owner` has open.
    pub fn abandon(&mut self, owner: u32, now: Now) {
        self.expire(now);
        for number in 0..self.reservations.len() {
            if self.reservations[number].open && self.reservations[number].owner == owner {
                self.end(number, |_, _, held| held, now);
            }
        }
    }

    /// Forgets a key; what is reserved for it is void.
    pub fn forget(&mut self, place: Place) {
        self.accounts.remove(&place);
    }

    /// Gives a key other limits of the same kinds and units, or the limiter's own.
    pub fn set_limits(&mut self, place: Place, limits: Option<&[Limit]>, now: Now) {
        self.expire(now);
        let own = self.plans[place.0].clone();
        let account = self.account(place);
        let then = Now { ns: now.ns.max(account.seen), ..now };
        for (bucket, limit) in account.buckets.iter_mut().zip(limits.unwrap_or(&own)) {
            if bucket.limit.kind != limit.kind {
                bucket.become_like(*limit, then);
                account.seen = then.ns;
            }
            bucket.limit = *limit;
        }
    }

    /// How a key stands towards each limit.
    pub fn inspect(&mut self, place: Place, now: Now) -> Vec<Standing> {
        self.expire(now);
        let account = self.account(place);
        let now = Now { ns: now.ns.max(account.seen), ..now };
        account.buckets.iter().map(|bucket| bucket.standing(now)).collect()
    }

    /// Leaves at most `remaining`; in `after_ns` if that is not 0, of a rate.
    pub fn tighten(&mut self, place: Place, index: usize, remaining: u64, after_ns: u64, now: Now) {
        self.expire(now);
        let account = self.account(place);
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
        let standing = account.buckets[index].standing(then);
        let free = standing.capacity.saturating_sub(standing.held).saturating_sub(standing.used);
        if free > remaining {
            account.touch(now);
            account.buckets[index].add(free - remaining, then);
        }
    }

    /// Forgets what was consumed.
    pub fn reset(&mut self, place: Place, now: Now) {
        self.expire(now);
        for bucket in &mut self.account(place).buckets {
            bucket.level = 0;
        }
    }

    fn account(&mut self, place: Place) -> &mut Account {
        let (plan, made) = (&self.plans[place.0], &mut self.made);
        *made += 1;
        self.accounts.entry(place).or_insert_with(|| Account {
            number: *made,
            seen: 0,
            buckets: plan
                .iter()
                .map(|&limit| Bucket { limit, level: 0, at: 0, end: i64::MIN, held: 0 })
                .collect(),
        })
    }

    /// The parts, without those whose key was named before.
    fn distinct<'a>(&self, parts: &[(Place, &'a [u64])]) -> Vec<Option<(Place, &'a [u64])>> {
        (0..parts.len())
            .map(|at| (!parts[..at].iter().any(|part| part.0 == parts[at].0)).then_some(parts[at]))
            .collect()
    }

    /// `held` is what the reservation holds that `parts` are added to.
    fn check(
        &mut self,
        parts: &[Option<(Place, &[u64])>],
        held: &[(Place, Vec<u64>)],
        now: Now,
    ) -> Option<Denial> {
        let mut denials = Vec::new();
        let mut before = 0;
        for part in parts {
            if let Some((place, costs)) = part {
                let account = self.account(*place);
                let then = Now { ns: now.ns.max(account.seen), ..now };
                for (index, bucket) in account.buckets.iter().enumerate() {
                    let own =
                        held.iter().find(|held| held.0 == *place).map_or(0, |held| held.1[index]);
                    let refusal = bucket.refusal(costs[bucket.limit.unit], own, now, then);
                    denials
                        .extend(refusal.map(|refusal| Denial { limit: before + index, refusal }));
                }
                before += account.buckets.len();
            } else {
                // Every test's limiters have equally many limits.
                before += self.plans[0].len();
            }
        }
        denials.into_iter().rev().max_by_key(|denial| denial.refusal)
    }

    fn expire(&mut self, now: Now) {
        loop {
            let due = (0..self.reservations.len())
                .filter(|&at| self.reservations[at].open && self.reservations[at].expires <= now.ns)
                .min_by_key(|&at| self.reservations[at].expires);
            let Some(at) = due else { return };
            let ns = self.reservations[at].expires;
            let wall_ns = now.wall_ns - (now.ns - ns).cast_signed();
            self.end(at, |_, _, held| held, Now { ns, wall_ns });
        }
    }

    fn end(&mut self, number: usize, actual: impl Fn(usize, &Limit, u64) -> u64, now: Now) {
        self.reservations[number].open = false;
        let Reservation { held, accounts, .. } = self.reservations[number].clone();
        for (part, (place, held)) in held.into_iter().enumerate() {
            let account = self.account(place);
            if account.number != accounts[part] {
                continue;
            }
            let now = account.touch(now);
            for (bucket, held) in account.buckets.iter_mut().zip(held) {
                bucket.held -= held;
                let limit = bucket.limit;
                bucket.add(actual(part, &limit, held), now);
            }
        }
    }
}
