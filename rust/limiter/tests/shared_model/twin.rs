//! The model's server against the reference store, whose twin the script is: any sequence of requests,
//! old copies and losses of state is answered alike. So what the search proves, it proves of the
//! script.

use proptest::prelude::*;
use sluice_limiter::shared::message::{
    LimitReport, Reply, SyncRequest, Waiter as WireWaiter, WaiterResult, WireKind, WireLimit,
};
use sluice_limiter::shared::store::Store;

use super::state::{Request, Server, State, Waiter};
use super::world::{Kind, World};

/// The first epoch began long before the key's first call.
const BEFORE: u64 = 1_000_000_000;
const START: u64 = 2_000_000_000;
const TICK: u64 = 1_000_000;
/// Longer than any sequence, since the model and the store forget an old window at other times.
const WINDOW: u64 = 200;
/// The model's levels end at 7.
const MOST: u64 = 7;

#[derive(Clone, Debug)]
enum Op {
    Tick,
    Send(usize, Request),
    /// A copy of one of the last three requests.
    Copy(usize, usize),
    Lose,
    OtherKey,
}

fn request() -> impl Strategy<Value = Request> {
    let waiter = prop_oneof![Just(Waiter::None), Just(Waiter::Take), Just(Waiter::Reserve)];
    (0..3u8, 0..2u8, 0..3u8, 0..4u8, waiter, prop::bool::weighted(0.1), 0..3u8, 0..3u8).prop_map(
        |(spent, debt, bind, want, waiter, bye, epoch, restore)| Request {
            spent,
            debt,
            bind,
            want,
            waiter,
            bye,
            epoch,
            restore,
        },
    )
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => Just(Op::Tick),
        8 => (0..2usize, request()).prop_map(|(process, request)| Op::Send(process, request)),
        2 => (0..2usize, 0..3usize).prop_map(|(process, back)| Op::Copy(process, back)),
        1 => Just(Op::Lose),
        1 => Just(Op::OtherKey),
    ]
}

/// Both stores, and the texts of each process by sequence number.
struct Pair {
    world: World,
    state: State,
    store: Store,
    ticks: u64,
    epochs: [u64; 3],
    /// The model cannot follow.
    is_full: bool,
    sent: [Vec<(Request, String)>; 2],
}

impl Pair {
    fn new(world: World) -> Pair {
        let mut pair = Pair {
            world,
            state: State::first(&world),
            store: Store::new(),
            ticks: 0,
            epochs: [0, BEFORE, 0],
            is_full: false,
            sent: [vec![], vec![]],
        };
        pair.call_other_key(BEFORE);
        pair
    }

    fn now(&self) -> u64 {
        START + self.ticks * TICK
    }

    fn text(&self, process: usize, seq: u64, request: &Request) -> String {
        let kind = match self.world.kind {
            Kind::Rate => WireKind::Rate { quanta: 1, us: TICK },
            Kind::Quota => {
                let (start_us, end_us) = (START, START + WINDOW * TICK);
                WireKind::Quota { start_us, end_us, next_end_us: 2 * end_us }
            }
            Kind::Concurrency => WireKind::Concurrency,
        };
        let limit = LimitReport {
            name: "limit".into(),
            limit: WireLimit { kind, capacity: Some(self.world.burst.into()) },
            spent: request.spent.into(),
            debt: request.debt.into(),
            bind: request.bind.into(),
            want: request.want.into(),
            restore: request.restore.into(),
        };
        let is_reservation = request.waiter == Waiter::Reserve;
        let waiter = WireWaiter { is_reservation, costs: vec![1] };
        let call = SyncRequest {
            is_peek: false,
            process: format!("p{process}"),
            seq,
            lease_us: u64::from(self.world.lease) * TICK,
            is_leaving: request.bye,
            epoch: self.epochs[usize::from(request.epoch)],
            is_strict: self.world.strict,
            config: "c".into(),
            limits: vec![limit],
            waiters: (request.waiter != Waiter::None).then_some(waiter).into_iter().collect(),
        };
        call.encode()
    }

    fn call_other_key(&mut self, now: u64) {
        let text = self.text(2, 1, &Request::default());
        self.store.run("other", "epoch", &text, now);
    }

    /// The epoch of the store begins with the first call after a loss.
    fn begin_epoch(&mut self) {
        if self.state.server.epoch == 0 {
            self.state.server.epoch = 2;
            self.state.server.since = 0;
            self.epochs[2] = self.now();
        }
    }

    fn run(&mut self, op: &Op) -> Result<(), TestCaseError> {
        match *op {
            Op::Tick => {
                self.ticks += 1;
                self.state.server.tick(&self.world);
            }
            Op::Lose if self.state.server.epoch == 1 => {
                self.store.lose();
                self.state.server = Server::default();
            }
            Op::Lose => {}
            Op::OtherKey => {
                self.begin_epoch();
                self.call_other_key(self.now());
            }
            Op::Send(process, mut request) => {
                // An epoch that has not begun is not known.
                self.begin_epoch();
                request.epoch = request.epoch.min(self.state.server.epoch);
                if self.world.kind == Kind::Concurrency && request.waiter == Waiter::Take {
                    request.waiter = Waiter::Reserve;
                }
                let seq = self.sent[process].len() as u64 + 1;
                let text = self.text(process, seq, &request);
                self.sent[process].push((request, text));
                self.state.renumber(process);
                self.serve(process, 0)?;
            }
            Op::Copy(process, back) if back < self.sent[process].len() => {
                self.begin_epoch();
                self.serve(process, back)?;
            }
            Op::Copy(..) => {}
        }
        Ok(())
    }

    fn serve(&mut self, process: usize, back: usize) -> Result<(), TestCaseError> {
        let (request, text) = self.sent[process][self.sent[process].len() - 1 - back].clone();
        let now = self.now();
        // The store removes keys that are empty; leases that ended are then forgotten.
        if self.store.removed_us("key").is_none_or(|at| at < now) {
            let Server { epoch, since, .. } = self.state.server;
            let exists = epoch == 1;
            self.state.server = Server { epoch, since, exists, ..Server::default() };
        }
        let age = back as u8;
        let served = self.state.server.serve(&self.world, process, &request, age, 0);
        let answer = self.store.run("key", "epoch", &text, now);
        let waiters = usize::from(request.waiter != Waiter::None);
        let answer = Reply::decode(&answer, 1, waiters).expect("a reply");
        let Some(reply) = served.reply else {
            prop_assert!(matches!(answer, Reply::Old { .. }), "{answer:?}");
            return Ok(());
        };
        let Reply::Synced(answer) = answer else {
            return Err(TestCaseError::fail(format!("{answer:?} where {reply:?} is expected")));
        };
        let limit = answer.limits[0];
        let server = &self.state.server;
        if limit.fill >= MOST {
            self.is_full = true;
            return Ok(());
        }
        prop_assert_eq!(limit.granted, u64::from(reply.held), "granted");
        prop_assert_eq!(limit.fill, u64::from(server.level + server.held()), "fill");
        let is_admitted = answer.results.first() == Some(&WaiterResult::Admitted);
        prop_assert_eq!(is_admitted, reply.is_admitted, "admitted");
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(3000),
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_model_answers_as_the_store(
        kind in prop_oneof![Just(Kind::Rate), Just(Kind::Quota), Just(Kind::Concurrency)],
        strict: bool,
        burst in 1..4u8,
        ops in prop::collection::vec(op(), 1..40),
    ) {
        let world = World { kind, burst, strict, halves: true, loss: true, ..World::RATE };
        let mut pair = Pair::new(world);
        for op in &ops {
            if pair.is_full {
                break;
            }
            pair.run(op)?;
        }
    }
}
