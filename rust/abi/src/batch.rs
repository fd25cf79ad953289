//! Batches of texts: one crossing, one packed input, one flat output.
//!
//! # The packed batch
//!
//! Little-endian `uint32_t` words, then bytes:
//!
//! | words | meaning |
//! |---|---|
//! | 0 | `n`, the number of texts |
//! | 1 | the unit of the lengths: `SLUICE_BATCH_BYTES` or `SLUICE_BATCH_UTF16` |
//! | 2 | how many threads may work on it; 0 leaves it to the library |
//! | 3 … n+2 | the length of each text |
//! | the rest | the texts, UTF-8, in order |
//!
//! With `SLUICE_BATCH_UTF16` a length counts UTF-16 code units, as JavaScript's `length` does, and
//! each text is followed by one separator byte that belongs to no text. So a caller can join many
//! short strings, transcode them in one go, and need not know where each one landed; and two lone
//! surrogates of neighbouring strings cannot fuse into one character.

use std::sync::atomic::AtomicBool;

use sluice_tokenizer::{BatchError, BatchOptions, PARALLEL_BYTES, SpecialTokenMode, Texts};

use crate::boundary::boundary;
use crate::cache;
use crate::slice;
use crate::status::{Failure, SluiceStatus, count};
use crate::tokenizer::{failure, resolve, special_mode};

/// Lengths in a packed batch count bytes; nothing stands between the texts.
pub const SLUICE_BATCH_BYTES: u32 = 0;
/// Lengths in a packed batch count UTF-16 code units; one separator byte follows each text.
pub const SLUICE_BATCH_UTF16: u32 = 1;
/// Words before the lengths of a packed batch.
pub const SLUICE_BATCH_HEADER: u32 = 3;

/// Nothing stops a batch that its caller waits for.
static NEVER: AtomicBool = AtomicBool::new(false);

/// Writes the token count of each text of a packed batch and returns the number of texts.
///
/// `batch` is described in the documentation of `rust/abi/src/batch.rs`; it must be aligned to 4
/// bytes. Counts equal those of `sluice_tokenizer_count` one by one. O(`batch_len`).
/// Fails as `sluice_tokenizer_count` does, for the first text that does, with
/// `INVALID_ARGUMENT` if the batch contradicts itself, and with `OUT_OF_MEMORY`.
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
        let (cache, special) = cache::wanted(special);
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
            write(&counts, out);
            return count(texts.len());
        }
        if batch.is_parallel() {
            let counts =
                tokenizer.count_batch(&texts, batch.options(special, &NEVER)).map_err(refused)?;
            write(&counts, out);
        } else {
            tokenizer.count_each(&texts, special, out).map_err(refused)?;
        }
        count(texts.len())
    })
}

/// Writes `n + 1` offsets and then the token ids of all texts of a packed batch; returns how many
/// words that takes.
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
            let words =
                tokenizer.encode_batch(&texts, batch.options(special, &NEVER)).map_err(refused)?;
            write(&words, out);
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
        let total = tokenizer.encode_each(&texts, special, ends, ids).map_err(refused)?;
        count(texts.len() + 1 + total)
    })
}

/// Writes as much of `words` as there is room for.
fn write(words: &[u32], out: &mut [u32]) {
    let fits = words.len().min(out.len());
    out[..fits].copy_from_slice(&words[..fits]);
}

/// What a batch refuses, as the ABI says it.
pub(crate) fn refused(error: BatchError) -> Failure {
    match error {
        BatchError::Text { index, error } => at(index, failure(error)),
        BatchError::Stopped => Failure::new(SluiceStatus::Stopped, "the job was closed"),
        BatchError::OutOfMemory => Failure::memory("the batch"),
    }
}

fn at(index: usize, failure: Failure) -> Failure {
    Failure::new(failure.status, format!("text {index}: {}", failure.message))
}

/// A packed batch, its header checked against its size.
pub(crate) struct Batch<'a> {
    lengths: &'a [u8],
    unit: u32,
    threads: usize,
    text: &'a str,
}

impl<'a> Batch<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Failure> {
        let header = SLUICE_BATCH_HEADER as usize * 4;
        let word = |i: usize| bytes.get(i * 4..i * 4 + 4).map(word_at).unwrap_or_default();
        let (n, unit, threads) = (word(0) as usize, word(1), word(2) as usize);
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
        let text = slice::utf8("batch", &bytes[start..])?;
        Ok(Self { lengths: &bytes[header..start], unit, threads, text })
    }

    /// Whether other threads may help and could.
    fn is_parallel(&self) -> bool {
        self.threads != 1 && self.text.len() >= PARALLEL_BYTES
    }

    /// How the caller wants it done.
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
        let total: usize = self.lengths.chunks_exact(4).map(|w| word_at(w) as usize).sum();
        let separator = usize::from(self.unit == SLUICE_BATCH_UTF16);
        // With as many bytes as units everything is ASCII, and units are bytes.
        let units_are_bytes =
            self.unit == SLUICE_BATCH_BYTES || total + n * separator == self.text.len();
        let is_cut = |text: usize| {
            Failure::argument(format!("batch ends or cuts a character inside text {text}"))
        };
        let mut texts =
            Texts::with_capacity(self.text, n).map_err(|_| Failure::memory("the texts"))?;
        let mut start = 0;
        for units in self.lengths.chunks_exact(4).map(|w| word_at(w) as usize) {
            let length = if units_are_bytes {
                Some(units)
            } else {
                utf16_prefix(self.text.as_bytes().get(start..).unwrap_or_default(), units)
            };
            let end = length.and_then(|length| start.checked_add(length));
            if !end.is_some_and(|end| texts.push(start..end)) {
                return Err(is_cut(texts.len()));
            }
            start = end.unwrap_or(start) + separator;
        }
        match self.text.len().checked_sub(start) {
            Some(0) => Ok(texts),
            Some(behind) => {
                Err(Failure::argument(format!("batch has {behind} bytes behind its last text")))
            }
            // The last text's separator is missing.
            None => Err(is_cut(texts.len().saturating_sub(1))),
        }
    }
}

fn word_at(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte))
}

/// The length in bytes of the first `units` UTF-16 code units of the text `bytes`.
///
/// `k` bytes hold at most `k` units, so it is safe to step as many bytes as units are missing;
/// each step takes at least a third of what is left. O(bytes), and the counting vectorises.
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
