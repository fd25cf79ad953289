//! Tables of cache lines whose number is fixed.

use crate::memory::Plain;

/// Words of a cache line.
pub(crate) const WORDS: usize = 4;

/// A cache line.
pub(crate) type Line = [u128; WORDS];

/// `N` cache lines, a power of two, of zeros at first.
pub(crate) struct Lines<const N: usize>(Plain);

/// The number of a vocabulary has this many bits.
pub(crate) const NUMBER_BITS: u32 = 4;

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
        Self(Plain::new(N))
    }

    #[inline(always)]
    pub(crate) fn all_mut(&mut self) -> &mut [Line; N] {
        let Some(lines) = self.0.lines_mut().first_chunk_mut() else { unreachable!() };
        lines
    }
}
