//! Random calls on limiters, and the random limits that they use.

use proptest::prelude::*;
use sluice_limiter::{
    Credit, Kind, Limit, Now, Offsets, QuotaWindow, Span, TimeZone, UNIT, UNLIMITED, Zone,
};

pub(crate) const NAMES: [&str; 3] = ["a", "b", "c"];
pub(crate) const UNITS: usize = 3;
pub(crate) const LIMITS: usize = 4;
/// The wall time at the start: 2024-02-29 23:59:50.
pub(crate) const WALL: i64 = 1_709_251_190 * 1_000_000_000;

/// What becomes of credit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    /// Whether the balance is replaced, and not added to.
    is_set: bool,
    amount: i64,
    /// How long it is good from now on; it stays as long as before with `None`.
    for_ns: Option<u64>,
}

impl Change {
    pub(crate) fn apply(self, credit: &mut Credit, now: Now) {
        let before = if self.is_set { 0 } else { credit.balance };
        credit.balance = before.saturating_add(self.amount).max(-(1 << 62));
        if let Some(ns) = self.for_ns {
            credit.until_ns = now.ns.saturating_add(ns);
        }
        // Nothing may come of this: what is held belongs to the book.
        credit.held = credit.held.wrapping_add(1);
    }
}

fn change() -> impl Strategy<Value = Change> {
    let unit = UNIT.cast_signed();
    let amount = prop_oneof![
        Just(0),
        (-60 * unit..60 * unit),
        (0..40i64).prop_map(move |n| n * unit),
        Just(i64::MAX),
        Just(-(1 << 62))
    ];
    let lasts = prop_oneof![Just(0), 0..5_000_000_000u64, Just(u64::MAX)];
    let for_ns = proptest::option::of(lasts);
    (any::<bool>(), amount, for_ns).prop_map(|(is_set, amount, for_ns)| Change {
        is_set,
        amount,
        for_ns,
    })
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Take(Vec<(usize, usize, [u64; UNITS])>, bool),
    Reserve(Vec<(usize, usize, [u64; UNITS])>, u64, u32),
    Settle(usize, Vec<Option<u64>>),
    Full(usize),
    Cancel(usize),
    TopUp(usize, [u64; UNITS]),
    Tighten(usize, usize, usize, u64, u64),
    Reset(usize, usize),
    /// Calls on one key: a single call, or a batch.
    One(usize, usize, [u64; UNITS]),
    Batch(usize, Vec<(usize, [u64; UNITS])>),
    /// Limits of its own, as (rate, capacity) for each limit; or the defaults.
    SetLimits(usize, usize, Option<[(u64, u64); LIMITS]>),
    Forget(usize, usize),
    UpTo(usize, usize, [u64; UNITS], u64),
    Renew(usize, u64),
    Abandon(u32),
    /// The credit of each shared limit changes.
    Credit(usize, usize, [Change; LIMITS]),
    /// The same, and the costs are held in the same step.
    Granted(usize, usize, [Change; LIMITS], [u64; UNITS], u64, u32),
    Pass(u64),
    Back(u64),
    /// The wall clock is set forward or back.
    Wall(i64),
}

/// A time zone: a fixed offset, or a zone whose clocks are set half an hour and 25 hours after the
/// start.
fn time_zone() -> impl Strategy<Value = TimeZone> {
    const HOUR: i64 = 3_600_000_000_000;
    let changes = vec![(WALL + HOUR / 2, -HOUR), (WALL + 25 * HOUR, 9 * HOUR)];
    let offsets = Offsets { name: "test/model".to_owned(), first: 2 * HOUR, changes };
    let zone = Zone::add(offsets).expect("room");
    prop_oneof![
        2 => (-1440..1440i64).prop_map(|minutes| TimeZone::Offset(minutes * 60_000_000_000)),
        1 => Just(TimeZone::Zone(zone)),
    ]
}

fn limit(unit: usize) -> impl Strategy<Value = Limit> {
    let amount = prop_oneof![1..50 * UNIT, (1..50u64).prop_map(|n| n * UNIT)];
    let ns = prop_oneof![Just(1_000_000_000), Just(60_000_000_000), 1..10_000_000_000u64];
    let span = prop_oneof![
        Just(Span::Every(10_000_000_000)),
        Just(Span::Every(86_400_000_000_000)),
        Just(Span::Day),
        (0..7u8).prop_map(|first| Span::Week { first }),
        (1..=31u8).prop_map(|day| Span::Month { day }),
        (1..=12u8, 1..=31u8).prop_map(|(month, day)| Span::Year { month, day }),
    ];
    let capacity = || prop_oneof![8 => amount.clone(), 1 => Just(0), 1 => Just(UNLIMITED)];
    prop_oneof![
        6 => (amount.clone(), ns.clone(), amount.clone())
            .prop_map(move |(limit, ns, burst)| Limit::rate(unit, limit, ns, burst)),
        1 => (prop_oneof![Just((0, 0)), Just((UNLIMITED, UNLIMITED)), Just((UNLIMITED, 20 * UNIT))], ns)
            .prop_map(move |((limit, burst), ns)| Limit::rate(unit, limit, ns, burst)),
        2 => (span, time_zone(), capacity()).prop_map(move |(span, time_zone, capacity)| {
            Limit { kind: Kind::Quota(QuotaWindow { span, time_zone }), unit, capacity }
        }),
        2 => capacity().prop_map(move |capacity| Limit { kind: Kind::Concurrency, unit, capacity }),
        5 => (any::<bool>(), capacity()).prop_map(move |(is_consumed, capacity)| {
            Limit { kind: Kind::Credit { is_consumed }, unit, capacity }
        }),
    ]
}

pub(crate) fn limits() -> impl Strategy<Value = Vec<Limit>> {
    proptest::collection::vec((0..UNITS).prop_flat_map(limit), LIMITS)
}

fn cost() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        Just(UNIT),
        0..60 * UNIT,
        Just(1_000_000 * UNIT),
        (0..20u64).prop_map(|n| n * UNIT)
    ]
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let costs = || [cost(), cost(), cost()];
    let parts = || proptest::collection::vec((0..2usize, 0..NAMES.len(), costs()), 1..4);
    let ttl = || prop_oneof![Just(u64::MAX), 0..20_000_000_000u64];
    let key = || (0..2usize, 0..NAMES.len());
    let changes = || proptest::array::uniform4(change());
    let number = 0..12usize;
    prop_oneof![
        6 => (parts(), any::<bool>()).prop_map(|(parts, consume)| Step::Take(parts, consume)),
        5 => (parts(), ttl(), 0..3u32).prop_map(|(parts, ttl, owner)| Step::Reserve(parts, ttl, owner)),
        3 => (number.clone(), proptest::collection::vec(proptest::option::of(cost()), 9))
            .prop_map(|(number, actual)| Step::Settle(number, actual)),
        1 => number.clone().prop_map(Step::Full),
        1 => number.clone().prop_map(Step::Cancel),
        2 => (number, costs()).prop_map(|(number, more)| Step::TopUp(number, more)),
        1 => (0..2usize, 0..NAMES.len(), 0..LIMITS, cost(), prop_oneof![Just(0), 0..20_000_000_000u64])
            .prop_map(|(limiter, key, limit, rest, after)| Step::Tighten(limiter, key, limit, rest, after)),
        1 => (0..2usize, 0..NAMES.len()).prop_map(|(limiter, key)| Step::Reset(limiter, key)),
        4 => (0..2usize, 0..NAMES.len(), costs()).prop_map(|(limiter, key, costs)| Step::One(limiter, key, costs)),
        2 => (0..2usize, proptest::collection::vec((0..NAMES.len(), costs()), 1..6))
            .prop_map(|(limiter, calls)| Step::Batch(limiter, calls)),
        2 => (0..2usize, 0..NAMES.len(), proptest::option::of(proptest::array::uniform4((1..40 * UNIT, 1..40 * UNIT))))
            .prop_map(|(limiter, key, other)| Step::SetLimits(limiter, key, other)),
        1 => (0..2usize, 0..NAMES.len()).prop_map(|(limiter, key)| Step::Forget(limiter, key)),
        3 => (0..2usize, 0..NAMES.len(), costs(), prop_oneof![Just(1), Just(UNIT), 1..9 * UNIT])
            .prop_map(|(limiter, key, costs, step)| Step::UpTo(limiter, key, costs, step)),
        1 => (0..12usize, 0..20_000_000_000u64).prop_map(|(number, ttl)| Step::Renew(number, ttl)),
        1 => (0..3u32).prop_map(Step::Abandon),
        6 => (key(), changes()).prop_map(|((limiter, key), changes)| Step::Credit(limiter, key, changes)),
        3 => (key(), changes(), costs(), ttl(), 0..3u32)
            .prop_map(|((l, k), changes, costs, ttl, owner)| Step::Granted(l, k, changes, costs, ttl, owner)),
        1 => prop_oneof![-100_000_000_000..100_000_000_000i64, -3_000_000_000_000_000..3_000_000_000_000_000i64]
            .prop_map(Step::Wall),
        6 => prop_oneof![0..3_000_000_000u64, 0..100u64, Just(90_000_000_000_000)].prop_map(Step::Pass),
        1 => (0..2_000_000_000u64).prop_map(Step::Back),
    ]
}
