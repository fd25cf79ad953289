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
    whole: &'static [u8; JOINTS / 8],
    /// By the last byte of a character, a bit for every first byte of the next.
    partial: &'static [[u8; 8]; 64],
}

/// A character's bytes, the first one lowest, and then zeros.
type Character = u32;

impl Joints {
    pub(crate) fn new(data: &'static [u8]) -> Self {
        let parts = data.split_first_chunk().and_then(|(whole, partial)| {
            let (partial, _) = partial.as_chunks().0.split_first_chunk()?;
            Some(Self { whole, partial })
        });
        parts.unwrap_or_else(|| unreachable!("the build writes both"))
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

    /// Where characters of a block begin that nothing joins to the one before. `early` has the
    /// bits of those that are [cut early](is_cut_early), which `bytes` has whole.
    #[inline(always)]
    pub(crate) fn apart(&self, bytes: &[u8; 68], early: u64) -> u64 {
        // Behind three bytes, and where there may be four.
        let (three, four) = (early & early << 3, early & early << 4);
        let mut rest = three | four;
        let mut apart = 0;
        while rest != 0 {
            let place = rest.trailing_zeros();
            rest &= rest - 1;
            let load = |place: u32| match bytes[place as usize % 64..].first_chunk() {
                Some(four) => u32::from_le_bytes(*four),
                None => 0,
            };
            let right = load(place);
            let right = right & u32::MAX >> (8 * u32::from((right as u8) < 0xF0));
            let after_three = (three >> place) as u32 & 1;
            let left = load(place + after_three - 4) & u32::MAX >> (8 * after_three);
            let is_next = after_three != 0 || left as u8 >= 0xF0;
            apart |= u64::from(is_next & !self.join(left, right)) << place;
        }
        apart
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

/// Whether pieces are cut at wide characters that begin with these bytes wherever nothing joins them, and
/// not only where the piece is long. Not so for U+0800 to U+0DFF, the scripts of India: those are written
/// in words that come again (`bench/record/2026-11-26-engine-tables.txt`, 24).
#[inline(always)]
pub(crate) fn is_cut_early(first: u8, second: u8) -> bool {
    is_wide(first) && (first > 0xE0 || second >= 0xB8)
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
