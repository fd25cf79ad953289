//! The state machine of one key in one process: cold, asking, leased, or cut off from the store.
//!
//! A session begins with the first decision that credit does not cover, and ends when nothing is
//! lent, owed, asked or cached any more. Until then it pins its slot, so that the key is not
//! evicted.
//!
//! Everything here runs under the session's lock. Slots are locked under it, never the other way
//! round.

use std::collections::VecDeque;

use smallvec::SmallVec;

use crate::decision::{Denial, Fault};
use crate::keys::key::Key;
use crate::limits::credit::Credit;
use crate::limits::limit::Refusal;
use crate::shared::account::Account;
use crate::shared::core::{Core, ServerClock};
use crate::shared::demand::Demand;
use crate::shared::outage::{Known, Outage};
use crate::shared::outcome::{Chores, Given, Source, Ticket, Want};
use crate::shared::settings::{Mode, OnOutage};
use crate::time::Now;

/// Refills are at least this far apart, in nanoseconds.
pub(crate) const PACE_NS: u64 = 10_000_000;

/// The state of one key.
pub(crate) struct Session {
    pub(crate) key: Key,
    pub(crate) name: Box<[u8]>,
    /// Whether it was removed from the map: a thread that has found it before has to look again.
    pub(crate) is_dropped: bool,
    pub(crate) limits: SmallVec<[LimitSession; 2]>,
    pub(crate) flight: Option<Flight>,
    pub(crate) line: VecDeque<Waiter>,
    pub(crate) demand: Demand,
    pub(crate) outage: Option<Outage>,
    pub(crate) clock: Option<ServerClock>,
    pub(crate) epoch: u64,
    pub(crate) holders: u64,
    /// When limits of the key were last set at run time, by the store's clock; 0 if it has none.
    pub(crate) version: u64,
    /// When the lease ends, by the clock of the process.
    pub(crate) until_ns: u64,
    /// When to report and renew, if there is something to.
    pub(crate) renew_ns: Option<u64>,
    pub(crate) last_call_ns: u64,
    pub(crate) last_used_ns: u64,
    /// Whether credit has run short since the last call.
    pub(crate) wants_refill: bool,
    pub(crate) is_leaving: bool,
    pub(crate) has_left: bool,
    /// Answers in a row that were about the clock only.
    pub(crate) clock_answers: u32,
    pub(crate) deadline_ns: Option<u64>,
}

/// One limit of a session.
#[derive(Clone, Debug)]
pub(crate) struct LimitSession {
    pub(crate) account: Account,
    pub(crate) refusal: Option<CachedRefusal>,
    /// The capacity in effect and what was consumed or lent, at the last answer.
    pub(crate) capacity: u64,
    pub(crate) fill: u64,
    /// What reservations held at the last report, and what was lent to new ones since.
    pub(crate) held: u64,
}

/// A refusal of the store that holds for a while.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CachedRefusal {
    /// The least cost that is refused.
    pub(crate) cost: u64,
    pub(crate) until_ns: u64,
    /// With the wait from `at_ns` on.
    pub(crate) refusal: Refusal,
    pub(crate) at_ns: u64,
}

/// A decision that waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiter {
    pub(crate) ticket: Ticket,
    pub(crate) costs: SmallVec<[u64; 2]>,
    pub(crate) want: Want,
    pub(crate) owner: u32,
}

/// A call under way.
#[derive(Clone, Debug)]
pub(crate) struct Flight {
    pub(crate) seq: u64,
    pub(crate) args: String,
    pub(crate) first_sent_ns: u64,
    pub(crate) sent_ns: u64,
    pub(crate) owner: u32,
    pub(crate) is_orphan: bool,
    /// Whether the store will not accept it, so that a new one has to be made.
    pub(crate) is_void: bool,
    pub(crate) is_leaving: bool,
    pub(crate) batch: Vec<Waiter>,
    /// Quotas: the end of the window for each limit, 0 for other kinds.
    pub(crate) window_ends_us: SmallVec<[u64; 2]>,
}

/// A decision that does not wait, or the limit that only the store can decide about.
pub(crate) enum Decision {
    Made(Given, Source),
    Ask(Denial),
}

impl Session {
    pub(crate) fn new(core: &Core, key: Key, name: &[u8], now: Now) -> Self {
        let limits = core.limits.iter().map(|limit| LimitSession {
            account: Account::default(),
            refusal: None,
            capacity: limit.definition.capacity,
            fill: 0,
            held: 0,
        });
        Self {
            key,
            name: name.into(),
            is_dropped: false,
            limits: limits.collect(),
            flight: None,
            line: VecDeque::new(),
            demand: Demand::new(core.limiter.units(), now.ns),
            outage: None,
            clock: None,
            epoch: 0,
            holders: 0,
            version: 0,
            until_ns: 0,
            renew_ns: None,
            last_call_ns: 0,
            last_used_ns: now.ns,
            wants_refill: false,
            is_leaving: false,
            has_left: false,
            clock_answers: 0,
            deadline_ns: None,
        }
    }

    /// Decides without waiting, if that is possible: from credit, from a cached refusal, or by the
    /// rules for an outage. O(limits).
    pub(crate) fn decide(
        &mut self,
        core: &Core,
        costs: &[u64],
        want: Want,
        owner: u32,
        now: Now,
    ) -> Result<Decision, Fault> {
        self.last_used_ns = now.ns;
        self.has_left = false;
        let (mut was_short, mut has_free) = (false, false);
        core.limiter.update_credit(self.key, now, |limit, credit| {
            was_short |= self.limits[limit].account.release_reserve(credit);
            has_free |= credit.balance > i64::try_from(credit.held).unwrap_or(i64::MAX);
        })?;
        self.wants_refill |= was_short;
        let denial = match want {
            Want::Take => match core.limiter.take(self.key, costs, now)? {
                None => return Ok(Decision::Made(Given::Taken, Source::Credit)),
                Some(denial) => denial,
            },
            Want::Reserve { ttl_ns } => {
                match core.limiter.reserve(self.key, costs, owner, ttl_ns, now)? {
                    Ok(id) => return Ok(Decision::Made(Given::Reserved(id), Source::Credit)),
                    Err(denial) => denial,
                }
            }
        };
        if denial.refusal != Refusal::Lease {
            return Ok(Decision::Made(Given::Refused(denial), Source::Credit));
        }
        self.wants_refill = true;
        // Without prefetch, free credit is what reservations of this process gave back after the store
        // has refused.
        let is_outdated = has_free && core.settings.mode == Mode::Exact;
        if !is_outdated && let Some(denial) = self.cached(core, costs, now) {
            return Ok(Decision::Made(Given::Refused(denial), Source::Store));
        }
        if self.outage.is_some() {
            let given = self.decide_in_outage(core, costs, want, owner, now)?;
            return Ok(Decision::Made(given, Source::Outage));
        }
        Ok(Decision::Ask(denial))
    }

    /// A refusal of the store that still holds.
    fn cached(&self, core: &Core, costs: &[u64], now: Now) -> Option<Denial> {
        // A cost above a capacity may never fit: only the store knows.
        let is_beyond = (self.limits.iter().zip(&core.limits))
            .any(|(session, shared)| costs[shared.definition.unit] > session.capacity);
        let mut worst: Option<Denial> = None;
        for (limit, (session, shared)) in self.limits.iter().zip(&core.limits).enumerate() {
            let Some(cached) = session.refusal else { continue };
            let is_known = !is_beyond || cached.refusal == Refusal::Never;
            let cost = costs[shared.definition.unit];
            if now.ns >= cached.until_ns || cost < cached.cost || !is_known {
                continue;
            }
            let refusal = match cached.refusal {
                Refusal::Until(ns) => {
                    Refusal::Until(ns.saturating_sub(now.ns.saturating_sub(cached.at_ns)).max(1))
                }
                refusal => refusal,
            };
            if worst.is_none_or(|worst| worst.refusal < refusal) {
                worst = Some(Denial { limit, refusal });
            }
        }
        worst
    }

    /// Begins an outage, unless one is under way.
    pub(crate) fn begin_outage(&mut self, core: &Core, now: Now) {
        if self.outage.is_some() {
            return;
        }
        let server_ns = core.server_ns(self.clock, now);
        let processes = self.holders.max(core.settings.processes.into());
        let limits = self.limits.iter().zip(&core.limits).zip(&core.settings.on_outage).map(
            |((session, shared), &policy)| {
                let LimitSession { capacity, fill, .. } = *session;
                (shared.definition, Known { capacity, fill, processes, policy })
            },
        );
        self.outage = Some(Outage::new(limits, now, server_ns));
    }

    /// Decides by the rules for an outage, which is under way. O(limits).
    pub(crate) fn decide_in_outage(
        &mut self,
        core: &Core,
        costs: &[u64],
        want: Want,
        owner: u32,
        now: Now,
    ) -> Result<Given, Fault> {
        let server_ns = core.server_ns(self.clock, now);
        let Self { outage: Some(outage), limits, until_ns, key, .. } = self else {
            return Err(Fault::Stale(0));
        };
        let closes = outage.is_closed() || now.ns >= *until_ns || want != Want::Take;
        let mut held: SmallVec<[u64; 4]> = SmallVec::new();
        core.limiter.update_credit(*key, now, |limit, credit| {
            held.push(credit.held);
            if closes {
                outage.observe(limit, &mut limits[limit].account, credit);
            }
        })?;
        if closes {
            outage.close();
        }
        if let Some(denial) = outage.check(costs, &held, now, server_ns) {
            return Ok(Given::Refused(denial));
        }
        let Want::Reserve { ttl_ns } = want else {
            outage.charge(costs);
            return Ok(Given::Taken);
        };
        let lend = |limit: usize, credit: &mut Credit| {
            let cost = costs[core.limits[limit].definition.unit];
            limits[limit].account.lend_in_outage(credit, cost);
            outage.lend(limit, cost);
        };
        core.limiter.hold_granted(*key, costs, owner, ttl_ns, now, lend).map(Given::Reserved)
    }

    /// Whether there is something to ask or to report now, beside a call under way. O(limits).
    pub(crate) fn has_reason(&self, core: &Core, now: Now) -> bool {
        if self.flight.is_some() {
            return false;
        }
        !self.line.is_empty()
            || self.is_leaving
            || self.limits.iter().any(|limit| limit.account.has_outage_debt())
            || self.renew_ns.is_some_and(|at| now.ns >= at)
            || (now.ns >= self.last_call_ns.saturating_add(PACE_NS)
                && self.has_use_for_refill(core, now))
    }

    /// Whether credit has run short, and it pays to ask for it ahead.
    fn has_use_for_refill(&self, core: &Core, now: Now) -> bool {
        self.wants_refill && (0..self.limits.len()).any(|limit| self.ahead(core, limit, now) > 0)
    }

    /// Whether there is a call to make now: a new one, or that under way again. O(limits).
    pub(crate) fn is_due(&self, core: &Core, now: Now) -> bool {
        if self.flight.is_some() {
            now.ns >= self.deadline_ns(core, now)
        } else {
            self.has_reason(core, now)
        }
    }

    /// Takes a decision out of the line and decides it by the rules for an outage; if the store is
    /// within reach, only limits that are open then admit. Returns whether it waited.
    pub(crate) fn expire(&mut self, core: &Core, ticket: Ticket, now: Now) -> bool {
        let under_way = self.flight.iter().flat_map(|flight| &flight.batch);
        let Some(waiter) =
            self.line.iter().chain(under_way).find(|it| it.ticket == ticket).cloned()
        else {
            return false;
        };
        let Waiter { ref costs, want, owner, .. } = waiter;
        let given = if self.outage.is_some() {
            self.decide_in_outage(core, costs, want, owner, now).unwrap_or_else(Given::Failed)
        } else {
            self.decide_as_in_outage(core, costs, want, owner, now)
        };
        core.deliver(waiter.ticket, given, Source::Outage, now, &mut Chores::default());
        self.line.retain(|waiter| waiter.ticket != ticket);
        true
    }

    /// Admits if all limits concerned admit everything in an outage.
    fn decide_as_in_outage(
        &mut self,
        core: &Core,
        costs: &[u64],
        want: Want,
        owner: u32,
        now: Now,
    ) -> Given {
        let limits = core.limits.iter().zip(&core.settings.on_outage);
        let refuses = limits.enumerate().find(|(_, (shared, policy))| {
            costs[shared.definition.unit] > 0 && **policy != OnOutage::Open
        });
        if let Some((limit, _)) = refuses {
            let refusal = Refusal::Until(core.settings.timeout_ns.max(1_000_000));
            return Given::Refused(Denial { limit, refusal });
        }
        match want {
            Want::Take => {
                for (session, shared) in self.limits.iter_mut().zip(&core.limits) {
                    session.account.owe(costs[shared.definition.unit]);
                }
                Given::Taken
            }
            // What it spends is reported when it ends.
            Want::Reserve { ttl_ns } => {
                let held =
                    core.limiter.hold_granted(self.key, costs, owner, ttl_ns, now, |_, _| {});
                held.map_or_else(Given::Failed, Given::Reserved)
            }
        }
    }

    /// How much credit the process would like to have of a limit beside its reservations.
    pub(crate) fn ahead(&self, core: &Core, limit: usize, now: Now) -> u64 {
        let Some(calls) = core.calls_ahead() else { return 0 };
        let unit = core.limits[limit].definition.unit;
        let ahead = self.demand.ahead(unit, core.ahead_ns(), calls, now.ns);
        ahead.min(self.limits[limit].capacity)
    }

    /// Whether the session has nothing left to do, so that it can be dropped. O(limits).
    pub(crate) fn is_over(&mut self, core: &Core, now: Now) -> bool {
        let is_cached =
            |limit: &LimitSession| limit.refusal.is_some_and(|refusal| now.ns < refusal.until_ns);
        if !self.line.is_empty()
            || self.is_leaving
            || now.ns < self.last_used_ns.saturating_add(core.settings.lease_ns)
            || self.limits.iter().any(is_cached)
        {
            return false;
        }
        let Self { limits, outage, flight, key, has_left, until_ns, renew_ns, .. } = self;
        let (mut is_settled, mut owes) = (true, false);
        let credit = core.limiter.update_credit(*key, now, |limit, credit| {
            let account = &limits[limit].account;
            is_settled &= if *has_left || outage.is_some() {
                credit.held == 0
            } else {
                account.is_settled(credit)
            };
            // More than was charged at the goodbye.
            owes |= *has_left && account.spent(credit) > account.granted();
            // Nothing of a call without an answer may be lost, except credit: it is charged when
            // its lease ends.
            is_settled &= outage.is_none() || account.owes_nothing(credit);
        });
        if credit.is_err() {
            return true;
        }
        if is_settled && owes && flight.is_none() {
            *renew_ns = Some(now.ns);
            return false;
        }
        let server_ns = core.server_ns(self.clock, now);
        is_settled
            && match outage {
                None => flight.is_none(),
                Some(outage) => now.ns >= *until_ns && outage.is_empty(now, server_ns),
            }
    }

    /// Computes when the key needs attention next, not before `least_ns`.
    pub(crate) fn schedule(&mut self, core: &Core, least_ns: u64, now: Now) {
        let deadline_ns = self.deadline_ns(core, now).max(least_ns);
        let before = self.deadline_ns.replace(deadline_ns);
        core.deadlines.replace(self.key, before, self.deadline_ns);
    }

    fn deadline_ns(&self, core: &Core, now: Now) -> u64 {
        if let Some(flight) = &self.flight {
            return match &self.outage {
                _ if flight.is_orphan => now.ns,
                Some(outage) => outage.retry_ns(),
                // Its owner counts the timeout. If the owner is gone, another makes the call.
                None => flight.sent_ns.saturating_add(2 * core.settings.timeout_ns),
            };
        }
        if self.has_reason(core, now) {
            return now.ns;
        }
        let idle = self.last_used_ns.saturating_add(core.settings.lease_ns);
        let cached = self.limits.iter().filter_map(|limit| Some(limit.refusal?.until_ns)).max();
        let mut deadline = self.renew_ns.unwrap_or(idle.max(cached.unwrap_or(0)));
        if self.has_use_for_refill(core, now) {
            deadline = deadline.min(self.last_call_ns.saturating_add(PACE_NS));
        }
        deadline
    }
}
