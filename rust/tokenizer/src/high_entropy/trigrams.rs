//! Tokens of three letters among the bigrams of high-entropy text.
//!
//! Where a merged bigram and the letter before or after it are a token, that letter may have merged with its other
//! neighbour earlier. Then the trigram is not made, as in three of ten cases. Otherwise it is made, its letters are
//! no longer available to bigrams, and it could itself merge with a neighbour. If it does not, and is the only one
//! among letters that merges can reach, that settles the letters, as in six of ten cases. The last case is not
//! decided here.

use super::block::{HighEntropyBlock, bits};
use crate::vocab::NONE;

/// The tokens of more than two letters in a range that merges do not leave.
pub(super) enum LongerTokens {
    None,
    /// One trigram, at `at`, and the bigrams that are merged beside it.
    Trigram {
        token: u32,
        at: u32,
        merged: u64,
    },
    /// Possibly several, or longer ones.
    Undecided,
}

impl HighEntropyBlock<'_> {
    /// The longer tokens among the letters from `start` to `end`, which no merge joins to other letters. They can
    /// begin only at the bits of `unclear`.
    #[inline(always)]
    pub(super) fn longer_tokens(&self, mut unclear: u64, (start, end): (u32, u32)) -> LongerTokens {
        let mut found = None;
        while unclear != 0 {
            let at = unclear.trailing_zeros();
            unclear &= unclear - 1;
            match (self.trigram(at), found) {
                (Trigram::None, _) => (),
                (Trigram::Some(token), None) => found = Some((token, at)),
                _ => return LongerTokens::Undecided,
            }
        }
        let Some((token, at)) = found else { return LongerTokens::None };
        let (before, after) = (at.saturating_sub(1), at + 3);
        let range = bits(start, end);
        let merged = self.merged_within(range & !bits(before, after));
        let others = range & !bits(at.saturating_sub(2), after);
        if self.unclear_beside(merged) & others != 0 || self.may_merge(token, at, merged, range) {
            return LongerTokens::Undecided;
        }
        LongerTokens::Trigram { token, at, merged }
    }

    /// The token of the three letters at `at`, if only bigrams were merged before it.
    #[inline(always)]
    fn trigram(&self, at: u32) -> Trigram {
        let pairs = self.vocabulary.pairs();
        let bigram = |at: u32| if self.is_merged(at) { self.bigram(at) } else { NONE };
        // The third letter may merge with its other neighbour first.
        let (left, right, rival) = if self.is_merged(at) {
            (self.bigram(at), self.letter(at + 2), bigram(at + 2))
        } else {
            (self.letter(at), self.bigram(at + 1), at.checked_sub(1).map_or(NONE, bigram))
        };
        if self.is_merged(at) && rival != NONE && pairs.candidate(left, rival) != NONE {
            return Trigram::Undecided;
        }
        let token = pairs.candidate(left, right);
        let is_token = token < rival && pairs.is_merge(token, left, right);
        if is_token { Trigram::Some(token) } else { Trigram::None }
    }

    /// Whether the trigram `token` at `at` may merge with a neighbour in `range`.
    #[inline(always)]
    fn may_merge(&self, token: u32, at: u32, merged: u64, range: u64) -> bool {
        let pairs = self.vocabulary.pairs();
        let is_set = |bits: u64, at: u32| bits >> (at % 64) & 1 != 0;
        let (one, two, after) = (at.wrapping_sub(1), at.wrapping_sub(2), at + 3);
        (at > 0 && is_set(range, one) && pairs.candidate(self.letter(one), token) != NONE)
            || (at > 1 && is_set(merged, two) && pairs.candidate(self.bigram(two), token) != NONE)
            || (is_set(range, after) && pairs.candidate(token, self.letter(after)) != NONE)
            || (is_set(merged, after) && pairs.candidate(token, self.bigram(after)) != NONE)
    }
}

/// The outcome for three letters.
enum Trigram {
    None,
    Some(u32),
    Undecided,
}
