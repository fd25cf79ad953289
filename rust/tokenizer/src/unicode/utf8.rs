//! UTF-8 by bytes, for byte strings that may begin and end within a character.
//!
//! The build script includes this file.

/// The number of bytes of the character that begins with `first`; 0 for a continuation byte.
pub(crate) const fn length(first: u8) -> usize {
    match first {
        ..0x80 => 1,
        0x80..0xC0 => 0,
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        0xF0.. => 4,
    }
}

/// The code point of the character of two or three bytes at `at`, which is less than 2^16.
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

/// Whether `first` begins a wide character: one of three or four bytes.
#[inline(always)]
pub(crate) const fn is_wide(first: u8) -> bool {
    first >= 0xE0
}
