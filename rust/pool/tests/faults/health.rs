//! Ejection, rest and probes: which upstreams may be out of use, and for how long.

use sluice_pool::{
    HealthSettings, LeaseId, Millis, NEVER, Outcome, Pool, Settings, State, UpstreamChange,
};

use crate::{lease, pool};

/// Envoy's feature that everyone forgets.
#[test]
fn failures_never_eject_more_than_the_share() {
    for count in 1..=9u32 {
        for share in [0.0, 0.1, 0.34, 0.5, 1.0] {
            let health = HealthSettings { max_ejected: share, ..HealthSettings::default() };
            let caps = vec![100; count as usize];
            let mut pool = pool(&caps, Settings { health, ..Settings::default() });
            for index in (0..count).cycle().take(200) {
                let Some(lease) = pool.acquire(0, Some(pool.token(index)), 0) else { continue };
                pool.release(0, lease, Outcome::Failed, 0, 0).expect("held");
            }
            let out = pool.upstreams().filter(|u| u.state != State::Healthy).count();
            assert_eq!(out, (share * f64::from(count)).floor() as usize, "{share} of {count}");
        }
    }
}

/// Fails leases of one upstream until it is not available.
fn fail(pool: &mut Pool, index: u32, rest: Millis, now: Millis) {
    for _ in 0..20 {
        let Some(lease) = pool.acquire(0, Some(pool.token(index)), now) else { return };
        let outcome = if lease.upstream() == index { Outcome::Failed } else { Outcome::Unknown };
        pool.release(0, lease, outcome, rest, now).expect("held");
    }
}

fn states(pool: &Pool) -> Vec<(State, bool)> {
    pool.upstreams().map(|upstream| (upstream.state, upstream.ejected)).collect()
}

const HALF: HealthSettings = HealthSettings {
    failures: 3,
    failure_rate: 2.0,
    min_results: 1,
    window: 1000,
    cooldown: 100,
    max_ejected: 0.5,
};

fn half(caps: &[u32]) -> Pool {
    pool(caps, Settings { health: HALF, ..Settings::default() })
}

/// A former fault of this pool: two upstreams that rested at their own request used up the share,
/// so a third that was dead stayed in use; and a fast failure always has the least load.
#[test]
fn a_requested_rest_does_not_count_towards_the_share() {
    let mut pool = half(&[9, 9, 9]);
    fail(&mut pool, 0, 5000, 0);
    fail(&mut pool, 1, 5000, 0);
    fail(&mut pool, 2, 0, 0);
    let rests = (State::Resting(5000), false);
    assert_eq!(states(&pool), [rests, rests, (State::Resting(100), true)]);
    assert_eq!(pool.acquire(0, None, 0), None, "each has its own reason");
}

/// Nor is a requested rest bounded by the share: it is the upstream's own word.
#[test]
fn a_requested_rest_is_granted_whatever_is_ejected() {
    for max_ejected in [0.0, 0.5] {
        let health = HealthSettings { max_ejected, ..HALF };
        let mut pool = pool(&[9, 9], Settings { health, ..Settings::default() });
        fail(&mut pool, 0, 0, 0);
        assert_eq!(states(&pool)[0].1, max_ejected > 0.0);
        fail(&mut pool, 1, 700, 0);
        assert_eq!(states(&pool)[1], (State::Resting(700), false));
    }
}

/// After a rest, a probe that fails counts as any other failure: otherwise even a share of 0 could
/// be exceeded.
#[test]
fn a_probe_after_a_rest_ejects_no_more_than_the_share() {
    let mut pool = half(&[9, 9, 9]);
    for index in 0..3 {
        fail(&mut pool, index, 50, 0);
    }
    for index in 0..3 {
        fail(&mut pool, index, 0, 60);
    }
    let ejected = pool.upstreams().filter(|upstream| upstream.ejected).count();
    assert_eq!(ejected, 1, "of three, by a half: {:?}", states(&pool));
    assert_eq!(pool.upstreams().filter(|upstream| upstream.state == State::Healthy).count(), 2);
}

/// A draining upstream does not serve: of two upstreams the other is the only one, and stays in
/// use.
#[test]
fn a_draining_upstream_does_not_count_towards_the_share() {
    let mut pool = half(&[9, 9]);
    pool.change_upstream(0, UpstreamChange::Draining(true), 0);
    fail(&mut pool, 1, 0, 0);
    assert_eq!(states(&pool)[1], (State::Healthy, false));
    // Nor does it prevent an ejection: of three that serve, one may be ejected while another
    // drains.
    let mut pool = half(&[9, 9, 9]);
    pool.add_upstream("drains", crate::upstream(9), 0).expect("room");
    pool.change_upstream(3, UpstreamChange::Draining(true), 0);
    fail(&mut pool, 1, 0, 0);
    assert!(states(&pool)[1].1);
    // The share counts those that serve, whatever became of upstreams that were ejected before.
    fail(&mut pool, 2, 0, 0);
    assert_eq!(states(&pool)[2], (State::Healthy, false));
    pool.remove_upstream(1, 0);
    pool.change_upstream(3, UpstreamChange::Draining(false), 0);
    fail(&mut pool, 2, 0, 0);
    assert!(states(&pool)[1].1, "the waiter of one that was removed: {:?}", states(&pool));
}

/// A former fault: a probe that streamed for minutes kept other callers waiting until it ended.
#[test]
fn a_probe_that_is_answered_well_ends_the_ejection_before_it_ends() {
    let mut pool = half(&[9, 9]);
    fail(&mut pool, 0, 0, 0);
    pool.change_upstream(1, UpstreamChange::Draining(true), 0);
    let probe = lease(&mut pool, 100);
    assert_eq!(pool.acquire(0, None, 100), None, "one probe at a time");
    let waiting = pool.wait(1, None, 0, NEVER, 100);
    assert!(matches!(waiting, Ok(sluice_pool::Acquired::Queued(_))));
    assert!(pool.confirm(1, probe, 101).is_err(), "another member's");
    assert_eq!(pool.confirm(0, probe, 101), Ok(()));
    assert_eq!(states(&pool)[0], (State::Healthy, false));
    assert!(pool.collect(1, 101).is_some(), "the waiter is served");
    // It was the probe; now it is an ordinary lease, and its end counts as such.
    assert_eq!(pool.confirm(0, probe, 102), Ok(()));
    assert_eq!(pool.release(0, probe, Outcome::Failed, 0, 102), Ok(()));
    assert_eq!(states(&pool)[0], (State::Healthy, false));
    assert!(pool.confirm(0, probe, 103).is_err(), "it is back");
}

/// An answer to a lease that is no probe decides nothing yet; its end will.
#[test]
fn answers_to_leases_that_are_no_probe_decide_nothing() {
    let mut pool = half(&[9, 9]);
    let early: Vec<LeaseId> =
        (0..2).map(|_| pool.acquire(0, Some(pool.token(0)), 0).expect("room")).collect();
    fail(&mut pool, 0, 0, 0);
    assert_eq!(pool.confirm(0, early[0], 50), Ok(()));
    assert_eq!(states(&pool)[0], (State::Resting(100), true));
    let probe = pool.acquire(0, Some(pool.token(0)), 100).expect("a probe");
    assert_eq!(pool.confirm(0, early[1], 100), Ok(()));
    assert_eq!(states(&pool)[0], (State::Probation(true), true));
    // A removed upstream is not brought back by an answer.
    pool.remove_upstream(0, 100);
    assert_eq!(pool.confirm(0, probe, 100), Ok(()));
    assert_eq!(pool.upstreams().count(), 1);
    assert_eq!(pool.release(0, probe, Outcome::Ok, 0, 100), Ok(()));
}
