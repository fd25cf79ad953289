//! The script in real servers against its twin: after each of thousands of random calls, the reply and
//! all fields of the key are the same to the last character.
//!
//! `SLUICE_STORE_CALLS` sets how many calls each server gets.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod requests;
mod server;

use std::collections::BTreeMap;
use std::time::Duration;

use requests::World;
use server::{Answer, Server};
use sluice_limiter::shared::SYNC_SCRIPT;
use sluice_limiter::shared::store::Store;

const EPOCH: &str = "sluice:1:{7}:epoch";
const CALLS_OF_A_KEY: u64 = 200;

fn calls() -> u64 {
    std::env::var("SLUICE_STORE_CALLS").map_or(10_000, |calls| calls.parse().expect("a number"))
}

#[test]
fn the_script_in_redis_is_its_twin() {
    compare("redis-server");
}

#[test]
fn the_script_in_valkey_is_its_twin() {
    compare("valkey-server");
}

fn compare(program: &str) {
    let Some(mut server) = Server::start(program) else { return };
    let keys = calls() / CALLS_OF_A_KEY;
    let mut seen = BTreeMap::new();
    for seed in 0..keys {
        if seed % 2 == 0 {
            run_with_the_clock_of_the_server(&mut server, seed, &mut seen);
        } else {
            run_with_a_clock_of_the_test(&mut server, seed, &mut seen);
        }
    }
    println!("{program}: {seen:?}");
    // The comparison means nothing for what did not occur.
    if calls() >= 10_000 {
        for what in ["ok", "old", "clock", "done", "repeated", "admitted", "until", "held", "never"]
        {
            assert!(seen.get(what).is_some_and(|&times| times > 10), "{what}: {seen:?}");
        }
        for field in ['n', 'p', 'z', 'c', 'v', 'x'] {
            let what = field.to_string();
            assert!(seen.get(&what).is_some_and(|&times| times > 10), "{what}: {seen:?}");
        }
    }
}

/// The script as it is. The twin is told the time by the reply.
fn run_with_the_clock_of_the_server(
    server: &mut Server,
    seed: u64,
    seen: &mut BTreeMap<String, u64>,
) {
    let sha = server.call(&["SCRIPT", "LOAD", SYNC_SCRIPT]).text();
    let (mut world, mut twin, key) = (World::new(seed), Store::new(), format!("key{seed}"));
    server.call(&["DEL", EPOCH]);
    let time = texts(server.call(&["TIME"]));
    let mut now = format!("{}{:0>6}", time[0], time[1]).parse().expect("a time");
    for _ in 0..CALLS_OF_A_KEY {
        let random = world.random();
        if random.is_one_in(40) {
            let ms = random.below(60);
            std::thread::sleep(Duration::from_millis(ms));
            now += ms * 1000;
        }
        lose_something(&mut world, server, &mut twin, &key);
        let request = world.request(now);
        server.send(&evalsha(&sha, &key, &request));
        server.send(&["HGETALL", &key]);
        server.send(&["GET", EPOCH]);
        let (reply, fields) = (server.read().text(), fields(server.read()));
        let epoch = server.read();
        // Replies that tell no time changed nothing that depends on it, except a new epoch.
        now = time_of(&reply).unwrap_or(now);
        if let (Answer::Text(epoch), "old") = (epoch, &reply[..3]) {
            now = now.max(epoch.parse().expect("a time"));
        }
        if twin.removed_us(&key).is_some_and(|at| at < now + 100_000) {
            // The test was not scheduled for a second, so the server may have removed the key.
            return;
        }
        check(&twin.run(&key, EPOCH, &request, now), &twin, &key, &request, &reply, &fields);
        world.answer(&reply);
        note(seen, &request, &reply, &fields);
    }
    let ms = match server.call(&["PTTL", &key]) {
        Answer::Number(ms) => ms,
        other => panic!("{other:?}"),
    };
    match (twin.fields(&key).is_empty(), twin.removed_us(&key)) {
        (true, _) => assert_eq!(ms, -2, "there is no key"),
        (false, None) => assert_eq!(ms, -1, "a key with limits of its own stays"),
        (false, Some(at)) => {
            let expected = (at.saturating_sub(now) / 1000) as i64;
            assert!((expected - 1000..=expected + 10).contains(&ms), "{ms} of {expected}");
        }
    }
}

/// The script with another source of time, which also goes back and jumps ahead.
fn run_with_a_clock_of_the_test(server: &mut Server, seed: u64, seen: &mut BTreeMap<String, u64>) {
    let script = SYNC_SCRIPT
        .replace("redis.call('TIME')", "{ ARGV[#ARGV - 1], ARGV[#ARGV] }")
        .replace("call('PEXPIRE', key,", "call('SET', 'expiry',")
        .replace("call('PERSIST', key)", "call('DEL', 'expiry')");
    let sha = server.call(&["SCRIPT", "LOAD", &script]).text();
    let (mut world, mut twin, key) = (World::new(seed), Store::new(), format!("key{seed}"));
    server.call(&["DEL", EPOCH, "expiry"]);
    let mut now: u64 = 1_800_000_000_000_000 + seed;
    for _ in 0..CALLS_OF_A_KEY {
        let random = world.random();
        now = match random.below(100) {
            0 => now - random.below(200_000),
            1 => now - random.below(5_000_000),
            2 => now + random.below(5_000_000),
            3..30 => now + random.below(30_000),
            _ => now + random.below(300),
        };
        lose_something(&mut world, server, &mut twin, &key);
        if twin.removed_us(&key).is_some_and(|at| at < now) {
            server.call(&["DEL", &key, "expiry"]);
        }
        let request = world.request(now);
        let (seconds, us) = ((now / 1_000_000).to_string(), (now % 1_000_000).to_string());
        let mut words = evalsha(&sha, &key, &request);
        words.extend([&*seconds, &us]);
        let before = twin.removed_us(&key);
        server.send(&words);
        server.send(&["HGETALL", &key]);
        server.send(&["GETDEL", "expiry"]);
        let (reply, fields) = (server.read().text(), fields(server.read()));
        check(&twin.run(&key, EPOCH, &request, now), &twin, &key, &request, &reply, &fields);
        if let Answer::Text(ms) = server.read() {
            let ms: u64 = ms.parse().expect("milliseconds");
            if !fields.is_empty() {
                assert_eq!(twin.removed_us(&key), Some(now + ms * 1000), "the expiry: {request}");
            }
        } else if twin.removed_us(&key).is_some() {
            assert_eq!(twin.removed_us(&key), before, "the expiry stays: {request}");
        }
        world.answer(&reply);
        note(seen, &request, &reply, &fields);
    }
}

/// Loses the key, the epoch or both, now and then, as evictions and restarts do.
fn lose_something(world: &mut World, server: &mut Server, twin: &mut Store, key: &str) {
    let (is_key, is_epoch) = match world.random().below(400) {
        0 => (true, false),
        1 => (false, true),
        2 | 3 => (true, true),
        _ => return,
    };
    for (name, is_lost) in [(key, is_key), (EPOCH, is_epoch)] {
        if is_lost {
            server.call(&["DEL", name]);
            twin.delete(name);
        }
    }
}

fn check(
    expected: &str,
    twin: &Store,
    key: &str,
    request: &str,
    reply: &str,
    fields: &BTreeMap<String, String>,
) {
    assert_eq!(reply, expected, "the reply to {request}");
    assert_eq!(*fields, twin.fields(key), "the state after {request}");
}

fn evalsha<'a>(sha: &'a str, key: &'a str, request: &'a str) -> Vec<&'a str> {
    let mut words = vec!["EVALSHA", sha, "2", key, EPOCH];
    words.extend(request.split(' '));
    words
}

fn texts(answer: Answer) -> Vec<String> {
    match answer {
        Answer::List(list) => list.into_iter().map(Answer::text).collect(),
        other => panic!("not a list: {other:?}"),
    }
}

fn fields(answer: Answer) -> BTreeMap<String, String> {
    let mut texts = texts(answer).into_iter();
    let mut fields = BTreeMap::new();
    while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
        fields.insert(name, value);
    }
    fields
}

fn time_of(reply: &str) -> Option<u64> {
    let words: Vec<_> = reply.split(' ').collect();
    let word = match words[0] {
        "ok" => words[3],
        "clock" => words[2],
        "done" if words[2] != "0" => words[2],
        _ => return None,
    };
    word.parse().ok()
}

fn note(
    seen: &mut BTreeMap<String, u64>,
    request: &str,
    reply: &str,
    fields: &BTreeMap<String, String>,
) {
    let mut count = |what: &str| *seen.entry(what.into()).or_insert(0) += 1;
    let words: Vec<_> = reply.split(' ').collect();
    count(words[0]);
    let waiters: usize = request.split(' ').nth(9).map_or(0, |k| k.parse().unwrap_or(0));
    if words[0] == "ok" {
        for result in words.iter().rev().take(waiters) {
            count(match result.split_once(':') {
                None => "admitted",
                Some((_, "-1")) => "held",
                Some((_, "-2")) => "never",
                Some(_) => "until",
            });
        }
        if words[4] == "1" {
            count("lost");
        }
        // The entry's time to end tells that it was made before.
        let process = request.split(' ').nth(1).unwrap_or_default();
        let (lease, now) = (request.split(' ').nth(3), time_of(reply));
        if let (Some(entry), Some(lease), Some(now)) =
            (fields.get(&format!("p.{process}")), lease, now)
            && request.starts_with("sync")
            && !entry.starts_with(&(now + lease.parse::<u64>().unwrap_or(0)).to_string())
        {
            count("repeated");
        }
    }
    for name in fields.keys() {
        count(&name[..1]);
    }
}
