//! Replies of the store: permits, rests and probes.

use crate::index::NONE;
use crate::pool::Pool;
use crate::shared::message::{Answer, ProbeAnswer, ProbeReport, Reply, ReplyRow};
use crate::shared::session::{Sent, SentRow};
use crate::time::Millis;
use crate::upstreams::health::{HealthChange, State};

impl Pool {
    /// Takes the reply to a call. Only a reply to the newest call has an effect, which is returned; one that
    /// cannot be read fails the call. O(upstreams * log upstreams).
    pub fn receive(&mut self, reply: &str, now: Millis) -> bool {
        self.advance(now, NONE);
        let Some(session) = &mut self.session else { return false };
        let Some(sent) = &session.sent else { return false };
        match Answer::decode(reply) {
            Some(Answer::Reply(Reply { seq, .. }) | Answer::Old(seq)) if seq != sent.seq => false,
            Some(Answer::Reply(reply)) if reply.rows.len() == sent.rows.len() => {
                let Some(sent) = session.sent.take() else { return false };
                self.accept(&reply, &sent);
                true
            }
            _ => {
                self.fail_call();
                true
            }
        }
    }

    fn accept(&mut self, reply: &Reply, sent: &Sent) {
        let Some(session) = &mut self.session else { return };
        let had_ended = session.has_ended;
        if session.is_out {
            session.settling_until = self.now.saturating_add(session.settings.lease);
        }
        session.until = session.end_of(sent.at);
        session.has_ended = session.until <= self.now;
        (session.failing, session.is_out) = (None, false);
        session.losses += u64::from(reply.lost);
        (session.epoch, session.holders) = (reply.epoch, reply.holders);
        (session.fleet, session.goal) = (reply.fleet, reply.goal);
        session.is_short = reply.left > 0;
        self.next_due = self.next_due.min(session.until);
        for (row, sent) in reply.rows.iter().zip(&sent.rows) {
            self.accept_row(row, sent, had_ended);
        }
        self.update_all_ceilings();
        self.hand_over();
    }

    /// `had_ended`: whether the permits had ended when the reply came.
    fn accept_row(&mut self, row: &ReplyRow, sent: &SentRow, had_ended: bool) {
        let (now, Some(token)) = (self.now, sent.upstream) else { return };
        let index = token.index();
        // It may have been removed meanwhile, and its index may mean another.
        if self.upstreams.named(index).is_none_or(|upstream| upstream.removed)
            || self.upstreams.token(index) != token
        {
            return;
        }
        let in_flight = self.upstreams.get(index).in_flight.saturating_add(sent.removed);
        let Some(session) = &mut self.session else { return };
        let has_ended = session.has_ended;
        let permit = session.permit(index);
        // The store may have given ended permits to others, and counts what was in use all the same. What has
        // come back meanwhile is theirs.
        let returned = if had_ended { sent.used.saturating_sub(in_flight) } else { 0 };
        let held = row.held.saturating_sub(returned).saturating_sub(sent.removed);
        permit.held = if has_ended { 0 } else { held };
        permit.goal = row.goal.saturating_sub(sent.removed);
        (permit.fleet, permit.ejected) = (row.fleet, row.ejected);
        if permit.rest == sent.rest {
            permit.rest = None;
        }
        // The result of a probe may have come while the call was under way; it is told with the next one.
        let is_told = sent.probe != ProbeReport::Hold && sent.probe != ProbeReport::Ask;
        permit.has_probe = row.probe == ProbeAnswer::Granted || (permit.has_probe && !is_told);
        if row.probe == ProbeAnswer::Taken {
            permit.has_probe = false;
        }
        if row.rest > 0 {
            self.import_rest(index, now.saturating_add(row.rest));
        } else if row.probe == ProbeAnswer::Recovered
            && self.upstreams.change(index, |upstream| upstream.health.recover())
        {
            self.publish_health_change(index, HealthChange::Recovered);
        }
    }

    /// An upstream has asked another process for a rest.
    fn import_rest(&mut self, index: u32, until: Millis) {
        let rested = self.upstreams.change(index, |upstream| upstream.health.rest_until(until));
        match rested {
            Some(true) => {
                self.publish_health_change(index, HealthChange::Cooling(until - self.now));
            }
            Some(false) => {
                self.resting.set(index, (until, index));
                self.next_due = self.next_due.min(until);
            }
            None => {}
        }
        debug_assert!(matches!(self.upstreams.get(index).health.state(), State::Resting(_)));
    }
}
