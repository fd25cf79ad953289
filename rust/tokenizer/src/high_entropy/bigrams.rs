//! Masks of the letter bigrams of a block: which are tokens, which ranks are lower, and which could merge further.
//!
//! Two table lookups for each letter tell what it and the next letter merge to, whether any merge can cross between
//! them, and whether the bigram could be part of a longer token. No lookup waits for another.

use crate::{
    arch::Processor,
    pretokenize::window::WINDOW,
    vocab::{
        BigramTable,
        alphabet::{BIGRAMS, IS_CROSSED, LETTER_BITS, NO_TOKEN},
    },
};

const _: () = assert!(NO_TOKEN == 1 << 31, "it is detected by the sign");

/// For each byte of a block, the index of the bigram that begins there and, below it, the highest bit of the code of
/// the letter after it.
pub(super) struct BigramIndices([u16; 64]);

impl BigramIndices {
    /// The indices of the block with which `window` begins.
    #[inline(always)]
    pub(super) fn new(window: &[u8; WINDOW]) -> Self {
        let mut indices = [0; 64];
        for (i, index) in indices.iter_mut().enumerate() {
            let [first, second, third] = [0, 1, 2].map(|next| u16::from(window[i + next] & 63));
            *index = second << (LETTER_BITS + 1) | first << 1 | third >> 5;
        }
        Self(indices)
    }

    /// Replaces the first letter of the bigram at `at`.
    #[inline(always)]
    pub(super) fn set_first(&mut self, at: usize, letter: u8) {
        let index = &mut self.0[at % 64];
        *index = *index & !(63 << 1) | u16::from(letter) << 1;
    }
}

/// Properties of the bigrams of a block, a bit for each first letter.
#[derive(Default)]
pub(super) struct BigramMasks {
    /// The bigram is a token.
    is_token: u64,
    /// The bigram's id is less than that of the bigram one letter before.
    is_less: u64,
    /// The bigram and the next letter are a trigram token, or may begin a token of four letters that is merged from
    /// two bigrams. Of the second bigram only the first letter is tested.
    pub(super) may_extend: u64,
    /// Some merge crosses between the two letters.
    pub(super) is_crossed: u64,
}

impl BigramMasks {
    /// The masks of the block with which `window` begins. Writes the token of each bigram to `tokens`, or a negative
    /// number if the bigram is no token.
    #[inline(always)]
    pub(super) fn new<C: Processor>(
        table: &BigramTable,
        window: &[u8; WINDOW],
        indices: &BigramIndices,
        tokens: &mut [u32; 64],
        cpu: C,
    ) -> Self {
        let (mut entries, mut followers) = ([0; 65], [0; 64]);
        for i in 0..64 {
            let index = usize::from(indices.0[i]);
            entries[i + 1] = u32::from_le_bytes(table.tokens[index / 2 % BIGRAMS]);
            followers[i] = u32::from_le_bytes(table.followers[index % (2 * BIGRAMS)]);
        }
        let (mut less, mut crossed) = ([0; 64], [0; 64]);
        for i in 0..64 {
            let entry = entries[i + 1];
            tokens[i] = entry & !IS_CROSSED;
            less[i] = tokens[i].wrapping_sub(entries[i] & !IS_CROSSED);
            crossed[i] = entry << 1;
            followers[i] <<= 31 - (window[i + 2] & 31);
        }
        Self {
            is_token: !cpu.signs(tokens),
            is_less: cpu.signs(&less),
            may_extend: cpu.signs(&followers),
            is_crossed: cpu.signs(&crossed),
        }
    }

    /// The bigrams among `within` that byte pair encoding merges if it makes no other merges. The least id comes
    /// first and, of equal ids, the left one. So all local minima can be merged at once, and then the rest again.
    #[inline(always)]
    pub(super) fn merged(&self, within: u64) -> u64 {
        let (mut left, mut merged) = (self.is_token & within, 0);
        while left != 0 {
            let least = left & (self.is_less | !(left << 1)) & !((left & self.is_less) >> 1);
            merged |= least;
            left &= !(least | least << 1 | least >> 1);
        }
        merged
    }
}
