//! An open-addressing hash table of tokens by a rolling hash, to find all tokens that a text ends with.
//!
//! The engine finds tokens where they begin. Appending to an encoding needs those that *end* at an offset, of every
//! length. A filter by the last four bytes selects the lengths that can occur, and a hash that is extended backwards
//! finds the token. The table is built on first use, which takes 3 to 8 ms and 2 to 3 MB; only a pre-token of unusual
//! length causes it.

use std::sync::OnceLock;

use crate::{tokenizer::encoding::Encoding, vocab::Vocabulary};

/// The number of bytes that the filter examines. Shorter tokens are always looked up.
const FILTER_BYTES: usize = 4;
const FILTER_BITS: u32 = 15;
const NO_TOKEN: u32 = u32::MAX;

/// The tokens of a vocabulary, to be found by their end.
pub(super) struct SuffixTable {
    /// By the hash of the last four bytes: bit `n - 1` is set if there may be a token of `n` bytes.
    filter: Box<[u128]>,
    /// By the hash of the bytes, with linear probing.
    tokens: Box<[u32]>,
    shift: u32,
}

impl SuffixTable {
    /// The tokens of `encoding`, whose vocabulary is `vocabulary`.
    pub(super) fn of(encoding: Encoding, vocabulary: &Vocabulary) -> &'static Self {
        static ALL: [OnceLock<SuffixTable>; 4] = [const { OnceLock::new() }; 4];
        let vocabulary_index = match encoding {
            Encoding::R50kBase => 0,
            Encoding::P50kBase | Encoding::P50kEdit => 1,
            Encoding::Cl100kBase => 2,
            Encoding::O200kBase | Encoding::O200kHarmony => 3,
        };
        ALL[vocabulary_index].get_or_init(|| Self::new(encoding, vocabulary))
    }

    fn new(encoding: Encoding, vocabulary: &Vocabulary) -> Self {
        let ids = encoding.vocab_size();
        let slots = (ids as usize * 3 / 2).next_power_of_two();
        let mut table = Self {
            filter: vec![0; 1 << FILTER_BITS].into_boxed_slice(),
            tokens: vec![NO_TOKEN; slots].into_boxed_slice(),
            shift: 64 - slots.trailing_zeros(),
        };
        for id in 0..ids {
            if let Some(bytes) = vocabulary.bytes(id) {
                table.insert(id, bytes);
            }
        }
        table
    }

    fn insert(&mut self, id: u32, bytes: &[u8]) {
        if bytes.len() >= FILTER_BYTES {
            self.filter[filter_index(bytes)] |= 1 << (bytes.len() - 1);
        }
        let mut slot = self.slot(prepend(0, bytes));
        while self.tokens[slot] != NO_TOKEN {
            slot = (slot + 1) & (self.tokens.len() - 1);
        }
        self.tokens[slot] = id;
    }

    /// Calls `found` with the id and the length of each token that `text` ends with, until it returns true: first the
    /// token of `likely` bytes, and then the others by ascending length.
    #[inline]
    pub(super) fn find(
        &self,
        vocabulary: &Vocabulary,
        text: &[u8],
        likely: usize,
        mut found: impl FnMut(u32, usize) -> bool,
    ) {
        let mut lengths = (1 << (FILTER_BYTES - 1)) - 1;
        if text.len() >= FILTER_BYTES {
            lengths |= self.filter[filter_index(text)];
        }
        lengths &= u128::MAX >> (128 - text.len().clamp(1, 128));
        let bit = 1u128.checked_shl(likely as u32).unwrap_or(0) >> 1;
        if lengths & bit != 0 {
            lengths ^= bit;
            let suffix = &text[text.len() - likely..];
            if let Some(id) = self.token(vocabulary, suffix, prepend(0, suffix))
                && found(id, likely)
            {
                return;
            }
        }
        let (mut hash, mut done) = (0, 0);
        while lengths != 0 {
            let length = lengths.trailing_zeros() as usize + 1;
            lengths &= lengths - 1;
            let suffix = &text[text.len() - length..];
            hash = prepend(hash, &suffix[..length - done]);
            done = length;
            if let Some(id) = self.token(vocabulary, suffix, hash)
                && found(id, length)
            {
                return;
            }
        }
    }

    #[inline]
    fn token(&self, vocabulary: &Vocabulary, bytes: &[u8], hash: u64) -> Option<u32> {
        let mut slot = self.slot(hash);
        loop {
            let id = self.tokens[slot];
            if id == NO_TOKEN {
                return None;
            }
            if vocabulary.bytes(id) == Some(bytes) {
                return Some(id);
            }
            slot = (slot + 1) & (self.tokens.len() - 1);
        }
    }

    #[inline]
    fn slot(&self, hash: u64) -> usize {
        (hash.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize
    }
}

/// The hash of `bytes` followed by the bytes of `hash`.
#[inline]
fn prepend(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(hash, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3).rotate_left(23)
    })
}

/// The index in the filter for the last four bytes of `text`.
#[inline]
fn filter_index(text: &[u8]) -> usize {
    let last = text.last_chunk::<FILTER_BYTES>().map_or(0, |last| u32::from_le_bytes(*last));
    (last.wrapping_mul(0x9E37_79B1) >> (32 - FILTER_BITS)) as usize
}
