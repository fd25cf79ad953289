//! Calls: who makes them, who makes them again, and whose answers count.

use sluice_limiter::shared::{Chores, Given, Mode, OnOutage, Source, Want};
use sluice_limiter::{Fault, Refusal, UNIT};

use crate::rig::{LEASE, Rig, TIMEOUT, rig};
use crate::support::{MS, SECOND, rate};

const RESERVE: Want = Want::Reserve { ttl_ns: 60 * SECOND };

fn one() -> Rig {
    rig(1, Mode::Exact, OnOutage::Closed, &[rate(0, 10, SECOND, 10)])
}

#[test]
fn one_call_is_under_way_and_takes_all_who_wait() {
    let mut rig = one();
    let first = rig.wait(0, 1, Want::Take, 1);
    let call = rig.send(0, 1).expect("a call");
    assert_eq!(rig.send(0, 2), None, "one is under way");
    let others = [rig.wait(0, 1, Want::Take, 2), rig.wait(0, 9, Want::Take, 2)];
    let reply = rig.serve(&call);
    assert_eq!(rig.receive(0, &reply), Chores { send: true, owners: vec![1] });
    let answers = rig.answers(0, 1);
    assert_eq!((answers[0].ticket, answers[0].given), (first, Given::Taken));
    assert_eq!(answers[0].source, Source::Store);
    let call = rig.send(0, 1).expect("for the others");
    let reply = rig.serve(&call);
    assert_eq!(rig.receive(0, &reply), Chores { send: false, owners: vec![2] });
    let answers = rig.answers(0, 2);
    assert_eq!((answers[0].ticket, answers[0].given), (others[0], Given::Taken));
    assert_eq!(answers[1].ticket, others[1]);
    assert!(matches!(answers[1].given, Given::Refused(denial) if denial.limit == 0));
}

#[test]
fn a_call_whose_owner_is_gone_is_made_by_another_with_the_same_text() {
    let mut rig = one();
    rig.wait(0, 1, Want::Take, 2);
    let call = rig.send(0, 1).expect("a call");
    rig.serve(&call);
    rig.processes[0].abandon(1, rig.now());
    assert_eq!(rig.processes[0].due(9, rig.now()).keys, [rig.key(0)]);
    let again = rig.send(0, 2).expect("at once");
    assert_eq!(again, call);
    let reply = rig.serve(&again);
    rig.receive(0, &reply);
    assert_eq!(rig.answers(0, 2)[0].given, Given::Taken);
    assert_eq!(rig.usage().0, 1, "charged once");

    // Without a word of its end, after twice the timeout.
    rig.wait(0, 1, Want::Take, 2);
    let call = rig.send(0, 1).expect("a call");
    rig.ns += 2 * TIMEOUT - 1;
    assert_eq!(rig.send(0, 2), None);
    rig.ns += 1;
    assert_eq!(rig.send(0, 2), Some(call));
}

#[test]
fn the_answer_to_another_call_than_the_one_under_way_changes_nothing() {
    let mut rig = one();
    rig.wait(0, 1, RESERVE, 1);
    let call = rig.send(0, 1).expect("a call");
    let old = rig.serve(&call);
    rig.receive(0, &old);
    assert!(matches!(rig.answers(0, 1)[0].given, Given::Reserved(_)));
    rig.wait(0, 1, RESERVE, 1);
    let call = rig.send(0, 1).expect("a call");
    assert_eq!(rig.receive(0, &old), Chores::default());
    assert_eq!(rig.answers(0, 1), []);
    let reply = rig.serve(&call);
    rig.receive(0, &reply);
    assert_eq!(rig.receive(0, &reply), Chores::default(), "and not twice");
    assert_eq!(rig.answers(0, 1).len(), 1);
    assert_eq!(rig.usage(), (0, 2));
    // A failure that is noticed late is none.
    rig.fail(0, &call);
    assert_eq!(rig.processes[0].stats(rig.now()).out, 0);
}

#[test]
fn an_answer_that_makes_no_sense_is_a_failure_and_the_next_call_is_a_new_one() {
    for bad in ["nonsense", "", "ok 1", "old 1", "ERR 1 2 3"] {
        let mut rig = one();
        rig.wait(0, 1, Want::Take, 1);
        let call = rig.send(0, 1).expect("a call");
        assert_eq!(call.seq, 1);
        rig.receive(0, bad);
        let answer = rig.answers(0, 1)[0];
        assert_eq!(answer.source, Source::Outage, "{bad}");
        rig.ns += 200 * MS;
        let again = rig.send(0, 1).expect("again");
        assert!(again.seq > 1, "{bad}");
        let reply = rig.serve(&again);
        rig.receive(0, &reply);
        assert_eq!(rig.decide(0, 1, Want::Take), Given::Taken, "{bad}");
    }
}

#[test]
fn who_cancels_or_is_gone_gets_no_answer_and_keeps_nothing() {
    let mut rig = one();
    let cancelled = rig.wait(0, 5, RESERVE, 1);
    rig.wait(0, 5, RESERVE, 2);
    let call = rig.send(0, 3).expect("a call");
    assert!(rig.processes[0].cancel(cancelled, rig.now()));
    rig.processes[0].abandon(2, rig.now());
    let reply = rig.serve(&call);
    assert_eq!(rig.receive(0, &reply).owners, [0; 0]);
    assert_eq!(rig.answers(0, 1), []);
    assert_eq!(rig.take(0, 10), None, "it is free credit of this process");

    // An answer that was not collected.
    let mut rig = one();
    let ticket = rig.wait(0, 10, RESERVE, 1);
    rig.exchange(0);
    assert!(!rig.processes[0].cancel(ticket, rig.now()));
    assert_eq!(rig.answers(0, 1), []);
    assert_eq!(rig.take(0, 10), None);
    let mut rig = one();
    rig.wait(0, 10, RESERVE, 1);
    rig.exchange(0);
    rig.processes[0].abandon(1, rig.now());
    assert_eq!(rig.take(0, 10), None);
}

#[test]
fn a_key_that_is_forgotten_gets_faults_and_no_session() {
    let mut rig = one();
    rig.wait(0, 1, Want::Take, 1);
    let key = rig.key(0);
    let call = rig.processes[0].send(key, 1, rig.now()).expect("a call");
    let reply = rig.serve(&call);
    rig.processes[0].limiter().forget(key);
    rig.processes[0].receive(key, &reply, rig.now());
    assert_eq!(rig.answers(0, 1)[0].given, Given::Failed(Fault::Stale(0)));
    rig.ns += LEASE;
    rig.processes[0].due(9, rig.now());
    assert_eq!(rig.processes[0].stats(rig.now()).sessions, 0);
    assert_eq!(rig.decide(0, 1, Want::Take), Given::Taken, "a new key of that name");
    let costs = [UNIT, UNIT];
    let wrong = rig.processes[0].wait(rig.key(0), b"key", &costs, Want::Take, 1, rig.now());
    assert_eq!(wrong, Err(Fault::WrongCosts));
}

#[test]
fn an_answer_about_the_clock_is_followed_by_the_same_report_with_other_windows() {
    let span = sluice_limiter::Span::Every(10 * SECOND);
    let mut rig = rig(1, Mode::Exact, OnOutage::Closed, &[crate::support::quota(0, span, 100)]);
    // The process takes its time for 1970.
    let off = sluice_limiter::Now { ns: 0, wall_ns: 5 };
    let key = rig.key(0);
    let shared = &rig.processes[0];
    let ticket = shared.wait(key, b"key", &[UNIT], Want::Take, 1, off).expect("no fault");
    let call = shared.send(key, 1, off).expect("a call");
    let reply = rig.serve(&call);
    assert!(reply.starts_with("clock 1 "), "{reply}");
    assert!(rig.receive(0, &reply).send);
    assert_eq!(rig.exchange(0), 1);
    let answer = rig.answers(0, 1)[0];
    assert_eq!((answer.ticket, answer.given), (ticket, Given::Taken));
    assert_eq!(rig.usage().0, 1);
    assert_eq!(rig.take(0, 1), Some(Refusal::Lease));
}

#[test]
fn a_report_that_was_answered_about_the_clock_is_not_lost() {
    let span = sluice_limiter::Span::Every(10 * SECOND);
    let slow = rate(0, 1, 1_000 * SECOND, 100);
    let limits = [slow, crate::support::quota(0, span, 100)];
    let mut rig = rig(1, Mode::Exact, OnOutage::Closed, &limits);
    let Given::Reserved(id) = rig.decide(0, 5, RESERVE) else { panic!("it fits") };
    let actual = sluice_limiter::Actual::Costs(&[9 * UNIT]);
    rig.processes[0].limiter().settle(id, actual, rig.now()).expect("open");
    rig.ns += LEASE / 3 + MS;
    let call = rig.send(0, 1).expect("a report");
    // It arrives two windows later, when the store has charged the lease in full.
    rig.ns += 25 * SECOND;
    let reply = rig.serve(&call);
    assert!(reply.starts_with("clock "), "{reply}");
    assert!(rig.receive(0, &reply).send);
    assert_eq!(rig.exchange(0), 1);
    let (level, held) = rig.usage();
    assert!((8..=9).contains(&level) && held == 0, "{level}: 5 of the lease and 4 above it");
}

#[test]
fn who_waits_for_a_forgotten_key_is_told_so() {
    let rig = one();
    let key = rig.key(0);
    let ticket = rig.wait(0, 1, Want::Take, 1);
    assert!(rig.processes[0].limiter().forget(key));
    assert_eq!(rig.processes[0].send(key, 1, rig.now()), None);
    let answer = rig.answers(0, 1)[0];
    assert_eq!((answer.ticket, answer.given), (ticket, Given::Failed(Fault::Stale(0))));
}
