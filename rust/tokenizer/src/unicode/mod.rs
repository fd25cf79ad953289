//! Character classes by a two-stage table, for Unicode 16.
//!
//! The first stage maps a block of 128 code points to one of the distinct blocks; the second stage maps a code
//! point of that block to its class. `build/unicode.rs` generates both from the tables of `regex-syntax`, which
//! tiktoken's own regex engine uses.

pub(crate) mod utf8;

include!(concat!(env!("OUT_DIR"), "/classes.rs"));

/// The version of Unicode that the classes follow: the version of tiktoken's regex engine.
pub const UNICODE_VERSION: u8 = 16;

/// The class of a character, as far as the patterns of the encodings distinguish classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Class {
    /// `\p{Ll}`
    Lower,
    /// `\p{Lu}` or `\p{Lt}`
    Upper,
    /// `\p{Lm}` or `\p{Lo}`: letters without case, as in Chinese
    Letter,
    /// `\p{M}`
    Mark,
    /// `\p{N}`
    Number,
    /// `\s` without the line ends
    Space,
    /// `\r` or `\n`
    LineEnd,
    /// Everything else: punctuation, symbols, controls, unassigned code points
    Other,
    /// The end of the text
    End,
}

impl Class {
    /// `\p{L}`
    #[inline(always)]
    pub(crate) fn is_letter(self) -> bool {
        (self as u8) <= Self::Letter as u8
    }

    /// `\p{L}` or `\p{M}`
    #[inline(always)]
    pub(crate) fn is_letter_or_mark(self) -> bool {
        (self as u8) <= Self::Mark as u8
    }

    /// `\s`
    #[inline(always)]
    pub(crate) fn is_space(self) -> bool {
        matches!(self, Self::Space | Self::LineEnd)
    }

    /// `[^\s\p{L}\p{N}]`
    #[inline(always)]
    pub(crate) fn is_symbol(self) -> bool {
        matches!(self, Self::Other | Self::Mark)
    }
}

const BY_NUMBER: [Class; 8] = [
    Class::Lower,
    Class::Upper,
    Class::Letter,
    Class::Mark,
    Class::Number,
    Class::Space,
    Class::LineEnd,
    Class::Other,
];

/// The classes of 128 characters, laid out for byte shuffles indexed by the lowest four bits of a character.
/// There are three bits of a [`code`] for each character; `build/unicode.rs` describes their order.
#[cfg(has_vector_kernels)]
pub(crate) type Page = [[u8; 16]; 3];

/// The three bits that stand for a class in a [`Page`].
#[inline(always)]
pub(crate) fn code(class: Class) -> u32 {
    let codes = CODES.iter().rev().fold(0, |codes, code| codes << 4 | u32::from(*code));
    codes.unbounded_shr(4 * class as u32) & 7
}

/// The page of the character of two or three bytes that begins with these two bytes.
#[cfg(has_vector_kernels)]
#[inline(always)]
pub(crate) fn page(first: u8, second: u8) -> &'static Page {
    let (first, second) = (usize::from(first), usize::from(second & 63));
    let block = if first < 0xE0 { (first & 31) >> 1 } else { (first & 15) << 5 | second >> 1 };
    &PAGES[usize::from(INDEX[block])]
}

/// The class of a code point.
#[inline(always)]
pub(crate) fn class(point: u32) -> Class {
    let block = INDEX.get(point as usize / 128).copied().unwrap_or(0);
    BY_NUMBER[(BLOCKS[usize::from(block)][point as usize % 128] & 7) as usize]
}

/// The class of the character at byte `at` of UTF-8 `text`, and its length in bytes.
/// At the end of the text: [`Class::End`] and 0.
#[inline(always)]
pub(crate) fn class_at(text: &[u8], at: usize) -> (Class, usize) {
    let Some(&first) = text.get(at) else { return (Class::End, 0) };
    if first < 0x80 {
        return (BY_NUMBER[(BLOCKS[0][first as usize & 127] & 7) as usize], 1);
    }
    non_ascii_class_at(text, at, first)
}

#[inline]
fn non_ascii_class_at(text: &[u8], at: usize, first: u8) -> (Class, usize) {
    let four = match text[at..].first_chunk() {
        Some(four) => u32::from_be_bytes(*four),
        None => {
            text[at..].iter().fold(0, |four, byte| four << 8 | u32::from(*byte))
                << (8 * (at + 4 - text.len()))
        }
    };
    // The payload bits of byte `i`, and those of the first byte, each shifted to their position in the code point.
    let inner = |i: u32, shift: u32| (four >> (24 - 8 * i) & 0x3F) << shift;
    let lead = |mask: u32, shift: u32| (u32::from(first) & mask) << shift;
    match first {
        ..0xE0 => (class(lead(0x1F, 6) | inner(1, 0)), 2),
        0xE0..0xF0 => (class(lead(0x0F, 12) | inner(1, 6) | inner(2, 0)), 3),
        _ => (class(lead(0x07, 18) | inner(1, 12) | inner(2, 6) | inner(3, 0)), 4),
    }
}
