//! A block of high-entropy text as masks, one bit for each byte.

use super::bigrams::{BigramIndices, BigramMasks};
use crate::{
    arch::Processor,
    pretokenize::window::WINDOW,
    vocab::{
        Vocabulary,
        alphabet::{FIRST_LETTERS, NO_LETTER},
    },
};

/// A block of ASCII bytes that may be high-entropy text.
#[derive(Clone, Copy)]
pub(crate) struct AsciiBlock<'a> {
    /// The beginning of the block in the text.
    pub(crate) at: usize,
    /// The window that begins with the block.
    pub(crate) window: &'a [u8; WINDOW],
    /// A bit for the end of each pre-token.
    pub(crate) ends: u64,
    /// A bit for each letter.
    pub(crate) letters: u64,
}

/// A block of high-entropy text, with the bigrams that are merged.
pub(crate) struct HighEntropyBlock<'a> {
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) window: &'a [u8; WINDOW],
    /// The first bytes of the pre-tokens, and the end of the last one.
    pub(super) starts: u64,
    /// Bytes whose next byte is in the same pre-token.
    pub(super) inside: u64,
    /// In pre-tokens of more than one byte, those bytes that are neither letters nor prefixes of letters.
    pub(super) others: u64,
    pub(super) masks: BigramMasks,
    /// The token of each bigram.
    bigrams: [u32; 64],
    /// The first letters of the bigrams that are merged, unless a longer token takes one of their letters.
    pub(super) merged: u64,
    /// The first letters of the bigrams that may be part of a longer token.
    pub(super) unclear: u64,
}

impl<'a> HighEntropyBlock<'a> {
    /// The greatest number of unclear bytes for a block of `bytes` bytes to count as high-entropy text. Base64 has 3
    /// of 64 on average, natural language 30. Short blocks are unreliable evidence.
    #[inline(always)]
    fn max_unclear(bytes: u32) -> u32 {
        4 + bytes / 6
    }

    /// The masks of `block`. `None` if it is not high-entropy text.
    #[inline(always)]
    pub(crate) fn new<C: Processor>(
        vocabulary: &'a Vocabulary,
        AsciiBlock { window, ends, letters, .. }: AsciiBlock<'a>,
        cpu: C,
    ) -> Option<Self> {
        let starts = ends | 1;
        let used = u64::MAX >> 1 >> ends.leading_zeros();
        let inside = used & !(starts >> 1);
        let mut indices = BigramIndices::new(window);
        let mut others = used & !starts & !letters;
        let mut firsts = starts & inside & !letters;
        while firsts != 0 {
            let at = firsts.trailing_zeros() as usize;
            let letter = FIRST_LETTERS[usize::from(window[at])];
            others |= if letter == NO_LETTER { 1 << at } else { 0 };
            indices.set_first(at, letter);
            firsts &= firsts - 1;
        }
        let mut bigrams = [0; 64];
        let masks = BigramMasks::new(vocabulary.bigrams(), window, &indices, &mut bigrams, cpu);
        let merged = masks.merged(inside);
        let mut block =
            Self { vocabulary, window, starts, inside, others, masks, bigrams, merged, unclear: 0 };
        block.unclear = block.unclear_beside(merged);
        let unclear = (block.unclear | others).count_ones();
        (unclear <= Self::max_unclear(used.count_ones())).then_some(block)
    }

    /// The token of the letter at `at`.
    #[inline(always)]
    pub(super) fn letter(&self, at: u32) -> u32 {
        self.vocabulary.byte_token(self.window[at as usize % 64])
    }

    /// The token of the bigram at `at`.
    #[inline(always)]
    pub(super) fn bigram(&self, at: u32) -> u32 {
        self.bigrams[at as usize % 64]
    }

    /// Whether the bigram at `at` is merged.
    #[inline(always)]
    pub(super) fn is_merged(&self, at: u32) -> bool {
        self.merged >> (at % 64) & 1 != 0
    }

    /// The bigrams that are merged if only bigrams of letters `within` are.
    #[inline(always)]
    pub(super) fn merged_within(&self, within: u64) -> u64 {
        self.masks.merged(self.inside & within)
    }

    /// The bigrams that may be part of a longer token if those at `merged` are merged.
    #[inline(always)]
    pub(super) fn unclear_beside(&self, merged: u64) -> u64 {
        self.masks.may_extend & self.inside & self.inside >> 1 & (merged | merged >> 1)
    }
}

/// The bits from `start` up to `end`, both at most 63.
#[inline(always)]
pub(super) fn bits(start: u32, end: u32) -> u64 {
    u64::MAX << start & !(u64::MAX << end)
}
