//! Characters outside ASCII that need not be merged from their bytes.
//!
//! The bytes of a character that is a token have merged to it before anything else happens to
//! them, unless a merge of lower rank joins some of them, but not all, to what lies before or
//! after. Such merges are few (166 pairs of bytes meet in those of o200k): their token has only a
//! character's beginning after the place where its parts meet, or only an end before it. The
//! least rank of any is kept by the two bytes that meet there, and where those of both edges of a
//! character are above its own, it is a token from the start: all its merges come before. With
//! o200k that is so for 93 % of the characters outside ASCII in European texts, 91 % in Chinese,
//! 85 % in Russian and 70 % in Korean ones.

use crate::merges::NONE;

pub(crate) struct Characters {
    /// By code point below 2^16, the id of the token that is the character, plus one; or 0.
    tokens: Box<[u32]>,
    /// By the last byte of one character and the first of the next (all of ASCII is one), the
    /// complement of the least id of a token that joins parts of them; or 0.
    seams: Box<[u32]>,
}

/// The number of bytes of the character that begins with `first`; 0 for one that begins none.
const fn length(first: u8) -> usize {
    match first {
        ..0x80 => 1,
        0x80..0xC0 => 0,
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        0xF0.. => 4,
    }
}

#[inline(always)]
fn seam(last: u8, first: u8) -> usize {
    let first = if first < 0x80 { 0 } else { first & 63 };
    usize::from(last) << 6 | usize::from(first)
}

const fn is_inner(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

impl Characters {
    pub(crate) fn new() -> Self {
        Self { tokens: vec![0; 1 << 16].into(), seams: vec![0; 1 << 14].into() }
    }

    /// Takes note of a token, of two bytes or more, that is made of two others which meet at
    /// byte `cut`.
    pub(crate) fn enter(&mut self, id: u32, token: &[u8], cut: usize) {
        let (first, meeting) = (token[0], token[cut]);
        if first >= 0xC0
            && length(first) == token.len()
            && token[1..].iter().all(|byte| is_inner(*byte))
            && let Some(character) = point(token, 0)
        {
            self.tokens[character] = id + 1;
        }
        let is_beginning = token.len() - cut < length(meeting);
        let is_end = is_inner(first) && token[..cut].iter().all(|byte| is_inner(*byte));
        if !is_inner(meeting) && (is_beginning || is_end) {
            let least = &mut self.seams[seam(token[cut - 1], meeting)];
            *least = (*least).max(!id);
        }
    }

    /// The token that the character at `at`, outside ASCII, can be taken for, with its length.
    /// `text` is UTF-8, but may begin and end within a character.
    #[inline(always)]
    pub(crate) fn token(&self, text: &[u8], at: usize) -> Option<(u32, usize)> {
        let token = self.tokens[point(text, at)?].wrapping_sub(1);
        let end = at + length(text[at]);
        let before = match at.checked_sub(1) {
            Some(last) => !self.seams[seam(text[last], text[at])],
            None => NONE,
        };
        let after = match text.get(end) {
            Some(first) => !self.seams[seam(text[end - 1], *first)],
            None => NONE,
        };
        (token < before.min(after)).then_some((token, end - at))
    }
}

/// The code point of the character of two or three bytes at `at`.
#[inline(always)]
fn point(text: &[u8], at: usize) -> Option<usize> {
    let inner = |i: usize| text.get(at + i).map(|byte| usize::from(byte & 63));
    let first = usize::from(text[at]);
    match first {
        0xC0..0xE0 => Some((first & 31) << 6 | inner(1)?),
        0xE0..0xF0 => Some((first & 15) << 12 | inner(1)? << 6 | inner(2)?),
        _ => None,
    }
}
