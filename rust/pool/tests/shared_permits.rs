//! Permits that have ended: the store may have given them to others by the time a call or a reply arrives.
#![allow(clippy::unwrap_used, reason = "a test that meets the unexpected should fail")]

use sluice_pool::shared::store::Store;
use sluice_pool::{
    LeaseId, Outage, Outcome, Pool, Settings, SharedSettings, SharedState, UpstreamSettings,
};

const SECOND: i64 = 1_000_000;

/// A pool with three permits of one upstream over all processes.
fn pool(outage: Outage) -> Pool {
    let mut pool = Pool::new(Settings::default());
    let shared = SharedSettings {
        lease: 2000,
        timeout: 100,
        processes: 2,
        outage,
        spare: true,
        strict: false,
    };
    pool.share(shared);
    let upstream = UpstreamSettings { max_in_flight: 3, weight: 1.0, tier: 0 };
    pool.add_upstream("a", upstream, 0).unwrap();
    pool.join(1).unwrap();
    pool
}

fn serve(store: &mut Store, text: &str, now: i64) -> String {
    store.call(&text.split(' ').collect::<Vec<_>>(), now)
}

/// Gets a permit, and takes a lease with it.
fn first_lease(pool: &mut Pool, store: &mut Store, process: &str, now: u64) -> LeaseId {
    assert_eq!(pool.acquire(0, None, now), None, "no permit is held yet");
    let text = pool.call(process, 1, now).unwrap();
    let reply = serve(store, &text, now as i64 * 1000);
    assert!(pool.receive(&reply, now));
    pool.acquire(0, None, now).unwrap()
}

#[test]
fn only_what_is_in_use_comes_back_to_life_in_the_store() {
    let mut store = Store::default();
    // Holds two permits, of which one is in use, and asks to keep both: used 1, bind 2.
    let call = |process: &str, seq: i64, used: i64, need: i64| {
        format!("{process} {seq} 2000000 0 0 9 {need} 1 a 3 {used} 2 2 {need} 3 0 0 0")
    };
    let reply = serve(&mut store, &call("p", 1, 0, 2), SECOND);
    assert!(reply.ends_with(" 0 2 3 2 0 0 0"), "{reply}");
    // It was silent for a lease time, and another process has taken everything.
    let text = "q 1 2000000 0 0 9 3 1 a 3 0 0 0 3 3 0 0 0";
    assert!(serve(&mut store, text, 4 * SECOND).ends_with(" 0 3 3 3 0 0 0"));
    // Its call was under way all that time.
    serve(&mut store, &call("p", 2, 1, 0), 4 * SECOND);
    assert_eq!(store.held_at("a", 4 * SECOND), 4, "the request in flight, and no idle permit");
}

#[test]
fn a_permit_that_was_given_back_while_it_was_ended_is_not_used_again() {
    let (mut mine, mut theirs, mut store) =
        (pool(Outage::Closed), pool(Outage::Closed), Store::default());
    let lease = first_lease(&mut mine, &mut store, "p", 1000);
    // Renews its permits, but the call takes longer than they last.
    let text = mine.call("p", 0, 1700).unwrap();
    first_lease(&mut theirs, &mut store, "q", 3100);
    let all = theirs.call("q", 2, 3150).unwrap();
    assert!(theirs.receive(&serve(&mut store, &all, 3_150_000), 3150));
    assert!(theirs.acquire(0, None, 3150).is_some() && theirs.acquire(0, None, 3150).is_some());
    let reply = serve(&mut store, &text, 3_200_000);
    assert_eq!(store.held_at("a", 3_200_000), 4, "the request is still in flight there");
    // The request ends, and then the reply arrives: the permit is theirs.
    assert_eq!(mine.release(0, lease, Outcome::Ok, 0, 3250), Ok(()));
    assert!(mine.receive(&reply, 3300));
    assert_eq!(mine.acquire(0, None, 3300), None);
}

#[test]
fn permits_end_a_lease_after_their_call_was_sent() {
    let (mut pool, mut store) = (pool(Outage::Share), Store::default());
    let text = {
        assert_eq!(pool.acquire(0, None, 1000), None);
        pool.call("p", 1, 1000).unwrap()
    };
    // The reply takes a second and a half.
    assert!(pool.receive(&serve(&mut store, &text, SECOND), 2500));
    assert_eq!(pool.shared_stats().unwrap().state, SharedState::Connected);
    pool.tick(2987);
    assert_eq!(pool.shared_stats().unwrap().state, SharedState::Connected);
    pool.tick(2988);
    assert_eq!(pool.shared_stats().unwrap().state, SharedState::Idle);
    assert_eq!(pool.acquire(0, None, 2988), None);
}

#[test]
fn one_lost_message_is_no_outage_and_a_second_without_an_answer_is() {
    let mut pool = pool(Outage::Share);
    assert_eq!(pool.acquire(0, None, 1000), None);
    assert!(pool.call("p", 1, 1000).is_some());
    pool.fail(1, 1100);
    assert_eq!(pool.shared_stats().unwrap().state, SharedState::Idle);
    assert_eq!(pool.acquire(0, None, 2099), None);
    let lease = pool.acquire(0, None, 2100);
    assert!(
        lease.is_some(),
        "half a lease without an answer: one permit of three, for two processes"
    );
    assert_eq!(pool.acquire(0, None, 2100), None);
    assert_eq!(pool.shared_stats().unwrap().state, SharedState::Out);
}

#[test]
fn a_process_that_comes_back_keeps_to_its_part_for_a_lease() {
    let (mut pool, mut store) = (pool(Outage::Share), Store::default());
    assert_eq!(pool.acquire(0, None, 1000), None);
    assert!(pool.call("p", 1, 1000).is_some());
    pool.fail(1, 1100);
    let lease = pool.acquire(0, None, 2200).unwrap();
    let text = pool.call("p", 2, 2300).unwrap();
    assert!(pool.receive(&serve(&mut store, &text, 2_300_000), 2300));
    assert_eq!(pool.acquire(0, None, 2300), None, "the others may not have reported yet");
    assert_eq!(pool.release(0, lease, Outcome::Ok, 0, 2400), Ok(()));
    let text = pool.call("p", 2, 4400).unwrap();
    assert!(pool.receive(&serve(&mut store, &text, 4_400_000), 4400));
    assert!(pool.acquire(0, None, 4400).is_some() && pool.acquire(0, None, 4400).is_some());
}
