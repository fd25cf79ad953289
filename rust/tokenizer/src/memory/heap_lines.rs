//! Cache lines on the heap.

use super::units::{CacheLine, WORDS};

/// A fixed number of cache lines, initially zero.
///
/// The allocator provides zeros that take no memory until they are used (`calloc`) only up to an alignment of 16
/// bytes. It would write zeros to memory of a larger alignment. So the lines begin at the first boundary within.
pub(crate) struct HeapLines {
    words: Vec<u128>,
    /// Words before the first cache line.
    skipped: usize,
}

impl HeapLines {
    /// Lines that take no memory until they are used.
    pub(crate) fn new(count: usize) -> Self {
        Self::of(vec![0; Self::words(count)])
    }

    /// The same, but written at once. `None` if the allocator does not have that much.
    pub(crate) fn try_new(count: usize) -> Option<Self> {
        let mut words = Vec::new();
        words.try_reserve_exact(Self::words(count)).ok()?;
        words.resize(Self::words(count), 0);
        Some(Self::of(words))
    }

    /// The number of words that contain `count` lines at any alignment.
    fn words(count: usize) -> usize {
        count.saturating_mul(WORDS).saturating_add(WORDS - 1)
    }

    fn of(words: Vec<u128>) -> Self {
        let skipped = (words.as_ptr() as usize / size_of::<u128>()).wrapping_neg() % WORDS;
        Self { words, skipped }
    }

    #[inline(always)]
    pub(crate) fn lines(&self) -> &[CacheLine] {
        self.words.get(self.skipped..).map_or(&[], |words| words.as_chunks().0)
    }

    #[inline(always)]
    pub(crate) fn lines_mut(&mut self) -> &mut [CacheLine] {
        self.words.get_mut(self.skipped..).map_or(&mut [], |words| words.as_chunks_mut().0)
    }
}
