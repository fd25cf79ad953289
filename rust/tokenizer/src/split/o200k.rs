//! The pattern of `o200k_base` and `o200k_harmony`.
//!
//! Its words have case: capitals come before small letters, and letters without case, as well as
//! marks, count as both. The pattern's two word branches are, with `X` = capitals, caseless and
//! marks, and `Y` = small, caseless and marks:
//!
//! ```text
//! [^\r\n\p{L}\p{N}]? X* Y+ contraction?
//! [^\r\n\p{L}\p{N}]? X+ Y* contraction?
//! ```
//!
//! `X*` is greedy and gives back only as much as `Y+` needs. So a word is the run of `X`, and
//! then: if a small letter follows, the run of `Y` as well; if none follows, the run up to its
//! last character that is in `Y` too; and if it has no such character, all of it, by the second
//! branch.

use super::{
    Blank, Splitter,
    block::{Block, below, run_starts, to_run_end},
    contraction, run, up_to_three_numbers,
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
            Class::LineEnd => blank(text, at),
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
                    blank(text, at)
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
        let white = block.white_with_lines(taken, false);
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

    /// Letters without case and marks, but after a small letter: no capital belongs to that word any
    /// more.
    #[inline(always)]
    fn resumable(block: &Block) -> u64 {
        block.caseless & !to_run_end(block.lower, block.letter())
    }
}

/// The capitals after letters without case that begin a word: those that no letter but capitals
/// follows. Ends the block where it does not tell.
#[cold]
fn capitals_after_caseless(block: &mut Block) -> u64 {
    let (mut starts, letter) = (0, block.letter());
    let mut capitals = block.upper & block.caseless << 1;
    while capitals != 0 {
        let place = capitals.trailing_zeros();
        capitals &= capitals - 1;
        let end = place + (!(block.upper >> place)).trailing_zeros();
        let word_start = (!letter & below(place)).checked_ilog2().map_or(0, |last| last + 1);
        let word = below(place) & !below(word_start);
        let is_open = end >= block.length && !block.is_last;
        if is_open || block.lower & word != 0 {
            block.shorten(place);
            break;
        }
        if end >= block.length || letter >> end & 1 == 0 {
            starts |= 1 << place;
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

/// A mark may be the character before a word or, where no word by the first branch follows it,
/// a word itself.
fn marked_word(text: &[u8], at: usize, after_mark: usize) -> usize {
    let end = match cased_word(text, after_mark).or_else(|_| cased_word(text, at)) {
        Ok(end) | Err(end) => end,
    };
    contraction(text, end).unwrap_or(end)
}

/// The end of `X*Y+` at `at`, or else that of the run of capitals there.
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

/// The end of `[^\s\p{L}\p{N}]*[\r\n/]*`
fn symbols(text: &[u8], at: usize) -> usize {
    let mut end = run(text, at, Class::is_symbol);
    while let Some(b'\r' | b'\n' | b'/') = text.get(end) {
        end += 1;
    }
    end
}

/// `\s*[\r\n]+|\s+(?!\S)|\s+`
fn blank(text: &[u8], at: usize) -> usize {
    let blank = Blank::run(text, at);
    blank.after_line_end.unwrap_or_else(|| blank.end_before_next(text, at))
}
