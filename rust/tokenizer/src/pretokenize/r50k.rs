//! The splitting pattern of `r50k_base`, `p50k_base` and `p50k_edit`.

use super::{
    block::{Block, below, run_starts},
    scan::{WhitespaceRun, run},
    splitter::Splitter,
};
use crate::unicode::{Class, class_at};

/// `'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+$|\s+(?!\S)|\s`
pub(crate) struct R50k;

impl Splitter for R50k {
    const HAS_CASE: bool = false;

    #[inline]
    fn end(text: &[u8], at: usize) -> usize {
        if let Some(end) = lower_contraction(text, at) {
            return end;
        }
        let after_space = at + usize::from(text[at] == b' ');
        match class_at(text, after_space).0 {
            class if class.is_letter() => run(text, after_space, Class::is_letter),
            Class::Number => run(text, after_space, |class| class == Class::Number),
            class if class.is_symbol() => run(text, after_space, Class::is_symbol),
            _ => WhitespaceRun::new(text, at).end_before_next(text, at),
        }
    }

    #[inline(always)]
    fn starts(block: &mut Block, text: &[u8], at: usize) -> u64 {
        let white = block.whitespace_without_lines();
        let symbols = run_starts(block.symbol) & !white.after_space;
        let words = run_starts(block.upper | block.lower) & !white.after_space;
        let numbers = run_starts(block.digit) & !white.after_space;
        let mut starts = white.starts | symbols | words | numbers;

        // A contraction is one pre-token, so its letters begin none.
        let mut quotes = block.apostrophe & symbols;
        while quotes != 0 {
            let quote = quotes.trailing_zeros();
            quotes &= quotes - 1;
            if let Some(end) = lower_contraction(text, at + quote as usize) {
                let end = (end - at) as u32;
                starts &= !(below(end) & !below(quote + 1));
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

/// The end of `'(?:[sdmt]|ll|ve|re)`, in lower case only, at `at`, if it matches.
#[inline(always)]
fn lower_contraction(text: &[u8], at: usize) -> Option<usize> {
    if text[at] != b'\'' {
        return None;
    }
    match (text.get(at + 1)?, text.get(at + 2)) {
        (b's' | b't' | b'm' | b'd', _) => Some(at + 2),
        (b'r' | b'v', Some(b'e')) | (b'l', Some(b'l')) => Some(at + 3),
        _ => None,
    }
}
