//! Tokens of three letters among [letters in no order](crate::scrambled).
//!
//! Where a pair that is merged and the letter before or after it are a token, that letter may have been
//! merged with its other neighbour sooner; then nothing comes of it, as in three of ten cases. Else the
//! token is made, its letters are no longer there for pairs, and it could merge with what is beside it. As
//! long as it does not, and is the only one among letters that merges can join, that is all there is to it;
//! it is so in six of ten. The last one is not told here.

use crate::{
    scrambled::{Scrambled, bits},
    table::NONE,
};

/// The tokens of more than two letters among those that merges can join.
pub(crate) enum Longer {
    None,
    /// One of the three letters at a place, and where other letters are merged with the next ones then.
    One {
        token: u32,
        at: u32,
        merged: u64,
    },
    /// Perhaps several, or longer ones.
    Many,
}

impl Scrambled<'_> {
    /// Which of them there are among the letters from `start` to `end`, if they can only begin at
    /// `places`. Nothing joins these letters to others.
    #[inline(always)]
    pub(crate) fn longer_in(&self, mut places: u64, (start, end): (u32, u32)) -> Longer {
        let mut found = None;
        while places != 0 {
            let at = places.trailing_zeros();
            places &= places - 1;
            match (self.triple(at), found) {
                (Triple::None, _) => (),
                (Triple::Some(token), None) => found = Some((token, at)),
                _ => return Longer::Many,
            }
        }
        let Some((token, at)) = found else { return Longer::None };
        let (before, after) = (at.saturating_sub(1), at + 3);
        let part = bits(start, end);
        let merged = self.merged_within(part & !bits(before, after));
        let others = part & !bits(at.saturating_sub(2), after);
        if self.longer_beside(merged) & others != 0 || self.is_joined(token, at, merged, part) {
            return Longer::Many;
        }
        Longer::One { token, at, merged }
    }

    /// The token that is made of the three letters at a place, if nothing but pairs has been merged.
    #[inline(always)]
    fn triple(&self, at: u32) -> Triple {
        let merges = self.vocabulary.merges();
        let pair = |at: u32| if self.is_merged(at) { self.pair(at) } else { NONE };
        // The neighbour's other neighbour may merge with it sooner.
        let (left, right, sooner) = if self.is_merged(at) {
            (self.pair(at), self.letter(at + 2), pair(at + 2))
        } else {
            (self.letter(at), self.pair(at + 1), at.checked_sub(1).map_or(NONE, pair))
        };
        if self.is_merged(at) && sooner != NONE && merges.candidate(left, sooner) != NONE {
            return Triple::Unclear;
        }
        let token = merges.candidate(left, right);
        let is_token = token < sooner && merges.is_merge(token, left, right);
        if is_token { Triple::Some(token) } else { Triple::None }
    }

    /// Whether the token of the three letters at a place may merge with others in this part.
    #[inline(always)]
    fn is_joined(&self, token: u32, at: u32, merged: u64, part: u64) -> bool {
        let merges = self.vocabulary.merges();
        let is = |bits: u64, at: u32| bits >> (at % 64) & 1 != 0;
        let (one, two, after) = (at.wrapping_sub(1), at.wrapping_sub(2), at + 3);
        (at > 0 && is(part, one) && merges.candidate(self.letter(one), token) != NONE)
            || (at > 1 && is(merged, two) && merges.candidate(self.pair(two), token) != NONE)
            || (is(part, after) && merges.candidate(token, self.letter(after)) != NONE)
            || (is(merged, after) && merges.candidate(token, self.pair(after)) != NONE)
    }
}

/// What comes of the three letters at a place.
enum Triple {
    None,
    Some(u32),
    Unclear,
}
