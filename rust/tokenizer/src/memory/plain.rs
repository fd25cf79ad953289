//! Cache lines in memory of the allocator.

use crate::lines::{Line, WORDS};

/// A number of cache lines, which are zeros at first.
///
/// The allocator has zeros that take no memory until they are used only for what is aligned to 16 bytes (more it
/// takes and then writes), so the lines begin at the first boundary within.
pub(crate) struct Plain {
    words: Vec<u128>,
    /// Words before the first cache line.
    skip: usize,
}

impl Plain {
    /// Lines that take no memory until they are used.
    pub(crate) fn new(count: usize) -> Self {
        Self::of(vec![0; Self::words(count)])
    }

    /// The same, written at once; none if the allocator has not so much.
    pub(crate) fn try_new(count: usize) -> Option<Self> {
        let mut words = Vec::new();
        words.try_reserve_exact(Self::words(count)).ok()?;
        words.resize(Self::words(count), 0);
        Some(Self::of(words))
    }

    /// How many words have `count` lines in them wherever they begin.
    fn words(count: usize) -> usize {
        count.saturating_mul(WORDS).saturating_add(WORDS - 1)
    }

    fn of(words: Vec<u128>) -> Self {
        let skip = (words.as_ptr() as usize / size_of::<u128>()).wrapping_neg() % WORDS;
        Self { words, skip }
    }

    #[inline(always)]
    pub(crate) fn lines(&self) -> &[Line] {
        self.words.get(self.skip..).map_or(&[], |words| words.as_chunks().0)
    }

    #[inline(always)]
    pub(crate) fn lines_mut(&mut self) -> &mut [Line] {
        self.words.get_mut(self.skip..).map_or(&mut [], |words| words.as_chunks_mut().0)
    }
}
