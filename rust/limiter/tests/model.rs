//! The fast limiter equals the naive one, whatever is asked of it and in whatever order; and no more is
//! admitted in any span of time than the limits allow.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

use std::sync::Arc;

use proptest::prelude::*;
use sluice_limiter::naive::{Naive, Place};
use sluice_limiter::{
    AS_RESERVED, Actual, Book, Config, Fault, Key, Kind, Limit, Limiter, Now, Part, ReservationId,
    Span, UNIT, Window, peek_all, reserve_all, take_all,
};

const NAMES: [&str; 3] = ["a", "b", "c"];
const UNITS: usize = 3;
const LIMITS: usize = 4;
const WALL: i64 = 1_709_251_190 * 1_000_000_000;

#[derive(Clone, Debug)]
enum Step {
    Take(Vec<(usize, usize, [u64; UNITS])>, bool),
    Reserve(Vec<(usize, usize, [u64; UNITS])>, u64, u32),
    Settle(usize, Vec<Option<u64>>),
    Full(usize),
    Cancel(usize),
    TopUp(usize, [u64; UNITS]),
    Tighten(usize, usize, usize, u64, u64),
    Reset(usize, usize),
    Pass(u64),
    Back(u64),
}

fn limit(unit: usize) -> impl Strategy<Value = Limit> {
    let amount = prop_oneof![1..50 * UNIT, (1..50u64).prop_map(|n| n * UNIT)];
    let ns = prop_oneof![Just(1_000_000_000), Just(60_000_000_000), 1..10_000_000_000u64];
    let span = prop_oneof![
        Just(Span::Every(10_000_000_000)),
        Just(Span::Every(86_400_000_000_000)),
        Just(Span::Week),
        Just(Span::Month),
    ];
    prop_oneof![
        3 => (amount.clone(), ns, amount.clone())
            .prop_map(move |(limit, ns, burst)| Limit::rate(unit, limit, ns, burst)),
        1 => (span, -1440..1440i64, amount.clone()).prop_map(move |(span, minutes, capacity)| {
            let window = Window { span, offset_ns: minutes * 60_000_000_000 };
            Limit { kind: Kind::Quota(window), unit, capacity }
        }),
        1 => amount.prop_map(move |capacity| Limit { kind: Kind::Concurrency, unit, capacity }),
    ]
}

fn plan() -> impl Strategy<Value = Vec<Limit>> {
    proptest::collection::vec((0..UNITS).prop_flat_map(limit), LIMITS)
}

fn cost() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        Just(UNIT),
        0..60 * UNIT,
        Just(1_000_000 * UNIT),
        (0..20u64).prop_map(|n| n * UNIT)
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let costs = || [cost(), cost(), cost()];
    let parts = || proptest::collection::vec((0..2usize, 0..NAMES.len(), costs()), 1..4);
    let ttl = prop_oneof![Just(u64::MAX), 0..20_000_000_000u64];
    let number = 0..12usize;
    prop_oneof![
        6 => (parts(), any::<bool>()).prop_map(|(parts, consume)| Step::Take(parts, consume)),
        5 => (parts(), ttl, 0..3u32).prop_map(|(parts, ttl, owner)| Step::Reserve(parts, ttl, owner)),
        3 => (number.clone(), proptest::collection::vec(proptest::option::of(cost()), 9))
            .prop_map(|(number, actual)| Step::Settle(number, actual)),
        1 => number.clone().prop_map(Step::Full),
        1 => number.clone().prop_map(Step::Cancel),
        2 => (number, costs()).prop_map(|(number, more)| Step::TopUp(number, more)),
        1 => (0..2usize, 0..NAMES.len(), 0..LIMITS, cost(), prop_oneof![Just(0), 0..20_000_000_000u64])
            .prop_map(|(limiter, key, limit, rest, after)| Step::Tighten(limiter, key, limit, rest, after)),
        1 => (0..2usize, 0..NAMES.len()).prop_map(|(limiter, key)| Step::Reset(limiter, key)),
        6 => prop_oneof![0..3_000_000_000u64, 0..100u64, Just(90_000_000_000_000)].prop_map(Step::Pass),
        1 => (0..2_000_000_000u64).prop_map(Step::Back),
    ]
}

struct World {
    limiters: [Arc<Limiter>; 2],
    keys: [[Key; NAMES.len()]; 2],
    naive: Naive,
    open: Vec<(ReservationId, usize, usize)>,
    /// The latest time: wall time goes back with the other, within a window's length.
    now: Now,
}

impl World {
    fn new(plans: &[Vec<Limit>; 2]) -> Self {
        let book = Arc::new(Book::new());
        let limiters = [0, 1].map(|at: usize| {
            let limits = plans[at].clone().into_boxed_slice();
            let config = Config { limits, units: UNITS, max_keys: 100 };
            Arc::new(Limiter::new(config, [7; 16], book.clone()))
        });
        let now = Now { ns: 5_000_000_000, wall_ns: WALL };
        let keys = [0, 1].map(|at: usize| {
            NAMES.map(|name| {
                limiters[at].key(name.as_bytes(), Now { ns: 0, wall_ns: 0 }).expect("room")
            })
        });
        Self { limiters, keys, naive: Naive::new(plans.to_vec()), open: Vec::new(), now }
    }

    fn parts<'a>(&'a self, parts: &'a [(usize, usize, [u64; UNITS])]) -> Vec<Part<'a>> {
        let part = |(limiter, key, costs): &'a (usize, usize, [u64; UNITS])| Part {
            limiter: &self.limiters[*limiter],
            key: self.keys[*limiter][*key],
            costs,
        };
        parts.iter().map(part).collect()
    }

    fn run(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let now = self.now;
        let place = |limiter: usize, key: usize| -> Place { (limiter, NAMES[key]) };
        match step {
            Step::Take(parts, consume) => {
                let fast = if *consume { take_all } else { peek_all }(&self.parts(parts), now);
                let places: Vec<(Place, &[u64])> =
                    parts.iter().map(|(l, k, costs)| (place(*l, *k), &costs[..])).collect();
                prop_assert_eq!(fast, Ok(self.naive.take(&places, *consume, now)));
            }
            Step::Reserve(parts, ttl, owner) => {
                let fast = reserve_all(&self.parts(parts), *owner, *ttl, now).expect("no fault");
                let places: Vec<(Place, &[u64])> =
                    parts.iter().map(|(l, k, costs)| (place(*l, *k), &costs[..])).collect();
                let naive = self.naive.reserve(&places, *ttl, now);
                let distinct = (0..places.len())
                    .filter(|&at| !places[..at].iter().any(|part| part.0 == places[at].0))
                    .count();
                match (fast, naive) {
                    (Ok(id), Ok(number)) => self.open.push((id, number, distinct)),
                    (fast, naive) => prop_assert_eq!(fast.err(), naive.err()),
                }
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
                let fast = self.limiters[0].top_up(id, &more.repeat(parts), now);
                let naive = self.naive.top_up(number, &vec![&more[..]; parts], now);
                prop_assert_eq!(fast, naive.ok_or(Fault::NotOpen));
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
                self.naive.tighten(place(*limiter, *key), *limit, *remaining, *after, now);
            }
            Step::Reset(limiter, key) => {
                prop_assert_eq!(
                    self.limiters[*limiter].reset(self.keys[*limiter][*key], now),
                    Ok(())
                );
                self.naive.reset(place(*limiter, *key), now);
            }
            Step::Pass(ns) => {
                self.now.ns += ns;
                self.now.wall_ns += ns.cast_signed();
            }
            Step::Back(ns) => self.now.ns = self.now.ns.saturating_sub(*ns),
        }
        Ok(())
    }

    fn compare(&mut self) -> Result<(), TestCaseError> {
        for limiter in 0..2 {
            for (key, name) in self.keys[limiter].into_iter().zip(NAMES) {
                let fast = self.limiters[limiter].inspect(key, self.now);
                prop_assert_eq!(fast, Ok(self.naive.inspect((limiter, name), self.now)));
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30_000, ..ProptestConfig::default() })]

    #[test]
    fn fast_equals_naive(
        plans in [plan(), plan()],
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut world = World::new(&plans);
        for step in &steps {
            world.run(step)?;
            world.compare()?;
        }
    }

    /// In any span W, by the times of admission and by the times of settling, at most burst + rate * W.
    #[test]
    fn no_window_has_more_than_burst_and_rate_allow(
        limit in 1..200u64,
        burst in 1..200u64,
        steps in proptest::collection::vec((0..4u8, 1..50u64, 0..800_000_000u64, 0..=100u64), 1..120),
    ) {
        let plan = vec![Limit::rate(0, limit * UNIT, 1_000_000_000, burst * UNIT)];
        let config = Config { limits: plan.into(), units: 1, max_keys: 9 };
        let limiter = Arc::new(Limiter::new(config, [0; 16], Arc::default()));
        let mut now = Now { ns: 0, wall_ns: 0 };
        let key = limiter.key(b"k", now).expect("room");
        let mut open: Vec<(ReservationId, u64)> = Vec::new();
        let (mut admitted, mut settled) = (Vec::new(), Vec::new());
        for (what, cost, ns, percent) in steps {
            now.ns += ns;
            let costs = [cost * UNIT];
            let part = Part { limiter: &limiter, key, costs: &costs };
            match what {
                0 if limiter.take(key, &costs, now) == Ok(None) => {
                    admitted.push((now.ns, cost));
                    settled.push((now.ns, cost));
                }
                1 | 2 => if let Ok(id) = reserve_all(&[part], 0, u64::MAX, now).expect("no fault") {
                    // What is not used in the end does not count as admitted.
                    let actual = cost * percent / 100;
                    admitted.push((now.ns, actual));
                    open.push((id, actual));
                },
                3 if !open.is_empty() => {
                    let (id, actual) = open.remove(cost as usize % open.len());
                    limiter.settle(id, Actual::Costs(&[actual * UNIT]), now).expect("open");
                    settled.push((now.ns, actual));
                }
                _ => {}
            }
        }
        for events in [&admitted, &settled] {
            for (from, &(start, _)) in events.iter().enumerate() {
                let mut sum = 0;
                for &(end, units) in &events[from..] {
                    sum += units;
                    let most = u128::from(burst) * 1_000_000_000 + u128::from(limit) * u128::from(end - start);
                    prop_assert!(u128::from(sum) * 1_000_000_000 <= most, "{sum} in {} ns", end - start);
                }
            }
        }
    }
}
