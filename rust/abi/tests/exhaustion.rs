//! Tests of exhausted resources: without memory, random bytes or the threads of a forked process, calls fail with a
//! status, and the library stays usable.
//!
//! Each case runs this test binary in a child process, because the resource limits of a process are permanent.
#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod support;

use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sluice::clock::sluice_clock_open;
use sluice::limiter::key::{sluice_limiter_restore, sluice_limiter_snapshot, sluice_limiter_stats};
use sluice::limiter::reservation::sluice_reservation_end;
use sluice::limiter::zone::sluice_zone_add;
use sluice::limiter::{sluice_limiter_key, sluice_limiter_open, sluice_limiter_take};
use sluice::pool::sluice_pool_open;
use sluice::process::library::sluice_library_abi_hash;
use sluice::seam::status::SluiceStatus as Status;
use sluice::tokenizer::batch::{sluice_batch_count, sluice_batch_encode};
use sluice::tokenizer::cache::{SLUICE_CACHE, sluice_cache_open};
use sluice::tokenizer::counter::{SLUICE_COUNTER_RESET, sluice_counter_open, sluice_counter_push};
use sluice::tokenizer::job::{
    SLUICE_JOB_ENCODE, SLUICE_JOB_ENCODE_LINES, sluice_job_close, sluice_job_open,
    sluice_job_open_reader, sluice_job_poll, sluice_job_write,
};
use sluice::tokenizer::lines::{sluice_lines_encode, sluice_lines_open};
use sluice::tokenizer::{sluice_tokenizer_count, sluice_tokenizer_open};

use support::last_error;

const MIB: usize = 1 << 20;
const OUT_OF_MEMORY: i32 = Status::OutOfMemory as i32;

/// The cases that a child process runs, by name.
const CASES: [(&str, fn()); 14] = [
    ("job_open", job_open),
    ("job_write", job_write),
    ("job_result", job_result),
    ("batch", batch),
    ("lines", lines),
    ("counter", counter),
    ("cache", cache),
    ("keys", keys),
    ("snapshot", snapshot),
    ("names", names),
    ("costs", costs),
    ("zones", zones),
    ("entropy", entropy),
    ("fork", fork),
];

/// Runs one case in a child process. Does nothing in a run of all tests.
#[test]
fn child() {
    let Ok(name) = std::env::var("SLUICE_TEST_CASE") else { return };
    let (_, case) = CASES.iter().find(|(known, _)| *known == name).expect("a case");
    sluice_library_abi_hash();
    // The hook keeps panics off stderr, including those of this test.
    drop(std::panic::take_hook());
    case();
    println!("case {name} went through");
}

#[test]
fn what_the_system_refuses_is_a_status() {
    let program = std::env::current_exe().expect("path of this test");
    let failed: Vec<String> = CASES
        .iter()
        .filter_map(|(name, _)| {
            let output = Command::new(&program)
                .args(["--exact", "child", "--nocapture", "--test-threads=1"])
                .env("SLUICE_TEST_CASE", name)
                // A case that fails tells a backtrace, for which `std` waits for ever without memory.
                .env("RUST_BACKTRACE", "0")
                // What glibc keeps for threads, and blocks that were free again, would do for a call.
                .env("MALLOC_ARENA_MAX", "1")
                .env("MALLOC_MMAP_THRESHOLD_", "131072")
                .output()
                .expect("a child process");
            let text = String::from_utf8_lossy(&output.stdout);
            let went_through = text.contains(&format!("case {name} went through"));
            (!output.status.success() || !went_through).then(|| {
                format!(
                    "{name}: {}\n{text}{}",
                    output.status,
                    String::from_utf8_lossy(&output.stderr)
                )
            })
        })
        .collect();
    assert!(failed.is_empty(), "{} of {} cases:\n{}", failed.len(), CASES.len(), failed.join("\n"));
}

/// Lets this process map `bytes` more than it has mapped.
fn leave(bytes: usize) {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("statm");
    let pages: usize = statm.split(' ').next().expect("size").parse().expect("a number");
    set(Resource::As, Some((pages * 4096 + bytes) as u64));
}

fn leave_all() {
    set(Resource::As, getrlimit(Resource::As).maximum);
}

fn set(resource: Resource, current: Option<u64>) {
    let maximum = getrlimit(resource).maximum;
    setrlimit(resource, Rlimit { current, maximum }).expect("a limit");
}

fn refused(result: i32) {
    assert_eq!(result, OUT_OF_MEMORY, "{}", last_error());
    assert!(last_error().contains("memory"), "{}", last_error());
}

/// A tokenizer that this thread has used, so that its tables are there.
fn tokenizer() -> u32 {
    // SAFETY: pointer and length come from a live string.
    let handle = unsafe { sluice_tokenizer_open(b"o200k_base".as_ptr(), 10) }.cast_unsigned();
    assert_eq!(count(handle, "Hello, world!"), 4);
    handle
}

fn count(tokenizer: u32, text: &str) -> i32 {
    // SAFETY: pointer and length come from a live string.
    unsafe { sluice_tokenizer_count(tokenizer, text.as_ptr(), text.len() as u32, 0) }
}

/// A packed batch of `texts` texts of `length` bytes each.
fn packed(texts: usize, length: usize, threads: u32) -> Vec<u32> {
    let mut words = vec![texts as u32, 0, threads];
    words.resize(3 + texts, length as u32);
    words.resize(3 + texts + (texts * length).div_ceil(4), u32::from_le_bytes(*b"a b "));
    words
}

fn write(job: u32, words: &[u32], last: u32) -> i32 {
    // SAFETY: pointer and length come from a live slice.
    unsafe { sluice_job_write(job, words.as_ptr().cast(), words.len() as u32 * 4, last) }
}

fn end_of(job: u32) -> i32 {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let done = sluice_job_poll(job);
        if done != 0 || Instant::now() > deadline {
            return done;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn limiter(name: &str, max_keys: f64) -> u32 {
    let text = format!("{name}\0rpm\0requests");
    let config = [max_keys, 60_000.0, 1.0, 1.0, 0.0, 0.0, 1e9, 86_400_000.0, 1e9, 0.0, 0.0, 0.0];
    // SAFETY: pointers and lengths come from live arrays.
    let handle =
        unsafe { sluice_limiter_open(text.as_ptr(), text.len() as u32, config.as_ptr(), 12, 0) };
    assert!(handle > 0, "{}", last_error());
    handle.cast_unsigned()
}

fn key(limiter: u32, number: u32) -> f64 {
    let name = number.to_le_bytes();
    // SAFETY: pointer and length come from a live array.
    unsafe { sluice_limiter_key(limiter, name.as_ptr(), 4) }
}

fn job_open() {
    let tokenizer = tokenizer();
    leave(256 * MIB);
    // The handle is looked at before the size.
    assert_eq!(sluice_job_open(0, 0, 0, u32::MAX), Status::InvalidHandle as i32);
    refused(sluice_job_open(tokenizer, 0, 0, u32::MAX));
    let job = sluice_job_open(tokenizer, 0, 0, 100).cast_unsigned();
    assert_eq!(write(job, &packed(1, 4, 0), 1), 0);
    assert_eq!(end_of(job), 1);
}

fn job_write() {
    let tokenizer = tokenizer();
    let part = vec![0u32; 4 * MIB];
    let job = sluice_job_open(tokenizer, 0, 0, 0).cast_unsigned();
    leave(100 * MIB);
    let written: Vec<i32> = (0..8).map(|_| write(job, &part, 0)).collect();
    assert_eq!(written[0], 0);
    refused(written[7]);
    assert_eq!(sluice_job_close(job), 0);
    let job = sluice_job_open(tokenizer, 0, 0, 0).cast_unsigned();
    assert_eq!(write(job, &part, 0), 0, "the memory of the first job is back");
}

fn job_result() {
    let tokenizer = tokenizer();
    // The threads of jobs and their tables are there.
    let small = sluice_job_open(tokenizer, 0, SLUICE_JOB_ENCODE, 0).cast_unsigned();
    assert_eq!(write(small, &packed(40, 100_000, 0), 1), 0);
    assert_eq!(end_of(small), 1);
    for (texts, length) in [(1, 64 * MIB), (4 * MIB, 16)] {
        let batch = packed(texts, length, 1);
        let job = sluice_job_open(tokenizer, 0, SLUICE_JOB_ENCODE, 4 * batch.len() as u32);
        let job = job.cast_unsigned();
        assert_eq!(write(job, &batch, 0), 0);
        leave(80 * MIB);
        assert_eq!(write(job, &[], 1), 0);
        refused(end_of(job));
        leave_all();
        assert_eq!(sluice_job_close(job), 0);
    }
    assert_eq!(count(tokenizer, "Hello, world!"), 4);
}

fn batch() {
    type Call = unsafe extern "C" fn(u32, *const u8, u32, u32, *mut u32, u32) -> i32;
    let tokenizer = tokenizer();
    assert!(sluice_cache_open(1_000) > 0);
    let empty = packed(16 * MIB, 0, 1);
    let few = packed(1, 4, 1);
    for call in [sluice_batch_count as Call, sluice_batch_encode] {
        for special in [0, SLUICE_CACHE] {
            if special != 0 && call as *const () == sluice_batch_encode as *const () {
                continue;
            }
            let ask = |words: &[u32]| {
                let (bytes, length) = (words.as_ptr().cast(), words.len() as u32 * 4);
                let mut out = [0u32; 8];
                // SAFETY: pointers and lengths come from live arrays.
                unsafe { call(tokenizer, bytes, length, special, out.as_mut_ptr(), 8) }
            };
            leave(128 * MIB);
            refused(ask(&empty));
            assert!(ask(&few) > 0);
            leave_all();
        }
    }
    // Many small texts, and threads.
    let many = packed(4 * MIB, 16, 0);
    let mut out = vec![0u32; 4 * MIB];
    leave(100 * MIB);
    let bytes = many.as_ptr().cast();
    let (length, cap) = (many.len() as u32 * 4, out.len() as u32);
    // SAFETY: pointers and lengths come from live arrays.
    refused(unsafe { sluice_batch_count(tokenizer, bytes, length, 0, out.as_mut_ptr(), cap) });
    assert_eq!(count(tokenizer, "Hello, world!"), 4);
}

fn lines() {
    let tokenizer = tokenizer();
    let settings = [0u32, 16, 1, 7];
    // SAFETY: pointers and lengths come from live arrays.
    let reader = unsafe { sluice_lines_open(tokenizer, settings.as_ptr(), 4, b"text".as_ptr(), 4) };
    let reader = reader.cast_unsigned();
    let line = format!("{{\"text\":\"{}\"}}", "a\\n".repeat(4 * MIB));
    let mut out = vec![0u32; 64];
    let mut encode = |line: &str| {
        let (at, cap) = (out.as_mut_ptr(), out.len() as u32);
        // SAFETY: pointers, length and capacity come from live slices.
        unsafe { sluice_lines_encode(reader, line.as_ptr(), line.len() as u32, 1, at, cap) }
    };
    assert_eq!(encode("{\"text\":\"x\"}"), 6 + 3 + 1);
    leave(6 * MIB);
    refused(encode(&line));
    // The text fits and its ids do not.
    leave(24 * MIB);
    refused(encode(&line));
    assert_eq!(encode("{\"text\":\"x\"}"), 6 + 3 + 1, "the reader is as it was");
    let job = sluice_job_open_reader(reader, SLUICE_JOB_ENCODE_LINES, 1, 0).cast_unsigned();
    leave(20 * MIB);
    // SAFETY: pointer and length come from a live string.
    let written = unsafe { sluice_job_write(job, line.as_ptr(), line.len() as u32, 1) };
    let ended = if written < 0 { written } else { end_of(job) };
    refused(ended);
    leave_all();
    assert!(encode(&line) > 4 * MIB as i32);
}

fn counter() {
    let tokenizer = tokenizer();
    let piece = "a".repeat(32 * MIB);
    let push = |counter: u32, text: &str, flags: u32| {
        // SAFETY: pointer and length come from a live string.
        unsafe { sluice_counter_push(counter, text.as_ptr(), text.len() as u32, flags) }
    };
    for special in [0, 1, 2] {
        let counter = sluice_counter_open(tokenizer, special).cast_unsigned();
        assert!(push(counter, &piece[..MIB], SLUICE_COUNTER_RESET) > 0);
        leave(20 * MIB);
        refused(push(counter, &piece, 0));
        // The counter fails until a reset, because it has lost text.
        refused(push(counter, "b", 0));
        assert_eq!(push(counter, "Hello, world!", SLUICE_COUNTER_RESET), 4);
        leave_all();
    }
}

fn cache() {
    let tokenizer = tokenizer();
    leave(128 * MIB);
    refused(sluice_cache_open(1 << 24));
    assert!(sluice_cache_open(1_000) >= 1_000);
    assert_eq!(count(tokenizer, "Hello, world!"), 4);
}

fn keys() {
    let limiter = limiter("keys", 1e9);
    let first = key(limiter, 0);
    assert_eq!(sluice_limiter_take(limiter, first, 1e9 - 1.0, 0.0, 0.0, 0.0), 0.0);
    // Enough for the slots and the names of a million keys, but not for the slots of the next million.
    leave(150 * MIB);
    // Each is in use, or it would make room for the next.
    let used = |number| {
        let key = key(limiter, number);
        if key >= 0.0 {
            assert_eq!(sluice_limiter_take(limiter, key, 1e9, 0.0, 0.0, 0.0), 0.0);
        }
        key
    };
    let refusal = (1..3_000_000).map(used).find(|&key| key < 0.0);
    refused(refusal.expect("a refusal") as i32);
    refused(key(limiter, u32::MAX) as i32);
    // Who is there goes on.
    assert_eq!(sluice_limiter_take(limiter, first, 1.0, 0.0, 0.0, 0.0), 0.0);
    leave_all();
    assert!(key(limiter, u32::MAX) >= 0.0, "{}", last_error());
    let mut stats = [0f64; 6];
    // SAFETY: pointer and length come from a live array.
    unsafe { sluice_limiter_stats(limiter, stats.as_mut_ptr(), 6) };
    assert_eq!(stats[3], 0.0, "no key was refused for lack of a slot");
}

fn snapshot() {
    let from = limiter("from", 1e6);
    for number in 0..400_000 {
        let key = key(from, number);
        assert_eq!(sluice_limiter_take(from, key, 1.0, 0.0, 0.0, 0.0), 0.0);
    }
    let write = |out: &mut [u8]| {
        // SAFETY: pointer and length come from a live slice.
        unsafe { sluice_limiter_snapshot(from, out.as_mut_ptr(), out.len() as u32) }
    };
    let mut bytes = vec![0; write(&mut []) as usize];
    for room in [2, 10] {
        leave(room * MIB);
        refused(write(&mut bytes));
        leave_all();
    }
    assert_eq!(write(&mut bytes) as usize, bytes.len());
    let to = limiter("to", 1e6);
    let read = || {
        // SAFETY: pointer and length come from a live slice.
        unsafe { sluice_limiter_restore(to, bytes.as_ptr(), bytes.len() as u32) }
    };
    for room in [2, 24] {
        leave(room * MIB);
        refused(read());
        leave_all();
    }
    // Nothing was changed, so it still can be taken over.
    assert_eq!(read(), 0, "{}", last_error());
}

fn names() {
    let long = "n".repeat(64 * MIB);
    let nuls = "\0".repeat(64 * MIB);
    let named = format!("{}\0rpm\0requests", &long[..32 * MIB]);
    let (config, settings) = ([1e6; 12], [1.0; 13]);
    leave(32 * MIB);
    // SAFETY: pointers and lengths come from live arrays.
    unsafe {
        for text in [&long, &nuls] {
            let (at, length) = (text.as_ptr(), text.len() as u32);
            assert_eq!(sluice_tokenizer_open(at, length), Status::UnknownEncoding as i32);
            assert!(last_error().len() < 500);
            let limiter = sluice_limiter_open(at, length, config.as_ptr(), 12, 0);
            assert_eq!(limiter, Status::InvalidArgument as i32);
            let pool = sluice_pool_open(at, length, settings.as_ptr(), 13, at, length);
            assert!(pool == Status::InvalidArgument as i32 || pool == OUT_OF_MEMORY, "{pool}");
            let pool = sluice_pool_open(at, length, settings.as_ptr(), 13, at, 0);
            assert_eq!(pool, Status::InvalidArgument as i32);
        }
        let config = [10.0, 60_000.0, 1.0, 1.0, 0.0, 0.0, 1e9, 86_400_000.0, 1e9, 0.0, 0.0, 0.0];
        let open = |text: &str| {
            sluice_limiter_open(text.as_ptr(), text.len() as u32, config.as_ptr(), 12, 0)
        };
        leave(8 * MIB);
        assert_eq!(open(&named), Status::InvalidArgument as i32);
        assert!(open("short\0rpm\0requests") > 0);
    }
}

fn costs() {
    let limiter = limiter("costs", 10.0);
    let many = vec![0f64; 8 * MIB];
    leave(16 * MIB);
    for how in [0, 1] {
        // SAFETY: pointer and length come from a live slice.
        let ended =
            unsafe { sluice_reservation_end(limiter, 1.0, how, many.as_ptr(), many.len() as u32) };
        assert!(ended < 0 && ended != Status::Panic as i32, "{ended}");
    }
}

fn zones() {
    let name = "z".repeat(64 * MIB);
    let offsets: Vec<f64> = (0..8 * MIB + 1).map(|n| n as f64).collect();
    leave(32 * MIB);
    for (name, offsets) in [(&name[..], &offsets[..1]), (&name[..4], &offsets)] {
        let (text, many) = (name.as_ptr(), offsets.len() as u32);
        // SAFETY: pointers and lengths come from live slices.
        let added = unsafe { sluice_zone_add(text, name.len() as u32, offsets.as_ptr(), many) };
        assert_eq!(added, Status::InvalidArgument as i32, "{}", last_error());
    }
}

/// `getrandom` is refused by a filter of system calls, and no file can be opened.
fn entropy() {
    let filter = [
        // Load the number of the call; if it is getrandom's, answer ENOSYS; else let it through.
        libc::sock_filter { code: 0x20, jt: 0, jf: 0, k: 0 },
        libc::sock_filter { code: 0x15, jt: 0, jf: 1, k: libc::SYS_getrandom as u32 },
        libc::sock_filter {
            code: 0x06,
            jt: 0,
            jf: 0,
            k: libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned(),
        },
        libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW },
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_ptr().cast_mut() };
    set(Resource::Nofile, Some(0));
    // SAFETY: `program` points to a filter that outlives the call, which copies it.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        let mode = libc::SECCOMP_MODE_FILTER;
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program), 0);
    }
    // A thread that has asked for no random bytes yet.
    let asked = std::thread::spawn(|| {
        let text = "e\0rpm\0requests";
        let config = [10.0, 60_000.0, 1.0, 1.0, 0.0, 0.0, 1e9, 86_400_000.0, 1e9, 0.0, 0.0, 0.0];
        let settings = [1.0; 13];
        // SAFETY: pointers and lengths come from live arrays.
        unsafe {
            let (at, length) = (text.as_ptr(), text.len() as u32);
            let limiter = sluice_limiter_open(at, length, config.as_ptr(), 12, 0);
            assert_eq!(limiter, Status::NoEntropy as i32, "{}", last_error());
            assert_eq!(sluice_cache_open(10), Status::NoEntropy as i32);
            // The rest needs none.
            let pool = sluice_pool_open(b"p".as_ptr(), 1, settings.as_ptr(), 13, at, 0);
            assert!(pool > 0, "{pool} {}", last_error());
        }
        assert!(sluice_clock_open(0.0) > 0, "{}", last_error());
        let tokenizer = tokenizer();
        assert!(sluice_counter_open(tokenizer, 0) > 0, "{}", last_error());
        let job = sluice_job_open(tokenizer, 0, 0, 0).cast_unsigned();
        assert_eq!(write(job, &packed(1, 4, 0), 1), 0);
        assert_eq!(end_of(job), 1, "{}", last_error());
    });
    asked.join().expect("statuses");
}

/// A child made by `fork` has none of the threads that do jobs.
fn fork() {
    let tokenizer = tokenizer();
    let start = || {
        let job = sluice_job_open(tokenizer, 0, 0, 0).cast_unsigned();
        assert_eq!(write(job, &packed(1, 4, 0), 1), 0);
        job
    };
    let done = start();
    assert_eq!(end_of(done), 1);
    // SAFETY: the child calls this library and then leaves without running anything of its parent's.
    match unsafe { libc::fork() } {
        0 => {
            let fine = end_of(done) == 1
                && sluice_job_poll(start()) == Status::Forked as i32
                && last_error().contains("fork")
                && count(tokenizer, "Hello, world!") == 4;
            // SAFETY: ends this process and nothing else.
            unsafe { libc::_exit(i32::from(!fine)) }
        }
        child => {
            let mut status = 0;
            // SAFETY: `status` is writable.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            assert_eq!(status, 0, "the child met something else");
        }
    }
}
