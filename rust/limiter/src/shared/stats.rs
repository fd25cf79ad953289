//! Counts of a shared limiter, and a ring of its last round trips.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::shared::outcome::Source;

/// How many round trips the percentiles are of.
const ROUND_TRIPS: usize = 512;

#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) calls: AtomicU64,
    pub(crate) credit: AtomicU64,
    pub(crate) store: AtomicU64,
    pub(crate) outage: AtomicU64,
    pub(crate) lost_epochs: AtomicU64,
    pub(crate) clock_jumps: AtomicU64,
    /// The moment of the last answer, and of the last failure after it (0 if there was none).
    pub(crate) last_answer_ns: AtomicU64,
    pub(crate) failing_since_ns: AtomicU64,
    pub(crate) holders: AtomicU64,
    round_trips: Mutex<Ring>,
}

#[derive(Default)]
struct Ring {
    us: Vec<u32>,
    next: usize,
}

/// The state of a shared limiter. Times are in nanoseconds of its clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SharedStats {
    /// Keys that hold credit, wait or are in an outage.
    pub sessions: usize,
    /// Of these, keys for which the store is out of reach.
    pub out: usize,
    /// Since when calls fail without an answer in between; none if they do not.
    pub failing_since_ns: Option<u64>,
    /// When the last answer came; none if none did.
    pub last_answer_ns: Option<u64>,
    /// The processes that shared a key at the last answer.
    pub holders: u64,
    /// Calls to the store, repeated ones included.
    pub calls: u64,
    /// Decisions from credit that [`SharedLimiter`](super::SharedLimiter) made itself. Those that
    /// the credit of [`SharedLimiter::limiter`](super::SharedLimiter::limiter) made are not counted.
    pub credit: u64,
    /// Decisions of the store.
    pub store: u64,
    /// Decisions by the rules for an outage.
    pub outage: u64,
    /// Decisions that wait.
    pub waiting: usize,
    /// The median round trip and the one that 1 % exceed, in microseconds.
    pub round_trip_us: (u32, u32),
    /// For each limit: what this process holds of it, in millionths.
    pub leased: Vec<u64>,
    /// For each limit: what this process has spent and not reported.
    pub unreported: Vec<u64>,
    /// For each limit: what was admitted in outages that are not over, without credit.
    pub over_bound: Vec<u64>,
    /// How often the store's clock went another way than that of the process, by more than a tenth of a second.
    pub clock_jumps: u64,
    /// How often a key met a store that had lost its state.
    pub lost_epochs: u64,
}

impl Counts {
    pub(crate) fn decided(&self, source: Source) {
        let count = match source {
            Source::Credit => &self.credit,
            Source::Store => &self.store,
            Source::Outage => &self.outage,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn called(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn lost(&self) {
        self.lost_epochs.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn clock_jumped(&self) {
        self.clock_jumps.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn set_holders(&self, holders: u64) {
        self.holders.store(holders, Ordering::Relaxed);
    }

    pub(crate) fn answered(&self, sent_ns: u64, now_ns: u64) {
        self.last_answer_ns.store(now_ns.max(1), Ordering::Relaxed);
        self.failing_since_ns.store(0, Ordering::Relaxed);
        let us = u32::try_from(now_ns.saturating_sub(sent_ns) / 1000).unwrap_or(u32::MAX);
        let mut ring = self.round_trips.lock().unwrap_or_else(PoisonError::into_inner);
        let next = ring.next;
        match ring.us.get_mut(next) {
            Some(oldest) => *oldest = us,
            None => ring.us.push(us),
        }
        ring.next = (next + 1) % ROUND_TRIPS;
    }

    pub(crate) fn failed(&self, now_ns: u64) {
        let since = &self.failing_since_ns;
        let _ = since.compare_exchange(0, now_ns.max(1), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// The median and the 99th percentile.
    pub(crate) fn round_trips(&self) -> (u32, u32) {
        let mut us = self.round_trips.lock().unwrap_or_else(PoisonError::into_inner).us.clone();
        us.sort_unstable();
        let at = |percent: usize| us.get((us.len() * percent / 100).min(us.len().max(1) - 1));
        (at(50).copied().unwrap_or(0), at(99).copied().unwrap_or(0))
    }
}
