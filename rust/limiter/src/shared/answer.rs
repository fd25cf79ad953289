//! Reading answers: credit goes to the slot, decisions to the mailboxes of those who waited.

use crate::decision::Fault;
use crate::limits::credit::Credit;
use crate::limits::limit::UNLIMITED;
use crate::shared::account::Grant;
use crate::shared::core::{Core, ServerClock};
use crate::shared::message::{Reply, SyncReply, WaiterResult};
use crate::shared::outcome::{Chores, Given, Source, Want};
use crate::shared::session::{Flight, Session, Waiter};
use crate::shared::settings::Mode;
use crate::shared::waiter_results::lent;
use crate::time::Now;

/// Answers in a row that are about the clock only, before the call counts as failed.
const MOST_CLOCK_ANSWERS: u32 = 3;
/// By how much the store's clock may differ from what was expected, in microseconds.
const CLOCK_TOLERANCE_US: u64 = 100_000;

impl Session {
    /// Reads an answer. One to another call than that under way changes nothing.
    pub(crate) fn receive(&mut self, core: &Core, text: &str, now: Now) -> Chores {
        let mut chores = Chores::default();
        let Some(flight) = &self.flight else { return chores };
        let seq = text.split(' ').nth(1).and_then(|seq| seq.parse::<u64>().ok());
        if flight.is_void || seq.is_some_and(|seq| seq != flight.seq) {
            return chores;
        }
        let reply = Reply::decode(text, self.limits.len(), flight.batch.len());
        match reply {
            Ok(Reply::Synced(reply)) => {
                let Some(flight) = self.flight.take() else { return chores };
                core.counts.answered(flight.sent_ns, now.ns);
                self.clock_answers = 0;
                self.settle_answer(core, flight, &reply, now, &mut chores);
            }
            Ok(Reply::Clock { now_us, .. }) if self.clock_answers < MOST_CLOCK_ANSWERS => {
                self.clock_answers += 1;
                self.set_clock(core, now_us, now);
                self.take_back(core);
                if let Some(flight) = self.flight.take() {
                    for waiter in flight.batch.into_iter().rev() {
                        self.line.push_front(waiter);
                    }
                    self.is_leaving |= flight.is_leaving;
                }
                self.renew_ns = Some(now.ns);
                chores.send = true;
            }
            // The store has seen a later call of this process, which cannot be, or no sense is to
            // be made of the answer.
            Ok(Reply::Clock { .. } | Reply::Old { .. } | Reply::Done { .. }) | Err(_) => {
                let seq = flight.seq;
                self.clock_answers = 0;
                self.take_back(core);
                self.fail(core, seq, now, &mut chores);
                if let Some(flight) = &mut self.flight {
                    flight.is_void = true;
                }
            }
        }
        chores
    }

    /// Ends the wait for an answer to call `seq`: those who wait are decided by the rules for an
    /// outage. The call is made again later.
    pub(crate) fn fail(&mut self, core: &Core, seq: u64, now: Now, chores: &mut Chores) {
        let Some(flight) = self.flight.as_mut().filter(|flight| flight.seq == seq) else { return };
        core.counts.failed(now.ns);
        flight.is_orphan = false;
        let batch = std::mem::take(&mut flight.batch);
        match &mut self.outage {
            Some(outage) => outage.failed(now.ns),
            None => self.begin_outage(core, now),
        }
        for waiter in batch.iter().chain(&std::mem::take(&mut self.line)) {
            if !core.mailboxes.is_waiting(waiter.ticket) {
                continue;
            }
            let Waiter { ref costs, want, owner, .. } = *waiter;
            let given = self.decide_in_outage(core, costs, want, owner, now);
            core.deliver(
                waiter.ticket,
                given.unwrap_or_else(Given::Failed),
                Source::Outage,
                now,
                chores,
            );
        }
        // A late answer has results for them, which no caller waits for any more.
        if let Some(flight) = &mut self.flight {
            flight.batch = batch;
        }
    }

    /// Makes what the call under way has reported part of the next report.
    fn take_back(&mut self, core: &Core) {
        for (session, shared) in self.limits.iter_mut().zip(&core.limits) {
            session.account.take_back(&shared.plan);
        }
    }

    fn settle_answer(
        &mut self,
        core: &Core,
        flight: Flight,
        reply: &SyncReply,
        now: Now,
        chores: &mut Chores,
    ) {
        self.note_state(core, reply, now);
        let (lent, borrows) = lent(core, &flight.batch, reply);
        let is_closed = self.end_outage(core, now);
        self.note_reported(core, &flight, reply);
        let had_ended = now.ns >= self.until_ns;
        self.until_ns = flight.first_sent_ns.saturating_add(core.own_lease_ns());
        let asks_ahead = core.settings.mode != Mode::Exact;
        let Self { limits, until_ns, key, .. } = self;
        let book = |limit: usize, credit: &mut Credit| {
            let (session, plan) = (&mut limits[limit], &core.limits[limit].plan);
            if flight.is_leaving {
                session.account.leave();
                credit.until_ns = 0;
                return;
            }
            let grant = &reply.limits[limit];
            let lent_to_waiters = lent[limit];
            let granted = grant.granted;
            let booked = Grant { granted, lent_to_waiters, is_closed, had_ended };
            session.account.grant(credit, booked, plan);
            let window_ns = match grant.window_left_us {
                0 => u64::MAX,
                us => us.saturating_mul(1000),
            };
            credit.until_ns = flight.first_sent_ns.saturating_add(window_ns).min(*until_ns);
            if asks_ahead {
                session.account.keep_reserve(credit);
            }
        };
        if core.limiter.update_credit(*key, now, book).is_err() {
            // The key was forgotten. What it had of credit is charged when its lease ends.
            let fault = Given::Failed(Fault::Stale(0));
            for waiter in flight.batch.iter().chain(&std::mem::take(&mut self.line)) {
                core.deliver(waiter.ticket, fault, Source::Store, now, chores);
            }
            return;
        }
        // A call that waited for the goodbye makes the process a holder again.
        self.has_left = flight.is_leaving;
        if flight.is_leaving {
            self.until_ns = 0;
        }
        for ((waiter, result), borrows) in flight.batch.iter().zip(&reply.results).zip(borrows) {
            self.settle_waiter(core, waiter, *result, borrows, now, chores);
        }
        self.renew_ns = self
            .holds_something(core, now)
            .then(|| flight.first_sent_ns.saturating_add(core.settings.lease_ns / 3));
        self.line.retain(|waiter| core.mailboxes.is_waiting(waiter.ticket));
        chores.send = self.has_reason(core, now);
    }

    /// Takes over what the answer says about the key.
    fn note_state(&mut self, core: &Core, reply: &SyncReply, now: Now) {
        if reply.is_lost {
            core.counts.lost();
        }
        core.counts.set_holders(reply.holders);
        (self.epoch, self.holders, self.version) = (reply.epoch, reply.holders, reply.version);
        self.set_clock(core, reply.now_us, now);
        for ((session, grant), shared) in
            self.limits.iter_mut().zip(&reply.limits).zip(&core.limits)
        {
            session.capacity = grant.capacity.map_or(UNLIMITED, |it| shared.plan.millionths(it));
            session.fill = shared.plan.millionths(grant.fill);
        }
    }

    fn set_clock(&mut self, core: &Core, server_us: u64, now: Now) {
        if let Some(clock) = self.clock {
            let expected_us = clock.at(now.ns).max(0).unsigned_abs() / 1000;
            if expected_us.abs_diff(server_us)
                > CLOCK_TOLERANCE_US + core.settings.timeout_ns / 1000
            {
                core.counts.clock_jumped();
            }
        }
        let clock = ServerClock { server_us, at_ns: now.ns };
        self.clock = Some(clock);
        core.set_clock(clock);
    }

    /// Ends an outage. What it has admitted is owed. Returns whether the accounts were closed.
    fn end_outage(&mut self, core: &Core, now: Now) -> bool {
        let Some(mut outage) = self.outage.take() else { return false };
        let server_ns = core.server_ns(self.clock, now);
        let is_closed = outage.is_closed();
        if is_closed {
            let limits = &mut self.limits;
            // If the key was forgotten, there is nothing to observe.
            let _ = core.limiter.update_credit(self.key, now, |limit, credit| {
                outage.observe(limit, &mut limits[limit].account, credit);
            });
        }
        for (limit, session) in self.limits.iter_mut().enumerate() {
            session.account.owe(outage.debt(limit, now, server_ns));
        }
        is_closed
    }

    /// Quotas: notes what the store has charged in the window, in case it loses that.
    fn note_reported(&mut self, core: &Core, flight: &Flight, reply: &SyncReply) {
        for (limit, session) in self.limits.iter_mut().enumerate() {
            if flight.window_ends_us[limit] == 0 {
                continue;
            }
            let shared = &core.limits[limit];
            let admitted = flight.batch.iter().zip(&reply.results).filter(|(waiter, result)| {
                **result == WaiterResult::Admitted && waiter.want == Want::Take
            });
            let charged: u64 = admitted
                .map(|(waiter, _)| shared.plan.cost(waiter.costs[shared.definition.unit]))
                .sum();
            let report = session.account.reported();
            let end_us = reply.now_us.saturating_add(reply.limits[limit].window_left_us);
            session.account.note_reported(end_us, charged + report.spent + report.debt);
        }
    }

    /// Whether there is credit, a reservation or something spent, to renew or to report.
    fn holds_something(&mut self, core: &Core, now: Now) -> bool {
        let (limits, mut is_settled) = (&self.limits, true);
        let seen = core.limiter.update_credit(self.key, now, |limit, credit| {
            // What reservations held at the goodbye was charged then, and must not be lent again.
            let account = &limits[limit].account;
            is_settled &= if self.has_left {
                account.spent(credit) <= account.granted()
            } else {
                account.is_settled(credit)
            };
        });
        seen.is_ok() && !is_settled
    }
}
