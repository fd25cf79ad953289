//! Recorded faults of other pools.

use proptest::prelude::*;
use sluice_pool::{
    Acquired, EventKind, LeaseId, Millis, NEVER, Outcome, Pool, Refusal, Settings, UpstreamChange,
    WaitResult, WaiterId,
};

use crate::{enqueue, in_flight, lease, pool, upstream};

/// bb8#122, corefx#32472: a lease became available between the check and joining the queue, and no
/// waiter was woken.
#[test]
fn no_caller_waits_while_a_lease_is_available() {
    let mut pool = pool(&[1], Settings::default());
    let held = lease(&mut pool, 0);
    let waiter = enqueue(&mut pool, 1, NEVER, 0);
    pool.release(0, held, Outcome::Ok, 0, 0).expect("held");
    assert_eq!(pool.take_ring(), Some(11), "the other is rung");
    let Some((served, WaitResult::Lease(lease))) = pool.collect(1, 0) else { panic!("no answer") };
    assert_eq!(served, waiter);
    assert_eq!(pool.collect(1, 0), None);
    pool.release(1, lease, Outcome::Ok, 0, 0).expect("held by member 1 now");
    // Room in every other way: a raised limit, a new upstream, a removed member, an expired lease.
    let ways: [fn(&mut Pool); 4] = [
        |pool| pool.change_upstream(0, UpstreamChange::MaxInFlight(9), 1),
        |pool| assert!(pool.add_upstream("more", upstream(9), 1).is_ok()),
        |pool| pool.reap(0, 1),
        |pool| pool.tick(600_001),
    ];
    for way in ways {
        let mut pool = self::pool(&[1], Settings::default());
        self::lease(&mut pool, 0);
        enqueue(&mut pool, 1, NEVER, 0);
        way(&mut pool);
        assert!(matches!(pool.collect(1, 600_001), Some((_, WaitResult::Lease(_)))));
    }
}

/// cap-js/cds-dbs#1721: the resource was lost when the head of the queue had timed out.
#[test]
fn a_head_that_timed_out_never_blocks_the_queue() {
    let mut pool = pool(&[1], Settings::default());
    let held = lease(&mut pool, 0);
    let expired = enqueue(&mut pool, 1, 100, 0);
    let aborted = enqueue(&mut pool, 1, NEVER, 0);
    let alive = enqueue(&mut pool, 1, NEVER, 0);
    assert!(pool.cancel(1, aborted, 50));
    pool.release(0, held, Outcome::Ok, 0, 200).expect("held");
    assert_eq!(pool.collect(1, 200), Some((expired, WaitResult::TimedOut)));
    assert!(
        matches!(pool.collect(1, 200), Some((waiter, WaitResult::Lease(_))) if waiter == alive)
    );
    assert_eq!(pool.collect(1, 200), None);
}

/// A wait that is cancelled right after the hand-over: the lease goes to the next waiter.
#[test]
fn an_abort_after_the_hand_over_passes_the_lease_on() {
    let mut pool = pool(&[1], Settings::default());
    let held = lease(&mut pool, 0);
    let (first, second) = (enqueue(&mut pool, 0, NEVER, 0), enqueue(&mut pool, 1, NEVER, 0));
    pool.release(0, held, Outcome::Ok, 0, 0).expect("held");
    assert!(pool.cancel(0, first, 0));
    assert_eq!(pool.collect(0, 0), None);
    assert!(matches!(pool.collect(1, 0), Some((waiter, WaitResult::Lease(_))) if waiter == second));
}

/// A former fault of this pool, found by the model test. Of two leases handed to a member, one was
/// collected; that counted as activity and let the other wait for longer than a lease's time to
/// live. It expired, and was then collected although others had it.
#[test]
fn an_uncollected_lease_does_not_expire() {
    let settings = Settings { lease_ttl: 100, claim: 100, ..Settings::default() };
    let mut pool = pool(&[2], settings);
    let held = [lease(&mut pool, 0), lease(&mut pool, 0)];
    enqueue(&mut pool, 1, NEVER, 0);
    enqueue(&mut pool, 1, NEVER, 0);
    for lease in held {
        pool.release(0, lease, Outcome::Ok, 0, 0).expect("held");
    }
    let Some((_, WaitResult::Lease(first))) = pool.collect(1, 60) else { panic!("no answer") };
    assert_eq!(pool.acquire(0, None, 120), None, "both are taken");
    let Some((_, WaitResult::Lease(second))) = pool.collect(1, 120) else { panic!("no answer") };
    for lease in [first, second] {
        assert_eq!(pool.release(1, lease, Outcome::Ok, 0, 150), Ok(()));
    }
    assert_eq!((in_flight(&pool), pool.counts().expired), (0, 0));
}

/// A former fault of this pool, found by random calls. The id of an uncollected lease could be
/// guessed and released, and its waiter then released it again.
#[test]
fn an_uncollected_lease_cannot_be_released() {
    let mut pool = pool(&[1], Settings::default());
    let held = lease(&mut pool, 0);
    let waiter = enqueue(&mut pool, 1, NEVER, 0);
    pool.release(0, held, Outcome::Ok, 0, 0).expect("held");
    // The same slot with the next generation.
    let guessed = LeaseId(held.0 + (1 << 29));
    assert_eq!(pool.release(1, guessed, Outcome::Ok, 0, 0), Err(Refusal::StaleLease));
    assert_eq!(pool.renew(1, guessed, 0), Err(Refusal::StaleLease));
    assert_eq!(pool.confirm(1, guessed, 0), Err(Refusal::StaleLease));
    let mut other = pool.clone();
    assert!(other.cancel(1, waiter, 0), "the waiter and its lease end once");
    assert_eq!(in_flight(&other), 0);
    assert_eq!(pool.collect(1, 0), Some((waiter, WaitResult::Lease(guessed))));
    assert_eq!(pool.release(1, guessed, Outcome::Ok, 0, 0), Ok(()));
}

/// generic-pool#108: an unbounded queue.
#[test]
fn the_queue_is_bounded_and_ended_waiters_do_not_count() {
    let settings = Settings { queue_max: 2, ..Settings::default() };
    let mut pool = pool(&[1], settings);
    lease(&mut pool, 0);
    enqueue(&mut pool, 1, 10, 0);
    let aborted = enqueue(&mut pool, 1, NEVER, 0);
    assert_eq!(pool.wait(1, None, 5, NEVER, 5), Err(Refusal::QueueFull));
    enqueue(&mut pool, 1, NEVER, 10);
    assert_eq!(pool.wait(1, None, 0, NEVER, 10), Err(Refusal::QueueFull));
    assert!(pool.cancel(1, aborted, 10));
    enqueue(&mut pool, 1, NEVER, 10);
    assert_eq!(pool.counts().refused, 2);
}

/// LiteLLM#20256: a client that disconnected, or a process that died, kept its slot.
#[test]
fn leases_of_a_dead_member_are_handed_over() {
    let mut pool = pool(&[2], Settings::default());
    let held = [lease(&mut pool, 0), lease(&mut pool, 0)];
    enqueue(&mut pool, 0, NEVER, 0);
    let (a, b) = (enqueue(&mut pool, 1, NEVER, 0), enqueue(&mut pool, 1, NEVER, 0));
    pool.reap(0, 0);
    assert!(matches!(pool.collect(1, 0), Some((waiter, WaitResult::Lease(_))) if waiter == a));
    assert!(matches!(pool.collect(1, 0), Some((waiter, WaitResult::Lease(_))) if waiter == b));
    assert_eq!(pool.members(), 1);
    let event = pool.next_event(1, |_| true).expect("an event");
    assert_eq!((event.kind, event.value, event.other), (EventKind::Reaped, 2, 1));
    assert_eq!(pool.join(12), Ok(0), "its number is used again");
    for lease in held {
        assert_eq!(pool.release(0, lease, Outcome::Ok, 0, 0), Err(Refusal::StaleLease));
    }
    pool.reap(1, 0);
    assert_eq!(pool.in_use(0), (0, 0, 0));
}

/// A priority is worth a bounded time: a waiter is overtaken only by waiters that arrive within
/// that time.
#[test]
fn no_waiter_starves_under_a_flood_of_higher_priority() {
    let settings = Settings { aging: 100, queue_max: 100_000, ..Settings::default() };
    let mut pool = pool(&[1], settings);
    let mut held = lease(&mut pool, 0);
    let humble = enqueue(&mut pool, 1, NEVER, 0);
    // Each millisecond, two waiters of five priority steps more arrive, and one is served: the 998
    // of the first 499 ms go first.
    for now in 1..2000 {
        for _ in 0..2 {
            pool.wait(0, None, 5, NEVER, now).expect("room in the queue");
        }
        pool.release(0, held, Outcome::Ok, 0, now).expect("held");
        if let Some((waiter, _)) = pool.collect(1, now) {
            assert_eq!((waiter, now), (humble, 999));
            return;
        }
        let Some((_, WaitResult::Lease(next))) = pool.collect(0, now) else { panic!("no answer") };
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
    let waiters: Vec<WaiterId> = (0..10_000).map(|_| enqueue(&mut pool, 1, NEVER, 0)).collect();
    for lease in held {
        pool.release(0, lease, Outcome::Ok, 0, 1).expect("held");
    }
    let mut served = Vec::new();
    while let Some((waiter, WaitResult::Lease(lease))) = pool.collect(1, 1) {
        served.push(waiter);
        pool.release(1, lease, Outcome::Ok, 0, 1).expect("held");
    }
    assert_eq!(served, waiters, "in order");
    assert_eq!(in_flight(&pool), 0);
}

/// pingora#748, #212: entries were never reused, and memory grew.
#[test]
fn slots_of_waiters_leases_members_and_upstreams_are_reused() {
    let mut pool = pool(&[4], Settings::default());
    let slot = |id: u64| id & ((1 << 17) - 1);
    let mut highest = (0, 0);
    for round in 0..200_000u64 {
        let held: Vec<LeaseId> = std::iter::from_fn(|| pool.acquire(0, None, round)).collect();
        let given_up = enqueue(&mut pool, 0, NEVER, round);
        let served = enqueue(&mut pool, 1, NEVER, round);
        assert!(pool.cancel(0, given_up, round));
        for lease in held {
            highest.0 = highest.0.max(slot(lease.0));
            pool.release(0, lease, Outcome::Ok, 0, round).expect("held");
        }
        let Some((_, WaitResult::Lease(lease))) = pool.collect(1, round) else {
            panic!("no answer")
        };
        pool.release(1, lease, Outcome::Ok, 0, round).expect("held");
        highest.1 = highest.1.max(slot(served.0));
        if round % 16 == 0 {
            let member = pool.join(7).expect("room");
            assert_eq!(member, 2);
            pool.acquire(member, None, round).expect("room");
            enqueue_all(&mut pool, member, round);
            pool.reap(member, round);
            let index = pool.add_upstream("passing", upstream(1), round).expect("room");
            assert_eq!(index, 1);
            pool.remove_upstream(index, round);
        }
        while pool.take_ring().is_some() {}
    }
    assert!(highest.0 < 8 && highest.1 < 8, "slots up to {highest:?}");
    assert_eq!(pool.in_use(0), (0, 0, 0));
}

fn enqueue_all(pool: &mut Pool, member: u32, now: Millis) {
    while let Ok(Acquired::Lease(_)) = pool.wait(member, None, 0, 5, now) {}
}

proptest! {
    /// governor#299 and others: a clock that steps back, jumps or overflows. No limit is exceeded,
    /// and all leases come back.
    #[test]
    fn clocks_that_jump_lose_nothing(
        times in prop::collection::vec(
            prop_oneof![any::<u64>(), 0u64..1000, u64::MAX - 1000..=u64::MAX], 1..200,
        ),
    ) {
        let settings = Settings { lease_ttl: 50, ..Settings::default() };
        let mut pool = pool(&[2, 1], settings);
        let mut held = Vec::new();
        for (i, now) in times.into_iter().enumerate() {
            match i % 4 {
                0 => held.extend(pool.acquire(0, None, now)),
                1 => drop(pool.wait(1, None, i32::MIN, now, now)),
                2 => {
                    if let Some(lease) = held.pop() {
                        let _ = pool.release(0, lease, Outcome::Failed, now, now);
                    }
                }
                _ => while let Some((_, answer)) = pool.collect(1, now) {
                    if let WaitResult::Lease(lease) = answer {
                        // It may have expired already, at the end of the time range.
                        let _ = pool.release(1, lease, Outcome::Overloaded, 1, now);
                    }
                },
            }
            prop_assert!(in_flight(&pool) <= 3);
        }
        pool.reap(0, 0);
        pool.reap(1, 0);
        prop_assert_eq!(pool.in_use(0), (0, 0, 0));
    }
}
