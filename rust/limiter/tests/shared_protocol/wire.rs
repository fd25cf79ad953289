//! What limits, names and replies become on the wire.

use proptest::prelude::*;
use sluice_limiter::shared::Plan;
use sluice_limiter::shared::message::{BadReply, MOST_QUANTA, Reply, Wait, WaiterResult, WireKind};
use sluice_limiter::{Kind, Limit, MOST, QuotaWindow, Span, TimeZone, UNIT, UNLIMITED};

const DAY: u64 = 86_400_000_000_000;

fn plan(limit: &Limit) -> Plan {
    Plan::of(limit).expect("a plan")
}

fn rate_of(units: u64, ns: u64) -> (u64, u64) {
    match plan(&Limit::rate(0, units, ns, units)).at(0).kind {
        WireKind::Rate { quanta, us } => (quanta, us),
        other => panic!("{other:?}"),
    }
}

fn windows_of(span: Span, time_zone: TimeZone, wall_ns: i64) -> [u64; 3] {
    let kind = Kind::Quota(QuotaWindow { span, time_zone });
    match plan(&Limit { kind, unit: 0, capacity: UNIT }).at(wall_ns).kind {
        WireKind::Quota { start_us, end_us, next_end_us } => [start_us, end_us, next_end_us],
        other => panic!("{other:?}"),
    }
}

#[test]
fn common_rates_are_exact() {
    assert_eq!(rate_of(60 * UNIT, 60_000_000_000), (1, 1));
    assert_eq!(rate_of(7 * UNIT, 3_000_000_000), (7, 3));
    assert_eq!(rate_of(UNIT, 30 * DAY), (1, 2_592_000));
    assert_eq!(rate_of(7 * UNIT, 30 * DAY), (7, 2_592_000));
    assert_eq!(rate_of(600_000 * UNIT, 60_000_000_000), (10_000, 1));
    // In thousandths of a unit, because the capacity is beyond 2^52 millionths.
    assert_eq!(rate_of(MOST, 1_000_000_000), (1_000_000_000, 1));
}

#[test]
fn large_amounts_have_larger_quanta_that_never_admit_more() {
    let large = plan(&Limit::rate(0, UNIT, 1_000_000_000, MOST));
    assert_eq!((large.scale(), large.capacity()), (1_000, Some(MOST / 1_000)));
    assert_eq!((large.cost(1), large.cost(1_000), large.cost(1_001)), (1, 1, 2));
    assert_eq!((large.quanta(999), large.quanta(1_999), large.millionths(3)), (0, 1, 3_000));
    assert_eq!(large.wire_name("tokens"), "tokens@1000");
    // A smaller limit of a key is in the quanta of the configured one; a larger one does not fit.
    let small = plan(&Limit::rate(0, UNIT, 1_000_000_000, UNIT));
    assert_eq!(small.wire_name("tokens"), "tokens");
    let half = Limit::rate(0, UNIT / 2, 1_000_000_000, UNIT / 2 + 1);
    assert_eq!(large.replacement(&half).map(|plan| plan.capacity()), Some(Some(500)));
    assert_eq!(small.replacement(&Limit::rate(0, UNIT, 1_000_000_000, MOST)), None);
}

#[test]
fn unlimited_limits_have_no_capacity() {
    let unlimited = plan(&Limit::rate(0, UNLIMITED, 1_000_000_000, UNLIMITED));
    assert_eq!((unlimited.capacity(), unlimited.scale()), (None, 1));
    assert_eq!(unlimited.cost(u64::MAX), MOST_QUANTA);
}

#[test]
fn windows_of_less_than_a_second_cannot_be_shared() {
    let quota = |ns| {
        let kind = QuotaWindow { span: Span::Every(ns), time_zone: TimeZone::Offset(0) };
        Plan::of(&Limit { kind: Kind::Quota(kind), unit: 0, capacity: UNIT })
    };
    assert_eq!(quota(999_999_999), None);
    assert!(quota(1_000_000_000).is_some());
}

#[test]
fn windows_are_the_one_under_way_and_the_next() {
    let utc = TimeZone::Offset(0);
    // From `date -u -d @…`: 1795517438 is 2026-11-24 10:50:38.
    let at = 1_795_517_438_000_000_000;
    let month = [1_793_491_200_000_000, 1_796_083_200_000_000, 1_798_761_600_000_000];
    assert_eq!(windows_of(Span::Month { day: 1 }, utc, at), month);
    let day = [1_795_478_400_000_000, 1_795_564_800_000_000, 1_795_651_200_000_000];
    assert_eq!(windows_of(Span::Day, utc, at), day);
    assert_eq!(windows_of(Span::Every(DAY), utc, at), day);
}

#[test]
fn names_have_no_character_that_means_something_in_the_store() {
    let plan = plan(&Limit::rate(0, UNIT, 1_000_000_000, UNIT));
    assert_eq!(plan.wire_name("requests"), "requests");
    assert_eq!(plan.wire_name("a b:c,d=e%f@1ä"), "a%20b%3Ac%2Cd%3De%25f%401%C3%A4");
}

#[test]
fn replies_are_decoded_and_nothing_else_is() {
    let text = "ok 7 5 9 1 3 0 0 10 20 30 0 1 2 -1 5 0 1:250 0:-1 1:-2";
    let Ok(Reply::Synced(reply)) = Reply::decode(text, 2, 4) else { panic!("a reply") };
    assert_eq!((reply.seq, reply.epoch, reply.now_us, reply.holders), (7, 5, 9, 3));
    assert!(reply.is_lost && !reply.is_config_different);
    assert_eq!((reply.limits[0].capacity, reply.limits[1].capacity), (Some(30), None));
    assert_eq!(reply.limits[1].window_left_us, 5);
    let refused = |limit, wait| WaiterResult::Refused { limit, wait };
    let waits = [refused(1, Wait::Us(250)), refused(0, Wait::Held), refused(1, Wait::Never)];
    assert_eq!((reply.results[0], &reply.results[1..]), (WaiterResult::Admitted, &waits[..]));
    assert_eq!(Reply::decode("old 7", 2, 4), Ok(Reply::Old { seq: 7 }));
    assert_eq!(Reply::decode("clock 7 9", 2, 4).map(|reply| reply.seq()), Ok(7));
    assert_eq!(Reply::decode("done 0 9", 0, 0), Ok(Reply::Done { seq: 0, version: 9 }));
    for bad in
        ["", "ok", "no 7", "old", "old x", "old 7 8", "old -7", "clock 7", "done 7", "old  7"]
    {
        assert_eq!(Reply::decode(bad, 2, 4), Err(BadReply), "{bad}");
    }
    for cut in 0..text.len() {
        assert_eq!(Reply::decode(&text[..cut], 2, 4), Err(BadReply), "{cut}");
    }
    for (of, by) in [(" 1:250", " 2:250"), (" 1 3 ", " 2 3 "), ("30", "-2"), ("0:-1", "0:-3")] {
        assert_eq!(Reply::decode(&text.replacen(of, by, 1), 2, 4), Err(BadReply), "{by}");
    }
    assert_eq!(Reply::decode(&format!("{text} 0"), 2, 4), Err(BadReply));
}

proptest! {
    #[test]
    fn rates_are_never_faster_and_slower_by_a_millionth_at_most(
        units in 1..=MOST,
        shift in 0..60u32,
        ns in 1_000_000..=366 * DAY,
        ns_shift in 0..34u32,
    ) {
        let (units, ns) = ((units >> shift).max(1), (ns >> ns_shift).max(1_000_000));
        let plan = plan(&Limit::rate(0, units, ns, units));
        // A millionth takes an hour at most.
        prop_assume!(ns <= units.saturating_mul(3_600_000_000_000));
        let WireKind::Rate { quanta, us } = plan.at(0).kind else { panic!("a rate") };
        prop_assert!((1..=MOST_QUANTA).contains(&quanta) && (1..=MOST_QUANTA).contains(&us));
        // quanta / us against units * 1000 / (ns * scale).
        let ours = u128::from(quanta) * u128::from(ns) * u128::from(plan.scale());
        let exact = u128::from(units) * 1_000 * u128::from(us);
        prop_assert!(ours <= exact);
        prop_assert!(exact - ours <= exact >> 20, "{quanta} / {us}");
    }

    #[test]
    fn a_moment_is_in_its_window(
        seconds in 0..4_000_000_000i64,
        span in prop_oneof![
            Just(Span::Day),
            (0..7u8).prop_map(|first| Span::Week { first }),
            (1..=31u8).prop_map(|day| Span::Month { day }),
            (1..=12u8, 1..=31u8).prop_map(|(month, day)| Span::Year { month, day }),
            (1_000_000_000..1_000_000_000_000u64).prop_map(Span::Every),
        ],
        minutes in -1_440..1_440i64,
    ) {
        let (time_zone, now) = (TimeZone::Offset(minutes * 60_000_000_000), seconds * 1_000_000_000);
        let window = QuotaWindow { span, time_zone };
        let [start, end, next] = windows_of(span, time_zone, now).map(|us| us.cast_signed() * 1_000);
        prop_assert!(start <= now && now < end + 1_000 && end < next);
        prop_assert_eq!(window.end(now), window.end(start));
        if start > 0 {
            prop_assert!(window.end(start - 1_000_001) < start + 1_000);
        }
    }
}
