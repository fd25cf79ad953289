//! The hash of a pair of tokens, which the build and the engine have to agree on.
//!
//! The table of merges has a place for every pair and no two pairs in one place, so that a look-up
//! is one load and no search: pairs fall into groups, and for each group the build finds a number
//! that sends its pairs to places no other pair has ("hash, displace").

/// An id takes this many bits in packed entries.
pub(crate) const ID_BITS: u32 = 18;

/// There is a group for every eight places, so for six pairs or less.
pub(crate) const PLACES_PER_GROUP_BITS: u32 = 3;

/// The hash of a left and a right id, the right one shifted by [`ID_BITS`].
#[inline(always)]
pub(crate) const fn hash(pair: u64) -> u64 {
    pair.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// The group of a hash.
#[inline(always)]
pub(crate) const fn group(hash: u64, group_bits: u32) -> usize {
    (hash >> (64 - group_bits)) as usize
}

/// The place of a hash whose group has the number `displacement`.
#[inline(always)]
pub(crate) const fn place(hash: u64, displacement: u16, place_bits: u32) -> usize {
    ((hash ^ displacement as u64).wrapping_mul(0xC2B2_AE3D_27D4_EB4F) >> (64 - place_bits)) as usize
}
