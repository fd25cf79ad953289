//! Hashes and indices of character boundaries, for the tables that say where merges cross them.
//!
//! The build script includes this file, so that it and the engine agree.

/// An index below 2^14 for the last byte of a character and the first byte of the next one. All ASCII first bytes
/// share one index.
#[inline(always)]
pub(crate) fn byte_pair(last: u8, first: u8) -> usize {
    let first = if first < 0x80 { 0 } else { first & 63 };
    usize::from(last) << 6 | usize::from(first)
}

/// The range of [`char_pair`]. In o200k, merges set the bit of one in 25 of these pairs. What a smaller range costs
/// is in `bench/record/2026-11-26-engine-tables.txt`.
pub(crate) const WIDE_PAIRS: usize = 1 << 18;
/// The range of [`mixed_pair`].
pub(crate) const MIXED_PAIRS: usize = 1 << 16;
/// The range of [`partial_pair`].
pub(crate) const PARTIAL_PAIRS: usize = 1 << 12;

/// The hash of two neighbouring wide characters, each given by its bytes in little-endian order.
#[inline(always)]
pub(crate) const fn char_pair(left: u32, right: u32) -> usize {
    let both = (left as u64) << 32 | right as u64;
    (both.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - WIDE_PAIRS.trailing_zeros())) as usize
}

/// The index of the last byte of a character and the first byte of the next one.
#[inline(always)]
pub(crate) const fn mixed_pair(last: u8, first: u8) -> usize {
    (last as usize) << 8 | first as usize
}

/// The index of the last byte of a wide character and the first byte of the next one.
#[inline(always)]
pub(crate) const fn partial_pair(last: u8, first: u8) -> usize {
    (last as usize & 63) << 6 | first as usize & 63
}
