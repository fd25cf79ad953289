//! Tables of cache lines.
//!
//! Their zeros come from the allocator as they are, so that only what is used takes memory. That it does
//! only for what is aligned to 16 bytes (more it takes and then writes), so a table begins where the
//! first cache line does.

/// Words of a cache line.
const WORDS: usize = 4;

/// A cache line.
pub(crate) type Line = [u128; WORDS];

/// `N` cache lines, a power of two, of zeros at first.
pub(crate) struct Lines<const N: usize> {
    words: Box<[u128]>,
    /// Words before the first cache line.
    skip: usize,
}

/// The number of a vocabulary has this many bits.
const NUMBER_BITS: u32 = 4;

/// Where, in a table of `N` lines, a piece with this hash belongs.
///
/// Each vocabulary sends a piece to another line, and `number` can be told from the line and the
/// piece; so what stands in a line need not say of which vocabulary it is.
#[inline(always)]
pub(crate) const fn place<const N: usize>(hash: u64, number: u32) -> usize {
    (hash as usize ^ (number as usize) << (N.ilog2() - NUMBER_BITS)) % N
}

impl<const N: usize> Lines<N> {
    pub(crate) fn new() -> Self {
        let words = vec![0; (N + 1) * WORDS].into_boxed_slice();
        let skip = (words.as_ptr() as usize / size_of::<u128>()).wrapping_neg() % WORDS;
        Self { words, skip }
    }

    #[inline(always)]
    pub(crate) fn all(&self) -> &[Line; N] {
        let lines = self.words.get(self.skip..).and_then(|words| words.as_chunks().0.first_chunk());
        let Some(lines) = lines else { unreachable!() };
        lines
    }

    #[inline(always)]
    pub(crate) fn all_mut(&mut self) -> &mut [Line; N] {
        let words = self.words.get_mut(self.skip..);
        let lines = words.and_then(|words| words.as_chunks_mut().0.first_chunk_mut());
        let Some(lines) = lines else { unreachable!() };
        lines
    }
}
