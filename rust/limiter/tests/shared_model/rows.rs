//! The rows of the failure table: which events a world has, and the bound that holds then.

use super::world::{Outage, World};

/// A row with its bound in words; `B` is the burst, `c` the limit of concurrency.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) bound: &'static str,
    pub(crate) world: World,
}

const fn row(name: &'static str, bound: &'static str, world: World) -> Row {
    Row { name, bound, world }
}

const RATE: World = World::RATE;
const QUOTA: World = World::QUOTA;
const LIVE: World = World { aborts: true, ..World::CONCURRENCY };

/// The smallest world: one unit.
const fn one(world: World) -> World {
    World { burst: 1, want: 1, bound: 1, ..world }
}

pub(crate) const ROWS: &[Row] = &[
    row("rate", "B", RATE),
    row("rate, B = 3", "B", World { burst: 3, bound: 3, ..RATE }),
    row(
        "rate, B = 3, half grants",
        "B",
        World { burst: 3, want: 3, bound: 3, halves: true, ..RATE },
    ),
    row("rate, lease of 3", "B", World { lease: 3, ..RATE }),
    row("rate, crash", "B", World { crash: true, ..RATE }),
    row("rate, answers lost and sent again", "B", World { resends: true, ..RATE }),
    row("rate, old copies", "B", World { copies: true, ..RATE }),
    row("rate, bye", "B", World { bye: true, ..RATE }),
    row("rate, reservations", "B", World { reserves: true, ..RATE }),
    row("rate, server clock back", "B", World { step_back: true, ..RATE }),
    row(
        "rate, server clock forward by D",
        "B + min(B, R*D)",
        World { step_forward: true, bound: 3, ..RATE },
    ),
    row(
        "rate, clock of a process stops",
        "2B",
        World { freeze: true, halves: true, bound: 4, ..RATE },
    ),
    row("rate, state lost, fresh", "2B", World { loss: true, bound: 4, ..RATE }),
    row("rate, state lost, strict", "B", World { loss: true, strict: true, ..RATE }),
    row(
        "rate, state lost, strict, bye",
        "B",
        World { loss: true, strict: true, bye: true, ..RATE },
    ),
    row(
        "rate, state lost, strict, crash",
        "B",
        World { loss: true, strict: true, crash: true, ..RATE },
    ),
    row("rate, failover to an older state", "2B", World { failover: true, bound: 4, ..RATE }),
    row("rate, outage, closed", "B", World { down: true, ..RATE }),
    row("rate, outage, share", "2B", World { down: true, outage: Outage::Share, bound: 4, ..RATE }),
    row(
        "rate, B = 1, copies and answers lost",
        "B",
        one(World { copies: true, resends: true, ..RATE }),
    ),
    row(
        "rate, B = 1, all of the network, crash, bye",
        "B",
        one(World { copies: true, resends: true, crash: true, bye: true, ..RATE }),
    ),
    row(
        "rate, B = 1, reservations, copies",
        "B",
        one(World { reserves: true, copies: true, ..RATE }),
    ),
    row(
        "rate, B = 1, strict, copies",
        "B",
        one(World { loss: true, strict: true, copies: true, ..RATE }),
    ),
    row("quota", "B", QUOTA),
    row("quota, crash", "B", World { crash: true, ..QUOTA }),
    row("quota, answers lost and sent again", "B", World { resends: true, ..QUOTA }),
    row("quota, old copies", "B", World { copies: true, ..QUOTA }),
    row("quota, reservations", "B", World { reserves: true, ..QUOTA }),
    row(
        "quota, B = 1, copies and answers lost",
        "B",
        one(World { copies: true, resends: true, ..QUOTA }),
    ),
    row("quota, state lost, fresh", "2B", World { loss: true, bound: 4, ..QUOTA }),
    row("quota, state lost, strict", "2B", World { loss: true, strict: true, bound: 4, ..QUOTA }),
    row("quota, failover to an older state", "2B", World { failover: true, bound: 4, ..QUOTA }),
    row("concurrency, ended with the lease", "c", LIVE),
    row("concurrency, ended with the lease, crash", "c", World { crash: true, ..LIVE }),
    row(
        "concurrency, ended with the lease, network",
        "c",
        World { copies: true, resends: true, ..LIVE },
    ),
    row("concurrency, ended with the lease, bye", "c", World { bye: true, ..LIVE }),
    row("concurrency, not ended with the lease", "2c", World { aborts: false, bound: 4, ..LIVE }),
    row("concurrency, state lost, fresh", "2c", World { loss: true, bound: 4, ..LIVE }),
    row("concurrency, state lost, strict", "c", World { loss: true, strict: true, ..LIVE }),
];
