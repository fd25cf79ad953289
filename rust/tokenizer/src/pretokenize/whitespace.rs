//! Bit-parallel splitting of white space, whose last character may belong to the next pre-token.

use super::block::{Block, below, run_starts};

/// The splits that white space causes.
pub(super) struct Whitespace {
    /// The starts of pre-tokens within white space.
    pub(super) starts: u64,
    /// The bit after each run of white space that ends in a space.
    pub(super) after_space: u64,
    /// The bit after each run of white space that does not end in a line end.
    pub(super) after_blank: u64,
}

impl Block {
    /// White space in patterns that split after line ends: `\s*[\r\n]+|\s+(?!\S)|\s`. The line ends in `taken` belong
    /// to the symbols before them. If `undivided_at_end`, a run that ends the text is one pre-token.
    #[inline(always)]
    pub(super) fn whitespace_with_lines(&self, taken: u64, undivided_at_end: bool) -> Whitespace {
        let line_end = self.line_end & !taken;
        let flat = self.space | self.blank;
        let white = flat | line_end;
        let last = self.last_of_runs(white) & flat;
        // White space after a line end begins a pre-token, unless another line end follows in the run.
        let mut after_line = flat & line_end << 1;
        if after_line != 0 {
            let mut ends = line_end;
            if undivided_at_end && self.is_last {
                ends |= 1 << self.length;
            }
            let mut continued = after_line.wrapping_add(flat) & !flat & ends;
            while continued != 0 {
                let before = after_line & below(continued.trailing_zeros());
                after_line ^= 1 << (63 - before.leading_zeros());
                continued &= continued - 1;
            }
        }
        Whitespace {
            starts: run_starts(white) | after_line | self.first_bytes(last),
            after_space: (last & self.space) << 1,
            after_blank: last << 1,
        }
    }

    /// White space in patterns that treat line ends as any white space: `\s+$|\s+(?!\S)|\s`.
    #[inline(always)]
    pub(super) fn whitespace_without_lines(&self) -> Whitespace {
        let white = self.space | self.blank | self.line_end;
        let last = self.last_of_runs(white);
        Whitespace {
            starts: run_starts(white) | self.first_bytes(last),
            after_space: (last & self.space) << 1,
            after_blank: 0,
        }
    }

    /// The last bit of every run of white space, except of a run that ends the text.
    #[inline(always)]
    fn last_of_runs(&self, white: u64) -> u64 {
        let last = white & !(white >> 1);
        if self.is_last { last & below(self.length.saturating_sub(1)) } else { last }
    }

    /// The first bytes of the characters that end with these bytes. White space has at most three bytes.
    #[inline(always)]
    fn first_bytes(&self, last: u64) -> u64 {
        if last & self.inner == 0 {
            return last;
        }
        let second = (last & self.inner) >> 1;
        let first = (second & self.inner) >> 1;
        (last | second) & !self.inner | first
    }
}
