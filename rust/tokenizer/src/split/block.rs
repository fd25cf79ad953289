//! Finding all the piece starts in up to 64 bytes at once, by arithmetic on bit masks.
//!
//! A block begins where a piece begins. Its bytes are told apart into one mask per class, a bit a
//! byte; rarer characters outside ASCII are entered one by one, all bytes of a character in the
//! class of the character, so that a run of characters is a run of bits. The rules of a pattern
//! are then shifts, and carries of additions that run along a run. What depends on bytes behind
//! the block is not trusted: the next block begins at the last start that is certain, so blocks
//! overlap a little and share no state.
//!
//! Chinese, Japanese and emoji come in runs that are longer than a block. So pieces are cut where
//! nothing joins the characters on both sides ([`joints`](crate::joints)), and the next block may
//! begin at such a cut if the rest of the piece ends where it would have.
//!
//! A block ends early at a character that no mask describes: digits and spaces outside ASCII. There the
//! splitter's [`end`](super::Splitter::end) takes over for one piece.

use super::Splitter;
use crate::{
    joints::{Joints, Wide},
    simd::Classes,
    unicode::{Class, class_at},
    utf8::length,
};

/// The bytes of a block by class, one bit a byte.
pub(crate) struct Block {
    pub(crate) upper: u64,
    /// Small letters, and the letters without case where case does not matter.
    pub(crate) lower: u64,
    /// Letters without case, and marks, where it does.
    pub(crate) caseless: u64,
    pub(crate) digit: u64,
    pub(crate) space: u64,
    /// White space that is neither a space nor a line end.
    pub(crate) blank: u64,
    pub(crate) line_end: u64,
    pub(crate) symbol: u64,
    /// Those of `symbol` that are apostrophes.
    pub(crate) apostrophe: u64,
    /// Those of `symbol` that are slashes.
    pub(crate) slash: u64,
    /// All bytes of a character but its first.
    pub(crate) inner: u64,
    /// Where a character begins that nothing joins to the one before.
    apart: u64,
    /// The text ends with the block.
    pub(crate) is_last: bool,
    /// The number of bytes described, at most 64; less than 64 in the last block.
    pub(crate) length: u32,
}

/// What a splitter makes of a character outside ASCII.
#[derive(Clone, Copy)]
pub(crate) enum Entry {
    Upper,
    Lower,
    Caseless,
    Symbol,
    /// As `Symbol` in a run of symbols, and else as `Caseless`.
    Mark,
    /// It ends the block.
    Unknown,
}

/// Where the block of `text` at `at` is cut: bit `i` is set where a piece begins at byte `at + i`, or
/// a part of one that nothing joins to what is before it. Bit 0 is not told; the last bit set is where
/// the next block begins. Also whether the text ends with the block. `classes` are those of the up to 64
/// bytes that are left of the text, and of none behind it.
#[inline(always)]
pub(crate) fn starts<P: Splitter>(
    text: &[u8],
    at: usize,
    classes: Classes,
    joints: &Joints,
) -> (u64, bool) {
    let mut block = Block::new::<P>(text, at, classes, joints);
    let starts = P::starts(&mut block, text, at);
    let trusted = block.trusted() & !1;
    if block.apart == 0 || block.is_last {
        return ((starts | block.apart) & trusted, block.is_last);
    }
    let next = (starts | block.apart & P::resumable(&block)) & trusted;
    ((starts | block.apart) & (u64::MAX >> next.leading_zeros().min(63)) & trusted, false)
}

impl Block {
    #[inline(always)]
    fn new<P: Splitter>(text: &[u8], at: usize, classes: Classes, joints: &Joints) -> Self {
        let length = (text.len() - at).min(64) as u32;
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
            inner,
            high,
            wide,
        } = classes;
        let known = upper | lower | caseless | digit | space | blank | line_end | high;
        let has_case = matches!(P::ENTRIES[Class::Letter as usize], Entry::Caseless);
        let (lower, caseless) = if has_case { (lower, caseless) } else { (lower | caseless, 0) };
        let mut block = Self {
            upper,
            lower,
            caseless,
            digit,
            space,
            blank,
            line_end,
            symbol: !known & below(length),
            apostrophe,
            slash,
            inner,
            apart: 0,
            is_last: length < 64,
            length,
        };
        if wide & (wide << 3 | wide << 4) != 0 {
            block.cut(text, at, wide, joints);
        }
        if high != 0 {
            block.enter_high::<P>(text, at, high);
        }
        block
    }

    /// Finds where wide characters, which begin at the bits of `wide`, are apart.
    #[inline(always)]
    fn cut(&mut self, text: &[u8], at: usize, wide: u64, joints: &Joints) {
        let mut rest = wide;
        let mut before = Wide::NONE;
        while rest != 0 {
            let place = rest.trailing_zeros();
            rest &= rest - 1;
            let this = Wide::read(text, at, place);
            let is_apart = before.end == place && !joints.join(before.bytes, this.bytes);
            self.apart |= u64::from(is_apart) << place;
            before = this;
        }
    }

    /// Enters the characters of which `high` has the bytes, one by one.
    #[inline(always)]
    fn enter_high<P: Splitter>(&mut self, text: &[u8], at: usize, mut high: u64) {
        let mut length = self.length;
        while high != 0 {
            let place = high.trailing_zeros();
            let (class, width) = class_at(text, at + place as usize);
            let bits = below(width as u32) << place;
            let mut entry = P::ENTRIES[class as usize];
            if place + width as u32 > 64 {
                // Nothing of the block is behind `place`.
                self.length = place;
                break;
            }
            if matches!(entry, Entry::Mark | Entry::Unknown) {
                if matches!(entry, Entry::Mark) {
                    entry = self.entry_of_mark(text, at, place);
                }
                if matches!(entry, Entry::Unknown) {
                    length = place;
                    break;
                }
            }
            let bits_if = |is: bool| if is { bits } else { 0 };
            self.upper |= bits_if(matches!(entry, Entry::Upper));
            self.lower |= bits_if(matches!(entry, Entry::Lower));
            self.caseless |= bits_if(matches!(entry, Entry::Caseless));
            self.symbol |= bits_if(matches!(entry, Entry::Symbol));
            self.inner |= bits & (bits - 1);
            high &= !bits;
        }
        if length < self.length {
            self.shorten(length);
        }
    }

    /// What a mark at `place` is. A single symbol before it may belong to a word that begins with it.
    fn entry_of_mark(&self, text: &[u8], at: usize, place: u32) -> Entry {
        if self.symbol << 1 >> place & 1 == 0 {
            return Entry::Caseless;
        }
        let first = (!self.symbol & below(place)).checked_ilog2().map_or(0, |last| last + 1);
        let is_after = |class: u64| class << 1 >> first & 1 != 0;
        if self.slash >> first & 1 != 0 && is_after(self.line_end) {
            // The slash may belong to the symbols before the line end.
            Entry::Unknown
        } else if is_after(self.space) || first + length(text[at + first as usize]) as u32 != place
        {
            Entry::Symbol
        } else {
            Entry::Caseless
        }
    }

    /// Letters, and marks that belong to them.
    #[inline(always)]
    pub(crate) fn letter(&self) -> u64 {
        self.upper | self.lower | self.caseless
    }

    /// Ends the block before its end.
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
            &mut self.apart,
        ] {
            *mask &= keep;
        }
        self.length = length;
        self.is_last = false;
    }

    /// The starts that do not depend on what is behind the block. Nothing looks further ahead
    /// than a contraction's three bytes, and white space to the end of its run.
    #[inline(always)]
    fn trusted(&self) -> u64 {
        if self.is_last {
            return below(self.length);
        }
        let white = self.space | self.blank | self.line_end;
        let run = (!(white << (64 - self.length.max(1)))).leading_zeros().min(self.length);
        below((self.length - run).min(self.length.saturating_sub(4)) + 1)
    }
}

/// The bits below `count`.
#[inline(always)]
pub(crate) fn below(count: u32) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}

/// The bits of the runs of `class` from each bit of `from`, which lies within, to the run's end.
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
    /// Where the first character of a run of symbols at `starts` has just ended.
    #[inline(always)]
    pub(crate) fn after_first(&self, starts: u64) -> u64 {
        (starts << 1).wrapping_add(self.inner) & !self.inner
    }

    /// The starts of `\p{N}{1,3}`.
    #[inline(always)]
    pub(crate) fn digits_by_three(&self) -> u64 {
        let mut starts = run_starts(self.digit);
        let full = self.digit & self.digit << 1 & self.digit << 2;
        let mut next = starts << 3 & full;
        while next != 0 {
            starts |= next;
            next = next << 3 & full;
        }
        starts
    }
}
