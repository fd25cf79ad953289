//! Tests of exhausted resources: without memory, random bytes or the threads of a forked process, calls fail with a
//! status, and the library stays usable.
//!
//! Each case runs this test binary in a child process, because the resource limits of a process are permanent.
#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod limiters;
mod resource_limits;
#[path = "../support/mod.rs"]
mod support;
mod system;
mod tokenizers;

use std::process::Command;

use sluice::process::library::sluice_library_abi_hash;

/// The cases that a child process runs, by name.
const CASES: [(&str, fn()); 14] = [
    ("job_open", tokenizers::job_open),
    ("job_write", tokenizers::job_write),
    ("job_result", tokenizers::job_result),
    ("batch", tokenizers::batch),
    ("lines", tokenizers::lines),
    ("counter", tokenizers::counter),
    ("cache", tokenizers::cache),
    ("keys", limiters::keys),
    ("snapshot", limiters::snapshot),
    ("names", limiters::names),
    ("costs", limiters::costs),
    ("zones", limiters::zones),
    ("entropy", system::entropy),
    ("fork", system::fork),
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
