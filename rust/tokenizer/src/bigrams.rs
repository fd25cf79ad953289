//! The pairs of letters that are tokens, and what else they could merge with.
//!
//! For each place of a block of letters the build's tables say in two look-ups what that letter and the next
//! one merge to, whether a merge can be made over the two at all, and whether more could come of it. No
//! look-up waits for another.

use crate::{
    ahead::WINDOW,
    letters::{IS_JOINED, LETTER_BITS, NO_PAIR, PAIRS},
    simd::Processor,
};

/// What the build found out (`build/bigrams.rs`).
pub(crate) struct Bigrams {
    /// By pair, its token or [`NO_PAIR`]; and [`IS_JOINED`].
    tokens: &'static [[u8; 4]; PAIRS],
    /// By pair, a bit for every third letter with which there is a token of these three letters, or one
    /// of four that is made of this pair and another; the first half of the letters, then the second.
    followers: &'static [[u8; 4]; 2 * PAIRS],
}

impl Bigrams {
    pub(crate) fn new(tokens: &'static [u8], followers: &'static [u8]) -> Self {
        let tables = (tokens.as_chunks().0.first_chunk(), followers.as_chunks().0.first_chunk());
        let (Some(tokens), Some(followers)) = tables else { unreachable!("the build writes both") };
        Self { tokens, followers }
    }
}

const _: () = assert!(NO_PAIR == 1 << 31, "what is told by the sign");

/// For each place of a block, the number of the pair of letters that begins there and, below it, the upper bit
/// of the letter that follows.
pub(crate) struct Numbers([u16; 64]);

impl Numbers {
    /// Those of the block that `window` begins with.
    #[inline(always)]
    pub(crate) fn new(window: &[u8; WINDOW]) -> Self {
        let mut numbers = [0; 64];
        for (i, number) in numbers.iter_mut().enumerate() {
            let [first, second, third] = [0, 1, 2].map(|next| u16::from(window[i + next] & 63));
            *number = second << (LETTER_BITS + 1) | first << 1 | third >> 5;
        }
        Self(numbers)
    }

    /// Lets `letter` be the first of the pair at this place.
    #[inline(always)]
    pub(crate) fn begin(&mut self, at: usize, letter: u8) {
        let number = &mut self.0[at % 64];
        *number = *number & !(63 << 1) | u16::from(letter) << 1;
    }
}

/// What is known of the places of a block, a bit for each.
#[derive(Default)]
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
}

impl Places {
    /// The places of the block that `window` begins with. The token of each letter and the next one goes to
    /// `tokens`, or what is none.
    #[inline(always)]
    pub(crate) fn new<C: Processor>(
        bigrams: &Bigrams,
        window: &[u8; WINDOW],
        numbers: &Numbers,
        tokens: &mut [u32; 64],
        processor: C,
    ) -> Self {
        let (mut entries, mut followers) = ([0; 65], [0; 64]);
        for i in 0..64 {
            let number = usize::from(numbers.0[i]);
            entries[i + 1] = u32::from_le_bytes(bigrams.tokens[number / 2 % PAIRS]);
            followers[i] = u32::from_le_bytes(bigrams.followers[number % (2 * PAIRS)]);
        }
        let (mut less, mut joined) = ([0; 64], [0; 64]);
        for i in 0..64 {
            let entry = entries[i + 1];
            tokens[i] = entry & !IS_JOINED;
            less[i] = tokens[i].wrapping_sub(entries[i] & !IS_JOINED);
            joined[i] = entry << 1;
            followers[i] <<= 31 - (window[i + 2] & 31);
        }
        Self {
            pairs: !processor.signs(tokens),
            less: processor.signs(&less),
            longer: processor.signs(&followers),
            joined: processor.signs(&joined),
        }
    }

    /// Where, among `within`, a letter is merged with the next one, if no other merges are made. The least
    /// id comes first, and of equal ones the left; so all that are less than their neighbours can be merged
    /// at once.
    #[inline(always)]
    pub(crate) fn merged(&self, within: u64) -> u64 {
        let (mut left, mut merged) = (self.pairs & within, 0);
        while left != 0 {
            let least = left & (self.less | !(left << 1)) & !((left & self.less) >> 1);
            merged |= least;
            left &= !(least | least << 1 | least >> 1);
        }
        merged
    }
}
