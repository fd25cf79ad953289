//! The tokens of a piece in one word.

use crate::perfect_hash::ID_BITS;

/// Up to six tokens: ids of 18 bits, the first one lowest, and how many they are from bit 108 on.
#[derive(Clone, Copy)]
pub(crate) struct Packed(pub(crate) u128);

const COUNT: u32 = Packed::MOST as u32 * ID_BITS;

impl Packed {
    /// How many tokens it can hold.
    pub(crate) const MOST: usize = 6;
    /// How many of them lie in the lower half of the word. There hardly ever are more.
    pub(crate) const FEW: usize = (u64::BITS / ID_BITS) as usize;

    /// These tokens, at most six.
    pub(crate) fn new(tokens: &[u32]) -> Self {
        Self::of_first(tokens, tokens.len())
    }

    /// The first `count` of these, at most six. What the others are is of no account.
    #[inline(always)]
    pub(crate) fn of_first(tokens: &[u32], count: usize) -> Self {
        let ids = tokens.iter().rev().fold(0, |packed, &id| packed << ID_BITS | u128::from(id));
        Self(ids | (count as u128) << COUNT)
    }

    /// How many tokens there are.
    #[inline(always)]
    pub(crate) fn count(self) -> usize {
        (self.0 >> COUNT) as usize
    }

    /// The tokens.
    #[inline(always)]
    pub(crate) fn ids(self) -> impl Iterator<Item = u32> {
        self.first().chain(self.others()).take(self.count())
    }

    /// The first three ids, there or not.
    #[inline(always)]
    pub(crate) fn first(self) -> impl Iterator<Item = u32> {
        let few = self.0 as u64;
        (0..Self::FEW as u32).map(move |i| id(few >> (ID_BITS * i)))
    }

    /// The three ids after those, there or not.
    #[inline(always)]
    pub(crate) fn others(self) -> impl Iterator<Item = u32> {
        let word = self.0;
        (Self::FEW as u32..Self::MOST as u32).map(move |i| id((word >> (ID_BITS * i)) as u64))
    }
}

#[inline(always)]
fn id(bits: u64) -> u32 {
    bits as u32 & ((1 << ID_BITS) - 1)
}
