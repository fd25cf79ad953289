//! Measures how long servers take for one call of the script, and what a key takes of their memory.
//!
//! `cargo run --release -p sluice-limiter --example store_time -- redis-server valkey-server`
#![allow(clippy::expect_used, reason = "a measurement that meets the unexpected should fail")]

#[path = "../tests/shared_store/server.rs"]
mod server;

use server::{Answer, Server};
use sluice_limiter::shared::SYNC_SCRIPT;
use sluice_limiter::shared::message::{LimitReport, SyncRequest, Waiter, WireKind, WireLimit};

const CALLS: u64 = 20_000;
/// The server's mean is taken over batches, so that other work on the machine spoils only some.
const BATCH: u64 = 500;
const SECOND: u64 = 1_000_000;
/// 2100-01-01 in microseconds.
const YEAR_2100: u64 = 4_102_444_800 * SECOND;

fn main() {
    println!(
        "server, limits, holders, mode: us of server time a call (median, least), bytes a key"
    );
    for program in std::env::args().skip(1) {
        let Some(mut server) = Server::start(&program) else { continue };
        let sha = server.call(&["SCRIPT", "LOAD", SYNC_SCRIPT]).text();
        for limits in [1, 3] {
            for holders in [1, 8, 64] {
                for mode in ["exact", "leased"] {
                    measure(&program, &mut server, &sha, limits, holders, mode);
                }
            }
        }
    }
}

fn measure(program: &str, server: &mut Server, sha: &str, limits: usize, holders: u64, mode: &str) {
    server.call(&["FLUSHALL"]);
    let mut times = Vec::new();
    for batch in 0..CALLS / BATCH {
        server.call(&["CONFIG", "RESETSTAT"]);
        for n in 0..BATCH {
            let call = batch * BATCH + n;
            let request = request(limits, call % holders, 1 + call / holders, mode == "leased");
            let text = request.encode();
            let mut words =
                vec!["EVALSHA", sha, "2", "sluice:1:{7}:tenants:acme", "sluice:1:{7}:epoch"];
            words.extend(text.split(' '));
            let reply = server.call(&words).text();
            assert!(reply.starts_with("ok "), "{reply}");
        }
        times.push(mean_us(server));
    }
    times.sort_by(f64::total_cmp);
    let Answer::Number(bytes) = server.call(&["MEMORY", "USAGE", "sluice:1:{7}:tenants:acme"])
    else {
        panic!("no number");
    };
    let (median, least) = (times[times.len() / 2], times[0]);
    println!("{program}, {limits}, {holders}, {mode}: {median:.2}, {least:.2}, {bytes}");
}

fn mean_us(server: &mut Server) -> f64 {
    let text = server.call(&["INFO", "commandstats"]).text();
    let line = text.lines().find(|line| line.starts_with("cmdstat_evalsha:")).expect("a statistic");
    let us = line.split("usec_per_call=").nth(1).and_then(|rest| rest.split(',').next());
    us.and_then(|us| us.parse().ok()).expect("a number")
}

/// One waiter is decided by all limits. A leased call also reports and asks for credit.
fn request(limits: usize, who: u64, seq: u64, is_leased: bool) -> SyncRequest {
    let kinds = [
        ("requests", WireKind::Rate { quanta: 1_000, us: 1 }, 60_000 * SECOND),
        (
            "tokens",
            WireKind::Quota { start_us: 0, end_us: YEAR_2100, next_end_us: 2 * YEAR_2100 },
            1_000_000_000 * SECOND,
        ),
        ("inflight", WireKind::Concurrency, 1_000 * SECOND),
    ];
    let report = |&(name, kind, capacity): &(&str, WireKind, u64)| {
        let consumed = u64::from(is_leased && kind != WireKind::Concurrency) * SECOND;
        LimitReport {
            name: name.into(),
            limit: WireLimit { kind, capacity: Some(capacity) },
            spent: if seq == 1 { 0 } else { consumed },
            debt: 0,
            bind: if seq == 1 || !is_leased { 0 } else { SECOND },
            want: u64::from(is_leased) * 3 * SECOND,
            restore: 0,
        }
    };
    SyncRequest {
        is_peek: false,
        process: format!("0123456789abc{who:03x}"),
        seq,
        lease_us: 2 * SECOND,
        is_leaving: false,
        epoch: 0,
        is_strict: false,
        config: "9f8a3c21".into(),
        limits: kinds[..limits].iter().map(report).collect(),
        waiters: vec![Waiter { is_reservation: false, costs: vec![SECOND; limits] }],
    }
}
