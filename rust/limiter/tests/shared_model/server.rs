//! The store's script as a function of the state, step by step as in `sync.lua`.

use super::state::{Charge, Entry, Reply, Request, Server, Waiter};
use super::world::{Kind, Without, World};

/// More than any bound; a level stops there, as it stops at 2^52 in the store.
const FULL: u8 = 7;

/// What a request changed.
pub(crate) struct Served {
    /// None where the request is older than the newest one of its sender.
    pub(crate) reply: Option<Reply>,
    /// The waiter was charged in this call, not in an earlier one with the same number.
    pub(crate) is_charged: bool,
}

impl Server {
    pub(crate) fn held(&self) -> u8 {
        self.entries.iter().map(|entry| entry.held).sum()
    }

    /// Serves a request of process `me` that is `age` requests old. `window` is the time to the end of
    /// a quota's window.
    pub(crate) fn serve(
        &mut self,
        world: &World,
        me: usize,
        request: &Request,
        age: u8,
        window: u8,
    ) -> Served {
        if world.loss && self.epoch == 0 {
            self.epoch = 2;
            self.since = 0;
        }
        let is_lost = request.epoch != 0 && request.epoch != self.epoch;
        if let Some(known) =
            self.known(world, me, age).filter(|_| !world.lacks(Without::SequenceNumbers))
        {
            let reply = known.map(|reply| Reply { window, ..reply });
            return Served { reply, is_charged: false };
        }
        self.find_level(world, request.bye);
        let is_new = !self.entries[me].is_present;
        self.end_leases(world);
        self.report(world, me, request, is_lost, is_new);
        let bind = if world.lacks(Without::Bind) { 0 } else { request.bind };
        let (is_admitted, bound) = self.admit(world, me, request, bind);
        let held = self.grant(world, me, request, bound, is_admitted);
        let is_admitted = is_admitted && request.waiter != Waiter::None;
        let reply = Reply { held, is_admitted, epoch: self.epoch, window };
        self.entries[me] = match request.bye {
            true => Entry::default(),
            false => Entry { is_present: true, held, ends: world.lease, age, reply },
        };
        Served { reply: Some(reply), is_charged: is_admitted }
    }

    /// What the store answers to a request that is not newer than the last one of process `me`: the
    /// same reply, or nothing to an older one.
    fn known(&self, world: &World, me: usize, age: u8) -> Option<Option<Reply>> {
        let (entry, charge) = (self.entries[me], self.charges[me]);
        let (last, reply) = match (entry.is_present, charge.is_present) {
            (true, _) => (entry.age, entry.reply),
            (false, true) if !world.lacks(Without::SequenceOfCharge) => (charge.age, charge.reply),
            (false, _) => return None,
        };
        (age >= last).then_some((age == last).then_some(reply))
    }

    /// One tick of the server's clock, without the leases, which end when somebody calls.
    pub(crate) fn tick(&mut self, world: &World) {
        if self.ahead > 0 {
            self.ahead -= 1;
        } else if world.kind == Kind::Rate {
            self.level = self.level.saturating_sub(1);
        }
        for entry in &mut self.entries {
            entry.ends = entry.ends.saturating_sub(1);
        }
        if self.epoch != 0 {
            self.since = (self.since + 1).min(FULL);
        }
    }

    /// Step 4: a stamp ahead of the clock, and a key that the store does not know.
    fn find_level(&mut self, world: &World, is_bye: bool) {
        if self.ahead > world.lease || world.lacks(Without::StampAhead) {
            self.ahead = 0;
        }
        if !self.exists && world.strict && world.kind == Kind::Rate && self.epoch == 2 {
            let is_short = is_bye && world.lacks(Without::LeaseInBye);
            let lease =
                if is_short || world.lacks(Without::StandingStill) { 0 } else { world.lease };
            self.level = world.burst.saturating_sub(self.since.saturating_sub(lease));
            self.ahead = lease.saturating_sub(self.since);
        }
        self.exists = true;
    }

    /// Step 5: leases that ended are charged in full.
    fn end_leases(&mut self, world: &World) {
        for (entry, charge) in self.entries.iter_mut().zip(&mut self.charges) {
            if !entry.is_present || entry.ends > 0 || world.lacks(Without::EndOfLease) {
                continue;
            }
            if world.kind != Kind::Concurrency && !world.lacks(Without::ChargeOfTheDead) {
                self.level = (self.level + entry.held).min(FULL);
            }
            if world.kind == Kind::Quota && entry.held > 0 {
                let reply = Reply { held: entry.held, ..entry.reply };
                *charge = Charge { is_present: true, age: entry.age, reply };
            }
            *entry = Entry::default();
        }
    }

    /// Step 6: what was spent becomes level.
    fn report(&mut self, world: &World, me: usize, request: &Request, is_lost: bool, is_new: bool) {
        let is_missing = !self.entries[me].is_present;
        let is_living = is_lost && self.since < world.lease;
        let charge = std::mem::take(&mut self.charges[me]);
        let entry = &mut self.entries[me];
        let moved = request.spent.min(entry.held);
        entry.held -= moved;
        if world.kind == Kind::Concurrency {
            let truth = match world.without {
                Without::Truth => 0,
                Without::TruthOfUse => request.bind,
                _ if is_living => request.bind.max(request.restore),
                _ => request.restore,
            };
            entry.held = entry.held.max(truth);
            return;
        }
        self.level += moved + request.debt;
        if charge.is_present && is_missing {
            self.level = self.level.saturating_sub(charge.reply.held) + request.spent;
            entry.held = request.bind;
        } else if is_lost {
            self.level += request.spent - moved;
            if is_new && world.kind == Kind::Quota {
                self.level += request.restore;
            }
            if is_living {
                entry.held = entry.held.max(request.bind);
            }
        }
        self.level = self.level.min(FULL);
    }

    /// Step 7: the waiter, at once and for good. Returns whether none was refused, and what the
    /// process may be spending.
    fn admit(&mut self, world: &World, me: usize, request: &Request, bind: u8) -> (bool, u8) {
        let own = self.entries[me].held.saturating_sub(bind);
        let would_be = self.level + self.held() - own + 1;
        if request.waiter == Waiter::None {
            return (true, bind);
        }
        if would_be > world.burst || self.is_closed(world) {
            return (false, bind);
        }
        if request.waiter == Waiter::Take {
            self.level += 1;
            let over = (self.level + self.held()).saturating_sub(world.burst);
            self.entries[me].held -= over.min(own);
            return (true, bind);
        }
        self.entries[me].held += 1 - own.min(1);
        (true, bind + 1)
    }

    /// Step 8: what the process holds from now on.
    fn grant(
        &mut self,
        world: &World,
        me: usize,
        request: &Request,
        bound: u8,
        is_admitted: bool,
    ) -> u8 {
        let mine = self.entries[me].held;
        if request.bye {
            if world.kind != Kind::Concurrency {
                self.level = (self.level + bound.min(mine)).min(FULL);
            }
            return 0;
        }
        if !is_admitted {
            return mine.min(bound);
        }
        let top = if self.is_closed(world) { 0 } else { world.burst };
        let over = (self.level + self.held()).saturating_sub(top);
        if over > 0 && !world.lacks(Without::CapacityOfLoans) {
            // What is lent above the capacity is taken back, unless it may be being spent.
            return request.want.max(bound).min(mine.saturating_sub(over)).max(bound.min(mine));
        }
        let mut free = top.saturating_sub(self.level + self.held());
        if world.halves {
            let others =
                self.entries.iter().enumerate().filter(|(i, it)| *i != me && it.is_present);
            free /= 2 * (1 + others.count() as u8);
        }
        request.want.max(bound).min(mine + free).max(bound.min(mine))
    }

    /// After a loss, a strict limit that does not decay waits until all have told what they use.
    fn is_closed(&self, world: &World) -> bool {
        world.kind != Kind::Rate && world.strict && self.epoch == 2 && self.since < world.lease
    }
}
