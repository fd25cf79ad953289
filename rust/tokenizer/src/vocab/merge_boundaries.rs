//! Bitmaps of the character boundaries that merges cross, by hashes of the two characters.
//!
//! Chinese, Japanese and emoji come in long runs that are one pre-token each, seldom the same twice, though they
//! consist of few characters. But most neighbouring characters are joined by no merge. At such a boundary the merges
//! of the two sides are independent, so the tokens of the pre-token are those of its parts; and parts are short and
//! recur. The same holds where only one of the two characters is wide (three bytes or more). Other characters form
//! words that recur, and pre-tokens are not split between them.
//!
//! The first merge across a boundary is one whose two parts meet there. So the build records where the parts of each
//! token meet (`build/characters.rs`): both characters if the token holds all of them, otherwise the two bytes. A
//! hash collision only makes a boundary look crossed, which costs time and not correctness. What the bitmaps are
//! worth is in `bench/record/2026-11-26-engine-tables.txt`, 15.

use super::boundary_index::{
    MIXED_PAIRS, PARTIAL_PAIRS, WIDE_PAIRS, char_pair, mixed_pair, partial_pair,
};
use crate::unicode::utf8::{is_wide, length};

/// The bitmaps that the build writes. A bit is set if a merge crosses the boundary, or another one of the same hash.
pub(crate) struct MergeBoundaries {
    /// Boundaries of two wide characters.
    wide: &'static [u8; WIDE_PAIRS / 8],
    /// Boundaries of two characters of which exactly one is wide.
    mixed: &'static [u8; MIXED_PAIRS / 8],
    /// Boundaries of two wide characters, crossed by a merge that holds only part of one of them.
    partial: &'static [u8; PARTIAL_PAIRS / 8],
}

/// The bytes of a character in little-endian order, padded with zeros.
type Character = u32;

impl MergeBoundaries {
    pub(crate) fn new(data: &'static [u8]) -> Self {
        let bitmaps = data.split_first_chunk().and_then(|(wide, data)| {
            let (mixed, data) = data.split_first_chunk()?;
            Some(Self { wide, mixed, partial: data.first_chunk()? })
        });
        bitmaps.unwrap_or_else(|| unreachable!("the build writes all three"))
    }

    /// Splits `text[start..end]` at the boundaries that no merge crosses. Calls `each` with the start and the end of
    /// each part until it returns false. O(n).
    #[inline(always)]
    pub(crate) fn split(
        &self,
        text: &[u8],
        (mut start, end): (usize, usize),
        mut each: impl FnMut(usize, usize) -> bool,
    ) {
        let mut left = character(text, start);
        let mut at = start + size(left);
        // There is one call of `each` only, so that it is inlined.
        loop {
            let right = (at < end).then(|| character(text, at));
            if right.is_none_or(|right| !self.may_merge(left, right)) {
                if !each(start, at.min(end)) {
                    return;
                }
                start = at;
            }
            let Some(right) = right else { return };
            left = right;
            at += size(right);
        }
    }

    /// Of the characters of a block that begin at these bits, those whose boundary with the character before is
    /// crossed by no merge. In `three` and `four` both characters are wide, and the one before has three or four
    /// bytes; in `mixed` exactly one of them is wide.
    #[inline(always)]
    pub(crate) fn uncrossed(&self, bytes: &[u8; 68], three: u64, four: u64, mut mixed: u64) -> u64 {
        let load = |offset: u32| match bytes[offset as usize % 64..].first_chunk() {
            Some(four) => u32::from_le_bytes(*four),
            None => 0,
        };
        let mut wide = three | four;
        let mut uncrossed = 0;
        while wide != 0 {
            let at = wide.trailing_zeros();
            wide &= wide - 1;
            let right = load(at);
            let right = right & u32::MAX >> (8 * u32::from((right as u8) < 0xF0));
            let after_three = (three >> at) as u32 & 1;
            let left = load(at + after_three - 4) & u32::MAX >> (8 * after_three);
            uncrossed |= u64::from(!self.may_merge_wide(left, right)) << at;
        }
        while mixed != 0 {
            let at = mixed.trailing_zeros();
            mixed &= mixed - 1;
            let [last, first, ..] = load(at - 1).to_le_bytes();
            uncrossed |= u64::from(!self.may_merge_mixed(last, first)) << at;
        }
        uncrossed
    }

    /// Whether a merge may cross the boundary of two characters.
    #[inline(always)]
    pub(crate) fn may_merge(&self, left: Character, right: Character) -> bool {
        match (left as u8, right as u8) {
            (a, b) if is_wide(a) && is_wide(b) => self.may_merge_wide(left, right),
            (a, b) if is_wide(a) != is_wide(b) => self.may_merge_mixed(last(left), b),
            _ => true,
        }
    }

    #[inline(always)]
    fn may_merge_wide(&self, left: Character, right: Character) -> bool {
        is_set(self.wide, char_pair(left, right))
            | is_set(self.partial, partial_pair(last(left), right as u8))
    }

    #[inline(always)]
    fn may_merge_mixed(&self, last: u8, first: u8) -> bool {
        is_set(self.mixed, mixed_pair(last, first))
    }
}

/// Whether a character that begins with these bytes is splittable: pre-tokens are split at its boundaries, wherever
/// no merge crosses them. Wide characters are, except U+0800 to U+0DFF, the scripts of India, which are written in
/// words that recur (`bench/record/2026-11-26-engine-tables.txt`, 24).
#[inline(always)]
pub(crate) fn is_splittable(first: u8, second: u8) -> bool {
    is_wide(first) && (first > 0xE0 || second >= 0xB8)
}

#[inline(always)]
fn is_set(bits: &[u8], index: usize) -> bool {
    bits[index / 8] >> (index % 8) & 1 != 0
}

/// The four bytes at `at` in little-endian order, padded with zeros at the end of the text.
#[inline(always)]
fn four(text: &[u8], at: usize) -> u32 {
    match text[at..].first_chunk() {
        Some(four) => u32::from_le_bytes(*four),
        None => text[at..].iter().rev().fold(0, |four, byte| four << 8 | u32::from(*byte)),
    }
}

/// The character at `at`.
#[inline(always)]
fn character(text: &[u8], at: usize) -> Character {
    let four = four(text, at);
    four & u32::MAX >> (32 - 8 * size(four))
}

/// The last byte of a character.
#[inline(always)]
fn last(character: Character) -> u8 {
    (character >> (24 - (character.leading_zeros() & 24))) as u8
}

/// The number of bytes of a character; 1 for a continuation byte.
#[inline(always)]
fn size(character: Character) -> usize {
    length(character as u8).max(1)
}
