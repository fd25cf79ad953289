//! The operations that each kind of processor implements in its own way, and work that is generic over them.

use super::classes::Classes;
use crate::vocab::perfect_hash::key_hash;

/// Work to be compiled for each kind of [`Processor`].
pub(crate) trait WithCpu {
    /// The result of the work.
    type Output;

    fn run<C: Processor>(self, cpu: C) -> Self::Output;
}

/// A kind of processor. A value of the type proves that the processor at hand is of this kind.
pub(crate) trait Processor: Copy {
    /// Classifies the bytes of a block. Characters outside ASCII may be left for [`Classes::classify_rest`].
    fn classify(self, block: &[u8; 64]) -> Classes;

    /// The same for a block that was put together in registers. Stored to memory first, a load that spans several
    /// fresh stores would stall (no store-to-load forwarding).
    fn classify_words(self, words: [u64; 8]) -> Classes;

    /// The sign bits of the words.
    fn signs(self, words: &[u32; 64]) -> u64;

    /// Whether two words are equal in the bits of `mask`.
    #[inline(always)]
    fn is_equal_in(self, one: u128, other: u128, mask: u128) -> bool {
        (one ^ other) & mask == 0
    }

    /// The hash that chooses the cache set of a short pre-token. All of its lower 32 bits depend on all bits of the
    /// key; the upper ones may be zero.
    #[inline(always)]
    fn cache_hash(self, key: u128) -> u64 {
        key_hash(key)
    }

    /// Hints that `soon` will be read.
    #[inline(always)]
    fn prefetch<T>(self, _soon: &T) {}

    /// Runs `work` compiled for this processor, in a function of its own that is never inlined.
    #[inline(never)]
    fn run_outlined<W: WithCpu>(self, work: W) -> W::Output {
        work.run(self)
    }
}
