//! A stress test of the whole C ABI by short-lived threads that share one limiter, one pool, the cache, jobs and counters.
//! `make sanitize` runs it under ThreadSanitizer.
//!
//! `stress SECONDS THREADS [limiters] [pools] [tokenizers]` runs the named parts, or all of them. `stress canary` has a
//! data race, which a working sanitizer must find.
#![allow(clippy::expect_used, reason = "a stress test that meets the unexpected should stop")]

mod limiters;
mod pools;
mod tokenizers;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use sluice::process::library::sluice_library_last_error;
use sluice::seam::status::SluiceStatus;

static CALLS: AtomicU64 = AtomicU64::new(0);
static PANICS: AtomicU64 = AtomicU64::new(0);

/// xorshift64: the same calls for the same seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// Counts a call, and tells a panic in it.
fn real(result: f64) -> f64 {
    CALLS.fetch_add(1, Relaxed);
    if result == f64::from(SluiceStatus::Panic as i32) {
        PANICS.fetch_add(1, Relaxed);
        let mut bytes = [0; 400];
        // SAFETY: pointer and capacity come from a live array.
        let length = unsafe { sluice_library_last_error(bytes.as_mut_ptr(), 400) };
        eprintln!("PANIC {}", String::from_utf8_lossy(&bytes[..length.clamp(0, 400) as usize]));
    }
    result
}

fn whole(result: i32) -> i32 {
    real(result.into());
    result
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|what| what == "canary") {
        return canary();
    }
    let number = |at: usize, usual| arguments.get(at).and_then(|n| n.parse().ok()).unwrap_or(usual);
    let (seconds, threads) = (number(0, 20), number(1, 4));
    let wants = |what: &str| arguments.len() <= 2 || arguments.iter().any(|named| named == what);
    let (limiters, pools, tokenizers) = (wants("limiters"), wants("pools"), wants("tokenizers"));
    let end = Instant::now() + Duration::from_secs(seconds);
    let deaths = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let deaths = &deaths;
            scope.spawn(move || {
                let mut seeds = Numbers(thread * 7919 + 1);
                while Instant::now() < end {
                    let seed = seeds.below(u64::MAX) | 1;
                    // A thread of its own, as a Worker has: its end gives back what it has.
                    let life = std::thread::spawn(move || {
                        let mut numbers = Numbers(seed);
                        for _ in 0..1 + numbers.below(4) {
                            let steps = 50 + numbers.below(400);
                            if limiters {
                                limiters::run(&mut numbers, steps);
                            }
                            if pools {
                                pools::run(&mut numbers, steps);
                            }
                            if tokenizers {
                                tokenizers::run(&mut numbers, steps / 10);
                            }
                        }
                    });
                    life.join().expect("a thread that ends by itself");
                    deaths.fetch_add(1, Relaxed);
                }
            });
        }
    });
    let panics = PANICS.load(Relaxed);
    println!("{CALLS:?} calls, {deaths:?} threads that ended, {panics} panics");
    std::process::exit(i32::from(panics > 0));
}

/// Two threads write one word at the same time, and nothing orders them.
fn canary() {
    struct Shared(std::cell::UnsafeCell<u64>);
    // SAFETY: none; that is the point.
    unsafe impl Sync for Shared {}
    static WORD: Shared = Shared(std::cell::UnsafeCell::new(0));
    // A thread that is over before the other begins is no race that a sanitizer is sure to see.
    let start = std::sync::Barrier::new(2);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                start.wait();
                for _ in 0..100_000 {
                    // SAFETY: none, as above.
                    unsafe { *WORD.0.get() = std::hint::black_box(*WORD.0.get() + 1) };
                }
            });
        }
    });
}
