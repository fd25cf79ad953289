//! Where a piece can be cut because nothing joins what is on both sides.
//!
//! Chinese, Japanese and emoji come in long runs that are one piece, seldom the same twice, though
//! they are made of few characters. But most characters next to each other are joined by no merge.
//! Where that is so, the merges on both sides have nothing to do with each other, so the tokens of
//! the piece are those of the parts; and parts are short and come again and again.
//!
//! The first merge over a place between two characters is one whose two parts meet there. So the build
//! notes where the parts of each token meet (`build/characters.rs`): the characters on both sides if
//! the token has all of them, else the bytes on both sides. Different characters may share a bit;
//! then a cut is missed, which costs time only.

use crate::utf8::{JOINTS, is_wide, joint, length};

/// What the build found out.
pub(crate) struct Joints {
    /// A bit for every joint of two whole characters, at least.
    whole: &'static [u8],
    /// By the last byte of a character, a bit for every first byte of the next.
    partial: &'static [[u8; 8]],
}

/// A character's bytes, the first one lowest, and then zeros.
type Character = u32;

impl Joints {
    pub(crate) fn new(data: &'static [u8]) -> Self {
        let (whole, partial) = data.split_at(JOINTS / 8);
        Self { whole, partial: partial.as_chunks().0 }
    }

    /// Gives the parts of `text[start..end]` to `each`, from where to where they go, as long as it wants
    /// more of them. O(n).
    #[inline(always)]
    pub(crate) fn parts(
        &self,
        text: &[u8],
        (mut start, end): (usize, usize),
        mut each: impl FnMut(usize, usize) -> bool,
    ) {
        let mut left = character(text, start);
        let mut at = start + size(left);
        while at < end {
            let right = character(text, at);
            if is_wide(left as u8) && is_wide(right as u8) && !self.join(left, right) {
                if !each(start, at) {
                    return;
                }
                start = at;
            }
            left = right;
            at += size(right);
        }
        each(start, end);
    }

    /// Whether a merge may join parts of two wide neighbours.
    #[inline(always)]
    pub(crate) fn join(&self, left: Character, right: Character) -> bool {
        let joint = joint(left, right);
        let whole = self.whole[joint / 8] >> (joint % 8) & 1;
        let last = left >> (24 - (left.leading_zeros() & 8));
        let partial = u64::from_le_bytes(self.partial[last as usize & 63]) >> (right & 63) & 1;
        u64::from(whole) | partial != 0
    }
}

/// A character of three or four bytes in a block.
#[derive(Clone, Copy)]
pub(crate) struct Wide {
    pub(crate) bytes: Character,
    /// Where it ends in the block.
    pub(crate) end: u32,
}

impl Wide {
    /// What ends where no other begins.
    pub(crate) const NONE: Self = Self { bytes: 0, end: u32::MAX };

    /// The one at `place` of the block of `text` at `at`.
    #[inline(always)]
    pub(crate) fn read(text: &[u8], at: usize, place: u32) -> Self {
        let four = four(text, at + place as usize);
        let is_three = u32::from((four as u8) < 0xF0);
        Self { bytes: four & u32::MAX >> (8 * is_three), end: place + 4 - is_three }
    }
}

/// The four bytes at `at`, the first one lowest; zeros where the text has ended.
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

/// The number of bytes of a character; 1 where none begins.
#[inline(always)]
fn size(character: Character) -> usize {
    length(character as u8).max(1)
}
