//! The pairs of letters that are tokens, and what else they could merge with.
//!
//! For each place of a word of letters the build's tables say in one look-up what that letter and the next
//! one merge to, whether more could come of it, and whether a merge can be made over the two at all. No
//! look-up waits for another.

use crate::{
    letters::{JOINED, LETTER_BITS, PAIRS},
    table::NONE,
};

/// What the build found out (`build/bigrams.rs`).
pub(crate) struct Bigrams {
    /// By pair, its token or [`NONE`].
    tokens: &'static [[u8; 4]; PAIRS],
    /// By pair, a bit for every third letter with which there is a token of these three letters, or one
    /// of four that is made of this pair and another; and [`JOINED`].
    followers: &'static [[u8; 8]; PAIRS],
}

impl Bigrams {
    pub(crate) fn new(tokens: &'static [u8], followers: &'static [u8]) -> Self {
        let tables = (tokens.as_chunks().0.first_chunk(), followers.as_chunks().0.first_chunk());
        let (Some(tokens), Some(followers)) = tables else { unreachable!("the build writes both") };
        Self { tokens, followers }
    }
}

/// What is known of the places of a word of up to 63 letters, a bit for each.
pub(crate) struct Places {
    /// Where a letter and the next one are a token.
    pub(crate) pairs: u64,
    /// Where that token's id is less than that of the place before.
    pub(crate) less: u64,
    /// Where a token of three letters begins, or may begin one of four that is made of two pairs: of the
    /// second pair only the first letter is looked at.
    pub(crate) longer: u64,
    /// Where some merge is made over a letter and the next one.
    pub(crate) joined: u64,
    /// The token of the last place.
    last: u32,
}

impl Places {
    pub(crate) const NONE: Self = Self { pairs: 0, less: 0, longer: 0, joined: 0, last: NONE };

    /// Learns of eight places from `begin` on, whose letters, and the two after them, are the lowest ten
    /// in `letters`. Their tokens go to `tokens`.
    #[inline(always)]
    pub(crate) fn eight(
        &mut self,
        bigrams: &Bigrams,
        letters: u64,
        begin: usize,
        tokens: &mut [u32; 64],
    ) {
        let [mut pairs, mut less, mut longer, mut joined] = [0u32; 4];
        for i in 0..8 {
            let rest = letters >> (LETTER_BITS * i);
            let pair = rest as usize % PAIRS;
            let token = u32::from_le_bytes(bigrams.tokens[pair]);
            let followers = u64::from_le_bytes(bigrams.followers[pair]);
            let third = rest >> (2 * LETTER_BITS) & 63;
            tokens[(begin + i as usize) % 64] = token;
            pairs |= u32::from(token != NONE) << i;
            less |= u32::from(token < self.last) << i;
            longer |= ((followers >> third & 1) as u32) << i;
            joined |= ((followers >> JOINED) as u32) << i;
            self.last = token;
        }
        self.pairs |= u64::from(pairs) << begin;
        self.less |= u64::from(less) << begin;
        self.longer |= u64::from(longer) << begin;
        self.joined |= u64::from(joined) << begin;
    }

    /// Where a letter is merged with the next one, if no other merges are made. The least id comes
    /// first, and of equal ones the left; so all that are less than their neighbours can be merged at
    /// once.
    #[inline(always)]
    pub(crate) fn merged(&self) -> u64 {
        let (mut left, mut merged) = (self.pairs, 0);
        while left != 0 {
            let least = left & (self.less | !(left << 1)) & !((left & self.less) >> 1);
            merged |= least;
            left &= !(least | least << 1 | least >> 1);
        }
        merged
    }
}
