//! Bit packing of a state into 128 bits. Fields that a configuration does not use take no bits, and a
//! value that does not fit is an error rather than another state.

use super::state::{
    Bucket, Charge, Entry, Flight, Process, Reply, Request, Server, State, Stray, Transit, Waiter,
};
use super::world::{Kind, World};

/// Writes or reads fields in one order, so that both directions share one description.
pub(crate) struct Bits {
    word: u128,
    at: u32,
    is_reading: bool,
}

impl Bits {
    fn number(&mut self, value: &mut u8, width: u32) {
        if self.is_reading {
            *value = ((self.word >> self.at) & ((1 << width) - 1)) as u8;
        } else {
            assert!(u32::from(*value) < 1 << width, "{value} in {width} bits at {}", self.at);
            self.word |= u128::from(*value) << self.at;
        }
        self.at += width;
        assert!(self.at <= 128, "a state of this configuration needs more than 128 bits");
    }

    fn flag(&mut self, value: &mut bool, is_used: bool) {
        let mut number = u8::from(*value);
        self.number(&mut number, u32::from(is_used));
        *value = number == 1;
    }
}

pub(crate) fn pack(state: &State, world: &World) -> u128 {
    let mut bits = Bits { word: 0, at: 0, is_reading: false };
    let mut state = *state;
    visit(&mut bits, &mut state, world);
    bits.word
}

pub(crate) fn unpack(word: u128, world: &World) -> State {
    let mut bits = Bits { word, at: 0, is_reading: true };
    let mut state = State::default();
    visit(&mut bits, &mut state, world);
    state
}

/// The smaller of the two names of a state, as the processes are alike.
pub(crate) fn canonical(state: &State, world: &World) -> u128 {
    pack(state, world).min(pack(&state.swapped(), world))
}

fn visit(bits: &mut Bits, state: &mut State, world: &World) {
    let is_quota = world.kind == Kind::Quota;
    bits.number(&mut state.admitted, if world.kind == Kind::Concurrency { 0 } else { 3 });
    bits.number(&mut state.window, if is_quota { 2 } else { 0 });
    bits.flag(&mut state.is_down, world.down);
    bits.flag(&mut state.past.is_lost, world.loss);
    bits.flag(&mut state.past.is_stepped, world.step_back || world.step_forward);
    bits.flag(&mut state.past.is_failed_over, world.failover);
    server(bits, &mut state.server, world);
    bits.flag(&mut state.has_replica, world.failover);
    if state.has_replica {
        server(bits, &mut state.replica, world);
    }
    for it in &mut state.processes {
        process(bits, it, world);
    }
}

fn server(bits: &mut Bits, it: &mut Server, world: &World) {
    bits.flag(&mut it.exists, world.loss);
    bits.number(&mut it.level, if world.kind == Kind::Concurrency { 0 } else { 3 });
    bits.number(&mut it.ahead, if world.loss || world.step_back { 2 } else { 0 });
    bits.number(&mut it.epoch, if world.loss { 2 } else { 0 });
    bits.number(&mut it.since, if world.loss { 3 } else { 0 });
    for entry in &mut it.entries {
        self::entry(bits, entry, world);
    }
    if world.kind == Kind::Quota {
        for charge in &mut it.charges {
            self::charge(bits, charge, world);
        }
    }
}

fn entry(bits: &mut Bits, it: &mut Entry, world: &World) {
    bits.flag(&mut it.is_present, true);
    if it.is_present {
        bits.number(&mut it.held, 2);
        bits.number(&mut it.ends, 2);
        bits.number(&mut it.age, 2);
        reply(bits, &mut it.reply, world);
    }
}

fn charge(bits: &mut Bits, it: &mut Charge, world: &World) {
    bits.flag(&mut it.is_present, true);
    if it.is_present {
        bits.number(&mut it.age, 2);
        reply(bits, &mut it.reply, world);
    }
}

fn reply(bits: &mut Bits, it: &mut Reply, world: &World) {
    bits.number(&mut it.held, 2);
    bits.flag(&mut it.is_admitted, true);
    bits.number(&mut it.epoch, if world.loss { 2 } else { 0 });
    bits.number(&mut it.window, if world.kind == Kind::Quota { 2 } else { 0 });
}

fn request(bits: &mut Bits, it: &mut Request, world: &World) {
    bits.number(&mut it.spent, 2);
    bits.number(&mut it.debt, if world.reserves { 3 } else { 2 });
    bits.number(&mut it.bind, 2);
    bits.number(&mut it.want, 2);
    let mut waiter = it.waiter as u8;
    bits.number(&mut waiter, if world.reserves { 2 } else { 1 });
    it.waiter =
        [Waiter::None, Waiter::Take, Waiter::Reserve, Waiter::Cancelled][usize::from(waiter)];
    bits.flag(&mut it.bye, world.bye);
    bits.number(&mut it.epoch, if world.loss { 2 } else { 0 });
    let restore = match world.kind {
        Kind::Rate => 0,
        Kind::Quota if !world.loss => 0,
        Kind::Quota | Kind::Concurrency => 3,
    };
    bits.number(&mut it.restore, restore);
}

fn process(bits: &mut Bits, it: &mut Process, world: &World) {
    bits.flag(&mut it.is_dead, world.crash);
    bits.flag(&mut it.is_frozen, world.freeze);
    // Only settling without credit leads deep into debt.
    let (lowest, width) = if world.reserves { (-7, 4) } else { (-3, 3) };
    let mut balance = (it.balance - lowest) as u8;
    bits.number(&mut balance, width);
    it.balance = balance as i8 + lowest;
    bits.number(&mut it.granted, 2);
    bits.number(&mut it.kept, if world.reserves { 2 } else { 0 });
    bits.number(
        &mut it.cancelled,
        if world.reserves && world.kind != Kind::Concurrency { 2 } else { 0 },
    );
    bits.number(&mut it.until, 2);
    bits.number(&mut it.epoch, if world.loss { 2 } else { 0 });
    bits.number(&mut it.used, if world.kind == Kind::Quota && world.loss { 3 } else { 0 });
    bucket(bits, &mut it.bucket, world);
    flight(bits, &mut it.flight, world);
    stray(bits, &mut it.stray, world);
}

fn bucket(bits: &mut Bits, it: &mut Bucket, world: &World) {
    bits.flag(&mut it.is_out, world.down);
    if it.is_out {
        bits.number(&mut it.level, 2);
        bits.number(&mut it.admitted, 2);
        bits.flag(&mut it.is_odd, true);
    }
    bits.number(&mut it.owed, if world.down { 2 } else { 0 });
}

fn flight(bits: &mut Bits, it: &mut Flight, world: &World) {
    let mut transit = it.transit as u8;
    bits.number(&mut transit, 2);
    it.transit = [Transit::None, Transit::Request, Transit::Answer][usize::from(transit)];
    if it.transit != Transit::None {
        request(bits, &mut it.request, world);
        bits.number(&mut it.age, 2);
        bits.flag(&mut it.is_counted, true);
        reply(bits, &mut it.reply, world);
    }
}

fn stray(bits: &mut Bits, it: &mut Stray, world: &World) {
    bits.flag(&mut it.is_present, world.copies);
    if it.is_present {
        bits.number(&mut it.age, 2);
        request(bits, &mut it.request, world);
    }
}
