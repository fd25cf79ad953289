//! Making calls: what a session reports, asks for and passes on for those who wait.

use smallvec::SmallVec;

use crate::decision::Fault;
use crate::limits::credit::Credit;
use crate::shared::account::{Report, Terms};
use crate::shared::core::Core;
use crate::shared::message::{LimitReport, SyncRequest, Waiter as WireWaiter, WireKind};
use crate::shared::outcome::{Call, Chores, Given, Source, Want};
use crate::shared::session::{Flight, Session, Waiter};
use crate::shared::settings::OnLoss;
use crate::time::Now;

/// The most decisions in one call; the others wait for the next.
const MOST_BATCH: usize = 128;

impl Session {
    /// The call that is to be made now, if there is one: that under way again if it is overdue, or a
    /// new one. O(limits + waiters).
    pub(crate) fn next_call(&mut self, core: &Core, owner: u32, now: Now) -> Option<Call> {
        if self.flight.as_ref().is_some_and(|flight| !flight.is_void) {
            return self.repeat(core, owner, now);
        }
        if self.flight.is_some() {
            if self.outage.as_ref().is_some_and(|outage| now.ns < outage.retry_ns()) {
                return None;
            }
            self.flight = None;
        } else {
            self.line.retain(|waiter| core.mailboxes.is_waiting(waiter.ticket));
            if !self.has_reason(core, now) {
                return None;
            }
        }
        let call = self.begin(core, owner, now);
        if call.is_none() {
            // The key was forgotten: no answer will come for those who wait.
            self.is_leaving = false;
            for waiter in std::mem::take(&mut self.line) {
                let fault = Given::Failed(Fault::Stale(0));
                core.deliver(waiter.ticket, fault, Source::Store, now, &mut Chores::default());
            }
        }
        call
    }

    /// Makes the call under way again: with the same text, so that the store serves it once.
    fn repeat(&mut self, core: &Core, owner: u32, now: Now) -> Option<Call> {
        let flight = self.flight.as_mut()?;
        let is_due = match &self.outage {
            _ if flight.is_orphan => true,
            Some(outage) => now.ns >= outage.retry_ns(),
            None => now.ns >= flight.sent_ns.saturating_add(2 * core.settings.timeout_ns),
        };
        if !is_due {
            return None;
        }
        if let Some(outage) = &mut self.outage {
            let is_used = self.last_used_ns >= flight.sent_ns;
            outage.postpone(is_used, now.ns.saturating_add(core.settings.timeout_ns));
        }
        (flight.owner, flight.sent_ns, flight.is_orphan) = (owner, now.ns, false);
        core.counts.called();
        Some(Call { seq: flight.seq, args: flight.args.clone(), name: self.name.to_vec() })
    }

    /// A new call; none, and those who wait still do, if the key was forgotten.
    fn begin(&mut self, core: &Core, owner: u32, now: Now) -> Option<Call> {
        self.note_demand(core, now)?;
        let is_idle = now.ns.saturating_sub(self.last_used_ns) > core.settings.lease_ns / 3
            || self.is_leaving;
        let ahead: SmallVec<[u64; 4]> = (0..self.limits.len())
            .map(|limit| if is_idle { 0 } else { self.ahead(core, limit, now) })
            .collect();
        let is_alive = now.ns < self.until_ns;
        let gives_back = !self.line.is_empty() || self.is_leaving;
        let server_ns = core.server_ns(self.clock, now);
        let limits = &mut self.limits;
        let mut reports = SmallVec::<[Report; 4]>::new();
        let report = |limit: usize, credit: &mut Credit| {
            let is_consumed = !core.is_concurrency(limit);
            let free = u64::try_from(credit.balance).unwrap_or(0).saturating_sub(credit.held);
            // Permits that were used lately are given back by halves: what is used of them and
            // given back between two calls is not seen.
            let ahead =
                if is_consumed || is_idle { ahead[limit] } else { ahead[limit].max(free / 2) };
            let terms = Terms { is_consumed, is_alive, ahead, gives_back };
            let session = &mut limits[limit];
            session.held = credit.held;
            reports.push(session.account.report(credit, terms, &core.limits[limit].plan));
        };
        core.limiter.update_credit(self.key, now, report).ok()?;
        // Places in use are not given back while their streams go on. Since the report there is no
        // free credit, so no other thread can take one meanwhile.
        let has_places = (reports.iter().enumerate())
            .any(|(limit, report)| core.is_concurrency(limit) && report.held > 0);
        let is_leaving = self.is_leaving && !has_places;
        let batch: Vec<Waiter> = self.line.drain(..self.line.len().min(MOST_BATCH)).collect();
        let mut window_ends_us = SmallVec::new();
        let limits = (core.limits.iter().zip(&self.limits).zip(reports))
            .map(|((shared, session), report)| {
                let limit = shared.plan.at(server_ns);
                let (window_end_us, restore) = match limit.kind {
                    WireKind::Quota { end_us, .. } => (end_us, session.account.reported_in(end_us)),
                    WireKind::Rate { .. } => (0, 0),
                    // Places that are occupied are the truth, also where the lease has ended.
                    WireKind::Concurrency => (0, report.held),
                };
                window_ends_us.push(window_end_us);
                LimitReport {
                    name: shared.name.clone(),
                    limit,
                    spent: report.spent,
                    debt: report.debt,
                    bind: report.bind,
                    want: report.want,
                    restore,
                }
            })
            .collect();
        let request = SyncRequest {
            is_peek: false,
            process: core.settings.process.clone(),
            seq: core.next_seq(),
            lease_us: core.settings.lease_ns / 1000,
            is_leaving,
            epoch: self.epoch,
            is_strict: core.settings.on_loss == OnLoss::Strict,
            config: core.settings.stamp.clone(),
            limits,
            waiters: batch.iter().map(|waiter| wire(core, waiter)).collect(),
        };
        let (seq, args) = (request.seq, request.encode());
        self.flight = Some(Flight {
            seq,
            args: args.clone(),
            first_sent_ns: now.ns,
            sent_ns: now.ns,
            owner,
            is_orphan: false,
            is_void: false,
            is_leaving,
            batch,
            window_ends_us,
        });
        self.last_call_ns = now.ns;
        self.renew_ns = None;
        self.wants_refill = false;
        self.is_leaving = false;
        core.counts.called();
        Some(Call { seq, args, name: self.name.to_vec() })
    }

    /// Notes what was spent and reserved since the last call; none if the key was forgotten.
    fn note_demand(&mut self, core: &Core, now: Now) -> Option<()> {
        let Self { limits, last_used_ns, demand, last_call_ns, .. } = self;
        let mut used: SmallVec<[u64; 4]> = SmallVec::new();
        let mut holds = false;
        core.limiter
            .update_credit(self.key, now, |limit, credit| {
                let session = &limits[limit];
                let spent = session.account.spent(credit).saturating_add(credit.held);
                used.push(spent.saturating_sub(session.held));
                holds |= credit.held > 0;
            })
            .ok()?;
        if holds || used.iter().any(|&amount| amount > 0) {
            *last_used_ns = now.ns;
        }
        let passed_ns = now.ns.saturating_sub(*last_call_ns);
        for unit in 0..core.limiter.units() {
            let of_unit = (core.limits.iter().zip(&used))
                .filter(|(limit, _)| limit.definition.unit == unit)
                .map(|(_, &used)| used);
            demand.note_spent(unit, of_unit.max().unwrap_or(0), passed_ns, now.ns);
        }
        Some(())
    }
}

/// A waiter as the store sees it.
fn wire(core: &Core, waiter: &Waiter) -> WireWaiter {
    let costs = core.limits.iter();
    WireWaiter {
        is_reservation: waiter.want != Want::Take,
        costs: costs.map(|limit| limit.plan.cost(waiter.costs[limit.definition.unit])).collect(),
    }
}
