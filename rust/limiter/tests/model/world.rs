//! The limiters and the reference limiter side by side, and one step of both.

use std::sync::Arc;

use proptest::prelude::*;
use sluice_limiter::naive::{Naive, NaiveKey};
use sluice_limiter::{
    AS_RESERVED, Actual, Book, Config, Credit, Fault, Key, Kind, Limit, Limiter, Now, Part,
    ReservationId, Stats, peek_all, reserve_all, take_all,
};

use crate::steps::{LIMITS, NAMES, Step, UNITS, WALL};

pub(crate) struct World {
    limiters: [Arc<Limiter>; 2],
    keys: [[Key; NAMES.len()]; 2],
    naive: Naive,
    open: Vec<(ReservationId, usize, usize)>,
    /// The current time.
    now: Now,
}

/// The complete state of limiters and keys: a refusal must not change it.
type State = (Vec<Vec<u64>>, [Stats; 2], [Vec<u8>; 2]);

impl World {
    pub(crate) fn new(limit_sets: &[Vec<Limit>; 2]) -> Self {
        let book = Arc::new(Book::new());
        let limiters = [0, 1].map(|at: usize| {
            let limits = limit_sets[at].clone().into_boxed_slice();
            let config = Config { limits, units: UNITS, max_keys: 100 };
            Arc::new(Limiter::new(config, [7; 16], book.clone()))
        });
        let now = Now { ns: 5_000_000_000, wall_ns: WALL };
        let keys = [0, 1].map(|at: usize| {
            NAMES.map(|name| {
                limiters[at].key(name.as_bytes(), Now { ns: 0, wall_ns: 0 }).expect("room")
            })
        });
        Self { limiters, keys, naive: Naive::new(limit_sets.to_vec()), open: Vec::new(), now }
    }

    /// Limits for a key, like the defaults but for their numbers.
    fn limit_set_of(&self, limiter: usize, numbers: &[(u64, u64); LIMITS]) -> Vec<Limit> {
        let limits = self.limiters[limiter].limits().iter().zip(numbers);
        limits
            .map(|(own, &(limit, capacity))| match own.kind {
                Kind::Rate { ns, .. } => Limit::rate(own.unit, limit, ns.min(1 << 40), capacity),
                _ => Limit { capacity, ..*own },
            })
            .collect()
    }

    /// All words of all slots, all counts, and the snapshots.
    fn state(&self) -> State {
        let words = (self.limiters.iter().zip(&self.keys))
            .flat_map(|(limiter, keys)| keys.iter().map(|&key| limiter.words(key)))
            .collect();
        let [one, two] = [0, 1].map(|at: usize| &self.limiters[at]);
        (
            words,
            [one.stats(), two.stats()],
            [one.snapshot(self.now).expect("room"), two.snapshot(self.now).expect("room")],
        )
    }

    /// The state after everything that has expired is settled.
    fn settled_state(&self) -> State {
        self.limiters[0].book().expire(self.now);
        self.state()
    }

    fn parts<'a>(&'a self, parts: &'a [(usize, usize, [u64; UNITS])]) -> Vec<Part<'a>> {
        let part = |(limiter, key, costs): &'a (usize, usize, [u64; UNITS])| Part {
            limiter: &self.limiters[*limiter],
            key: self.keys[*limiter][*key],
            costs,
        };
        parts.iter().map(part).collect()
    }

    pub(crate) fn run(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let now = self.now;
        let naive_key = |limiter: usize, key: usize| -> NaiveKey { (limiter, NAMES[key]) };
        match step {
            Step::Take(parts, consume) => {
                let before = self.settled_state();
                let fast = if *consume { take_all } else { peek_all }(&self.parts(parts), now);
                let naive_parts: Vec<(NaiveKey, &[u64])> =
                    parts.iter().map(|(l, k, costs)| (naive_key(*l, *k), &costs[..])).collect();
                prop_assert_eq!(fast, Ok(self.naive.take(&naive_parts, *consume, now)));
                if fast != Ok(None) || !consume {
                    prop_assert_eq!(&before, &self.state());
                }
                // A name without a key is decided as a new key would be, and no key is created.
                let mut naive_parts = naive_parts;
                naive_parts[0].0.1 = "new";
                let naive = self.naive.take(&naive_parts, false, now);
                let mut fresh = self.parts(parts);
                fresh[0].key = Key::NONE;
                prop_assert_eq!(peek_all(&fresh, now), Ok(naive));
                prop_assert_eq!(take_all(&fresh, now), Err(Fault::Stale(0)));
                prop_assert_eq!(reserve_all(&fresh, 0, 1, now), Err(Fault::Stale(0)));
                if fast != Ok(None) || !consume {
                    prop_assert_eq!(before, self.state());
                }
            }
            Step::One(limiter, key, costs) => {
                let before = self.settled_state();
                let (at, name) = (&self.limiters[*limiter], self.keys[*limiter][*key]);
                let peeked = at.peek(name, costs, now);
                prop_assert_eq!(&before, &self.state());
                let fast = at.take(name, costs, now);
                prop_assert_eq!(peeked, fast);
                let naive = self.naive.take(&[(naive_key(*limiter, *key), costs)], true, now);
                prop_assert_eq!(fast, Ok(naive));
                if fast != Ok(None) {
                    prop_assert_eq!(before, self.state());
                }
            }
            Step::Batch(limiter, calls) => {
                let at = self.limiters[*limiter].clone();
                let mut batch = at.batch(now);
                for (key, costs) in calls {
                    let name = self.keys[*limiter][*key];
                    let before = at.words(name);
                    batch.set_costs(costs);
                    let fast = batch.take(name);
                    let naive = self.naive.take(&[(naive_key(*limiter, *key), costs)], true, now);
                    prop_assert_eq!(fast, Ok(naive));
                    if fast != Ok(None) {
                        prop_assert_eq!(before, at.words(name));
                    }
                }
            }
            Step::SetLimits(limiter, key, numbers) => {
                let limits = numbers.as_ref().map(|numbers| self.limit_set_of(*limiter, numbers));
                let boxed = limits.clone().map(Vec::into_boxed_slice);
                let fast =
                    self.limiters[*limiter].set_limits(self.keys[*limiter][*key], boxed, now);
                prop_assert_eq!(fast, Ok(Ok(())));
                self.naive.set_limits(naive_key(*limiter, *key), limits.as_deref(), now);
            }
            Step::Forget(limiter, key) => {
                let at = &self.limiters[*limiter];
                prop_assert!(at.forget(self.keys[*limiter][*key]));
                self.naive.forget(naive_key(*limiter, *key));
                // New keys use free slots and make no other key stale.
                let new = at.key(NAMES[*key].as_bytes(), Now { ns: 0, ..now }).expect("room");
                self.keys[*limiter][*key] = new;
            }
            Step::Abandon(owner) => {
                self.limiters[0].book().abandon(*owner, now);
                self.naive.abandon(*owner, now);
            }
            Step::Reserve(parts, ttl, owner) => {
                let before = self.settled_state();
                let all = self.parts(parts);
                // One key takes the direct path.
                let fast = match all[..] {
                    [Part { limiter, key, costs }] => {
                        limiter.reserve(key, costs, *owner, *ttl, now).expect("no fault")
                    }
                    _ => reserve_all(&all, *owner, *ttl, now).expect("no fault"),
                };
                if fast.is_err() {
                    prop_assert_eq!(before, self.state());
                }
                let naive_parts: Vec<(NaiveKey, &[u64])> =
                    parts.iter().map(|(l, k, costs)| (naive_key(*l, *k), &costs[..])).collect();
                let naive = self.naive.reserve(&naive_parts, *owner, *ttl, now);
                let distinct = (0..naive_parts.len())
                    .filter(|&at| !naive_parts[..at].iter().any(|part| part.0 == naive_parts[at].0))
                    .count();
                match (fast, naive) {
                    (Ok(id), Ok(number)) => self.open.push((id, number, distinct)),
                    (fast, naive) => prop_assert_eq!(fast.err(), naive.err()),
                }
            }
            Step::Credit(limiter, key, changes) => {
                let (at, name) = (&self.limiters[*limiter], self.keys[*limiter][*key]);
                let update = |index: usize, credit: &mut Credit| changes[index].apply(credit, now);
                prop_assert_eq!(at.update_credit(name, now, update), Ok(()));
                self.naive.update_credit(naive_key(*limiter, *key), now, update);
                prop_assert_eq!(
                    at.update_credit(Key::NONE, now, |_, _| panic!("called")),
                    Err(Fault::Stale(0))
                );
            }
            Step::Granted(limiter, key, changes, costs, ttl, owner) => {
                let (at, name) = (&self.limiters[*limiter], self.keys[*limiter][*key]);
                let update = |index: usize, credit: &mut Credit| changes[index].apply(credit, now);
                let id = at.hold_granted(name, costs, *owner, *ttl, now, update);
                let key = naive_key(*limiter, *key);
                self.naive.update_credit(key, now, update);
                let number = self.naive.hold_granted(key, costs, *owner, *ttl, now);
                self.open.push((id.expect("no fault"), number, 1));
            }
            Step::Settle(at, actual) => {
                let Some(&(id, number, parts)) = self.open.get(*at) else { return Ok(()) };
                let costs: Vec<u64> =
                    actual[..parts * UNITS].iter().map(|a| a.unwrap_or(AS_RESERVED)).collect();
                let fast = self.limiters[0].settle(id, Actual::Costs(&costs), now);
                let naive = self.naive.settle(
                    number,
                    |part, limit, held| actual[part * UNITS + limit.unit].unwrap_or(held),
                    now,
                );
                prop_assert_eq!(fast, if naive { Ok(()) } else { Err(Fault::NotOpen) });
            }
            Step::Full(at) | Step::Cancel(at) => {
                let Some(&(id, number, _)) = self.open.get(*at) else { return Ok(()) };
                let full = matches!(step, Step::Full(_));
                let actual = if full { Actual::Full } else { Actual::Nothing };
                let fast = self.limiters[1].settle(id, actual, now);
                let naive =
                    self.naive.settle(number, |_, _, held| if full { held } else { 0 }, now);
                prop_assert_eq!(fast, if naive { Ok(()) } else { Err(Fault::NotOpen) });
            }
            Step::TopUp(at, more) => {
                let Some(&(id, number, parts)) = self.open.get(*at) else { return Ok(()) };
                let before = self.settled_state();
                let fast = self.limiters[0].top_up(id, &more.repeat(parts), now);
                prop_assert_eq!(fast, self.naive.top_up(number, &vec![&more[..]; parts], now));
                if fast != Ok(None) {
                    prop_assert_eq!(before, self.state());
                }
            }
            Step::UpTo(limiter, key, costs, step) => {
                let before = self.settled_state();
                let mut taken = *costs;
                let (at, name) = (&self.limiters[*limiter], self.keys[*limiter][*key]);
                prop_assert_eq!(at.take_up_to(name, &mut taken, *step, now), Ok(()));
                let naive = self.naive.take_up_to(naive_key(*limiter, *key), costs, *step, now);
                prop_assert_eq!(&taken[..], &naive[..]);
                if taken == [0; UNITS] {
                    prop_assert_eq!(before, self.state());
                }
            }
            Step::Renew(at, ttl) => {
                let Some(&(id, number, _)) = self.open.get(*at) else { return Ok(()) };
                let fast = self.limiters[1].renew(id, *ttl, now);
                let naive = self.naive.renew(number, *ttl, now);
                prop_assert_eq!(fast, if naive { Ok(()) } else { Err(Fault::NotOpen) });
            }
            Step::Tighten(limiter, key, limit, remaining, after) => {
                let fast = self.limiters[*limiter].tighten(
                    self.keys[*limiter][*key],
                    *limit,
                    *remaining,
                    *after,
                    now,
                );
                prop_assert_eq!(fast, Ok(()));
                self.naive.tighten(naive_key(*limiter, *key), *limit, *remaining, *after, now);
            }
            Step::Reset(limiter, key) => {
                prop_assert_eq!(
                    self.limiters[*limiter].reset(self.keys[*limiter][*key], now),
                    Ok(())
                );
                self.naive.reset(naive_key(*limiter, *key), now);
            }
            Step::Pass(ns) => {
                self.now.ns += ns;
                self.now.wall_ns += ns.cast_signed();
            }
            Step::Back(ns) => self.now.ns = self.now.ns.saturating_sub(*ns),
            Step::Wall(ns) => self.now.wall_ns += ns,
        }
        Ok(())
    }

    pub(crate) fn compare(&mut self) -> Result<(), TestCaseError> {
        for limiter in 0..2 {
            for (key, name) in self.keys[limiter].into_iter().zip(NAMES) {
                let fast = self.limiters[limiter].inspect(key, self.now);
                prop_assert_eq!(fast, Ok(self.naive.inspect((limiter, name), self.now)));
            }
            let fresh = self.limiters[limiter].inspect(Key::NONE, self.now);
            prop_assert_eq!(fresh, Ok(self.naive.inspect((limiter, "new"), self.now)));
        }
        Ok(())
    }
}
