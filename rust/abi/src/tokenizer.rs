//! Tokenizers: open by name, then count, encode and decode one text a call.
//!
//! Batches of texts are in [`crate::batch`].

use sluice_tokenizer::{Encoding, Error, SpecialTokenMode, Tokenizer};

use crate::boundary::boundary;
use crate::cache;
use crate::handle::Handles;
use crate::owner;
use crate::slice;
use crate::status::{Failure, SluiceStatus, count, quoted};

/// The text of a special token counts as the ordinary text that it is.
pub const SLUICE_SPECIAL_TEXT: u32 = 0;
/// The text of a special token becomes that token.
pub const SLUICE_SPECIAL_ALLOW: u32 = 1;
/// The text of a special token fails the call with `SLUICE_STATUS_SPECIAL_TOKEN`.
pub const SLUICE_SPECIAL_ERROR: u32 = 2;

static TOKENIZERS: Handles = Handles::new("tokenizer");

/// Opens the encoding `name` (UTF-8, such as "o200k_base") and returns a handle.
///
/// The tables of an encoding are made once per process, by the first call that uses them, and are
/// shared by every handle and thread. O(vocabulary) the first time, then O(1).
/// Any thread may use the handle; it lives until it is closed or the thread that opened it ends.
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

/// Closes a handle; a second close, like any use after the first, is `INVALID_HANDLE`. O(1).
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
/// `special` is one of the `SLUICE_SPECIAL_*` constants, with `SLUICE_CACHE` added or not.
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
        let (cache, special) = cache::wanted(special);
        let special = special_mode(special)?;
        if let Some(cache) = cache {
            return count(cache::count_one(cache, tokenizer, bytes, special)?);
        }
        let text = slice::utf8("text", bytes)?;
        count(tokenizer.count(text, special).map_err(failure)?)
    })
}

/// Returns the number of tokens in `text` if it is at most `limit`, else `limit + 1`.
///
/// Stops as soon as the answer is known, so an over-long text costs O(`limit`) and one that cannot
/// be over costs O(1) past validation. `limit` is less than 2^31 - 1. Fails as
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
        let within =
            tokenizer.count_within(text, special_mode(special)?, limit).map_err(failure)?;
        count(within.unwrap_or(limit + 1))
    })
}

/// Writes the token ids of `text` (UTF-8) and returns how many there are. O(`text_len`).
///
/// Never more ids than bytes. Up to four places behind the last id may be overwritten, as far as `out_cap` goes.
/// Fails as `sluice_tokenizer_count` does.
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
        count(tokenizer.encode_into(text, special_mode(special)?, out).map_err(failure)?)
    })
}

/// Writes where each token of `text` (UTF-8) ends and returns how many there are. O(`text_len`).
///
/// Ends are offsets in UTF-16 code units, as JavaScript counts. A token that ends inside a
/// character is given the place where that character begins, so no end cuts a character; ends
/// never decrease, and the last one is the length of the text. Fails as `sluice_tokenizer_count`
/// does.
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
        count(tokenizer.ends_into(text, special_mode(special)?, out).map_err(failure)?)
    })
}

/// Writes the bytes that `ids` stand for and returns how many there are. O(bytes).
///
/// The bytes of one token need not be whole characters. At most 128 bytes an id.
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
        count(tokenizer.decode_into(ids, out).map_err(failure)?)
    })
}

/// The tokenizer that a handle names.
#[inline]
pub(crate) fn resolve(handle: u32) -> Result<&'static Tokenizer, Failure> {
    let encoding = TOKENIZERS.get(handle)?;
    Ok(Tokenizer::get(Encoding::ALL[encoding as usize]))
}

/// The mode that a `SLUICE_SPECIAL_*` constant names.
#[inline]
pub(crate) fn special_mode(special: u32) -> Result<SpecialTokenMode, Failure> {
    match special {
        SLUICE_SPECIAL_TEXT => Ok(SpecialTokenMode::Text),
        SLUICE_SPECIAL_ALLOW => Ok(SpecialTokenMode::Allow),
        SLUICE_SPECIAL_ERROR => Ok(SpecialTokenMode::Error),
        _ => Err(Failure::argument(format!("special is {special}, not 0, 1 or 2"))),
    }
}

/// What the engine refuses, as the ABI says it.
pub(crate) fn failure(error: Error) -> Failure {
    let status = match error {
        Error::SpecialToken { .. } => SluiceStatus::SpecialToken,
        Error::UnknownToken { .. } => SluiceStatus::UnknownToken,
        Error::OutOfMemory => SluiceStatus::OutOfMemory,
    };
    Failure::new(status, error.to_string())
}
