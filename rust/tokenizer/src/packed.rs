//! The tokens of a piece in one 128-bit word of four lanes.
//!
//! An encoder that finds a piece writes its ids to the output. Nearly always there are at most three, and
//! the first three stand in the word as they do in the output, so that one mask and one store of 16 bytes
//! write them all, however many there are.

use crate::perfect_hash::ID_BITS;

/// Up to six tokens.
///
/// Each of the first three lanes of 32 bits holds an id and, above it, the lower bits of one of the three
/// later ids. The last lane holds the upper bits of those, and in its last byte how many tokens there are.
#[derive(Clone, Copy)]
pub(crate) struct Packed(pub(crate) u128);

/// Where the count is.
const COUNT: u32 = 120;
const LANE_BITS: u32 = u32::BITS;
/// Bits of a later id that stand above one of the first three.
const LOWER_BITS: u32 = LANE_BITS - ID_BITS;
/// Bits of a later id that stand in the last lane.
const UPPER_BITS: u32 = ID_BITS - LOWER_BITS;
/// Where those of the first later id are.
const UPPER: u32 = Packed::FEW as u32 * LANE_BITS;
const ID: u32 = (1 << ID_BITS) - 1;

const _: () = assert!(Packed::MOST == 2 * Packed::FEW && Packed::LANES == Packed::FEW + 1);
const _: () = assert!(UPPER + Packed::FEW as u32 * UPPER_BITS <= COUNT, "the last lane has room");

impl Packed {
    /// How many tokens it can hold.
    pub(crate) const MOST: usize = 6;
    /// How many of them are written as they stand in the word. There hardly ever are more.
    pub(crate) const FEW: usize = 3;
    /// How many places of the output that takes.
    pub(crate) const LANES: usize = 4;

    /// These tokens, at most six.
    pub(crate) fn new(tokens: &[u32]) -> Self {
        Self::of_first(tokens, tokens.len())
    }

    /// The first `count` of these, at most six. What the others are is of no account.
    #[inline(always)]
    pub(crate) fn of_first(tokens: &[u32], count: usize) -> Self {
        let id = |number: usize| tokens.get(number).map_or(0, |id| id & ID);
        let mut word = (count as u128) << COUNT;
        for lane in 0..Self::FEW {
            let later = id(Self::FEW + lane);
            let lower = id(lane) | later << ID_BITS;
            let upper = later >> LOWER_BITS;
            word |= u128::from(lower) << (LANE_BITS * lane as u32);
            word |= u128::from(upper) << (UPPER + UPPER_BITS * lane as u32);
        }
        Self(word)
    }

    /// How many tokens there are.
    #[inline(always)]
    pub(crate) fn count(self) -> usize {
        (self.0 >> COUNT) as usize
    }

    /// The tokens.
    #[inline(always)]
    pub(crate) fn ids(self) -> impl Iterator<Item = u32> {
        self.lanes().into_iter().take(Self::FEW).chain(self.later()).take(self.count())
    }

    /// The first three ids, there or not, and a zero.
    #[inline(always)]
    pub(crate) fn lanes(self) -> [u32; Self::LANES] {
        const FIRST: u128 =
            ID as u128 | (ID as u128) << LANE_BITS | (ID as u128) << (2 * LANE_BITS);
        let word = self.0 & FIRST;
        std::array::from_fn(|lane| (word >> (LANE_BITS * lane as u32)) as u32)
    }

    /// The three ids after those, there or not.
    #[inline(always)]
    pub(crate) fn later(self) -> [u32; Self::MOST - Self::FEW] {
        std::array::from_fn(|lane| {
            let lower = (self.0 >> (LANE_BITS * lane as u32)) as u32 >> ID_BITS;
            let upper = (self.0 >> (UPPER + UPPER_BITS * lane as u32)) as u32;
            (lower | upper << LOWER_BITS) & ID
        })
    }
}
