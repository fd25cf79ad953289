//! What one call does, without losses of the store's state.

use sluice_limiter::shared::message::{
    LimitSetting, Reply, Wait, WaiterResult, encode_reset, encode_set_limits,
};
use sluice_limiter::shared::store::Store;

use crate::client::{
    EPOCH, KEY, LEASE, SECOND, START, ask, concurrency, fills, granted, is_admitted, quota, rate,
    request, sync, takes,
};

#[test]
fn who_waits_is_charged_while_it_fits_and_told_how_long_to_wait() {
    let mut store = Store::new();
    let mut first = request("a", 1, vec![rate("r", 10, 2)]);
    first.waiters = takes(&[&[7], &[4], &[3], &[11]]);
    let reply = sync(&mut store, &first, START);
    assert_eq!(is_admitted(&reply), [true, false, true, false]);
    assert_eq!(reply.results[1], WaiterResult::Refused { limit: 0, wait: Wait::Us(SECOND) });
    assert_eq!(reply.results[3], WaiterResult::Refused { limit: 0, wait: Wait::Never });
    assert_eq!(reply.limits[0].fill, 10);
    // It fits after the time that was told, and not before.
    let mut second = request("b", 1, vec![rate("r", 10, 2)]);
    second.waiters = takes(&[&[2]]);
    assert_eq!(is_admitted(&sync(&mut store, &second, START + SECOND - 1)), [false]);
    second.seq = 2;
    assert_eq!(is_admitted(&sync(&mut store, &second, START + SECOND)), [true]);
}

#[test]
fn all_limits_have_to_fit_and_the_one_that_refuses_for_longest_is_named() {
    let mut store = Store::new();
    let limits = || vec![rate("r", 10, 2), quota("q", 5, START), concurrency("c", 1)];
    let mut first = request("a", 1, limits());
    first.waiters = takes(&[&[10, 5, 0], &[1, 1, 0], &[1, 0, 0], &[0, 0, 1]]);
    let reply = sync(&mut store, &first, START);
    assert_eq!(is_admitted(&reply), [true, false, false, true]);
    let left = 10 * SECOND - START % (10 * SECOND);
    assert_eq!(reply.results[1], WaiterResult::Refused { limit: 1, wait: Wait::Us(left) });
    assert_eq!(reply.limits[1].window_left_us, left);
    assert_eq!(fills(&mut store, &limits(), START), [10, 5, 0], "the refused changed nothing");
}

#[test]
fn a_repeated_call_gets_the_same_answer_and_changes_nothing() {
    let mut store = Store::new();
    let mut call = request("a", 5, vec![rate("r", 10, 2)]);
    call.waiters = takes(&[&[6], &[6]]);
    let reply = sync(&mut store, &call, START);
    let before = store.clone();
    let again = sync(&mut store, &call, START + SECOND);
    assert_eq!((&again.results, granted(&again)), (&reply.results, granted(&reply)));
    assert_eq!((again.now_us, again.limits[0].fill), (START + SECOND, 4), "the present time");
    assert_eq!(store, before);
    call.seq = 4;
    assert_eq!(ask(&mut store, &call, START + SECOND), Reply::Old { seq: 4 });
    assert_eq!(store, before);
}

#[test]
fn credit_is_held_until_it_is_reported_and_given_back() {
    let mut store = Store::new();
    let mut call = request("a", 1, vec![rate("r", 100, 10)]);
    call.limits[0].want = 40;
    let reply = sync(&mut store, &call, START);
    assert_eq!(granted(&reply), [40]);
    // What is held does not decay.
    assert_eq!(fills(&mut store, &call.limits, START + SECOND), [40]);
    call.seq = 2;
    (call.limits[0].spent, call.limits[0].bind, call.limits[0].want) = (25, 10, 0);
    let reply = sync(&mut store, &call, START + SECOND);
    assert_eq!((granted(&reply), reply.limits[0].fill), (vec![10], 35));
    assert_eq!(fills(&mut store, &call.limits, START + 2 * SECOND), [25]);
}

#[test]
fn a_grant_is_half_of_what_is_free_for_each_holder() {
    let mut store = Store::new();
    for (process, expected) in [("a", 50), ("b", 12), ("c", 6)] {
        let mut call = request(process, 1, vec![quota("q", 100, START)]);
        call.limits[0].want = 100;
        let reply = sync(&mut store, &call, START);
        assert_eq!(granted(&reply), [expected], "{process}");
    }
}

#[test]
fn a_limit_that_refuses_takes_back_what_is_not_bound() {
    let mut store = Store::new();
    let mut call = request("a", 1, vec![rate("r", 10, 1)]);
    call.limits[0].want = 5;
    assert_eq!(granted(&sync(&mut store, &call, START)), [5]);
    call.seq = 2;
    (call.limits[0].bind, call.limits[0].want) = (2, 5);
    call.waiters = takes(&[&[9]]);
    let reply = sync(&mut store, &call, START);
    assert_eq!((is_admitted(&reply), granted(&reply)), (vec![false], vec![2]));
}

#[test]
fn a_process_that_dies_is_charged_what_it_held_when_its_lease_ends() {
    let mut store = Store::new();
    let limits = || vec![rate("r", 100, 1), quota("q", 100, START), concurrency("c", 4)];
    let mut call = request("a", 1, limits());
    call.limits.iter_mut().for_each(|limit| limit.want = 100);
    assert_eq!(granted(&sync(&mut store, &call, START)), [50, 50, 2]);
    assert_eq!(fills(&mut store, &limits(), START + LEASE - 1), [50, 50, 2]);
    let other = request("b", 1, limits());
    let reply = sync(&mut store, &other, START + LEASE);
    assert_eq!(reply.holders, 1);
    let fill: Vec<_> = reply.limits.iter().map(|limit| limit.fill).collect();
    assert_eq!(fill, [50, 50, 0], "rates decay from now on, places are free");
    assert_eq!(fills(&mut store, &limits(), START + LEASE + SECOND)[0], 49);
}

#[test]
fn a_quota_is_corrected_when_a_process_returns_after_its_lease() {
    let mut store = Store::new();
    let limits = || vec![quota("q", 100, START)];
    let mut call = request("a", 3, limits());
    call.limits[0].want = 40;
    let old = call.clone();
    sync(&mut store, &call, START);
    sync(&mut store, &request("b", 1, limits()), START + LEASE);
    assert_eq!(fills(&mut store, &limits(), START + LEASE), [40]);
    // An old copy of the call is answered, and corrects nothing.
    let before = store.clone();
    assert_eq!(granted(&sync(&mut store, &old, START + LEASE)), [40]);
    assert_eq!(store, before);
    call.seq = 4;
    (call.limits[0].spent, call.limits[0].bind, call.limits[0].want) = (15, 5, 5);
    let reply = sync(&mut store, &call, START + LEASE + SECOND);
    assert_eq!((granted(&reply), reply.limits[0].fill), (vec![5], 20));
    // The correction is made once.
    call.seq = 5;
    (call.limits[0].spent, call.limits[0].bind, call.limits[0].want) = (0, 0, 0);
    let reply = sync(&mut store, &call, START + LEASE + SECOND);
    assert_eq!((granted(&reply), reply.limits[0].fill), (vec![0], 15));
}

#[test]
fn a_rate_is_not_corrected_when_a_process_returns_after_its_lease() {
    let mut store = Store::new();
    let mut call = request("a", 1, vec![rate("r", 100, 1)]);
    call.limits[0].want = 40;
    sync(&mut store, &call, START);
    call.seq = 2;
    (call.limits[0].spent, call.limits[0].bind, call.limits[0].want) = (15, 25, 0);
    let reply = sync(&mut store, &call, START + LEASE);
    assert_eq!((granted(&reply), reply.limits[0].fill), (vec![25], 40 + 25), "25 are lent anew");
}

#[test]
fn open_reservations_of_places_count_after_their_lease_too() {
    let mut store = Store::new();
    let mut call = request("a", 1, vec![concurrency("c", 4)]);
    call.limits[0].want = 2;
    sync(&mut store, &call, START);
    call.seq = 2;
    (call.limits[0].bind, call.limits[0].restore) = (2, 1);
    let reply = sync(&mut store, &call, START + LEASE);
    assert_eq!(granted(&reply)[0], 2, "one is open, and one is granted anew");
    // Places that were not in use may have been given to others.
    let mut other = request("b", 1, vec![concurrency("c", 4)]);
    other.limits[0].want = 4;
    other.waiters = takes(&[&[2]]);
    other.waiters[0].is_reservation = true;
    assert_eq!(granted(&sync(&mut store, &other, START + LEASE)), [2]);
    other.seq = 2;
    (other.limits[0].bind, other.limits[0].restore, other.waiters) = (2, 2, takes(&[&[2]]));
    other.waiters[0].is_reservation = true;
    call.seq = 3;
    // The lease of `a` ends unheard, so `b` gets what it held.
    sync(&mut store, &other, START + LEASE + SECOND);
    other.seq = 3;
    assert_eq!(is_admitted(&sync(&mut store, &other, START + 2 * LEASE)), [true]);
    let reply = sync(&mut store, &call, START + 2 * LEASE);
    assert_eq!((granted(&reply), reply.limits[0].fill), (vec![1], 5), "the truth wins");
}

#[test]
fn a_reservation_is_lent_and_paid_from_the_own_credit_first() {
    let mut store = Store::new();
    let mut call = request("a", 1, vec![rate("r", 10, 1)]);
    call.limits[0].want = 5;
    sync(&mut store, &call, START);
    call.seq = 2;
    (call.limits[0].want, call.waiters) = (0, takes(&[&[7], &[3], &[1]]));
    call.waiters.iter_mut().for_each(|waiter| waiter.is_reservation = true);
    let reply = sync(&mut store, &call, START);
    assert_eq!(is_admitted(&reply), [true, true, false]);
    assert_eq!(reply.results[2], WaiterResult::Refused { limit: 0, wait: Wait::Held });
    assert_eq!((granted(&reply), reply.limits[0].fill), (vec![10], 10));
}

#[test]
fn who_leaves_is_charged_what_it_binds_and_gives_back_the_rest_at_once() {
    let mut store = Store::new();
    let limits = || vec![rate("r", 100, 1), quota("q", 100, START), concurrency("c", 4)];
    let mut call = request("a", 1, limits());
    call.limits.iter_mut().for_each(|limit| limit.want = 40);
    sync(&mut store, &call, START);
    (call.seq, call.is_leaving) = (2, true);
    for limit in &mut call.limits {
        (limit.spent, limit.bind, limit.want) = (0, 1, 0);
    }
    (call.limits[0].spent, call.limits[1].spent) = (10, 20);
    let reply = sync(&mut store, &call, START);
    assert_eq!((granted(&reply), reply.holders), (vec![0, 0, 0], 0));
    assert_eq!(fills(&mut store, &limits(), START), [11, 21, 0]);
    assert!(!store.fields(KEY).contains_key("p.a"));
    // A copy charges nothing more.
    sync(&mut store, &call, START);
    assert_eq!(fills(&mut store, &limits(), START), [11, 21, 0]);
}

#[test]
fn a_request_outside_of_its_windows_is_not_served() {
    let mut store = Store::new();
    let call = request("a", 1, vec![quota("q", 5, START)]);
    let end = START - START % (10 * SECOND) + 20 * SECOND;
    sync(&mut store, &call, end - 1);
    let other = request("b", 1, vec![quota("q", 5, START)]);
    assert_eq!(ask(&mut store, &other, end), Reply::Clock { seq: 1, now_us: end });
    assert!(!store.fields(KEY).contains_key("p.b"));
}

#[test]
fn a_quota_begins_anew_with_its_window_and_not_when_the_clock_goes_back() {
    let mut store = Store::new();
    let mut call = request("a", 1, vec![quota("q", 5, START)]);
    call.waiters = takes(&[&[5]]);
    sync(&mut store, &call, START);
    let next = START - START % (10 * SECOND) + 10 * SECOND;
    call.seq = 2;
    call.waiters = takes(&[&[3]]);
    assert_eq!(is_admitted(&sync(&mut store, &call, next)), [true]);
    call.seq = 3;
    assert_eq!(is_admitted(&sync(&mut store, &call, next - 1)), [false], "3 + 3 is more than 5");
}

#[test]
fn a_clock_that_goes_back_refills_nothing_and_keeps_no_key_full_for_long() {
    let mut store = Store::new();
    let mut call = request("a", 1, vec![rate("r", 10, 10)]);
    call.waiters = takes(&[&[10]]);
    sync(&mut store, &call, START);
    for back in [SECOND, 3_600 * SECOND] {
        let mut store = store.clone();
        call.seq = 2;
        assert_eq!(is_admitted(&sync(&mut store, &call, START - back)), [false], "{back}");
        call.seq = 3;
        let later = START - back + LEASE + SECOND;
        assert_eq!(is_admitted(&sync(&mut store, &call, later)), [true], "{back}");
    }
}

#[test]
fn time_that_an_empty_bucket_waited_refills_nothing_later() {
    let mut store = Store::new();
    let mut call = request("a", 1, vec![rate("r", 25, 19)]);
    // 20 are gone after 1.06 s. The rest of the second step must not serve what is charged later.
    for (seq, us, cost, is_fitting) in
        [(1, 0, 20, true), (2, 1_900_000, 17, true), (3, 2_000_000, 13, false)]
    {
        (call.seq, call.waiters) = (seq, takes(&[&[cost]]));
        assert_eq!(is_admitted(&sync(&mut store, &call, START + us)), [is_fitting], "{seq}");
    }
}

#[test]
fn limits_of_a_key_are_set_for_all_and_cleared() {
    let mut store = Store::new();
    let mut call = request("a", 1, vec![rate("r", 10, 1), quota("q", 10, START)]);
    call.waiters = takes(&[&[8, 8]]);
    sync(&mut store, &call, START);
    let half = LimitSetting { name: "r".into(), limit: Some(rate("r", 5, 2).limit) };
    let set = encode_set_limits("a", 0, LEASE, std::slice::from_ref(&half));
    let done = store.run(KEY, EPOCH, &set, START);
    assert_eq!(Reply::decode(&done, 0, 0), Ok(Reply::Done { seq: 0, version: START }));
    (call.seq, call.waiters) = (2, takes(&[&[5, 1]]));
    let reply = sync(&mut store, &call, START + SECOND);
    let refused = WaiterResult::Refused { limit: 0, wait: Wait::Us(3 * SECOND) };
    assert_eq!((reply.version, &reply.results[..]), (START, &[refused][..]));
    assert_eq!([reply.limits[0].capacity, reply.limits[1].capacity], [Some(5), Some(10)]);
    assert_eq!(store.removed_us(KEY), None, "what was set stays");
    let clear = LimitSetting { limit: None, ..half };
    store.run(KEY, EPOCH, &encode_set_limits("a", 0, LEASE, &[clear]), START + SECOND);
    call.seq = 3;
    let reply = sync(&mut store, &call, START + 4 * SECOND);
    assert_eq!((reply.version, reply.limits[0].capacity), (0, Some(10)));
    assert!(store.removed_us(KEY).is_some());
}

#[test]
fn a_reset_gives_back_what_is_consumed_and_not_what_is_lent() {
    let mut store = Store::new();
    let limits = || vec![rate("r", 10, 1), quota("q", 10, START)];
    let mut call = request("a", 1, limits());
    (call.limits[1].want, call.waiters) = (2, takes(&[&[8, 4]]));
    sync(&mut store, &call, START);
    store.run(KEY, EPOCH, &encode_reset("a", 0, LEASE), START);
    assert_eq!(fills(&mut store, &limits(), START), [0, 2]);
    // A lease that ended before the reset is not given back after it.
    sync(&mut store, &request("b", 1, limits()), START + LEASE);
    store.run(KEY, EPOCH, &encode_reset("a", 0, LEASE), START + LEASE);
    let mut other = request("b", 2, limits());
    other.waiters = takes(&[&[0, 7]]);
    sync(&mut store, &other, START + LEASE);
    call.seq = 2;
    (call.limits[1].want, call.waiters) = (0, Vec::new());
    sync(&mut store, &call, START + LEASE);
    assert_eq!(fills(&mut store, &limits(), START + LEASE), [0, 7]);
}

#[test]
fn processes_of_two_versions_share_the_limits_that_both_know() {
    let mut store = Store::new();
    let new = || vec![rate("r", 100, 1), quota("q", 100, START), concurrency("c", 4)];
    let mut call = request("new", 1, new());
    call.config = "new".into();
    call.limits.iter_mut().for_each(|limit| limit.want = 100);
    assert_eq!(granted(&sync(&mut store, &call, START)), [50, 50, 2]);
    let lives_until = store.removed_us(KEY).expect("an expiry");
    let old = request("old", 1, vec![rate("r", 100, 1)]);
    let reply = sync(&mut store, &old, START + LEASE);
    assert!(reply.is_config_different);
    // The end of the new one's lease was seen by one that knows only the rate.
    assert_eq!(fills(&mut store, &new(), START + LEASE), [50, 50, 0]);
    assert!(store.removed_us(KEY).expect("an expiry") >= lives_until, "the quota is not forgotten");
}

#[test]
fn a_key_lives_until_nothing_of_it_matters() {
    let mut store = Store::new();
    let mut call = request("a", 1, vec![rate("r", 100, 10)]);
    call.waiters = takes(&[&[100]]);
    sync(&mut store, &call, START);
    let removed = store.removed_us(KEY).expect("an expiry") - START;
    assert!((10 * SECOND + LEASE..=10 * SECOND + 3 * LEASE).contains(&removed), "{removed}");
    call.seq = 2;
    assert_eq!(is_admitted(&sync(&mut store, &call, START + removed + 1)), [true]);
    assert_eq!(store.fields(KEY)["n"], "1");
}
