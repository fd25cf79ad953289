//! What a shared limiter knows about itself and about a key: counts, credit, and the store's last
//! answer.

use std::sync::atomic::Ordering;

use crate::decision::Fault;
use crate::keys::key::Key;
use crate::limits::limit::UNLIMITED;
use crate::shared::shared_limiter::SharedLimiter;
use crate::shared::stats::SharedStats;
use crate::time::Now;

/// What this process knows of a key; amounts are in millionths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedKey {
    /// Each limit.
    pub limits: Vec<SharedStatus>,
    /// The processes that shared the key at the last answer; 0 if there was none.
    pub holders: u64,
    /// Nanoseconds since the store is out of reach; none if it is not.
    pub out_ns: Option<u64>,
    /// Decisions that wait.
    pub waiting: usize,
    /// When limits of the key were last set, in microseconds of the store's clock; 0 if it has none
    /// of its own.
    pub version: u64,
}

/// What this process knows of a key towards one limit; amounts are in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedStatus {
    /// The capacity at the last answer, or as configured.
    pub capacity: u64,
    /// What all processes had consumed or held at the last answer.
    pub fill: u64,
    /// The credit of this process that is free.
    pub credit: u64,
    /// Nanoseconds until that credit ends.
    pub credit_ns: u64,
    /// What open reservations of this process hold.
    pub held: u64,
    /// What this process has spent and not reported.
    pub unreported: u64,
    /// What this process may expect to take: its credit and its part of the room at the last answer.
    pub remaining: u64,
}

impl SharedLimiter {
    /// What this process knows of a key. [`Key::NONE`] stands for a name that has no key yet.
    /// O(limits).
    ///
    /// # Errors
    /// [`Fault::Stale`].
    pub fn inspect(&self, key: Key, now: Now) -> Result<SharedKey, Fault> {
        let mut limits: Vec<SharedStatus> = (self.definitions().iter())
            .map(|limit| SharedStatus {
                capacity: limit.capacity,
                fill: 0,
                credit: 0,
                credit_ns: 0,
                held: 0,
                unreported: 0,
                remaining: limit.capacity,
            })
            .collect();
        let mut known =
            SharedKey { limits: Vec::new(), holders: 0, out_ns: None, waiting: 0, version: 0 };
        if key != Key::NONE {
            let seen = self.sessions.find(key, |session| {
                known.holders = session.holders;
                known.version = session.version;
                known.out_ns =
                    session.outage.as_ref().map(|outage| now.ns.saturating_sub(outage.since_ns()));
                let under_way = session.flight.iter().map(|flight| flight.batch.len());
                known.waiting = session.line.len() + under_way.sum::<usize>();
                for (status, limit) in limits.iter_mut().zip(&session.limits) {
                    (status.capacity, status.fill) = (limit.capacity, limit.fill);
                }
                self.core.limiter.update_credit(key, now, |limit, credit| {
                    let account = &session.limits[limit].account;
                    limits[limit].credit = account.reserve();
                    limits[limit].unreported = account.spent(credit);
                })
            });
            seen.unwrap_or(Ok(()))?;
            self.core.limiter.update_credit(key, now, |limit, credit| {
                let status = &mut limits[limit];
                status.held = credit.held;
                status.credit_ns = credit.until_ns.saturating_sub(now.ns);
                let free = u64::try_from(credit.balance).unwrap_or(0).saturating_sub(credit.held);
                status.credit = if status.credit_ns == 0 { 0 } else { status.credit + free };
                let room = status.capacity.saturating_sub(status.fill) / known.holders.max(1);
                status.remaining = if status.capacity == UNLIMITED {
                    UNLIMITED
                } else {
                    room.saturating_add(status.credit)
                };
            })?;
        }
        Ok(SharedKey { limits, ..known })
    }

    /// Counts of the limiter, and what it holds. O(keys with a session).
    #[must_use]
    pub fn stats(&self, now: Now) -> SharedStats {
        let counts = &self.core.counts;
        let nanosecond = |ns: u64| (ns > 0).then_some(ns);
        let zeros = || vec![0; self.definitions().len()];
        let mut stats = SharedStats {
            failing_since_ns: nanosecond(counts.failing_since_ns.load(Ordering::Relaxed)),
            last_answer_ns: nanosecond(counts.last_answer_ns.load(Ordering::Relaxed)),
            holders: counts.holders.load(Ordering::Relaxed),
            calls: counts.calls.load(Ordering::Relaxed),
            credit: counts.credit.load(Ordering::Relaxed),
            store: counts.store.load(Ordering::Relaxed),
            outage: counts.outage.load(Ordering::Relaxed),
            waiting: self.core.mailboxes.waiting(),
            round_trip_us: counts.round_trips(),
            leased: zeros(),
            unreported: zeros(),
            over_bound: zeros(),
            clock_jumps: counts.clock_jumps.load(Ordering::Relaxed),
            lost_epochs: counts.lost_epochs.load(Ordering::Relaxed),
            ..SharedStats::default()
        };
        self.sessions.each(|session| {
            stats.sessions += 1;
            if let Some(outage) = &session.outage {
                stats.out += 1;
                for (limit, over) in stats.over_bound.iter_mut().enumerate() {
                    *over = over.saturating_add(outage.admitted(limit));
                }
            }
            // A forgotten key holds nothing.
            let _ = self.core.limiter.update_credit(session.key, now, |limit, credit| {
                let account = &session.limits[limit].account;
                let (leased, unreported) = (&mut stats.leased[limit], &mut stats.unreported[limit]);
                *leased = leased.saturating_add(account.granted());
                *unreported = unreported.saturating_add(account.spent(credit));
            });
        });
        stats
    }
}
