//! One text and one tokenizer: handles, names, modes, pointers, sizes and edges.

use std::ptr::{null, null_mut};

use sluice::process::library::{
    sluice_library_abi_hash, sluice_library_last_error_detail, sluice_library_version,
};
use sluice::seam::failure::SluiceErrorDetail as Detail;
use sluice::seam::status::SluiceStatus as Status;
use sluice::text::cut::sluice_text_valid;
use sluice::tokenizer::cache::{SLUICE_CACHE, sluice_cache_open, sluice_cache_stats};
use sluice::tokenizer::{
    SLUICE_MAX_TOKEN_BYTES, sluice_tokenizer_close, sluice_tokenizer_count,
    sluice_tokenizer_count_within, sluice_tokenizer_decode, sluice_tokenizer_encode,
    sluice_tokenizer_ends, sluice_tokenizer_open,
};
use sluice_tokenizer::{Encoding, Tokenizer};

use crate::calls::{count, open};
use crate::support::{FAR, detail, last_error};

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

/// The constant is also what TypeScript skips long texts by.
#[test]
fn no_token_is_longer_than_the_abi_says() {
    let longest = Encoding::ALL.map(|encoding| {
        let tokenizer = Tokenizer::get(encoding);
        (0..300_000).filter_map(|id| tokenizer.token_bytes(id)).map(<[u8]>::len).max()
    });
    assert_eq!(longest.into_iter().max(), Some(Some(SLUICE_MAX_TOKEN_BYTES as usize)));
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
fn the_hash_is_the_generated_one() {
    assert_eq!(sluice_library_abi_hash(), sluice::process::abi_hash::ABI_HASH);
}
