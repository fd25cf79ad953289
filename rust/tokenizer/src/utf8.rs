//! What the bytes of UTF-8 say, where a text may begin and end within a character. The build and the
//! engine have to agree on [`seam`], [`point`] and the joints.

/// The number of bytes of the character that begins with `first`; 0 for one that begins none.
pub(crate) const fn length(first: u8) -> usize {
    match first {
        ..0x80 => 1,
        0x80..0xC0 => 0,
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        0xF0.. => 4,
    }
}

/// A number below 2^14 for the last byte of one character and the first of the next; all of ASCII
/// is one.
#[inline(always)]
pub(crate) fn seam(last: u8, first: u8) -> usize {
    let first = if first < 0x80 { 0 } else { first & 63 };
    usize::from(last) << 6 | usize::from(first)
}

/// The code point of the character of two or three bytes at `at`: below 2^16.
#[inline(always)]
pub(crate) fn point(text: &[u8], at: usize) -> Option<usize> {
    let inner = |i: usize| text.get(at + i).map(|byte| usize::from(byte & 63));
    let first = usize::from(text[at]);
    match first {
        0xC0..0xE0 => Some((first & 31) << 6 | inner(1)?),
        0xE0..0xF0 => Some((first & 15) << 12 | inner(1)? << 6 | inner(2)?),
        _ => None,
    }
}

/// Whether `first` begins a character of three or four bytes.
#[inline(always)]
pub(crate) const fn is_wide(first: u8) -> bool {
    first >= 0xE0
}

/// How many numbers [`joint`] gives: o200k joins pairs of a 25th of them. What fewer cost is in
/// `bench/record/2026-11-26-engine-tables.txt`.
pub(crate) const JOINTS: usize = 1 << 18;

/// Of those the lowest bits serve for two narrow ones: o200k joins pairs of a fifteenth of them.
pub(crate) const NARROW_JOINTS: usize = 1 << 16;
/// How many numbers [`mixed_joint`] gives.
pub(crate) const MIXED_JOINTS: usize = 1 << 16;
/// How many numbers [`partial_joint`] gives.
pub(crate) const PARTIAL_JOINTS: usize = 1 << 12;

/// A number for two characters next to each other, each given by its bytes, the first one lowest.
#[inline(always)]
pub(crate) const fn joint(left: u32, right: u32) -> usize {
    let both = (left as u64) << 32 | right as u64;
    (both.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - JOINTS.trailing_zeros())) as usize
}

/// A number for the last byte of a character and the first of the next.
#[inline(always)]
pub(crate) const fn mixed_joint(last: u8, first: u8) -> usize {
    (last as usize) << 8 | first as usize
}

/// The same where neither is of ASCII.
#[inline(always)]
pub(crate) const fn partial_joint(last: u8, first: u8) -> usize {
    (last as usize & 63) << 6 | first as usize & 63
}
