//! Membership: members join, leave, retire and are removed with everything they hold.

use crate::event::EventKind;
use crate::index::NONE;
use crate::member::Member;
use crate::pool::Pool;
use crate::results::Refusal;
use crate::settings::Outcome;
use crate::time::Millis;
use crate::wait_queue::WaiterState;

impl Pool {
    /// Adds a member whose bell has the number `bell`. O(members).
    ///
    /// # Errors
    /// [`Refusal::TooMany`].
    pub fn join(&mut self, bell: u32) -> Result<u32, Refusal> {
        let free = self.members.iter().position(|member| !member.present);
        let index = free.unwrap_or(self.members.len());
        if index == 1 << 12 {
            return Err(Refusal::TooMany);
        }
        let member = Member { present: true, bell, event: self.events.end(), ..Member::default() };
        match self.members.get_mut(index) {
            Some(entry) => *entry = member,
            None => self.members.push(member),
        }
        Ok(index as u32)
    }

    /// Sets the number of a member's bell, which [`Pool::take_ring`] returns. O(1).
    pub fn set_bell(&mut self, member: u32, bell: u32) {
        self.members[member as usize].bell = bell;
    }

    /// The number of members. O(members).
    #[must_use]
    pub fn members(&self) -> usize {
        self.members.iter().filter(|member| member.present).count()
    }

    /// Gives a member no new leases, and cancels its waiters. It keeps its leases, whose number is
    /// returned. O(waiters).
    pub fn leave(&mut self, member: u32, now: Millis) -> u32 {
        self.advance(now, NONE);
        self.members[member as usize].leaving = true;
        self.cancel_waiters(member);
        self.hand_over();
        self.members[member as usize].leases
    }

    /// Gives a member no new leases; its waiters stay in the queue. Returns the number of its
    /// leases. O(1).
    pub fn retire(&mut self, member: u32) -> u32 {
        self.members[member as usize].leaving = true;
        self.members[member as usize].leases
    }

    /// Removes a member: its leases are released, and its waiters are cancelled. O(leases +
    /// waiters).
    pub fn reap(&mut self, member: u32, now: Millis) {
        self.advance(now, NONE);
        let waiters = self.cancel_waiters(member);
        let leases = self.leases.held_by(member);
        for &slot in &leases {
            self.end(slot, Outcome::Unknown, 0);
        }
        let leases = leases.len() as u64;
        self.counts.reaped += leases;
        self.members[member as usize] = Member::default();
        if leases + waiters > 0 {
            self.events.push(EventKind::Reaped, None, leases, waiters);
        }
        self.hand_over();
    }

    fn cancel_waiters(&mut self, member: u32) -> u64 {
        let slots = self.queue.slots_of(member);
        for &slot in &slots {
            let state = self.queue.get(slot).state;
            self.queue.set_state(slot, WaiterState::Free);
            if let WaiterState::Offered(lease) = state {
                self.offer_ended(member);
                self.end(lease, Outcome::Unknown, 0);
            }
        }
        self.members[member as usize].mailbox.clear();
        slots.len() as u64
    }
}
