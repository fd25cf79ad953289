//! The faults of the pool that this one descends from (P1 to P11), and the bugs of other pools that
//! are on record: each is a test here, named after what went wrong there.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

use sluice_pool::{
    Acquired, Answer, EventKind, HealthSettings, LeaseId, Millis, NEVER, Outcome, Pool, Refusal,
    Setting, Settings, State, UpstreamSettings, WaiterId,
};

fn upstream(max_in_flight: u32) -> UpstreamSettings {
    UpstreamSettings { max_in_flight, weight: 1.0, tier: 0 }
}

/// A pool of two members with upstreams of these caps.
fn pool(caps: &[u32], settings: Settings) -> Pool {
    let mut pool = Pool::new(settings);
    for (i, &cap) in caps.iter().enumerate() {
        pool.add_upstream(&format!("upstream {i}"), upstream(cap), 0).expect("room");
    }
    assert_eq!((pool.join(10), pool.join(11)), (Ok(0), Ok(1)));
    pool
}

fn lease(pool: &mut Pool, now: Millis) -> LeaseId {
    pool.acquire(0, None, now).expect("a free lease")
}

fn place(pool: &mut Pool, member: u32, timeout: Millis, now: Millis) -> WaiterId {
    match pool.wait(member, None, 0, timeout, now) {
        Ok(Acquired::Place(place)) => place,
        other => panic!("{other:?}"),
    }
}

fn in_flight(pool: &Pool) -> u32 {
    pool.in_use(0).0
}

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
        let lease = pool.acquire(0, Some(index), 0).expect("room");
        assert_eq!(pool.upstream_id(lease.upstream()), Some(id));
        pool.release(0, lease, Outcome::Failed, 0, 0).expect("held");
        assert!(pool.release(0, lease, Outcome::Failed, 0, 0).is_err());
        assert_eq!(in_flight(&pool), 0);
    }
}

#[test]
fn p3_the_cap_of_an_upstream_counted_idle_ones_only() {
    let mut pool = pool(&[3, 5], Settings::default());
    let taken: Vec<LeaseId> = std::iter::from_fn(|| pool.acquire(0, Some(0), 0)).collect();
    assert_eq!(taken.iter().filter(|lease| lease.upstream() == 0).count(), 3);
    assert_eq!(taken.len(), 8);
}

#[test]
fn p4_the_total_was_checked_and_then_acted_on() {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};
    let settings = Settings { max_in_flight: 5, ..Settings::default() };
    let pool = Mutex::new(pool(&[9, 9], settings));
    let (now, highest) = (AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for member in 0..2 {
            let (pool, now, highest) = (&pool, &now, &highest);
            scope.spawn(move || {
                for _ in 0..20_000 {
                    let lease = pool.lock().expect("lock").acquire(member, None, 0);
                    let Some(lease) = lease else { continue };
                    highest.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    now.fetch_sub(1, Ordering::SeqCst);
                    let mut pool = pool.lock().expect("lock");
                    pool.release(member, lease, Outcome::Ok, 0, 0).expect("held");
                }
            });
        }
    });
    assert!(highest.into_inner() <= 5);
    assert_eq!(in_flight(&pool.into_inner().expect("lock")), 0);
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
    assert_eq!(pool.release(1, new, Outcome::Ok, 0, 0), Err(Refusal::StaleLease), "not theirs");
    for bit in 0..64 {
        let forged = LeaseId(new.0 ^ 1 << bit);
        assert_eq!(pool.release(0, forged, Outcome::Ok, 0, 0), Err(Refusal::StaleLease));
    }
    assert_eq!(in_flight(&pool), 1);
    assert_eq!(pool.acquire(1, None, 0), None);
}

// P8, two locks in two orders: there is one lock, outside of the machine; `hand_over.rs` drives it
// from many threads under a scheduler that finds deadlocks.

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

// P11, "lock-free" that was not: `rust/abi/src/pools.rs` says that there is a mutex.

/// bb8#122, corefx#32472: room came between looking and lining up, and nobody was told.
#[test]
fn nobody_waits_while_there_is_room() {
    let mut pool = pool(&[1], Settings::default());
    let held = lease(&mut pool, 0);
    let waiter = place(&mut pool, 1, NEVER, 0);
    pool.release(0, held, Outcome::Ok, 0, 0).expect("held");
    assert_eq!(pool.take_ring(), Some(11), "the other is rung");
    let Some((served, Answer::Lease(lease))) = pool.collect(1, 0) else { panic!("no answer") };
    assert_eq!(served, waiter);
    assert_eq!(pool.collect(1, 0), None);
    pool.release(1, lease, Outcome::Ok, 0, 0).expect("theirs now");
    // Room by every other way: a cap, an upstream, a total, a rest that ends, a drain taken back.
    let ways: [fn(&mut Pool); 4] = [
        |pool| pool.change_upstream(0, Setting::MaxInFlight(9), 1),
        |pool| assert!(pool.add_upstream("more", upstream(9), 1).is_ok()),
        |pool| pool.reap(0, 1),
        |pool| pool.tick(600_001),
    ];
    for way in ways {
        let mut pool = self::pool(&[1], Settings::default());
        self::lease(&mut pool, 0);
        place(&mut pool, 1, NEVER, 0);
        way(&mut pool);
        assert!(matches!(pool.collect(1, 600_001), Some((_, Answer::Lease(_)))));
    }
}

/// cap-js/cds-dbs#1721: the resource was lost when the head of the queue had timed out.
#[test]
fn a_dead_head_never_blocks_the_line() {
    let mut pool = pool(&[1], Settings::default());
    let held = lease(&mut pool, 0);
    let expired = place(&mut pool, 1, 100, 0);
    let aborted = place(&mut pool, 1, NEVER, 0);
    let alive = place(&mut pool, 1, NEVER, 0);
    assert!(pool.cancel(1, aborted, 50));
    pool.release(0, held, Outcome::Ok, 0, 200).expect("held");
    assert_eq!(pool.collect(1, 200), Some((expired, Answer::TimedOut)));
    assert!(matches!(pool.collect(1, 200), Some((place, Answer::Lease(_))) if place == alive));
    assert_eq!(pool.collect(1, 200), None);
}

/// Handed over and given up in the same moment: the lease goes to the next in line.
#[test]
fn an_abort_after_the_hand_over_passes_the_lease_on() {
    let mut pool = pool(&[1], Settings::default());
    let held = lease(&mut pool, 0);
    let (first, second) = (place(&mut pool, 0, NEVER, 0), place(&mut pool, 1, NEVER, 0));
    pool.release(0, held, Outcome::Ok, 0, 0).expect("held");
    assert!(pool.cancel(0, first, 0));
    assert_eq!(pool.collect(0, 0), None);
    assert!(matches!(pool.collect(1, 0), Some((place, Answer::Lease(_))) if place == second));
}

/// generic-pool#108: waiters without bound.
#[test]
fn the_line_is_bounded_and_the_dead_do_not_count() {
    let settings = Settings { queue_max: 2, ..Settings::default() };
    let mut pool = pool(&[1], settings);
    lease(&mut pool, 0);
    place(&mut pool, 1, 10, 0);
    let aborted = place(&mut pool, 1, NEVER, 0);
    assert_eq!(pool.wait(1, None, 5, NEVER, 5), Err(Refusal::QueueFull));
    place(&mut pool, 1, NEVER, 10);
    assert_eq!(pool.wait(1, None, 0, NEVER, 10), Err(Refusal::QueueFull));
    assert!(pool.cancel(1, aborted, 10));
    place(&mut pool, 1, NEVER, 10);
    assert_eq!(pool.counts().refused, 2);
}

/// LiteLLM#20256: a client that went away, or a process that died, kept its slot.
#[test]
fn what_a_dead_member_held_comes_back_and_goes_on() {
    let mut pool = pool(&[2], Settings::default());
    let held = [lease(&mut pool, 0), lease(&mut pool, 0)];
    place(&mut pool, 0, NEVER, 0);
    let (a, b) = (place(&mut pool, 1, NEVER, 0), place(&mut pool, 1, NEVER, 0));
    pool.reap(0, 0);
    assert!(matches!(pool.collect(1, 0), Some((place, Answer::Lease(_))) if place == a));
    assert!(matches!(pool.collect(1, 0), Some((place, Answer::Lease(_))) if place == b));
    assert_eq!(pool.members(), 1);
    let event = pool.next_event(1).expect("an event");
    assert_eq!((event.kind, event.value, event.other), (EventKind::Reaped, 2, 1));
    assert_eq!(pool.join(12), Ok(0), "its number is used again");
    for lease in held {
        assert_eq!(pool.release(0, lease, Outcome::Ok, 0, 0), Err(Refusal::StaleLease));
    }
    pool.reap(1, 0);
    assert_eq!(pool.in_use(0), (0, 0, 0));
}

/// Envoy's feature that everyone forgets.
#[test]
fn failures_never_eject_more_than_the_share() {
    for count in 1..=9u32 {
        for share in [0.0, 0.1, 0.34, 0.5, 1.0] {
            let health = HealthSettings { max_ejected: share, ..HealthSettings::default() };
            let caps = vec![100; count as usize];
            let mut pool = pool(&caps, Settings { health, ..Settings::default() });
            for index in (0..count).cycle().take(200) {
                let Some(lease) = pool.acquire(0, Some(index), 0) else { continue };
                pool.release(0, lease, Outcome::Failed, 0, 0).expect("held");
            }
            let out = pool.upstreams().filter(|u| u.state != State::Healthy).count();
            assert_eq!(out, (share * f64::from(count)).floor() as usize, "{share} of {count}");
        }
    }
}

/// A priority is worth a bounded time: who waits is overtaken by who comes within it, and by no one
/// after.
#[test]
fn nobody_starves_under_a_flood_of_higher_priority() {
    let settings = Settings { aging: 100, queue_max: 100_000, ..Settings::default() };
    let mut pool = pool(&[1], settings);
    let mut held = lease(&mut pool, 0);
    let humble = place(&mut pool, 1, NEVER, 0);
    // Two of five steps more come each millisecond, and one is served: the 998 of the first 499 ms
    // go first.
    for now in 1..2000 {
        for _ in 0..2 {
            pool.wait(0, None, 5, NEVER, now).expect("room in line");
        }
        pool.release(0, held, Outcome::Ok, 0, now).expect("held");
        if let Some((place, _)) = pool.collect(1, now) {
            assert_eq!((place, now), (humble, 999));
            return;
        }
        let Some((_, Answer::Lease(next))) = pool.collect(0, now) else { panic!("no answer") };
        held = next;
    }
    panic!("starved");
}

#[test]
fn ten_thousand_waiters_and_a_thousand_upstreams() {
    let settings = Settings { queue_max: 10_000, ..Settings::default() };
    let mut pool = pool(&[2; 1000], settings);
    let held: Vec<LeaseId> = std::iter::from_fn(|| pool.acquire(0, None, 0)).collect();
    assert_eq!(held.len(), 2000);
    let places: Vec<WaiterId> = (0..10_000).map(|_| place(&mut pool, 1, NEVER, 0)).collect();
    for lease in held {
        pool.release(0, lease, Outcome::Ok, 0, 1).expect("held");
    }
    let mut served = Vec::new();
    while let Some((place, Answer::Lease(lease))) = pool.collect(1, 1) {
        served.push(place);
        pool.release(1, lease, Outcome::Ok, 0, 1).expect("held");
    }
    assert_eq!(served, places, "in order");
    assert_eq!(in_flight(&pool), 0);
}
