//! One process of the simulation: the real limiter, with clocks and threads of its own.

use std::collections::HashMap;
use std::sync::Arc;

use sluice_limiter::shared::{Settings, SharedLimiter, Ticket};
use sluice_limiter::{Book, Config, Key, Now, ReservationId};

use crate::scenario::{SECOND, Scenario, UNITS};

/// The first moment of all clocks: 2024-01-01, so that windows begin at whole multiples.
pub(crate) const ORIGIN_NS: u64 = 1_704_067_200 * SECOND;
/// Threads of a process.
pub(crate) const OWNERS: u32 = 3;

pub(crate) struct Process {
    pub(crate) shared: SharedLimiter,
    pub(crate) book: Arc<Book>,
    /// Counts the starts: an event for an earlier one is void.
    pub(crate) life: u64,
    pub(crate) owners: Vec<u32>,
    pub(crate) stalled_until: u64,
    /// Millionths by which its clock is fast, and by how much its wall clock is wrong.
    pub(crate) drift: i64,
    pub(crate) wall_off_ns: i64,
    pub(crate) waiting: HashMap<Ticket, Pending>,
    pub(crate) open: Vec<Open>,
}

/// A call without its answer.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) key: usize,
    pub(crate) costs: [u64; UNITS],
    pub(crate) actual: [u64; UNITS],
    pub(crate) reserves: bool,
    /// Of a call at two keys: its number.
    pub(crate) pair: Option<u64>,
    pub(crate) since: u64,
}

/// An open reservation.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    pub(crate) id: ReservationId,
    pub(crate) call: Pending,
    /// Counts reservations of the run.
    pub(crate) number: u64,
}

impl Process {
    pub(crate) fn start(
        scenario: &Scenario,
        number: usize,
        life: u64,
        drift: i64,
        wall: i64,
    ) -> Self {
        let names = ["requests", "tokens", "places", "more"];
        let settings = Settings {
            mode: scenario.mode,
            on_loss: scenario.on_loss,
            on_outage: vec![scenario.on_outage; scenario.limits.len()],
            processes: scenario.processes as u32,
            lease_ns: scenario.lease_ns,
            timeout_ns: scenario.timeout_ns,
            process: format!("p{number}x{life}"),
            stamp: "s".into(),
            names: (0..scenario.limits.len()).map(|at| names[at].into()).collect(),
        };
        let book = Arc::new(Book::new());
        let config =
            Config { limits: scenario.limits.clone().into(), units: UNITS, max_keys: 1000 };
        let shared = SharedLimiter::new(config, settings, [7; 16], Arc::clone(&book));
        Self {
            shared: shared.expect("limits that can be shared"),
            book,
            life,
            owners: (0..OWNERS).collect(),
            stalled_until: 0,
            drift,
            wall_off_ns: wall,
            waiting: HashMap::new(),
            open: Vec::new(),
        }
    }

    pub(crate) fn now(&self, at_ns: u64) -> Now {
        let at = (ORIGIN_NS + at_ns).cast_signed();
        let drifted = at_ns.cast_signed() / 1_000_000 * self.drift;
        // Its clock began an hour ago.
        let ns = (3_600 * SECOND + at_ns).saturating_add_signed(drifted);
        Now { ns, wall_ns: at + drifted + self.wall_off_ns }
    }

    pub(crate) fn key(&self, key: usize, at_ns: u64) -> Key {
        self.shared.limiter().key(name(key).as_bytes(), self.now(at_ns)).expect("room")
    }
}

pub(crate) fn name(key: usize) -> String {
    format!("key{key}")
}
