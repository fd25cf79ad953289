//! The splitting pattern of `cl100k_base`.

use super::{
    block::{Block, below, run_starts, to_run_end},
    scan::{WhitespaceRun, contraction, run, up_to_three_numbers},
    splitter::Splitter,
};
use crate::unicode::{Class, class_at};

/// `'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*`
/// `|\s+$|\s*[\r\n]|\s+(?!\S)|\s`
pub(crate) struct Cl100k;

impl Splitter for Cl100k {
    const HAS_CASE: bool = false;

    #[inline]
    fn end(text: &[u8], at: usize) -> usize {
        if let Some(end) = contraction(text, at) {
            return end;
        }
        let (first, length) = class_at(text, at);
        match first {
            class if class.is_letter() => run(text, at + length, Class::is_letter),
            Class::Number => up_to_three_numbers(text, at),
            Class::LineEnd => whitespace(text, at),
            _ => {
                let next = class_at(text, at + length).0;
                if next.is_letter() {
                    run(text, at + length, Class::is_letter)
                } else if first.is_symbol() || (text[at] == b' ' && next.is_symbol()) {
                    let symbols = run(text, at + length, Class::is_symbol);
                    run(text, symbols, |class| class == Class::LineEnd)
                } else {
                    whitespace(text, at)
                }
            }
        }
    }

    #[inline(always)]
    fn starts(block: &mut Block, text: &[u8], at: usize) -> u64 {
        let taken = to_run_end(block.line_end & block.symbol << 1, block.line_end);
        let white = block.whitespace_with_lines(taken, true);
        let symbols = run_starts(block.symbol) & !white.after_space;
        let attached = white.after_blank | block.after_first(symbols);
        let words = run_starts(block.upper | block.lower) & !attached;
        let mut starts = white.starts | symbols | words | block.digits_by_three();

        let mut quotes = block.apostrophe & symbols;
        while quotes != 0 {
            let quote = quotes.trailing_zeros();
            quotes &= quotes - 1;
            if let Some(end) = contraction(text, at + quote as usize) {
                let end = (end - at) as u32;
                starts |= below(end + 1) & !below(end);
            }
        }
        starts
    }

    #[inline(always)]
    fn resumable(block: &Block) -> u64 {
        block.letter()
    }
}

/// The end of `\s+$|\s*[\r\n]|\s+(?!\S)|\s` at `at`.
fn whitespace(text: &[u8], at: usize) -> usize {
    let run = WhitespaceRun::new(text, at);
    match run.after_line_end {
        Some(end) if run.end < text.len() => end,
        _ => run.end_before_next(text, at),
    }
}
