//! The pattern of `cl100k_base`.

use super::{Blank, Splitter, contraction, run, up_to_three_numbers};
use crate::unicode::{Class, class_at};

/// `'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*`
/// `|\s+$|\s*[\r\n]|\s+(?!\S)|\s`
pub(crate) struct Cl100k;

impl Splitter for Cl100k {
    #[inline]
    fn end(text: &[u8], at: usize) -> usize {
        if let Some(end) = contraction(text, at) {
            return end;
        }
        let (first, length) = class_at(text, at);
        match first {
            class if class.is_letter() => run(text, at + length, Class::is_letter),
            Class::Number => up_to_three_numbers(text, at),
            Class::LineEnd => blank(text, at),
            _ => {
                let next = class_at(text, at + length).0;
                if next.is_letter() {
                    run(text, at + length, Class::is_letter)
                } else if first.is_symbol() || (text[at] == b' ' && next.is_symbol()) {
                    let symbols = run(text, at + length, Class::is_symbol);
                    run(text, symbols, |class| class == Class::LineEnd)
                } else {
                    blank(text, at)
                }
            }
        }
    }
}

/// `\s+$|\s*[\r\n]|\s+(?!\S)|\s`
fn blank(text: &[u8], at: usize) -> usize {
    let blank = Blank::run(text, at);
    match blank.after_line_end {
        Some(end) if blank.end < text.len() => end,
        _ => blank.end_before_next(text, at),
    }
}
