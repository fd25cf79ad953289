//! Hash functions of a perfect hash table built by hash and displace.
//!
//! Keys fall into small buckets. For each bucket the build searches a displacement that sends its keys to slots that
//! no other key has (Belazzougui, Botelho and Dietzfelbinger, "Hash, displace, and compress", 2009). So a lookup is
//! two loads and no probing. A slot holds an id and a tag of fourteen bits of the hash; the caller compares the key
//! itself, as a few foreign keys pass the tag.
//!
//! The build script includes this file, so that it and the engine agree.

/// An id takes this many bits in packed entries.
pub(crate) const ID_BITS: u32 = 18;

/// There is a bucket for every eight slots, hence for six keys or fewer on average.
pub(crate) const SLOTS_PER_BUCKET_BITS: u32 = 3;

/// The hash of a left and a right id, the right one shifted by [`ID_BITS`]. Multiplicative (Fibonacci) hashing.
#[inline(always)]
pub(crate) const fn pair_hash(pair: u64) -> u64 {
    pair.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// The hash of up to 15 bytes padded with zeros, with their number in the last byte. The halves of one 128-bit
/// product are folded.
#[inline(always)]
pub(crate) const fn key_hash(key: u128) -> u64 {
    let (low, high) =
        (key as u64 ^ 0x9E37_79B9_7F4A_7C15, (key >> 64) as u64 ^ 0xC2B2_AE3D_27D4_EB4F);
    let product = low as u128 * high as u128;
    product as u64 ^ (product >> 64) as u64
}

/// The bucket of a hash.
#[inline(always)]
pub(crate) const fn bucket(hash: u64, bucket_bits: u32) -> usize {
    (hash >> (64 - bucket_bits)) as usize
}

/// The slot of a hash whose bucket has this displacement.
#[inline(always)]
pub(crate) const fn slot(hash: u64, displacement: u16, slot_bits: u32) -> usize {
    ((hash ^ displacement as u64).wrapping_mul(0xC2B2_AE3D_27D4_EB4F) >> (64 - slot_bits)) as usize
}

/// The bits of a hash that are compared, at their position in an entry above the id. They are not among the bits that
/// choose the bucket.
#[inline(always)]
pub(crate) const fn tag(hash: u64) -> u32 {
    (hash >> 14) as u32 & (u32::MAX << ID_BITS)
}
