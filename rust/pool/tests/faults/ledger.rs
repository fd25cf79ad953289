//! The bugs of other pools that are on record.

use proptest::prelude::*;
use sluice_pool::{
    Acquired, Answer, EventKind, LeaseId, Millis, NEVER, Outcome, Pool, Refusal, Setting, Settings,
    WaiterId,
};

use crate::{in_flight, lease, place, pool, upstream};

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

/// Ours, found by the model: of two leases handed to a member, one was collected, which is a sign of
/// life and let the other lie for longer than a lease lives. It expired, and was then collected: a lease
/// that others had.
#[test]
fn a_lease_that_nobody_collected_yet_does_not_expire() {
    let settings = Settings { lease_ttl: 100, claim: 100, ..Settings::default() };
    let mut pool = pool(&[2], settings);
    let held = [lease(&mut pool, 0), lease(&mut pool, 0)];
    place(&mut pool, 1, NEVER, 0);
    place(&mut pool, 1, NEVER, 0);
    for lease in held {
        pool.release(0, lease, Outcome::Ok, 0, 0).expect("held");
    }
    let Some((_, Answer::Lease(first))) = pool.collect(1, 60) else { panic!("no answer") };
    assert_eq!(pool.acquire(0, None, 120), None, "both are taken");
    let Some((_, Answer::Lease(second))) = pool.collect(1, 120) else { panic!("no answer") };
    for lease in [first, second] {
        assert_eq!(pool.release(1, lease, Outcome::Ok, 0, 150), Ok(()));
    }
    assert_eq!((in_flight(&pool), pool.counts().expired), (0, 0));
}

/// Ours, found by random calls: the id of a lease that lay in the mailbox could be guessed and given
/// back, and the place that had it then gave it back again.
#[test]
fn a_lease_that_nobody_collected_yet_is_nobodys_to_give_back() {
    let mut pool = pool(&[1], Settings::default());
    let held = lease(&mut pool, 0);
    let waiter = place(&mut pool, 1, NEVER, 0);
    pool.release(0, held, Outcome::Ok, 0, 0).expect("held");
    // The same slot with the next generation.
    let guessed = LeaseId(held.0 + (1 << 29));
    assert_eq!(pool.release(1, guessed, Outcome::Ok, 0, 0), Err(Refusal::StaleLease));
    assert_eq!(pool.renew(1, guessed, 0), Err(Refusal::StaleLease));
    assert_eq!(pool.confirm(1, guessed, 0), Err(Refusal::StaleLease));
    let mut other = pool.clone();
    assert!(other.cancel(1, waiter, 0), "the place and its lease are given up once");
    assert_eq!(in_flight(&other), 0);
    assert_eq!(pool.collect(1, 0), Some((waiter, Answer::Lease(guessed))));
    assert_eq!(pool.release(1, guessed, Outcome::Ok, 0, 0), Ok(()));
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
    let event = pool.next_event(1, |_| true).expect("an event");
    assert_eq!((event.kind, event.value, event.other), (EventKind::Reaped, 2, 1));
    assert_eq!(pool.join(12), Ok(0), "its number is used again");
    for lease in held {
        assert_eq!(pool.release(0, lease, Outcome::Ok, 0, 0), Err(Refusal::StaleLease));
    }
    pool.reap(1, 0);
    assert_eq!(pool.in_use(0), (0, 0, 0));
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

/// pingora#748, #212: what was used once was never used again, and the memory grew.
#[test]
fn places_leases_members_and_upstreams_are_used_again() {
    let mut pool = pool(&[4], Settings::default());
    let slot = |id: u64| id & ((1 << 17) - 1);
    let mut highest = (0, 0);
    for round in 0..200_000u64 {
        let held: Vec<LeaseId> = std::iter::from_fn(|| pool.acquire(0, None, round)).collect();
        let given_up = place(&mut pool, 0, NEVER, round);
        let served = place(&mut pool, 1, NEVER, round);
        assert!(pool.cancel(0, given_up, round));
        for lease in held {
            highest.0 = highest.0.max(slot(lease.0));
            pool.release(0, lease, Outcome::Ok, 0, round).expect("held");
        }
        let Some((_, Answer::Lease(lease))) = pool.collect(1, round) else { panic!("no answer") };
        pool.release(1, lease, Outcome::Ok, 0, round).expect("held");
        highest.1 = highest.1.max(slot(served.0));
        if round % 16 == 0 {
            let member = pool.join(7).expect("room");
            assert_eq!(member, 2);
            pool.acquire(member, None, round).expect("room");
            place_all(&mut pool, member, round);
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

fn place_all(pool: &mut Pool, member: u32, now: Millis) {
    while let Ok(Acquired::Lease(_)) = pool.wait(member, None, 0, 5, now) {}
}

proptest! {
    /// governor#299 and others: a clock that steps back, jumps or overflows. No cap is passed, and
    /// everything comes back.
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
                    if let Answer::Lease(lease) = answer {
                        // Expired already where time itself has come to its end.
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
