//! Finding all the piece starts in up to 64 bytes at once, by arithmetic on bit masks.
//!
//! A block begins where a piece begins. Its bytes are told apart into one mask per class, a bit a
//! byte ([`simd`](crate::simd); what that leaves is told apart one by one), all bytes of a character
//! in the class of the character, so that a run of characters is a run of bits. The rules of a pattern
//! are then shifts, and carries of additions that run along a run. What depends on bytes behind
//! the block is not trusted: the next block begins at the last start that is certain, so blocks
//! overlap a little and share no state.
//!
//! Chinese, Japanese and emoji come in runs that are longer than a block. So pieces are cut where
//! nothing joins the characters on both sides ([`joints`](crate::joints)), and the next block may
//! begin at such a cut if the rest of the piece ends where it would have.
//!
//! A block ends early where its masks do not tell how a pattern goes on. There the splitter's
//! [`end`](super::Splitter::end) takes over for one piece.

use super::Splitter;
use crate::{joints::Joints, simd::Classes, utf8::length};

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
    /// The first bytes of characters that are [cut early](crate::joints::is_cut_early).
    early: u64,
    /// The text ends with the block.
    pub(crate) is_last: bool,
    /// The number of bytes described, at most 64; less than 64 in the last block.
    pub(crate) length: u32,
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
    let mut block = Block::new::<P>(text, at, classes);
    let starts = P::starts(&mut block, text, at);
    let trusted = block.trusted() & !1;
    let apart = block.apart(text, at, joints, trusted & !starts);
    if apart == 0 || block.is_last {
        return ((starts | apart) & trusted, block.is_last);
    }
    let next = (starts | apart & P::resumable(&block)) & trusted;
    ((starts | apart) & (u64::MAX >> next.leading_zeros().min(63)) & trusted, false)
}

impl Block {
    #[inline(always)]
    fn new<P: Splitter>(text: &[u8], at: usize, classes: Classes) -> Self {
        let classes = if classes.high == 0 { classes } else { classes.one_by_one(text, at) };
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
            early,
        } = classes;
        let is_last = text.len() - at < 64;
        let mut length = (text.len() - at).min(64) as u32;
        if high != 0 {
            // The last character goes on behind the block.
            length = high.trailing_zeros();
        }
        let known = upper | lower | caseless | digit | space | blank | line_end;
        let (lower, caseless) = if P::HAS_CASE { (lower, caseless) } else { (lower | caseless, 0) };
        let mark = if P::HAS_CASE { mark } else { 0 };
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
            early,
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

    /// Enters the characters of which `mark` has the bytes, one by one.
    #[inline(always)]
    fn enter_marks(&mut self, text: &[u8], at: usize, mut mark: u64) {
        while mark != 0 {
            let place = mark.trailing_zeros();
            let bits = below(length(text[at + place as usize]) as u32) << place;
            mark &= !bits;
            match self.is_symbol(text, at, place) {
                Some(true) => self.symbol |= bits,
                Some(false) => self.caseless |= bits,
                None => return self.shorten(place),
            }
        }
    }

    /// Whether a mark at `place` is one of the symbols before it, and does not begin a word or belong to one. A
    /// single symbol before it may belong to a word that begins with it.
    fn is_symbol(&self, text: &[u8], at: usize, place: u32) -> Option<bool> {
        if self.symbol << 1 >> place & 1 == 0 {
            return Some(false);
        }
        let first = (!self.symbol & below(place)).checked_ilog2().map_or(0, |last| last + 1);
        let is_after = |class: u64| class << 1 >> first & 1 != 0;
        if self.slash >> first & 1 != 0 && is_after(self.line_end) {
            // The slash may belong to the symbols before the line end.
            return None;
        }
        let is_alone = first + length(text[at + first as usize]) as u32 == place;
        Some(is_after(self.space) || !is_alone)
    }

    /// Where, among `within`, a character begins that nothing joins to the one before, if one of them is
    /// [cut early](crate::joints::is_cut_early).
    #[inline(always)]
    fn apart(&self, text: &[u8], at: usize, joints: &Joints, within: u64) -> u64 {
        let Self { early, inner, .. } = *self;
        if early == 0 {
            return 0;
        }
        // Wide characters have two inner bytes or three.
        let begins = within & !inner;
        let after_wide = begins & inner << 1 & inner << 2;
        let three = after_wide & early << 3;
        let four = after_wide & inner << 3 & early << 4;
        let is_wide = inner >> 1 & inner >> 2;
        let mixed = (three | four) & !is_wide | begins & early & !after_wide;
        if (three | four | mixed) == 0 {
            return 0;
        }
        let copy;
        let bytes = match text[at..].first_chunk() {
            Some(bytes) => bytes,
            None => {
                copy = ended(&text[at..]);
                &copy
            }
        };
        joints.apart(bytes, early & three, early & four, mixed)
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
            &mut self.early,
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

/// The bytes of `rest`, and zeros.
#[cold]
fn ended(rest: &[u8]) -> [u8; 68] {
    let mut bytes = [0; 68];
    bytes[..rest.len()].copy_from_slice(rest);
    bytes
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

    /// The same where some have several bytes.
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
