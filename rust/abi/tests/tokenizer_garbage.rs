//! Tests of tokenizers with invalid arguments: wrong handles, pointers, sizes and modes fail with a status.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod support;

use std::ptr::{null, null_mut};

use sluice::process::library::{
    sluice_library_abi_hash, sluice_library_last_error_detail, sluice_library_version,
};
use sluice::seam::failure::SluiceErrorDetail as Detail;
use sluice::seam::status::SluiceStatus as Status;
use sluice::text::cut::{sluice_text_cut, sluice_text_valid};
use sluice::text::{sluice_text_from_latin1, sluice_text_from_utf16};
use sluice::tokenizer::batch::{sluice_batch_count, sluice_batch_encode};
use sluice::tokenizer::cache::{SLUICE_CACHE, sluice_cache_open, sluice_cache_stats};
use sluice::tokenizer::counter::{
    SLUICE_COUNTER_HOLD, SLUICE_COUNTER_RESET, sluice_counter_close, sluice_counter_open,
    sluice_counter_push,
};
use sluice::tokenizer::job::{
    sluice_job_close, sluice_job_open, sluice_job_poll, sluice_job_read, sluice_job_stop,
    sluice_job_write,
};
use sluice::tokenizer::{
    SLUICE_MAX_TOKEN_BYTES, sluice_tokenizer_close, sluice_tokenizer_count,
    sluice_tokenizer_count_within, sluice_tokenizer_decode, sluice_tokenizer_encode,
    sluice_tokenizer_ends, sluice_tokenizer_open,
};

use sluice_tokenizer::{Encoding, Tokenizer};
use support::{FAR, detail, last_error};

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

#[test]
fn forged_stale_and_closed_handles() {
    let live = open("cl100k_base").cast_unsigned();
    let closed = open("cl100k_base").cast_unsigned();
    assert_eq!(sluice_tokenizer_close(closed), 0);
    for handle in [0, 1, closed, live ^ 0x10000, live + FAR, 0xFFFF, 0x8000_0001, u32::MAX] {
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
fn units_that_are_invalid_or_have_no_room() {
    type Write = unsafe extern "C" fn(*const u8, u32, *mut u8, u32) -> i32;
    let (units, mut out) = ([0xE9u8; 6], [0u8; 18]);
    for (write, room) in
        [(sluice_text_from_latin1 as Write, 18), (sluice_text_from_utf16 as Write, 9)]
    {
        // SAFETY: null is refused before it is used; else pointers and lengths of live arrays.
        unsafe {
            assert_eq!(write(null(), 6, out.as_mut_ptr(), 18), Status::InvalidArgument as i32);
            assert_eq!(write(units.as_ptr(), 6, null_mut(), 18), Status::InvalidArgument as i32);
            let within = out.as_mut_ptr();
            assert_eq!(write(within.add(2), 2, within, 18), Status::InvalidArgument as i32);
            for short in [0, room - 1] {
                let status = write(units.as_ptr(), 6, out.as_mut_ptr(), short);
                assert_eq!(status, Status::InvalidArgument as i32);
                assert!(
                    last_error().starts_with(&format!("out_cap is {short}, less than {room} for"))
                );
            }
            assert_eq!(
                write(units.as_ptr(), 6, out.as_mut_ptr(), room),
                [12, 9][room as usize % 2]
            );
            assert_eq!(write(null(), 0, null_mut(), 0), 0);
        }
    }
    // SAFETY: pointers and lengths of live arrays.
    let odd = unsafe { sluice_text_from_utf16(units.as_ptr(), 5, out.as_mut_ptr(), 18) };
    assert_eq!(odd, Status::InvalidArgument as i32);
    assert_eq!(last_error(), "units_len is 5 bytes, not a whole number of units");
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
        assert_eq!(detail(Detail::TokenId), Some(id));
        assert_eq!(detail(Detail::TokenIndex), Some(0));
        assert_eq!(detail(Detail::ByteOffset), None);
    }
    for (text, at) in [
        (&b"\xff"[..], 0),
        (b"ab\xe2\x82", 2),
        (b"\xed\xa0\x80", 0),
        (b"a\xc0\x80", 1),
        (b"\xf5\x80\x80\x80", 0),
    ] {
        assert_eq!(count(handle, text, 0), Status::InvalidUtf8 as i32, "{text:x?}");
        assert_eq!(detail(Detail::ByteOffset), Some(at), "{text:x?}");
        assert_eq!((detail(Detail::TokenId), detail(Detail::TextIndex)), (None, None));
        // SAFETY: pointer and length come from a live slice.
        let valid = unsafe { sluice_text_valid(text.as_ptr(), text.len() as u32) };
        assert_eq!(valid, at as i32);
    }
}

#[test]
fn refused_texts_of_a_batch_have_an_index_and_an_offset() {
    let handle = open("o200k_base").cast_unsigned();
    // The first two texts are valid only together.
    for (lengths, bytes, text, at) in [
        (&[1u32, 3, 2][..], &b"aa\xffbcd"[..], 1, 1),
        (&[1, 2, 1], b"\xe2\x82\xac\xff", 0, 0),
        (&[3, 2, 0], b"abca\xe2", 1, 1),
    ] {
        let header = [lengths.len() as u32, 0, 0];
        let (counted, encoded, _) = run_batch(handle, &[&header, lengths].concat(), bytes);
        let invalid = Status::InvalidUtf8 as i32;
        assert_eq!((counted, encoded), (invalid, invalid), "{bytes:x?}");
        assert_eq!(detail(Detail::TextIndex), Some(text), "{bytes:x?}");
        assert_eq!(detail(Detail::ByteOffset), Some(at), "{bytes:x?}");
    }
}

#[test]
fn details_are_of_the_last_failure_and_fit_or_not() {
    let handle = open("o200k_base").cast_unsigned();
    assert_eq!(count(handle, b"a<|endoftext|>", 2), Status::SpecialToken as i32);
    assert_eq!(detail(Detail::ByteOffset), Some(1));
    assert_eq!(count(handle, b"x", 3), Status::InvalidArgument as i32);
    assert_eq!(detail(Detail::ByteOffset), None);
    let mut one = [5.0; 2];
    // SAFETY: null is refused before it is used. Then pointer and capacity are within a live array.
    unsafe {
        let refused = Status::InvalidArgument as i32;
        assert_eq!(sluice_library_last_error_detail(null_mut(), 6), refused);
        assert_eq!(sluice_library_last_error_detail(null_mut(), 0), 6);
        assert_eq!(sluice_library_last_error_detail(one.as_mut_ptr(), 1), 6);
    }
    assert!(one[0].is_nan() && one[1] == 5.0);
}

#[test]
fn cuts_of_texts_that_are_invalid_or_not_there() {
    // SAFETY: null is refused before it is used. Other pointers and lengths come from live slices.
    let cut =
        |text: &[u8], from| unsafe { sluice_text_cut(text.as_ptr(), text.len() as u32, from) };
    assert_eq!(cut(b"one two three", 0), 7);
    assert_eq!(cut(b"one two three", 8), 0);
    assert_eq!(cut(b"one two thr\xff e", 0), 7, "what follows an invalid byte is ignored");
    assert_eq!(cut(b"one two \xe2\x82", 0), 7);
    assert_eq!(cut(b"one", u32::MAX), 0);
    assert_eq!(cut(b"", 0), 0);
    // SAFETY: null is refused before it is used.
    unsafe {
        assert_eq!(sluice_text_cut(null(), 1, 0), Status::InvalidArgument as i32);
        assert_eq!(sluice_text_valid(null(), 1), Status::InvalidArgument as i32);
        assert_eq!(sluice_text_cut(null(), 0, 0), 0);
    }
}

/// The constant is also what TypeScript skips long texts by.
#[test]
fn no_token_is_longer_than_the_abi_says() {
    let longest = Encoding::ALL.map(|encoding| {
        let tokenizer = Tokenizer::get(encoding);
        (0..300_000).filter_map(|id| tokenizer.token_bytes(id)).map(<[u8]>::len).max()
    });
    assert_eq!(longest.into_iter().max(), Some(Some(SLUICE_MAX_TOKEN_BYTES as usize)));
}

/// A packed batch of `words` and then `bytes`.
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
fn outputs_that_are_too_small_return_the_size_they_need() {
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
    assert_eq!(sluice_library_abi_hash(), sluice::process::abi_hash::ABI_HASH);
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
    let gone = [sluice_job_poll(job), sluice_job_stop(job), sluice_job_close(job)];
    for status in gone.into_iter().chain([write_job(job, &[], b"", 1)]) {
        assert_eq!(status, Status::InvalidHandle as i32);
    }

    let bad = sluice_job_open(handle, 0, 0, 0).cast_unsigned();
    assert_eq!(write_job(bad, &[7, 0, 0], b"", 1), 0);
    assert_eq!(wait(bad), Status::InvalidArgument as i32);
    assert!(last_error().contains("too small for 7 texts"), "{}", last_error());
    assert_eq!(sluice_job_close(bad), 0);
}

#[test]
fn a_stopped_job_says_when_no_thread_works_on_it() {
    let handle = open("o200k_base").cast_unsigned();
    let unstarted = sluice_job_open(handle, 0, 0, 0).cast_unsigned();
    assert_eq!(sluice_job_stop(unstarted), 1);
    assert_eq!(sluice_job_close(unstarted), 0);

    // 4,096 groups of texts; the one that a thread is at when it is stopped is the last.
    let texts = vec![b'a'; 64 << 22];
    let mut words = vec![4096, 0, 1];
    words.resize(3 + 4096, 64 << 10);
    let job = sluice_job_open(handle, 0, 0, 0).cast_unsigned();
    assert_eq!(write_job(job, &words, &texts, 1), 0);
    let started = std::time::Instant::now();
    while sluice_job_stop(job) == 0 {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(sluice_job_poll(job), Status::Stopped as i32);
    assert_eq!(sluice_job_stop(job), 1);
    assert_eq!(sluice_job_close(job), 0);
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
    // A pre-token is first new to this thread and then found in its cache. Neither writes beyond the result.
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
    for handle in [0, counter ^ 0x10000, counter + FAR, u32::MAX] {
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
