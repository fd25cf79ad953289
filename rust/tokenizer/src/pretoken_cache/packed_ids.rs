//! Up to six token ids packed into one 128-bit word of four lanes.
//!
//! An encoder that finds a pre-token writes its ids to the output. Nearly all pre-tokens have at most three tokens,
//! and the first three ids have the layout of the output, so that one mask and one store of 16 bytes write
//! them, whatever their number.

use crate::vocab::perfect_hash::ID_BITS;

/// Up to six token ids.
///
/// Each of the first three lanes of 32 bits holds an id and, above it, the lower bits of one of the three later ids.
/// The last lane holds the upper bits of the later ids and, in its highest byte, the number of ids.
#[derive(Clone, Copy)]
pub(crate) struct PackedIds(pub(crate) u128);

/// The bit at which the count begins.
const COUNT: u32 = 120;
const LANE_BITS: u32 = u32::BITS;
/// The number of bits of a later id that are above one of the first three.
const LOWER_BITS: u32 = LANE_BITS - ID_BITS;
/// The number of bits of a later id that are in the last lane.
const UPPER_BITS: u32 = ID_BITS - LOWER_BITS;
/// The bit at which the upper bits of the first later id begin.
const UPPER: u32 = PackedIds::FIRST as u32 * LANE_BITS;
const ID: u32 = (1 << ID_BITS) - 1;

const _: () =
    assert!(PackedIds::MAX == 2 * PackedIds::FIRST && PackedIds::LANES == PackedIds::FIRST + 1);
const _: () =
    assert!(UPPER + PackedIds::FIRST as u32 * UPPER_BITS <= COUNT, "the last lane has room");

impl PackedIds {
    /// The greatest number of ids.
    pub(crate) const MAX: usize = 6;
    /// The number of ids that are written as they are in the word.
    pub(crate) const FIRST: usize = 3;
    /// The number of output elements that this store writes.
    pub(crate) const LANES: usize = 4;

    /// Packs these ids, at most six.
    pub(crate) fn new(ids: &[u32]) -> Self {
        Self::of_first(ids, ids.len())
    }

    /// Packs the first `count` of these ids, at most six. Lanes past `count` are unspecified.
    #[inline(always)]
    pub(crate) fn of_first(ids: &[u32], count: usize) -> Self {
        let id = |index: usize| ids.get(index).map_or(0, |id| id & ID);
        let mut word = (count as u128) << COUNT;
        for lane in 0..Self::FIRST {
            let later = id(Self::FIRST + lane);
            let lower = id(lane) | later << ID_BITS;
            let upper = later >> LOWER_BITS;
            word |= u128::from(lower) << (LANE_BITS * lane as u32);
            word |= u128::from(upper) << (UPPER + UPPER_BITS * lane as u32);
        }
        Self(word)
    }

    /// The number of ids.
    #[inline(always)]
    pub(crate) fn count(self) -> usize {
        (self.0 >> COUNT) as usize
    }

    /// The ids in order.
    #[inline(always)]
    pub(crate) fn ids(self) -> impl Iterator<Item = u32> {
        self.lanes().into_iter().take(Self::FIRST).chain(self.later()).take(self.count())
    }

    /// The first three ids and a zero. Those past [`Self::count`] are unspecified.
    #[inline(always)]
    pub(crate) fn lanes(self) -> [u32; Self::LANES] {
        const FIRST: u128 =
            ID as u128 | (ID as u128) << LANE_BITS | (ID as u128) << (2 * LANE_BITS);
        let word = self.0 & FIRST;
        std::array::from_fn(|lane| (word >> (LANE_BITS * lane as u32)) as u32)
    }

    /// The three later ids. Those past [`Self::count`] are unspecified.
    #[inline(always)]
    pub(crate) fn later(self) -> [u32; Self::MAX - Self::FIRST] {
        std::array::from_fn(|lane| {
            let lower = (self.0 >> (LANE_BITS * lane as u32)) as u32 >> ID_BITS;
            let upper = (self.0 >> (UPPER + UPPER_BITS * lane as u32)) as u32;
            (lower | upper << LOWER_BITS) & ID
        })
    }
}
