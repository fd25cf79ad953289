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
use crate::limits::limit::Refusal;
use crate::shared::account::Account;
use crate::shared::core::{Core, ServerClock};
use crate::shared::demand::Demand;
use crate::shared::outage::Outage;
use crate::shared::outcome::{Given, Source, Ticket, Want};
use crate::shared::settings::Mode;
use crate::time::Now;

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
}
