//! Deterministic simulation of processes that share a pool: real pools against the twin of the script, with a
//! network that loses, repeats and delays, clocks of different speed, and processes that die.
//!
//! `SLUICE_SEEDS` sets the number of seeds of each scenario.
#![allow(clippy::unwrap_used, reason = "a test that meets the unexpected should fail")]

mod network;
mod process;
mod random;
mod world;

use process::{LEASE, Plan};
use sluice_pool::{Outage, SharedState};
use world::World;

fn seeds() -> std::ops::Range<u64> {
    0..std::env::var("SLUICE_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(6)
}

fn plan(processes: usize, caps: &[u32], total: u32) -> Plan {
    Plan {
        processes,
        caps: caps.to_vec(),
        total,
        arrivals: vec![20.0; processes],
        mean: 300.0,
        spare: true,
        outage: Outage::Share,
        strict: false,
        lost: 0,
        twice: 0,
        timeout: 100,
        aborts: false,
        is_slow: false,
        rests: 0,
        fails: 0,
    }
}

/// Stops the load, and checks that everything comes to an end.
fn wind_down(world: &mut World) {
    for process in &mut world.processes {
        process.is_busy = false;
    }
    // The last copies of calls come 8 s late, and hold permits for one lease time.
    world.run(2 * LEASE + 13_000);
    assert_eq!((world.all_in_flight(), world.waiting()), (0, 0), "something waits for ever");
    assert!(world.held().iter().all(|&held| held == 0), "idle permits go back");
    let calls = world.calls;
    world.run(2 * LEASE);
    assert_eq!(world.calls, calls, "an idle pool makes no calls");
}

#[test]
fn caps_hold_over_all_processes_and_are_used() {
    for seed in seeds() {
        for spare in [true, false] {
            let mut world = World::new(Plan { spare, ..plan(4, &[6, 10, 3], 15) }, seed);
            world.run(20_000);
            // Four processes offer 24 in flight, so the pool is full.
            let used = world.area as f64 / (15.0 * 20_000.0);
            assert!(used > 0.9, "seed {seed}: only {used:.3} of the permits were used");
            assert_eq!(world.peak, 15);
            let least = world.processes.iter().map(|process| process.granted).min().unwrap();
            let most = world.processes.iter().map(|process| process.granted).max().unwrap();
            assert!(least * 2 > most, "seed {seed}: from {least} to {most} requests a process");
            wind_down(&mut world);
        }
    }
}

#[test]
fn a_pool_that_is_not_full_rarely_asks() {
    for seed in seeds() {
        let plan = Plan { arrivals: vec![100.0; 3], mean: 50.0, ..plan(3, &[200], 200) };
        let mut world = World::new(plan, seed);
        world.run(20_000);
        let granted: u64 = world.processes.iter().map(|process| process.granted).sum();
        let each = world.calls as f64 / granted as f64;
        assert!(granted > 5000 && each < 0.25, "seed {seed}: {each:.3} calls a request");
        wind_down(&mut world);
    }
}

#[test]
fn lost_late_and_repeated_messages_break_no_cap() {
    for seed in seeds() {
        for spare in [true, false] {
            let lossy = Plan { lost: 200, twice: 300, spare, ..plan(4, &[6, 10, 3], 15) };
            let mut world = World::new(lossy, seed);
            world.run(30_000);
            let used = world.area as f64 / (15.0 * 30_000.0);
            assert!(used > 0.6, "seed {seed}: only {used:.3} of the permits were used");
            wind_down(&mut world);
        }
    }
}

#[test]
fn calls_of_any_delay_break_no_cap_if_requests_end_with_their_permits() {
    for seed in seeds().flat_map(|seed| 4 * seed..4 * seed + 4) {
        let base = Plan { arrivals: vec![40.0; 3], mean: 150.0, ..plan(3, &[3, 2], 4) };
        let (outage, aborts, timeout) = (Outage::Closed, true, 900);
        let slow = Plan { outage, aborts, is_slow: true, timeout, twice: 100, lost: 50, ..base };
        let mut world = World::new(slow, seed);
        world.run(60_000);
        let granted: u64 = world.processes.iter().map(|process| process.granted).sum();
        assert!(granted > 300, "seed {seed}: {granted}");
        wind_down(&mut world);
    }
}

#[test]
fn a_killed_process_gives_back_within_a_lease() {
    for seed in seeds() {
        let mut world = World::new(plan(3, &[9], 9), seed);
        world.run(5000);
        world.kill(0);
        let held = 9 - world.all_in_flight();
        assert!(held > 0, "seed {seed}");
        world.run(LEASE + 100);
        let before = world.area;
        world.run(3000);
        let used = (world.area - before) as f64 / (9.0 * 3000.0);
        assert!(used > 0.9, "seed {seed}: only {used:.3} of the permits are used after the kill");
        wind_down(&mut world);
    }
}

#[test]
fn a_small_process_gets_its_part_beside_a_greedy_one() {
    for seed in seeds() {
        let greedy = Plan { arrivals: vec![200.0, 3.0, 3.0], ..plan(3, &[8], 8) };
        let mut world = World::new(greedy, seed);
        world.processes[1].is_busy = false;
        world.processes[2].is_busy = false;
        world.run(5000);
        world.processes[1].is_busy = true;
        world.run(1000);
        world.processes[2].is_busy = true;
        world.run(15_000);
        for process in &world.processes[1..] {
            assert!(process.granted >= 15, "seed {seed}: {} requests", process.granted);
        }
        wind_down(&mut world);
    }
}

#[test]
fn more_processes_than_permits_take_turns() {
    for seed in seeds() {
        let mut world = World::new(Plan { arrivals: vec![10.0; 6], ..plan(6, &[2], 2) }, seed);
        world.run(60_000);
        let granted: Vec<u64> = world.processes.iter().map(|process| process.granted).collect();
        assert!(granted.iter().all(|&granted| granted > 20), "seed {seed}: {granted:?}");
        wind_down(&mut world);
    }
}

#[test]
fn all_obey_a_rest_and_one_probes_after_it() {
    for seed in seeds() {
        let resting = Plan { rests: 20, ..plan(4, &[8, 8, 8], 24) };
        let mut world = World::new(resting, seed);
        world.run(30_000);
        assert!(world.probes > 3, "seed {seed}: {} probes", world.probes);
        wind_down(&mut world);
    }
}

#[test]
fn ejections_stay_local_and_are_probed_one_at_a_time() {
    for seed in seeds() {
        let failing = Plan { fails: 400, rests: 10, ..plan(4, &[8, 8, 8], 24) };
        let mut world = World::new(failing, seed);
        world.run(30_000);
        let ejections: u64 = world.processes.iter().map(|p| p.pool.counts().ejections).sum();
        assert!(ejections > 4 && world.probes > 4, "seed {seed}: {ejections}, {}", world.probes);
        wind_down(&mut world);
    }
}

/// How many are in flight at most while the store is gone, and after it is back.
fn outage(outage: Outage, seed: u64) -> (u32, u32) {
    let mut world = World::new(Plan { outage, ..plan(4, &[8], 8) }, seed);
    world.run(5000);
    (world.is_store_up, world.is_strict) = (false, false);
    // Permits last for a lease, and requests that began with them for 600 ms more.
    world.run(LEASE + 1000);
    (world.peak, world.is_strict) = (0, outage != Outage::Open);
    world.run(10_000);
    let during = world.peak;
    let stats = world.processes[0].pool.shared_stats().unwrap();
    assert_eq!(stats.state, SharedState::Out);
    assert!(stats.failing_for > 10_000 && stats.failures > 10, "{stats:?}");
    world.is_store_up = true;
    world.run(3000);
    world.is_strict = true;
    world.peak = 0;
    world.run(5000);
    let after = world.peak;
    wind_down(&mut world);
    (during, after)
}

#[test]
fn while_the_store_is_gone_the_rule_of_the_pool_holds() {
    for seed in seeds() {
        assert_eq!(outage(Outage::Share, seed), (8, 8), "seed {seed}");
        assert_eq!(outage(Outage::Closed, seed), (0, 8), "seed {seed}");
        let (during, after) = outage(Outage::Open, seed);
        assert!(during > 16 && after == 8, "seed {seed}: {during}, {after}");
    }
}

#[test]
fn a_partition_admits_at_most_what_was_in_flight_there_more() {
    for seed in seeds() {
        for outage in [Outage::Share, Outage::Closed] {
            let mut world = World::new(Plan { outage, ..plan(4, &[8], 8) }, seed);
            world.run(5000);
            world.is_strict = false;
            world.processes[0].is_cut_off = true;
            world.processes[1].is_cut_off = true;
            world.run(10_000);
            assert!(world.peak <= 16, "seed {seed}: {}", world.peak);
            world.processes[0].is_cut_off = false;
            world.processes[1].is_cut_off = false;
            world.run(1500);
            world.is_strict = true;
            world.run(5000);
            wind_down(&mut world);
        }
    }
}

#[test]
fn lost_state_costs_at_most_the_caps_again_and_nothing_if_strict() {
    for seed in seeds() {
        for strict in [true, false] {
            let mut world = World::new(Plan { strict, ..plan(4, &[8], 8) }, seed);
            // At its very first contact a strict store stands still as well.
            world.run(8000);
            assert!(world.peak > 0);
            world.is_strict = strict;
            world.store.lose();
            world.run(5000);
            assert!(world.peak <= if strict { 8 } else { 16 }, "seed {seed}: {}", world.peak);
            world.is_strict = true;
            world.run(3000);
            let losses: u64 =
                world.processes.iter().map(|p| p.pool.shared_stats().unwrap().losses).sum();
            assert!(losses >= 4, "seed {seed}: {losses} noticed");
            wind_down(&mut world);
        }
    }
}

#[test]
fn a_process_that_leaves_gives_back_at_once() {
    for seed in seeds() {
        let mut world = World::new(Plan { arrivals: vec![10.0; 2], ..plan(2, &[20], 20) }, seed);
        while world.all_in_flight() < 4 {
            world.run(1);
        }
        let busy = usize::from(world.in_flight_of(0) == 0);
        assert!(!world.leave(busy), "not while its requests are in flight");
        for process in &mut world.processes {
            process.is_busy = false;
        }
        while world.all_in_flight() + world.waiting() as u32 > 0 {
            world.run(1);
        }
        // The last call of each is answered; a copy that came after would hold permits for a lease time.
        world.run(10);
        assert!(world.held()[0] > 0);
        assert!(world.leave(0) | world.leave(1));
        world.run(3);
        assert_eq!(world.held(), [0], "seed {seed}");
        wind_down(&mut world);
    }
}
