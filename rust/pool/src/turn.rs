//! What time does to a pool: leases expire, waits end, rests are over, and who does not collect
//! what it was handed loses it to the next.
//!
//! Nothing runs by itself. Every call first brings the pool up to date, which is one comparison
//! while nothing is due; and whoever waits calls at least every few milliseconds.

use std::sync::Arc;

use crate::line::Stand;
use crate::{EventKind, Millis, NEVER, Outcome, Pool};

impl Pool {
    /// Brings the pool up to date. A clock that steps back is a clock that stands still. O(1) while
    /// nothing is due, else O(log n) for each thing that is.
    pub fn tick(&mut self, now: Millis) {
        self.turn(now, crate::NONE);
    }

    #[inline]
    pub(crate) fn turn(&mut self, now: Millis, caller: u32) {
        self.caller = caller;
        self.now = self.now.max(now);
        if self.now >= self.next_due {
            self.catch_up();
        }
    }

    #[cold]
    fn catch_up(&mut self) {
        let now = self.now;
        // First, so that whoever is set aside can run out of time.
        self.revoke_unclaimed();
        // Before anything is handed over: who is out of time is served no more.
        while let Some((_, slot)) = self.line.next_deadline().filter(|&(at, _)| at <= now) {
            self.counts.timed_out += 1;
            self.line.put(slot, Stand::TimedOut);
            self.mail(slot);
        }
        let ttl = self.settings.lease_ttl;
        while let Some((slot, renewed)) = self.leases.oldest() {
            if renewed.saturating_add(ttl) > now {
                break;
            }
            if self.leases.is_offered(slot) {
                // It is in nobody's hands yet. How long it may lie is `claim`'s to say, which begins anew
                // while its member collects others. This ends: `claim` is at most `lease_ttl`, so where
                // times saturate no offer was left above.
                self.leases.renew(slot, now);
            } else {
                self.expire(slot);
            }
        }
        while let Some(((_, _), index)) = self.resting.first().filter(|&((at, _), _)| at <= now) {
            self.resting.remove(index);
            self.upstreams.change(index, |upstream| upstream.health.end_rest());
            self.rank_again(index);
        }
        self.hand_over();
        let due = [
            self.line.next_deadline().map(|(at, _)| at),
            self.leases.oldest().map(|(_, renewed)| renewed.saturating_add(ttl)),
            self.resting.first().map(|((at, _), _)| at),
            self.unclaimed.first().map(|((since, _), _)| since.saturating_add(self.settings.claim)),
        ];
        self.next_due = due.into_iter().flatten().min().unwrap_or(NEVER);
    }

    /// A lease that outlived its time is taken back; whether the upstream did its part is unknown.
    fn expire(&mut self, slot: u32) {
        let upstream = self.upstreams.get(self.leases.id(slot).upstream());
        self.counts.expired += 1;
        self.events.push(EventKind::Expired, Some(Arc::clone(&upstream.id)), 0, 0);
        self.end(slot, Outcome::Unknown, 0);
    }

    fn revoke_unclaimed(&mut self) {
        while let Some(((since, _), member)) = self.unclaimed.first() {
            if since.saturating_add(self.settings.claim) > self.now {
                return;
            }
            self.put_to_sleep(member);
        }
    }

    /// A member that leaves offers lying is busy, or hangs: its places are set aside with their
    /// turn and their deadline, and what it was offered goes to others. O(places).
    fn put_to_sleep(&mut self, member: u32) {
        self.members[member as usize].asleep = true;
        for slot in self.line.of(member) {
            match self.line.get(slot).stand {
                Stand::Offered(lease) => {
                    self.line.put(slot, Stand::Aside);
                    self.offer_gone(member);
                    self.end(lease, Outcome::Unknown, 0);
                }
                Stand::Waiting => self.line.put(slot, Stand::Aside),
                Stand::Aside | Stand::TimedOut | Stand::Free => {}
            }
        }
        let line = &self.line;
        self.members[member as usize].mailbox.retain(|&place| {
            line.find(place).is_some_and(|slot| line.get(slot).stand == Stand::TimedOut)
        });
    }

    /// The member calls: it is awake, and its places are back where their turn is. O(1) unless it
    /// was asleep.
    pub(crate) fn rouse(&mut self, member: u32) {
        if !std::mem::take(&mut self.members[member as usize].asleep) {
            return;
        }
        for slot in self.line.of(member) {
            if self.line.get(slot).stand == Stand::Aside {
                self.line.put(slot, Stand::Waiting);
            }
        }
        self.hand_over();
    }
}
