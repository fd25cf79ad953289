//! State of the small world: a store, two processes and the messages between them, for one key with
//! one limit.

use super::world::{Kind, World};

/// What waits for the store in a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Waiter {
    #[default]
    None,
    Take,
    /// A reservation that will be settled in full; its admission counts from the start.
    Reserve,
    /// A reservation that will be cancelled; it never counts.
    Cancelled,
}

/// The text of a request, without its sequence number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) spent: u8,
    pub(crate) debt: u8,
    pub(crate) bind: u8,
    pub(crate) want: u8,
    pub(crate) waiter: Waiter,
    pub(crate) bye: bool,
    /// Epoch that the sender knew: 0 for none.
    pub(crate) epoch: u8,
    /// All that the sender used of a quota's window, or its requests in flight.
    pub(crate) restore: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) held: u8,
    pub(crate) is_admitted: bool,
    pub(crate) epoch: u8,
    /// Ticks to the end of a quota's window.
    pub(crate) window: u8,
}

/// A process's entry in the key's hash. `age` counts how many requests the process made since the one
/// whose answer is kept, so that a sequence number needs two bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) is_present: bool,
    pub(crate) held: u8,
    /// Ticks to the lease's end by the server's clock.
    pub(crate) ends: u8,
    pub(crate) age: u8,
    pub(crate) reply: Reply,
}

/// What a quota charged when a lease ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Charge {
    pub(crate) is_present: bool,
    pub(crate) age: u8,
    /// What the process held, which is what was charged.
    pub(crate) reply: Reply,
}

/// The store's state of the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) exists: bool,
    pub(crate) level: u8,
    /// By how many ticks the level's stamp is ahead of the server's clock.
    pub(crate) ahead: u8,
    /// 0 after a loss, until somebody calls.
    pub(crate) epoch: u8,
    /// Ticks since the epoch began, as far as they matter.
    pub(crate) since: u8,
    pub(crate) entries: [Entry; 2],
    pub(crate) charges: [Charge; 2],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Transit {
    #[default]
    None,
    /// The request is on its way, or lost and sent again.
    Request,
    Answer,
}

/// The one call of a process that is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flight {
    pub(crate) transit: Transit,
    pub(crate) request: Request,
    /// Ticks since it was first sent, by the clock of the process.
    pub(crate) age: u8,
    /// Its waiter was admitted and counts.
    pub(crate) is_counted: bool,
    pub(crate) reply: Reply,
}

/// A copy of a request that the network delivers late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stray {
    pub(crate) is_present: bool,
    pub(crate) age: u8,
    pub(crate) request: Request,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) is_out: bool,
    pub(crate) level: u8,
    /// All that it admitted.
    pub(crate) admitted: u8,
    /// It decays in every second tick, as half of the rate is this process's share.
    pub(crate) is_odd: bool,
    /// Used in an outage and not reported.
    pub(crate) owed: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) is_dead: bool,
    pub(crate) is_frozen: bool,
    /// Credit, with what open reservations hold of it.
    pub(crate) balance: i8,
    pub(crate) granted: u8,
    /// Open reservations that will be settled, and that will be cancelled.
    pub(crate) kept: u8,
    pub(crate) cancelled: u8,
    /// Ticks for which the credit may be spent.
    pub(crate) until: u8,
    pub(crate) epoch: u8,
    /// Used of the quota's window, as far as it was reported.
    pub(crate) used: u8,
    pub(crate) bucket: Bucket,
    pub(crate) flight: Flight,
    pub(crate) stray: Stray,
}

impl Process {
    pub(crate) fn reserved(&self) -> u8 {
        self.kept + self.cancelled
    }
}

/// Events that happen at most once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Past {
    pub(crate) is_lost: bool,
    pub(crate) is_stepped: bool,
    pub(crate) is_failed_over: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// The leaky queue of true admissions.
    pub(crate) admitted: u8,
    /// Ticks to the end of the quota's window.
    pub(crate) window: u8,
    pub(crate) is_down: bool,
    pub(crate) past: Past,
    pub(crate) server: Server,
    /// What the replica knows, from the moment when it stopped following.
    pub(crate) has_replica: bool,
    pub(crate) replica: Server,
    pub(crate) processes: [Process; 2],
}

impl State {
    pub(crate) fn first(world: &World) -> State {
        let mut state = State::default();
        state.server.epoch = u8::from(world.loss);
        if world.kind == Kind::Quota {
            state.window = world.window;
        }
        state.normalise(world);
        state
    }

    /// The same state with the names of the processes exchanged.
    pub(crate) fn swapped(&self) -> State {
        let mut state = *self;
        state.processes.swap(0, 1);
        for server in [&mut state.server, &mut state.replica] {
            server.entries.swap(0, 1);
            server.charges.swap(0, 1);
        }
        state
    }

    pub(crate) fn tick(&mut self, world: &World) {
        if world.kind == Kind::Rate {
            self.admitted = self.admitted.saturating_sub(1);
        }
        self.server.tick(world);
        if self.has_replica {
            self.replica.tick(world);
        }
        for process in &mut self.processes {
            process.tick(world);
        }
        if world.kind == Kind::Quota {
            self.window -= 1;
            if self.window == 0 {
                self.roll(world);
            }
        }
    }

    /// A new window of the quota: the level and what was charged for the old one are void.
    fn roll(&mut self, world: &World) {
        self.window = world.window;
        self.admitted = 0;
        for server in [&mut self.server, &mut self.replica] {
            server.level = 0;
            server.charges = Default::default();
        }
        for process in &mut self.processes {
            process.used = 0;
        }
    }

    /// Process `i` made a new request: all others of it are one older.
    pub(crate) fn renumber(&mut self, i: usize) {
        for server in [&mut self.server, &mut self.replica] {
            server.entries[i].age = (server.entries[i].age + 1).min(3);
            server.charges[i].age = (server.charges[i].age + 1).min(3);
        }
        let stray = &mut self.processes[i].stray;
        stray.age += u8::from(stray.is_present);
        // Copies whose ages can no longer be distinguished are dropped by the network.
        if stray.age > 2 {
            *stray = Default::default();
        }
    }

    /// Requests in flight of a concurrency limit, or the leaky queue of admissions.
    pub(crate) fn load(&self, world: &World) -> u8 {
        match world.kind {
            Kind::Concurrency => self.processes.iter().map(|it| it.kept).sum(),
            Kind::Rate | Kind::Quota => self.admitted,
        }
    }

    /// Forgets what cannot matter again, so that equal futures are one state.
    pub(crate) fn normalise(&mut self, world: &World) {
        if !world.loss {
            self.server.exists = false;
            self.server.since = 0;
        } else {
            // Later than this, nothing is full any more.
            self.server.since = self.server.since.min(world.lease + world.burst);
            if self.past.is_lost && self.server.epoch == 2 && self.server.exists {
                self.server.since = self.server.since.min(world.lease);
            } else if !self.past.is_lost {
                self.server.since = 0;
                self.server.exists = true;
            }
        }
        if !world.step_back && !world.loss {
            self.server.ahead = 0;
        }
        if self.server.level == 0 {
            self.server.ahead = 0;
        }
        self.replica.exists = false;
        self.replica.since = 0;
        for i in 0..2 {
            let process = &mut self.processes[i];
            if process.flight.transit == Transit::None {
                process.flight = Default::default();
            }
            if process.is_dead && process.flight.transit == Transit::Answer {
                process.flight = Default::default();
            }
            if process.is_dead {
                process.flight.age = 0;
            }
            let restores = world.kind == Kind::Quota && world.loss;
            if !restores {
                process.used = 0;
            }
            if !restores && world.kind != Kind::Concurrency {
                process.flight.request.restore = 0;
                process.stray.request.restore = 0;
            }
            let stray = process.stray;
            let is_open = process.flight.transit != Transit::None;
            for server in [&mut self.server, &mut self.replica] {
                let oldest = if stray.is_present { 3 } else { u8::from(is_open) };
                let entry = &mut server.entries[i];
                entry.age = if entry.is_present { entry.age.min(oldest) } else { 0 };
                let is_asked_again =
                    is_open && entry.age == 0 || stray.is_present && entry.age == stray.age;
                if !is_asked_again {
                    entry.reply = Default::default();
                }
                let charge = &mut server.charges[i];
                charge.age = if charge.is_present { charge.age.min(oldest) } else { 0 };
            }
        }
    }
}
