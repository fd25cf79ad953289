//! The fast pool does what the naive one does, whatever is done to it; and after everything, all
//! leases are back, nobody starved and no cap was passed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets the unexpected should fail"
)]

use proptest::prelude::*;
use sluice_pool::naive::{self, Naive};
use sluice_pool::{
    Acquired, Adaptive, Answer, HealthSettings, LeaseId, Millis, NEVER, Outcome, Pool, Setting,
    Settings, UpstreamSettings, WaiterId,
};

const MEMBERS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    Try { member: usize, prefer: Option<usize> },
    Wait { member: usize, prefer: Option<usize>, priority: i32, timeout: Millis },
    Cancel { pick: usize },
    Release { pick: usize, outcome: Outcome, rest: Millis },
    Renew { pick: usize },
    Late { pick: usize },
    Collect { member: usize, most: usize },
    Leave { member: usize },
    Kill { member: usize },
    Pass { time: Millis },
    Cap { pick: usize, max: u32 },
    Weigh { pick: usize, weight: u32, tier: u32 },
    Drain { pick: usize, on: bool },
    Remove { pick: usize },
    Add { settings: UpstreamSettings },
}

fn upstream() -> impl Strategy<Value = UpstreamSettings> {
    (1u32..5, 1u32..4, 0u32..3).prop_map(|(max_in_flight, weight, tier)| UpstreamSettings {
        max_in_flight,
        weight: f64::from(weight),
        tier,
    })
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        4 => Just(Outcome::Ok),
        1 => Just(Outcome::Unknown),
        3 => Just(Outcome::Failed),
        1 => Just(Outcome::Overloaded),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let member = || 0..MEMBERS;
    let prefer = || prop::option::weighted(0.3, 0usize..6);
    let rest = prop_oneof![9 => Just(0), 1 => 1u64..300];
    let timeout = prop_oneof![4 => 1u64..500, 1 => Just(NEVER)];
    let time = prop_oneof![6 => 0u64..20, 2 => 20u64..200, 1 => 200u64..3000];
    prop_oneof![
        6 => (member(), prefer()).prop_map(|(member, prefer)| Step::Try { member, prefer }),
        12 => (member(), prefer(), -2i32..3, timeout).prop_map(
            |(member, prefer, priority, timeout)| Step::Wait { member, prefer, priority, timeout }
        ),
        3 => any::<usize>().prop_map(|pick| Step::Cancel { pick }),
        12 => (any::<usize>(), outcome(), rest)
            .prop_map(|(pick, outcome, rest)| Step::Release { pick, outcome, rest }),
        2 => any::<usize>().prop_map(|pick| Step::Renew { pick }),
        2 => any::<usize>().prop_map(|pick| Step::Late { pick }),
        8 => (member(), 1usize..4).prop_map(|(member, most)| Step::Collect { member, most }),
        1 => member().prop_map(|member| Step::Leave { member }),
        1 => member().prop_map(|member| Step::Kill { member }),
        6 => time.prop_map(|time| Step::Pass { time }),
        1 => (any::<usize>(), 1u32..6).prop_map(|(pick, max)| Step::Cap { pick, max }),
        1 => (any::<usize>(), 1u32..4, 0u32..3)
            .prop_map(|(pick, weight, tier)| Step::Weigh { pick, weight, tier }),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(pick, on)| Step::Drain { pick, on }),
        1 => any::<usize>().prop_map(|pick| Step::Remove { pick }),
        1 => upstream().prop_map(|settings| Step::Add { settings }),
    ]
}

fn settings() -> impl Strategy<Value = Settings> {
    (
        (1u32..10, 0u32..12, prop_oneof![Just(0u64), Just(50)]),
        prop_oneof![Just(NEVER), 50u64..2000],
        10u64..300,
        (0u32..4, 1u32..6, 0u32..=4),
        any::<bool>(),
    )
        .prop_map(
            |((max, queue, aging), ttl, claim, (failures, min_results, share), adaptive)| {
                Settings {
                    max_in_flight: max,
                    queue_max: queue,
                    aging,
                    lease_ttl: ttl,
                    claim,
                    health: HealthSettings {
                        failures,
                        failure_rate: 0.6,
                        min_results,
                        window: 200,
                        cooldown: 100,
                        max_ejected: f64::from(share) / 4.0,
                    },
                    adaptive: adaptive.then_some(Adaptive { min: 1, backoff: 0.5 }),
                }
            },
        )
}

/// Both pools, and what the members think they have.
struct Pair {
    fast: Pool,
    slow: Naive,
    settings: Settings,
    now: Millis,
    /// Member, lease in the fast one, in the slow one.
    held: Vec<(usize, LeaseId, naive::Lease)>,
    places: Vec<(usize, WaiterId, naive::Place)>,
    /// Leases that are not held any more.
    spent: Vec<(usize, LeaseId)>,
    upstreams: u32,
}

impl Pair {
    fn new(settings: Settings, upstreams: Vec<UpstreamSettings>) -> Self {
        let mut pair = Self {
            fast: Pool::new(settings.clone()),
            slow: Naive::new(settings.clone()),
            settings,
            now: 0,
            held: Vec::new(),
            places: Vec::new(),
            spent: Vec::new(),
            upstreams: 0,
        };
        for member in 0..MEMBERS {
            assert_eq!(pair.fast.join(member as u32), Ok(member as u32));
        }
        for upstream in upstreams {
            pair.add(upstream);
        }
        pair
    }

    fn add(&mut self, settings: UpstreamSettings) {
        let id = format!("upstream {}", self.upstreams);
        // The slow one never uses an index again; the fast one does once it is free.
        if self.slow.upstreams.iter().any(|u| u.removed) {
            return;
        }
        let index = self.fast.add_upstream(&id, settings.clone(), self.now).expect("room");
        assert_eq!(index, self.upstreams);
        self.slow.add(settings, self.now);
        self.upstreams += 1;
    }

    fn keep(&mut self, member: usize, fast: LeaseId, slow: naive::Lease) {
        assert_eq!(self.slow.upstream(slow), Some(fast.upstream() as usize), "the same upstream");
        self.held.push((member, fast, slow));
    }

    fn upstream(&self, pick: usize) -> Option<usize> {
        let index = pick % (self.upstreams as usize).max(1);
        let live = self.slow.upstreams.get(index).is_some_and(|u| !u.removed);
        live.then_some(index)
    }

    fn step(&mut self, step: Step) {
        let now = self.now;
        match step {
            Step::Try { member, prefer } => {
                let fast = self.fast.acquire(member as u32, prefer.map(|p| p as u32), now);
                let slow = self.slow.acquire(member, prefer, now);
                assert_eq!(fast.is_some(), slow.is_some());
                if let (Some(fast), Some(slow)) = (fast, slow) {
                    self.keep(member, fast, slow);
                }
            }
            Step::Wait { member, prefer, priority, timeout } => {
                let prefer_fast = prefer.map(|p| p as u32);
                let fast = self.fast.wait(member as u32, prefer_fast, priority, timeout, now);
                match (fast, self.slow.wait(member, prefer, priority, timeout, now)) {
                    (Ok(Acquired::Lease(fast)), Ok(slow)) => self.keep(member, fast, slow),
                    (Ok(Acquired::Place(fast)), Err(Some(slow))) => {
                        self.places.push((member, fast, slow));
                    }
                    (Err(_), Err(None)) => {}
                    differ => panic!("{differ:?}"),
                }
            }
            Step::Cancel { pick } => {
                if self.places.is_empty() {
                    return;
                }
                let (member, fast, slow) = self.places.swap_remove(pick % self.places.len());
                assert!(
                    !self.fast.cancel(((member + 1) % MEMBERS) as u32, fast, now),
                    "not theirs"
                );
                let done = self.fast.cancel(member as u32, fast, now);
                assert_eq!(done, self.slow.cancel(member, slow, now));
                assert!(!self.fast.cancel(member as u32, fast, now), "once");
            }
            Step::Release { pick, outcome, rest } => {
                if self.held.is_empty() {
                    return;
                }
                let (member, fast, slow) = self.held.swap_remove(pick % self.held.len());
                let done = self.fast.release(member as u32, fast, outcome, rest, now).is_ok();
                assert_eq!(done, self.slow.release(member, slow, outcome, rest, now));
                self.spent.push((member, fast));
            }
            Step::Renew { pick } => {
                if self.held.is_empty() {
                    return;
                }
                let (member, fast, slow) = self.held[pick % self.held.len()];
                let done = self.fast.renew(member as u32, fast, now).is_ok();
                assert_eq!(done, self.slow.renew(member, slow, now));
            }
            Step::Late { pick } => {
                if self.spent.is_empty() {
                    return;
                }
                let (member, lease) = self.spent[pick % self.spent.len()];
                assert!(self.fast.release(member as u32, lease, Outcome::Failed, 9, now).is_err());
                assert!(self.fast.renew(member as u32, lease, now).is_err());
                self.slow.tick(now);
            }
            Step::Collect { member, most } => {
                for _ in 0..most {
                    if !self.collect(member) {
                        break;
                    }
                }
            }
            Step::Leave { member } => {
                self.fast.leave(member as u32, now);
                self.slow.leave(member, now);
                self.places.retain(|place| place.0 != member);
            }
            Step::Kill { member } => {
                self.fast.reap(member as u32, now);
                self.slow.reap(member, now);
                self.places.retain(|place| place.0 != member);
                let dead = self.held.iter().filter(|held| held.0 == member);
                self.spent.extend(dead.map(|&(member, fast, _)| (member, fast)));
                self.held.retain(|held| held.0 != member);
                assert_eq!(self.fast.join(member as u32), Ok(member as u32));
            }
            Step::Pass { time } => self.now += time,
            Step::Cap { pick, max } => {
                let Some(index) = self.upstream(pick) else { return };
                self.fast.change_upstream(index as u32, Setting::MaxInFlight(max), now);
                self.slow.change(index, now, |u| u.settings.max_in_flight = max);
            }
            Step::Weigh { pick, weight, tier } => {
                let Some(index) = self.upstream(pick) else { return };
                let weight = f64::from(weight);
                self.fast.change_upstream(index as u32, Setting::Weight(weight), now);
                self.slow.change(index, now, |u| u.settings.weight = weight);
                self.fast.change_upstream(index as u32, Setting::Tier(tier), now);
                self.slow.change(index, now, |u| u.settings.tier = tier);
            }
            Step::Drain { pick, on } => {
                let Some(index) = self.upstream(pick) else { return };
                self.fast.change_upstream(index as u32, Setting::Draining(on), now);
                self.slow.change(index, now, |u| u.draining = on);
            }
            Step::Remove { pick } => {
                let Some(index) = self.upstream(pick) else { return };
                self.fast.remove_upstream(index as u32, now);
                self.slow.change(index, now, |u| u.removed = true);
            }
            Step::Add { settings } => self.add(settings),
        }
    }

    fn collect(&mut self, member: usize) -> bool {
        let fast = self.fast.collect(member as u32, self.now);
        match (fast, self.slow.collect(member, self.now)) {
            (None, None) => false,
            (Some((place, answer)), Some((slow_place, slow))) => {
                let known = self.places.iter().position(|p| p.0 == member && p.1 == place);
                let (_, _, expected) = self.places.swap_remove(known.expect("a place of ours"));
                assert_eq!(expected, slow_place, "the same place is served");
                match (answer, slow) {
                    (Answer::Lease(fast), Some(slow)) => self.keep(member, fast, slow),
                    (Answer::TimedOut, None) => {}
                    differ => panic!("{differ:?}"),
                }
                true
            }
            differ => panic!("{differ:?}"),
        }
    }

    fn check(&self) {
        let (total, _, waiting) = self.fast.in_use(0);
        assert_eq!(waiting as usize, self.slow.waiting());
        assert!(total <= self.settings.max_in_flight);
        for upstream in self.fast.upstreams() {
            let index = upstream.index as usize;
            assert_eq!(upstream.in_flight, self.slow.in_flight(index), "in flight to {index}");
            assert_eq!(upstream.limit, self.slow.limit(index), "limit of {index}");
            assert_eq!(upstream.state, self.slow.state(index), "state of {index}");
        }
        // Members may call later than things happen; the pool itself is not behind.
        for member in 0..MEMBERS {
            let (_, own, _) = self.fast.in_use(member as u32);
            assert!(own <= total);
        }
    }

    /// Everything is given back, and everybody in line is served or out of time.
    fn wind_down(&mut self) {
        for member in 0..MEMBERS {
            while self.collect(member) {}
        }
        let mut rounds = 0;
        while !self.places.is_empty() || !self.held.is_empty() {
            for (member, fast, slow) in std::mem::take(&mut self.held) {
                let done = self.fast.release(member as u32, fast, Outcome::Ok, 0, self.now).is_ok();
                assert_eq!(done, self.slow.release(member, slow, Outcome::Ok, 0, self.now));
            }
            self.now += 50;
            for member in 0..MEMBERS {
                while self.collect(member) {}
            }
            self.check();
            let usable = self.fast.upstreams().any(|u| !u.draining);
            rounds += 1;
            assert!(rounds < 1000 || !usable, "somebody starves: {:?}", self.places);
            if rounds >= 1000 {
                break;
            }
        }
        if self.places.is_empty() {
            assert_eq!(self.fast.in_use(0), (0, 0, 0), "all leases are back");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(2000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn fast_is_naive_and_everything_comes_back(
        settings in settings(),
        upstreams in prop::collection::vec(upstream(), 1..5),
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut pair = Pair::new(settings, upstreams);
        for step in steps {
            pair.step(step);
            pair.fast.tick(pair.now);
            pair.slow.tick(pair.now);
            pair.check();
        }
        pair.wind_down();
    }
}
