//! Handles of tokenizers: opened by the name of an encoding, then counting, encoding and decoding one text a call.

pub mod batch;
pub mod cache;
pub mod counter;
pub mod job;
pub mod lines;
pub mod special;

use sluice_tokenizer::{Encoding, Tokenizer};

use crate::seam::boundary::boundary;
use crate::seam::failure::{Failure, count, quoted};
use crate::seam::handle::Handles;
use crate::seam::owner;
use crate::seam::slice;
use crate::seam::status::SluiceStatus;
use crate::tokenizer::special::special_mode;

/// No token of any encoding has more bytes.
pub const SLUICE_MAX_TOKEN_BYTES: u32 = 128;
const _: () = assert!(SLUICE_MAX_TOKEN_BYTES as usize == sluice_tokenizer::LONGEST_TOKEN);
/// The largest limit of `sluice_tokenizer_count_within`.
pub const SLUICE_MAX_COUNT_LIMIT: u32 = 2147483646;

static TOKENIZERS: Handles = Handles::new("tokenizer");

/// Opens the encoding `name` (UTF-8, such as "o200k_base") and returns a handle.
///
/// The tables of an encoding are made once per process, by the first call that uses them, and are shared by
/// every handle and thread. O(vocabulary) the first time, then O(1). Any thread may use the handle. It lives
/// until it is closed or the thread that opened it ends.
/// Fails with `UNKNOWN_ENCODING` or `TOO_MANY_HANDLES`.
///
/// # Safety
/// `name` points to `name_len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_tokenizer_open(name: *const u8, name_len: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let name = unsafe { slice::text("name", name, name_len) }?;
        let encoding = Encoding::from_name(name).ok_or_else(|| {
            Failure::new(
                SluiceStatus::UnknownEncoding,
                format!("no encoding is named {}", quoted(name)),
            )
        })?;
        let handle = TOKENIZERS.open(encoding as u32)?;
        owner::adopt(&TOKENIZERS, handle.cast_unsigned());
        Ok(handle)
    })
}

/// Closes a handle. A second close fails with `INVALID_HANDLE`, as does any later use. O(1).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_tokenizer_close(tokenizer: u32) -> i32 {
    boundary(|| {
        TOKENIZERS.close(tokenizer)?;
        owner::release(&TOKENIZERS, tokenizer);
        Ok(0)
    })
}

/// Returns the number of tokens in `text` (UTF-8). O(`text_len`), allocates nothing.
///
/// `special` is one of the `SLUICE_SPECIAL_*` constants, plus `SLUICE_CACHE` to use the count cache.
/// Fails with `INVALID_UTF8` or, as `special` asks, `SPECIAL_TOKEN`.
///
/// # Safety
/// `text` points to `text_len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_tokenizer_count(
    tokenizer: u32,
    text: *const u8,
    text_len: u32,
    special: u32,
) -> i32 {
    boundary(|| {
        let tokenizer = resolve(tokenizer)?;
        // SAFETY: the caller's contract.
        let bytes = unsafe { slice::input("text", text, text_len) }?;
        let (cache, special) = cache::requested(special);
        let special = special_mode(special)?;
        if let Some(cache) = cache {
            return count(cache::count_one(cache, tokenizer, bytes, special)?);
        }
        let text = slice::utf8("text", bytes)?;
        count(tokenizer.count(text, special)?)
    })
}

/// Returns the number of tokens in `text` if it is at most `limit`, else `limit + 1`.
///
/// Stops as soon as the answer is known, so a text over the limit costs O(`limit`), and a text that cannot be
/// over it costs O(1) beyond validation. `limit` is at most `SLUICE_MAX_COUNT_LIMIT`. Fails as
/// `sluice_tokenizer_count` does.
///
/// # Safety
/// `text` points to `text_len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_tokenizer_count_within(
    tokenizer: u32,
    text: *const u8,
    text_len: u32,
    special: u32,
    limit: u32,
) -> i32 {
    boundary(|| {
        let tokenizer = resolve(tokenizer)?;
        // SAFETY: the caller's contract.
        let text = unsafe { slice::text("text", text, text_len) }?;
        let limit = limit as usize;
        let within = tokenizer.count_within(text, special_mode(special)?, limit)?;
        count(within.unwrap_or(limit + 1))
    })
}

/// Writes the token ids of `text` (UTF-8) and returns how many there are. O(`text_len`).
///
/// There are never more ids than bytes. Up to four elements after the last id may be overwritten, within
/// `out_cap`. Fails as `sluice_tokenizer_count` does.
///
/// # Safety
/// `text` points to `text_len` readable bytes, `out` to `out_cap` writable ids.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_tokenizer_encode(
    tokenizer: u32,
    text: *const u8,
    text_len: u32,
    special: u32,
    out: *mut u32,
    out_cap: u32,
) -> i32 {
    boundary(|| {
        let tokenizer = resolve(tokenizer)?;
        // SAFETY: the caller's contract.
        let text = unsafe { slice::text("text", text, text_len) }?;
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, text.as_bytes()) }?;
        count(tokenizer.encode_into(text, special_mode(special)?, out)?)
    })
}

/// Writes where each token of `text` (UTF-8) ends and returns how many there are. O(`text_len`).
///
/// Ends are offsets in UTF-16 code units, as in JavaScript. A token that ends inside a character has the offset at
/// which that character begins, so no end cuts a character. Ends never decrease, and the last one is the length of
/// the text. Fails as `sluice_tokenizer_count` does.
///
/// # Safety
/// `text` points to `text_len` readable bytes, `out` to `out_cap` writable offsets.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_tokenizer_ends(
    tokenizer: u32,
    text: *const u8,
    text_len: u32,
    special: u32,
    out: *mut u32,
    out_cap: u32,
) -> i32 {
    boundary(|| {
        let tokenizer = resolve(tokenizer)?;
        // SAFETY: the caller's contract.
        let text = unsafe { slice::text("text", text, text_len) }?;
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, text.as_bytes()) }?;
        count(tokenizer.ends_into(text, special_mode(special)?, out)?)
    })
}

/// Writes the bytes that `ids` stand for and returns how many there are. O(bytes).
///
/// The bytes of one token need not be whole characters. An id has at most `SLUICE_MAX_TOKEN_BYTES`.
/// Fails with `UNKNOWN_TOKEN`.
///
/// # Safety
/// `ids` points to `ids_len` readable ids, `out` to `out_cap` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_tokenizer_decode(
    tokenizer: u32,
    ids: *const u32,
    ids_len: u32,
    out: *mut u8,
    out_cap: u32,
) -> i32 {
    boundary(|| {
        let tokenizer = resolve(tokenizer)?;
        // SAFETY: the caller's contract.
        let ids = unsafe { slice::input("ids", ids, ids_len) }?;
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, ids) }?;
        count(tokenizer.decode_into(ids, out)?)
    })
}

/// The tokenizer that a handle names.
#[inline]
pub(crate) fn resolve(handle: u32) -> Result<&'static Tokenizer, Failure> {
    let encoding = TOKENIZERS.get(handle)?;
    Ok(Tokenizer::get(Encoding::ALL[encoding as usize]))
}
