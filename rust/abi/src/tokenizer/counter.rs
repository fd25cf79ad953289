//! Incremental counters of streamed text: each keeps only the suffix that later text can still change.

use sluice_tokenizer::Counter;

use crate::seam::boundary::boundary;
use crate::seam::failure::{Failure, count};
use crate::seam::objects::Objects;
use crate::seam::slice;
use crate::tokenizer::resolve;
use crate::tokenizer::special::special_mode;

/// Forget everything that was pushed before this text.
pub const SLUICE_COUNTER_RESET: u32 = 1;
/// Count the last character of this text, but do not keep it. The next push brings the whole character.
pub const SLUICE_COUNTER_HOLD: u32 = 2;

static COUNTERS: Objects<Counter> = Objects::new("counter");

/// Opens a counter for a text that is pushed part by part and returns its handle.
///
/// The tokenizer's handle may be closed afterwards. Any thread may use the counter, one at a time. It lives
/// until it is closed or the thread that opened it ends. It takes less than 1 KB while parts are short, about
/// 50 KB after long ones, and one byte for each byte of a last pre-token that is longer. O(1).
/// Fails with `TOO_MANY_HANDLES`.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_counter_open(tokenizer: u32, special: u32) -> i32 {
    boundary(|| COUNTERS.open(resolve(tokenizer)?.counter(special_mode(special)?)))
}

/// Adds `text` (UTF-8) and returns the number of tokens of all text that was pushed, equal to
/// `sluice_tokenizer_count` of it. Amortised O(`text_len`) for every text.
///
/// `flags` is 0 or a sum of `SLUICE_COUNTER_*` constants. A text that ends inside a UTF-16 surrogate pair ends
/// in U+FFFD for now. `SLUICE_COUNTER_HOLD` counts that character and leaves the whole one to the next push.
/// Fails with `INVALID_UTF8`, and then adds nothing. If the counter's `special` forbids special tokens, fails
/// with `SPECIAL_TOKEN` from the push that completes one until a reset. Fails with `OUT_OF_MEMORY` if there is
/// none for the last pre-token, also until a reset.
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
            let mut tokens = counter.push(kept)?;
            if !held.is_empty() {
                tokens = counter.peek(held)?;
            }
            count(tokens)
        })
    })
}

/// Closes a counter. A second close fails with `INVALID_HANDLE`, as does any later use. O(1).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_counter_close(counter: u32) -> i32 {
    boundary(|| COUNTERS.close(counter).map(|_| 0))
}
