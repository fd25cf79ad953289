//! Property test: whatever the store answers and whatever changes meanwhile, no call panics, no upstream has more
//! leases than its own limit, and all leases can be given back.
#![allow(clippy::unwrap_used, reason = "a test that meets the unexpected should fail")]

use proptest::prelude::*;
use sluice_pool::{
    LeaseId, Outage, Outcome, Pool, Settings, SharedSettings, UpstreamChange, UpstreamSettings,
};

const IDS: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Debug)]
enum Step {
    Acquire,
    Wait,
    Release(usize, u8, u64),
    Call(u32),
    /// A reply to the newest call, with these numbers in turn.
    Reply(Vec<u64>),
    Fail,
    Leave,
    Pass(u64),
    Add(usize),
    Remove(usize),
    Weight(usize),
    Drain(usize, bool),
    Total(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let number = prop_oneof![0..5_u64, 0..3000_u64, Just(u64::MAX), Just(u64::from(u32::MAX))];
    prop_oneof![
        3 => Just(Step::Acquire),
        3 => Just(Step::Wait),
        3 => (0..8_usize, 0..4_u8, prop_oneof![Just(0), 0..500_u64]).prop_map(|(i, o, r)| Step::Release(i, o, r)),
        5 => (0..3_u32).prop_map(Step::Call),
        5 => prop::collection::vec(number, 1..12).prop_map(Step::Reply),
        1 => Just(Step::Fail),
        1 => Just(Step::Leave),
        4 => prop_oneof![0..40_u64, 0..3000_u64].prop_map(Step::Pass),
        1 => (0..3_usize).prop_map(Step::Add),
        1 => (0..3_usize).prop_map(Step::Remove),
        1 => (0..3_usize).prop_map(Step::Weight),
        1 => (0..3_usize, any::<bool>()).prop_map(|(i, drains)| Step::Drain(i, drains)),
        1 => (1..6_u32).prop_map(Step::Total),
    ]
}

/// The reply to a call, with as many rows.
fn reply(call: &str, numbers: &[u64]) -> String {
    let words: Vec<&str> = call.split(' ').collect();
    let rows: usize = words[7].parse().unwrap();
    let mut text = format!("ok {}", words[1]);
    let mut numbers = numbers.iter().cycle();
    for at in 0..7 + 6 * rows {
        let number = *numbers.next().unwrap();
        // The last number of a row is an answer about the probe.
        let number = if at >= 7 && (at - 7) % 6 == 5 { number % 4 } else { number };
        text.push_str(&format!(" {number}"));
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(4000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_answer_breaks_a_pool(
        steps in prop::collection::vec(step(), 1..120),
        outage in prop_oneof![Just(Outage::Share), Just(Outage::Closed), Just(Outage::Open)],
        spare in any::<bool>(),
    ) {
        let mut pool = Pool::new(Settings { max_in_flight: 5, ..Settings::default() });
        let (lease, timeout, processes, strict) = (2000, 100, 2, false);
        pool.share(SharedSettings { lease, timeout, processes, outage, spare, strict });
        let upstream = || UpstreamSettings { max_in_flight: 3, weight: 1.0, tier: 0 };
        for id in &IDS[..2] {
            pool.add_upstream(id, upstream(), 0).unwrap();
        }
        pool.join(1).unwrap();
        let (mut now, mut leases, mut call) = (1_u64, Vec::<LeaseId>::new(), None::<String>);
        for step in steps {
            match step {
                Step::Acquire => leases.extend(pool.acquire(0, None, now)),
                Step::Wait => {
                    if let Ok(sluice_pool::Acquired::Lease(lease)) = pool.wait(0, None, 0, 500, now) {
                        leases.push(lease);
                    }
                }
                Step::Release(i, outcome, rest) if !leases.is_empty() => {
                    let lease = leases.swap_remove(i % leases.len());
                    let outcomes =
                        [Outcome::Ok, Outcome::Unknown, Outcome::Failed, Outcome::Overloaded];
                    pool.release(0, lease, outcomes[outcome as usize], rest, now).unwrap();
                }
                Step::Release(..) => {}
                Step::Call(asked) => call = pool.call("p", asked, now).or(call),
                Step::Reply(numbers) => {
                    if let Some(call) = &call {
                        pool.receive(&reply(call, &numbers), now);
                    }
                }
                Step::Fail => {
                    if let Some(call) = &call {
                        pool.fail(call.split(' ').nth(1).unwrap().parse().unwrap(), now);
                    }
                }
                Step::Leave => drop(pool.leave_store("p", now)),
                Step::Pass(millis) => now += millis,
                Step::Add(i) => drop(pool.add_upstream(IDS[i], upstream(), now)),
                Step::Remove(i) => {
                    if let Some(index) = pool.find_upstream(IDS[i]) {
                        pool.remove_upstream(index, now);
                    }
                }
                Step::Weight(i) | Step::Drain(i, _) => {
                    if let Some(index) = pool.find_upstream(IDS[i]) {
                        let change = match step {
                            Step::Drain(_, drains) => UpstreamChange::Draining(drains),
                            _ => UpstreamChange::Weight(2.0),
                        };
                        pool.change_upstream(index, change, now);
                    }
                }
                Step::Total(most) => pool.set_max_in_flight(most, now),
            }
            while let Some((_, result)) = pool.collect(0, now) {
                if let sluice_pool::WaitResult::Lease(lease) = result {
                    leases.push(lease);
                }
            }
            for upstream in pool.upstreams() {
                prop_assert!(upstream.in_flight <= 3 && upstream.limit <= 3);
            }
            prop_assert_eq!(pool.in_use(0).0 as usize, leases.len());
        }
        for lease in leases {
            prop_assert_eq!(pool.release(0, lease, Outcome::Ok, 0, now), Ok(()));
        }
    }
}
