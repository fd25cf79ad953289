//! Telling the classes of 64 bytes at once, with vector instructions where there are any, and merging
//! compiled for the processor at hand.
//!
//! This and `memory/huge_pages` are the only modules with unsafe code. [`dispatch`] looks at the processor once
//! per text and runs the whole of the work compiled for it, so that the vector code is inlined; the
//! [`Portable`] twin does the same in safe Rust for every other processor.
#![allow(unsafe_code)]

mod portable;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use portable::Portable;

use crate::{
    perfect_hash::key_hash,
    unicode::{class_at, code},
};

/// A bit for every byte of a block of 64, in each of the classes that the patterns tell apart; a character
/// outside ASCII has a bit for each of its bytes. What is in no class is a symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Classes {
    pub(crate) upper: u64,
    pub(crate) lower: u64,
    pub(crate) digit: u64,
    pub(crate) space: u64,
    /// White space that is neither a space nor a line end.
    pub(crate) blank: u64,
    pub(crate) line_end: u64,
    pub(crate) apostrophe: u64,
    pub(crate) slash: u64,
    /// Letters without case.
    pub(crate) caseless: u64,
    pub(crate) mark: u64,
    /// All bytes but the first of characters outside ASCII that are told apart.
    pub(crate) inner: u64,
    /// Bytes of characters outside ASCII that are not told apart.
    pub(crate) high: u64,
    /// The first bytes of characters that are [cut early](crate::joints::is_cut_early).
    pub(crate) early: u64,
}

impl Classes {
    /// The masks of the bytes that `keep` has a bit for.
    #[inline(always)]
    pub(crate) fn within(self, keep: u64) -> Self {
        Self {
            upper: self.upper & keep,
            lower: self.lower & keep,
            digit: self.digit & keep,
            space: self.space & keep,
            blank: self.blank & keep,
            line_end: self.line_end & keep,
            apostrophe: self.apostrophe & keep,
            slash: self.slash & keep,
            caseless: self.caseless & keep,
            mark: self.mark & keep,
            inner: self.inner & keep,
            high: self.high & keep,
            early: self.early & keep,
        }
    }
}

/// Characters outside ASCII by class: the bits of their first bytes, or of all their bytes.
#[derive(Clone, Copy, Default)]
struct Told {
    upper: u64,
    lower: u64,
    caseless: u64,
    mark: u64,
    digit: u64,
    blank: u64,
    symbol: u64,
}

impl Told {
    /// Adds what has these bits of a [`code`].
    #[inline(always)]
    fn add(&mut self, [a, b, c]: [u64; 3]) {
        let (only_a, only_b, both) = (a & !b, b & !a, a & b);
        self.lower |= only_a & !c;
        self.upper |= only_b & !c;
        self.caseless |= both & !c;
        self.mark |= only_a & c;
        self.digit |= both & c;
        self.blank |= only_b & c;
        self.symbol |= c & !(a | b);
    }

    #[inline(always)]
    fn all(&self) -> u64 {
        self.upper | self.lower | self.caseless | self.mark | self.digit | self.blank | self.symbol
    }
}

impl Classes {
    /// Tells apart what is left of the block of `text` at `at`, one by one, but for what goes on behind it.
    #[inline(always)]
    pub(crate) fn one_by_one(self, text: &[u8], at: usize) -> Self {
        let (mut codes, mut inner, mut high) = ([0; 3], 0, self.high);
        while high != 0 {
            let place = high.trailing_zeros();
            let (class, width) = class_at(text, at + place as usize);
            if place + width as u32 > 64 {
                break;
            }
            let bits = ((1 << width) - 1) << place;
            let code = u64::from(code(class));
            codes[0] |= bits & (code & 1).wrapping_neg();
            codes[1] |= bits & (code >> 1 & 1).wrapping_neg();
            codes[2] |= bits & (code >> 2).wrapping_neg();
            inner |= bits & (bits - 1);
            high &= !bits;
        }
        let mut told = Told::default();
        told.add(codes);
        self.with(told, inner, high)
    }

    /// As well what begins at these bits, all of it in `self.high`, where `first` has all first bytes.
    #[inline(always)]
    fn with_firsts(self, begin: Told, first: u64) -> Self {
        let inner = self.high & !first;
        // Added to its first bit, a run carries to behind its end.
        let rest = |begin: u64| inner & !inner.wrapping_add(begin << 1);
        let whole = |begin: u64| begin | rest(begin);
        let mut told = Told {
            upper: whole(begin.upper),
            lower: whole(begin.lower),
            caseless: whole(begin.caseless),
            ..Told::default()
        };
        if begin.mark | begin.digit | begin.blank != 0 {
            told.mark = whole(begin.mark);
            told.digit = whole(begin.digit);
            told.blank = whole(begin.blank);
        }
        let all = begin.all();
        self.with(told, rest(all), self.high & !whole(all))
    }

    #[inline(always)]
    fn with(self, told: Told, inner: u64, high: u64) -> Self {
        Self {
            upper: self.upper | told.upper,
            lower: self.lower | told.lower,
            caseless: self.caseless | told.caseless,
            mark: self.mark | told.mark,
            digit: self.digit | told.digit,
            blank: self.blank | told.blank,
            inner: self.inner | inner,
            high,
            ..self
        }
    }
}

/// What is done in a way of its own on each kind of processor.
pub(crate) trait Processor: Copy {
    /// Tells the classes of a block. Characters outside ASCII may be left, for [`Classes::one_by_one`].
    fn classify(self, block: &[u8; 64]) -> Classes;

    /// The same for a block that was put together in registers. Through memory, a load that
    /// spans several fresh stores would have to wait for them.
    fn classify_words(self, words: [u64; 8]) -> Classes;

    /// The uppermost bit of each word.
    fn signs(self, words: &[u32; 64]) -> u64;

    /// Whether two words are the same in the bits of `mask`.
    #[inline(always)]
    fn is_same(self, one: u128, other: u128, mask: u128) -> bool {
        (one ^ other) & mask == 0
    }

    /// The hash that gives a short piece its line among those it is remembered in. All of its lower 32 bits
    /// depend on all of the key; the upper ones may be zeros.
    #[inline(always)]
    fn cache_hash(self, key: u128) -> u64 {
        key_hash(key)
    }

    /// Begins to load what will soon be read.
    #[inline(always)]
    fn prefetch<T>(self, _soon: &T) {}

    /// Runs `work` compiled for this processor, in a function of its own.
    #[inline(never)]
    fn apart(self, work: impl Work) {
        work.run(self);
    }
}

/// Work to be compiled for each kind of [`Processor`].
pub(crate) trait Work {
    fn run<C: Processor>(self, processor: C);
}

/// Runs `work` compiled for this processor.
#[inline(always)]
pub(crate) fn dispatch(work: impl Work) {
    #[cfg(target_arch = "x86_64")]
    if x86::is_available() {
        // SAFETY: the processor has all the features that `x86::run` is compiled for.
        return unsafe { x86::run(work) };
    }
    work.run(Portable);
}
