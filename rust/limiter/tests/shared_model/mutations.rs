//! Each rule of the protocol is left out once. The search must find what that breaks, which shows that
//! the rule is needed and that the search would see it missing.

use super::search::{Search, search};
use super::state::Waiter;
use super::steps::Step;
use super::world::{Without, World};

/// Enough to find each of them.
const MOST: usize = 2_000_000;

const RATE: World = World { burst: 1, want: 1, bound: 1, ..World::RATE };
const QUOTA: World = World { burst: 1, want: 1, bound: 1, ..World::QUOTA };
const LIVE: World = World { burst: 1, want: 1, bound: 1, aborts: true, ..World::CONCURRENCY };
const STRICT: World = World { loss: true, strict: true, ..RATE };

/// Leaves a rule out, and finds a state over the bound after `start`.
fn find_after(start: &[Step], without: Without, world: World) {
    let world = World { without, ..world };
    let found = search(&world, Search { most: MOST, is_worst: false, heals: false, start });
    println!("without {without:?}: {} states, {:?}", found.states, found.violation);
    assert!(
        found.violation.is_some(),
        "{without:?} left out is not found in {} states",
        found.states
    );
}

fn find(without: Without, world: World) {
    find_after(&[], without, world);
}

/// Leaves a rule out that only costs: no state is over the bound.
fn costs_only(without: Without, world: World) {
    let world = World { without, ..world };
    let found = search(&world, Search { most: MOST, is_worst: false, heals: false, start: &[] });
    println!("without {without:?}: {} states, only utilisation is lost", found.states);
    assert_eq!(found.violation, None);
    assert!(found.is_complete, "{} states are not all", found.states);
}

#[test]
fn credit_is_taken_back_without_bind() {
    find(Without::Bind, RATE);
}

#[test]
fn a_lease_ends_from_receipt() {
    find(Without::DeadlineFromSending, RATE);
}

#[test]
fn credit_of_a_dead_process_is_forgotten() {
    find(Without::ChargeOfTheDead, World { crash: true, ..World::RATE });
}

#[test]
fn a_lease_of_a_dead_process_does_not_end() {
    let world = World { crash: true, without: Without::EndOfLease, ..RATE };
    let found = search(&world, Search { most: MOST, is_worst: false, heals: true, start: &[] });
    println!("without EndOfLease: {} states, {:?}", found.states, found.violation);
    let why = found.violation.expect("credit that does not come back is found");
    assert!(why.ends_with("only 0 of 1 came back"), "{why}");
}

#[test]
fn a_lost_state_is_fresh_where_it_should_be_strict() {
    find(Without::Nothing, World { strict: false, ..STRICT });
}

#[test]
fn a_lost_state_is_full_and_does_not_stand_still() {
    find(Without::StandingStill, STRICT);
}

#[test]
fn a_second_call_ends_the_standing() {
    find(Without::StampAhead, STRICT);
}

#[test]
fn a_bye_ends_the_standing() {
    find(Without::LeaseInBye, World { bye: true, ..STRICT });
}

#[test]
fn ended_credit_comes_back_with_an_answer() {
    find(Without::EndOfCredit, STRICT);
    find(Without::EndOfCredit, LIVE);
}

#[test]
fn an_old_copy_is_served() {
    find(Without::SequenceNumbers, World { copies: true, ..RATE });
}

#[test]
fn a_request_that_is_sent_again_charges_its_waiter_twice() {
    costs_only(Without::SequenceNumbers, World { resends: true, ..RATE });
}

#[test]
fn an_old_copy_corrects_what_a_quota_charged() {
    // A report that asks for nothing is copied, and arrives after the lease of the next one has ended.
    let call = |want| [Step::Send(0, want, Waiter::None), Step::Serve(0), Step::Receive(0)];
    let report = [Step::Send(0, 0, Waiter::None), Step::Copy(0), Step::Serve(0), Step::Receive(0)];
    let rest = [Step::Spend(0), Step::Send(1, 0, Waiter::Take), Step::Tick, Step::Tick];
    let start = [&call(1)[..], &report, &call(1), &rest].concat();
    find_after(&start, Without::SequenceOfCharge, World { copies: true, ..QUOTA });
}

#[test]
fn a_late_answer_is_taken_for_that_of_the_next_request() {
    find(Without::SequenceOfAnswer, World { copies: true, ..RATE });
}

#[test]
fn a_reservation_without_credit_raises_the_balance() {
    find(Without::BindWithinBalance, World { reserves: true, ..RATE });
}

#[test]
fn a_quota_keeps_credit_into_the_next_window() {
    costs_only(Without::WindowOfCredit, QUOTA);
}

#[test]
fn open_reservations_are_forgotten_when_a_lease_ends() {
    find(Without::Truth, World { aborts: false, bound: 2, ..LIVE });
}

#[test]
fn unused_credit_is_restated_like_reservations() {
    costs_only(Without::TruthOfUse, LIVE);
}

#[test]
fn what_is_lent_above_the_capacity_is_renewed() {
    find(Without::CapacityOfLoans, LIVE);
}

#[test]
fn a_late_answer_holds_what_was_given_away() {
    find(Without::LateHold, LIVE);
}

#[test]
fn a_process_leaves_with_requests_in_flight() {
    find(Without::StayOfTheOpen, World { bye: true, ..LIVE });
}

#[test]
fn streams_outlive_their_lease() {
    find(Without::Nothing, World { aborts: false, ..LIVE });
}
