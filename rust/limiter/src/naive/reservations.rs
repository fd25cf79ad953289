//! Reservations of the reference limiter: a vector that is searched for what has expired.

use super::{Naive, NaiveKey, Reservation};
use crate::decision::{Denial, Fault, Verdict};
use crate::limits::limit::Limit;
use crate::time::Now;

impl Naive {
    /// Renews a reservation; returns whether it was open.
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

    /// Reserves, and returns the number of the reservation.
    ///
    /// # Errors
    /// The denial.
    pub fn reserve(
        &mut self,
        parts: &[(NaiveKey, &[u64])],
        owner: u32,
        ttl_ns: u64,
        now: Now,
    ) -> Result<usize, Denial> {
        self.expire(now);
        let parts = self.distinct(parts);
        if let Some(denial) = self.check(&parts, &[], now) {
            return Err(denial);
        }
        Ok(self.hold(&parts, owner, ttl_ns, now))
    }

    /// Reserves without asking the limits.
    pub fn hold_granted(
        &mut self,
        key: NaiveKey,
        costs: &[u64],
        owner: u32,
        ttl_ns: u64,
        now: Now,
    ) -> usize {
        self.expire(now);
        self.hold(&[Some((key, costs))], owner, ttl_ns, now)
    }

    fn hold(
        &mut self,
        parts: &[Option<(NaiveKey, &[u64])>],
        owner: u32,
        ttl_ns: u64,
        now: Now,
    ) -> usize {
        let (mut held, mut accounts) = (Vec::new(), Vec::new());
        for (key, costs) in parts.iter().flatten() {
            let account = self.account(*key);
            account.touch(now);
            held.push((*key, account.hold(costs)));
            accounts.push(account.number);
        }
        self.reservations.push(Reservation {
            owner,
            expires: now.ns.saturating_add(ttl_ns),
            open: true,
            held,
            accounts,
        });
        self.reservations.len() - 1
    }

    /// Adds to a reservation. `costs` has one list for each distinct part.
    ///
    /// # Errors
    /// It is not open, or the key of a part was forgotten.
    pub fn top_up(&mut self, number: usize, costs: &[&[u64]], now: Now) -> Verdict {
        self.expire(now);
        let open = self.reservations.get(number).filter(|r| r.open);
        let reservation = open.ok_or(Fault::NotOpen)?.clone();
        // Parts are checked in order, and the first stale one is reported.
        let gone = (reservation.held.iter().zip(&reservation.accounts))
            .position(|((key, _), number)| self.account(*key).number != *number);
        if let Some(part) = gone {
            return Err(Fault::Stale(part));
        }
        let parts: Vec<Option<(NaiveKey, &[u64])>> = reservation
            .held
            .iter()
            .zip(costs)
            .map(|((key, _), costs)| Some((*key, *costs)))
            .collect();
        let denial = self.check(&parts, &reservation.held, now);
        if denial.is_none() {
            for (index, (key, costs)) in parts.into_iter().flatten().enumerate() {
                let account = self.account(key);
                account.touch(now);
                let more = account.hold(costs);
                let kept = &mut self.reservations[number].held[index].1;
                kept.iter_mut().zip(more).for_each(|(kept, more)| *kept += more);
            }
        }
        Ok(denial)
    }

    /// Ends a reservation; returns whether it was open. `actual` returns what a limit is charged of
    /// what was held, by index of part and limit.
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

    /// Settles all open reservations of `owner` in full.
    pub fn abandon(&mut self, owner: u32, now: Now) {
        self.expire(now);
        for number in 0..self.reservations.len() {
            if self.reservations[number].open && self.reservations[number].owner == owner {
                self.end(number, |_, _, held| held, now);
            }
        }
    }

    pub(super) fn expire(&mut self, now: Now) {
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

    pub(super) fn end(
        &mut self,
        number: usize,
        actual: impl Fn(usize, &Limit, u64) -> u64,
        now: Now,
    ) {
        self.reservations[number].open = false;
        let Reservation { held, accounts, .. } = self.reservations[number].clone();
        for (part, (key, held)) in held.into_iter().enumerate() {
            let account = self.account(key);
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
