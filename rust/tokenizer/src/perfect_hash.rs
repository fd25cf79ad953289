//! The hashes of pieces and of pairs of tokens, which the build and the engine have to agree on.
//!
//! A perfect table has a place for every key that it knows and no two keys in one place, so that a
//! look-up is one load and no search: keys fall into groups, and for each group the build finds a
//! number that sends its keys to places no other key has ("hash, displace"; Belazzougui, Botelho,
//! Dietzfelbinger, 2009). A place holds an id and fourteen bits of the hash. What those let through
//! the caller compares with the key itself.

/// An id takes this many bits in packed entries.
pub(crate) const ID_BITS: u32 = 18;

/// There is a group for every eight places, so for six keys or less.
pub(crate) const PLACES_PER_GROUP_BITS: u32 = 3;

/// The hash of a left and a right id, the right one shifted by [`ID_BITS`].
#[inline(always)]
pub(crate) const fn pair_hash(pair: u64) -> u64 {
    pair.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// The hash of up to 15 bytes, followed by zeros, with their number in the last byte.
#[inline(always)]
pub(crate) const fn key_hash(key: u128) -> u64 {
    let (low, high) =
        (key as u64 ^ 0x9E37_79B9_7F4A_7C15, (key >> 64) as u64 ^ 0xC2B2_AE3D_27D4_EB4F);
    let product = low as u128 * high as u128;
    product as u64 ^ (product >> 64) as u64
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

/// The bits of a hash that are compared, as they stand in an entry above the id. They are not among
/// those that choose the group.
#[inline(always)]
pub(crate) const fn tag(hash: u64) -> u32 {
    (hash >> 14) as u32 & (u32::MAX << ID_BITS)
}
