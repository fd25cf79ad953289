//! Random steps of both pools, and random settings.

use proptest::prelude::*;
use sluice_pool::{Adaptive, HealthSettings, Millis, NEVER, Outcome, Settings, UpstreamSettings};

use crate::MEMBERS;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Try { member: usize, prefer: Option<usize> },
    Wait { member: usize, prefer: Option<usize>, priority: i32, timeout: Millis },
    Cancel { pick: usize },
    Release { pick: usize, outcome: Outcome, rest: Millis },
    Renew { pick: usize },
    Confirm { pick: usize },
    Late { pick: usize },
    Collect { member: usize, most: usize },
    Leave { member: usize },
    Retire { member: usize },
    Kill { member: usize },
    Resize { max: u32 },
    Pass { time: Millis },
    Cap { pick: usize, max: u32 },
    Weigh { pick: usize, weight: u32, tier: u32 },
    Drain { pick: usize, on: bool },
    Remove { pick: usize },
    Add { settings: UpstreamSettings },
}

pub(crate) fn upstream() -> impl Strategy<Value = UpstreamSettings> {
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

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let member = || 0..MEMBERS;
    let prefer = || prop::option::weighted(0.3, 0usize..9);
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
        3 => any::<usize>().prop_map(|pick| Step::Confirm { pick }),
        2 => any::<usize>().prop_map(|pick| Step::Late { pick }),
        8 => (member(), 1usize..4).prop_map(|(member, most)| Step::Collect { member, most }),
        1 => member().prop_map(|member| Step::Leave { member }),
        1 => member().prop_map(|member| Step::Retire { member }),
        2 => member().prop_map(|member| Step::Kill { member }),
        1 => (1u32..10).prop_map(|max| Step::Resize { max }),
        6 => time.prop_map(|time| Step::Pass { time }),
        1 => (any::<usize>(), 1u32..6).prop_map(|(pick, max)| Step::Cap { pick, max }),
        1 => (any::<usize>(), 1u32..4, 0u32..3)
            .prop_map(|(pick, weight, tier)| Step::Weigh { pick, weight, tier }),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(pick, on)| Step::Drain { pick, on }),
        2 => any::<usize>().prop_map(|pick| Step::Remove { pick }),
        2 => upstream().prop_map(|settings| Step::Add { settings }),
    ]
}

pub(crate) fn settings() -> impl Strategy<Value = Settings> {
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
