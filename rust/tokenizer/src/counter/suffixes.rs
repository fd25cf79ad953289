//! The tokens that a text ends with.
//!
//! The engine looks for tokens where they begin. To append to an encoding one needs those that
//! *end* at a place, of every length. A filter by the last four bytes says which lengths are worth
//! a look, and an open-addressed table by a hash that is rolled backwards finds the token. Made on
//! first use, which only a piece beyond any ordinary length brings about: 3 to 8 ms, and 2 to 3 MB.

use std::sync::OnceLock;

use crate::{Encoding, vocabulary::Vocabulary};

/// Tokens of fewer bytes than the filter looks at are always looked for.
const FILTER_BYTES: usize = 4;
const FILTER_BITS: u32 = 15;
const NO_TOKEN: u32 = u32::MAX;

pub(super) struct Suffixes {
    /// By the last four bytes: bit `n - 1` is set if there may be a token of `n` bytes.
    filter: Box<[u128]>,
    /// Open-addressed by the hash of the bytes.
    tokens: Box<[u32]>,
    shift: u32,
}

impl Suffixes {
    /// The tokens of `encoding`, whose vocabulary this is.
    pub(super) fn of(encoding: Encoding, vocabulary: &Vocabulary) -> &'static Self {
        static ALL: [OnceLock<Suffixes>; 4] = [const { OnceLock::new() }; 4];
        let same = match encoding {
            Encoding::R50kBase => 0,
            Encoding::P50kBase | Encoding::P50kEdit => 1,
            Encoding::Cl100kBase => 2,
            Encoding::O200kBase | Encoding::O200kHarmony => 3,
        };
        ALL[same].get_or_init(|| Self::new(encoding, vocabulary))
    }

    fn new(encoding: Encoding, vocabulary: &Vocabulary) -> Self {
        let ids = encoding.vocab_size();
        let slots = (ids as usize * 3 / 2).next_power_of_two();
        let mut suffixes = Self {
            filter: vec![0; 1 << FILTER_BITS].into_boxed_slice(),
            tokens: vec![NO_TOKEN; slots].into_boxed_slice(),
            shift: 64 - slots.trailing_zeros(),
        };
        for id in 0..ids {
            if let Some(bytes) = vocabulary.bytes(id) {
                suffixes.enter(id, bytes);
            }
        }
        suffixes
    }

    fn enter(&mut self, id: u32, bytes: &[u8]) {
        if bytes.len() >= FILTER_BYTES {
            self.filter[filter_place(bytes)] |= 1 << (bytes.len() - 1);
        }
        let mut slot = self.slot(prepend(0, bytes));
        while self.tokens[slot] != NO_TOKEN {
            slot = (slot + 1) & (self.tokens.len() - 1);
        }
        self.tokens[slot] = id;
    }

    /// Calls `found` with each token that `text` ends with until it returns true: first with the
    /// one of `likely` bytes, then with the others by length.
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
            lengths |= self.filter[filter_place(text)];
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

/// The hash with more bytes in front.
#[inline]
fn prepend(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(hash, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3).rotate_left(23)
    })
}

/// The place in the filter for what `text`, of at least four bytes, ends with.
#[inline]
fn filter_place(text: &[u8]) -> usize {
    let last = text.last_chunk::<FILTER_BYTES>().map_or(0, |last| u32::from_le_bytes(*last));
    (last.wrapping_mul(0x9E37_79B1) >> (32 - FILTER_BITS)) as usize
}
