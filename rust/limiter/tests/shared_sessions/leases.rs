//! Credit: how long it lasts, when it is renewed, and when it goes back.

use sluice_limiter::shared::{Given, Mode, OnOutage, Want};
use sluice_limiter::{Actual, Limit, Refusal, UNIT};

use crate::rig::{LEASE, Rig, rig};
use crate::support::{MS, SECOND, concurrency, rate};

fn limit() -> Limit {
    rate(0, 1_000, SECOND, 1_000)
}

/// A process that has asked often enough to be lent credit.
fn with_credit(count: usize, limit: Limit) -> Rig {
    let mut rig = rig(count, Mode::Leased, OnOutage::Closed, &[limit]);
    for _ in 0..40 {
        rig.ns += MS;
        assert!(matches!(rig.decide(0, 1, Want::Take), Given::Taken));
    }
    assert!(rig.usage().1 > 10, "{:?}", rig.usage());
    rig
}

fn credit(rig: &Rig) -> u64 {
    let known = rig.processes[0].inspect(rig.key(0), rig.now()).expect("live");
    known.limits[0].credit / UNIT
}

#[test]
fn credit_decides_without_a_call() {
    let mut rig = with_credit(1, limit());
    let calls = rig.processes[0].stats(rig.now()).calls;
    let credit = credit(&rig);
    for _ in 0..credit {
        assert_eq!(rig.take(0, 1), None);
    }
    assert_eq!(rig.take(0, 1), Some(Refusal::Lease));
    assert_eq!(rig.processes[0].stats(rig.now()).calls, calls);
    rig.ns += 10 * MS;
    assert_eq!(rig.exchange(0), 1, "it ran short, so it asks again");
}

#[test]
fn half_of_the_credit_is_a_reserve_and_using_it_asks_for_more() {
    let mut rig = with_credit(1, limit());
    rig.ns += 20 * MS;
    let key = rig.key(0);
    let more_than_half = |rig: &Rig| {
        let half = rig.processes[0].limiter().inspect(key, rig.now()).expect("live")[0].remaining;
        assert!(half / UNIT <= credit(rig) / 2 + 1);
        rig.processes[0].take(key, &[half + UNIT], rig.now()).expect("no fault")
    };
    let decided = more_than_half(&rig);
    assert!(decided.outcome.is_ok() && decided.needs_call);
    assert_eq!(rig.exchange(0), 1);
    let decided = more_than_half(&rig);
    assert!(decided.outcome.is_ok() && !decided.needs_call, "the last call was just now");
    rig.ns += 10 * MS;
    assert_eq!(rig.processes[0].due(9, rig.now()).keys, [key]);
    assert_eq!(rig.exchange(0), 1);
}

#[test]
fn a_lease_is_counted_from_the_first_sending() {
    let mut rig = with_credit(1, limit());
    rig.ns += 10 * MS;
    rig.wait(0, 1, Want::Take, 1);
    let call = rig.send(0, 1).expect("a call");
    let sent = rig.ns;
    // Sent again by another owner, and the answer takes its time.
    rig.ns += 200 * MS;
    let again = rig.send(0, 2).expect("overdue");
    assert_eq!(again, call);
    let reply = rig.serve(&again);
    rig.ns += 300 * MS;
    rig.receive(0, &reply);
    assert!(credit(&rig) > 0);
    rig.ns = sent + LEASE - LEASE / 1000 - MS - 1;
    assert_eq!(rig.take(0, 1), None, "the last moment");
    rig.ns += 1;
    assert_eq!(rig.take(0, 1), Some(Refusal::Lease));
}

#[test]
fn what_is_used_is_renewed_and_what_is_not_goes_back() {
    let mut rig = with_credit(1, limit());
    let key = rig.key(0);
    for _ in 0..6 {
        rig.ns += LEASE / 3 + MS;
        assert_eq!(rig.take(0, 1), None);
        assert_eq!(rig.processes[0].due(9, rig.now()).keys, [key]);
        assert_eq!(rig.exchange(0), 1);
        // Demand has fallen, but what was used since is lent again.
        if credit(&rig) == 0 {
            break;
        }
    }
    let mut rig = with_credit(1, limit());
    rig.ns += LEASE / 3 + MS;
    rig.exchange(0);
    rig.ns += LEASE / 3 + MS;
    rig.processes[0].due(9, rig.now());
    rig.exchange(0);
    assert_eq!(rig.usage().1, 0, "within a lease");
    rig.ns += LEASE;
    assert_eq!(rig.processes[0].due(9, rig.now()).keys, []);
    assert_eq!(rig.processes[0].stats(rig.now()).sessions, 0);
    assert!(rig.processes[0].limiter().wind_down(9, rig.now()), "the key is idle");
}

#[test]
fn an_open_reservation_is_renewed_and_its_rest_is_credit() {
    let mut rig = rig(2, Mode::Exact, OnOutage::Closed, &[rate(0, 1, SECOND, 100)]);
    let Given::Reserved(id) = rig.decide(0, 60, Want::Reserve { ttl_ns: 60 * SECOND }) else {
        panic!("it fits");
    };
    for _ in 0..9 {
        rig.ns += LEASE / 3 + MS;
        assert_eq!(rig.processes[0].due(9, rig.now()).keys.len(), 1);
        assert_eq!(rig.exchange(0), 1);
        assert_eq!(rig.usage(), (0, 60), "held does not decay");
    }
    assert!(matches!(rig.decide(1, 41, Want::Take), Given::Refused(_)));
    rig.processes[0].limiter().settle(id, Actual::Costs(&[20 * UNIT]), rig.now()).expect("open");
    assert_eq!(rig.take(0, 40), None, "the rest");
    assert_eq!(rig.take(0, 1), Some(Refusal::Lease));
    rig.ns += LEASE / 3 + MS;
    rig.exchange(0);
    assert_eq!(rig.usage(), (60, 0));
}

#[test]
fn a_process_that_is_gone_is_charged_when_its_lease_ends() {
    let mut rig = with_credit(2, limit());
    let (level, held) = rig.usage();
    rig.ns += LEASE + 10 * MS;
    assert_eq!(rig.decide(1, 1, Want::Take), Given::Taken);
    // Two seconds of decay, and then the charge.
    assert_eq!(rig.usage(), (held + 1, 0), "was {level}");
}

#[test]
fn places_come_back_when_reservations_end() {
    let mut rig = rig(2, Mode::Exact, OnOutage::Closed, &[concurrency(0, 2)]);
    let reserve = Want::Reserve { ttl_ns: 60 * SECOND };
    let Given::Reserved(first) = rig.decide(0, 1, reserve) else { panic!("a place") };
    let Given::Reserved(_) = rig.decide(1, 1, reserve) else { panic!("another") };
    let Given::Refused(denial) = rig.decide(1, 1, reserve) else { panic!("no third") };
    assert_eq!(denial.refusal, Refusal::Held);
    rig.processes[0].limiter().settle(first, Actual::Nothing, rig.now()).expect("open");
    rig.ns += LEASE / 3 + MS;
    rig.exchange(0);
    assert!(matches!(rig.decide(1, 1, reserve), Given::Reserved(_)));
}

#[test]
fn who_leaves_gives_back_at_once_but_keeps_places_in_use() {
    let mut rig = with_credit(2, limit());
    rig.processes[0].leave(rig.now());
    assert_eq!(rig.processes[0].due(9, rig.now()).keys.len(), 1);
    assert_eq!(rig.exchange(0), 1);
    assert_eq!(rig.usage().1, 0);
    assert!(!rig.store.fields("key").contains_key("p.p0"));

    let mut rig = rig_of_places();
    let Given::Reserved(_) = rig.decide(0, 1, Want::Reserve { ttl_ns: 60 * SECOND }) else {
        panic!("a place");
    };
    rig.processes[0].leave(rig.now());
    assert_eq!(rig.exchange(0), 1);
    assert_eq!(rig.usage(), (0, 1), "its stream goes on");
}

#[test]
fn who_waited_for_a_goodbye_holds_and_reports_again() {
    let mut rig = rig(1, Mode::Exact, OnOutage::Closed, &[rate(0, 1, 1_000 * SECOND, 100)]);
    assert_eq!(rig.decide(0, 1, Want::Take), Given::Taken);
    rig.processes[0].leave(rig.now());
    let goodbye = rig.send(0, 1).expect("a goodbye");
    rig.wait(0, 5, Want::Reserve { ttl_ns: 60 * SECOND }, 1);
    let reply = rig.serve(&goodbye);
    assert!(rig.receive(0, &reply).send);
    assert_eq!(rig.exchange(0), 1);
    let Given::Reserved(id) = rig.answers(0, 1)[0].given else { panic!("it fits") };
    let actual = Actual::Costs(&[9 * UNIT]);
    rig.processes[0].limiter().settle(id, actual, rig.now()).expect("open");
    rig.ns += LEASE / 3 + MS;
    assert_eq!(rig.exchange(0), 1, "what was spent is reported");
    let (level, held) = rig.usage();
    assert!((9..=10).contains(&level) && held == 0, "{level}: 1 and 9");
}

#[test]
fn what_is_reserved_at_a_goodbye_is_charged_once_and_the_excess_when_it_is_known() {
    let mut rig = rig(1, Mode::Exact, OnOutage::Closed, &[rate(0, 1, 1_000 * SECOND, 100)]);
    let Given::Reserved(id) = rig.decide(0, 5, Want::Reserve { ttl_ns: 60 * SECOND }) else {
        panic!("it fits")
    };
    rig.processes[0].leave(rig.now());
    assert_eq!(rig.exchange(0), 1);
    rig.ns += LEASE / 3 + MS;
    assert_eq!(rig.exchange(0), 0, "it is charged already");
    let actual = Actual::Costs(&[9 * UNIT]);
    rig.processes[0].limiter().settle(id, actual, rig.now()).expect("open");
    rig.ns += 2 * LEASE;
    assert_eq!(rig.processes[0].due(9, rig.now()).keys.len(), 1);
    assert_eq!(rig.exchange(0), 1);
    let (level, held) = rig.usage();
    assert!((8..=9).contains(&level) && held == 0, "{level}: 9 in all");
}

fn rig_of_places() -> Rig {
    rig(2, Mode::Exact, OnOutage::Closed, &[concurrency(0, 2)])
}

#[test]
fn places_in_use_are_the_truth_even_if_their_lease_has_ended() {
    let mut rig = rig_of_places();
    let reserve = Want::Reserve { ttl_ns: 60 * SECOND };
    assert!(matches!(rig.decide(0, 1, reserve), Given::Reserved(_)));
    rig.ns += 2 * LEASE;
    assert!(matches!(rig.decide(1, 2, reserve), Given::Reserved(_)), "process 0 seems to be gone");
    rig.exchange(0);
    assert_eq!(rig.usage(), (0, 3));
}
