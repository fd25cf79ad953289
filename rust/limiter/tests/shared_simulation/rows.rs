//! The rows of the failure table: each fault, and what may be admitted at most.

use sluice_limiter::shared::{Mode, OnLoss, OnOutage};
use sluice_limiter::{Kind, Limit};

use crate::scenario::{Faults, MS, PLACES, SECOND, Scenario, places, quota, requests, tokens};
use crate::world::{Counts, World};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

fn seconds() -> u64 {
    number("SLUICE_SIMULATION_SECONDS", 12)
}

fn seeds() -> std::ops::RangeInclusive<u64> {
    match number("SLUICE_SIMULATION_SEED", 0) {
        0 => 1..=number("SLUICE_SIMULATION_SEEDS", 4),
        seed => seed..=seed,
    }
}

/// What may be admitted above the limit, for each limit.
type Extra = fn(&Limit) -> f64;

fn nothing(_: &Limit) -> f64 {
    0.0
}

fn once_more(limit: &Limit) -> f64 {
    limit.capacity as f64
}

/// Runs a scenario with all seeds, and checks the bound of each limit of each key.
fn check(scenario: &Scenario, extra: Extra) -> Counts {
    let mut last = Counts::default();
    for seed in seeds() {
        let what = format!("{} {:?}, seed {seed}", scenario.name, scenario.mode);
        let mut world = World::new(scenario.clone(), seed, seconds() * SECOND);
        world.run();
        check_bounds(&world, scenario, extra, &what);
        check_quiet(&mut world, scenario, &what);
        last = world.counts;
        if std::env::var("SLUICE_SIMULATION_PRINT").is_ok() {
            println!("{what}: {last:?}");
        }
    }
    last
}

fn check_bounds(world: &World, scenario: &Scenario, extra: Extra, what: &str) {
    let faults = &scenario.faults;
    let leases_end =
        faults.stalls_ns > scenario.lease_ns || faults.down.is_some() || faults.cut.is_some();
    for key in 0..scenario.keys {
        for limit in &scenario.limits {
            let bound = limit.capacity as f64 + extra(limit);
            for (how, log) in [("start", &world.by_start[key]), ("end", &world.by_end[key])] {
                let log = &log[limit.unit];
                // A reservation whose lease has ended was charged then, perhaps in the window before.
                let is_quota = matches!(limit.kind, Kind::Quota(_));
                if is_quota && leases_end && how == "end" {
                    continue;
                }
                let (peak, at) = match limit.kind {
                    Kind::Rate { units, ns } => log.peak(units, ns),
                    Kind::Quota(window) => {
                        let (sum, window) = log.busiest_window(window.longest());
                        (sum as f64, window)
                    }
                    Kind::Concurrency | Kind::Credit { .. } => continue,
                };
                // Steps of the store's clock are microseconds.
                assert!(
                    peak <= bound * (1.0 + 1e-9) + 1_000.0,
                    "{what}: key {key}, by {how}: {peak} of {bound} at {at}, {limit:?}"
                );
            }
            if limit.unit == PLACES {
                let most = world.most_places[key] as f64 * 1e6;
                assert!(most <= bound, "{what}: key {key}: {most} of {bound} places");
            }
        }
    }
}

/// At the end nothing waits, nothing is lent and no key has a session.
fn check_quiet(world: &mut World, scenario: &Scenario, what: &str) {
    // Each wait ends by its call, that of the call before it, or the end of a thread that made one.
    let most = 4 * scenario.timeout_ns + 50 * MS;
    assert!(
        world.counts.longest_wait_ns <= most,
        "{what}: waited {}",
        world.counts.longest_wait_ns
    );
    for (number, process) in world.processes.iter().enumerate() {
        let alive: Vec<_> = process.waiting.values().filter(|call| call.pair.is_none()).collect();
        assert!(process.open.is_empty(), "{what}: process {number} has {:?}", process.open);
        let stats = process.shared.stats(process.now(world.end_ns()));
        assert_eq!(
            (stats.sessions, stats.waiting),
            (0, 0),
            "{what}: {number}: {stats:?} {alive:?}"
        );
        let wound = process.shared.limiter().wind_down(1_000, process.now(world.end_ns()));
        assert!(wound, "{what}: process {number} has keys that are not idle");
    }
    for key in 0..scenario.keys {
        // The next call that is made about a key finds leases of processes that died.
        let fields = world.call_once(key);
        let lent = fields.iter().filter(|(field, _)| field.starts_with("l."));
        for (field, value) in lent {
            assert!(value.ends_with(" 0"), "{what}: key {key} has {field} {value}");
        }
    }
}

fn rough() -> Faults {
    Faults {
        lost: 10,
        doubled: 20,
        slow: 20,
        kills: true,
        stalls_ns: 300 * MS,
        thread_ends: true,
        bad_clocks: true,
        ..Faults::default()
    }
}

#[test]
fn without_failures_the_bound_is_that_of_one_machine() {
    for mode in [Mode::Exact, Mode::Auto, Mode::Leased] {
        for limits in
            [vec![requests()], vec![requests(), tokens(), places()], vec![quota(), places()]]
        {
            let scenario = Scenario { mode, ..Scenario::new("none", limits) };
            check(&scenario, nothing);
        }
    }
}

#[test]
fn kills_stalls_losses_and_wrong_clocks_admit_no_more() {
    for mode in [Mode::Exact, Mode::Auto, Mode::Leased] {
        for limits in [vec![requests(), tokens(), places()], vec![tokens(), quota()]] {
            let scenario = Scenario { mode, faults: rough(), ..Scenario::new("rough", limits) };
            check(&scenario, nothing);
        }
    }
}

#[test]
fn processes_that_stand_still_longer_than_a_lease_admit_no_more() {
    for mode in [Mode::Exact, Mode::Leased] {
        let faults = Faults { stalls_ns: 5 * SECOND, ..rough() };
        let limits = vec![requests(), tokens(), quota()];
        check(&Scenario { mode, faults, ..Scenario::new("stalls", limits) }, nothing);
    }
}

#[test]
fn short_leases_and_a_slow_network_admit_no_more() {
    // Renewals are late more often than not, so credit is spent to the end of its lease.
    for limits in [vec![requests()], vec![requests(), tokens()]] {
        let faults = Faults { lost: 200, slow: 500, ..Faults::default() };
        let scenario = Scenario {
            mode: Mode::Leased,
            lease_ns: 400 * MS,
            processes: 4,
            keys: 1,
            calls: 300,
            faults,
            ..Scenario::new("slow", limits)
        };
        check(&scenario, nothing);
    }
}

fn lossy(on_loss: OnLoss, mode: Mode) -> Scenario {
    let faults = Faults { down: Some((4 * SECOND, 5 * SECOND)), loses_state: true, ..rough() };
    let limits = vec![requests(), tokens()];
    Scenario { mode, on_loss, faults, ..Scenario::new("loss", limits) }
}

#[test]
fn after_a_loss_a_fresh_store_admits_the_burst_once_more() {
    for mode in [Mode::Exact, Mode::Leased] {
        check(&lossy(OnLoss::Fresh, mode), once_more);
    }
}

#[test]
fn after_a_loss_a_strict_store_admits_no_more() {
    for mode in [Mode::Exact, Mode::Leased] {
        check(&lossy(OnLoss::Strict, mode), nothing);
    }
}

fn cut_off(on_outage: OnOutage, cut: usize) -> Scenario {
    let faults = Faults { cut: Some((cut, 3 * SECOND, 8 * SECOND)), ..rough() };
    let limits = vec![requests(), tokens()];
    Scenario { on_outage, faults, ..Scenario::new("cut off", limits) }
}

#[test]
fn who_is_cut_off_and_closed_admits_no_more() {
    for mode in [Mode::Exact, Mode::Leased] {
        check(&Scenario { mode, ..cut_off(OnOutage::Closed, 2) }, nothing);
    }
}

/// All are cut off, or the store is away, and each goes on with its share.
#[test]
fn with_shares_all_that_are_cut_off_keep_the_limit() {
    for mode in [Mode::Exact, Mode::Auto, Mode::Leased] {
        let faults = Faults { down: Some((3 * SECOND, 9 * SECOND)), ..rough() };
        let scenario = Scenario { mode, faults, ..cut_off(OnOutage::Share, 0) };
        // Others may have credit of a lease while a share fills again.
        let counts = check(&scenario, |limit| refilled(limit, 2 * SECOND));
        assert!(counts.outage > 50, "shares were used: {counts:?}");
    }
}

#[test]
fn with_shares_some_that_are_cut_off_add_their_part_of_the_rate() {
    for mode in [Mode::Exact, Mode::Leased] {
        // Two of three for five seconds.
        let extra = |limit: &Limit| refilled(limit, 5 * SECOND) * 2.0 / 3.0;
        let counts = check(&Scenario { mode, ..cut_off(OnOutage::Share, 2) }, extra);
        assert!(counts.outage > 50, "shares were used: {counts:?}");
    }
}

/// What a rate refills in a time.
fn refilled(limit: &Limit, span: u64) -> f64 {
    let Kind::Rate { units, ns } = limit.kind else { return 0.0 };
    span as f64 * units as f64 / ns as f64
}

#[test]
fn a_share_of_a_quota_is_a_part_of_what_was_left() {
    for mode in [Mode::Exact, Mode::Leased] {
        let faults = Faults { down: Some((3 * SECOND, 8 * SECOND)), ..Faults::default() };
        let limits = vec![quota()];
        let on_outage = OnOutage::Share;
        let scenario = Scenario { mode, faults, on_outage, ..Scenario::new("quota", limits) };
        // At the return, the first to report may get what the others have not reported yet.
        check(&scenario, |limit| limit.capacity as f64 * 2.0 / 3.0);
    }
}

#[test]
fn places_of_who_is_cut_off_are_at_most_taken_twice() {
    for on_outage in [OnOutage::Share, OnOutage::Closed] {
        let faults = Faults { cut: Some((2, 3 * SECOND, 8 * SECOND)), ..rough() };
        let scenario = Scenario { faults, on_outage, ..Scenario::new("places", vec![places()]) };
        let scenario = Scenario { reserving: 80, ..scenario };
        if on_outage == OnOutage::Closed {
            check(&scenario, once_more);
        } else {
            // Besides, one that is cut off with nothing in use takes its share.
            check(&scenario, |limit| limit.capacity as f64 * 5.0 / 3.0);
        }
    }
}

#[test]
fn open_limits_admit_without_a_bound_and_report_it() {
    let faults = Faults { down: Some((3 * SECOND, 6 * SECOND)), ..Faults::default() };
    let on_outage = OnOutage::Open;
    let scenario = Scenario { faults, on_outage, ..Scenario::new("open", vec![requests()]) };
    let counts = check(&scenario, |limit| 100.0 * limit.capacity as f64);
    assert!(counts.outage > 1_000, "{counts:?}");
}

#[test]
fn when_nothing_fails_nothing_is_wasted() {
    for mode in [Mode::Exact, Mode::Auto, Mode::Leased] {
        let scenario = Scenario {
            mode,
            keys: 1,
            reserving: 0,
            pairing: 0,
            ..Scenario::new("utilisation", vec![requests()])
        };
        let mut world = World::new(scenario, 1, 20 * SECOND);
        world.run();
        // 100 at once and 100 a second. Half of the time, calls come at twice the rate.
        let used = world.by_start[0][0].total() as f64 / (2_100.0 * 1e6);
        assert!(used > 0.97, "{mode:?}: {used}");
    }
}
