//! Splitting text into pieces, as the patterns of the encodings do, without a regex engine.
//!
//! Each family of encodings has one pattern and one splitter. A splitter answers one question:
//! where does the piece that begins here end? The patterns look ahead by a character or two and
//! never back, so the answer depends on the text from there on only, and the cost of splitting is
//! O(n): no character is looked at more than a few times.

use crate::unicode::{Class, class_at};
use block::Block;

pub(crate) mod block;
mod cl100k;
mod o200k;
mod r50k;
mod white;

pub(crate) use {cl100k::Cl100k, o200k::O200k, r50k::R50k};

/// The splitting pattern of a family of encodings.
pub(crate) trait Splitter {
    /// Where the piece of UTF-8 `text` that begins at byte `at` ends. `at` is a character's first
    /// byte and less than the length; the answer is more than `at`.
    fn end(text: &[u8], at: usize) -> usize;

    /// Whether the pattern tells capitals from small letters, and takes marks for letters.
    const HAS_CASE: bool;

    /// The piece starts of a block of `text` that begins at `at`, a bit each. Bit 0 may be set or
    /// not. Ends the block where the pattern asks for more than it has.
    fn starts(block: &mut Block, text: &[u8], at: usize) -> u64;

    /// The letters at which a piece may be cut and the rest of it end where it would have.
    fn resumable(block: &Block) -> u64;
}

/// The end of the run of characters from `at` on whose class is in `class`.
#[inline(always)]
fn run(text: &[u8], mut at: usize, class: impl Fn(Class) -> bool) -> usize {
    loop {
        let (found, length) = class_at(text, at);
        if !class(found) {
            return at;
        }
        at += length;
    }
}

/// The end of `\p{N}{1,3}`.
#[inline(always)]
fn up_to_three_numbers(text: &[u8], mut at: usize) -> usize {
    for _ in 0..3 {
        let (found, length) = class_at(text, at);
        if found != Class::Number {
            break;
        }
        at += length;
    }
    at
}

/// A run of white space.
struct Blank {
    /// Where the run ends.
    end: usize,
    /// Where its last character begins.
    last: usize,
    /// Where the part up to its last line end ends, if there is a line end.
    after_line_end: Option<usize>,
}

impl Blank {
    fn run(text: &[u8], start: usize) -> Self {
        let mut blank = Self { end: start, last: start, after_line_end: None };
        loop {
            let (found, length) = class_at(text, blank.end);
            if !found.is_space() {
                return blank;
            }
            blank.last = blank.end;
            blank.end += length;
            if found == Class::LineEnd {
                blank.after_line_end = Some(blank.end);
            }
        }
    }

    /// The end of `\s+(?!\S)|\s`: the last character goes to what follows, unless it is alone.
    fn end_before_next(&self, text: &[u8], start: usize) -> usize {
        if self.end == text.len() || self.last == start { self.end } else { self.last }
    }
}

/// The end of `(?i:'s|'t|'re|'ve|'m|'ll|'d)` at `at`, if it is there. Case folding makes `ſ`,
/// U+017F, an `s`.
#[inline(always)]
fn contraction(text: &[u8], at: usize) -> Option<usize> {
    if text.get(at) != Some(&b'\'') {
        return None;
    }
    let letter = |i: usize| text.get(at + i).map_or(0, |byte| byte | 0x20);
    match (letter(1), letter(2)) {
        (b's' | b't' | b'm' | b'd', _) => Some(at + 2),
        (b'r' | b'v', b'e') | (b'l', b'l') => Some(at + 3),
        _ if text.get(at + 1..at + 3) == Some("ſ".as_bytes()) => Some(at + 3),
        _ => None,
    }
}
