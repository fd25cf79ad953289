//! Where a piece can be cut because nothing joins what is on both sides.
//!
//! Chinese, Japanese and emoji come in long runs that are one piece, seldom the same twice, though
//! they are made of few characters. But most characters next to each other are joined by no merge.
//! Where that is so, the merges on both sides have nothing to do with each other, so the tokens of
//! the piece are those of the parts; and parts are short and come again and again. The same holds where
//! only one of two characters is wide, of three bytes or more; and for narrow ones, of two, but those are
//! written in words, so only very long pieces of them are cut.
//!
//! The first merge over a place between two characters is one whose two parts meet there. So the build
//! notes where the parts of each token meet (`build/characters.rs`): the characters on both sides if
//! the token has all of them, else the bytes on both sides. Different characters may share a bit;
//! then a cut is missed, which costs time only. What it is worth is in
//! `bench/record/2026-11-26-engine-tables.txt`, 15 and 26.

use crate::utf8::{
    JOINTS, MIXED_JOINTS, NARROW_JOINTS, PARTIAL_JOINTS, is_wide, joint, length, mixed_joint,
    partial_joint,
};

/// What the build found out: of two neighbours, a bit where a merge joins them or others that share it.
pub(crate) struct Joints {
    /// Of two wide characters.
    wide: &'static [u8; JOINTS / 8],
    /// Of two narrow ones.
    narrow: &'static [u8; NARROW_JOINTS / 8],
    /// Of two of which only one is wide.
    mixed: &'static [u8; MIXED_JOINTS / 8],
    /// Of two that are wide, or narrow, one of which the merge has not whole.
    partial: &'static [u8; PARTIAL_JOINTS / 8],
}

/// A character's bytes, the first one lowest, and then zeros.
type Character = u32;

impl Joints {
    pub(crate) fn new(data: &'static [u8]) -> Self {
        let parts = data.split_first_chunk().and_then(|(wide, data)| {
            let (narrow, data) = data.split_first_chunk()?;
            let (mixed, data) = data.split_first_chunk()?;
            Some(Self { wide, narrow, mixed, partial: data.first_chunk()? })
        });
        parts.unwrap_or_else(|| unreachable!("the build writes all four"))
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
        // `each` is called in one place, so that it is compiled into its caller.
        loop {
            let right = (at < end).then(|| character(text, at));
            if right.is_none_or(|right| !self.join(left, right)) {
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

    /// Where characters of a block begin that nothing joins to the one before: of those that are wide and
    /// come after a wide one of three bytes or of `four`, and of those where only one is wide.
    #[inline(always)]
    pub(crate) fn apart(&self, bytes: &[u8; 68], three: u64, four: u64, mut mixed: u64) -> u64 {
        let load = |place: u32| match bytes[place as usize % 64..].first_chunk() {
            Some(four) => u32::from_le_bytes(*four),
            None => 0,
        };
        let mut wide = three | four;
        let mut apart = 0;
        while wide != 0 {
            let place = wide.trailing_zeros();
            wide &= wide - 1;
            let right = load(place);
            let right = right & u32::MAX >> (8 * u32::from((right as u8) < 0xF0));
            let after_three = (three >> place) as u32 & 1;
            let left = load(place + after_three - 4) & u32::MAX >> (8 * after_three);
            apart |= u64::from(!self.join_wide(left, right)) << place;
        }
        while mixed != 0 {
            let place = mixed.trailing_zeros();
            mixed &= mixed - 1;
            let [last, first, ..] = load(place - 1).to_le_bytes();
            apart |= u64::from(!self.join_mixed(last, first)) << place;
        }
        apart
    }

    /// Whether a merge may join parts of two neighbours.
    #[inline(always)]
    pub(crate) fn join(&self, left: Character, right: Character) -> bool {
        match (left as u8, right as u8) {
            (a, b) if is_wide(a) && is_wide(b) => self.join_wide(left, right),
            (a, b) if is_narrow(a) && is_narrow(b) => self.join_narrow(left, right),
            (a, b) if is_wide(a) != is_wide(b) => self.join_mixed(last(left), b),
            _ => true,
        }
    }

    #[inline(always)]
    fn join_wide(&self, left: Character, right: Character) -> bool {
        is_set(self.wide, joint(left, right))
            | is_set(self.partial, partial_joint(last(left), right as u8))
    }

    #[inline(always)]
    fn join_narrow(&self, left: Character, right: Character) -> bool {
        is_set(self.narrow, joint(left, right) % NARROW_JOINTS)
            | is_set(self.partial, partial_joint(last(left), right as u8))
    }

    /// The same of two of which only one is wide, by the bytes in which they meet.
    #[inline(always)]
    fn join_mixed(&self, last: u8, first: u8) -> bool {
        is_set(self.mixed, mixed_joint(last, first))
    }
}

/// Whether `first` begins a character of two bytes.
#[inline(always)]
fn is_narrow(first: u8) -> bool {
    matches!(first, 0xC0..0xE0)
}

#[inline(always)]
fn is_set(bits: &[u8], number: usize) -> bool {
    bits[number / 8] >> (number % 8) & 1 != 0
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

/// The last byte of a character.
#[inline(always)]
fn last(character: Character) -> u8 {
    (character >> (24 - (character.leading_zeros() & 24))) as u8
}

/// The number of bytes of a character; 1 where none begins.
#[inline(always)]
fn size(character: Character) -> usize {
    length(character as u8).max(1)
}
