//! Merging pieces of up to six bytes without a branch that has to be guessed.
//!
//! How many merges a piece has, and where, cannot be foreseen, and a wrong guess is found out only when
//! the tables have answered; all that the processor did meanwhile is then begun again. So a piece goes
//! through as many rounds as it can have merges, and each asks for all pairs: what is not there is a
//! token that merges with none, and the processor goes on to the next piece while the tables answer.

use crate::{
    flat::{NOBODY, SHORT, begin, merge_flat},
    merges::NONE,
    packed::Packed,
    simd::{Processor, Work},
    vocabulary::{Key, Vocabulary},
};

/// Pieces of up to this many bytes are merged sooner than looked up among all tokens
/// (`bench/record/2026-11-26-engine-tables.txt`).
pub(crate) const TINY: usize = 6;

/// The tokens of `piece`, of 1 to [`TINY`] bytes and with this key.
#[inline(always)]
pub(crate) fn merge_tiny<C: Processor>(
    vocabulary: &Vocabulary,
    piece: &[u8],
    key: Key,
    processor: C,
) -> Packed {
    let mut found = None;
    processor.apart(Tiny { vocabulary, piece, key, found: &mut found });
    found.unwrap_or_else(|| {
        let mut tokens = [0; SHORT + 1];
        let count = merge_flat(vocabulary, piece, &mut tokens, 1, processor);
        Packed::new(&tokens[..count])
    })
}

struct Tiny<'a> {
    vocabulary: &'a Vocabulary,
    piece: &'a [u8],
    key: Key,
    /// None where a pair was taken for another.
    found: &'a mut Option<Packed>,
}

impl Work for Tiny<'_> {
    #[inline(always)]
    fn run<C: Processor>(self, _: C) {
        *self.found = if self.piece.len() <= 4 { self.merge::<4>() } else { self.merge::<TINY>() };
    }
}

impl Tiny<'_> {
    #[inline(always)]
    fn merge<const MOST: usize>(&self) -> Option<Packed> {
        let (mut tokens, mut count) = self.begin::<MOST>();
        let merges = self.vocabulary.merges();
        let mut is_right = true;
        for pairs in (1..MOST).rev() {
            let (mut merged, mut at, mut parts) = (NONE, 0, (0, 0));
            for i in 0..pairs {
                let id = merges.candidate(tokens[i], tokens[i + 1]);
                (merged, at, parts) = if id < merged {
                    (id, i, (tokens[i], tokens[i + 1]))
                } else {
                    (merged, at, parts)
                };
            }
            let is_none = merged == NONE;
            is_right &=
                is_none | merges.is_merge(if is_none { 0 } else { merged }, parts.0, parts.1);
            let before = tokens;
            for i in 0..MOST {
                let next = if i + 1 < MOST { before[i + 1] } else { NOBODY };
                let moved = if i > at { next } else { before[i] };
                let token = if i == at { merged } else { moved };
                tokens[i] = if is_none { before[i] } else { token };
            }
            // A piece that ends in wrong pairs may come to less than nothing; it is not used then.
            count = count.wrapping_sub(usize::from(!is_none));
        }
        is_right.then(|| Packed::of_first(&tokens, count))
    }

    /// What the merging begins with, and how much of it there is.
    #[inline(always)]
    fn begin<const MOST: usize>(&self) -> ([u32; MOST], usize) {
        let mut tokens = [NOBODY; MOST];
        let mut count = self.piece.len().min(MOST);
        if self.piece.is_ascii() {
            let bytes = self.key.to_le_bytes();
            for (place, (token, byte)) in tokens.iter_mut().zip(bytes).enumerate() {
                *token = if place < count { self.vocabulary.byte(byte) } else { NOBODY };
            }
        } else {
            count = begin(self.vocabulary, &self.piece[..count], &mut tokens);
        }
        (tokens, count)
    }
}
