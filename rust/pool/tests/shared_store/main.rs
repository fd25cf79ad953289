//! Differential test: the script on a real server equals its twin, in its replies and in the fields it leaves,
//! under random calls of several processes. `SLUICE_STORE_CALLS` sets how many.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that meets the unexpected should fail"
)]

mod server;

use std::collections::BTreeMap;

use server::{Server, Value};
use sluice_pool::shared::SCRIPT;
use sluice_pool::shared::message::{ProbeReport, Request, Row, encode_id};
use sluice_pool::shared::store::Store;

const KEYS: [&str; 2] = ["sluice:1:{7}:@pool:openai", "sluice:1:{7}:epoch"];
/// Ids that a script could take for numbers, among others.
const IDS: [&str; 5] = ["key-a", "0x10", "1e5", "inf", "a b:c"];
const PROCESSES: [&str; 4] = ["1234567890123456", "12e4567890123456", "00000000000000ff", "0x1"];

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % limit
    }

    fn odds(&mut self, one_in: u64) -> bool {
        self.below(one_in) == 0
    }
}

fn row(random: &mut Random, id: &str) -> Row {
    let used = random.below(4) as u32;
    let bind = used + random.below(3) as u32;
    let most = bind + random.below(8) as u32;
    Row {
        name: encode_id(id),
        cap: if random.odds(20) { u32::MAX } else { 1 + random.below(10) as u32 },
        used,
        bind,
        want: bind + random.below(5) as u32,
        need: random.below(4) as u32,
        most: if random.odds(8) { 0 } else { most },
        ejected: random.odds(5),
        rest: if random.odds(8) { random.below(60_000) } else { 0 },
        probe: match random.below(12) {
            0..5 => ProbeReport::None,
            5..8 => ProbeReport::Ask,
            8 | 9 => ProbeReport::Hold,
            10 => ProbeReport::Good,
            _ => ProbeReport::Failed(random.below(5000)),
        },
    }
}

fn request(random: &mut Random, numbers: &mut [u64; 4]) -> Request {
    let who = random.below(4) as usize;
    // Now and then an old call comes late, or twice.
    let is_old = random.odds(10);
    let seq = if is_old { numbers[who].saturating_sub(random.below(3)) } else { numbers[who] + 1 };
    numbers[who] = numbers[who].max(seq);
    let is_bye = random.odds(12);
    let mut rows = Vec::new();
    for id in IDS {
        if !is_bye && random.odds(2) {
            rows.push(row(random, id));
        }
    }
    let epoch = if random.odds(3) { 0 } else { 1_700_000_000_000_000 + random.below(2) };
    let cap = if random.odds(4) { 131_072 } else { 1 + random.below(20) as u32 };
    Request {
        process: PROCESSES[who].into(),
        seq,
        lease: if is_bye { 0 } else { 20_000 },
        epoch,
        strict: random.odds(4),
        cap,
        waiting: if is_bye { 0 } else { random.below(8) as u32 },
        rows,
    }
}

fn fields(server: &mut Server) -> BTreeMap<String, String> {
    let Value::List(list) = server.run(&["HGETALL", KEYS[0]]) else { panic!("no list") };
    let mut words = list.into_iter().map(Value::text);
    std::iter::from_fn(|| Some((words.next()?, words.next()?))).collect()
}

fn eval(server: &mut Server, script: &str, args: &[&str]) -> Value {
    let mut words = vec!["EVAL", script, "2", KEYS[0], KEYS[1]];
    words.extend(args);
    server.run(&words)
}

/// Time is an argument here, so that leases end within the test.
fn compare(program: &str) {
    let Some(mut server) = Server::start(program) else { return };
    let calls = std::env::var("SLUICE_STORE_CALLS").ok().and_then(|n| n.parse().ok());
    let script = SCRIPT.replace("redis.call('TIME')", "{ ARGV[#ARGV - 1], ARGV[#ARGV] }");
    assert_ne!(script, SCRIPT);
    let (mut random, mut numbers) = (Random(24), [0; 4]);
    let (mut twin, mut now) = (Store::default(), 1_700_000_000_000_000_i64);
    let (mut old, mut granted, mut probes) = (0, 0, 0);
    for call in 0..calls.unwrap_or(10_000) {
        // Most steps are short, some end leases, and some go back.
        now += match random.below(20) {
            0 => 15_000_000 + random.below(20_000_000) as i64,
            1 => -(random.below(1_000_000) as i64),
            _ => random.below(300_000) as i64,
        };
        if random.odds(500) {
            server.run(&["FLUSHALL"]);
            twin.lose();
        }
        let text = request(&mut random, &mut numbers).encode();
        let args: Vec<&str> = text.split(' ').collect();
        let (seconds, micros) = ((now / 1_000_000).to_string(), (now % 1_000_000).to_string());
        let mut words = args.clone();
        words.extend([&*seconds, &*micros]);
        let reply = eval(&mut server, &script, &words);
        let expected = twin.call(&args, now);
        assert_eq!(reply, Value::Text(expected.clone()), "{program}, call {call}: {text}");
        old += u32::from(expected.starts_with("old"));
        granted += u32::from(expected.split(' ').nth(9).is_some_and(|held| held != "0"));
        probes += u32::from(expected.ends_with(" 1"));
        if call % 5 == 0 {
            let twin = twin.fields();
            let fields = fields(&mut server);
            // A store that refused an old call after a loss has no fields yet.
            assert!(fields == twin || fields.is_empty(), "{fields:#?}\n{twin:#?}");
        }
        if expected.starts_with("ok") {
            let Value::Number(left) = server.run(&["PTTL", KEYS[0]]) else { panic!("no number") };
            let most = twin.expires_in;
            assert!((most - 5000..=most).contains(&left), "{left} of {most} ms");
        }
    }
    assert!(old > 100 && granted > 100 && probes > 100, "{old} {granted} {probes}");
}

#[test]
fn the_script_equals_its_twin_on_redis() {
    compare("redis-server");
}

#[test]
fn the_script_equals_its_twin_on_valkey() {
    compare("valkey-server");
}

#[test]
fn the_shipped_script_reads_the_time_of_the_server() {
    let Some(mut server) = Server::start("redis-server") else { return };
    let mut random = Random(1);
    let mut twin = Store::default();
    for seq in 1..200 {
        let mut request = request(&mut random, &mut [seq; 4]);
        (request.seq, request.epoch) = (seq, 0);
        let text = request.encode();
        let args: Vec<&str> = text.split(' ').collect();
        let reply = eval(&mut server, SCRIPT, &args).text();
        let now: i64 = reply.split(' ').nth(2).unwrap().parse().unwrap();
        assert_eq!(reply, twin.call(&args, now));
    }
    let epoch = server.run(&["GET", KEYS[1]]).text();
    assert_eq!(epoch, twin.epoch.to_string());
    assert_eq!(server.run(&["PTTL", KEYS[1]]), Value::Number(-1), "the epoch never expires");
}
