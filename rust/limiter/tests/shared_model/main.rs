//! Exhaustive model check of the protocol of shared limits: breadth-first search over all
//! orders of what two processes, a store, a network that delays, repeats and loses, and clocks can do,
//! in a world of single units.
//!
//! What is checked in every state is the leaky queue of what was truly admitted: it is at most `B`
//! exactly if every window `W` admits at most `B + R*W`. `SLUICE_MODEL_STATES` sets how many states
//! are searched for each row.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod bits;
mod heal;
mod mutations;
mod process;
mod rows;
mod search;
mod server;
mod state;
mod steps;
mod twin;
mod world;

use std::time::Instant;

use rows::ROWS;
use search::{Search, search};

/// Each row of the failure table keeps its bound, and from each state a network that heals answers
/// all requests and brings all credit back.
#[test]
fn every_row_keeps_its_bound() {
    let set = |name: &str| std::env::var(name).ok();
    let most = set("SLUICE_MODEL_STATES").and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let only = set("SLUICE_MODEL_ROW").unwrap_or_default();
    for row in ROWS.iter().filter(|row| row.name.contains(&only)) {
        let started = Instant::now();
        let found = search(&row.world, Search { most, is_worst: false, heals: true, start: &[] });
        println!(
            "{}: {} states{}, worst {} of {} = {}, {:.1} s",
            row.name,
            found.states,
            if found.is_complete { ", all of them" } else { "" },
            found.worst,
            row.world.bound,
            row.bound,
            started.elapsed().as_secs_f64(),
        );
        assert_eq!(found.violation, None, "{}", row.name);
    }
}
