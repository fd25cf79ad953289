//! Where white space is cut, and what it gives away to what follows.

use super::block::{Block, below, run_starts};

/// The starts that white space makes, and what it gives away.
pub(crate) struct White {
    /// Starts of pieces within white space.
    pub(crate) starts: u64,
    /// Where a space that is the last of its run comes right before.
    pub(crate) after_space: u64,
    /// Where white space, but no line end, that is the last of its run comes right before.
    pub(crate) after_blank: u64,
}

impl Block {
    /// White space where line ends make pieces: `\s*[\r\n]+|\s+(?!\S)|\s`, without the line ends
    /// in `taken`, which belong to the symbols before them. If `undivided_at_end`, a run that
    /// ends the text is one piece.
    #[inline(always)]
    pub(crate) fn white_with_lines(&self, taken: u64, undivided_at_end: bool) -> White {
        let line_end = self.line_end & !taken;
        let flat = self.space | self.blank;
        let white = flat | line_end;
        let last = self.last_of_runs(white) & flat;
        // What follows a line end begins a piece, unless another line end follows in the run.
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
        White {
            starts: run_starts(white) | after_line | self.begin(last),
            after_space: (last & self.space) << 1,
            after_blank: last << 1,
        }
    }

    /// White space where all is alike: `\s+$|\s+(?!\S)|\s`.
    #[inline(always)]
    pub(crate) fn white_alike(&self) -> White {
        let white = self.space | self.blank | self.line_end;
        let last = self.last_of_runs(white);
        White {
            starts: run_starts(white) | self.begin(last),
            after_space: (last & self.space) << 1,
            after_blank: 0,
        }
    }

    /// The last bit of every run of white space; not that of a run that ends the text.
    #[inline(always)]
    fn last_of_runs(&self, white: u64) -> u64 {
        let last = white & !(white >> 1);
        if self.is_last { last & below(self.length.saturating_sub(1)) } else { last }
    }

    /// Where the characters begin whose last bytes these are: of three bytes at most.
    #[inline(always)]
    fn begin(&self, last: u64) -> u64 {
        if last & self.inner == 0 {
            return last;
        }
        let second = (last & self.inner) >> 1;
        let first = (second & self.inner) >> 1;
        (last | second) & !self.inner | first
    }
}
