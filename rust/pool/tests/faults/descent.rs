//! P1 to P11: recorded faults of the pool that sluice replaces. P4, P8 and P11 concern threads and
//! locks, which the state machine does not have: they are tested in `rust/abi`, `pool_locks.rs` and
//! `pools.rs`.

use sluice_pool::{LeaseId, Outcome, Refusal, Settings};

use crate::{in_flight, lease, pool, upstream};

#[test]
fn p1_ids_made_from_a_total_collide() {
    let mut pool = pool(&[9], Settings::default());
    let (a, b) = (lease(&mut pool, 0), lease(&mut pool, 0));
    pool.release(0, a, Outcome::Ok, 0, 0).expect("held");
    let c = lease(&mut pool, 0);
    assert!(c != b && c != a);
    let mut seen = std::collections::HashSet::new();
    for _ in 0..100_000 {
        let id = lease(&mut pool, 0);
        assert!(seen.insert(id), "an id came twice");
        pool.release(0, id, Outcome::Ok, 0, 0).expect("held");
    }
}

#[test]
fn p2_an_id_that_is_no_url_wraps_the_total() {
    let mut pool = pool(&[], Settings::default());
    for id in ["", "no scheme", "://", "\u{0}"] {
        let index = pool.add_upstream(id, upstream(1), 0).expect("any id will do");
        let lease = pool.acquire(0, Some(pool.token(index)), 0).expect("room");
        assert_eq!(pool.upstream_id(lease.upstream()), Some(id));
        pool.release(0, lease, Outcome::Failed, 0, 0).expect("held");
        assert!(pool.release(0, lease, Outcome::Failed, 0, 0).is_err());
        assert_eq!(in_flight(&pool), 0);
    }
}

#[test]
fn p3_the_cap_of_an_upstream_counted_idle_ones_only() {
    let mut pool = pool(&[3, 5], Settings::default());
    let taken: Vec<LeaseId> =
        std::iter::from_fn(|| pool.acquire(0, Some(pool.token(0)), 0)).collect();
    assert_eq!(taken.iter().filter(|lease| lease.upstream() == 0).count(), 3);
    assert_eq!(taken.len(), 8);
}

#[test]
fn p5_a_failed_lease_never_came_back() {
    let mut pool = pool(&[2, 2], Settings::default());
    for round in 0..1000 {
        let lease = lease(&mut pool, round);
        let outcome = [Outcome::Failed, Outcome::Overloaded][(round % 2) as usize];
        pool.release(0, lease, outcome, 0, round).expect("held");
        assert_eq!(in_flight(&pool), 0);
        let index = lease.upstream();
        pool.remove_upstream(index, round);
        pool.add_upstream(&format!("fresh {round}"), upstream(2), round).expect("room");
    }
}

#[test]
fn p5_a_lease_of_an_upstream_that_was_removed_never_came_back() {
    let mut pool = pool(&[2], Settings { max_in_flight: 3, ..Settings::default() });
    for round in 0..1000 {
        let held = [lease(&mut pool, round), lease(&mut pool, round)];
        let index = held[0].upstream();
        let name = pool.upstream_id(index).map(str::to_owned);
        pool.remove_upstream(index, round);
        let fresh = format!("fresh {round}");
        let other = pool.add_upstream(&fresh, upstream(2), round).expect("room");
        assert_ne!(other, index, "it is in use still");
        let third = lease(&mut pool, round);
        assert_eq!((third.upstream(), pool.acquire(0, None, round)), (other, None));
        assert_eq!(pool.upstream_id(index), name.as_deref(), "and keeps its name");
        for (lease, outcome) in held.into_iter().zip([Outcome::Failed, Outcome::Ok]) {
            pool.release(0, lease, outcome, 0, round).expect("held");
            assert_eq!(pool.release(0, lease, outcome, 0, round), Err(Refusal::StaleLease));
        }
        assert_eq!((pool.upstream_id(index), in_flight(&pool)), (None, 1));
        pool.release(0, third, Outcome::Ok, 0, round).expect("held");
        assert_eq!(in_flight(&pool), 0);
    }
}

#[test]
fn p6_a_long_stream_lost_its_lease_because_it_was_old() {
    let settings = Settings { lease_ttl: 1000, ..Settings::default() };
    let mut pool = pool(&[1], settings);
    let stream = lease(&mut pool, 0);
    for now in (0..3_600_000).step_by(900) {
        pool.renew(0, stream, now).expect("a stream that goes on keeps its lease");
        assert_eq!(pool.acquire(1, None, now), None, "and the cap holds");
    }
    assert_eq!(pool.release(0, stream, Outcome::Ok, 0, 3_600_000), Ok(()));
}

#[test]
fn p7_a_late_second_return_made_two_owners() {
    let mut pool = pool(&[1], Settings::default());
    let old = lease(&mut pool, 0);
    pool.release(0, old, Outcome::Ok, 0, 0).expect("held");
    let new = lease(&mut pool, 0);
    assert_eq!(pool.release(0, old, Outcome::Failed, 500, 0), Err(Refusal::StaleLease));
    assert_eq!(
        pool.release(1, new, Outcome::Ok, 0, 0),
        Err(Refusal::StaleLease),
        "another member's"
    );
    for bit in 0..64 {
        let forged = LeaseId(new.0 ^ 1 << bit);
        assert_eq!(pool.release(0, forged, Outcome::Ok, 0, 0), Err(Refusal::StaleLease));
    }
    assert_eq!(in_flight(&pool), 1);
    assert_eq!(pool.acquire(1, None, 0), None);
}

#[test]
fn p9_expired_and_unhealthy_ones_were_handed_out() {
    let settings = Settings { lease_ttl: 100, ..Settings::default() };
    let mut pool = pool(&[1, 1], settings);
    let sick = lease(&mut pool, 0);
    pool.release(0, sick, Outcome::Failed, 1000, 0).expect("held");
    for now in [0, 500, 999] {
        let well = lease(&mut pool, now);
        assert_ne!(well.upstream(), sick.upstream());
        pool.release(0, well, Outcome::Ok, 0, now).expect("held");
    }
    let forgotten = lease(&mut pool, 1000);
    assert_eq!(pool.release(0, forgotten, Outcome::Ok, 0, 1100), Err(Refusal::StaleLease));
}

#[test]
fn p10_a_clock_that_steps_back_expired_everything() {
    let mut pool = pool(&[2], Settings { lease_ttl: 100, ..Settings::default() });
    let held = lease(&mut pool, 1_000_000);
    for now in [0, 1, 999_999, 1_000_000] {
        pool.tick(now);
        assert_eq!(pool.renew(0, held, now), Ok(()));
    }
    pool.tick(u64::MAX);
    assert_eq!(in_flight(&pool), 0, "the end of time is late enough");
    pool.tick(0);
    assert!(pool.acquire(0, None, 0).is_some());
}
