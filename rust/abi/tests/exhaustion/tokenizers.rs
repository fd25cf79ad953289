//! Tokenizers, batches, lines, counters, the cache and jobs without memory.

use std::time::{Duration, Instant};

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

use crate::resource_limits::{MIB, leave, leave_all, refused};

/// A tokenizer that this thread has used, so that its tables are there.
pub(crate) fn tokenizer() -> u32 {
    // SAFETY: pointer and length come from a live string.
    let handle = unsafe { sluice_tokenizer_open(b"o200k_base".as_ptr(), 10) }.cast_unsigned();
    assert_eq!(count(handle, "Hello, world!"), 4);
    handle
}

pub(crate) fn count(tokenizer: u32, text: &str) -> i32 {
    // SAFETY: pointer and length come from a live string.
    unsafe { sluice_tokenizer_count(tokenizer, text.as_ptr(), text.len() as u32, 0) }
}

/// A packed batch of `texts` texts of `length` bytes each.
pub(crate) fn packed(texts: usize, length: usize, threads: u32) -> Vec<u32> {
    let mut words = vec![texts as u32, 0, threads];
    words.resize(3 + texts, length as u32);
    words.resize(3 + texts + (texts * length).div_ceil(4), u32::from_le_bytes(*b"a b "));
    words
}

pub(crate) fn write(job: u32, words: &[u32], last: u32) -> i32 {
    // SAFETY: pointer and length come from a live slice.
    unsafe { sluice_job_write(job, words.as_ptr().cast(), words.len() as u32 * 4, last) }
}

pub(crate) fn end_of(job: u32) -> i32 {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let done = sluice_job_poll(job);
        if done != 0 || Instant::now() > deadline {
            return done;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub(crate) fn job_open() {
    let tokenizer = tokenizer();
    leave(256 * MIB);
    // The handle is looked at before the size.
    assert_eq!(sluice_job_open(0, 0, 0, u32::MAX), Status::InvalidHandle as i32);
    refused(sluice_job_open(tokenizer, 0, 0, u32::MAX));
    let job = sluice_job_open(tokenizer, 0, 0, 100).cast_unsigned();
    assert_eq!(write(job, &packed(1, 4, 0), 1), 0);
    assert_eq!(end_of(job), 1);
}

pub(crate) fn job_write() {
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

pub(crate) fn job_result() {
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

pub(crate) fn batch() {
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

pub(crate) fn lines() {
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

pub(crate) fn counter() {
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

pub(crate) fn cache() {
    let tokenizer = tokenizer();
    leave(128 * MIB);
    refused(sluice_cache_open(1 << 24));
    assert!(sluice_cache_open(1_000) >= 1_000);
    assert_eq!(count(tokenizer, "Hello, world!"), 4);
}
