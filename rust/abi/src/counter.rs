//! Counters of streamed text: what is pushed is kept, as far as it still matters.

use sluice_tokenizer::Counter;

use crate::boundary::boundary;
use crate::objects::Objects;
use crate::slice;
use crate::status::{Failure, count};
use crate::tokenizer::{failure, resolve, special_mode};

/// Forget everything that was pushed before this text.
pub const SLUICE_COUNTER_RESET: u32 = 1;
/// Count the last character of this text, but do not keep it: the next push says what it is.
pub const SLUICE_COUNTER_HOLD: u32 = 2;

static COUNTERS: Objects<Counter> = Objects::new("counter");

/// Opens a counter for a text that is pushed part by part and returns its handle.
///
/// The counter needs the tokenizer's handle no more. Any thread may use it, one at a time; it
/// lives until it is closed or the thread that opened it ends. It takes less than 1 KB while parts
/// are short, some 50 KB after long ones, and a byte for each byte of the last piece where that is
/// longer. O(1). Fails with `TOO_MANY_HANDLES`.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_counter_open(tokenizer: u32, special: u32) -> i32 {
    boundary(|| COUNTERS.open(resolve(tokenizer)?.counter(special_mode(special)?)))
}

/// Adds `text` (UTF-8) and returns the number of tokens of all that was pushed, equal to
/// `sluice_tokenizer_count` of it. Amortised O(`text_len`) for every text.
///
/// `flags` is 0 or a sum of `SLUICE_COUNTER_*` constants. A text that breaks off inside a UTF-16
/// surrogate pair ends in U+FFFD for the time being: `SLUICE_COUNTER_HOLD` counts that and leaves
/// the whole character to the next push.
/// Fails with `INVALID_UTF8` and adds nothing then, and with `SPECIAL_TOKEN`, as the counter's
/// `special` asks, from the push on that completes one until a reset. Fails with `OUT_OF_MEMORY` if there is none for
/// the last piece, also until a reset.
///
/// # Safety
/// `text` points to `text_len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_counter_push(
    counter: u32,
    text: *const u8,
    text_len: u32,
    flags: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let text = unsafe { slice::text("text", text, text_len) }?;
        if flags > SLUICE_COUNTER_RESET + SLUICE_COUNTER_HOLD {
            return Err(Failure::argument(format!("flags is {flags}, not 0 to 3")));
        }
        COUNTERS.with(counter, |counter| {
            if flags & SLUICE_COUNTER_RESET != 0 {
                counter.reset();
            }
            let last = text.chars().next_back().filter(|_| flags & SLUICE_COUNTER_HOLD != 0);
            let held = last.map_or(0, char::len_utf8);
            let (kept, held) = text.split_at(text.len() - held);
            let mut tokens = counter.push(kept).map_err(failure)?;
            if !held.is_empty() {
                tokens = counter.peek(held).map_err(failure)?;
            }
            count(tokens)
        })
    })
}

/// Closes a counter; a second close, like any use after the first, is `INVALID_HANDLE`. O(1).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_counter_close(counter: u32) -> i32 {
    boundary(|| COUNTERS.close(counter).map(|_| 0))
}
