//! A limiter whose limits many processes share through a store: leased credit in the slots of this
//! process, and a state machine for each key that asks the store for more.
//!
//! It does no I/O: it makes the texts of calls and reads the texts of answers. The caller carries
//! them, on any thread.
//!
//! Locks: a session's comes before those of reservations and slots. The map of sessions, mailboxes
//! and deadlines are leaves. Nothing is called back under a lock.

use std::sync::Arc;

use crate::decision::{Denial, Fault};
use crate::keys::key::Key;
use crate::limiter::{Config, Limiter};
use crate::limits::limit::{Limit, MOST, Refusal};
use crate::reservations::book::{Book, ReservationId};
use crate::reservations::reservation::Actual;
use crate::shared::core::{Core, SharedLimit};
use crate::shared::outcome::{Answer, Call, Chores, Decided, Due, Given, Source, Ticket, Want};
use crate::shared::plan::Plan;
use crate::shared::session::{Decision, Waiter};
use crate::shared::session_map::SessionMap;
use crate::shared::settings::{OnOutage, Settings};
use crate::time::Now;

/// A limiter that shares its limits with other processes.
pub struct SharedLimiter {
    pub(crate) core: Core,
    pub(crate) sessions: SessionMap,
    definitions: Vec<Limit>,
}

/// A limit that cannot be shared: a quota with windows of less than a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotShareable {
    /// Its index.
    pub limit: usize,
}

impl SharedLimiter {
    /// A limiter without keys. `config` has the real limits; those of [`SharedLimiter::limiter`] are
    /// credit. `secret` keys the hash of names. All limiters of one clock share a `book`.
    ///
    /// The settings have a name and a rule for outages for each limit; a rule that lacks is
    /// [`OnOutage::Closed`].
    ///
    /// # Errors
    /// [`NotShareable`].
    pub fn new(
        config: Config,
        mut settings: Settings,
        secret: [u8; 16],
        book: Arc<Book>,
    ) -> Result<Self, NotShareable> {
        let definitions = config.limits.to_vec();
        settings.on_outage.resize(definitions.len(), OnOutage::Closed);
        let mut limits = Vec::with_capacity(definitions.len());
        for (index, definition) in definitions.iter().enumerate() {
            let plan = Plan::of(definition).ok_or(NotShareable { limit: index })?;
            let name = settings.names.get(index).map_or("", String::as_str);
            let name = plan.wire_name(name);
            limits.push(SharedLimit { definition: *definition, plan, name });
        }
        // Limits that the store has for a key can be larger than these, so the slots refuse nothing
        // for its size.
        let credit = definitions.iter().map(|limit| Limit { capacity: MOST, ..limit.as_credit() });
        let config = Config { limits: credit.collect(), ..config };
        let limiter = Arc::new(Limiter::new(config, secret, book));
        let core = Core::new(limiter, limits, settings);
        Ok(Self { core, sessions: SessionMap::default(), definitions })
    }

    /// The credit of this process. Takes, reservations and their ends go to it; where it refuses by
    /// [`Refusal::Lease`], [`SharedLimiter::take`] or [`SharedLimiter::reserve`] decides.
    #[must_use]
    pub fn limiter(&self) -> &Arc<Limiter> {
        &self.core.limiter
    }

    /// The limits, as configured.
    #[must_use]
    pub fn definitions(&self) -> &[Limit] {
        &self.definitions
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.core.settings
    }

    /// Decides from credit, from an answer of the store that still holds, or by the rules for an
    /// outage; otherwise refuses by [`Refusal::Lease`]. O(limits).
    ///
    /// # Errors
    /// A [`Fault`]; nothing is changed then.
    pub fn take(&self, key: Key, costs: &[u64], now: Now) -> Result<Decided<()>, Fault> {
        let Some(denial) = self.core.limiter.take(key, costs, now)? else {
            return Ok(Decided { outcome: Ok(()), source: Source::Credit, needs_call: false });
        };
        let decided = self.decide(key, costs, Want::Take, 0, denial, now)?;
        Ok(decided.map(|_| ()))
    }

    /// Reserves as [`SharedLimiter::take`] takes.
    ///
    /// # Errors
    /// A [`Fault`]; nothing is changed then.
    pub fn reserve(
        &self,
        key: Key,
        costs: &[u64],
        owner: u32,
        ttl_ns: u64,
        now: Now,
    ) -> Result<Decided<ReservationId>, Fault> {
        let denial = match self.core.limiter.reserve(key, costs, owner, ttl_ns, now)? {
            Ok(id) => {
                return Ok(Decided { outcome: Ok(id), source: Source::Credit, needs_call: false });
            }
            Err(denial) => denial,
        };
        let decided = self.decide(key, costs, Want::Reserve { ttl_ns }, owner, denial, now)?;
        match decided.outcome {
            Ok(Some(id)) => Ok(decided.map(|_| id)),
            Ok(None) => Err(Fault::NotOpen),
            Err(denial) => Ok(Decided {
                outcome: Err(denial),
                source: decided.source,
                needs_call: decided.needs_call,
            }),
        }
    }

    /// Adds a decision to the line of a key. Its answer comes to the mailbox of `owner`, perhaps at
    /// once: then [`SharedLimiter::send`] has no call to make, and [`SharedLimiter::collect`] returns
    /// the answer. O(limits).
    ///
    /// Call it after [`SharedLimiter::take`] or [`SharedLimiter::reserve`] has refused the same by
    /// [`Refusal::Lease`].
    ///
    /// # Errors
    /// [`Fault::Stale`] or [`Fault::WrongCosts`].
    pub fn wait(
        &self,
        key: Key,
        name: &[u8],
        costs: &[u64],
        want: Want,
        owner: u32,
        now: Now,
    ) -> Result<Ticket, Fault> {
        if costs.len() != self.core.limiter.units() {
            return Err(Fault::WrongCosts);
        }
        self.sessions.open(&self.core, key, name, now, |session, is_new| {
            if is_new {
                session.demand.note(costs, now.ns);
            }
            let decision = session.decide(&self.core, costs, want, owner, now)?;
            let ticket = self.core.mailboxes.open(key, owner);
            let waiter = Waiter { ticket, costs: costs.into(), want, owner };
            match decision {
                Decision::Ask(_) => session.line.push_back(waiter),
                Decision::Made(given, source) => {
                    self.core.deliver(ticket, given, source, now, &mut Chores::default());
                }
            }
            session.schedule(&self.core, 0, now);
            Ok(ticket)
        })?
    }

    /// Notes that a key wants credit, so that [`SharedLimiter::send`] asks for it ahead. `costs` are
    /// those of a call that [`SharedLimiter::take`] and [`SharedLimiter::reserve`] have not seen, or
    /// empty. O(units).
    ///
    /// # Errors
    /// [`Fault::Stale`] or [`Fault::WrongCosts`].
    pub fn touch(&self, key: Key, name: &[u8], costs: &[u64], now: Now) -> Result<(), Fault> {
        if !costs.is_empty() && costs.len() != self.core.limiter.units() {
            return Err(Fault::WrongCosts);
        }
        self.sessions.open(&self.core, key, name, now, |session, _| {
            session.demand.note(costs, now.ns);
            session.wants_refill = true;
            session.last_used_ns = now.ns;
            session.schedule(&self.core, 0, now);
        })
    }

    /// The call that a key has to make now, if any: a new one, or one without an answer again, with
    /// the same text. `owner` makes it. O(limits + waiters).
    pub fn send(&self, key: Key, owner: u32, now: Now) -> Option<Call> {
        self.sessions.find(key, |session| {
            let call = session.next_call(&self.core, owner, now);
            session.schedule(&self.core, 0, now);
            call
        })?
    }

    /// Reads the answer to a call of a key. The answer to any but the call under way changes nothing.
    /// O(limits + waiters).
    pub fn receive(&self, key: Key, reply: &str, now: Now) -> Chores {
        let received = self.sessions.find(key, |session| {
            let chores = session.receive(&self.core, reply, now);
            session.schedule(&self.core, 0, now);
            chores
        });
        received.unwrap_or_default()
    }

    /// Ends the wait for an answer to call `seq` of a key: it took too long, or the client failed.
    /// Those who wait are decided by the rules for an outage. O(limits * waiters).
    pub fn fail(&self, key: Key, seq: u64, now: Now) -> Chores {
        let failed = self.sessions.find(key, |session| {
            let mut chores = Chores::default();
            session.fail(&self.core, seq, now, &mut chores);
            session.schedule(&self.core, 0, now);
            chores
        });
        failed.unwrap_or_default()
    }

    /// Moves at most `most` answers from the mailbox of `owner` to `answers`.
    pub fn collect(&self, owner: u32, most: usize, answers: &mut Vec<Answer>) {
        self.core.mailboxes.collect(owner, most, answers);
    }

    /// At most `most` keys that need a call now; one that gets no attention is due again later.
    /// O(keys due * log n).
    pub fn due(&self, most: usize, now: Now) -> Due {
        let mut keys = Vec::new();
        while keys.len() < most
            && let Some((at_ns, key)) = self.core.deadlines.pop(now.ns)
        {
            let is_due = self.sessions.find(key, |session| {
                if session.deadline_ns != Some(at_ns) {
                    return false;
                }
                session.deadline_ns = None;
                if session.is_over(&self.core, now) {
                    self.sessions.drop(&self.core, session, now);
                    return false;
                }
                let is_due = session.is_due(&self.core, now);
                let later_ns = now.ns.saturating_add(self.core.settings.timeout_ns.max(1_000_000));
                session.schedule(&self.core, later_ns, now);
                is_due
            });
            if is_due == Some(true) {
                keys.push(key);
            }
        }
        let next_ns = self.core.deadlines.first().map(|at_ns| at_ns.saturating_sub(now.ns));
        Due { keys, next_ns }
    }

    /// Removes a decision from its line. If it has an answer that was not collected, that is lost: a
    /// reservation is cancelled. Returns whether it was still waiting. O(answers).
    pub fn cancel(&self, ticket: Ticket, now: Now) -> bool {
        if self.core.mailboxes.close(ticket) {
            return true;
        }
        if let Some(Answer { given: Given::Reserved(id), .. }) =
            self.core.mailboxes.withdraw(ticket)
        {
            // It may have expired meanwhile.
            let _ = self.core.limiter.settle(id, Actual::Nothing, now);
        }
        false
    }

    /// Decides one that waits by the rules for an outage, now: its own time is over. Its answer is in
    /// the mailbox of its owner then. Returns whether it was still waiting. O(waiters).
    pub fn expire(&self, ticket: Ticket, now: Now) -> bool {
        let Some(key) = self.core.mailboxes.find(ticket) else { return false };
        let expired = self.sessions.find(key, |session| {
            let expired = session.expire(&self.core, ticket, now);
            session.schedule(&self.core, 0, now);
            expired
        });
        expired.unwrap_or(false)
    }

    /// Forgets an owner: its thread is gone. Its waiters leave their lines, and its calls can be made
    /// by others at once. O(keys with a session).
    pub fn abandon(&self, owner: u32, now: Now) {
        for id in self.core.mailboxes.abandon(owner) {
            // It may have expired meanwhile.
            let _ = self.core.limiter.settle(id, Actual::Nothing, now);
        }
        self.orphan(owner, now);
    }

    /// Lets others make the calls of an owner at once: what carried them is gone.
    /// O(keys with a session).
    pub fn orphan(&self, owner: u32, now: Now) {
        self.sessions.each(|session| {
            if let Some(flight) = &mut session.flight
                && flight.owner == owner
            {
                flight.is_orphan = true;
                session.schedule(&self.core, 0, now);
            }
        });
    }

    /// Lets every key give its credit back with its next call; [`SharedLimiter::due`] returns them
    /// all. Open reservations are charged in full, except those of a key with places in use: it
    /// keeps what they hold until its lease ends. O(keys with a session).
    pub fn leave(&self, now: Now) {
        self.sessions.each(|session| {
            session.is_leaving = true;
            session.schedule(&self.core, 0, now);
        });
    }

    /// Decides by the session of a key, after credit has refused by `denial`.
    fn decide(
        &self,
        key: Key,
        costs: &[u64],
        want: Want,
        owner: u32,
        denial: Denial,
        now: Now,
    ) -> Result<Decided<Option<ReservationId>>, Fault> {
        let refused = |denial: Denial, needs_call: bool| Decided {
            outcome: Err(denial),
            source: Source::Credit,
            needs_call,
        };
        if denial.refusal != Refusal::Lease {
            return Ok(refused(denial, false));
        }
        let decided = self.sessions.find(key, |session| {
            session.demand.note(costs, now.ns);
            let decision = session.decide(&self.core, costs, want, owner, now)?;
            let needs_call = session.is_due(&self.core, now);
            session.schedule(&self.core, 0, now);
            let (given, source) = match decision {
                Decision::Ask(denial) => {
                    return Ok(refused(denial, session.flight.is_none()));
                }
                Decision::Made(given, source) => (given, source),
            };
            let outcome = match given {
                Given::Taken => Ok(None),
                Given::Reserved(id) => Ok(Some(id)),
                Given::Refused(denial) => Err(denial),
                Given::Failed(fault) => return Err(fault),
            };
            self.core.counts.decided(source);
            Ok(Decided { outcome, source, needs_call })
        });
        decided.unwrap_or(Ok(refused(denial, true)))
    }
}

impl std::fmt::Debug for SharedLimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let settings = &self.core.settings;
        f.debug_struct("SharedLimiter").field("settings", settings).finish_non_exhaustive()
    }
}
