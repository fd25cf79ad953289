//! Tests of a system without random bytes: calls that need none work, and calls that need some fail with a status.
#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod support;

use std::collections::HashMap;

use sluice::clock::sluice_clock_open;
use sluice::limiter::sluice_limiter_open;
use sluice::seam::status::SluiceStatus;
use sluice::tokenizer::{sluice_tokenizer_close, sluice_tokenizer_count, sluice_tokenizer_open};

use support::last_error;

/// Lets this thread have no random bytes from here on, neither by a call nor from a file: a filter of system
/// calls (seccomp). Whether the system allows that.
fn take_entropy_away() -> bool {
    let load = |offset| rule(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, offset);
    let is = |number: libc::c_long, skip| {
        rule(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, skip, 0, number as u32)
    };
    let answer = |answer| rule(libc::BPF_RET | libc::BPF_K, 0, 0, answer);
    let mut filter = [
        // The first word of the data is the number of the system call.
        load(0),
        is(libc::SYS_getrandom, 2),
        is(libc::SYS_openat, 1),
        answer(libc::SECCOMP_RET_ALLOW),
        answer(libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32),
    ];
    let program =
        libc::sock_fprog { len: filter.len() as libc::c_ushort, filter: filter.as_mut_ptr() };
    // SAFETY: `prctl` reads the program and its rules, which outlive the calls.
    unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0
    }
}

fn rule(code: u32, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt, jf, k }
}

fn open_tokenizer() -> i32 {
    // SAFETY: pointer and length come from a live value.
    unsafe { sluice_tokenizer_open(b"r50k_base".as_ptr(), 9) }
}

fn open_limiter() -> i32 {
    let text = b"no entropy\0rate\0requests";
    let config = [10.0, 1e3, 1.0, 1.0, 0.0, 0.0, 1.0, 1e3, 1.0, 0.0, 0.0, 0.0];
    // SAFETY: pointers and lengths come from live values.
    unsafe { sluice_limiter_open(text.as_ptr(), text.len() as u32, config.as_ptr(), 12, 0) }
}

#[test]
fn what_needs_no_random_bytes_works_without() {
    let thread = std::thread::spawn(|| {
        if !take_entropy_away() {
            println!("skipped: no filter of system calls can be set here");
            return;
        }
        // What panics in `std` is what this is about.
        let hashed = std::panic::catch_unwind(HashMap::<u8, u8>::new);
        assert!(hashed.is_err(), "there are random bytes here");

        let tokenizer = open_tokenizer();
        assert!(tokenizer > 0, "{tokenizer}: {}", last_error());
        let tokenizer = tokenizer.cast_unsigned();
        // SAFETY: pointer and length come from a live value.
        let count = unsafe { sluice_tokenizer_count(tokenizer, b"hello".as_ptr(), 5, 0) };
        assert_eq!((count, sluice_tokenizer_close(tokenizer)), (1, 0));
        let clock = sluice_clock_open(0.0);
        assert!(clock > 0, "{clock}: {}", last_error());

        assert_eq!(open_limiter(), SluiceStatus::NoEntropy as i32, "{}", last_error());
    });
    thread.join().expect("no panic");
}
