//! The splitting pattern of `o200k_base` and `o200k_harmony`.
//!
//! Its words have case: upper-case letters come before lower-case letters, and letters without case, as well as
//! marks, count as both. The two word branches of the pattern are, with `X` = upper case, caseless and marks, and
//! `Y` = lower case, caseless and marks:
//!
//! ```text
//! [^\r\n\p{L}\p{N}]? X* Y+ contraction?
//! [^\r\n\p{L}\p{N}]? X+ Y* contraction?
//! ```
//!
//! `X*` is greedy and backtracks only as far as `Y+` needs. So a word begins with the run of `X`. If a lower-case
//! letter follows, the word continues with the run of `Y`. Otherwise the word ends after the last character of the
//! run that is also in `Y`. If there is no such character, the word is the whole run, by the second branch.

use super::{
    block::{Block, below, run_starts, to_run_end},
    scan::{WhitespaceRun, contraction, run, up_to_three_numbers},
    splitter::Splitter,
};
use crate::unicode::{Class, class_at};

/// The word branches above, then
/// `\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
pub(crate) struct O200k;

impl Splitter for O200k {
    const HAS_CASE: bool = true;

    #[inline]
    fn end(text: &[u8], at: usize) -> usize {
        let (first, length) = class_at(text, at);
        match first {
            Class::Lower | Class::Upper | Class::Letter => word(text, at),
            Class::Number => up_to_three_numbers(text, at),
            Class::LineEnd => whitespace(text, at),
            Class::Mark => marked_word(text, at, at + length),
            _ => {
                let next = class_at(text, at + length).0;
                if next.is_letter_or_mark() {
                    word(text, at + length)
                } else if first == Class::Other {
                    symbols(text, at + length)
                } else if text[at] == b' ' && next == Class::Other {
                    symbols(text, at + 1)
                } else {
                    whitespace(text, at)
                }
            }
        }
    }

    #[inline(always)]
    fn starts(block: &mut Block, text: &[u8], at: usize) -> u64 {
        let mut capitals = block.upper & block.lower << 1;
        if block.upper & block.caseless << 1 != 0 {
            capitals |= capitals_after_caseless(block);
        }
        let tail = block.line_end | block.slash;
        let taken = to_run_end(block.line_end & block.symbol << 1, tail);
        let white = block.whitespace_with_lines(taken, false);
        let symbols = run_starts(block.symbol & !taken) & !white.after_space;
        let letter = block.letter();
        let attached = white.after_blank | block.after_first(symbols);
        let words = (run_starts(letter) & !attached) | capitals;
        let mut starts = white.starts | symbols | words | block.digits_by_three();

        let mut quotes = block.apostrophe & letter << 1 & letter >> 1;
        let mut contracted = 0;
        while quotes != 0 {
            let quote = quotes.trailing_zeros();
            quotes &= quotes - 1;
            // A contraction belongs to a word and not to another contraction.
            if quote != contracted
                && let Some(end) = contraction(text, at + quote as usize)
            {
                contracted = (end - at) as u32;
                starts &= !(below(contracted) & !below(quote));
                starts |= below(contracted + 1) & !below(contracted);
            }
        }
        starts
    }

    /// Letters without case and marks, except after a lower-case letter: from there on, no upper-case letter belongs
    /// to the word.
    #[inline(always)]
    fn resumable(block: &Block) -> u64 {
        block.caseless & !to_run_end(block.lower, block.letter())
    }
}

/// The upper-case letters after letters without case that begin a word: those whose run of upper case is followed by
/// no other letter. Shortens the block where its masks do not decide.
#[cold]
fn capitals_after_caseless(block: &mut Block) -> u64 {
    let (mut starts, letter) = (0, block.letter());
    let mut capitals = block.upper & block.caseless << 1;
    while capitals != 0 {
        let offset = capitals.trailing_zeros();
        capitals &= capitals - 1;
        let end = offset + (!(block.upper >> offset)).trailing_zeros();
        let word_start = (!letter & below(offset)).checked_ilog2().map_or(0, |last| last + 1);
        let word = below(offset) & !below(word_start);
        let is_open = end >= block.length && !block.is_last;
        if is_open || block.lower & word != 0 {
            block.shorten(offset);
            break;
        }
        if end >= block.length || letter >> end & 1 == 0 {
            starts |= 1 << offset;
        }
    }
    starts
}

/// The end of the word that begins at `at` with a letter or mark.
#[inline(always)]
fn word(text: &[u8], at: usize) -> usize {
    let end = match cased_word(text, at) {
        Ok(end) => end,
        Err(capitals) => capitals,
    };
    contraction(text, end).unwrap_or(end)
}

/// The end of the word at `at`, which begins with a mark. The mark is the prefix of a word by the first branch if one
/// follows it, and otherwise a part of the word itself.
fn marked_word(text: &[u8], at: usize, after_mark: usize) -> usize {
    let end = match cased_word(text, after_mark).or_else(|_| cased_word(text, at)) {
        Ok(end) | Err(end) => end,
    };
    contraction(text, end).unwrap_or(end)
}

/// The end of `X*Y+` at `at`, or as the error the end of the run of upper-case letters there.
#[inline(always)]
fn cased_word(text: &[u8], at: usize) -> Result<usize, usize> {
    let mut after_shared = None;
    let mut end = at;
    loop {
        let (class, length) = class_at(text, end);
        match class {
            Class::Upper => end += length,
            Class::Letter | Class::Mark => {
                end += length;
                after_shared = Some(end);
            }
            Class::Lower => {
                return Ok(run(text, end + length, |class| {
                    matches!(class, Class::Lower | Class::Letter | Class::Mark)
                }));
            }
            _ => return after_shared.ok_or(end),
        }
    }
}

/// The end of `[^\s\p{L}\p{N}]*[\r\n/]*` at `at`.
fn symbols(text: &[u8], at: usize) -> usize {
    let mut end = run(text, at, Class::is_symbol);
    while let Some(b'\r' | b'\n' | b'/') = text.get(end) {
        end += 1;
    }
    end
}

/// The end of `\s*[\r\n]+|\s+(?!\S)|\s+` at `at`.
fn whitespace(text: &[u8], at: usize) -> usize {
    let run = WhitespaceRun::new(text, at);
    run.after_line_end.unwrap_or_else(|| run.end_before_next(text, at))
}
