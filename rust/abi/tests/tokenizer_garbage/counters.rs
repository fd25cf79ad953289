//! Counters of texts that arrive in parts.

use std::ptr::null;

use sluice::seam::status::SluiceStatus as Status;
use sluice::tokenizer::counter::{
    SLUICE_COUNTER_HOLD, SLUICE_COUNTER_RESET, sluice_counter_close, sluice_counter_open,
    sluice_counter_push,
};
use sluice::tokenizer::sluice_tokenizer_close;

use crate::calls::{count, open};
use crate::support::{FAR, last_error};

fn push(counter: u32, text: &[u8], flags: u32) -> i32 {
    // SAFETY: pointer and length come from a live slice.
    unsafe { sluice_counter_push(counter, text.as_ptr(), text.len() as u32, flags) }
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
