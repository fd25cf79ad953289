//! The 64 bytes of a block in two vector registers, and masks of byte values and byte ranges.

use crate::arch::{classes::Classes, vector_block::VectorBlock};
use std::arch::x86_64::{
    __m256i, _mm256_add_epi8, _mm256_cmpeq_epi8, _mm256_cmpgt_epi8, _mm256_movemask_epi8,
    _mm256_set1_epi8,
};

/// The bytes of a block, or bytes computed from them. A value exists only where an [`Avx2`](super::avx2::Avx2) does.
#[derive(Clone, Copy)]
pub(super) struct BlockBytes(pub(super) [__m256i; 2]);

impl VectorBlock for BlockBytes {
    #[inline(always)]
    fn equal(self, byte: u8) -> u64 {
        let Self([low, high]) = self;
        // SAFETY: a `BlockBytes` exists, so the processor has AVX2.
        let found = unsafe {
            let byte = _mm256_set1_epi8(byte.cast_signed());
            [_mm256_cmpeq_epi8(low, byte), _mm256_cmpeq_epi8(high, byte)]
        };
        Self(found).bits()
    }

    #[inline(always)]
    fn within(self, first: u8, last: u8) -> u64 {
        let Self([low, high]) = self;
        // The first byte of the range is moved to -128, so that one signed comparison suffices.
        let (shift, end) = (128u8.wrapping_sub(first), (last - first).wrapping_sub(127));
        // SAFETY: a `BlockBytes` exists, so the processor has AVX2.
        let found = unsafe {
            let shift = _mm256_set1_epi8(shift.cast_signed());
            let end = _mm256_set1_epi8(end.cast_signed());
            [
                _mm256_cmpgt_epi8(end, _mm256_add_epi8(low, shift)),
                _mm256_cmpgt_epi8(end, _mm256_add_epi8(high, shift)),
            ]
        };
        Self(found).bits()
    }

    #[inline(always)]
    fn ascii_classes(self) -> Classes {
        let line_end = self.equal(b'\r') | self.equal(b'\n');
        let high = self.bits();
        Classes {
            upper: self.within(b'A', b'Z'),
            lower: self.within(b'a', b'z'),
            digit: self.within(b'0', b'9'),
            space: self.equal(b' '),
            blank: self.within(b'\t', b'\r') & !line_end,
            line_end,
            apostrophe: self.equal(b'\''),
            slash: self.equal(b'/'),
            high,
            ..Classes::default()
        }
    }
}

impl BlockBytes {
    /// The highest bit of every byte.
    #[inline(always)]
    pub(super) fn bits(self) -> u64 {
        let Self([low, high]) = self;
        // SAFETY: a `BlockBytes` exists, so the processor has AVX2.
        let [low, high] = unsafe { [_mm256_movemask_epi8(low), _mm256_movemask_epi8(high)] };
        u64::from(low.cast_unsigned()) | u64::from(high.cast_unsigned()) << 32
    }
}
