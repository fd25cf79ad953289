//! What must hold from every state when the network heals and everybody is quiet: each request under
//! way is answered, and after the leases and the decay the store holds nothing and admits again.

use super::state::{Process, Request, State, Transit, Waiter};
use super::world::{Kind, World};

pub(crate) fn heal(state: &State, world: &World) -> Result<(), String> {
    let mut state = *state;
    state.is_down = false;
    state.processes.iter_mut().for_each(|it| it.stray = Default::default());
    for i in 0..2 {
        answer(&mut state, world, i)?;
    }
    // Twice: a lease that ended meanwhile turns into debt, and the second report tells it.
    for _ in 0..2 {
        for i in 0..2 {
            finish(&mut state.processes[i], world);
            if !state.processes[i].is_dead
                && state.processes[i].send(world, 0, Waiter::None, false).is_some()
            {
                state.renumber(i);
                answer(&mut state, world, i)?;
            }
        }
        (0..=world.lease).for_each(|_| state.tick(world));
    }
    // Somebody calls, so that leases that ended are charged, and then time passes.
    let idle = Request { epoch: state.server.epoch, ..Request::default() };
    ask(&mut state, world, &idle);
    (0..20).for_each(|_| state.tick(world));
    let waiter = Waiter::Reserve;
    for count in 1..=world.burst {
        if !ask(&mut state, world, &Request { waiter, ..idle }) {
            return Err(format!("only {} of {} came back", count - 1, world.burst));
        }
        // The holder spends what it got, and tells so.
        let spent = u8::from(world.kind != Kind::Concurrency);
        ask(&mut state, world, &Request { spent, bind: count * (1 - spent), ..idle });
    }
    Ok(())
}

/// A request of a new process takes the place of the first one.
fn ask(state: &mut State, world: &World, request: &Request) -> bool {
    state.renumber(0);
    let served = state.server.serve(world, 0, request, 0, state.window);
    served.reply.is_some_and(|reply| reply.is_admitted)
}

fn answer(state: &mut State, world: &World, i: usize) -> Result<(), String> {
    let Process { flight, .. } = state.processes[i];
    if flight.transit == Transit::Request {
        let served = state.server.serve(world, i, &flight.request, 0, state.window);
        state.processes[i].flight.reply =
            served.reply.ok_or(format!("request of {i} is not answered"))?;
    }
    if flight.transit != Transit::None {
        state.processes[i].receive(world);
    }
    Ok(())
}

fn finish(process: &mut Process, world: &World) {
    while process.kept > 0 {
        process.settle(world);
    }
    process.cancelled = 0;
}
