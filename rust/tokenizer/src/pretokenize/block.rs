//! Bit-parallel splitting: the class masks of a block of up to 64 bytes, and the operations that patterns are built
//! from.
//!
//! A block begins where a pre-token begins. Its bytes are classified into one mask for each class, one bit for each
//! byte ([`arch`](crate::arch)). All bytes of a character are in its class, so a run of characters is a run of
//! bits. The rules of a pattern are then shifts, and additions whose carries propagate along runs. This is the
//! technique of simdjson (Langdale and Lemire, 2019). Splits that depend on bytes after the block are discarded: the
//! next block begins at the last certain split, so blocks overlap a little and share no state.
//!
//! Runs of Chinese, Japanese or emoji can be longer than a block. So pre-tokens are also split at boundaries that no
//! merge crosses ([`MergeBoundaries`]), and the next block may begin at such a split if the rest of
//! the pre-token still ends where it would have ended.
//!
//! A block is shortened where its masks do not decide how a pattern continues. There,
//! [`Splitter::end`](super::Splitter::end) takes over for one pre-token.

use crate::{arch::Classes, unicode::utf8::length, vocab::MergeBoundaries};

/// The bytes of a block by class, one bit for each byte.
pub(crate) struct Block {
    pub(crate) upper: u64,
    /// Lower-case letters, and letters without case where the pattern ignores case.
    pub(crate) lower: u64,
    /// Letters without case, and marks, where the pattern distinguishes case.
    pub(crate) caseless: u64,
    pub(crate) digit: u64,
    pub(crate) space: u64,
    /// White space other than spaces and line ends.
    pub(crate) blank: u64,
    pub(crate) line_end: u64,
    pub(crate) symbol: u64,
    /// The apostrophes in `symbol`.
    pub(crate) apostrophe: u64,
    /// The slashes in `symbol`.
    pub(crate) slash: u64,
    /// Continuation bytes.
    pub(crate) inner: u64,
    /// The first bytes of characters that are [splittable](crate::vocab::is_splittable).
    splittable: u64,
    /// Whether the text ends with the block.
    pub(crate) is_last: bool,
    /// The number of bytes described, at most 64; less than 64 in the last block.
    pub(crate) length: u32,
}

impl Block {
    #[inline(always)]
    pub(super) fn new(text: &[u8], at: usize, classes: Classes, has_case: bool) -> Self {
        let classes = if classes.high == 0 { classes } else { classes.classify_rest(text, at) };
        let Classes {
            upper,
            lower,
            digit,
            space,
            blank,
            line_end,
            apostrophe,
            slash,
            caseless,
            mark,
            inner,
            high,
            splittable,
        } = classes;
        let is_last = text.len() - at < 64;
        let mut length = (text.len() - at).min(64) as u32;
        if high != 0 {
            // The last character extends beyond the block.
            length = high.trailing_zeros();
        }
        let known = upper | lower | caseless | digit | space | blank | line_end;
        let (lower, caseless) = if has_case { (lower, caseless) } else { (lower | caseless, 0) };
        let mark = if has_case { mark } else { 0 };
        let mut block = Self {
            upper,
            lower,
            caseless,
            digit,
            space,
            blank,
            line_end,
            symbol: !(known | mark) & below(length),
            apostrophe,
            slash,
            inner,
            splittable,
            is_last,
            length,
        };
        if mark & block.symbol << 1 == 0 {
            block.caseless |= mark;
        } else {
            block.enter_marks(text, at, mark);
        }
        block
    }

    /// Enters the marks one by one, each as a symbol or as a part of a word.
    #[inline(always)]
    fn enter_marks(&mut self, text: &[u8], at: usize, mut mark: u64) {
        while mark != 0 {
            let offset = mark.trailing_zeros();
            let bits = below(length(text[at + offset as usize]) as u32) << offset;
            mark &= !bits;
            match self.is_symbol(text, at, offset) {
                Some(true) => self.symbol |= bits,
                Some(false) => self.caseless |= bits,
                None => return self.shorten(offset),
            }
        }
    }

    /// Whether the mark at `offset` belongs to the run of symbols before it, and neither begins a word nor belongs to
    /// one. A single symbol before the mark may itself belong to a word that begins with it. `None` if the masks do
    /// not decide.
    fn is_symbol(&self, text: &[u8], at: usize, offset: u32) -> Option<bool> {
        if self.symbol << 1 >> offset & 1 == 0 {
            return Some(false);
        }
        let first = (!self.symbol & below(offset)).checked_ilog2().map_or(0, |last| last + 1);
        let is_after = |class: u64| class << 1 >> first & 1 != 0;
        if self.slash >> first & 1 != 0 && is_after(self.line_end) {
            // The slash may belong to the symbols before the line end.
            return None;
        }
        let is_single = first + length(text[at + first as usize]) as u32 == offset;
        Some(is_after(self.space) || !is_single)
    }

    /// The first bytes among `within` whose boundary with the character before is crossed by no merge, if one of the
    /// two characters is splittable.
    #[inline(always)]
    pub(super) fn uncrossed(
        &self,
        text: &[u8],
        at: usize,
        boundaries: &MergeBoundaries,
        within: u64,
    ) -> u64 {
        let Self { splittable, inner, .. } = *self;
        if splittable == 0 {
            return 0;
        }
        // Wide characters have two or three continuation bytes.
        let begins = within & !inner;
        let after_wide = begins & inner << 1 & inner << 2;
        let three = after_wide & splittable << 3;
        let four = after_wide & inner << 3 & splittable << 4;
        let is_wide = inner >> 1 & inner >> 2;
        let mixed = (three | four) & !is_wide | begins & splittable & !after_wide;
        if (three | four | mixed) == 0 {
            return 0;
        }
        let copy;
        let bytes = match text[at..].first_chunk() {
            Some(bytes) => bytes,
            None => {
                copy = zero_padded(&text[at..]);
                &copy
            }
        };
        boundaries.uncrossed(bytes, splittable & three, splittable & four, mixed)
    }

    /// Letters, and the marks that belong to words.
    #[inline(always)]
    pub(crate) fn letter(&self) -> u64 {
        self.upper | self.lower | self.caseless
    }

    /// Drops the bytes from `length` on.
    #[cold]
    pub(crate) fn shorten(&mut self, length: u32) {
        let keep = below(length);
        for mask in [
            &mut self.upper,
            &mut self.lower,
            &mut self.caseless,
            &mut self.digit,
            &mut self.space,
            &mut self.blank,
            &mut self.line_end,
            &mut self.symbol,
            &mut self.apostrophe,
            &mut self.slash,
            &mut self.inner,
            &mut self.splittable,
        ] {
            *mask &= keep;
        }
        self.length = length;
        self.is_last = false;
    }

    /// The bits at which starts do not depend on bytes after the block. No pattern looks ahead further than the three
    /// bytes of a contraction, or to the end of a run of white space.
    #[inline(always)]
    pub(super) fn certain(&self) -> u64 {
        if self.is_last {
            return below(self.length);
        }
        let white = self.space | self.blank | self.line_end;
        let run = (!(white << (64 - self.length.max(1)))).leading_zeros().min(self.length);
        below((self.length - run).min(self.length.saturating_sub(4)) + 1)
    }
}

/// The bytes of `rest`, padded with zeros.
#[cold]
fn zero_padded(rest: &[u8]) -> [u8; 68] {
    let mut bytes = [0; 68];
    bytes[..rest.len()].copy_from_slice(rest);
    bytes
}

/// The bits below `count`.
#[inline(always)]
pub(crate) fn below(count: u32) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}

/// For each bit of `from`, all of which are in `class`, the bits from there to the end of its run of `class`.
#[inline(always)]
pub(crate) fn to_run_end(from: u64, class: u64) -> u64 {
    ((from.wrapping_add(class) ^ class) & class) | from
}

/// The first bit of every run of `class`.
#[inline(always)]
pub(crate) fn run_starts(class: u64) -> u64 {
    class & !(class << 1)
}

impl Block {
    /// The bit after the first character of each run of symbols that begins at `starts`.
    #[inline(always)]
    pub(crate) fn after_first(&self, starts: u64) -> u64 {
        (starts << 1).wrapping_add(self.inner) & !self.inner
    }

    /// The starts of `\p{N}{1,3}`.
    #[inline(always)]
    pub(crate) fn digits_by_three(&self) -> u64 {
        let mut starts = run_starts(self.digit);
        if self.digit & self.inner != 0 {
            return self.numbers_by_three();
        }
        let full = self.digit & self.digit << 1 & self.digit << 2;
        let mut next = starts << 3 & full;
        while next != 0 {
            starts |= next;
            next = next << 3 & full;
        }
        starts
    }

    /// The same where some numbers have several bytes.
    #[cold]
    fn numbers_by_three(&self) -> u64 {
        let runs = run_starts(self.digit);
        let mut numbers = self.digit & !self.inner;
        let (mut starts, mut before) = (0, 0);
        while numbers != 0 {
            let number = numbers & numbers.wrapping_neg();
            numbers ^= number;
            before = if runs & number != 0 { 0 } else { before + 1 };
            if before % 3 == 0 {
                starts |= number;
            }
        }
        starts
    }
}
