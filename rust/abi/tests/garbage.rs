//! Nothing that a foreign caller passes crashes: every exported function is called here with
//! handles, pointers, sizes and modes that are wrong, and answers with a status.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

use std::ptr::{null, null_mut};

use sluice::batch::{sluice_batch_count, sluice_batch_encode};
use sluice::cache::{SLUICE_CACHE, sluice_cache_open, sluice_cache_stats};
use sluice::clock::{
    SLUICE_CLOCK_COARSE, sluice_clock_advance, sluice_clock_close, sluice_clock_open,
};
use sluice::counter::{
    SLUICE_COUNTER_HOLD, SLUICE_COUNTER_RESET, sluice_counter_close, sluice_counter_open,
    sluice_counter_push,
};
use sluice::job::{
    sluice_job_close, sluice_job_open, sluice_job_poll, sluice_job_read, sluice_job_write,
};
use sluice::library::{sluice_library_abi_hash, sluice_library_last_error, sluice_library_version};
use sluice::limiter::{
    sluice_limiter_close, sluice_limiter_key, sluice_limiter_open, sluice_limiter_take,
    sluice_limiter_take_batch,
};
use sluice::limiter_key::{
    sluice_limiter_forget, sluice_limiter_inspect, sluice_limiter_reset, sluice_limiter_restore,
    sluice_limiter_set_limits, sluice_limiter_snapshot, sluice_limiter_stats,
    sluice_limiter_tighten,
};
use sluice::limiter_parts::{sluice_limiter_reserve, sluice_limiter_take_all};
use sluice::reservation::{sluice_reservation_end, sluice_reservation_top_up};
use sluice::status::SluiceStatus as Status;
use sluice::tokenizer::{
    sluice_tokenizer_close, sluice_tokenizer_count, sluice_tokenizer_count_within,
    sluice_tokenizer_decode, sluice_tokenizer_encode, sluice_tokenizer_ends, sluice_tokenizer_open,
};

fn open(name: &str) -> i32 {
    // SAFETY: pointer and length come from a live string.
    unsafe { sluice_tokenizer_open(name.as_ptr(), name.len() as u32) }
}

fn count(handle: u32, text: &[u8], special: u32) -> i32 {
    // SAFETY: pointer and length come from a live slice.
    unsafe { sluice_tokenizer_count(handle, text.as_ptr(), text.len() as u32, special) }
}

fn push(counter: u32, text: &[u8], flags: u32) -> i32 {
    // SAFETY: pointer and length come from a live slice.
    unsafe { sluice_counter_push(counter, text.as_ptr(), text.len() as u32, flags) }
}

fn last_error() -> String {
    let mut bytes = [0u8; 512];
    // SAFETY: pointer and capacity come from a live array.
    let length = unsafe { sluice_library_last_error(bytes.as_mut_ptr(), bytes.len() as u32) };
    String::from_utf8(bytes[..length as usize].to_vec()).expect("UTF-8")
}

#[test]
fn forged_stale_and_closed_handles() {
    let live = open("cl100k_base").cast_unsigned();
    let closed = open("cl100k_base").cast_unsigned();
    assert_eq!(sluice_tokenizer_close(closed), 0);
    for handle in [0, 1, closed, live ^ 0x10000, live + 1, 0xFFFF, 0x8000_0001, u32::MAX] {
        assert_eq!(count(handle, b"x", 0), Status::InvalidHandle as i32, "{handle:#x}");
        assert_eq!(sluice_tokenizer_close(handle), Status::InvalidHandle as i32);
        assert!(last_error().contains("tokenizer handle"), "{}", last_error());
    }
    assert_eq!(count(live, b"x", 0), 1);
}

#[test]
fn unknown_names_and_modes() {
    assert_eq!(open("o300k_base"), Status::UnknownEncoding as i32);
    assert_eq!(last_error(), "no encoding is named \"o300k_base\"");
    // SAFETY: pointer and length come from a live array.
    let invalid = unsafe { sluice_tokenizer_open([0xFFu8].as_ptr(), 1) };
    assert_eq!(invalid, Status::InvalidUtf8 as i32);
    let handle = open("o200k_base").cast_unsigned();
    assert_eq!(count(handle, b"x", 3), Status::InvalidArgument as i32);
    assert_eq!(count(handle, b"<|endoftext|>", 2), Status::SpecialToken as i32);
}

#[test]
fn the_cache_before_and_after_it_is_open() {
    let handle = open("o200k_base").cast_unsigned();
    let text = [b'x'; 1_000];
    let plain = count(handle, &text, 0);
    assert_eq!(count(handle, &text, SLUICE_CACHE), plain, "no cache is open");
    let mut numbers = [-1.0f64; 6];
    // SAFETY: null is refused before it is used; then pointer and capacity of a live array.
    unsafe {
        assert_eq!(sluice_cache_stats(null_mut(), 1), Status::InvalidArgument as i32);
        assert_eq!(sluice_cache_stats(numbers.as_mut_ptr(), 6), 4);
    }
    assert_eq!(numbers, [0.0, 0.0, 0.0, 0.0, -1.0, -1.0]);
    assert_eq!(sluice_cache_open(1_000), 1_280);
    assert_eq!(sluice_cache_open(u32::MAX), 1_280, "the first decides");
    for special in [SLUICE_CACHE, SLUICE_CACHE | 1, SLUICE_CACHE | 2] {
        assert_eq!([count(handle, &text, special), count(handle, &text, special)], [plain; 2]);
    }
    assert_eq!(count(handle, &text, SLUICE_CACHE | 3), Status::InvalidArgument as i32);
    assert_eq!(count(handle, &[0xFF; 300], SLUICE_CACHE), Status::InvalidUtf8 as i32);
    // SAFETY: refused for its mode, whatever the pointers.
    let within = unsafe { sluice_tokenizer_count_within(handle, null(), 0, SLUICE_CACHE, 1) };
    assert_eq!(within, Status::InvalidArgument as i32);
    // SAFETY: pointer and capacity come from a live array.
    unsafe { sluice_cache_stats(numbers.as_mut_ptr(), 2) };
    assert_eq!(numbers[..3], [1_280.0, 3.0, 0.0]);
}

#[test]
fn null_misaligned_and_overlapping_pointers() {
    let handle = open("o200k_base").cast_unsigned();
    let refused = Status::InvalidArgument as i32;
    let mut words = [0u32; 8];
    let base = words.as_mut_ptr();
    // SAFETY: each pointer is null, misaligned or overlapping, and refused before it is used;
    // the two calls with length 0 use none.
    unsafe {
        assert_eq!(sluice_tokenizer_count(handle, null(), 1, 0), refused);
        assert_eq!(sluice_tokenizer_count(handle, null(), 0, 0), 0);
        assert_eq!(sluice_tokenizer_count_within(handle, null(), 9, 0, 1), refused);
        assert_eq!(sluice_tokenizer_encode(handle, b"x".as_ptr(), 1, 0, null_mut(), 4), refused);
        assert_eq!(sluice_tokenizer_encode(handle, b"x".as_ptr(), 1, 0, null_mut(), 0), 1);
        let odd = base.cast::<u8>().wrapping_add(2).cast::<u32>();
        assert_eq!(sluice_tokenizer_encode(handle, b"x".as_ptr(), 1, 0, odd, 4), refused);
        assert_eq!(sluice_tokenizer_encode(handle, base.cast(), 8, 0, base, 8), refused);
        assert_eq!(sluice_tokenizer_decode(handle, base, 4, base.cast(), 4), refused);
        assert_eq!(sluice_library_version(null_mut(), 8), refused);
        assert_eq!(sluice_tokenizer_count(handle, usize::MAX as *const u8, 16, 0), refused);
    }
}

#[test]
fn ids_and_texts_that_do_not_exist() {
    let handle = open("r50k_base").cast_unsigned();
    for id in [50257, 1 << 20, u32::MAX] {
        let mut out = [0u8; 4];
        // SAFETY: pointers and sizes come from live values.
        let status =
            unsafe { sluice_tokenizer_decode(handle, &raw const id, 1, out.as_mut_ptr(), 4) };
        assert_eq!(status, Status::UnknownToken as i32, "{id}");
        assert!(last_error().contains(&id.to_string()));
    }
    for text in [&b"\xff"[..], b"ab\xe2\x82", b"\xed\xa0\x80", b"\xc0\x80", b"\xf5\x80\x80\x80"] {
        assert_eq!(count(handle, text, 0), Status::InvalidUtf8 as i32, "{text:x?}");
    }
}

/// A packed batch of `words` and then `bytes`, aligned as the contract asks.
fn batch(words: &[u32], bytes: &[u8]) -> Vec<u32> {
    let mut all: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    all.extend_from_slice(bytes);
    all.resize(all.len().next_multiple_of(4), 0);
    all.chunks_exact(4).map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]])).collect()
}

fn run_batch(handle: u32, words: &[u32], bytes: &[u8]) -> (i32, i32, Vec<u32>) {
    let packed = batch(words, bytes);
    let length = (4 * words.len() + bytes.len()) as u32;
    let mut out = vec![0u32; 64];
    // SAFETY: pointers and sizes come from live vectors.
    let (counted, encoded) = unsafe {
        (
            sluice_batch_count(handle, packed.as_ptr().cast(), length, 0, out.as_mut_ptr(), 64),
            sluice_batch_encode(handle, packed.as_ptr().cast(), length, 0, out.as_mut_ptr(), 64),
        )
    };
    (counted, encoded, out)
}

#[test]
fn batches_that_contradict_themselves() {
    let handle = open("o200k_base").cast_unsigned();
    let euro = "€".as_bytes();
    let bad: [(&[u32], &[u8]); 9] = [
        (&[1], b""),
        (&[u32::MAX, 0, 0], b""),
        (&[2, 0, 0, 1], b""),
        (&[1, 0, 0, 5], b"abc"),
        (&[1, 0, 0, 2], b"abc"),
        (&[1, 2, 0, 3], b"abc"),
        (&[1, 0, 0, 1], euro),
        (&[1, 1, 0, 1], euro),
        (&[2, 1, 0, u32::MAX, u32::MAX], b"a\nb\n"),
    ];
    for (words, bytes) in bad {
        let (counted, encoded, _) = run_batch(handle, words, bytes);
        assert_eq!(counted, Status::InvalidArgument as i32, "{words:?} {bytes:?}");
        assert_eq!(encoded, Status::InvalidArgument as i32, "{words:?} {bytes:?}");
    }
    let (counted, _, _) = run_batch(handle, &[1, 0, 0, 1], b"\xff");
    assert_eq!(counted, Status::InvalidUtf8 as i32);
}

#[test]
fn batches_equal_single_calls() {
    let handle = open("o200k_base").cast_unsigned();
    let joined = "a b\n日本 x\n\n😀!\n";
    let (counted, encoded, out) = run_batch(handle, &[4, 1, 0, 3, 4, 0, 3], joined.as_bytes());
    assert_eq!(counted, 4);
    let counts: Vec<i32> =
        ["a b", "日本 x", "", "😀!"].iter().map(|t| count(handle, t.as_bytes(), 0)).collect();
    let offsets: Vec<i32> = out[..5].windows(2).map(|w| (w[1] - w[0]) as i32).collect();
    assert_eq!(offsets, counts);
    assert_eq!(encoded, 5 + counts.iter().sum::<i32>());
}

#[test]
fn outputs_that_are_too_small_tell_what_is_needed() {
    let handle = open("o200k_base").cast_unsigned();
    let text = b"one two three four";
    let mut ids = [7u32; 6];
    // SAFETY: pointers and sizes come from live values; capacity 2 is less than the array.
    let needed = unsafe {
        sluice_tokenizer_encode(handle, text.as_ptr(), text.len() as u32, 0, ids.as_mut_ptr(), 2)
    };
    assert_eq!(needed, 4);
    assert_eq!(ids[2..], [7; 4], "nothing is written past the capacity");
}

#[test]
fn limits_are_exact_at_their_edges() {
    let handle = open("o200k_base").cast_unsigned();
    let text = b"one two three four";
    let within = |limit| {
        // SAFETY: pointer and length come from a live slice.
        unsafe { sluice_tokenizer_count_within(handle, text.as_ptr(), text.len() as u32, 0, limit) }
    };
    assert_eq!((within(3), within(4), within(5), within(0)), (4, 4, 4, 1));
    assert_eq!(within(i32::MAX as u32 - 1), 4);
    assert_eq!(within(u32::MAX), 4);
}

#[test]
fn the_hash_is_the_generated_one() {
    assert_eq!(sluice_library_abi_hash(), sluice::abi_hash::ABI_HASH);
}

fn write_job(job: u32, words: &[u32], bytes: &[u8], last: u32) -> i32 {
    let packed = batch(words, bytes);
    let length = (4 * words.len() + bytes.len()) as u32;
    // SAFETY: pointer and length come from a live vector.
    unsafe { sluice_job_write(job, packed.as_ptr().cast(), length, last) }
}

fn wait(job: u32) -> i32 {
    loop {
        match sluice_job_poll(job) {
            0 => std::thread::sleep(std::time::Duration::from_millis(1)),
            done => return done,
        }
    }
}

#[test]
fn jobs_at_the_wrong_step_and_with_wrong_batches() {
    let handle = open("o200k_base").cast_unsigned();
    assert_eq!(sluice_job_open(handle, 0, 2, 0), Status::InvalidArgument as i32);
    assert_eq!(sluice_job_open(handle, 9, 0, 0), Status::InvalidArgument as i32);
    assert_eq!(sluice_job_open(0, 0, 0, 0), Status::InvalidHandle as i32);

    let job = sluice_job_open(handle, 0, 1, 16).cast_unsigned();
    assert_eq!(sluice_job_poll(job), Status::WrongStep as i32);
    assert_eq!(write_job(job, &[1, 0, 0, 5], b"Hello", 1), 0);
    assert_eq!(write_job(job, &[], b"more", 1), Status::WrongStep as i32);
    assert_eq!(wait(job), 1);
    let mut words = [9u32; 4];
    // SAFETY: pointer and capacity come from a live array.
    let (all, past) = unsafe {
        let mut read = |start| sluice_job_read(job, start, words.as_mut_ptr(), 4);
        (read(0), read(u32::MAX))
    };
    assert_eq!((all, past), (3, 3));
    assert_eq!(words, [0, 1, 13225, 9]);
    assert_eq!(sluice_job_close(job), 0);
    for status in [sluice_job_poll(job), sluice_job_close(job), write_job(job, &[], b"", 1)] {
        assert_eq!(status, Status::InvalidHandle as i32);
    }

    let bad = sluice_job_open(handle, 0, 0, 0).cast_unsigned();
    assert_eq!(write_job(bad, &[7, 0, 0], b"", 1), 0);
    assert_eq!(wait(bad), Status::InvalidArgument as i32);
    assert!(last_error().contains("too small for 7 texts"), "{}", last_error());
    assert_eq!(sluice_job_close(bad), 0);
}

#[test]
fn ends_are_written_as_far_as_they_fit_and_refused_like_ids() {
    let handle = open("o200k_base").cast_unsigned();
    let text = "one two 😀 three".as_bytes();
    let mut out = [7u32; 8];
    let mut ends = |text: &[u8], special, room| {
        out = [7; 8];
        // SAFETY: pointers and sizes come from live values; the room is at most the array's.
        let result = unsafe {
            let (at, length) = (text.as_ptr(), text.len() as u32);
            sluice_tokenizer_ends(handle, at, length, special, out.as_mut_ptr(), room)
        };
        (result, out)
    };
    // New to this thread at first, and then found again: both leave what is behind.
    for _ in 0..2 {
        assert_eq!(ends(text, 0, 8), (4, [3, 7, 10, 16, 7, 7, 7, 7]));
    }
    assert_eq!(ends(text, 0, 2), (4, [3, 7, 7, 7, 7, 7, 7, 7]));
    assert_eq!(ends(b"<|endoftext|>!", 1, 8).0, 2);
    assert_eq!(ends(b"<|endoftext|>!", 2, 8).0, Status::SpecialToken as i32);
    assert_eq!(ends(b"x", 3, 8).0, Status::InvalidArgument as i32);
    assert_eq!(ends(b"\xff", 0, 8).0, Status::InvalidUtf8 as i32);
    // SAFETY: refused before it is used, or used for nothing.
    unsafe {
        let (x, refused) = (b"x".as_ptr(), Status::InvalidArgument as i32);
        assert_eq!(sluice_tokenizer_ends(handle, null(), 1, 0, null_mut(), 0), refused);
        assert_eq!(sluice_tokenizer_ends(handle, x, 1, 0, null_mut(), 1), refused);
        assert_eq!(sluice_tokenizer_ends(0, x, 1, 0, null_mut(), 0), Status::InvalidHandle as i32);
        assert_eq!(sluice_tokenizer_ends(handle, x, 1, 0, null_mut(), 0), 1);
    }
}

#[test]
fn counters_refuse_garbage_and_are_as_they_were() {
    let tokenizer = open("o200k_base").cast_unsigned();
    assert_eq!(sluice_counter_open(tokenizer ^ 0x10000, 0), Status::InvalidHandle as i32);
    assert_eq!(sluice_counter_open(tokenizer, 3), Status::InvalidArgument as i32);
    let counter = sluice_counter_open(tokenizer, 0).cast_unsigned();
    assert_eq!(sluice_tokenizer_close(tokenizer), 0);
    assert_eq!(push(counter, b"Hello", 0), 1);
    assert_eq!(push(counter, b"\xff", 0), Status::InvalidUtf8 as i32);
    assert_eq!(push(counter, b"\xf0\x9f", SLUICE_COUNTER_RESET), Status::InvalidUtf8 as i32);
    assert_eq!(push(counter, b" x", 4), Status::InvalidArgument as i32);
    assert_eq!(last_error(), "flags is 4, not 0 to 3");
    // SAFETY: the null pointer is refused with a length and not used without.
    unsafe {
        assert_eq!(sluice_counter_push(counter, null(), 1, 0), Status::InvalidArgument as i32);
        assert_eq!(sluice_counter_push(counter, null(), 0, 0), 1);
        assert_eq!(sluice_counter_push(counter, null(), 0, SLUICE_COUNTER_HOLD), 1);
    }
    assert_eq!(push(counter, ", world!".as_bytes(), 0), 4);
    assert_eq!(push(counter, b"x", SLUICE_COUNTER_RESET), 1);
    for handle in [0, tokenizer, counter ^ 0x10000, counter + 1, u32::MAX] {
        assert_eq!(push(handle, b"x", 0), Status::InvalidHandle as i32, "{handle:#x}");
        assert!(last_error().contains("counter handle"), "{}", last_error());
        assert_eq!(sluice_counter_close(handle), Status::InvalidHandle as i32);
    }
    assert_eq!(sluice_counter_close(counter), 0);
    assert_eq!(push(counter, b"x", 0), Status::InvalidHandle as i32);
    assert_eq!(sluice_counter_close(counter), Status::InvalidHandle as i32);
}

#[test]
fn a_held_character_is_counted_and_not_kept() {
    let tokenizer = open("o200k_base").cast_unsigned();
    let counter = sluice_counter_open(tokenizer, 0).cast_unsigned();
    let lone = "a\u{fffd}".as_bytes();
    assert_eq!(push(counter, lone, SLUICE_COUNTER_HOLD), count(tokenizer, lone, 0));
    let whole = "a😀".as_bytes();
    assert_eq!(push(counter, "😀".as_bytes(), 0), count(tokenizer, whole, 0));
}

/// One rate of 5 a minute and one place.
const LIMITER: [f64; 16] =
    [100.0, 1e3, 2.0, 2.0, 0.0, 0.0, 5.0, 6e4, 5.0, 0.0, 2.0, 1.0, 1.0, 0.0, 0.0, 0.0];

fn open_limiter(text: &str, config: &[f64], clock: u32) -> i32 {
    let (text, length) = (text.as_ptr(), text.len() as u32);
    // SAFETY: pointers and lengths come from live values.
    unsafe { sluice_limiter_open(text, length, config.as_ptr(), config.len() as u32, clock) }
}

fn names(name: &str) -> String {
    [name, "rpm", "live", "requests", "concurrent"].join("\0")
}

fn limiter(name: &str) -> u32 {
    let handle = open_limiter(&names(name), &LIMITER, SLUICE_CLOCK_COARSE);
    assert!(handle > 0, "{}", last_error());
    handle.cast_unsigned()
}

fn key(limiter: u32, name: &[u8]) -> f64 {
    // SAFETY: pointer and length come from a live slice.
    unsafe { sluice_limiter_key(limiter, name.as_ptr(), name.len() as u32) }
}

fn take(limiter: u32, key: f64, requests: f64) -> f64 {
    sluice_limiter_take(limiter, key, requests, 0.0, f64::NAN, f64::NAN)
}

#[test]
fn limiters_that_contradict_themselves() {
    let refused = Status::InvalidArgument as i32;
    for at in 0..LIMITER.len() {
        for number in [f64::NAN, f64::NEG_INFINITY, -1.0, 1e300, 17.0] {
            let mut config = LIMITER;
            config[at] = number;
            // A number that means nothing there, or something else: opened, or refused.
            let handle = open_limiter(&names(&format!("garbage {at} {number}")), &config, 1);
            assert!(handle > 0 || handle == refused, "{at} {number}: {}", last_error());
        }
    }
    for length in 0..LIMITER.len() {
        assert_eq!(open_limiter(&names("x"), &LIMITER[..length], 1), refused);
    }
    assert_eq!(open_limiter("x", &LIMITER, 1), refused);
    assert_eq!(open_limiter("x\0a\0b\0c\0d\0e", &LIMITER, 1), refused);
    assert_eq!(open_limiter(&names("x"), &LIMITER, 77), Status::InvalidHandle as i32);
    // SAFETY: null and invalid UTF-8 are refused before they are used.
    unsafe {
        assert_eq!(sluice_limiter_open(null(), 1, LIMITER.as_ptr(), 16, 1), refused);
        assert_eq!(sluice_limiter_open(b"x".as_ptr(), 1, null(), 16, 1), refused);
        let invalid = sluice_limiter_open(b"\xff".as_ptr(), 1, LIMITER.as_ptr(), 16, 1);
        assert_eq!(invalid, Status::InvalidUtf8 as i32);
    }
    limiter("same");
    let mut other = LIMITER;
    other[6] = 6.0;
    assert_eq!(open_limiter(&names("same"), &other, 1), Status::LimiterMismatch as i32);
    assert!(last_error().contains("rpm: a rate of 5 requests a minute"), "{}", last_error());
}

#[test]
fn limiter_handles_are_the_threads_own() {
    let mine = limiter("threads");
    let k = key(mine, b"k");
    let invalid = f64::from(Status::InvalidHandle as i32);
    std::thread::spawn(move || {
        assert_eq!(take(mine, k, 1.0), invalid);
        let theirs = limiter("threads");
        assert_eq!(take(theirs, k, 1.0), 0.0, "keys are shared");
    })
    .join()
    .expect("join");
    for handle in [0, 1, mine ^ 0x10000, mine + 1, u32::MAX] {
        assert_eq!(take(handle, k, 1.0), invalid, "{handle:#x}");
        assert_eq!(key(handle, b"k"), invalid);
        assert_eq!(sluice_limiter_close(handle), Status::InvalidHandle as i32);
    }
    assert_eq!(take(mine, k, 4.0), 0.0);
    assert_eq!(sluice_limiter_close(mine), 0);
    assert_eq!(take(mine, k, 1.0), invalid);
}

#[test]
fn keys_costs_and_parts_that_are_none() {
    let handle = limiter("parts");
    let k = key(handle, b"k");
    let (stale, refused) = (f64::from(Status::StaleKey as i32), Status::InvalidArgument as i32);
    for bad in [f64::NAN, f64::INFINITY, -1.0, 0.5, k + 1.0, k + 4_294_967_296.0, 1e300] {
        assert_eq!(take(handle, bad, 1.0), stale, "{bad}");
        // SAFETY: no pointer is used.
        unsafe {
            let inspected = sluice_limiter_inspect(handle, bad, null_mut(), 0);
            assert_eq!(f64::from(inspected), stale);
            let set = sluice_limiter_set_limits(handle, bad, null(), 0);
            assert_eq!(f64::from(set), stale);
        }
        assert_eq!(f64::from(sluice_limiter_tighten(handle, bad, 0, 1.0)), stale);
        assert_eq!(f64::from(sluice_limiter_reset(handle, bad)), stale);
        assert!(sluice_limiter_forget(handle, bad) <= 0);
    }
    for cost in [f64::NAN, f64::INFINITY, -1.0, 1.1e12] {
        assert_eq!(take(handle, k, cost), f64::from(refused), "{cost}");
        assert_eq!(sluice_limiter_tighten(handle, k, 0, cost), refused);
    }
    assert_eq!(sluice_limiter_tighten(handle, k, 2, 0.0), refused);
    let whole = [f64::from(handle), k, 1.0, 1.0];
    for length in [0u32, 1, 2, 3] {
        // SAFETY: pointer and length come from a live array.
        let code = unsafe { sluice_limiter_take_all(whole.as_ptr(), length, 1) };
        assert_eq!(code, f64::from(refused), "{length}");
    }
    let many = whole.repeat(9);
    // SAFETY: pointer and length come from a live vector.
    let code = unsafe { sluice_limiter_take_all(many.as_ptr(), 36, 1) };
    assert_eq!(code, f64::from(refused));
    let (keys, mut out) = ([k, f64::NAN], [9.0; 2]);
    // SAFETY: pointers and lengths come from live arrays; what overlaps is refused.
    unsafe {
        let costs = [1.0, 0.0, -1.0];
        let batch = |costs_len, out| {
            sluice_limiter_take_batch(handle, keys.as_ptr(), 2, costs.as_ptr(), costs_len, out)
        };
        assert_eq!(batch(3, out.as_mut_ptr()), refused);
        assert_eq!(batch(2, keys.as_ptr().cast_mut()), refused);
        assert_eq!(batch(2, costs.as_ptr().cast_mut()), refused);
        assert_eq!(batch(2, out.as_mut_ptr()), 1);
    }
    assert_eq!(out, [0.0, stale]);
}

#[test]
fn reservations_that_are_not_open_and_snapshots_that_are_none() {
    let handle = limiter("reservations");
    let k = key(handle, b"k");
    let mut parts = [f64::from(handle), k, 1.0, 1.0];
    let end = |id: f64, how: u32, costs: &[f64]| {
        let (costs, length) = (costs.as_ptr(), costs.len() as u32);
        // SAFETY: pointer and length come from a live slice.
        unsafe { sluice_reservation_end(handle, id, how, costs, length) }
    };
    // SAFETY: pointer and length come from a live array.
    let code = unsafe { sluice_limiter_reserve(parts.as_mut_ptr(), 4, 0.0) };
    assert_eq!(code, 0.0, "{}", last_error());
    let id = parts[0];
    assert_eq!(end(id, 3, &[]), Status::InvalidArgument as i32);
    assert_eq!(end(id, 0, &[1.0]), Status::InvalidArgument as i32);
    assert_eq!(end(id, 0, &[1.0, f64::NAN]), Status::InvalidArgument as i32);
    for bad in [id + 1.0, id + 4_294_967_296.0, -1.0, 0.5, f64::NAN] {
        assert_eq!(end(bad, 1, &[]), Status::ReservationClosed as i32, "{bad}");
    }
    // SAFETY: pointers and lengths come from live values; null is not used with length 0.
    unsafe {
        let more = [5.0, 0.0];
        assert!(sluice_reservation_top_up(handle, id, more.as_ptr(), 2) > 0.0, "it is denied");
        let wrong = sluice_reservation_top_up(handle, id, null(), 0);
        assert_eq!(wrong, f64::from(Status::InvalidArgument as i32));
    }
    assert_eq!(end(id, 0, &[1.0, -1.0]), 0);
    assert_eq!(end(id, 2, &[]), Status::ReservationClosed as i32);
    let mut numbers = [0.0; 8];
    let mut bytes = [0u8; 512];
    // SAFETY: pointers and capacities come from live arrays.
    unsafe {
        assert_eq!(sluice_limiter_stats(handle, numbers.as_mut_ptr(), 8), 6);
        let length = sluice_limiter_snapshot(handle, bytes.as_mut_ptr(), 512);
        assert!(length > 0 && length < 512);
        let restore = sluice_limiter_restore(handle, bytes.as_ptr(), length.cast_unsigned());
        assert_eq!(restore, Status::BadSnapshot as i32);
        let restore = sluice_limiter_restore(handle, null(), 0);
        assert_eq!(restore, Status::BadSnapshot as i32);
    }
    assert_eq!(numbers[4], 0.0, "nothing is open");
}

#[test]
fn clocks_that_are_none_and_times_that_never_come() {
    for wall in [f64::NAN, f64::INFINITY, 1e13] {
        assert_eq!(sluice_clock_open(wall), Status::InvalidArgument as i32);
    }
    let clock = sluice_clock_open(-1e12).cast_unsigned();
    for ms in [f64::NAN, -1.0, f64::INFINITY] {
        assert_eq!(sluice_clock_advance(clock, ms), Status::InvalidArgument as i32);
    }
    let handle = open_limiter(&names("virtual"), &LIMITER, clock).cast_unsigned();
    let k = key(handle, b"k");
    assert_eq!(take(handle, k, 5.0), 0.0);
    assert!(take(handle, k, 1.0) > 0.0);
    // A hundred years a step, until 64 bits of nanoseconds run out and beyond.
    for _ in 0..12 {
        assert_eq!(sluice_clock_advance(clock, 3.2e12), 0);
        let code = take(handle, key(handle, b"k"), 5.0);
        assert!(code >= 0.0, "{code} {}", last_error());
    }
    assert_eq!(sluice_clock_close(clock), 0);
    assert_eq!(sluice_clock_close(clock), Status::InvalidHandle as i32);
    assert!(take(handle, k, 1.0) != f64::from(Status::InvalidHandle as i32), "the limiter has it");
}

#[test]
fn what_a_thread_reserved_is_settled_when_it_ends_also_of_a_limiter_it_has_closed() {
    let mine = limiter("left behind");
    let k = key(mine, b"k");
    let outstanding = || {
        let mut numbers = [0.0; 12];
        // SAFETY: pointer and capacity come from a live array.
        let count = unsafe { sluice_limiter_inspect(mine, k, numbers.as_mut_ptr(), 12) };
        assert_eq!(count, 12);
        (numbers[2] + numbers[3], numbers[9])
    };
    for closes in [false, true] {
        let (reserved, ended) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let theirs = limiter("left behind");
                let mut parts = [f64::from(theirs), k, 1.0, 1.0];
                // SAFETY: pointer and length come from a live array.
                let code = unsafe { sluice_limiter_reserve(parts.as_mut_ptr(), 4, 60_000.0) };
                assert_eq!(code, 0.0, "{}", last_error());
                if closes {
                    assert_eq!(sluice_limiter_close(theirs), 0);
                }
                reserved.wait();
                ended.wait();
            });
            reserved.wait();
            assert_eq!(outstanding().1, 1.0, "the place is taken");
            ended.wait();
            worker.join().expect("join");
        });
        let (charged, places) = outstanding();
        assert_eq!(places, 0.0, "closed: {closes}");
        assert!(charged > 0.9, "{charged}");
    }
}
