//! Batches of texts: many texts in one call, as one packed input and one flat output.
//!
//! # The packed batch
//!
//! Little-endian `uint32_t` words, then bytes:
//!
//! | words | meaning |
//! |---|---|
//! | `SLUICE_BATCH_HEADER_TEXTS` | `n`, the number of texts |
//! | `SLUICE_BATCH_HEADER_UNIT` | the unit of the lengths: `SLUICE_BATCH_BYTES` or `SLUICE_BATCH_UTF16` |
//! | `SLUICE_BATCH_HEADER_THREADS` | how many threads may work on it, or 0 to let the library choose |
//! | the next `n` | the length of each text |
//! | the rest | the texts, UTF-8, in order |
//!
//! With `SLUICE_BATCH_UTF16` a length counts UTF-16 code units, as JavaScript's `length` does, and one
//! separator byte that belongs to no text follows each text. So a caller can join many short strings and
//! transcode them in one call without knowing where each one lies in the result. The separator also keeps two
//! lone surrogates of neighbouring strings from fusing into one character.

use std::sync::atomic::AtomicBool;

use sluice_tokenizer::{BatchOptions, EndToken, PARALLEL_BYTES, SpecialTokenMode, Texts};

use crate::seam::boundary::boundary;
use crate::seam::failure::{Failure, SluiceErrorDetail, count};
use crate::seam::slice;
use crate::tokenizer::cache;
use crate::tokenizer::resolve;
use crate::tokenizer::special::special_mode;

/// Lengths in a packed batch count bytes. Nothing stands between the texts.
pub const SLUICE_BATCH_BYTES: u32 = 0;
/// Lengths in a packed batch count UTF-16 code units. One separator byte follows each text.
pub const SLUICE_BATCH_UTF16: u32 = 1;
/// How many words a packed batch has before its lengths.
pub const SLUICE_BATCH_HEADER: u32 = 3;

/// Indices of the words before the lengths of a packed batch.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluiceBatchHeader {
    /// The number of texts.
    Texts,
    /// The unit of the lengths: `SLUICE_BATCH_BYTES` or `SLUICE_BATCH_UTF16`.
    Unit,
    /// How many threads may work on the batch, or 0 to let the library choose.
    Threads,
}

const _: () = assert!(SLUICE_BATCH_HEADER == SluiceBatchHeader::Threads as u32 + 1);

/// A synchronous batch is never stopped.
static NEVER: AtomicBool = AtomicBool::new(false);

/// Writes the token count of each text of a packed batch, and returns the number of texts.
///
/// `rust/abi/src/tokenizer/batch.rs` describes the layout of `batch`. Counts equal those of
/// `sluice_tokenizer_count` for each text. O(`batch_len`). Fails as `sluice_tokenizer_count` does for the first
/// text that is refused, with `INVALID_ARGUMENT` if the batch contradicts itself, and with `OUT_OF_MEMORY`.
/// All texts are validated as UTF-8 before the first is tokenized.
///
/// # Safety
/// `batch` points to `batch_len` readable bytes, `out` to `out_cap` writable counts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_batch_count(
    tokenizer: u32,
    batch: *const u8,
    batch_len: u32,
    special: u32,
    out: *mut u32,
    out_cap: u32,
) -> i32 {
    boundary(|| {
        let tokenizer = resolve(tokenizer)?;
        let (cache, special) = cache::requested(special);
        let special = special_mode(special)?;
        // SAFETY: the caller's contract.
        let bytes = unsafe { slice::input("batch", batch, batch_len) }?;
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, bytes) }?;
        let batch = Batch::parse(bytes)?;
        let texts = batch.texts()?;
        if let Some(cache) = cache {
            let counts = cache::count_many(cache, tokenizer, &texts, special, |missing| {
                tokenizer.count_batch(missing, batch.options(special, &NEVER))
            })?;
            slice::write(&counts, out);
            return count(texts.len());
        }
        if batch.is_parallel() {
            let counts = tokenizer.count_batch(&texts, batch.options(special, &NEVER))?;
            slice::write(&counts, out);
        } else {
            tokenizer.count_each(&texts, special, out)?;
        }
        count(texts.len())
    })
}

/// Writes `n + 1` offsets and then the token ids of all texts of a packed batch, and returns how many words that
/// takes.
///
/// The ids of text `i` are words `n + 1 + out[i]` up to `n + 1 + out[i + 1]`. Ids equal those of
/// `sluice_tokenizer_encode` one by one. O(`batch_len`). Fails as `sluice_batch_count` does.
///
/// # Safety
/// `batch` points to `batch_len` readable bytes, `out` to `out_cap` writable words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_batch_encode(
    tokenizer: u32,
    batch: *const u8,
    batch_len: u32,
    special: u32,
    out: *mut u32,
    out_cap: u32,
) -> i32 {
    boundary(|| {
        let tokenizer = resolve(tokenizer)?;
        let special = special_mode(special)?;
        // SAFETY: the caller's contract.
        let bytes = unsafe { slice::input("batch", batch, batch_len) }?;
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, bytes) }?;
        let batch = Batch::parse(bytes)?;
        let texts = batch.texts()?;
        if batch.is_parallel() {
            let words = tokenizer.encode_batch(&texts, batch.options(special, &NEVER))?;
            slice::write(&words, out);
            return count(words.len());
        }
        let (offsets, ids) = out.split_at_mut(out.len().min(texts.len() + 1));
        let ends = match offsets {
            [] => &mut [],
            [first, ends @ ..] => {
                *first = 0;
                ends
            }
        };
        let total = tokenizer.encode_each(&texts, special, EndToken::None, ends, ids)?;
        count(texts.len() + 1 + total)
    })
}

/// A packed batch whose header was checked against its size.
pub(crate) struct Batch<'a> {
    lengths: &'a [u8],
    unit: u32,
    threads: usize,
    text: &'a str,
}

impl<'a> Batch<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Failure> {
        let header = SLUICE_BATCH_HEADER as usize * 4;
        let word = |word: SluiceBatchHeader| {
            let at = word as usize * 4;
            bytes.get(at..at + 4).map(word_at).unwrap_or_default()
        };
        let n = word(SluiceBatchHeader::Texts) as usize;
        let unit = word(SluiceBatchHeader::Unit);
        let threads = word(SluiceBatchHeader::Threads) as usize;
        let start = n.checked_mul(4).and_then(|lengths| lengths.checked_add(header));
        let Some(start) = start.filter(|&start| start <= bytes.len()) else {
            return Err(Failure::argument(format!(
                "batch of {} bytes is too small for {n} texts",
                bytes.len()
            )));
        };
        if unit > SLUICE_BATCH_UTF16 {
            return Err(Failure::argument(format!("batch has unit {unit}, not 0 or 1")));
        }
        let (lengths, texts) = (&bytes[header..start], &bytes[start..]);
        let text = slice::utf8("batch", texts).map_err(|failure| {
            let first = (unit == SLUICE_BATCH_BYTES).then(|| first_invalid(lengths, texts));
            first.flatten().unwrap_or(failure)
        })?;
        Ok(Self { lengths, unit, threads, text })
    }

    /// Whether other threads may help, and the batch is large enough for that.
    fn is_parallel(&self) -> bool {
        self.threads != 1 && self.text.len() >= PARALLEL_BYTES
    }

    /// The options that the caller asked for.
    pub(crate) fn options<'s>(
        &self,
        special: SpecialTokenMode,
        stop: &'s AtomicBool,
    ) -> BatchOptions<'s> {
        BatchOptions { special, threads: self.threads, stop }
    }

    /// The texts, which must use up the bytes exactly.
    pub(crate) fn texts(&self) -> Result<Texts<'a>, Failure> {
        let n = self.lengths.len() / 4;
        let total: usize = words(self.lengths).sum();
        let separator = usize::from(self.unit == SLUICE_BATCH_UTF16);
        // With as many bytes as units all characters are ASCII, and units are bytes.
        let units_are_bytes =
            self.unit == SLUICE_BATCH_BYTES || total + n * separator == self.text.len();
        let bytes = self.text.as_bytes();
        let mut texts =
            Texts::with_capacity(self.text, n).map_err(|_| Failure::memory("the texts"))?;
        let mut start = 0;
        for units in words(self.lengths) {
            let length = if units_are_bytes {
                Some(units)
            } else {
                utf16_prefix(bytes.get(start..).unwrap_or_default(), units)
            };
            let end = length.and_then(|length| start.checked_add(length));
            if !end.is_some_and(|end| texts.push(start..end)) {
                // Two texts may be valid together and not apart.
                let invalid = (self.unit == SLUICE_BATCH_BYTES)
                    .then(|| first_invalid(self.lengths, bytes))
                    .flatten();
                return Err(invalid.unwrap_or_else(|| contradiction(texts.len())));
            }
            start = end.unwrap_or(start) + separator;
        }
        match self.text.len().checked_sub(start) {
            Some(0) => Ok(texts),
            Some(rest) => {
                Err(Failure::argument(format!("batch has {rest} bytes after its last text")))
            }
            // The last text's separator is missing.
            None => Err(contradiction(texts.len().saturating_sub(1))),
        }
    }
}

#[cold]
fn contradiction(text: usize) -> Failure {
    Failure::argument(format!("batch ends or cuts a character inside text {text}"))
}

/// The failure of the first text that is not valid UTF-8. The lengths are in bytes. None if all texts are valid, or
/// if they do not use up the bytes exactly. O(bytes).
#[cold]
fn first_invalid(lengths: &[u8], mut bytes: &[u8]) -> Option<Failure> {
    if words(lengths).sum::<usize>() != bytes.len() {
        return None;
    }
    for (index, length) in words(lengths).enumerate() {
        let (text, rest) = bytes.split_at_checked(length)?;
        if let Err(failure) = slice::utf8("text", text) {
            return Some(failure.with(SluiceErrorDetail::TextIndex, index));
        }
        bytes = rest;
    }
    None
}

/// The words of `bytes`, whose number is a multiple of 4.
fn words(bytes: &[u8]) -> impl Iterator<Item = usize> {
    bytes.chunks_exact(4).map(|word| word_at(word) as usize)
}

fn word_at(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte))
}

/// The length in bytes of the first `units` UTF-16 code units of the text `bytes`.
///
/// `k` bytes hold at most `k` units, so each step may take as many bytes as units are missing, and takes at least
/// a third of them. O(bytes), and the counting is vectorised.
fn utf16_prefix(bytes: &[u8], units: usize) -> Option<usize> {
    let (mut at, mut missing) = (0, units);
    while missing > 0 {
        let block = bytes.get(at..at + missing)?;
        let starts = block.iter().filter(|&&b| b & 0xC0 != 0x80).count();
        let astral = block.iter().filter(|&&b| b >= 0xF0).count();
        at += missing;
        missing -= (starts + astral).min(missing);
        // A block can end inside a character whose units are already counted.
        while missing == 0 && bytes.get(at).is_some_and(|&b| b & 0xC0 == 0x80) {
            at += 1;
        }
    }
    Some(at)
}
