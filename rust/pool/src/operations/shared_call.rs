//! Calls to the store: when one is due, and what it says.

use std::sync::Arc;

use crate::index::NONE;
use crate::pool::Pool;
use crate::shared::message::{ProbeReport, Request, Row, encode_id};
use crate::shared::plan::{Wish, spare, spread};
use crate::shared::session::{Permit, Sent, SentRow, Session};
use crate::time::{Millis, NEVER};
use crate::upstreams::health::State;
use crate::upstreams::upstream::Upstream;

/// How many upstreams that have nothing in use a call asks for.
const CANDIDATES: usize = 64;
/// The longest rest that others are told, in milliseconds: 30 days.
const LONGEST_REST: Millis = 30 * 86_400_000;

impl Pool {
    /// When to make the next call: at once if that has passed, [`NEVER`] if there is nothing to say. `asked`
    /// callers did not get a lease and do not wait for one. O(upstreams).
    #[must_use]
    pub fn next_call(&self, asked: u32) -> Millis {
        let Some(session) = &self.session else { return NEVER };
        let is_waited_for = self.queue.waiting() > 0 || asked > 0;
        let has_room =
            |(_, upstream): (u32, &Upstream)| self.most(session, upstream) > upstream.in_flight;
        let wants = is_waited_for && (session.is_out || self.upstreams.iter().any(has_room));
        let is_in_use = is_waited_for
            || self.leases.in_use() > 0
            || session
                .permits
                .iter()
                .any(|p| p.held > 0 || self.is_used(p, session.settings.lease));
        let is_idle = |(index, upstream): (u32, &Upstream)| {
            let permit = session.permits.get(index as usize).unwrap_or(&Permit::NONE);
            let wanted = if session.settings.spare { permit.goal } else { 0 };
            permit.held > upstream.in_flight.max(wanted)
        };
        let held: u64 = session.permits.iter().map(|permit| u64::from(permit.held)).sum();
        let has_idle = held > u64::from(self.leases.in_use().max(session.goal))
            || self.upstreams.iter().any(is_idle);
        let due = session.next_call(wants, has_idle, is_in_use);
        // A rest that ends while callers wait is followed by a probe.
        let rest = self.resting.first().map(|((until, _), _)| until);
        let is_quiet = is_waited_for && !session.is_calling() && session.failing.is_none();
        if is_quiet { due.min(rest.unwrap_or(NEVER)) } else { due }
    }

    /// The arguments of the script for a call that is due, or none. Until its reply comes, this process uses no
    /// more than they state. A call that was not answered in time has failed. O(upstreams * log upstreams).
    pub fn call(&mut self, process: &str, asked: u32, now: Millis) -> Option<String> {
        self.advance(now, NONE);
        if self.next_call(asked) > self.now {
            return None;
        }
        if self.session.as_ref()?.is_calling() {
            self.fail_call();
            if self.next_call(asked) > self.now {
                return None;
            }
        }
        let mut session = self.session.take()?;
        let waiting = self.queue.waiting().saturating_add(asked);
        let wishes = self.wishes(&mut session, waiting);
        // A probe is asked for as if somebody waited for it.
        let probes = wishes.iter().filter(|wish| wish.is_probe).count() as u32;
        session.seq += 1;
        session.calls += 1;
        session.called = Some(self.now);
        session.is_dirty = false;
        let (rows, sent) = self.rows(&mut session, &wishes);
        session.sent = Some(Sent { seq: session.seq, at: self.now, rows: sent, has_failed: false });
        let request = Request {
            process: process.into(),
            seq: session.seq,
            lease: session.settings.lease,
            epoch: session.epoch,
            strict: session.settings.strict,
            cap: self.settings.max_in_flight,
            waiting: waiting.saturating_add(probes),
            rows,
        };
        self.session = Some(session);
        self.update_all_ceilings();
        Some(request.encode())
    }

    /// A call that gives all permits back, or none if leases are in use. O(upstreams * log upstreams).
    pub fn leave_store(&mut self, process: &str, now: Millis) -> Option<String> {
        self.advance(now, NONE);
        let in_use = self.leases.in_use();
        let session = self.session.as_mut().filter(|s| s.called.is_some() && in_use == 0)?;
        session.seq += 1;
        (session.sent, session.called) = (None, None);
        for permit in &mut session.permits {
            permit.used = None;
        }
        let request = Request {
            process: process.into(),
            seq: session.seq,
            lease: 0,
            epoch: session.epoch,
            strict: session.settings.strict,
            cap: self.settings.max_in_flight,
            waiting: 0,
            rows: Vec::new(),
        };
        self.end_permits();
        Some(request.encode())
    }

    /// The call `seq` has failed, as far as this process can see. O(upstreams * log upstreams).
    pub fn fail(&mut self, seq: u64, now: Millis) {
        self.advance(now, NONE);
        let sent = self.session.as_ref().and_then(|session| session.sent.as_ref());
        if sent.is_some_and(|sent| sent.seq == seq) {
            self.fail_call();
        }
    }

    pub(crate) fn fail_call(&mut self) {
        let now = self.now;
        if let Some(session) = &mut self.session {
            session.fail(now);
        }
        self.run_shared_timer();
        self.next_due = self.next_due.min(self.shared_timer().unwrap_or(NEVER));
        self.hand_over();
    }

    /// The most leases of an upstream that this process could use. One probes it.
    fn most(&self, session: &Session, upstream: &Upstream) -> u32 {
        let in_flight = upstream.in_flight;
        let max = upstream.settings.max_in_flight;
        let limit = self.settings.adaptive.as_ref().map_or(max, |_| upstream.limit.get(max));
        match upstream.health.state() {
            State::Healthy if upstream.is_serving() => {
                limit.min(session.own_part(max, self.now)).max(in_flight)
            }
            State::Probation(false) if upstream.is_serving() => in_flight.saturating_add(1),
            _ => in_flight,
        }
    }

    /// Whether leases were granted in the time `within` before the last call, or since then.
    fn is_used(&self, permit: &Permit, within: Millis) -> bool {
        permit.used.is_some_and(|used| self.now < used.saturating_add(within))
    }

    /// What this process wants of each upstream, in the order of their tiers.
    fn wishes(&self, session: &mut Session, waiting: u32) -> Vec<Wish> {
        let third = session.settings.lease / 3;
        for (index, upstream) in self.upstreams.iter() {
            let (now, permit) = (self.now, session.permit(index));
            if permit.granted != upstream.granted {
                (permit.granted, permit.used) = (upstream.granted, Some(now));
            }
        }
        let is_in_use = waiting > 0 || session.permits.iter().any(|p| self.is_used(p, third));
        let mut removed: Vec<(Arc<str>, u32)> = Vec::new();
        for upstream in self.upstreams.removed_in_use() {
            match removed.iter_mut().find(|(id, _)| *id == upstream.id) {
                Some((_, in_flight)) => *in_flight += upstream.in_flight,
                None => removed.push((Arc::clone(&upstream.id), upstream.in_flight)),
            }
        }
        let mut wishes: Vec<Wish> = Vec::new();
        for (index, upstream) in self.upstreams.iter() {
            let same_id = removed.iter().position(|(id, _)| *id == upstream.id);
            let removed = same_id.map_or(0, |at| removed.swap_remove(at).1);
            let most = self.most(session, upstream);
            let (has_ended, has_spare) = (session.has_ended, session.settings.spare);
            let permit = session.permit(index);
            let held = match has_ended {
                true => 0,
                false => permit.held.min(permit.goal),
            };
            let is_used = permit.used.is_some_and(|used| self.now < used.saturating_add(third));
            let in_flight = upstream.in_flight;
            let is_probing = upstream.health.state() == State::Probation(false) && is_in_use;
            let (spare, is_probe) = match has_spare && is_used {
                _ if is_probing => (1, held <= in_flight),
                true => (spare(in_flight), false),
                false => (0, false),
            };
            wishes.push(Wish {
                index,
                id: Arc::clone(&upstream.id),
                cap: upstream.settings.max_in_flight,
                tier: upstream.settings.tier,
                weight: upstream.settings.weight,
                base: in_flight.saturating_add(removed),
                removed,
                kept: held.saturating_add(removed),
                most: most.saturating_add(removed),
                spare,
                is_probe,
                need: u32::from(is_probe),
            });
        }
        wishes.extend(removed.into_iter().map(|(id, in_flight)| Wish::removed(id, in_flight)));
        wishes.sort_by_key(|wish| wish.tier);
        spread(&mut wishes, waiting);
        self.choose(session, wishes, waiting)
    }

    /// The upstreams that a call mentions: those that are in use or needed, and, if callers wait, others that
    /// could be used instead.
    fn choose(&self, session: &mut Session, wishes: Vec<Wish>, waiting: u32) -> Vec<Wish> {
        let third = session.settings.lease / 3;
        let mut chosen: Vec<bool> = Vec::with_capacity(wishes.len());
        for wish in &wishes {
            let is_known = wish.index != NONE && {
                let is_used = self.is_used(session.permit(wish.index), third);
                let permit = session.permit(wish.index);
                permit.has_probe || permit.rest.is_some() || is_used
            };
            chosen.push(is_known || wish.is_active());
        }
        // Others begin with the next ones, so that all are asked for in time.
        let turn = session.seq as usize % wishes.len().max(1);
        let mut candidates = if waiting > 0 { CANDIDATES } else { 0 };
        for at in (turn..wishes.len()).chain(0..turn) {
            if !chosen[at] && candidates > 0 && wishes[at].most > wishes[at].base {
                chosen[at] = true;
                candidates -= 1;
            }
        }
        let chosen = wishes.into_iter().zip(chosen).filter(|&(_, chosen)| chosen);
        chosen.map(|(wish, _)| wish).collect()
    }

    /// The rows of a call. What is given back is given up before it is said.
    fn rows(&self, session: &mut Session, wishes: &[Wish]) -> (Vec<Row>, Vec<SentRow>) {
        let mut kept = vec![0; session.permits.len()];
        let (mut rows, mut sent) = (Vec::new(), Vec::new());
        for wish in wishes {
            let live = (wish.index != NONE).then(|| self.upstreams.get(wish.index));
            let mut row = Row {
                name: encode_id(&wish.id),
                cap: wish.cap,
                used: wish.base,
                bind: wish.bind(),
                want: wish.want().max(wish.bind()),
                need: wish.need,
                most: wish.most,
                ejected: false,
                rest: 0,
                probe: ProbeReport::None,
            };
            let mut told = None;
            if let Some(upstream) = live {
                let permit = session.permit(wish.index);
                kept[wish.index as usize] = row.bind - wish.removed;
                told = permit.rest;
                row.want = row.want.min(permit.goal.saturating_add(wish.removed)).max(row.bind);
                row.ejected = upstream.health.is_ejected();
                row.rest = told.map_or(0, |end| end.saturating_sub(self.now).min(LONGEST_REST));
                row.probe = self.probe_report(upstream, permit, wish.spare > 0);
            }
            sent.push(SentRow {
                upstream: live.map(|_| self.upstreams.token(wish.index)),
                removed: wish.removed,
                used: wish.base,
                rest: told,
                probe: row.probe,
            });
            rows.push(row);
        }
        for (permit, kept) in session.permits.iter_mut().zip(kept) {
            permit.held = if session.has_ended { 0 } else { permit.held.min(kept) };
        }
        (rows, sent)
    }

    fn probe_report(&self, upstream: &Upstream, permit: &Permit, is_in_use: bool) -> ProbeReport {
        match upstream.health.state() {
            State::Healthy if permit.has_probe => ProbeReport::Good,
            State::Resting(until) if permit.has_probe && upstream.health.is_ejected() => {
                // At most the shortest ejection: the failure may be this process's own.
                let rest = until.saturating_sub(self.now).min(self.settings.health.cooldown);
                ProbeReport::Failed(rest.min(LONGEST_REST))
            }
            State::Probation(true) => ProbeReport::Hold,
            State::Probation(false) if is_in_use && permit.has_probe => ProbeReport::Hold,
            State::Probation(false) if is_in_use => ProbeReport::Ask,
            _ => ProbeReport::None,
        }
    }
}
