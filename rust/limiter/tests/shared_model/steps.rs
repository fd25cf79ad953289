//! All steps that can be taken from a state: the processes, the network, the clocks and the failures.

use std::fmt;

use super::state::{Process, Server, State, Transit, Waiter};
use super::world::{Kind, Outage, Without, World};

/// One step, for traces. A number is the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Tick,
    Spend(usize),
    SpendShare(usize),
    Reserve(usize, Waiter),
    Settle(usize),
    Cancel(usize),
    Send(usize, u8, Waiter),
    Bye(usize),
    Copy(usize),
    Serve(usize),
    ServeCopy(usize),
    AnswerOfCopy(usize),
    Receive(usize),
    Resend(usize),
    GiveUp(usize),
    Crash(usize),
    Freeze(usize),
    LoseState,
    /// A call for another key starts the epoch.
    OtherKey,
    Down,
    Up,
    ReplicaStops,
    Failover,
    ClockBack,
    ClockForward,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Step::Send(i, want, Waiter::None) => write!(f, "send {i} want {want}"),
            Step::Send(i, want, waiter) => write!(f, "send {i} want {want} {waiter:?}"),
            Step::Reserve(i, Waiter::Cancelled) => write!(f, "reserve {i} (to cancel)"),
            Step::Reserve(i, _) => write!(f, "reserve {i}"),
            other => {
                let text = format!("{other:?}").replace(['(', ')'], " ").to_lowercase();
                f.write_str(text.trim_end())
            }
        }
    }
}

/// Where the next states go.
pub(crate) type Next = Vec<(Step, State)>;

/// Puts all states that can follow `state` into `next`.
pub(crate) fn successors(state: &State, world: &World, next: &mut Next) {
    next.clear();
    let mut add = |step: Step, mut to: State| {
        to.normalise(world);
        next.push((step, to));
    };
    let mut to = *state;
    to.tick(world);
    add(Step::Tick, to);
    for i in 0..2 {
        spend(state, world, i, &mut add);
        send(state, world, i, &mut add);
        network(state, world, i, &mut add);
        fail(state, world, i, &mut add);
    }
    lose(state, world, &mut add);
    step_clock(state, world, &mut add);
}

fn spend(state: &State, world: &World, i: usize, add: &mut impl FnMut(Step, State)) {
    let mut change = |step: Step, admitted: u8, change: &mut dyn FnMut(&mut Process) -> bool| {
        let mut to = *state;
        if change(&mut to.processes[i]) {
            to.admitted += admitted;
            add(step, to);
        }
    };
    if world.kind != Kind::Concurrency {
        change(Step::Spend(i), 1, &mut |it| it.spend());
        change(Step::SpendShare(i), 1, &mut |it| it.spend_share(world));
    }
    if !world.reserves {
        return;
    }
    let counts = u8::from(world.kind != Kind::Concurrency);
    change(Step::Reserve(i, Waiter::Reserve), counts, &mut |it| it.reserve(Waiter::Reserve));
    change(Step::Settle(i), 0, &mut |it| {
        let is_open = it.kept > 0;
        if is_open {
            it.settle(world);
        }
        is_open
    });
    if world.kind != Kind::Concurrency {
        change(Step::Reserve(i, Waiter::Cancelled), 0, &mut |it| it.reserve(Waiter::Cancelled));
        change(Step::Cancel(i), 0, &mut |it| {
            let is_open = it.cancelled > 0;
            it.cancelled -= u8::from(is_open);
            is_open
        });
    }
}

fn send(state: &State, world: &World, i: usize, add: &mut impl FnMut(Step, State)) {
    let process = &state.processes[i];
    if process.is_dead || process.flight.transit != Transit::None {
        return;
    }
    let waiters: &[Waiter] = match (world.kind, world.reserves) {
        (Kind::Concurrency, _) => &[Waiter::None, Waiter::Reserve],
        (_, false) => &[Waiter::None, Waiter::Take],
        (_, true) => &[Waiter::None, Waiter::Take, Waiter::Reserve, Waiter::Cancelled],
    };
    for &waiter in waiters {
        if matches!(waiter, Waiter::Reserve | Waiter::Cancelled) && !process.has_room() {
            continue;
        }
        for want in 0..=world.want {
            let mut to = *state;
            if to.processes[i].send(world, want, waiter, false).is_some() {
                to.renumber(i);
                add(Step::Send(i, want, waiter), to);
            }
        }
    }
    let is_open = world.kind == Kind::Concurrency && process.kept > 0;
    if world.bye && (!is_open || world.lacks(Without::StayOfTheOpen)) {
        let mut to = *state;
        if to.processes[i].send(world, 0, Waiter::None, true).is_some() {
            to.renumber(i);
            add(Step::Bye(i), to);
        }
    }
}

fn network(state: &State, world: &World, i: usize, add: &mut impl FnMut(Step, State)) {
    let Process { flight, stray, is_dead, .. } = state.processes[i];
    if flight.transit == Transit::Request && !state.is_down {
        let mut to = *state;
        let served = to.server.serve(world, i, &flight.request, 0, state.window);
        let is_true = matches!(flight.request.waiter, Waiter::Take | Waiter::Reserve)
            && world.kind != Kind::Concurrency;
        let own = &mut to.processes[i].flight;
        if served.is_charged && is_true && !flight.is_counted && !is_dead {
            to.admitted += 1;
            own.is_counted = true;
        }
        if let Some(reply) = served.reply {
            own.transit = Transit::Answer;
            own.reply = reply;
        }
        add(Step::Serve(i), to);
    }
    if flight.transit == Transit::Answer {
        let mut to = *state;
        to.processes[i].receive(world);
        add(Step::Receive(i), to);
        if world.resends {
            let mut to = *state;
            let own = &mut to.processes[i].flight;
            own.transit = Transit::Request;
            own.reply = Default::default();
            add(Step::Resend(i), to);
        }
    }
    if world.copies && !stray.is_present && flight.transit == Transit::Request {
        let mut to = *state;
        let copy = &mut to.processes[i].stray;
        copy.is_present = true;
        copy.request = flight.request;
        add(Step::Copy(i), to);
    }
    if stray.is_present && !state.is_down {
        let mut to = *state;
        to.processes[i].stray = Default::default();
        let served = to.server.serve(world, i, &stray.request, stray.age, state.window);
        add(Step::ServeCopy(i), to);
        let is_mistaken = stray.age > 0 && flight.transit == Transit::Request;
        if let (true, Some(reply)) =
            (is_mistaken && world.lacks(Without::SequenceOfAnswer), served.reply)
        {
            let own = &mut to.processes[i].flight;
            own.transit = Transit::Answer;
            own.reply = reply;
            add(Step::AnswerOfCopy(i), to);
        }
    }
}

fn fail(state: &State, world: &World, i: usize, add: &mut impl FnMut(Step, State)) {
    let process = &state.processes[i];
    let mut to = *state;
    let it = &mut to.processes[i];
    if world.crash && !process.is_dead {
        it.die();
        add(Step::Crash(i), to);
    }
    let mut to = *state;
    if world.freeze && !process.is_frozen && !process.is_dead {
        to.processes[i].is_frozen = true;
        add(Step::Freeze(i), to);
    }
    let waits = process.flight.transit != Transit::None && process.until == 0;
    let shares = world.outage == Outage::Share && world.kind == Kind::Rate;
    if shares && state.is_down && waits && !process.is_dead && !process.bucket.is_out {
        let mut to = *state;
        to.processes[i].give_up(world);
        add(Step::GiveUp(i), to);
    }
}

fn lose(state: &State, world: &World, add: &mut impl FnMut(Step, State)) {
    let mut to = *state;
    if world.loss && !state.past.is_lost {
        to.past.is_lost = true;
        to.server = Server::default();
        add(Step::LoseState, to);
    }
    let mut to = *state;
    if world.loss && state.server.epoch == 0 {
        to.server.epoch = 2;
        add(Step::OtherKey, to);
    }
    let mut to = *state;
    if world.down {
        to.is_down = !state.is_down;
        add(if to.is_down { Step::Down } else { Step::Up }, to);
    }
    let mut to = *state;
    if !world.failover || state.past.is_failed_over {
        return;
    }
    if state.has_replica {
        to.server = state.replica;
        to.replica = Server::default();
        to.has_replica = false;
        to.past.is_failed_over = true;
        add(Step::Failover, to);
    } else {
        to.replica = state.server;
        to.has_replica = true;
        add(Step::ReplicaStops, to);
    }
}

fn step_clock(state: &State, world: &World, add: &mut impl FnMut(Step, State)) {
    if state.past.is_stepped {
        return;
    }
    let mut to = *state;
    to.past.is_stepped = true;
    if world.step_back {
        to.server.ahead += u8::from(to.server.level > 0);
        for entry in &mut to.server.entries {
            entry.ends += u8::from(entry.is_present);
        }
        add(Step::ClockBack, to);
    }
    let mut to = *state;
    to.past.is_stepped = true;
    if world.step_forward {
        to.server.tick(world);
        add(Step::ClockForward, to);
    }
}
