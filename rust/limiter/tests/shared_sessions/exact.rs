//! Without prefetch, many processes decide as one central bucket does.

use std::sync::Arc;

use proptest::prelude::*;
use sluice_limiter::shared::{Given, Mode, OnOutage, Want};
use sluice_limiter::{Book, Config, Limit, Limiter, Refusal, UNIT};

use crate::rig::rig;
use crate::support::{SECOND, quota, rate};

/// One limiter with the same limits.
fn central(limits: &[Limit]) -> Arc<Limiter> {
    let config = Config { limits: limits.into(), units: 1, max_keys: 10 };
    Arc::new(Limiter::new(config, [1; 16], Arc::new(Book::new())))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn exact_mode_decides_as_one_central_bucket(
        count in 1usize..=3,
        per_second in 1u64..50,
        burst in 1u64..40,
        most in 20u64..200,
        calls in prop::collection::vec((0usize..3, 1u64..20, 0u64..300_000), 1..120),
    ) {
        let span = sluice_limiter::Span::Every(4 * SECOND);
        let limits = [rate(0, per_second, SECOND, burst), quota(0, span, most)];
        let mut shared = rig(count, Mode::Exact, OnOutage::Closed, &limits);
        let central = central(&limits);
        let key = central.key(b"key", shared.now()).expect("room");
        for (process, cost, pause_us) in calls {
            shared.ns += pause_us * 1_000;
            let expected = central.take(key, &[cost * UNIT], shared.now()).expect("no fault");
            let given = shared.decide(process % count, cost, Want::Take);
            match (expected, given) {
                (None, given) => prop_assert_eq!(given, Given::Taken),
                (Some(denial), Given::Refused(refused)) => {
                    prop_assert_eq!(denial.refusal == Refusal::Never, refused.refusal == Refusal::Never);
                    if let (Refusal::Until(ns), Refusal::Until(shared)) = (denial.refusal, refused.refusal)
                        && denial.limit == refused.limit
                    {
                        // A cached refusal may be of a smaller cost. It is never too late.
                        prop_assert!(shared <= ns.div_ceil(1_000) * 1_000, "{shared} after {ns}");
                    }
                }
                (Some(denial), given) => prop_assert!(false, "{denial:?} and {given:?}"),
            }
        }
    }
}

#[test]
fn each_decision_is_one_call_and_a_refusal_holds_until_it_ends() {
    let mut rig = rig(2, Mode::Exact, OnOutage::Closed, &[rate(0, 10, SECOND, 3)]);
    for process in [0, 1, 0] {
        assert_eq!(rig.take(process, 1), Some(Refusal::Lease), "no credit");
        assert_eq!(rig.decide(process, 1, Want::Take), Given::Taken);
    }
    assert_eq!(rig.processes[0].stats(rig.now()).calls, 2);
    let Given::Refused(denial) = rig.decide(0, 1, Want::Take) else { panic!("a fourth of three") };
    assert_eq!(denial.refusal, Refusal::Until(SECOND / 10));
    // No more calls until then.
    rig.ns += SECOND / 20;
    assert_eq!(rig.take(0, 2), Some(Refusal::Until(SECOND / 20)));
    assert_eq!(rig.processes[0].stats(rig.now()).calls, 3);
    rig.ns += SECOND / 20;
    assert_eq!(rig.decide(0, 1, Want::Take), Given::Taken);
    // The other process has not heard of it, and asks.
    assert!(matches!(rig.decide(1, 1, Want::Take), Given::Refused(_)));
}

#[test]
fn what_a_reservation_gives_back_is_not_hidden_by_a_refusal() {
    let mut rig = rig(1, Mode::Exact, OnOutage::Closed, &[rate(0, 1, SECOND, 10)]);
    let reserve = Want::Reserve { ttl_ns: 60 * SECOND };
    let Given::Reserved(id) = rig.decide(0, 10, reserve) else { panic!("all of it") };
    assert!(matches!(rig.decide(0, 6, Want::Take), Given::Refused(_)));
    let actual = sluice_limiter::Actual::Costs(&[4 * UNIT]);
    rig.processes[0].limiter().settle(id, actual, rig.now()).expect("open");
    assert_eq!(rig.decide(0, 6, Want::Take), Given::Taken);
    assert_eq!(rig.decide(0, 1, Want::Take).clone(), rig.decide(0, 1, Want::Take));
}

#[test]
fn a_cost_that_never_fits_is_said_to() {
    let mut rig = rig(1, Mode::Exact, OnOutage::Closed, &[rate(0, 1, SECOND, 10)]);
    let Given::Refused(denial) = rig.decide(0, 11, Want::Take) else {
        panic!("more than the burst")
    };
    assert_eq!(denial.refusal, Refusal::Never);
    assert_eq!(rig.take(0, 11), Some(Refusal::Never), "without a call");
}
