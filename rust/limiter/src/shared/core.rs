//! What all keys of a shared limiter have in common: limits and settings, mailboxes and deadlines,
//! the sequence of calls and the store's clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::limiter::Limiter;
use crate::limits::limit::{Kind, Limit};
use crate::reservations::reservation::Actual;
use crate::shared::deadlines::Deadlines;
use crate::shared::mailboxes::Mailboxes;
use crate::shared::outcome::{Answer, Chores, Given, Source, Ticket};
use crate::shared::plan::Plan;
use crate::shared::settings::{Mode, Settings};
use crate::shared::stats::Counts;
use crate::time::Now;

/// The time in which credit asked for ahead is spent, in nanoseconds.
const AHEAD_NS: u64 = 250_000_000;

/// The part of a shared limiter that has no keys. Its locks are leaves: nothing is locked under them.
pub(crate) struct Core {
    pub(crate) limiter: Arc<Limiter>,
    pub(crate) limits: Vec<SharedLimit>,
    pub(crate) settings: Settings,
    pub(crate) mailboxes: Mailboxes,
    pub(crate) deadlines: Deadlines,
    pub(crate) counts: Counts,
    seq: AtomicU64,
    clock: Mutex<Option<ServerClock>>,
}

/// A limit, and how it is written on the wire.
#[derive(Clone, Debug)]
pub(crate) struct SharedLimit {
    pub(crate) definition: Limit,
    pub(crate) plan: Plan,
    pub(crate) name: String,
}

/// The store's time at a moment of the limiter's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerClock {
    pub(crate) server_us: u64,
    pub(crate) at_ns: u64,
}

impl Core {
    pub(crate) fn new(limiter: Arc<Limiter>, limits: Vec<SharedLimit>, settings: Settings) -> Self {
        Self {
            limiter,
            limits,
            settings,
            mailboxes: Mailboxes::default(),
            deadlines: Deadlines::default(),
            counts: Counts::default(),
            seq: AtomicU64::new(0),
            clock: Mutex::new(None),
        }
    }

    /// The number of the next call.
    pub(crate) fn next_seq(&self) -> u64 {
        self.seq.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// How many mean calls have to be expected before credit is asked for ahead; none in exact mode.
    pub(crate) fn calls_ahead(&self) -> Option<u32> {
        match self.settings.mode {
            Mode::Exact => None,
            Mode::Leased => Some(1),
            Mode::Auto => Some(3),
        }
    }

    pub(crate) fn ahead_ns(&self) -> u64 {
        AHEAD_NS
    }

    /// The lease time as the process counts it, from the moment before the first sending. It ends
    /// before the store's, even if this clock is slow by a thousandth.
    pub(crate) fn own_lease_ns(&self) -> u64 {
        let lease_ns = self.settings.lease_ns;
        (lease_ns - lease_ns / 1000).saturating_sub(1_000_000)
    }

    /// The store's time; before the first answer, that of the process.
    pub(crate) fn server_ns(&self, own: Option<ServerClock>, now: Now) -> i64 {
        let lately = || *self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        own.or_else(lately).map_or(now.wall_ns, |clock| clock.at(now.ns))
    }

    pub(crate) fn set_clock(&self, clock: ServerClock) {
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner) = Some(clock);
    }

    /// Delivers an answer. If no caller waits for it any more, a reservation is cancelled.
    pub(crate) fn deliver(
        &self,
        ticket: Ticket,
        given: Given,
        source: Source,
        now: Now,
        chores: &mut Chores,
    ) {
        match self.mailboxes.deliver(Answer { ticket, given, source }) {
            Ok(owner) => {
                self.counts.decided(source);
                chores.owners.extend(owner);
            }
            Err(Answer { given: Given::Reserved(id), .. }) => {
                // It may have expired meanwhile.
                let _ = self.limiter.settle(id, Actual::Nothing, now);
            }
            Err(_) => {}
        }
    }

    pub(crate) fn is_concurrency(&self, limit: usize) -> bool {
        matches!(self.limits[limit].definition.kind, Kind::Concurrency)
    }
}

impl SharedLimit {
    /// The credit that the store lends for a reservation of these costs, in millionths.
    pub(crate) fn lent(&self, costs: &[u64]) -> u64 {
        self.plan.millionths(self.plan.cost(costs[self.definition.unit]))
    }
}

impl ServerClock {
    /// The store's time at a later moment.
    pub(crate) fn at(self, now_ns: u64) -> i64 {
        let passed = i64::try_from(now_ns.saturating_sub(self.at_ns)).unwrap_or(i64::MAX);
        let server_ns = i64::try_from(self.server_us).unwrap_or(i64::MAX).saturating_mul(1000);
        server_ns.saturating_add(passed)
    }
}
