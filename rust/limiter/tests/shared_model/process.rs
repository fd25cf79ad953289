//! The process's side of the protocol: credit, reservations, and the one call under way.

use super::state::{Bucket, Flight, Process, Request, Transit, Waiter};
use super::world::{Kind, Without, World};

impl Process {
    /// Takes one unit from credit, if that is allowed.
    pub(crate) fn spend(&mut self) -> bool {
        let is_allowed = self.has_free();
        self.balance -= i8::from(is_allowed);
        is_allowed
    }

    pub(crate) fn reserve(&mut self, waiter: Waiter) -> bool {
        let is_allowed = self.has_free() && self.has_room();
        if is_allowed {
            self.hold(waiter);
        }
        is_allowed
    }

    /// The world is small: a process has no more than three reservations.
    pub(crate) fn has_room(&self) -> bool {
        self.reserved() < 3
    }

    fn has_free(&self) -> bool {
        !self.is_dead && self.until > 0 && (self.reserved() as i8) < self.balance
    }

    fn hold(&mut self, waiter: Waiter) {
        match waiter {
            Waiter::Reserve => self.kept += 1,
            Waiter::Cancelled => self.cancelled += 1,
            Waiter::None | Waiter::Take => {}
        }
    }

    /// Settles a reservation in full. A concurrency limit consumes nothing.
    pub(crate) fn settle(&mut self, world: &World) {
        self.kept -= 1;
        self.balance -= i8::from(world.kind != Kind::Concurrency);
    }

    /// Makes the next request, and gives up what it gives back before it is said.
    pub(crate) fn send(
        &mut self,
        world: &World,
        want: u8,
        waiter: Waiter,
        bye: bool,
    ) -> Option<()> {
        // Nothing is consumed of a concurrency limit.
        let used = match world.kind {
            Kind::Concurrency => 0,
            _ => (self.granted as i8 - self.balance).max(0) as u8,
        };
        let spent = used.min(self.granted);
        let reserved = self.reserved();
        let free = (self.balance - reserved as i8).max(0) as u8;
        let owed = std::mem::take(&mut self.bucket.owed);
        let debt = used - spent + owed;
        let is_idle = free == 0 && spent == 0 && debt == 0 && reserved == 0 && self.granted == 0;
        if is_idle && want == 0 && waiter == Waiter::None && !bye {
            return None;
        }
        let has_ended = self.until == 0 && !world.lacks(Without::EndOfCredit);
        let keep = match waiter {
            _ if world.lacks(Without::Bind) => free,
            Waiter::None if !has_ended => free.min(want),
            _ => 0,
        };
        let mut bind = reserved + keep;
        let is_consumed = world.kind != Kind::Concurrency;
        if is_consumed && !world.lacks(Without::BindWithinBalance) {
            bind = bind.min(self.balance.max(0) as u8);
        }
        self.balance = bind as i8;
        let request = Request {
            spent,
            debt,
            bind,
            want: want.max(reserved),
            waiter,
            bye,
            epoch: self.epoch,
            restore: if is_consumed { self.used } else { reserved },
        };
        self.used = (self.used + spent + debt).min(7);
        self.flight = Flight { transit: Transit::Request, request, ..Flight::default() };
        Some(())
    }

    pub(crate) fn receive(&mut self, world: &World) {
        let Flight { request, age, reply, .. } = std::mem::take(&mut self.flight);
        self.granted = reply.held;
        if self.until == 0 && !world.lacks(Without::EndOfCredit) {
            let ended = (self.balance - self.reserved() as i8).max(0);
            self.balance -= ended;
        }
        self.balance += reply.held as i8 - request.bind as i8;
        self.epoch = reply.epoch;
        let lease = world.lease - if world.lacks(Without::DeadlineFromSending) { 0 } else { age };
        self.until = match world.kind {
            Kind::Quota if !world.lacks(Without::WindowOfCredit) => {
                lease.min(reply.window.saturating_sub(age))
            }
            _ => lease,
        };
        if reply.is_admitted {
            self.used = (self.used + 1).min(7);
            let is_late = self.until == 0 && world.kind == Kind::Concurrency;
            if !is_late || world.lacks(Without::LateHold) {
                self.hold(request.waiter);
            }
        }
        if request.bye {
            self.granted = 0;
        }
        if self.bucket.is_out {
            self.bucket =
                Bucket { owed: self.bucket.level.min(self.bucket.admitted), ..Bucket::default() };
        }
    }

    /// Falls back on the share of an outage: a bucket that starts full.
    pub(crate) fn give_up(&mut self, world: &World) {
        let owed = self.bucket.owed;
        self.bucket = Bucket { is_out: true, level: world.burst / 2, owed, ..Bucket::default() };
    }

    pub(crate) fn spend_share(&mut self, world: &World) -> bool {
        let is_allowed = self.bucket.is_out && !self.is_dead && self.bucket.level < world.burst / 2;
        self.bucket.level += u8::from(is_allowed);
        self.bucket.admitted = (self.bucket.admitted + u8::from(is_allowed)).min(3);
        is_allowed
    }

    pub(crate) fn tick(&mut self, world: &World) {
        if !self.is_frozen {
            self.until = self.until.saturating_sub(1);
            self.flight.age = (self.flight.age + 1).min(world.lease);
            if self.until == 0 && world.aborts {
                self.kept = 0;
            }
        }
        let bucket = &mut self.bucket;
        if bucket.is_out {
            bucket.level -= u8::from(bucket.is_odd && bucket.level > 0);
            bucket.is_odd = !bucket.is_odd;
        }
    }

    /// All that a process knew is gone; its requests may still arrive.
    pub(crate) fn die(&mut self) {
        let Process { flight, stray, .. } = *self;
        *self = Process { is_dead: true, flight, stray, ..Process::default() };
    }
}
