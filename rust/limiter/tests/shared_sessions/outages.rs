//! Outages: what is decided while the store is out of reach, and what is reported at its return.

use sluice_limiter::shared::{Given, Mode, OnOutage, Source, Want};
use sluice_limiter::{Actual, Refusal, UNIT};

use crate::rig::{LEASE, Rig, TIMEOUT, rig};
use crate::support::{MS, SECOND, concurrency, rate};

/// A process whose store has just stopped to answer. 10 a second, burst 10, two processes.
fn cut_off(on_outage: OnOutage) -> Rig {
    let mut rig = rig(1, Mode::Exact, on_outage, &[rate(0, 10, SECOND, 10)]);
    assert_eq!(rig.decide(0, 1, Want::Take), Given::Taken);
    rig.ns += SECOND;
    rig.wait(0, 1, Want::Take, 1);
    let call = rig.send(0, 1).expect("a call");
    rig.ns += TIMEOUT;
    assert_eq!(rig.fail(0, &call).owners, [1]);
    rig
}

#[test]
fn closed_refuses_and_asks_again_every_200_ms() {
    let mut rig = cut_off(OnOutage::Closed);
    let answer = rig.answers(0, 1)[0];
    assert_eq!(answer.source, Source::Outage);
    assert!(matches!(answer.given, Given::Refused(_)));
    assert_eq!(rig.take(0, 1), Some(Refusal::Until(200 * MS)));
    assert_eq!(rig.send(0, 1), None);
    rig.ns += 200 * MS;
    assert_eq!(rig.processes[0].due(9, rig.now()).keys.len(), 1);
    let call = rig.send(0, 1).expect("again");
    assert_eq!(call.seq, 2, "the same call");
    let reply = rig.serve(&call);
    rig.receive(0, &reply);
    assert_eq!(rig.processes[0].stats(rig.now()).out, 0);
    assert_eq!(rig.decide(0, 1, Want::Take), Given::Taken);
}

#[test]
fn share_admits_its_part_and_reports_what_has_not_decayed() {
    let mut rig = cut_off(OnOutage::Share);
    assert!(matches!(rig.answers(0, 1)[0].given, Given::Refused(_)), "it begins full");
    let mut taken = 0;
    for _ in 0..1_000 {
        rig.ns += 10 * MS;
        taken += u64::from(rig.take(0, 1).is_none());
    }
    assert_eq!(taken, 50, "5 a second");
    let call = rig.send(0, 1).expect("again");
    let reply = rig.serve(&call);
    rig.receive(0, &reply);
    assert_eq!(rig.exchange(0), 1, "the debt is reported at once");
    let (level, held) = rig.usage();
    assert!((4..=6).contains(&level) && held == 0, "{level}: a share of the burst");
}

#[test]
fn open_admits_all() {
    let rig = cut_off(OnOutage::Open);
    assert!(matches!(rig.answers(0, 1)[0].given, Given::Taken));
    assert!((0..100).all(|_| rig.take(0, 10).is_none()));
    assert_eq!(rig.processes[0].stats(rig.now()).over_bound[0], 1_001 * UNIT);
}

#[test]
fn credit_is_spent_to_the_end_of_its_lease() {
    let mut rig = rig(1, Mode::Leased, OnOutage::Closed, &[rate(0, 1_000, SECOND, 1_000)]);
    for _ in 0..40 {
        rig.ns += MS;
        rig.decide(0, 1, Want::Take);
    }
    rig.ns += LEASE / 3;
    assert_eq!(rig.take(0, 1), None);
    let call = rig.send(0, 1).expect("a renewal");
    rig.ns += TIMEOUT;
    rig.fail(0, &call);
    assert_eq!(rig.take(0, 1), None, "from credit");
    rig.ns += LEASE;
    assert!(matches!(rig.take(0, 1), Some(Refusal::Until(_))), "by the rule for outages");
}

#[test]
fn a_reservation_of_an_outage_is_reported_when_it_has_ended() {
    let mut rig = rig(1, Mode::Exact, OnOutage::Share, &[rate(0, 10, SECOND, 100)]);
    rig.wait(0, 1, Want::Take, 1);
    let call = rig.send(0, 1).expect("a call");
    rig.fail(0, &call);
    rig.ns += 8 * SECOND;
    // 40 of 50 have come back.
    let Given::Reserved(id) = rig.decide(0, 30, Want::Reserve { ttl_ns: 60 * SECOND }) else {
        panic!("it fits");
    };
    assert!(rig.take(0, 20).is_some(), "10 are left");
    rig.processes[0].limiter().settle(id, Actual::Costs(&[5 * UNIT]), rig.now()).expect("open");
    assert_eq!(rig.take(0, 20), None, "25 are back");
    let call = rig.send(0, 1).expect("again");
    let reply = rig.serve(&call);
    rig.receive(0, &reply);
    rig.exchange(0);
    // The call that failed was served now. Of the outage, 5 and 20, and the 10 of a full share that
    // have not come back: another process may have admitted them before.
    assert_eq!(rig.usage(), (36, 0));
}

#[test]
fn a_share_of_places_counts_those_in_use() {
    let mut rig = rig(1, Mode::Exact, OnOutage::Share, &[concurrency(0, 4)]);
    let reserve = Want::Reserve { ttl_ns: 60 * SECOND };
    let Given::Reserved(_) = rig.decide(0, 1, reserve) else { panic!("a place") };
    rig.ns += LEASE / 3 + MS;
    let call = rig.send(0, 1).expect("a renewal");
    rig.fail(0, &call);
    let Given::Reserved(second) = rig.decide(0, 1, reserve) else { panic!("two of four") };
    assert!(matches!(rig.decide(0, 1, reserve), Given::Refused(_)));
    rig.processes[0].limiter().settle(second, Actual::Nothing, rig.now()).expect("open");
    assert!(matches!(rig.decide(0, 1, reserve), Given::Reserved(_)));
    rig.ns += SECOND;
    let call = rig.send(0, 1).expect("again");
    let reply = rig.serve(&call);
    rig.receive(0, &reply);
    rig.ns += LEASE;
    rig.exchange(0);
    assert_eq!(rig.usage(), (0, 2), "the truth");
}

#[test]
fn one_whose_own_time_is_over_is_decided_by_the_rule_for_outages() {
    for (on_outage, admits) in [(OnOutage::Share, false), (OnOutage::Open, true)] {
        let rig = rig(1, Mode::Exact, on_outage, &[rate(0, 10, SECOND, 10)]);
        let ticket = rig.wait(0, 3, Want::Take, 1);
        rig.send(0, 1).expect("a call");
        assert!(rig.processes[0].expire(ticket, rig.now()));
        assert!(!rig.processes[0].expire(ticket, rig.now()));
        let answer = rig.answers(0, 1)[0];
        assert_eq!((answer.given == Given::Taken, answer.source), (admits, Source::Outage));
    }
}
