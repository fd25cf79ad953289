//! Properties of the protocol over random runs of processes that keep to it.

use proptest::prelude::*;
use sluice_limiter::naive::Naive;
use sluice_limiter::shared::Plan;
use sluice_limiter::shared::message::{
    LimitReport, SyncReply, SyncRequest, Wait, WaiterResult, WireKind, WireLimit,
};
use sluice_limiter::shared::store::Store;
use sluice_limiter::{Kind, Limit, Now, QuotaWindow, Refusal, Span, TimeZone};

use crate::client::{KEY, LEASE, START, request, sync, takes};

/// What happens next, after some microseconds.
#[derive(Clone, Debug)]
enum Step {
    /// A process spends of its credit.
    Spend(usize, u64),
    /// A process reports, wants this much and has these who wait. The reply may be lost.
    Sync { who: usize, want: u64, costs: Vec<u64>, is_reply_lost: bool },
    /// A process dies, and another one starts.
    Crash(usize),
    /// A process leaves, and another one starts.
    Leave(usize),
}

fn step() -> impl Strategy<Value = (u64, Step)> {
    let costs = proptest::collection::vec(0..30u64, 0..3);
    let step = prop_oneof![
        4 => (0..3usize, 1..20u64).prop_map(|(who, cost)| Step::Spend(who, cost)),
        4 => (0..3usize, 0..60u64, costs, prop::bool::weighted(0.2)).prop_map(
            |(who, want, costs, is_reply_lost)| Step::Sync { who, want, costs, is_reply_lost }
        ),
        1 => (0..3usize).prop_map(Step::Crash),
        1 => (0..3usize).prop_map(Step::Leave),
    ];
    // Most leases do not end, and some do.
    (prop_oneof![8 => 0..300_000u64, 1 => 0..3 * LEASE], step)
}

/// A process with an exact clock.
#[derive(Default)]
struct Process {
    id: usize,
    seq: u64,
    epoch: u64,
    granted: u64,
    /// Credit that is left; negative if its lease ended while a call was under way.
    balance: i64,
    until: u64,
    /// A call without an answer, what it bound, and when it was sent first.
    flight: Option<(SyncRequest, u64, u64)>,
}

/// The leaky queue of what is truly admitted, times the rate's microseconds.
struct World {
    store: Store,
    processes: Vec<Process>,
    limit: LimitReport,
    rate: (u64, u64),
    queue: u64,
    now: u64,
    started: usize,
    /// Whether more than what was bound was ever granted above the capacity.
    is_over: bool,
}

impl World {
    fn new(capacity: u64, rate: (u64, u64)) -> Self {
        let kind = WireKind::Rate { quanta: rate.0, us: rate.1 };
        let limit = WireLimit { kind, capacity: Some(capacity) };
        let limit = LimitReport {
            name: "r".into(),
            limit,
            spent: 0,
            debt: 0,
            bind: 0,
            want: 0,
            restore: 0,
        };
        let processes = (0..3).map(|id| Process { id, ..Process::default() }).collect();
        let store = Store::new();
        Self { store, processes, limit, rate, queue: 0, now: START, started: 3, is_over: false }
    }

    fn wait(&mut self, us: u64) {
        self.now += us;
        self.queue = self.queue.saturating_sub(us * self.rate.0);
    }

    fn admit(&mut self, cost: u64) {
        self.queue += cost * self.rate.1;
    }

    /// Runs a step. Returns what was admitted.
    fn run(&mut self, step: &Step) -> u64 {
        match *step {
            Step::Spend(who, cost) => {
                let process = &mut self.processes[who];
                if self.now >= process.until || process.balance < cost as i64 {
                    return 0;
                }
                process.balance -= cost as i64;
                self.admit(cost);
                cost
            }
            Step::Sync { who, want, ref costs, is_reply_lost } => {
                self.sync(who, want, costs, is_reply_lost)
            }
            Step::Crash(who) => {
                self.processes[who] = Process { id: self.started, ..Process::default() };
                self.started += 1;
                0
            }
            Step::Leave(who) => {
                let request = self.call(who, 0, &[], true);
                sync(&mut self.store, &request, self.now);
                self.run(&Step::Crash(who))
            }
        }
    }

    fn call(&mut self, who: usize, want: u64, costs: &[u64], is_leaving: bool) -> SyncRequest {
        let process = &mut self.processes[who];
        let mut limit = self.limit.clone();
        let used = process.granted.saturating_add_signed(-process.balance);
        limit.spent = used.min(process.granted);
        limit.debt = used - limit.spent;
        let keep = if costs.is_empty() && !is_leaving { want } else { 0 };
        let free = u64::try_from(process.balance).unwrap_or(0);
        limit.bind = if self.now < process.until { free.min(keep) } else { 0 };
        limit.want = want;
        process.seq += 1;
        process.granted = limit.bind;
        process.balance = limit.bind as i64;
        let mut call = request(&format!("p{}", process.id), process.seq, vec![limit]);
        call.waiters = takes(&costs.iter().map(std::slice::from_ref).collect::<Vec<_>>());
        (call.epoch, call.is_leaving) = (process.epoch, is_leaving);
        call
    }

    fn sync(&mut self, who: usize, want: u64, costs: &[u64], is_reply_lost: bool) -> u64 {
        let (call, bind, sent) = match self.processes[who].flight.take() {
            Some(flight) => flight,
            None => {
                let call = self.call(who, want, costs, false);
                let bind = call.limits[0].bind;
                (call, bind, self.now)
            }
        };
        let before = self.store.clone();
        let reply = sync(&mut self.store, &call, self.now);
        let is_repeated = self.store == before;
        let admitted = if is_repeated { 0 } else { admitted(&reply, &call) };
        self.admit(admitted);
        let grant = &reply.limits[0];
        self.is_over |= !is_repeated && grant.granted > bind && grant.capacity < Some(grant.fill);
        let process = &mut self.processes[who];
        if is_reply_lost {
            process.flight = Some((call, bind, sent));
        } else {
            process.epoch = reply.epoch;
            process.balance += reply.limits[0].granted as i64 - bind as i64;
            process.granted = reply.limits[0].granted;
            process.until = sent + LEASE;
        }
        admitted
    }

    /// The level, what is lent, and what is spent and not reported.
    fn potential(&mut self) -> (u64, u64, u64) {
        let fields = self.store.fields(KEY);
        let Some(words) = fields.get("l.r") else { return (0, 0, 0) };
        let words: Vec<_> = words.split(' ').map(|word| word.parse().unwrap_or(0)).collect();
        let spent = self.processes.iter().map(|process| {
            let is_known = fields.contains_key(&format!("p.p{}", process.id));
            let bind = process.flight.as_ref().map_or(process.granted, |&(_, bind, _)| bind);
            if is_known { bind.saturating_add_signed(-process.balance) } else { 0 }
        });
        (words[1], words[3], spent.sum())
    }
}

fn admitted(reply: &SyncReply, call: &SyncRequest) -> u64 {
    let results = reply.results.iter().zip(&call.waiters);
    results.filter(|(result, _)| **result == WaiterResult::Admitted).map(|(_, w)| w.costs[0]).sum()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(3_000),
        ..ProptestConfig::default()
    })]

    /// The bound of the design: any span W admits at most capacity + rate * W over all processes,
    /// whatever dies and whichever answers are lost.
    #[test]
    fn all_processes_together_admit_what_one_bucket_allows(
        capacity in 1..100u64,
        quanta in 1..50u64,
        us in 1..200_000u64,
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut world = World::new(capacity, (quanta, us));
        for (us, step) in &steps {
            world.wait(*us);
            world.run(step);
            prop_assert!(world.queue <= capacity * world.rate.1, "{} of {capacity}", world.queue);
            prop_assert!(!world.is_over);
        }
    }

    /// Consumed and spent amounts rise by what is admitted and by nothing else, while no lease ends.
    #[test]
    fn what_is_admitted_is_charged_once(
        capacity in 1..100u64,
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut world = World::new(capacity, (1, 10_000_000_000));
        let mut sum = 0;
        for (_, step) in &steps {
            if matches!(step, Step::Crash(_)) {
                continue;
            }
            world.wait(1_000);
            sum += world.run(step);
            let (level, _, spent) = world.potential();
            prop_assert_eq!(level + spent, sum);
        }
    }

    /// Without prefetch, several processes decide as one central bucket does, to the microsecond.
    #[test]
    fn without_prefetch_it_is_one_central_bucket(
        limit in 1..1_000u64,
        burst in 1..3_000_000u64,
        quota in prop::option::of(1..5_000_000u64),
        steps in prop::collection::vec((0..4usize, 0..400_000u64, 0..1_000_000u64), 1..80),
    ) {
        // `limit` millionths come back each microsecond, and windows have three seconds.
        let mut limits = vec![Limit::rate(0, limit, 1_000, burst)];
        let time_zone = TimeZone::Offset(0);
        let window = QuotaWindow { span: Span::Every(3_000_000_000), time_zone };
        let quota = quota.map(|capacity| Limit { kind: Kind::Quota(window), unit: 0, capacity });
        limits.extend(quota);
        let plans: Vec<_> = limits.iter().map(|limit| Plan::of(limit).expect("a plan")).collect();
        let mut naive = Naive::new(vec![limits]);
        let (mut store, mut now) = (Store::new(), START);
        for (seq, &(who, us, cost)) in (1..).zip(&steps) {
            now += us;
            let at = Now { ns: (now - START) * 1_000, wall_ns: now.cast_signed() * 1_000 };
            let reports = plans.iter().enumerate().map(|(n, plan)| LimitReport {
                name: plan.wire_name(&format!("unit {n}")),
                limit: plan.at(at.wall_ns),
                spent: 0, debt: 0, bind: 0, want: 0, restore: 0,
            });
            let mut call = request(&format!("p{who}"), seq, reports.collect());
            let costs = vec![plans[0].cost(cost); plans.len()];
            call.waiters = takes(&[&costs]);
            let result = sync(&mut store, &call, now).results[0];
            let expected = match naive.take(&[((0, "k"), &[cost])], true, at) {
                None => WaiterResult::Admitted,
                Some(denial) => WaiterResult::Refused {
                    limit: denial.limit,
                    wait: match denial.refusal {
                        Refusal::Until(ns) => Wait::Us(ns.div_ceil(1_000)),
                        Refusal::Never => Wait::Never,
                        _ => Wait::Held,
                    },
                },
            };
            prop_assert_eq!(result, expected);
        }
    }
}
