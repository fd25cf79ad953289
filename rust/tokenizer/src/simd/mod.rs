//! Telling the classes of 64 bytes at once, with vector instructions where there are any, and merging
//! compiled for the processor at hand.
//!
//! This is the only module with unsafe code. [`dispatch`] looks at the processor once per text
//! and runs the whole of the work compiled for it, so that the vector code is inlined; the
//! [`Portable`] twin does the same in safe Rust for every other processor.
#![allow(unsafe_code)]

mod portable;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use portable::Portable;

/// A bit for every byte of a block of 64, in each of the classes that ASCII has. Where a block
/// has many characters outside ASCII, Cyrillic letters are among the upper and lower ones, with both
/// their bytes, `caseless` has the letters that Chinese, Japanese and Korean are written with, and
/// their punctuation and emoji are in no class, as ASCII's.
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
    pub(crate) caseless: u64,
    /// All bytes but the first of those characters.
    pub(crate) inner: u64,
    /// Bytes of all other characters outside ASCII.
    pub(crate) high: u64,
    /// The first bytes of characters of three and four bytes.
    pub(crate) wide: u64,
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
            inner: self.inner & keep,
            high: self.high & keep,
            wide: self.wide & keep,
        }
    }
}

/// What is asked of a block with many characters outside ASCII: a bit for every byte.
struct High {
    /// The first byte of U+0400 to U+043F.
    first_half: u64,
    /// The first byte of U+0440 to U+047F.
    second_half: u64,
    /// Bit 5 of the byte.
    bit_5: u64,
    /// Bit 4 of the byte.
    bit_4: u64,
}

/// With fewer bytes outside ASCII in a block, its characters are told apart one by one.
const MANY: u32 = 16;

impl Classes {
    /// Makes letters of what `high` says about bytes that are all in `self.high`. What is behind
    /// U+045F has upper and lower letters in turns and is left.
    #[inline(always)]
    fn with_cyrillic(self, high: High) -> Self {
        let (first, second) = (high.first_half << 1, high.second_half << 1);
        let upper = first & !(high.bit_5 & high.bit_4);
        let lower = first & high.bit_5 & high.bit_4 | second & !high.bit_5;
        let letters = upper | lower;
        Self {
            upper: self.upper | upper | upper >> 1,
            lower: self.lower | lower | lower >> 1,
            inner: self.inner | letters,
            high: self.high & !(letters | letters >> 1),
            ..self
        }
    }

    /// Makes letters and symbols of three bytes, and symbols of four, of what begins at these bits.
    #[inline(always)]
    fn with_wide(self, WideFirsts { letters, symbols, fours }: WideFirsts) -> Self {
        let letters = letters & u64::MAX >> 2;
        let symbols = symbols & u64::MAX >> 2;
        let fours = fours & u64::MAX >> 3;
        let second = letters | symbols | fours;
        let inner = second << 1 | second << 2 | fours << 3;
        Self {
            caseless: letters | letters << 1 | letters << 2,
            inner: self.inner | inner,
            high: self.high & !(second | inner),
            ..self
        }
    }
}

/// First bytes of characters of three and four bytes, the rest of which may be behind the block.
struct WideFirsts {
    /// Letters that Chinese, Japanese and Korean are written with.
    letters: u64,
    /// Their punctuation.
    symbols: u64,
    /// Emoji.
    fours: u64,
}

/// What is done in a way of its own on each kind of processor.
pub(crate) trait Processor: Copy {
    /// Tells the classes of a block.
    fn classify(self, block: &[u8; 64]) -> Classes;

    /// The same for a block that was put together in registers. Through memory, a load that
    /// spans several fresh stores would have to wait for them.
    fn classify_words(self, words: [u64; 8]) -> Classes;

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
