//! Scalar scans over runs of a character class, for the parts of patterns that masks do not decide.

use crate::unicode::{Class, class_at};

/// The end of the run of characters from `at` on whose class satisfies `class`.
#[inline(always)]
pub(super) fn run(text: &[u8], mut at: usize, class: impl Fn(Class) -> bool) -> usize {
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
pub(super) fn up_to_three_numbers(text: &[u8], mut at: usize) -> usize {
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
pub(super) struct WhitespaceRun {
    /// The end of the run.
    pub(super) end: usize,
    /// The beginning of its last character.
    last: usize,
    /// The end of its last line end, if it has one.
    pub(super) after_line_end: Option<usize>,
}

impl WhitespaceRun {
    pub(super) fn new(text: &[u8], start: usize) -> Self {
        let mut run = Self { end: start, last: start, after_line_end: None };
        loop {
            let (found, length) = class_at(text, run.end);
            if !found.is_space() {
                return run;
            }
            run.last = run.end;
            run.end += length;
            if found == Class::LineEnd {
                run.after_line_end = Some(run.end);
            }
        }
    }

    /// The end of `\s+(?!\S)|\s`: without the last character of the run, unless it is the only one or ends the text.
    pub(super) fn end_before_next(&self, text: &[u8], start: usize) -> usize {
        if self.end == text.len() || self.last == start { self.end } else { self.last }
    }
}

/// The end of `(?i:'s|'t|'re|'ve|'m|'ll|'d)` at `at`, if it matches. Case folding maps `ſ`, U+017F, to `s`.
#[inline(always)]
pub(super) fn contraction(text: &[u8], at: usize) -> Option<usize> {
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
