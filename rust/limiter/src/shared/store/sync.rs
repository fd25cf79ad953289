//! One call of the script in the reference store, step by step.

use std::collections::BTreeMap;

use super::decision::Bucket;
use super::hash::{Ended, Hash, Lease, amount_of};
use crate::shared::message::{SyncRequest, Wait, WireKind};

const SECOND: u64 = 1_000_000;

/// Serves a request at a time, and returns the reply.
pub(super) fn run(hash: &mut Hash, request: &SyncRequest, epoch: Option<u64>, now: u64) -> String {
    let SyncRequest { process, seq, lease_us, config, .. } = request;
    let born = epoch.unwrap_or(now);
    let is_lost = request.epoch != 0 && Some(request.epoch) != epoch;
    let lease = hash.leases.get(process).cloned();
    let ended = hash.ended.get(process).cloned();
    let last = lease.as_ref().map(|lease| lease.seq).or(ended.as_ref().map(|ended| ended.seq));
    let is_repeated = !request.is_peek && last == Some(*seq);
    if !request.is_peek && last > Some(*seq) {
        return format!("old {seq}");
    }
    let is_in_windows = request.limits.iter().all(|report| match report.limit.kind {
        WireKind::Quota { start_us, next_end_us, .. } => start_us <= now && now < next_end_us,
        _ => true,
    });
    if !is_repeated && !is_in_windows {
        return format!("clock {seq} {now}");
    }
    let lost = u8::from(is_lost);
    let different = u8::from(hash.config.as_ref().is_some_and(|last| last != config));
    let version = hash.version.unwrap_or(0);
    let reply = |hash: &Hash, buckets: &[Bucket], credit: &[u64], results: &str| {
        let (epoch, holders) = (epoch.unwrap_or(0), hash.leases.len());
        let mut text = format!("ok {seq} {epoch} {now} {lost} {holders} {different} {version}");
        for (bucket, credit) in buckets.iter().zip(credit) {
            text.push_str(&row(bucket, *credit, now));
        }
        text + results
    };
    let new = |report| Bucket::new(report, hash, request, born, now);
    let mut buckets: Vec<_> = request.limits.iter().map(new).collect();
    let names: Vec<_> = buckets.iter().map(|bucket| bucket.name.clone()).collect();

    if is_repeated {
        for bucket in &mut buckets {
            bucket.others = hash.held(&bucket.name);
        }
        let (credit, results) = match (&lease, ended) {
            (Some(lease), _) => (lease.credit.clone(), lease.results.clone()),
            (None, Some(Ended { charged, results, .. })) => {
                (charged.into_iter().map(|(name, amount, _)| (name, amount)).collect(), results)
            }
            (None, None) => unreachable!("only what has an entry is repeated"),
        };
        let credit: Vec<_> = names.iter().map(|name| amount_of(&credit, name)).collect();
        return reply(hash, &buckets, &credit, &results);
    }

    let had_entry = lease.is_some();
    let correction = end_leases(hash, &mut buckets, process, now).or(ended);
    let lease = hash.leases.get(process).cloned();
    for bucket in &mut buckets {
        bucket.mine = lease.as_ref().map_or(0, |lease| lease.of(&bucket.name));
        bucket.others = hash.held(&bucket.name) - bucket.mine;
    }
    if request.is_peek {
        let results = decide(&mut buckets, request, now);
        let credit: Vec<_> = buckets.iter().map(|bucket| bucket.mine).collect();
        return reply(hash, &buckets, &credit, &results);
    }

    // What the process reports. What quotas were charged when its lease ended is corrected.
    let charged = correction.map(|ended| ended.charged).unwrap_or_default();
    for (bucket, report) in buckets.iter_mut().zip(&request.limits) {
        let is_quota = matches!(bucket.kind, WireKind::Quota { .. });
        let back = charged.iter().find(|(name, _, window)| {
            is_quota && *name == bucket.name && *window == Some(bucket.at)
        });
        if let Some(&(_, amount, _)) = back {
            bucket.level = bucket.level.saturating_sub(amount);
            bucket.charge(report.spent + report.debt);
            bucket.mine = report.bind;
            continue;
        }
        let moved = report.spent.min(bucket.mine);
        bucket.mine -= moved;
        let mut charge = report.debt + moved;
        if is_lost {
            charge += report.spent - moved;
            if is_quota && !had_entry {
                charge += report.restore;
            }
        }
        bucket.charge(charge);
        // Credit of before a loss may be spent for a lease. Reservations of places are open anyway.
        if is_lost && now < born + lease_us {
            bucket.mine = bucket.mine.max(report.bind);
        }
        if !bucket.is_consumed() {
            bucket.mine = bucket.mine.max(report.restore);
        }
    }

    let results = decide(&mut buckets, request, now);

    let holders = hash.leases.len() as u64 + u64::from(lease.is_none());
    for (bucket, report) in buckets.iter_mut().zip(&request.limits) {
        if request.is_leaving {
            bucket.charge(bucket.mine.min(bucket.bound));
            bucket.mine = 0;
        } else {
            bucket.grant(report.want, holders);
        }
    }

    hash.is_synced = true;
    hash.config = Some(config.clone());
    hash.ended.remove(process);
    hash.leases.remove(process);
    for bucket in &buckets {
        hash.usage.insert(bucket.name.clone(), bucket.usage());
    }
    if !request.is_leaving {
        let end = now + lease_us;
        let credit = buckets.iter().filter(|bucket| bucket.mine > 0);
        let credit = credit.map(|bucket| (bucket.name.clone(), bucket.mine)).collect();
        let lease = Lease { end, seq: *seq, credit, results: results.clone() };
        hash.leases.insert(process.clone(), lease);
        hash.due = if hash.due == 0 { end } else { hash.due.min(end) };
    }
    let life = buckets.iter().map(|bucket| bucket.life_us(now)).max().unwrap_or(0);
    let needed = now + life + lease_us + SECOND;
    if hash.version.is_none() && needed > hash.expires_us.unwrap_or(0) {
        let expires = needed + lease_us;
        hash.expires_us = Some(expires);
        hash.removed_us = Some(now + (expires - now).div_ceil(1000) * 1000);
    }
    let credit: Vec<_> = buckets.iter().map(|bucket| bucket.mine).collect();
    reply(hash, &buckets, &credit, &results)
}

/// What a reply says of one limit.
fn row(bucket: &Bucket, credit: u64, now: u64) -> String {
    let is_quota = matches!(bucket.kind, WireKind::Quota { .. });
    let left = if is_quota { bucket.at.saturating_sub(now) } else { 0 };
    let capacity = bucket.capacity.map_or("-1".into(), |capacity| capacity.to_string());
    format!(" {credit} {} {capacity} {left}", bucket.fill())
}

/// Charges leases that have ended in full. Returns that of the calling process, if it has ended.
fn end_leases(hash: &mut Hash, buckets: &mut [Bucket], own: &str, now: u64) -> Option<Ended> {
    if hash.due == 0 || hash.due > now {
        return None;
    }
    let mut correction = None;
    let leases = std::mem::take(&mut hash.leases).into_iter();
    let (ended, leases): (BTreeMap<_, _>, _) = leases.partition(|(_, lease)| lease.end <= now);
    hash.leases = leases;
    for (process, Lease { seq, credit, results, .. }) in ended {
        let charge = |(name, amount): (String, u64)| {
            let window = match buckets.iter_mut().find(|bucket| bucket.name == name) {
                Some(bucket) => {
                    bucket.charge(amount);
                    matches!(bucket.kind, WireKind::Quota { .. }).then_some(bucket.at)
                }
                None => hash.usage.get_mut(&name).and_then(|usage| usage.charge(amount, now)),
            };
            (name, amount, window)
        };
        let charged: Vec<_> = credit.into_iter().map(charge).collect();
        let has_quota = charged.iter().any(|(_, _, window)| window.is_some());
        let ended = Ended { seq, charged, results };
        if process == own {
            correction = Some(ended);
        } else if has_quota {
            hash.ended.insert(process, ended);
        }
    }
    hash.due = hash.leases.values().map(|lease| lease.end).min().unwrap_or(0);
    hash.ended.retain(|process, ended| {
        process == own || ended.charged.iter().any(|&(_, _, window)| window > Some(now))
    });
    correction
}

/// Decides who waits, in order, each all or nothing.
fn decide(buckets: &mut [Bucket], request: &SyncRequest, now: u64) -> String {
    let mut results = String::new();
    for waiter in &request.waiters {
        let mut longest = None;
        for (limit, (bucket, &cost)) in buckets.iter_mut().zip(&waiter.costs).enumerate() {
            let Some(wait) = bucket.refusal(cost, waiter.is_reservation, now) else { continue };
            bucket.is_short |= wait != Wait::Never;
            if longest.is_none_or(|(_, most)| wait > most) {
                longest = Some((limit, wait));
            }
        }
        match longest {
            Some((limit, Wait::Us(us))) => results += &format!(" {limit}:{us}"),
            Some((limit, Wait::Held)) => results += &format!(" {limit}:-1"),
            Some((limit, Wait::Never)) => results += &format!(" {limit}:-2"),
            None => {
                results += " 0";
                if !request.is_peek {
                    for (bucket, &cost) in buckets.iter_mut().zip(&waiter.costs) {
                        bucket.admit(cost, waiter.is_reservation);
                    }
                }
            }
        }
    }
    results
}
