//! Snapshots: what is restored, and what is refused.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod support;

use std::sync::Arc;

use sluice_limiter::{
    Config, Kind, Limit, Limiter, Now, Offsets, Part, QuotaWindow, RestoreError, Span, TimeZone,
    UNIT, UNLIMITED, Zone, reserve_all,
};
use support::{MINUTE, MONTH, SECOND, at, concurrency, key, limiter, quota, rate};

/// A limiter with labels.
fn named(limits: &[(&str, Limit)]) -> Arc<Limiter> {
    let units = limits.iter().map(|(_, limit)| limit.unit + 1).max().unwrap_or(0);
    let config =
        Config { limits: limits.iter().map(|&(_, limit)| limit).collect(), units, max_keys: 99 };
    let labels = limits.iter().map(|&(label, _)| label.to_owned()).collect();
    Arc::new(Limiter::new(config, [3; 16], Arc::default()).with_labels(labels))
}

fn used(limiter: &Limiter, name: &str, now: Now) -> Vec<u64> {
    let key = limiter.key(name.as_bytes(), now).expect("room");
    limiter.inspect(key, now).expect("live").iter().map(|s| s.used / UNIT).collect()
}

fn capacities(limiter: &Limiter, name: &str, now: Now) -> Vec<u64> {
    let key = limiter.key(name.as_bytes(), now).expect("room");
    limiter.inspect(key, now).expect("live").iter().map(|s| s.capacity / UNIT).collect()
}

#[test]
fn snapshots_come_back_as_they_were_and_damaged_ones_do_not() {
    let limits = || vec![rate(0, 10, SECOND, 10), quota(0, MONTH, 50), concurrency(1, 3)];
    let old = limiter(limits());
    let (a, b) = (key(&old, "a"), key(&old, "b"));
    assert_eq!(old.take(a, &[7 * UNIT, 0], at(0)), Ok(None));
    let other = vec![rate(0, 20, SECOND, 30), quota(0, MONTH, 60), concurrency(1, 1)];
    old.set_limits(b, Some(other.into()), at(0)).expect("room").expect("live");
    let costs = [4 * UNIT, UNIT];
    let part = Part { limiter: &old, key: b, costs: &costs };
    reserve_all(&[part], 0, MINUTE, at(0)).expect("no fault").expect("fits");
    let bytes = old.snapshot(at(0)).expect("room");
    let new = limiter(limits());
    // Half a second later by the wall clock; the monotonic clock of a process starts anywhere.
    let now = Now { ns: 77 * SECOND, wall_ns: (SECOND / 2).cast_signed() };
    assert_eq!(new.restore(&bytes, now), Ok(()));
    assert_eq!((used(&new, "a", now), used(&new, "b", now)), (vec![2, 7, 0], vec![0, 4, 0]));
    assert_eq!(capacities(&new, "b", now), [30, 60, 1]);
    assert_eq!(new.restore(&bytes, now), Err(RestoreError::NotEmpty));
    for at in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 0x10;
        let fresh = limiter(limits());
        assert!(fresh.restore(&bad, now).is_err(), "{at}");
        assert!(fresh.restore(&bytes[..at], now).is_err(), "{at}");
        assert_eq!(fresh.stats().keys, 0);
    }
}

#[test]
fn an_amount_of_one_limit_is_not_restored_to_another() {
    let old = named(&[("budget usd", quota(0, MONTH, 50))]);
    assert_eq!(old.take(key(&old, "k"), &[7 * UNIT], at(0)), Ok(None));
    let bytes = old.snapshot(at(0)).expect("room");
    for (label, limit) in [
        ("budget tokens", quota(0, MONTH, 50)),
        ("other usd", quota(0, MONTH, 50)),
        ("budget usd", quota(0, Span::Week { first: 0 }, 50)),
        ("budget usd", rate(0, 50, SECOND, 50)),
        ("budget usd", concurrency(0, 50)),
    ] {
        let new = named(&[(label, limit)]);
        assert_eq!(new.restore(&bytes, at(0)), Err(RestoreError::OtherLimits), "{label} {limit:?}");
        assert_eq!(new.stats().keys, 0);
    }
}

#[test]
fn a_limit_whose_numbers_changed_keeps_the_consumed_amount() {
    let (rpm, day, gone) =
        (rate(0, 60, MINUTE, 60), quota(1, Span::Every(86_400 * SECOND), 100), concurrency(2, 3));
    let old = named(&[("rpm", rpm), ("gone", gone), ("day", day)]);
    let (plain, special) = (key(&old, "plain"), key(&old, "special"));
    assert_eq!(old.take(plain, &[30 * UNIT, 90 * UNIT, 0], at(0)), Ok(None));
    assert_eq!(old.take(special, &[20 * UNIT, 80 * UNIT, 0], at(0)), Ok(None));
    // Only the quota differs from the defaults.
    let own = vec![rpm, gone, Limit { capacity: 500 * UNIT, ..day }];
    old.set_limits(special, Some(own.into()), at(0)).expect("room").expect("live");
    let bytes = old.snapshot(at(0)).expect("room");

    // The quota is raised, the rate is halved with a smaller burst, and the units are in another
    // order.
    let new = named(&[
        ("day", Limit { unit: 0, capacity: 1_000 * UNIT, ..day }),
        ("new", rate(1, 7, SECOND, 7)),
        ("rpm", rate(1, 30, MINUTE, 10)),
    ]);
    // Four seconds refill two.
    let now = at(4 * SECOND);
    assert_eq!(new.restore(&bytes, now), Ok(()));
    assert_eq!(used(&new, "plain", now), [90, 0, 28]);
    assert_eq!(used(&new, "special", now), [80, 0, 18]);
    assert_eq!(capacities(&new, "plain", now), [1_000, 7, 10]);
    assert_eq!(capacities(&new, "special", now), [500, 7, 10]);
    assert_eq!(new.limits()[0].unit, 0);
    // A key's own limits that equal the defaults now need no limit set.
    let again =
        named(&[("rpm", rpm), ("gone", gone), ("day", Limit { capacity: 500 * UNIT, ..day })]);
    assert_eq!(again.restore(&bytes, now), Ok(()));
    assert_eq!(capacities(&again, "plain", now), capacities(&again, "special", now));
}

/// A quota of a day in `time_zone`.
fn day(time_zone: TimeZone) -> Limit {
    Limit {
        kind: Kind::Quota(QuotaWindow { span: Span::Day, time_zone }),
        unit: 0,
        capacity: 50 * UNIT,
    }
}

const HOUR: i64 = 3_600 * SECOND.cast_signed();

#[test]
fn another_time_zone_keeps_the_amount_of_a_window_that_is_not_over() {
    let zone = |name: &str, first| {
        let offsets = Offsets { name: name.to_owned(), first, changes: vec![(HOUR, first)] };
        TimeZone::Zone(Zone::add(offsets).expect("room"))
    };
    // 12:00 UTC of the first day, which ends 22 hours later in Honolulu and 11 hours later in
    // Berlin.
    let noon = at(12 * HOUR.unsigned_abs());
    let old = named(&[("day", day(zone("snapshot/Berlin", HOUR)))]);
    assert_eq!(old.take(key(&old, "k"), &[7 * UNIT], noon), Ok(None));
    let bytes = old.snapshot(noon).expect("memory");
    let reset = |limiter: &Limiter, now: Now| {
        let status = limiter.inspect(key(limiter, "k"), now).expect("live")[0];
        (status.used / UNIT, status.reset_ns / HOUR.unsigned_abs())
    };
    for (time_zone, hours) in [
        (zone("snapshot/Berlin", HOUR), 11),
        // The same hours under another name, and other days.
        (TimeZone::Offset(HOUR), 11),
        (TimeZone::Offset(0), 12),
        (zone("snapshot/Honolulu", -10 * HOUR), 22),
    ] {
        let new = named(&[("day", day(time_zone))]);
        assert_eq!(new.restore(&bytes, noon), Ok(()));
        assert_eq!(reset(&new, noon), (7, hours), "{time_zone:?}");
        // If the old window is over, its amount does not count, even if the new window is not over.
        let late = at(23 * HOUR.unsigned_abs());
        let new = named(&[("day", day(time_zone))]);
        assert_eq!(new.restore(&bytes, late), Ok(()));
        assert_eq!(reset(&new, late).0, 0, "{time_zone:?}");
    }
    let weekly = named(&[("day", quota(0, Span::Week { first: 0 }, 50))]);
    assert_eq!(weekly.restore(&bytes, noon), Err(RestoreError::OtherLimits));
}

#[test]
fn a_snapshot_contains_the_time_zones_of_keys() {
    let offsets = Offsets {
        name: "snapshot/Kathmandu".to_owned(),
        first: HOUR * 23 / 4,
        changes: Vec::new(),
    };
    let time_zone = TimeZone::Zone(Zone::add(offsets).expect("room"));
    let old = named(&[("day", day(TimeZone::Offset(0)))]);
    let k = key(&old, "k");
    old.set_limits(k, Some(vec![day(time_zone)].into()), at(0)).expect("room").expect("live");
    assert_eq!(old.take(k, &[UNIT], at(0)), Ok(None));
    // As of another process, which knows no zone of that name.
    let mut bytes = old.snapshot(at(0)).expect("memory");
    let name = bytes.windows(9).position(|part| part == b"Kathmandu").expect("its name");
    bytes[name..name + 9].copy_from_slice(b"Elsewhere");
    let end = bytes.len() - 8;
    let sum = bytes[..end].iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    bytes[end..].copy_from_slice(&sum.to_le_bytes());
    assert_eq!(Zone::find("snapshot/Elsewhere"), None);
    let new = named(&[("day", day(TimeZone::Offset(0)))]);
    assert_eq!(new.restore(&bytes, at(0)), Ok(()));
    let status = new.inspect(key(&new, "k"), at(0)).expect("live")[0];
    assert_eq!(status.reset_ns, (24 * HOUR - HOUR * 23 / 4).unsigned_abs());
    assert!(Zone::find("snapshot/Elsewhere").is_some());
}

#[test]
fn zero_and_unlimited_limits_are_restored() {
    let limits = [
        ("none", rate(0, 0, SECOND, 0)),
        ("all", Limit::rate(0, UNLIMITED, SECOND, UNLIMITED)),
        ("metered", Limit { capacity: UNLIMITED, ..quota(1, MONTH, 1) }),
    ];
    let old = named(&limits);
    assert_eq!(old.take(key(&old, "k"), &[0, 70 * UNIT], at(0)), Ok(None));
    let new = named(&limits);
    assert_eq!(new.restore(&old.snapshot(at(0)).expect("memory"), at(0)), Ok(()));
    assert_eq!(used(&new, "k", at(0)), [0, 0, 70]);
    assert!(new.take(key(&new, "k"), &[1, 0], at(0)).expect("no fault").is_some());
}
